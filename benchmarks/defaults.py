"""What default fits gain, in two versions of this package.

    python benchmarks/defaults.py [--quick] [--data-dir DIR] [--seeds 3]

Run it once with ``PYTHONPATH`` at a clone of each version. Printed for each table and
code size: the squared error of held-out rows over PCA's, mean over the seeds; CPU
seconds of a fit, their median; the best epoch and the epochs of the last fit.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, make_swiss_roll
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import sklearn_ae
from sklearn_ae.datasets import load_images


def tanh():
    """Return 50 columns of four curved factors and noise."""
    rng = np.random.default_rng(0)
    hidden = np.tanh(rng.normal(size=(20_000, 4)) @ rng.normal(size=(4, 50)))
    noise = rng.normal(size=(20_000, 50))
    return hidden @ rng.normal(size=(50, 50)) + 0.1 * noise


def spectra():
    """Return three peaks each, of any place and width."""
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 300)
    places = rng.uniform(0.2, 0.8, (1500, 3, 1))
    widths = rng.uniform(0.02, 0.08, (1500, 3, 1))
    peaks = np.exp(-np.square((x - places) / widths)).sum(axis=1)
    return peaks + 0.02 * rng.normal(size=peaks.shape)


TABLES = {
    "digits": (lambda: load_digits().data, (2, 8, 16)),
    "swiss roll": (
        lambda: make_swiss_roll(3000, noise=0.1, random_state=0)[0],
        (2,),
    ),
    "tanh": (tanh, (4,)),
    "spectra": (spectra, (4,)),
    "breast_cancer, scaled": (
        lambda: StandardScaler().fit_transform(load_breast_cancer().data),
        (2, 8),
    ),
}
IMAGES = [
    ("fashion-mnist", 2000, (8,)),
    ("mnist", 60_000, (30, 8)),
]


def cases(data_dir, quick):
    """Yield name, rows to train on, rows held out, code sizes."""
    for name, (load, sizes) in TABLES.items():
        yield name, *train_test_split(load(), test_size=0.2, random_state=0), sizes
    for name, n_rows, sizes in () if quick else IMAGES:
        X = load_images(name, data_dir)[0]
        yield f"{name}, {n_rows:,}", X[:n_rows], X[60_000:], sizes


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="no images")
    parser.add_argument("--data-dir", help="folder that holds mnist/, fashion-mnist/")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args(argv)
    print(Path(sklearn_ae.__file__).parent)
    print(f"{'':24s} size  error / PCA  CPU seconds  epochs   error")
    for name, train, test, sizes in cases(arguments.data_dir, arguments.quick):
        n_seeds = 1 if len(train) > 50_000 else arguments.seeds
        for size in sizes:
            pca = PCA(size, random_state=0).fit(train)
            linear = squares(test, pca.inverse_transform(pca.transform(test)))
            errors, seconds = [], []
            for seed in range(n_seeds):
                start = time.process_time()
                model = sklearn_ae.AutoencoderTransformer(size, random_state=seed)
                model.fit(train)
                seconds.append(time.process_time() - start)
                errors.append(squares(test, model.reconstruct(test)))
            print(
                f"{name:24s} {size:4d} {np.mean(errors) / linear:12.3f} "
                f"{np.median(seconds):12.2f} {model.best_iter_:4d}/{model.n_iter_:<4d}"
                f"{np.mean(errors):9.3f}",
                flush=True,
            )


def squares(X, Y):
    """Return the squared error of a row, mean over the rows."""
    return np.square(X - Y, dtype=np.float64).sum(axis=1).mean()


if __name__ == "__main__":
    main()
