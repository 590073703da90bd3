"""Share of variance after passes over digits that come in ten chunks.

Run: ``python -m benchmarks.streams``.
"""

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import IncrementalPCA

from sklearn_ae import AutoencoderTransformer

PASSES = (1, 2, 5, 10, 20)
MODELS = {
    "IncrementalPCA": IncrementalPCA(8),
    "autoencoder": AutoencoderTransformer(8, random_state=0),
    "autoencoder, seed 1": AutoencoderTransformer(8, random_state=1),
    "autoencoder, ordered": AutoencoderTransformer(8, ordered=True, random_state=0),
}


def share(model, X):
    """Return the share of variance about the mean of X."""
    left = np.square(X - model.inverse_transform(model.transform(X))).sum()
    return 1 - left / np.square(X - X.mean(axis=0)).sum()


def main():
    """Print a line for each order of the rows and model."""
    X, y = load_digits(return_X_y=True)
    orders = {
        "sorted by class": [X[y == label] for label in range(10)],
        "shuffled": np.array_split(np.random.default_rng(0).permutation(X), 10),
    }
    print("| order | model |", " | ".join(f"after {n}" for n in PASSES), "|")
    for order, parts in orders.items():
        for name, model in MODELS.items():
            model, shares = clone(model), []
            for n_passes in range(1, PASSES[-1] + 1):
                for part in parts:
                    model.partial_fit(part)
                if n_passes in PASSES:
                    shares.append(f"{share(model, X):.3f}")
            print("|", order, "|", name, "|", " | ".join(shares), "|", flush=True)


if __name__ == "__main__":
    main()
