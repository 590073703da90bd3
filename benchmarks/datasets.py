"""The data sets of the benchmarks.

To add one: a function that takes ``data_dir`` and returns a :class:`Dataset`, and a row
in `DATASETS`.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn import datasets

from sklearn_ae._catalogue import IMAGE_SETS
from sklearn_ae.datasets import load_images


class Dataset(NamedTuple):
    """A table, its target (None if it has none), its rows' image shape (or None)."""

    X: np.ndarray  # (n_samples, n_features), float32 or float64
    y: np.ndarray | None = None  # (n_samples,)
    image_shape: tuple | None = None  # (height, width)
    n_train: int | None = None  # rows of a published training set: they come first


def digits(data_dir=None):
    """Load 1,797 handwritten digits, 8 × 8 pixels from 0 to 16."""
    bundled = datasets.load_digits()
    return Dataset(bundled.data, bundled.target, (8, 8))


def _bundled(load, data_dir=None):
    return Dataset(*load(return_X_y=True))


def _images(name, data_dir=None):
    """Load images whole, pixels from 0 to 1, those to train on first."""
    known = IMAGE_SETS[name]
    return Dataset(*load_images(name, data_dir), known.shape, known.n_train)


def noisy_low_rank(data_dir=None, n_samples=500, n_features=20, rank=4, noise=0.5):
    """Draw low-rank Gaussian rows plus white noise, for which PCA is optimal."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(n_samples, rank)) @ rng.normal(size=(rank, n_features))
    return Dataset(signal + noise * rng.normal(size=signal.shape))


def swiss_roll(data_dir=None):
    """Roll up a sheet: 1,000 points in 3 dimensions that need only 2."""
    X, position = datasets.make_swiss_roll(1000, random_state=0)
    return Dataset(X, position)


DATASETS = {
    "digits": digits,
    "breast_cancer": partial(_bundled, datasets.load_breast_cancer),
    "wine": partial(_bundled, datasets.load_wine),
    "iris": partial(_bundled, datasets.load_iris),
    "diabetes": partial(_bundled, datasets.load_diabetes),
    **{name: partial(_images, name) for name in IMAGE_SETS},
    "noisy_low_rank": noisy_low_rank,
    "swiss_roll": swiss_roll,
}
