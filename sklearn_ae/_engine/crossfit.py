"""Cross-fitting: on a small table all rows say whether a network beats PCA.

A tenth of few rows proves little. So several networks, each without a fold of the rows,
and one on all rows train side by side. Each row judges the network that has not seen
it, and the one on all rows is kept, at the step where the others were best, if they
beat PCA of their own rows beyond doubt.
"""

import contextlib
import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats

from .average import Average
from .batches import mean_one
from .judge import Verdict
from .members import Members
from .plan import one_cycle

LEAST_ROWS, MOST_ROWS, MOST_FEATURES = 32, 1000, 200  # of a table that is cross-fitted
HIDDEN = (128, 64)
N_FOLDS = 5
N_STEPS = 800  # at most
ROUND = 50  # steps from one look at the losses to the next
N_ROUNDS = N_STEPS // ROUND
RATE = 8e-3  # the highest
MEMORY = 50  # steps that the average of the weights looks back
DOUBT = 2e-5  # that the mean gain is chance
TRIMMED = 0.02  # of the gains, the largest
LOSSLESS = 1e-10  # loss per cell, below which differences are rounding


def suits(shape, found):
    """Tell whether a table is small enough to be cross-fitted, and not too small.

    Parameters
    ----------
    shape : tuple of int
        Of the table.
    found : Dependence or None
        Which of its rows belong together.

    Returns
    -------
    bool
    """
    n_samples, n_features = shape
    if found is not None and found.kind == "rows in order":
        return False  # folds would have neighbours on both sides
    n_groups = n_samples if found is None else len(np.unique(found.labels))
    rows = LEAST_ROWS <= n_groups <= n_samples <= MOST_ROWS
    return rows and n_features <= MOST_FEATURES


def train(net, dataset, cross_fit):
    """Train by cross-fitting; tell the net's callbacks of rounds as if of epochs.

    Parameters
    ----------
    net : AutoencoderNet
        At its start; in the end it has the weights that are kept.
    dataset : Rows
        All rows.
    cross_fit : CrossFit
        Of these rows.

    Returns
    -------
    Verdict
    """
    start, judge = copy.deepcopy(net.weights()), RoundJudge(cross_fit.labels)
    rounds = cross_fit.rounds()
    judge.see(next(rounds).losses)
    net.notify("on_train_begin", X=dataset, y=None)
    with contextlib.suppress(KeyboardInterrupt):  # as in skorch's own loop
        while not (judge.is_over or net.over_ or len(net.history) == N_ROUNDS):
            net.notify("on_epoch_begin", dataset_train=dataset, dataset_valid=None)
            seen = next(rounds)
            net.set_weights({"module_": cross_fit.weights()})
            net.epoch_losses_ = {
                "train_loss": seen.train_loss,
                "valid_loss": float(seen.losses.mean()),
            }
            if judge.see(seen.losses):
                cross_fit.remember()
            net.notify("on_epoch_end", dataset_train=dataset, dataset_valid=None)
    verdict = judge.verdict()
    kept = {"module_": cross_fit.weights(best=True)} if verdict.best_epoch else start
    net.set_weights(kept)
    net.module_.eval()
    net.notify("on_train_end", X=dataset, y=None)
    return verdict


@dataclass(frozen=True)
class Round:
    """What is known after some steps.

    Attributes
    ----------
    train_loss : float
        Of the network on all rows.
    losses : ndarray of shape (n_samples,), float64
        Of each row, by the network that has not seen it; times its weight.
    """

    train_loss: float
    losses: np.ndarray


