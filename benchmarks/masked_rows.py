"""Are missing cells filled well? By columns, neighbours, PCA and a denoiser.

    python -m benchmarks.masked_rows

All are fitted to the complete rows of three quarters of a table. In the last quarter
cells are missing at random; the mean squared error of those cells, over three splits.
PCA and denoiser begin at the column means and put their reconstruction into the missing
cells, in so many rounds; PCA is given the code size that is best on these very cells.
"""

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.impute import KNNImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sklearn_ae import DenoisingAutoencoder

ROUNDS = (1, 2, 3, 10)


def fill(reducer, X, n_rounds):
    """Return the centred rows X with their missing cells filled, round after round."""
    missing = np.isnan(X)
    filled = np.where(missing, 0, X)
    for _ in range(n_rounds):
        back = reducer.inverse_transform(reducer.transform(filled))
        filled = np.where(missing, back, X)
    return filled


def line(X, standardized, share, seed):
    """Return the errors of one split."""
    train, test = train_test_split(X, random_state=seed)
    scaler = StandardScaler(with_std=standardized).fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    missing = np.random.default_rng(seed).random(test.shape) < share
    holes = np.where(missing, np.nan, test)
    filled = {
        "column means": np.zeros_like(test),
        "KNNImputer": KNNImputer().fit(train).transform(holes),
    }
    for k in (2, 4, 8, 16, 24):
        filled[f"PCA {k}"] = fill(PCA(k).fit(train), holes, 20)
    denoiser = DenoisingAutoencoder(
        min(64, X.shape[1]),
        noise="masking",
        noise_level=max(share, 0.3),
        max_iter=40,
        random_state=seed,
    ).fit(train)
    for n_rounds in ROUNDS:
        filled[f"denoiser, rounds: {n_rounds}"] = fill(denoiser, holes, n_rounds)
    errors = {
        name: np.square(test - rows)[missing].mean() for name, rows in filled.items()
    }
    sizes = [name for name in errors if name.startswith("PCA")]
    errors["PCA, best"] = min(errors.pop(name) for name in sizes)
    return errors


def main():
    for load, standardized in ((load_digits, False), (load_breast_cancer, True)):
        X = load().data
        table = {
            share: pd.DataFrame(
                line(X, standardized, share, seed) for seed in range(3)
            ).mean()
            for share in (0.1, 0.3, 0.5)
        }
        print(f"{load.__name__}\n{pd.DataFrame(table).round(3).to_string()}\n")


if __name__ == "__main__":
    main()
