"""What a GPU brings, and whether all works on one.

    python -m benchmarks.gpu [--quick] [--device cpu] [--minutes N] [--only SECTION]

Prints Markdown tables for README.md as the figures come; a section that fails says so
and the next begins, and after `--minutes` what is left to do is left out. With `OUT` in
the environment they are written there too, as gpu.json.

tests    all tests that are marked for CUDA
speed    rows per second of an epoch, ours against loops written by hand: the same
         perceptrons (ReLU, squared error, no linear path), rows on the device, fused
         AdamW; the median of the epochs after the first, the device waited for
fits     whole fits with default parameters, on the device and on the CPU
streamed a table larger than the memory that the process may take of the device
several  fits at once in processes that share the device
waits    how often an epoch makes the CPU wait for the device, and where
"""

import argparse
import collections
import contextlib
import gc
import json
import os
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path

import joblib
import numpy as np
import sklearn
import skorch
import torch
from skorch.callbacks import Callback

from benchmarks.gpu_loops import Clock, graph_loop, loop, ours, tensor_floats
from benchmarks.speed import digits
from sklearn_ae import AutoencoderTransformer

ROOT = Path(__file__).parents[1]


class Run:
    """What was asked for, what was measured, and how much time is left.

    Parameters
    ----------
    device : torch.device
    quick : bool
        Whether all is small, to see that the script works.
    minutes : float
        After which nothing new is begun.
    """

    def __init__(self, device, quick, minutes):
        self.device, self.quick = device, quick
        self.end = time.monotonic() + 60 * minutes
        self.results = []

    @property
    def seconds_left(self):
        """How long there is time."""
        return max(0.0, self.end - time.monotonic())

    def wait(self):
        """Wait until the device has done all that it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def table(self, section, *columns):
        """Begin a table."""
        self.section, self.columns = section, columns
        print(f"\n{section}\n\n| {' | '.join(columns)} |")
        print(f"|{'|'.join(' --- ' for _ in columns)}|", flush=True)

    def row(self, *cells):
        """Print a row of the table, and keep it."""
        row = dict(zip(self.columns, cells, strict=True))
        self.results.append({"section": self.section, **row})
        print(f"| {' | '.join(map(_shown, cells))} |", flush=True)
        if "OUT" in os.environ:
            text = json.dumps(self.results, indent=1)
            Path(os.environ["OUT"], "gpu.json").write_text(text)

    @contextlib.contextmanager
    def attempt(self, name):
        """Say what fails, and go on."""
        if not self.seconds_left:
            print(f"\n{name}: left out, the time is over", flush=True)
            return
        try:
            yield
        except Exception as error:
            text = f"{type(error).__name__}: {str(error).splitlines()[:1]}"
            print(f"\n{name} FAILED: {text}", flush=True)
            traceback.print_exc()
            self.results.append({"section": "failed", "name": name, "error": text})


def _size(X):
    return f"{len(X):,} × {X.shape[1]}"


def _shown(cell):
    if isinstance(cell, bool):
        return "yes" if cell else "no"

    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


# -- data --


def images(n_rows):
    """Draw rows of MNIST's shape, in [0, 1], from 10 hidden numbers."""
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((n_rows, 10), dtype=np.float32)
    one = rng.standard_normal((10, 64), dtype=np.float32)
    two = rng.standard_normal((64, 784), dtype=np.float32) / 4
    return 1 / (1 + np.exp(-np.tanh(hidden @ one) @ two))


# -- speed --


# What is trained, in which precision, and whether a compiler is waited for.
WAYS = {
    "loop by hand": (loop, {}),
    "ours": (ours, {}),
    "loop by hand, TF32": (loop, {"tf32": True}),
    "ours, TF32": (ours, {"tf32": True}),
    "loop by hand, bfloat16": (loop, {"half": True}),
    "ours, bfloat16": (ours, {"half": True}),
    "CUDA graph by hand": (graph_loop, {}),
    "CUDA graph by hand, bfloat16": (graph_loop, {"half": True}),
    "loop by hand, compiled": (loop, {"compiled": True}),
    "ours, compile=True": (ours, {"compiled": True}),
    "ours, compile=True, bfloat16": (ours, {"compiled": True, "half": True}),
}