class CrossFit:
    """Networks without a fold each, and one on all rows.

    Parameters
    ----------
    X : Tensor of shape (n_samples, n_features)
        Rows as the network reads them.
    axes : Axes
        Their PCA.
    n_components : int
        Width of the code.
    alpha : float
        Weight decay.
    labels : ndarray of int of shape (n_samples,) or None
        Rows of one label stand in one fold, and count as one.
    seed : int
        Of folds, weights and batches.
    ends : tuple of ndarray of shape (n_features,), default=None
        What reconstructions are clipped to.
    weights : ndarray of shape (n_samples,), default=None
        Of the rows, with a mean of 1. All losses are times these.
    """

    def __init__(
        self, X, axes, n_components, alpha, labels, seed, ends=None, weights=None
    ):
        rng = np.random.default_rng(seed)
        n_samples, n_features = X.shape
        self.labels = np.arange(n_samples) if labels is None else labels
        self.folds = fold_numbers(self.labels, rng)  # (n_samples,)
        own = [np.flatnonzero(self.folds != i) for i in range(N_FOLDS + 1)]
        self.X, self.row_weights = X, mean_one(weights, X.device)
        sizes = N_FOLDS + 1, n_features, n_components, HIDDEN
        self.members = Members(*sizes, seed, ends)
        for i, rows in enumerate(own[:-1]):  # a fold's start must not know its rows
            of_rows = None if weights is None else weights[rows]
            self.members.start(i, *_pca(X[rows].numpy(), n_components, of_rows))
        self.members.start(N_FOLDS, axes.components, axes.mean)
        size = int(np.clip(n_samples // 20, 16, 256))
        self.batches = _draw(own, size, rng)  # (n_steps, n_members, size)
        self.optimizer = torch.optim.AdamW(
            [self.members.flat], weight_decay=alpha, fused=True
        )
        self.average = Average([self.members.flat], MEMORY)
        self.best = self.members.flat.clone()
        self._held_out = _HeldOut(self.folds)

    def rounds(self):
        """Train; yield a `Round` for the start and after each `ROUND` steps."""
        rates = one_cycle(RATE, N_STEPS)
        yield self._look()
        for step in range(N_STEPS):
            rows = self.batches[step]
            weights = None if self.row_weights is None else self.row_weights[rows]
            self.members.backward(self.X[rows], weights)
            self.optimizer.param_groups[0]["lr"] = rates[step]
            self.optimizer.step()
            self.average.add()
            if (step + 1) % ROUND == 0:
                yield self._look()

    def remember(self):
        """Remember the weights as the best so far."""
        self.best.copy_(self.average.tensors[0])

    def weights(self, best=False):
        """Return those of the network on all rows, now or at their best."""
        flat = self.best if best else self.average.tensors[0]
        return self.members.state(flat, N_FOLDS)

    def _look(self):
        parameters = self.members.views(self.average.tensors[0])
        held_out = self._held_out.losses(
            self.X, self.members, [part[:N_FOLDS] for part in parameters]
        )
        whole = [part[N_FOLDS:] for part in parameters]
        errors = (self.members.forward(self.X[None], whole) - self.X).square()
        if self.row_weights is not None:
            errors *= self.row_weights[:, None]
            held_out = held_out * self.row_weights.double().numpy()
        return Round(errors.mean().item(), held_out)


class _HeldOut:
    """Losses of all rows, each by the member whose fold it is in."""

    def __init__(self, folds):
        rows = [np.flatnonzero(folds == i) for i in range(N_FOLDS)]
        self.sizes = [len(r) for r in rows]
        # Padded to one length with a fold's own rows.
        padded = [np.resize(r, max(self.sizes)) for r in rows]
        self.rows = torch.from_numpy(np.stack(padded))  # (n_folds, longest)
        self.order = np.argsort(np.concatenate(rows))

    def losses(self, X, members, parameters):
        x = X[self.rows]  # (n_folds, longest, n_features)
        losses = (members.forward(x, parameters) - x).square_().mean(2)
        pairs = zip(losses.double().numpy(), self.sizes, strict=True)
        return np.concatenate([fold[:size] for fold, size in pairs])[self.order]


class RoundJudge:
    """Tells which round is the best, when no better one is to come, and what it proves.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        Rows of one label count as one.
    """

    def __init__(self, labels):
        self.labels = np.unique(labels, return_inverse=True)[1]
        self.start = None
        self.curve, self.ts = [], []

    def see(self, losses):
        """Take the losses of a round; tell whether they are the lowest so far."""
        loss = losses.mean()
        if self.start is None:
            self.start = losses
        best = bool(loss < min(self.curve, default=np.inf))
        self.curve.append(loss)
        self.ts.append(paired_t(self._gains(losses)))
        if best:
            self.losses, self.best_round = losses, len(self.curve) - 1
        return best

    @property
    def is_over(self):
        """Whether further steps are hopeless, have long brought nothing, or diverge."""
        hopeless = len(self.ts) > 3 and max(self.ts) < 0.5
        hopeless = hopeless or self.start.mean() < LOSSLESS
        tired = len(self.curve) - 1 - self.best_round >= 5
        return hopeless or tired or not np.isfinite(self.curve[-1])

    def verdict(self):
        """Return what is kept: the best round if it beats the start beyond doubt."""
        diverged = not np.isfinite(self.curve[-1])
        lossy = self.start.mean() > LOSSLESS
        if lossy and self.best_round and beats(self._gains(self.losses)):
            return Verdict(self.best_round, float(self.losses.mean()), diverged)
        return Verdict(0, float(self.start.mean()), diverged)

    def _gains(self, losses):
        """Return the gains of the groups, whose mean is that of the rows."""
        sums = np.bincount(self.labels, self.start - losses)
        return sums * (len(sums) / len(losses))


def beats(gains):
    """Tell whether gains, of rows or groups, are above zero beyond doubt."""
    # A few huge gains widen the error of the mean, and are no reason to doubt it.
    cut = np.sort(gains)[-math.ceil(TRIMMED * len(gains)) - 1]
    surest = max(paired_t(gains), paired_t(np.minimum(gains, max(cut, 0))))
    return surest > stats.t.isf(DOUBT, len(gains) - 1)


def paired_t(gains):
    """Return the mean over its standard error; 0 where that is zero."""
    error = gains.std(ddof=1) / len(gains) ** 0.5
    return gains.mean() / error if error > 0 else 0.0


def fold_numbers(labels, rng):
    """Return a fold for each row: whole groups, in random order, equally many rows."""
    _, group = np.unique(labels, return_inverse=True)
    order = rng.permutation(group.max() + 1)
    sizes = np.bincount(group)[order]
    middle = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    fold_of_group = np.empty(len(order), dtype=int)
    fold_of_group[order] = np.minimum(middle * N_FOLDS, N_FOLDS - 1)
    return fold_of_group[group]


def _draw(own, size, rng):
    """Return each member's rows of each step: passes over its rows, each shuffled."""
    size = min(size, *map(len, own))
    batches = np.empty((N_STEPS, len(own), size), dtype=np.int64)
    for i, rows in enumerate(own):
        passes = -(-N_STEPS * size // len(rows))
        drawn = np.concatenate([rng.permutation(rows) for _ in range(passes)])
        batches[:, i] = drawn[: N_STEPS * size].reshape(N_STEPS, size)
    return torch.from_numpy(batches)


def _pca(X, n_components, weights=None):
    """Return the components of rows and their mean, in float64."""
    X = X.astype(np.float64)
    mean = np.average(X, axis=0, weights=weights)
    centred = X - mean
    if weights is not None:
        centred *= np.sqrt(weights)[:, None]
    return np.linalg.svd(centred, full_matrices=False)[2][:n_components], mean
