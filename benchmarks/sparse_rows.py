"""Sparse rows: what an epoch costs beside dense ones, and what is found in texts.

``python -m benchmarks.sparse_rows`` prints two tables. The first is of random rows,
each line a process of its own: seconds of the faster of two epochs, and the most memory
that the process ever had. The second is of texts that every machine has: docstrings of
Python and of the installed packages, and these packages' descriptions, as tf-idf.
Run it with OMP_NUM_THREADS=1 for figures of one thread.
"""

import argparse
import ast
import importlib.metadata
import resource
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from skorch.callbacks import Callback

from sklearn_ae import AutoencoderTransformer

N_WORDS = 5000
MOST_TEXTS = 10_000
MOST_FILES = 4000  # some thousand, from everywhere
CASES = [
    (20_000, 5_000, "dense"),
    (20_000, 5_000, "CSR"),
    (10_000, 20_000, "CSR"),
]


class Stopwatch(Callback):
    """Note the seconds of each epoch."""

    epochs_only = True

    def on_train_begin(self, net, **kwargs):
        """Begin."""
        self.seconds_ = []

    def on_epoch_begin(self, net, **kwargs):
        """Start the clock."""
        self.start_ = time.perf_counter()

    def on_epoch_end(self, net, **kwargs):
        """Stop it."""
        self.seconds_.append(time.perf_counter() - self.start_)


def epoch(n_samples, n_features, kind):
    """Fit random rows in this process, and print a line of the table."""
    X = sparse.random_array(
        (n_samples, n_features), density=0.01, format="csr", rng=0, dtype=np.float32
    )
    if kind == "dense":
        X = X.toarray()
    watch = Stopwatch()
    start = time.perf_counter()
    AutoencoderTransformer(
        50,
        hidden_layer_sizes=(512, 256),
        batch_size=256,
        max_iter=2,
        random_state=0,
        callbacks=[watch],
    ).fit(X)
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {n_samples:,} × {n_features:,} | {kind} | {min(watch.seconds_):.2f} | "
        f"{seconds:.1f} | {most:.0f} |",
        flush=True,
    )


def texts():
    """Return texts of at least 100 letters, each once, and the number of its file."""
    found = {}
    documented = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    folders = (sysconfig.get_path(name) for name in ("stdlib", "purelib"))
    files = {path for folder in folders for path in Path(folder).rglob("*.py")}
    files = sorted(path for path in files if "test" not in str(path))
    for number, path in enumerate(files[:: max(1, len(files) // MOST_FILES)]):
        try:
            nodes = ast.walk(ast.parse(path.read_bytes()))
        except (SyntaxError, ValueError):
            continue
        for node in nodes:
            if isinstance(node, documented) and (doc := ast.get_docstring(node)):
                found.setdefault(doc, number)
    for number, package in enumerate(importlib.metadata.distributions(), len(files)):
        for paragraph in (package.metadata.get_payload() or "").split("\n\n"):
            found.setdefault(paragraph, number)
    found = {text: number for text, number in found.items() if len(text) >= 100}
    return list(found), np.array(list(found.values()))


def share(reducer, X, mean):
    """Return the share of variance explained of rows that were held out."""
    X = X.toarray()
    back = reducer.inverse_transform(reducer.transform(X))
    return 1 - np.square(X - back).sum() / np.square(X - mean).sum()


def corpus(seed=0):
    """Print a table of what is kept of texts by codes of 50 and 100 numbers.

    Texts of one file are alike. So some are held out from every file, and all of some
    files: what is kept of the former need not hold for the latter.
    """
    found, groups = texts()
    some = np.random.default_rng(seed).permutation(len(found))[:MOST_TEXTS]
    words = TfidfVectorizer(max_features=N_WORDS, dtype=np.float32)
    X, groups = words.fit_transform([found[i] for i in some]), groups[some]
    by_file = GroupShuffleSplit(1, test_size=0.1, random_state=seed)
    known, new = next(by_file.split(X, groups=groups))
    train, known = train_test_split(known, test_size=0.1, random_state=seed)
    filled = X.nnz / np.prod(X.shape)
    print(f"\n{X.shape[0]:,} texts × {X.shape[1]:,} words, {filled:.2%} filled")
    print(f"{len(train):,} to train, {len(known):,} and {len(new):,} held out\n")
    print(
        "| code | reducer | known files | new files | seconds |\n|---|---|---|---|---|"
    )
    mean = np.asarray(X[train].mean(axis=0))
    for k in (50, 100):
        ours = AutoencoderTransformer(
            k, hidden_layer_sizes=(256, 128), max_iter=8, random_state=seed
        )
        reducers = {
            "TruncatedSVD": (TruncatedSVD(k, random_state=seed), {}),
            "PCA": (PCA(k, random_state=seed), {}),
            "autoencoder, judged by files": (ours, {"groups": groups[train]}),
            "autoencoder, all epochs": (
                clone(ours).set_params(early_stopping=False),
                {},
            ),
        }
        for name, (reducer, params) in reducers.items():
            start = time.perf_counter()
            reducer.fit(X[train], **params)
            seconds = time.perf_counter() - start
            kept = " | ".join(
                f"{share(reducer, X[rows], mean):.3f}" for rows in (known, new)
            )
            print(f"| {k} | {name} | {kept} | {seconds:.1f} |", flush=True)


def main():
    """Print both tables, or the line of one case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", type=int, choices=range(len(CASES)))
    case = parser.parse_args().case
    if case is not None:
        epoch(*CASES[case])
        return
    print("| rows | kind | s/epoch | s, two epochs and the rest | MB at most |")
    print("|---|---|---|---|---|", flush=True)
    for case in range(len(CASES)):
        module = [sys.executable, "-m", "benchmarks.sparse_rows"]
        subprocess.run([*module, "--case", str(case)], check=True)
    corpus()


if __name__ == "__main__":
    main()
