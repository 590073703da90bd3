"""Tables: where rows come from, and how many of them are read at a time.

A table is whatever has `shape`, `dtype` (float32 or float64), a length, and gives a
dense array for a slice or for an array of row numbers: `numpy.ndarray`, `Lazy` or
`Sparse`. To add a kind of table: a class here, and a branch in `as_table`.
"""

import mmap

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.utils import check_array

CHUNK_CELLS = 2**20  # cells of the widest layer in one inference step: 4 MiB
HELD_CELLS = 2**26  # cells that a fit copies as float32: 256 MiB; more are streamed
WINDOW_CELLS = 2**24  # cells of a stream that are in memory at a time: 64 MiB


def chunks(X, n_columns=0):
    """Yield slices of rows whose widest array has at most `CHUNK_CELLS` cells.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        What is cut.
    n_columns : int, default=0
        Width of the widest array that is made of it, if wider than X.

    Yields
    ------
    slice
    """
    step = max(1, CHUNK_CELLS // max(X.shape[1], n_columns, 1))
    for start in range(0, len(X), step):
        yield slice(start, start + step)


def is_large(X):
    """Tell whether a table is too large to be copied."""
    return X.shape[0] * X.shape[1] > HELD_CELLS


def has_missing(X):
    """Tell whether a cell of a table is NaN."""
    if isinstance(X, (Lazy, Sparse)) or issparse(X):  # which are refused then
        return False
    return any(np.isnan(X[rows]).any() for rows in chunks(X))


def refuse_missing(X, who):
    """Raise an error if a cell of a table is NaN.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_samples, n_features)
    who : str
        What takes no missing cells.
    """
    if np.isnan(X.data).any() if issparse(X) else has_missing(X):
        raise ValueError(
            f"X has missing cells (NaN), and {who} takes none: fill them first, as "
            f"AutoencoderImputer does for dense rows."
        )


def check_observed(X, names=None):
    """Raise an error if a column of an array has no observed cell.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    names : ndarray of str of shape (n_features,), default=None
        Of the columns.
    """
    if not has_missing(X):
        return
    bare = np.flatnonzero(np.isnan(X).all(axis=0))
    if len(bare):
        name = bare[0] if names is None else repr(str(names[bare[0]]))
        raise ValueError(
            f"Column {name} of X has no observed cell (NaN in all rows), nor have "
            f"{len(bare) - 1} others: leave them out."
        )


def as_table(X, check):
    """Return X as a table.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        What the user gave.
    check : callable
        Called with X, or with an array of its shape and type where X is checked as it
        is read; returns the checked array, of sparse rows one in CSR.

    Returns
    -------
    ndarray, Lazy or Sparse
    """
    if (n_axes := getattr(X, "ndim", 2)) > 2:
        raise ValueError(
            f"Expected a table of two dimensions: found array with dim {n_axes}, of "
            f"shape {tuple(X.shape)}. A row must hold an image flattened: "
            f"X.reshape(len(X), -1); ConvolutionalAutoencoder is told its shape by "
            f"image_shape."
        )
    if not Lazy.suits(X):
        X = check(X)
        if not issparse(X):
            return X
        if np.isnan(X.data).any():
            raise ValueError(
                "Sparse X has missing cells (NaN), which only dense rows may have: "
                "pass X.toarray(), or fill them first."
            )
        return Sparse(X)
    check(np.broadcast_to(np.zeros((), X.dtype), (min(X.shape[0], 2), X.shape[1])))
    return Lazy(X)


def parts(table):
    """Yield a table's rows in order: dense blocks, or sparse ones of a sparse table."""
    if isinstance(table, Sparse):
        yield from table.parts()
    else:
        for rows in chunks(table):
            yield table[rows]


class Sparse:
    """A table of mostly zeros, of which the rows that are asked for are made dense.

    Parameters
    ----------
    matrix : sparse matrix of shape (n_samples, n_features)
        In CSR, of floats.
    """

    def __init__(self, matrix):
        if not matrix.has_canonical_format:  # a cell in parts, or cells in any order
            matrix = matrix.copy()
            matrix.sum_duplicates()
        self.matrix = matrix
        self.shape = matrix.shape
        self.dtype = matrix.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return self.matrix[rows].toarray()

    def parts(self):
        """Yield the rows in order, in sparse parts of about `CHUNK_CELLS` values."""
        step = max(1, CHUNK_CELLS * len(self) // max(self.matrix.nnz, 1))
        for start in range(0, len(self), step):
            yield csr_array(self.matrix[start : start + step])


class Lazy:
    """A table that is read and checked by slices of rows, never as a whole.

    Parameters
    ----------
    array : array-like of shape (n_samples, n_features)
        Has `shape`, `dtype` and slices of rows: an array, a `numpy.memmap`, or a data
        set of h5py or zarr.
    """

    def __init__(self, array):
        self.array = array
        self.shape = array.shape
        self.dtype = np.dtype(np.float32 if array.dtype == np.float32 else np.float64)
        self._n_bytes = 0

    @staticmethod
    def suits(X):
        """Tell whether X is a large table of numbers that can be read by slices."""
        dtype = getattr(X, "dtype", None)
        shape = getattr(X, "shape", ())
        return (
            isinstance(dtype, np.dtype)
            and dtype.kind in "fiu"
            and not issparse(X)
            and len(shape) == 2
            and is_large(X)
        )

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        part = np.asarray(self.array[rows]).astype(self.dtype, copy=False)
        if not np.isfinite(part.sum()):
            check_array(part)  # says whether it is NaN or infinity
        self._n_bytes += part.nbytes
        # Rows from everywhere bring whole pages, and those around, with them.
        if not isinstance(rows, slice) or self._n_bytes > WINDOW_CELLS:
            self._forget()
        return part

    def _forget(self):
        """Let go of pages of a memmap, which else count as the process's memory."""
        if not isinstance(self.array, np.memmap):
            return
        self._n_bytes = 0
        base = self.array
        while isinstance(base, np.ndarray):
            base = base.base
        # In mode "c" what the caller wrote is in these pages alone.
        if self.array.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)


class Picked:
    """Rows that are copied as they go by, which saves reading them a second time.

    Parameters
    ----------
    numbers : ndarray of int
        Sorted row numbers.
    """

    def __init__(self, numbers):
        self.numbers = numbers
        self.rows = None  # (n_numbers, n_features), dense or a `Sparse`
        self._marks = None  # (n_samples,), equal for equal rows

    def watch(self, table):
        """Yield a table's parts in order, and copy the rows among them."""
        n_samples, n_features = table.shape
        weights = np.random.default_rng(0).uniform(1, 2, n_features)
        if isinstance(table, Sparse):
            self.rows = Sparse(table.matrix[self.numbers])
            self._marks = table.matrix @ weights
            yield from table.parts()
            return
        self.rows = np.empty((len(self.numbers), n_features), table.dtype)
        self._marks = np.empty(n_samples)
        for rows in chunks(table):
            block = table[rows]
            # Not by matrix product, whose kernels round rows differently.
            self._marks[rows] = np.einsum("ij,j->i", block, weights)
            first, last = np.searchsorted(
                self.numbers, (rows.start, rows.start + len(block))
            )
            self.rows[first:last] = block[self.numbers[first:last] - rows.start]
            yield block

    def __getitem__(self, numbers):
        """Return some of them, by sorted numbers."""
        return self.rows[np.isin(self.numbers, numbers)]

    def equal_rows(self):
        """Return a label for each row of the table, the same for equal rows."""
        return np.unique(self._marks, return_inverse=True)[1]

    def twins(self, numbers):
        """Return the sorted numbers of all rows that equal one of these, them too."""
        return np.flatnonzero(np.isin(self._marks, self._marks[numbers]))
