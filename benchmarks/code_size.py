"""One fit for every code size: what it costs, what it keeps.

    python -m benchmarks.code_size [NAME ...] [--quick] [--data-dir DIR]

Three questions for each data set, with default settings:

1. At code sizes 2, 4, 8, 16, 32: variance left unexplained on held-out rows by PCA, by
   a fit for each size, and by the prefixes of one ordered fit, and seconds of each.
2. ``n_components=0.95``: which code size, and which share does it keep of held-out
   rows?
3. (``--search``) AutoencoderTransformerCV and GridSearchCV over the same sizes and five
   folds: seconds, and what the code sizes chosen keep of held-out rows; for tables with
   classes also by the accuracy of a logistic regression on the codes.

Images: fitted on the 60,000, measured on the 10,000. Tables: a quarter of the rows held
out, over three seeds.
"""

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import scale

from benchmarks.datasets import DATASETS
from sklearn_ae import AutoencoderTransformer, AutoencoderTransformerCV

SIZES = (2, 4, 8, 16, 32)
TABLES = ("digits", "breast_cancer", "wine", "diabetes", "iris", "noisy_low_rank")
SHARE = 0.95


def splits(name, data_dir, n_seeds):
    """Yield seed, training rows, held-out rows and their classes (or None)."""
    raw, _, scaled = name.partition(", ")
    data = DATASETS[raw](data_dir)
    if data.n_train:
        n = data.n_train
        yield 0, data.X[:n], data.X[n:], data.y[:n], data.y[n:]
        return
    X = scale(data.X) if scaled else data.X
    y = data.y if data.y is not None and len(np.unique(data.y)) < 20 else None
    for seed in range(n_seeds):
        parts = train_test_split(
            X, X[:, 0] if y is None else y, random_state=seed, stratify=y
        )
        yield seed, *parts[:2], *((None, None) if y is None else parts[2:])


def timed(estimator, X, y=None):
    start = time.perf_counter()
    return estimator.fit(X, y), time.perf_counter() - start


def unexplained(X, back, mean):
    return np.square(X - back).sum(dtype=float) / np.square(X - mean).sum(dtype=float)


def curves(name, data_dir, n_seeds):
    """Return a line for each code size, and one for ``n_components=SHARE``."""
    lines, shares = [], []
    for seed, train, test, *_ in splits(name, data_dir, n_seeds):
        sizes = [size for size in SIZES if size < train.shape[1]]
        mean = train.mean(axis=0, dtype=float)
        ordered, ordered_seconds = timed(
            AutoencoderTransformer(sizes[-1], ordered=True, random_state=seed), train
        )
        codes = ordered.transform(test)
        for size in sizes:
            pca = PCA(size, random_state=seed).fit(train)
            plain, seconds = timed(
                AutoencoderTransformer(size, random_state=seed), train
            )
            lines.append(
                {
                    "data": name,
                    "code size": size,
                    "PCA": unexplained(
                        test, pca.inverse_transform(pca.transform(test)), mean
                    ),
                    "separate": unexplained(test, plain.reconstruct(test), mean),
                    "ordered": unexplained(
                        test, ordered.inverse_transform(codes[:, :size]), mean
                    ),
                    "separate s": seconds,
                    "ordered s": ordered_seconds,
                }
            )
        share, seconds = timed(AutoencoderTransformer(SHARE, random_state=seed), train)
        shares.append(
            {
                "data": name,
                "PCA's size": PCA(SHARE).fit(train).n_components_,
                "size": share.n_components_,
                "held-out share": share.score(test),
                "seconds": seconds,
            }
        )
    return lines, shares


def search(name, data_dir, n_jobs):
    """Return a line for each kind of search, both on the same folds."""
    lines = []
    _, train, test, y_train, y_test = next(splits(name, data_dir, 1))
    sizes = [size for size in SIZES if size < train.shape[1]]
    plain = AutoencoderTransformer(random_state=0)
    ours = AutoencoderTransformerCV(sizes, estimator=plain, n_jobs=n_jobs)
    grid = GridSearchCV(plain, {"n_components": sizes}, n_jobs=n_jobs)
    ours, our_seconds = timed(ours, train)
    grid, grid_seconds = timed(grid, train)
    lines.append(
        {
            "data": name,
            "score": "share of variance",
            "CV's size": ours.n_components_,
            "grid's size": grid.best_params_["n_components"],
            "CV held-out": ours.score(test),
            "grid held-out": grid.score(test),
            "CV s": our_seconds,
            "grid s": grid_seconds,
        }
    )
    if y_train is None:
        return lines
    model = LogisticRegression(max_iter=5000)
    ours = AutoencoderTransformerCV(
        sizes, estimator=plain, predictor=model, n_jobs=n_jobs
    )
    pipeline = Pipeline([("code", plain), ("model", model)])
    grid = GridSearchCV(pipeline, {"code__n_components": sizes}, n_jobs=n_jobs)
    ours, our_seconds = timed(ours, train, y_train)
    grid, grid_seconds = timed(grid, train, y_train)
    fitted = model.fit(ours.transform(train), y_train)
    lines.append(
        {
            "data": name,
            "score": "accuracy",
            "CV's size": ours.n_components_,
            "grid's size": grid.best_params_["code__n_components"],
            "CV held-out": fitted.score(ours.transform(test), y_test),
            "grid held-out": grid.score(test, y_test),
            "CV s": our_seconds,
            "grid s": grid_seconds,
        }
    )
    return lines


def show(title, table):
    print(title)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    print(flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="data sets")
    parser.add_argument("--quick", action="store_true", help="wine only, one seed")
    parser.add_argument("--seeds", type=int, default=3, help="for the tables")
    parser.add_argument("--search", action="store_true", help="the third question")
    parser.add_argument("--n-jobs", type=int, help="for the searches")
    parser.add_argument("--data-dir", help="folder of mnist/ and fashion-mnist/")
    arguments = parser.parse_args(argv)
    scaled = [f"{name}, scaled" for name in TABLES]
    names = arguments.names or [*TABLES, *scaled, "mnist", "fashion-mnist"]
    if arguments.quick:
        names, arguments.seeds = ["wine, scaled"], 1
    if arguments.search:
        lines = [
            line
            for name in names
            for line in search(name, arguments.data_dir, arguments.n_jobs)
        ]
        table = pd.DataFrame(lines)
        table["CV s / grid s"] = table["CV s"] / table["grid s"]
        show("Searches for the code size, five folds", table)
        return
    lines, shares = [], []
    for name in names:
        found = curves(name, arguments.data_dir, arguments.seeds)
        lines += found[0]
        shares += found[1]
    # Seeds are averaged after the ratios: each counts alike.
    table = pd.DataFrame(lines)
    table["ordered / PCA"] = table["ordered"] / table["PCA"]
    table["ordered / separate"] = table["ordered"] / table["separate"]
    table["s / s"] = table["ordered s"] / table["separate s"]
    worst = table.groupby(["data", "code size"], sort=False)["ordered / PCA"].max()
    table = table.groupby(["data", "code size"], sort=False).mean().reset_index()
    table["worst / PCA"] = worst.to_numpy()
    for column in ("PCA", "separate", "ordered"):
        table[column] *= 100
    show("Unexplained variance of held-out rows, %, and seconds of a fit", table)
    show(f"n_components={SHARE}", pd.DataFrame(shares))


if __name__ == "__main__":
    main()