def speed(run):
    """Compare the rows per second of an epoch."""
    run.table(
        "Rows per second in training",
        *("data", "batch", "way", "rows/s", "slowest", "quickest", "× by hand"),
    )
    shaped = images(2000 if run.quick else 60_000)
    cases = [
        (shaped, (512, 256), 32, 256, 5, True),
        (digits(None), (256, 128), 8, 64, 20, False),
        (shaped, (512, 256), 32, 4096, 12, False),
    ]
    for X, hidden, n_components, batch_size, epochs, compiles in cases:
        base, name = None, _size(X)
        for way, (train, params) in WAYS.items():
            params = dict(params)
            tf32 = params.pop("tf32", False)
            if params.get("compiled") and (not compiles or run.quick):
                continue
            if run.device.type != "cuda" and (train is graph_loop or tf32):
                continue
            with run.attempt(f"{way}, {name}"), tensor_floats(tf32):
                args = X, hidden, n_components, min(batch_size, len(X))
                n = 3 if run.quick else epochs
                seconds = np.array(train(run, *args, n, **params)[1:])
                rates = len(X) / seconds
                rate = float(np.median(rates))
                base = base or rate
                bounds = float(rates.min()), float(rates.max())
                run.row(name, batch_size, way, rate, *bounds, rate / base)


# -- whole fits --


def fits(run):
    """Time default fits, and what comes after."""
    run.table(
        "Default fits and what follows",
        *("data", "device", "seconds of a fit", "score", "rows/s encoded, float32"),
    )
    for X in digits(None), images(3000 if run.quick else 60_000):
        name = _size(X)
        for device in dict.fromkeys((run.device.type, "cpu")):
            if device == "cpu" != run.device.type and len(X) > 2000:
                continue  # minutes
            params = {"max_iter": 2} if run.quick else {}
            with run.attempt(f"a default fit of {name} on {device}"):
                start = time.perf_counter()
                model = AutoencoderTransformer(
                    16, device=device, random_state=0, **params
                ).fit(X)
                seconds = time.perf_counter() - start
                start = time.perf_counter()
                for _ in range(3):
                    model.transform(X)
                rate = 3 * len(X) / (time.perf_counter() - start)
                run.row(name, device, seconds, model.score(X), rate)


# -- data that do not fit --


