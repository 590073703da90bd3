"""Seconds and memory of a fit against rows, columns and code size.

    python -m benchmarks.scaling [--quick] [--memmap GB] [--chart PNG]

Float32 rows of low rank plus noise; hidden layer of 64 units. Each point is a process
of its own that makes its data, fits for one epoch and for four (best of three times),
and reports the seconds of an epoch, those of all else in a fit (statistics, PCA,
judging), and the peak of memory above what the data and the imports take. An exponent
is the slope of a straight line through the logarithms: 1 is proportional.

With `--memmap GB` a file of that size is fitted for one epoch as a `numpy.memmap`, and
the peak of resident memory is reported whole, imports and pages of the file included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.charts import bars

ROWS = (1_000, 10_000, 100_000, 1_000_000)
COLUMNS = (16, 64, 256, 1024, 4096)
SIZES = (2, 8, 32, 128)


def make(n_rows, n_columns, rng, rank=16):
    factors = rng.normal(size=(rank, n_columns)).astype(np.float32)
    X = np.empty((n_rows, n_columns), np.float32)
    for start in range(0, n_rows, 4096):
        n = min(4096, n_rows - start)
        X[start : start + n] = rng.normal(size=(n, rank)).astype(np.float32) @ factors
        X[start : start + n] += rng.normal(size=(n, n_columns)) / 4
    return X


def peak():
    """Return the most resident memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fit(X, n_components, max_iter):
    from sklearn_ae import AutoencoderTransformer

    start = time.perf_counter()
    AutoencoderTransformer(
        n_components,
        hidden_layer_sizes=(64,),
        batch_size=256,
        max_iter=max_iter,
        random_state=0,
    ).fit(X)
    return time.perf_counter() - start


def measure(n_rows, n_columns, n_components):
    """Print what one process takes, as JSON."""
    rng = np.random.default_rng(0)
    fit(make(500, 8, rng), 2, 1)  # warms up and imports
    X = make(n_rows, n_columns, rng)
    before = peak()
    repeats = 3 if n_rows <= 100_000 else 1
    one, four = (
        min(fit(X, n_components, max_iter) for _ in range(repeats))
        for max_iter in (1, 4)
    )
    epoch = (four - one) / 3
    print(json.dumps([epoch, max(one - epoch, 0.0), peak() - before]))


def measure_memmap(path, n_columns):
    X = np.memmap(path, np.float32, "r").reshape(-1, n_columns)
    print(json.dumps([fit(X, 8, 1), len(X), peak()]))


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks.scaling", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def memmap(gigabytes, folder):
    n_columns = 256
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        rng = np.random.default_rng(0)
        block = make(100_000, n_columns, rng)
        n_blocks = max(1, round(gigabytes * 1e9 / block.nbytes))
        for i in range(n_blocks):
            (block + np.float32(i / n_blocks)).tofile(file)
        file.flush()
        seconds, n_rows, memory = run("--one-memmap", file.name, n_columns)
        size = Path(file.name).stat().st_size / 1e9
    print(
        f"{size:.1f} GB memmap, {n_rows:,} x {n_columns}, float32: one epoch and all "
        f"else {seconds:.0f} s, peak of resident memory {memory:,.0f} MB"
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--memmap", type=float, metavar="GB")
    parser.add_argument("--folder", help="where the file of --memmap is made")
    parser.add_argument("--chart", help="PNG to draw")
    parser.add_argument("--one", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--one-memmap", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.one:
        return measure(*arguments.one)
    if arguments.one_memmap:
        path, n_columns = arguments.one_memmap
        return measure_memmap(path, int(n_columns))
    if arguments.memmap:
        return memmap(arguments.memmap, arguments.folder)
    cut = -2 if arguments.quick else None
    series = {
        "rows": [(n, 64, 8) for n in ROWS[:cut]],
        "columns": [(10_000, n, 8) for n in COLUMNS[:cut]],
        "code size": [(10_000, 256, n) for n in SIZES[:cut]],
    }
    drawn = {}
    for i, (name, points) in enumerate(series.items()):
        columns = ["s / epoch", "s else", "peak MB"]
        index = pd.Index([point[i] for point in points], name=name)
        table = pd.DataFrame([run("--one", *point) for point in points], index, columns)
        table["us / row / epoch"] = [
            1e6 * seconds / n_rows
            for seconds, (n_rows, *_) in zip(table["s / epoch"], points, strict=True)
        ]
        some = table[index >= (10_000 if name == "rows" else 0)]
        slope = np.polyfit(np.log(some.index), np.log(some["s / epoch"]), 1)[0]
        print(table.to_string(float_format="{:,.3f}".format))
        print(f"exponent of an epoch from {some.index[0]:,} {name}: {slope:.2f}\n")
        drawn |= {f"{n:,} {name}": s for n, s in table["us / row / epoch"].items()}
    if arguments.chart:
        chart = pd.DataFrame({"an epoch": drawn})
        bars(chart, arguments.chart, "microseconds per row")
    return None


if __name__ == "__main__":
    main()
