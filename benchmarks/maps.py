"""Maps: two-dimensional codes beside those of PCA, UMAP, openTSNE, PaCMAP, Isomap.

``python -m benchmarks.maps digits`` prints a table: means over three splits into
training and held-out rows, whose codes are the method's own for new rows. Accuracy is
that of 5 neighbours among the training codes, trustworthiness that of 5 neighbours
among held-out rows, "unexplained" the share of variance that a code's reconstruction
leaves, where there is a way back; seconds are of the CPU: of the fit, and of the codes
of the held-out rows and their reconstructions. ``mnist`` and ``fashion-mnist`` are
20,000 training images and 5,000 others, one split. It needs ``pip install umap-learn
openTSNE pacmap``; methods that are not there are left out.
"""

import argparse
import importlib
import time
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import Isomap, trustworthiness
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.datasets import DATASETS
from sklearn_ae import AutoencoderTransformer

N_TRUSTED = 2000  # held-out rows that trustworthiness is measured on, at most
N_INVERTED = 200  # rows that UMAP's inverse is given: it takes a second for a hundred
LONGEST = 5000  # training rows of Isomap, whose time grows with their cube


class Pacmap:
    """PaCMAP, whose transform wants the training rows."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X):
        """Fit."""
        pacmap = importlib.import_module("pacmap")
        self.X = X
        self.model = pacmap.PaCMAP(2, random_state=self.seed)
        self.codes = self.model.fit_transform(X)
        return self

    def transform(self, X):
        """Return codes."""
        if X is self.X:
            return self.codes
        return self.model.transform(X, basis=self.X)


class OpenTSNE:
    """openTSNE, whose embedding is what puts rows on it."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X):
        """Fit."""
        tsne = importlib.import_module("openTSNE").TSNE
        self.X = X
        self.model = tsne(random_state=self.seed, n_jobs=1).fit(X)
        return self

    def transform(self, X):
        """Return codes."""
        return np.asarray(self.model if X is self.X else self.model.transform(X))


def umap(seed):
    """Make a UMAP."""
    return importlib.import_module("umap").UMAP(random_state=seed, n_jobs=1)


METHODS = {
    "PCA": lambda seed: PCA(2, random_state=seed),
    "plain": lambda seed: AutoencoderTransformer(2, random_state=seed),
    "noise": lambda seed: AutoencoderTransformer(
        2, noise="gaussian", random_state=seed
    ),
    "neighbors=0.1": lambda seed: AutoencoderTransformer(
        2, neighbors=0.1, random_state=seed
    ),
    "neighbors=0.3": lambda seed: AutoencoderTransformer(
        2, neighbors=0.3, random_state=seed
    ),
    "neighbors=1": lambda seed: AutoencoderTransformer(
        2, neighbors=1.0, random_state=seed
    ),
    "UMAP": umap,
    "openTSNE": OpenTSNE,
    "PaCMAP": Pacmap,
    "Isomap": lambda seed: Isomap(n_neighbors=15),
}


def measure(model, train, test, y_train, y_test):
    """Return the numbers of a line of the table."""
    start = time.process_time()
    model.fit(train)
    fitted = time.process_time()
    codes = model.transform(test)
    n_back, unexplained = 0, np.nan
    if hasattr(model, "inverse_transform"):
        n_back = N_INVERTED if "umap" in type(model).__module__ else len(test)
        back = model.inverse_transform(codes[:n_back])
        left = np.square(back - test[:n_back]).sum()
        unexplained = left / np.square(test[:n_back] - train.mean(axis=0)).sum()
    end = time.process_time()
    classifier = KNeighborsClassifier(5).fit(model.transform(train), y_train)
    some = slice(N_TRUSTED)
    return (
        classifier.score(codes, y_test),
        trustworthiness(test[some], codes[some], n_neighbors=5),
        unexplained,
        fitted - start,
        end - fitted,
    )


def splits(name, data_dir):
    """Yield training and held-out rows and their classes."""
    X, y = DATASETS[name](data_dir)[:2]
    if name == "digits":
        for seed in range(3):
            yield train_test_split(X, y, test_size=0.2, stratify=y, random_state=seed)
    else:
        rows = np.random.default_rng(0).permutation(len(X))[:25_000]
        yield train_test_split(X[rows], y[rows], test_size=5000, random_state=0)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "name",
        choices=["digits", "mnist", "fashion-mnist"],
        default="digits",
        nargs="?",
    )
    parser.add_argument("--data-dir")
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS))
    args = parser.parse_args()
    print("| method | accuracy | trustworthiness | unexplained | fit s | new rows s |")
    print("|---|---|---|---|---|---|")
    for method in args.only:
        found = []
        for seed, (train, test, *ys) in enumerate(splits(args.name, args.data_dir)):
            if method == "Isomap":
                train, ys[0] = train[:LONGEST], ys[0][:LONGEST]
            try:
                model = METHODS[method](seed)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of others' packages
                    found.append(measure(model, train, test, *ys))
            except ImportError:
                break
        if found:
            numbers = np.mean(found, axis=0)
            cells = [f"{n:.3f}" for n in numbers[:3]] + [
                f"{n:.1f}" for n in numbers[3:]
            ]
            print(f"| {method} | " + " | ".join(cells).replace("nan", "–") + " |")
            print(end="", flush=True)


if __name__ == "__main__":
    main()
