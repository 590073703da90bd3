"""Scaling: the centre and the one unit of the data, and the way there and back."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils.sparsefuncs import min_max_axis

from .tables import CHUNK_CELLS, chunks, parts

MOST = 1e150  # what can still be squared and added up in float64
# A column ends at its least or largest value where so many of its cells equal it: the
# ends of a continuous one are reached once, or by the copies of a row, and new rows go
# beyond.
SHARE_AT_END = 0.002
LEAST_AT_END = 30


@dataclass(frozen=True)
class Scaling:
    """What the network's units are, measured on the training rows.

    Attributes
    ----------
    mean : ndarray of shape (n_features,), float64
        Mean of each column.
    scale : float
        Root mean square of the centred cells; 1.0 for bounded data.
    low, high : float
        Smallest and largest cell.
    bounded : bool
        Whether the output lies in a range that the data do too, so that they are
        neither centred nor scaled.
    floor, ceiling : ndarray of shape (n_features,), float64, or None
        What reconstructions of each column are clipped to, in the data's units;
        infinite where nothing is. None if no column is clipped.
    """

    mean: np.ndarray
    scale: float
    low: float
    high: float
    bounded: bool
    floor: np.ndarray | None = None
    ceiling: np.ndarray | None = None

    def apply(self, X, dtype):
        """Return a copy of X as the network reads it: centred, in units of `scale`."""
        if self.bounded:
            return X.astype(dtype)
        if X.size <= CHUNK_CELLS:
            return self._centred(X, dtype)
        scaled = np.empty(X.shape, dtype)
        for rows in chunks(X):
            scaled[rows] = self._centred(X[rows], dtype)
        return scaled

    @property
    def range(self):
        """Smallest and largest cell."""
        return self.low, self.high

    @property
    def ends(self):
        """Floor and ceiling, as the network reads data; None if nothing is clipped."""
        if self.floor is None:
            return None
        ends = (np.stack([self.floor, self.ceiling]) - self.mean) / self.scale
        # Rounded outwards: back in the data's units what is clipped shall not fall
        # short of an end.
        outward = np.float32([[-np.inf], [np.inf]])
        return tuple(np.nextafter(ends.astype(np.float32), outward))

    def undo(self, X):
        """Return what the network gives, in the data's units."""
        if self.bounded:
            return X
        if self._in_float32(X):
            mean = torch.from_numpy(self.mean.astype(np.float32))
            return torch.from_numpy(X).mul(self.scale).add_(mean).numpy()
        return X * self.scale + self.mean

    # As exact in float32 as in float64, and faster, if the mean comes in two parts.

    def _in_float32(self, array):
        return array.dtype == np.float32 and 1e-30 < self.scale < 1e30

    def _centred(self, X, dtype):
        if self._in_float32(X):
            coarse = self.mean.astype(np.float32)
            fine = torch.from_numpy((self.mean - coarse).astype(np.float32))
            with np.errstate(over="ignore"):
                centred = X - coarse
            torch.from_numpy(centred).sub_(fine).div_(self.scale)
        else:
            with np.errstate(over="ignore"):
                centred = (X - self.mean) / self.scale
        return finite(centred, dtype, self.scale)


def finite(array, dtype, unit=1.0):
    """Return the array, in units of `unit`, in a dtype that it and its squares fit.

    Parameters
    ----------
    array : ndarray
    dtype : dtype
    unit : float, default=1.0

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If they don't fit.
    """
    largest = float(np.finfo(dtype).max)
    if dtype == np.float64:  # the squares of float32 are float64
        largest = MOST / max(unit, 1.0)
        fits = float(max(array.max(), -array.min())) <= largest
    else:  # the sum is quick, and tells of nearly all arrays that they fit
        fits = array.dtype == dtype and np.isfinite(array.sum())
    most = 0.0 if fits else float(np.fmax.reduce(np.abs(array), axis=None))  # or NaN
    if most > largest:
        raise ValueError(
            f"X has values {most:g} times as large as the training "
            f"data's spread: too large for {np.dtype(dtype).name}."
        )
    return array.astype(dtype, copy=False)


def ends(table):
    """Return the least and the largest cell of a table."""
    found = [
        (np.fmin.reduce(part, axis=None), np.fmax.reduce(part, axis=None))
        if isinstance(part, np.ndarray)
        else (part.min(), part.max())
        for part in parts(table)
    ]
    lows, highs = np.array(found).T
    return np.fmin.reduce(lows), np.fmax.reduce(highs)


