"""Batches: rows on their way to the network, held or streamed."""

from typing import NamedTuple

import numpy as np
import skorch.dataset
import torch
from torch.utils.data import Dataset

from . import tables

BLOCK_CELLS = 2**16  # neighbours that a stream reads together, at least 64 rows
SOME_ROWS = 1000  # rows from anywhere that are read together


class Batch(tuple):
    """Inputs and targets, which skorch unpacks, of rows that have weights."""

    def __new__(cls, inputs, targets, weights):
        """Pair inputs and targets."""
        batch = super().__new__(cls, (inputs, targets))
        batch.weights = weights
        return batch


def weights_of(batch):
    """Return the weights of a batch's rows, or None."""
    return getattr(batch, "weights", None)


class Rows(skorch.dataset.Dataset):
    """Inputs and the targets they are compared with, as tensors.

    Parameters
    ----------
    X : array-like or Tensor of shape (n_samples, n_features)
        What the network reads.
    y : array-like or Tensor of shape (n_samples, n_features), default=None
        What its output is compared with: X itself, unless given.
    weights : ndarray or Tensor of shape (n_samples,), default=None
        Of the rows; only their ratios count.
    """

    def __init__(self, X, y=None, weights=None):
        self.inputs = torch.as_tensor(X)
        self.targets = self.inputs if y is None else torch.as_tensor(y)
        self.weights = mean_one(weights, self.inputs.device)

    # What skorch's callbacks ask for.
    X = property(lambda self: self.inputs)
    y = property(lambda self: self.targets)

    def __len__(self):
        return len(self.inputs)

    @property
    def device(self):
        """Where they are."""
        return self.inputs.device

    def __getitem__(self, rows):
        inputs = self.inputs[rows]
        same = self.targets is self.inputs
        targets = inputs if same else self.targets[rows]
        if self.weights is None:
            return inputs, targets
        return Batch(inputs, targets, self.weights[rows])

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
        n_window = max(1, tables.WINDOW_CELLS // self.shape[1])
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


class Picks(Dataset):
    """Rows that are made dense when their batch comes.

    Parameters
    ----------
    X : Sparse of shape (n_samples, n_features)
        The source.
    read : callable
        Turns rows of it into float32 as the network reads them.
    device : torch.device
        Where tensors go.
    numbers : ndarray of int of shape (n_rows,)
        Which of the source's rows, in this order.
    weights : ndarray of shape (n_rows,), default=None
        Of these rows; only their ratios count.
    """

    def __init__(self, X, read, device, numbers, weights=None):
        self.rows = Stream(X, read, device)
        self.device = device
        self.numbers = numbers
        self.weights = mean_one(weights, device)
        self.shape = len(numbers), X.shape[1]

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        weights = None if self.weights is None else self.weights[rows]
        rows = rows.cpu().numpy() if isinstance(rows, torch.Tensor) else rows
        inputs = self.rows[self.numbers[rows]]
        if weights is None:
            return inputs, inputs
        return Batch(inputs, inputs, weights)

    def windows(self, shuffle):
        """Yield the rows' parts that may be picked from at a time: all."""
        yield self


class Batches:
    """Batches cut from rows: skorch itself collates row by row.

    Parameters
    ----------
    dataset : Rows, Stream or Picks
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
                order = torch.randperm(len(window), device=window.device)
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
        if self.corrupt is None:
            return batch
        inputs, targets = batch
        inputs, weights = self.corrupt(inputs), weights_of(batch)
        if weights is None:
            return inputs, targets
        return Batch(inputs, targets, weights)

    def __len__(self):
        return n_batches(len(self.dataset), self.batch_size)


def mean_one(weights, device):
    """Return weights divided by their mean, as float32 on a device; None of None."""
    if weights is None:
        return None
    weights = torch.as_tensor(weights).double()
    return (weights / weights.mean()).float().to(device)


def n_batches(n_rows, batch_size):
    """Return how many batches rows make."""
    whole, left = divmod(n_rows, batch_size)
    return max(1, whole + (left > 1))


class Data(NamedTuple):
    """Rows as the network reads them.

    Attributes
    ----------
    every : Tensor or Stream of shape (n_samples, n_features)
        All rows, in any order.
    train : Rows, Stream or Picks
        Those to train on.
    valid : Tensor of shape (n_aside, n_features) or None
        Those set aside.
    cells : Rows or None
        Rows whose targets are cells set aside, rather than rows.
    weights : ndarray of shape (n_samples,) or None
        Of all rows, in their order.
    valid_weights : ndarray of shape (n_aside,) or None
        Of those set aside.
    """

    every: object
    train: object
    valid: torch.Tensor | None
    cells: Rows | None = None
    weights: np.ndarray | None = None
    valid_weights: np.ndarray | None = None

    @property
    def judged(self):
        """Whether anything was set aside."""
        return self.valid is not None or self.cells is not None


def read(table, parts, scaling, device, picked=None, weights=None):
    """Read a table, or prepare that it be read window by window.

    Parameters
    ----------
    table : table of shape (n_samples, n_features)
    parts : Split
    scaling : Scaling
    device : torch.device
        Where tensors go.
    picked : ndarray of shape (n_aside, n_features), default=None
        Rows set aside of a large table, where they have been read already.
    weights : ndarray of shape (n_samples,), default=None
        Of the rows, which are not of a large table then.

    Returns
    -------
    Data
    """

    def of(numbers):
        return None if weights is None else weights[numbers]

    def scaled(rows):
        return scaling.apply(rows, np.float32)

    aside, train, without, _ = parts
    if tables.is_large(table):
        every = Stream(table, scaled, device)
        train = Stream(table, scaled, device, without=without)
        if not len(aside):
            return Data(every, train, None)
        if picked is None:
            return Data(every, train, every[aside])
        return Data(every, train, torch.from_numpy(scaled(picked)).to(device))
    if isinstance(table, tables.Sparse):
        every = Stream(table, scaled, device)
        numbers = np.arange(len(table)) if train is None else train
        valid = every[aside] if len(aside) else None
        train = Picks(table, scaled, device, numbers, of(numbers))
        return Data(every, train, valid, None, weights, of(aside))
    rows = scaled(table)
    if not len(aside):
        rows = torch.from_numpy(rows).to(device)
        return Data(rows, Rows(rows, weights=weights), None, None, weights)
    n_aside, n_train = len(aside), len(train)
    left = np.setdiff1d(without, aside)  # neither judge nor train
    order = np.concatenate([aside, train, left])
    rows = torch.from_numpy(rows[order]).to(device)
    training = Rows(rows[n_aside : n_aside + n_train], weights=of(train))
    return Data(rows, training, rows[:n_aside], None, of(order), of(aside))
