"""Rows on their way to the network: chunks, batches, and data larger than memory."""

import mmap

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import check_array
from torch.utils.data import Dataset

CHUNK_CELLS = 2**20  # cells of the widest layer in one inference step: 4 MiB
HELD_CELLS = 2**26  # cells that a fit copies as float32: 256 MiB; more are streamed
WINDOW_CELLS = 2**24  # cells of a stream that are in memory at a time: 64 MiB
BLOCK_CELLS = 2**16  # neighbours that a stream reads together, at least 64 rows
SOME_ROWS = 1000  # rows from anywhere that are read together


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
        self.size = array.shape[0] * array.shape[1]
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


class Rows(Dataset):
    """Inputs and the targets they are compared with, as tensors.

    Parameters
    ----------
    X : array-like or Tensor of shape (n_samples, n_features)
        What the network reads.
    y : array-like or Tensor of shape (n_samples, n_features), default=None
        What its output is compared with: X itself, unless given.
    """

    def __init__(self, X, y=None):
        self.inputs = torch.as_tensor(X)
        self.targets = self.inputs if y is None else torch.as_tensor(y)

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, rows):
        inputs = self.inputs[rows]
        same = self.targets is self.inputs
        return inputs, inputs if same else self.targets[rows]

    def windows(self, shuffle):
        """Yield the rows' parts that are in memory at a time: all."""
        yield self


class Stream(Dataset):
    """Rows that stay where they are and are read a window at a time.

    An epoch's window is made of blocks of neighbouring rows, drawn from everywhere, and
    is shuffled itself: nearly as good as shuffling all rows, while the source is read
    in runs.

    Parameters
    ----------
    X : Lazy or ndarray of shape (n_samples, n_features)
        The source.
    read : callable
        Turns a slice of it into float32 as the network reads it.
    device : torch.device
        Where tensors go.
    without : ndarray of int, default=()
        Sorted rows that are left out: those set aside for validation.
    """

    def __init__(self, X, read, device, without=()):
        self.X = X
        self.read = read
        self.device = device
        self.without = np.asarray(without, dtype=np.int64)
        self.shape = len(X) - len(self.without), X.shape[1]

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        """Return a slice of the source's rows, or rows by number, as a tensor."""
        if isinstance(rows, slice):
            return self._tensor(self.read(self.X[rows]))
        parts = [rows[i : i + SOME_ROWS] for i in range(0, len(rows), SOME_ROWS)]
        return self._tensor(np.concatenate([self.read(self.X[part]) for part in parts]))

    def _tensor(self, array):
        tensor = torch.from_numpy(array)
        if self.device.type == "cuda":  # copied while the device goes on computing
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)

    def _block(self, start, n_rows):
        stop = min(start + n_rows, len(self.X))
        first, last = np.searchsorted(self.without, (start, stop))
        block = self.read(self.X[start:stop])
        if first == last:
            return block
        return np.delete(block, self.without[first:last] - start, axis=0)

    def windows(self, shuffle):
        """Yield the rows, a window at a time, in blocks of an epoch's own order."""
        n_window = max(1, WINDOW_CELLS // self.shape[1])
        n_rows = n_window  # without an order a window is one block
        if shuffle:
            n_rows = min(max(64, BLOCK_CELLS // self.shape[1]), -(-n_window // 16))
        starts = torch.arange(0, len(self.X), n_rows)
        if shuffle:
            starts = starts[torch.randperm(len(starts))]
        for some in starts.split(max(1, n_window // n_rows)):
            window = np.empty((len(some) * n_rows, self.shape[1]), np.float32)
            stop = 0
            for block in (self._block(start, n_rows) for start in some.tolist()):
                start, stop = stop, stop + len(block)
                window[start:stop] = block
            window = Rows(self._tensor(window[:stop]))
            yield window
            window = None


class Batches:
    """Batches cut from `Rows` or a `Stream`: skorch itself collates row by row.

    Parameters
    ----------
    dataset : Rows or Stream
    batch_size : int
        Rows in a batch. The last batch has what is left, but a single row, which
        batch normalisation could not stand, joins the batch before.
    shuffle : bool, default=False
        Whether each epoch has an order of its own.
    corrupt : callable, default=None
        Applied to the inputs of each batch, not to the targets.
    """

    def __init__(self, dataset, batch_size, shuffle=False, corrupt=None):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.corrupt = corrupt

    def __iter__(self):
        todo, left = len(self), None
        for window in self.dataset.windows(self.shuffle):
            if left is not None:  # of the window before, too few for a batch
                window = Rows(torch.cat([left[0], window.inputs]))
            order = None
            if self.shuffle:
                order = torch.randperm(len(window), device=window.inputs.device)
            n_batches = min(len(window) // self.batch_size, todo - 1)
            for i in range(n_batches):
                rows = slice(i * self.batch_size, (i + 1) * self.batch_size)
                yield self._corrupted(window[rows if order is None else order[rows]])
            todo -= n_batches
            rows = slice(n_batches * self.batch_size, None)
            left = window[rows if order is None else order[rows]]
            window = None  # two would be in memory, while the next one is read
        yield self._corrupted(left)

    def _corrupted(self, batch):
        inputs, targets = batch
        return (inputs if self.corrupt is None else self.corrupt(inputs)), targets

    def __len__(self):
        n_batches, left = divmod(len(self.dataset), self.batch_size)
        return max(1, n_batches + (left > 1))