@dataclass
class _Moments:
    """Mean and spread of the rows so far, joined block by block (Chan et al. 1983)."""

    n_rows: int = 0
    mean: np.ndarray | float = 0.0
    unit: float = 0.0  # of the squares: those of 1e200 would not fit a float64
    squares: float = 0.0  # of all distances from the mean
    low: np.ndarray | float = np.inf
    high: np.ndarray | float = -np.inf
    n_low: np.ndarray | int = 0  # cells of each column that are its least,
    n_high: np.ndarray | int = 0  # and its largest

    def add(self, block, tiny):
        """Take a block of rows in, dense or sparse."""
        moments = _of_sparse if issparse(block) else _of_dense
        n_rows = block.shape[0]
        low, high, mean, unit, squares = moments(block, tiny)
        self.count(block, low, high)
        if self.n_rows:
            n_all = self.n_rows + n_rows
            between = mean - self.mean
            mean = self.mean + between * (n_rows / n_all)
            far = max(self.unit, unit, np.abs(between).max())
            if far > tiny:
                inside = self.squares * (self.unit / far) ** 2
                inside += squares * (unit / far) ** 2
                weight = self.n_rows * (n_rows / n_all)
                squares = inside + weight * np.square(between / far).sum()
            unit, n_rows = far, n_all
        self.n_rows, self.mean, self.unit, self.squares = n_rows, mean, unit, squares

    def count(self, block, low, high):
        """Join the ends of the columns, and how many cells lie there."""
        n_low = _number_at(block, low) * (low <= self.low)
        n_high = _number_at(block, high) * (high >= self.high)
        self.n_low = n_low + self.n_low * (self.low <= low)
        self.n_high = n_high + self.n_high * (self.high >= high)
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)

    def ends(self, clip):
        """Return what reconstructions are clipped to, see `measure`, or None twice."""
        if clip is None:
            return None, None
        if clip == "all":
            shape = self.low.shape
            ends = np.float64(self.low.min()), np.float64(self.high.max())
            return tuple(np.full(shape, end) for end in ends)
        many = max(LEAST_AT_END, SHARE_AT_END * self.n_rows)
        floor = np.where(self.n_low >= many, self.low, -np.inf)
        ceiling = np.where(self.n_high >= many, self.high, np.inf)
        if not np.isfinite([floor, ceiling]).any():
            return None, None
        return floor.astype(np.float64), ceiling.astype(np.float64)


# Constant columns lose the rounding error of their mean.


def _of_dense(block, tiny):
    """Return ends and means of columns, a unit, and the squared distances in it."""
    low, high = block.min(axis=0), block.max(axis=0)
    mean = block.sum(axis=0, dtype=np.float64) / len(block)
    unit = max((high - mean).max(), (mean - low).max())
    residuals = block - mean
    correction = residuals.sum(axis=0)
    squares = np.square(residuals / unit).sum() if unit > tiny else 0.0
    return low, high, mean + correction / len(block), unit, squares


def _of_sparse(block, tiny):
    """Do so from the values that are stored, and the number of those that are not."""
    n_rows, n_features = block.shape
    columns, values = block.indices, block.data.astype(np.float64)
    zeros = n_rows - np.bincount(columns, minlength=n_features)
    low, high = min_max_axis(block, axis=0)
    mean = np.bincount(columns, values, n_features) / n_rows
    unit = max((high - mean).max(), (mean - low).max())
    residuals = values - mean[columns]
    correction = np.bincount(columns, residuals, n_features) - zeros * mean
    squares = 0.0  # none is a difference, in which digits would be lost
    if unit > tiny:
        squares = np.square(residuals / unit).sum()
        squares += (zeros * np.square(mean / unit)).sum()
    return low, high, mean + correction / n_rows, unit, squares


def _number_at(block, values):
    """Return how many cells of each column are equal to the column's value."""
    if not issparse(block):
        return (block == values).sum(axis=0)
    n_rows, n_features = block.shape
    columns = block.indices
    zeros = n_rows - np.bincount(columns, minlength=n_features)
    stored = columns[block.data == values[columns]]
    return np.bincount(stored, minlength=n_features) + zeros * (values == 0)


