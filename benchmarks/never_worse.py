"""Check that the default estimator is never worse than PCA on unseen rows.

    python -m benchmarks.never_worse [--quick] [--data-dir DIR] [--seeds 3]

Unexplained variance of unseen rows as a ratio to PCA's at the same code size. The
promise is at most 1.02 on every line. Three kinds of lines:

- quarters held out of tables from 20 rows to 2,000, a fit for each code size;
- the same tables, every prefix of one ordered fit;
- rows that are copies of one another, which nobody says: replicates, bootstrap samples,
  oversampled tables, windows of a series; unseen are rows of other sources, or later.
"""

import argparse
import time
import warnings

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


def copies(seed):
    """Yield names, rows that are copies of one another, and unseen rows."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(160, 20)) * np.linspace(2, 0.5, 20)
    for noise in (0.01, 0.1, 0.3):
        X = np.repeat(rows[:60], 20, axis=0)
        X = X + noise * X.std() * rng.normal(size=X.shape)
        yield f"60 × 20 replicates, noise {noise}", X, rows[60:]
    for name in ("breast_cancer", "diabetes", "wine"):
        X = rng.permutation(scale(DATASETS[name]().X))
        n_old = 300 if name == "breast_cancer" else len(X) // 2
        old, new = X[:n_old], X[n_old:]
        yield f"{name}, bootstrap", old[rng.integers(0, n_old, n_old)], new
        for times in (2, 5):
            yield f"{name}, {times} times", np.repeat(old, times, axis=0), new
    steps = rng.normal(size=3000)
    sine = np.sin(np.arange(3000) / 7) + 0.3 * steps
    for name, series in (("random walk", np.cumsum(steps)), ("sine and noise", sine)):
        windows = np.lib.stride_tricks.sliding_window_view(series, 50)
        yield f"windows of a {name}", windows[:1500], windows[1550:]


def compare(name, X, size, seed):
    train, test = train_test_split(X, test_size=0.25, random_state=seed)
    return measure(name, train, test, size, seed)


def compare_copies(size, seed):
    warnings.simplefilter("ignore", UserWarning)  # which asks for groups
    lines = [measure(*each, size, seed) for each in copies(seed)]
    return [line for line in lines if line is not None]


def measure(name, train, test, size, seed):
    if size > min(train.shape):
        return None
    start = time.perf_counter()
    autoencoder = AutoencoderTransformer(size, random_state=seed).fit(train)
    seconds = time.perf_counter() - start
    ratio = ratio_to_pca(autoencoder.reconstruct(test), train, test, size)
    return {"data": name, "code size": size, "ratio": ratio, "seconds": seconds}


def compare_prefixes(name, X, seed):
    """Return a line for each code size, of one ordered fit."""
    train, test = train_test_split(X, test_size=0.25, random_state=seed)
    sizes = [size for size in SIZES if size <= min(train.shape)]
    start = time.perf_counter()
    autoencoder = AutoencoderTransformer(max(sizes), ordered=True, random_state=seed)
    autoencoder.fit(train)
    seconds = time.perf_counter() - start
    lines = []
    for size in sizes:
        back = autoencoder.reconstruct(test, n_components=size)
        ratio = ratio_to_pca(back, train, test, size)
        about = {"data": f"{name}, ordered", "code size": size}
        lines.append({**about, "ratio": ratio, "seconds": seconds})
    return lines


def ratio_to_pca(back, train, test, size):
    pca = PCA(size, svd_solver="full").fit(train)
    theirs = np.square(test - pca.inverse_transform(pca.transform(test))).sum()
    ours = np.square(test - back).sum()
    total = np.square(test - train.mean(axis=0)).sum()
    # Where PCA leaves nothing but rounding, a ratio says nothing.
    return ours / theirs if theirs > 1e-10 * total else 1 + (ours - theirs) / total


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="wine and iris only")
    parser.add_argument("--data-dir", help="folder that holds fashion-mnist/")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each table")
    parser.add_argument("--n-jobs", type=int, default=2)
    arguments = parser.parse_args(argv)
    seeds = range(arguments.seeds)
    some = [*tables(arguments.data_dir, arguments.quick)]
    tasks = [
        *(
            delayed(compare)(*t, size, seed)
            for t in some
            for size in SIZES
            for seed in seeds
        ),
        *(delayed(compare_prefixes)(*t, seed) for t in some for seed in seeds),
        *(delayed(compare_copies)(size, seed) for size in SIZES for seed in seeds),
    ]
    lines = []
    for found in Parallel(arguments.n_jobs)(tasks):
        lines += found if isinstance(found, list) else [found]
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