def streamed(run):
    """Fit a table that the process has no room for on the device."""
    run.table(
        "Larger than the device's memory",
        *("data", "window", "GB of data", "GB the process may take"),
        *("GB it took", "rows/s", "score", "PCA's score"),
    )
    from sklearn_ae._engine import tables

    X = images(3000 if run.quick else 300_000)
    held, cells = tables.HELD_CELLS, tables.WINDOW_CELLS
    sizes = [2**17, 2**16] if run.quick else [cells, cells // 8]
    limit = X.nbytes * 0.6
    cuda = run.device.type == "cuda"
    try:
        if run.quick:
            tables.HELD_CELLS = 2**18
        if cuda:
            gc.collect()
            torch.cuda.empty_cache()
            whole = torch.cuda.get_device_properties(run.device).total_memory
            torch.cuda.set_per_process_memory_fraction(limit / whole)
        for window in sizes:
            tables.WINDOW_CELLS = window
            with run.attempt(f"streamed, windows of {window:,} cells"):
                _stream(run, X, window, limit)
    finally:
        tables.HELD_CELLS, tables.WINDOW_CELLS = held, cells
        if cuda:
            torch.cuda.set_per_process_memory_fraction(1.0)


def _stream(run, X, window, limit):
    cuda = run.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(run.device)
    clock = Clock(run.wait)
    params = {"device": run.device, "callbacks": [clock], "random_state": 0}
    model = AutoencoderTransformer(16, max_iter=3, batch_size=1024, **params).fit(X)
    peak = torch.cuda.max_memory_allocated(run.device) / 1e9 if cuda else "–"
    rate = 0.9 * len(X) / float(np.median(clock.seconds[1:]))
    pca = AutoencoderTransformer(16, max_iter=0, **{**params, "callbacks": None})
    some = X[:20_000]
    scores = model.score(some), pca.fit(some).score(some)
    run.row(
        *(_size(X), f"{window:,} cells", X.nbytes / 1e9, limit / 1e9),
        *(peak, rate, *scores),
    )


# -- several fits at once --


def _one_fit(device, seed, params):
    model = AutoencoderTransformer(8, device=device, random_state=seed, **params)
    return model.fit(digits(None)).score(digits(None))


def several(run):
    """Fit digits in processes that share the device."""
    run.table(
        "Several fits at once", "processes", "fits", "seconds", "× one", "same scores"
    )
    n_fits = 2 if run.quick else 8
    params = {"max_iter": 2 if run.quick else 40}
    base = expected = None
    for n_jobs in (1, 2) if run.quick else (1, 2, 4, 8):
        with run.attempt(f"{n_jobs} processes"), joblib.Parallel(n_jobs) as parallel:
            call = joblib.delayed(_one_fit)
            device = str(run.device)
            parallel(call(device, 0, {"max_iter": 1}) for _ in range(n_jobs))  # starts
            start = time.perf_counter()
            scores = parallel(call(device, seed, params) for seed in range(n_fits))
            seconds = time.perf_counter() - start
            base, expected = base or seconds, expected or scores
            same = bool(np.allclose(scores, expected, atol=1e-4))
            run.row(n_jobs, n_fits, seconds, base / seconds, same)


# -- waits --


class Waits(Callback):
    """Counts the synchronisations of each epoch, from its begin to the next one's."""

    epochs_only = True

    def __init__(self, seen):
        self.seen = seen  # warnings, as they come

    def initialize(self):
        """Begin with none."""
        self.marks = []
        return self

    def on_epoch_begin(self, net, **kwargs):
        """Count those until now."""
        self.marks.append(len(self.seen))

    def on_train_end(self, net, **kwargs):
        """Count the last epoch's."""
        self.marks.append(len(self.seen))


def waits(run):
    """Count how often an epoch waits for the device."""
    run.table(
        "Synchronisations in an epoch",
        *("parameters", "steps", "in an epoch", "where (file:line × times)"),
    )
    cases = {
        "default": {},
        "early_stopping=False": {"early_stopping": False},
        "ordered=True": {"ordered": True},
        "noise='gaussian'": {"noise": "gaussian"},
        "penalty='contractive'": {"penalty": "contractive"},
        "precision='bfloat16'": {"precision": "bfloat16"},
        "out_activation='clip'": {"out_activation": "clip"},
    }
    X, epochs = digits(None), 4
    for name, params in cases.items():
        with (
            run.attempt(f"waits, {name}"),
            warnings.catch_warnings(record=True) as all_,
        ):
            warnings.simplefilter("always")
            counter = Waits(all_)
            try:
                if run.device.type == "cuda":
                    torch.cuda.set_sync_debug_mode("warn")
                AutoencoderTransformer(
                    8,
                    device=run.device,
                    batch_size=64,
                    max_iter=epochs,
                    callbacks=[counter],
                    random_state=0,
                    **params,
                ).fit(X)
            finally:
                if run.device.type == "cuda":
                    torch.cuda.set_sync_debug_mode("default")
            first, last = counter.marks[1], counter.marks[-2]  # whole epochs but one
            places = collections.Counter(
                f"{Path(each.filename).name}:{each.lineno}"
                for each in all_[first:last]
                if "synchroniz" in str(each.message)
            )
            n_epochs = len(counter.marks) - 3
            where = ", ".join(
                f"{place} × {count / n_epochs:g}"
                for place, count in places.most_common(6)
            )
            total = sum(places.values()) / n_epochs
            n_valid = 0 if "early_stopping" in params else len(X) // 10
            run.row(name, -(-(len(X) - n_valid) // 64), total, where or "–")


# -- tests --


def tests(run):
    """Run the tests that need CUDA."""
    files = [
        str(path.relative_to(ROOT))
        for path in sorted(ROOT.glob("tests/test_*.py"))
        if "mark.cuda" in path.read_text(encoding="utf-8")
    ]
    seconds = max(30.0, min(run.seconds_left, 180.0))
    # What is newer there than the pinned versions may warn.
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-W", "default"]
    command += ["-p", "no:cacheprovider", "--continue-on-collection-errors", "-rfE"]
    command += ["--disable-warnings", "--tb=short"]
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [*command, *files],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "4"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or ""
        if isinstance(output, bytes):
            output = output.decode(errors="replace")
        output += f"\nnot done after {seconds:.0f} s"
    print(output[-6000:], flush=True)
    if "OUT" in os.environ:
        Path(os.environ["OUT"], "gpu-tests.log").write_text(output, encoding="utf-8")
    run.table("Tests marked for CUDA", "files", "result", "seconds")
    last = output.strip().splitlines()[-1].strip("= ")
    run.row(len(files), last, time.perf_counter() - start)


SECTIONS = {
    "tests": tests,
    "speed": speed,
    "waits": waits,
    "streamed": streamed,
    "fits": fits,
    "several": several,
}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small, to try the script")
    parser.add_argument("--device", default="cuda", help="by default cuda")
    parser.add_argument("--minutes", type=float, default=6, help="by default 6")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, help="some sections")
    arguments = parser.parse_args(argv)
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no CUDA device here: --device cpu --quick tries it")
    run = Run(device, arguments.quick, arguments.minutes)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(
        f"{name}; Python {sys.version.split()[0]}, torch {torch.__version__}, "
        f"scikit-learn {sklearn.__version__}, skorch {skorch.__version__}, "
        f"numpy {np.__version__}; {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads"
    )
    for section in arguments.only or SECTIONS:
        with run.attempt(section):
            SECTIONS[section](run)
    failed = [each["name"] for each in run.results if each["section"] == "failed"]
    print(f"\nfailed: {', '.join(failed) or 'nothing'}")


if __name__ == "__main__":
    main()
