"""Trial: a stream's network beside the PCA of all rows so far.

Chunks that come sorted make a network forget the rows of earlier chunks, and the PCA of
the first chunk is not that of the stream. So PCA goes on learning, and each chunk,
before it trains, tells which of the two reads new rows better: that one is the model.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils.extmath import svd_flip

from .batches import Batches, weights_of
from .checkpoint import mapped
from .pca import Axes
from .wrappers import PCAStart

# Evidence as old as this counts a third: so many chunks, or rows if those are more.
MEMORY_CHUNKS = 10
MEMORY_ROWS = 1000
PART_CELLS = 2**22  # that PCA takes at a time: 32 MiB


@dataclass(frozen=True)
class RunningPCA:
    """PCA of rows that come in chunks (Ross et al. 2008).

    Attributes
    ----------
    n_rows : int or float
        Rows so far, or their weight.
    mean : ndarray of shape (n_features,)
        Their mean.
    components : ndarray of shape (n_kept, n_features)
        Unit vectors.
    lengths : ndarray of shape (n_kept,)
        Singular values of the centred rows.
    squares : float
        Sum of all squared distances from the mean.
    """

    n_rows: float
    mean: np.ndarray
    components: np.ndarray
    lengths: np.ndarray
    squares: float

    @classmethod
    def of_nothing(cls, n_features):
        """Return the PCA of no rows."""
        none = np.zeros((0, n_features))
        return cls(0, np.zeros(n_features), none, np.zeros(0), 0.0)

    def add(self, rows, n_kept, weights=None):
        """Return the PCA of these rows too, and keep `n_kept` components.

        Rows with weights count as so many.
        """
        n_rows = len(rows) if weights is None else float(weights.sum())
        n_all = self.n_rows + n_rows
        mean = np.average(rows, axis=0, weights=weights)
        away = mean - self.mean
        centred = rows - mean
        if weights is not None:
            centred *= np.sqrt(weights)[:, None]
        between = np.sqrt(self.n_rows * n_rows / n_all) * away
        known = self.lengths[:, None] * self.components
        stack = np.vstack([known, centred, between])
        if len(stack) > stack.shape[1]:  # sooner, and as exact
            stack = np.linalg.qr(stack, mode="r")
        _, lengths, components = np.linalg.svd(stack, full_matrices=False)
        _, components = svd_flip(None, components, u_based_decision=False)
        n_kept = min(n_kept, max(0, math.ceil(n_all) - 1))
        return RunningPCA(
            n_all,
            self.mean + away * (n_rows / n_all),
            components[:n_kept],
            lengths[:n_kept],
            self.squares + float(np.square(centred).sum() + np.square(between).sum()),
        )

    def axes(self, n_components):
        """Return the first components, as a fit starts at them."""
        squares = np.square(self.lengths[:n_components])
        shares = np.cumsum(squares) / (self.squares or 1.0)
        degrees = max(self.n_rows - 1, 1)
        return Axes(
            self.components[:n_components],
            self.mean,
            squares / degrees,
            shares,
            max(self.squares - float(squares.sum()), 0.0) / degrees,
        )


@dataclass(frozen=True)
class Trial:
    """What the chunks so far have told of a network and of PCA.

    Attributes
    ----------
    pca : RunningPCA
        Of all rows so far.
    loss : float
        By how much the network's losses on new rows were above PCA's, old evidence
        counting less.
    weights : dict or None
        The network's, as arrays, while PCA is the model; None if the network is.
    """

    pca: RunningPCA
    loss: float = 0.0
    weights: dict | None = None

    def judged(self, net, rows):
        """Return the trial's loss after rows that neither has seen.

        Parameters
        ----------
        net : AutoencoderNet
            With the weights on trial; it stays as it is.
        rows : Rows or Stream
            The next ones.

        Returns
        -------
        float
        """
        weights = _arrays(net)
        net.criterion_.begin(held_out=False)
        losses = net.evaluate(rows)
        start_at(net, self.pca)
        loss = float((losses - net.evaluate(rows)).mean(0).mean()) * len(rows)
        set_arrays(net, weights)
        forgotten = min(1 / MEMORY_CHUNKS, len(rows) / MEMORY_ROWS)
        return (1 - forgotten) * self.loss + loss


def of_pass(net, rows, before, loss):
    """Return the trial after a pass over rows; `net` becomes the model.

    Parameters
    ----------
    net : AutoencoderNet
        As the pass left it.
    rows : Rows or Stream
        Those of the pass.
    before : Trial or None
        What the passes before told; None for the first.
    loss : float
        See `Trial`.

    Returns
    -------
    Trial
    """
    widths = net.module__blueprint.widths
    pca = before.pca if before else RunningPCA.of_nothing(widths.n_features)
    # More than the code's: what is cut off of each chunk may add up.
    n_kept = 2 * widths.n_components + 10
    n_rows = max(4 * n_kept, PART_CELLS // widths.n_features)
    for batch in Batches(rows, n_rows):
        weights = weights_of(batch)
        weights = None if weights is None else weights.cpu().numpy().astype(np.float64)
        pca = pca.add(batch[1].cpu().numpy().astype(np.float64), n_kept, weights)
    if loss <= 0:
        return Trial(pca, loss)
    weights = _arrays(net)
    start_at(net, pca)
    return Trial(pca, loss, weights)


def start_at(net, pca):
    """Set a net to PCA, whatever it has learnt."""
    linear = next(m for m in net.module_.modules() if isinstance(m, PCAStart))
    linear.silence()
    n_components = net.module__blueprint.n_components
    net.criterion_.start(net.module_, linear, pca.axes(n_components))


def set_arrays(net, weights):
    """Copy weights, as a trial has them, into a net."""
    net.set_weights(mapped(_as_tensor, weights))


def _arrays(net):
    return mapped(lambda tensor: tensor.cpu().numpy().copy(), net.weights())


def _as_tensor(value):
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value
