"""Counts: what a network reads of them, their losses, and the start at PCA.

A row of counts is a total and shares of it. The network reads the roots of the shares,
whose variance hardly depends on their size, and decodes the logarithms of expected
shares; the total, which no code holds, multiplies them.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse import issparse
from scipy.special import xlogy
from torch import nn

from .pca import fit_pca
from .scaling import Scaling, measure, measure_weighted
from .tables import CHUNK_CELLS, Sparse, parts

LINK_CELLS = 2**25  # that the link is fitted to, at most
FLOORS = 0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001
TINY = 1e-30


# -- losses: criteria of a cell's log share (before `exp` or softmax) and its count --


class PoissonDeviance(nn.Module):
    """Twice what a cell's log likelihood falls short of the count's own."""

    def __init__(self, reduction="none"):
        super().__init__()

    def forward(self, decoded, y_true):
        """Return the deviance of each cell, a row's total being its exposure."""
        decoded = decoded.to(torch.promote_types(decoded.dtype, torch.float32))
        total = y_true.sum(1, keepdim=True)  # (n_samples, 1)
        shares = y_true / total.clamp_min(TINY)
        known = torch.xlogy(y_true, shares) - y_true
        return 2 * (known - y_true * decoded + total * decoded.exp())


class MultinomialDeviance(nn.Module):
    """That of a row's counts given their total, as a part for each cell."""

    def __init__(self, reduction="none"):
        super().__init__()

    def forward(self, decoded, y_true):
        """Return the parts of the cells. Some are below zero, no row's sum is."""
        decoded = decoded.to(torch.promote_types(decoded.dtype, torch.float32))
        shares = y_true / y_true.sum(1, keepdim=True).clamp_min(TINY)
        known = torch.xlogy(y_true, shares)
        return 2 * (known - y_true * torch.log_softmax(decoded, 1))


def row_deviances(X, expected):
    """Return the Poisson deviance of each row, where the two totals agree multinomial.

    Parameters
    ----------
    X, expected : ndarray of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples,), float64
    """
    X, expected = X.astype(np.float64), expected.astype(np.float64)
    ratios = np.where(X > 0, X, 1.0) / np.maximum(expected, TINY)
    return 2 * (xlogy(X, ratios) - X + expected).sum(axis=1)


def totals(X):
    """Return the total of each row, as a column."""
    return X.sum(axis=1, dtype=np.float64, keepdims=True)


def share_of_columns(sums):
    """Return the columns' shares of all counts, given their sums or means.

    A column that has none is given half of the least that another has: it may have some
    in rows to come.
    """
    there = sums[sums > 0]
    sums = np.where(sums > 0, sums, there.min() / 2 if len(there) else 1.0)
    return sums / sums.sum()


# -- modules --


class Counts(nn.Module):
    """A network that reads counts: the roots of a row's shares, centred and scaled.

    What it decodes is added to the logarithms of the columns' shares. An empty row is
    read as the mean row.

    Parameters
    ----------
    network : Module
        Keeps the network contract.
    widths : Widths
        Of the network.
    """

    def __init__(self, network, widths):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(widths.n_features))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("log_shares", torch.zeros(widths.n_features))

    def read(self, x):
        """Return what the network reads of counts."""
        x = x.clamp_min(0)  # noise may leave less than none
        total = x.sum(1, keepdim=True)
        roots = (x / total.clamp_min(TINY)).sqrt()
        return (total > 0) * (roots - self.mean) / self.scale

    def encode(self, x):
        """Return the code of x."""
        return self.network.encode(self.read(x))

    def decode(self, z, *lengths):
        """Return the log shares of code z."""
        return self.network.decode(z, *lengths) + self.log_shares

    def forward(self, x):
        """Return the log shares of the reconstruction of x."""
        return self.decode(self.encode(x))


class RateLink(nn.Module):
    """From PCA's roots of shares to logarithms of shares, beside those of the columns.

    Shares are the squares, times a factor for each column, for the mean of a root's
    square is more than its mean's; and some part of the columns' shares instead, so
    that none is zero.

    Parameters
    ----------
    widths : Widths
        Of the network.
    """

    def __init__(self, widths):
        super().__init__()
        self.register_buffer("mean", torch.zeros(widths.n_features))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("factor", torch.ones(widths.n_features))
        self.register_buffer("floor", torch.ones(()))

    def forward(self, y):
        """Return the logarithms of the ratios to the columns' shares."""
        squares = (y * self.scale + self.mean).relu().square()
        return torch.log((1 - self.floor) * self.factor * squares + self.floor)


# -- before a fit --


