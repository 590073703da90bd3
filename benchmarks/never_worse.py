"""Check that the default estimator is never worse than PCA on unseen rows.

    python -m benchmarks.never_worse [--quick] [--data-dir DIR] [--seeds 3]

Quarters held out, of tables from 20 rows to 2,000: unexplained variance as a ratio to
PCA's at the same code size. The promise is at most 1.02 on every line.
"""

import argparse
import time

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from benchmarks.datasets import DATASETS, noisy_low_rank
from sklearn_ae import AutoencoderTransformer

SIZES = (1, 2, 4, 8)
PROMISE = 1.02


def tables(data_dir, quick):
    rng = np.random.default_rng(0)

    def some(X, n_rows):
        return X[rng.permutation(len(X))[:n_rows]]

    bundled = ("wine", "iris") if quick else TABLES
    for name in bundled:
        X = DATASETS[name]().X
        yield name, X
        yield f"{name}, scaled", scale(X)
    yield "noisy low rank", noisy_low_rank().X
    yield "noisy low rank, 60 rows", noisy_low_rank(n_samples=60, n_features=10).X
    swiss = DATASETS["swiss_roll"]().X
    yield "swiss roll", swiss
    for n_rows in (20, 60):
        yield f"swiss roll, {n_rows} rows", some(swiss, n_rows)
        for name in bundled:
            yield (
                f"{name}, scaled, {n_rows} rows",
                some(scale(DATASETS[name]().X), n_rows),
            )
            yield f"{name}, {n_rows} rows", some(DATASETS[name]().X, n_rows)
    if not quick:
        yield (
            "fashion-mnist, 2,000 rows",
            some(DATASETS["fashion-mnist"](data_dir).X, 2000),
        )


TABLES = ("digits", "breast_cancer", "wine", "iris", "diabetes")


def compare(name, X, size, seed):
    train, test = train_test_split(X, test_size=0.25, random_state=seed)
    if size > min(train.shape):
        return None
    pca = PCA(size, random_state=0).fit(train)
    theirs = np.square(test - pca.inverse_transform(pca.transform(test))).sum()
    start = time.perf_counter()
    autoencoder = AutoencoderTransformer(size, random_state=seed).fit(train)
    seconds = time.perf_counter() - start
    ours = np.square(test - autoencoder.reconstruct(test)).sum()
    total = np.square(test - train.mean(axis=0)).sum()
    # Where PCA leaves nothing but rounding, a ratio says nothing.
    ratio = ours / theirs if theirs > 1e-10 * total else 1 + (ours - theirs) / total
    return {"data": name, "code size": size, "ratio": ratio, "seconds": seconds}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="wine and iris only")
    parser.add_argument("--data-dir", help="folder that holds fashion-mnist/")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each table")
    parser.add_argument("--n-jobs", type=int, default=2)
    arguments = parser.parse_args(argv)
    lines = Parallel(arguments.n_jobs)(
        delayed(compare)(name, X, size, seed)
        for name, X in tables(arguments.data_dir, arguments.quick)
        for size in SIZES
        for seed in range(arguments.seeds)
    )
    lines = pd.DataFrame([line for line in lines if line is not None])
    groups = lines.groupby(["data", "code size"], sort=False)["ratio"]
    cells = groups.agg(lambda ratios: " ".join(f"{r:.2f}" for r in ratios)).unstack()
    cells["seconds"] = lines.groupby("data")["seconds"].mean().map("{:.1f}".format)
    cells = cells.loc[lines["data"].unique()]
    print("Held-out unexplained variance, ours / PCA's, a number for each split")
    print(cells.fillna("–").to_string())
    worse = lines[lines["ratio"] > PROMISE]
    print(f"\n{len(worse)} of {len(lines)} lines above {PROMISE}")
    if len(worse):
        print(worse.to_string(index=False))
    print(f"geometric mean {np.exp(np.log(lines['ratio']).mean()):.3f}")


if __name__ == "__main__":
    main()
