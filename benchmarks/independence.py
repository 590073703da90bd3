"""Check that rows that are no evidence of one another are found, and no others.

    python -m benchmarks.independence [--quick] [--seeds 10] [--first-seed 0]

False alarms: on real tables and made ones of independent rows, from 30 to 5,000. Found:
replicates, resampled tables with jitter, windows of series. A row "leaks" if it stands
in another group than most copies of its source.
"""

import argparse
import time

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.datasets import load_linnerud, make_blobs, make_swiss_roll
from sklearn.preprocessing import scale

from benchmarks.datasets import DATASETS
from sklearn_ae._independence import find_dependence

BUNDLED = ("digits", "breast_cancer", "wine", "iris", "diabetes")
ROWS = (30, 100, 300, 1000, 5000)
NOISES = (0.01, 0.1, 0.3)
WINDOW = 50


def real_tables(rng):
    tables = {name: DATASETS[name]().X for name in BUNDLED}
    tables["linnerud"] = load_linnerud().data
    for name, X in tables.items():
        for n in (*ROWS[:3], len(X)):
            rows = np.sort(rng.permutation(len(X))[:n])  # in their order
            yield name, X[rows]
            yield name, scale(X[rows])


def made_tables(rng):
    for n in ROWS:
        for rank, n_columns, noise in ((1, 10, 0), (4, 20, 0.01), (4, 50, 0.3)):
            X = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n_columns))
            yield "low rank", X + noise * X.std() * rng.normal(size=X.shape)
        yield "normal", rng.normal(size=(n, 10))
        yield "one column", rng.normal(size=(n, 1))
        for noise in (0, 1):
            yield "swiss roll", make_swiss_roll(n, noise=noise, random_state=n)[0]
        for centers, spread in ((3, 0.3), (10, 0.1)):
            seed = rng.integers(1000)
            yield (
                "blobs",
                make_blobs(
                    n, 10, centers=centers, cluster_std=spread, random_state=seed
                )[0],
            )
        classes = np.sort(rng.integers(5, size=n))[:, None]
        yield "sorted by class", 10 * classes + rng.normal(size=(n, 8))
        yield (
            "sorted by a column",
            np.c_[np.sort(rng.normal(size=n)), rng.normal(size=(n, 5))],
        )
        yield "counts", rng.poisson(3, (n, 8)).astype(float)
        yield "rounded", np.round(rng.normal(size=(n, 5)), 1)
        yield "flags", (rng.random((n, 20)) < 0.3).astype(float)
        yield (
            "codes and numbers",
            np.c_[rng.integers(4, size=(n, 3)), rng.normal(size=(n, 2))],
        )
        yield "heavy tails", np.exp(1.5 * rng.normal(size=(n, 6)))
        yield "heavy tails", rng.standard_t(2, size=(n, 10))


def copies(rng):
    for name in BUNDLED:
        X = DATASETS[name]().X
        sources = X[rng.permutation(len(X))[:60]]
        spread = sources.std(axis=0)
        for noise in NOISES:
            source = rng.permutation(np.repeat(np.arange(60), 20))
            jitter = noise * spread * rng.normal(size=(1200, X.shape[1]))
            case = f"60 x 20 replicates, noise {noise}"
            if X.shape[1] < 5:  # where strangers are as near as that
                case += f", {X.shape[1]} columns"
            yield case, sources[source] + jitter, source
    for name in ("breast_cancer", "wine", "diabetes"):
        X = scale(DATASETS[name]().X)
        n = len(X)
        for kind, source in (
            ("bootstrap", rng.integers(n, size=n)),
            ("2 x", rng.permutation(np.repeat(np.arange(n), 2))),
            ("5 x", rng.permutation(np.repeat(np.arange(n), 5))),
        ):
            for jitter in (0, 0.01, 0.1):
                moved = X[source] + jitter * rng.normal(size=(len(source), X.shape[1]))
                yield f"{kind}, jitter {jitter}", moved, source


def windows(rng):
    for n in ROWS[2:]:
        time_ = np.arange(n + WINDOW - 1)
        noise = rng.normal(size=len(time_))
        for name, series in (
            ("random walk", noise.cumsum()),
            ("sine of 20, noise 0.1", np.sin(2 * np.pi * time_ / 20) + 0.1 * noise),
            ("sine of 100, noise 0.3", np.sin(2 * np.pi * time_ / 100) + 0.3 * noise),
            ("noise", noise),
        ):
            X = sliding_window_view(series, WINDOW)
            yield f"windows of a {name}", X, None
            yield f"windows of a {name}", scale(X), None


def leak(labels, source):
    """Return the share of rows that are in another group than their siblings."""
    pairs = pd.crosstab(source, labels).to_numpy()
    return 1 - pairs.max(axis=1).sum() / len(source)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    alarms, found = [], []
    for i in range(1 if arguments.quick else arguments.seeds):
        seed = arguments.first_seed + i
        rng = np.random.default_rng(seed)
        for name, X in (*real_tables(rng), *made_tables(rng)):
            dependence = find_dependence(X, seed)
            alarm = dependence is not None and dependence.kind != "equal rows"
            alarms.append({"table": name, "tables": 1, "false alarms": int(alarm)})
        for name, X, source in (*copies(rng), *windows(rng)):
            start = time.perf_counter()
            dependence = find_dependence(X, seed)
            line = {"case": name, "tables": 1, "found": int(dependence is not None)}
            line["seconds"] = time.perf_counter() - start
            if source is not None and dependence is not None:
                line["leak"] = leak(dependence.labels, source)
                line["largest group"] = np.bincount(dependence.labels).max() / len(X)
            found.append(line)
    alarms, found = pd.DataFrame(alarms), pd.DataFrame(found)
    print(alarms.groupby("table", sort=False).sum().to_string())
    print(f"\n{alarms['false alarms'].sum()} false alarms on {len(alarms)} tables\n")
    means = {"tables": "sum", "found": "sum", "leak": "mean", "seconds": "mean"}
    table = found.groupby("case", sort=False).agg(means | {"largest group": "max"})
    print(table.round(3).to_string(na_rep="–"))
    X = np.random.default_rng(0).normal(size=(5000, 50))
    start = time.perf_counter()
    assert find_dependence(X, 0) is None
    print(f"\n5,000 x 50, nothing found: {time.perf_counter() - start:.3f} s")


if __name__ == "__main__":
    main()