def measure(blocks, dtype, bounded, clip=None):
    """Measure centre, unit and ends of rows, reading them once.

    Parameters
    ----------
    blocks : iterable of {ndarray, sparse array} of shape (n_rows, n_features)
        All rows, in parts.
    dtype : dtype
        Of the rows.
    bounded : bool
        Whether the output is.
    clip : {"all", "found"} or None, default=None
        Whether reconstructions end where the data do: all at the least and the largest
        cell; or those of each column at its own ends, where many of its cells lie.

    Returns
    -------
    Scaling

    Raises
    ------
    ValueError
        If the data's squares would overflow.
    """
    tiny = np.finfo(dtype).tiny
    moments = _Moments()
    with np.errstate(over="ignore", invalid="ignore"):
        for block in blocks:
            moments.add(block, tiny)
        low, high, mean = moments.low, moments.high, moments.mean
        spread = max((high - mean).max(), (mean - low).max())
    _check_spread(spread, low.min(), high.max())
    scale = 1.0
    if spread > tiny and not bounded:
        n_cells = moments.n_rows * len(mean)
        scale = float(moments.unit * np.sqrt(moments.squares / n_cells))
    ends = moments.ends(clip)
    return Scaling(mean, scale, low.min(), high.max(), bounded, *ends)


def measure_observed(X, bounded, clip=None):
    """Measure centre, unit and ends of the observed cells.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        All rows; NaN where a cell is missing. Each column has one that is not.
    bounded : bool
        Whether the output is.
    clip : {"all", "found"} or None, default=None
        See `measure`.

    Returns
    -------
    Scaling
    """
    low, high = np.fmin.reduce(X), np.fmax.reduce(X)  # (n_features,)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.nanmean(X, axis=0, dtype=np.float64)
        spread = max((high - mean).max(), (mean - low).max())
    _check_spread(spread, low.min(), high.max())
    scale = 1.0
    if spread > np.finfo(X.dtype).tiny and not bounded:
        scale = float(spread * np.sqrt(np.nanmean(np.square((X - mean) / spread))))
    moments = _Moments(len(X))
    moments.count(X, low, high)
    ends = moments.ends(clip)
    return Scaling(mean, scale, low.min(), high.max(), bounded, *ends)


def measure_weighted(table, weights, bounded, clip=None):
    """Measure centre, unit and ends of the observed cells of rows that have weights.

    Parameters
    ----------
    table : table of shape (n_samples, n_features)
        All rows; NaN where a cell is missing. Each column has one that is not.
    weights : ndarray of shape (n_samples,)
        Of the rows.
    bounded : bool
        Whether the output is.
    clip : {"all", "found"} or None, default=None
        See `measure`. A row counts once there, whatever its weight.

    Returns
    -------
    Scaling
    """
    blocks = [(table[rows], weights[rows, None]) for rows in chunks(table)]
    moments = _Moments(len(table))
    moments.low = np.fmin.reduce([np.fmin.reduce(X) for X, _ in blocks])
    moments.high = np.fmax.reduce([np.fmax.reduce(X) for X, _ in blocks])
    low, high = moments.low, moments.high
    counts = sum((~np.isnan(X) * w).sum(axis=0) for X, w in blocks)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = sum(np.nansum(X * w, axis=0) for X, w in blocks) / counts
        mean = mean + sum(np.nansum((X - mean) * w, axis=0) for X, w in blocks) / counts
        spread = max((high - mean).max(), (mean - low).max())
    _check_spread(spread, low.min(), high.max())
    scale = 1.0
    if spread > np.finfo(table.dtype).tiny and not bounded:
        squares = sum(np.nansum(np.square((X - mean) / spread) * w) for X, w in blocks)
        scale = float(spread * np.sqrt(squares / counts.sum()))
    moments.n_low = sum(_number_at(X, low) for X, _ in blocks)
    moments.n_high = sum(_number_at(X, high) for X, _ in blocks)
    ends = moments.ends(clip)
    return Scaling(mean, scale, low.min(), high.max(), bounded, *ends)


def _check_spread(spread, low, high):
    if not spread < MOST:
        raise ValueError(
            f"X has values too large to be squared: up to {max(-low, high):g}. Divide "
            f"it by a constant first."
        )