class RootShares:
    """A table of the roots of another's shares, computed as it is read.

    Parameters
    ----------
    table : ndarray or Lazy of shape (n_samples, n_features)
    """

    def __init__(self, table):
        self.table, self.shape, self.dtype = table, table.shape, table.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return root_shares(self.table[rows])

    @staticmethod
    def of(table):
        """Return such a table, which is sparse if the other is."""
        if isinstance(table, Sparse):
            return Sparse(root_shares(table.matrix))
        return RootShares(table)


def root_shares(X):
    """Return the roots of each row's shares, dense or sparse as X is."""
    if issparse(X):
        roots = X.copy()
        total = np.maximum(np.asarray(X.sum(axis=1)).ravel(), TINY)
        roots.data = np.sqrt(X.data / np.repeat(total, np.diff(X.indptr)))
        return roots.astype(X.dtype)
    return np.sqrt(X / np.maximum(totals(X), TINY)).astype(X.dtype)


@dataclass(frozen=True)
class Reading:
    """How the counts of a table are read.

    Attributes
    ----------
    table : table of shape (n_samples, n_features)
        The counts.
    roots : table of shape (n_samples, n_features)
        Of their shares.
    scaling : Scaling
        Of the roots.
    shares : ndarray of shape (n_features,)
        Of the columns.
    weights : ndarray of shape (n_samples,) or None
        Of the rows.
    """

    table: object
    roots: object
    scaling: Scaling
    shares: np.ndarray
    weights: np.ndarray | None = None

    @classmethod
    def of(cls, table, scaling, weights=None):
        """Measure how a table is read, given the scaling of its counts."""
        roots = RootShares.of(table)
        if weights is None:
            own = measure(parts(roots), table.dtype, bounded=False)
        else:
            own = measure_weighted(roots, weights, bounded=False)
        return cls(table, roots, own, share_of_columns(scaling.mean), weights)

    def axes(self, n_components, seed, sample_seed):
        """Return PCA of what the network reads."""
        seeds = seed, sample_seed
        return fit_pca(self.roots, self.scaling, n_components, *seeds, self.weights)

    def wrapped(self, blueprint):
        """Return the blueprint of a network that reads counts."""
        return replace(blueprint, wrappers=(*blueprint.wrappers, (Counts, {})))

    def start(self, module, axes, normalised):
        """Tell a module what it reads and, if it starts at PCA, the fitting link.

        Parameters
        ----------
        module : Counts
        axes : Axes or None
        normalised : bool
            Whether shares add up to one.
        """
        mean = torch.from_numpy(self.scaling.mean)
        module.mean.copy_(mean)
        module.scale.fill_(self.scaling.scale)
        module.log_shares.copy_(torch.from_numpy(np.log(self.shares)))
        links = [part for part in module.modules() if isinstance(part, RateLink)]
        for link in links:
            factor, floor = self.link(axes, normalised)
            link.mean.copy_(mean)
            link.scale.fill_(self.scaling.scale)
            link.factor.copy_(torch.from_numpy(factor))
            link.floor.fill_(floor)

    def link(self, axes, normalised):
        """Return what a `RateLink` needs to know.

        The factors give each column its sum. The floor is that of least deviance, among
        `FLOORS` and one, of which the columns' shares alone are left.
        """
        n_rows, n_features = self.table.shape
        n_some = min(n_rows, max(1, LINK_CELLS // n_features))
        some = np.linspace(0, n_rows - 1, n_some).astype(int)
        counted, found = np.ones(n_features), np.ones(n_features)  # one more of each
        for X, squares, weights in self._pairs(some, axes):
            counted += (X * weights).sum(axis=0, dtype=np.float64)
            found += (totals(X) * squares * weights).sum(axis=0)
        factor = counted / found
        floors = np.array([*FLOORS, 1.0])
        deviances = np.zeros(len(floors))
        for X, squares, weights in self._pairs(some, axes):
            for i, floor in enumerate(floors):
                shares = (1 - floor) * factor * squares + floor * self.shares
                if normalised:
                    shares /= shares.sum(axis=1, keepdims=True)
                misfits = row_deviances(X, totals(X) * shares)
                deviances[i] += (misfits * weights[:, 0]).sum()
        return factor / self.shares, float(floors[deviances.argmin()])

    def _pairs(self, numbers, axes):
        """Yield counts, the squares of what PCA makes of their roots, and weights."""
        step = max(1, CHUNK_CELLS // self.table.shape[1])
        for start in range(0, len(numbers), step):
            some = numbers[start : start + step]
            X, weights = self.table[some], np.ones(len(some), self.table.dtype)
            if self.weights is not None:
                weights = self.weights[some]
            rows = self.scaling.apply(root_shares(X), np.float64)
            rows *= totals(X) > 0
            back = rows @ axes.components.T @ axes.components
            squares = np.square(np.maximum(self.scaling.undo(back), 0))
            yield X, squares, weights[:, None]
