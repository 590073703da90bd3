"""The judge of a fit's epochs, and the callbacks that keep the weights it says.

Each keeper ends with a `Verdict` about the weights that the net then has.
"""

import copy
import math
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from skorch.callbacks import Callback

from .average import averaged

ENOUGH_ROWS = 8  # validation rows below which chance rules
LEEWAY = 0.02  # share of its loss that a code size may lose while others gain,
HINT = 0.5  # t of a gain below which there is no sign of one
SURE = 2.0  # as the lower end of the 95% interval of its gain shows


class Verdict(NamedTuple):
    """What became of a training.

    Attributes
    ----------
    best_epoch : int
        The epoch whose weights were kept; 0 is the start.
    best_loss : float
        Their loss.
    diverged : bool
        Whether a loss was not finite.
    """

    best_epoch: int
    best_loss: float
    diverged: bool


class Judge:
    """Tells which epoch is the best and when a fit is over. It sees losses alone.

    With validation rows each epoch is judged by their loss. When the start is a
    `safe_start` (PCA, or the weights of the fit before) an epoch counts only if it
    gains on the start beyond doubt: a one-sided paired t-test over the validation
    rows, since "the best epoch" is easily found by chance among many. Fewer than
    `ENOUGH_ROWS` rows prove nothing: the start is kept, after one epoch.

    Without validation rows the training loss of the epoch judges, and the weights kept
    are compared with the start's on all training rows at the end.

    An ordered code has a loss for each of several code sizes. It is judged by their
    mean, and from a safe start by each: none may lose more than `LEEWAY` of its loss,
    not even at the lower end of its gain's confidence interval. A size that gains
    nothing is no reason to refuse what others gain; one that may lose much is.

    Parameters
    ----------
    safe_start : bool
        Whether the start must be beaten significantly.
    tol : float
        An epoch improves when the loss falls by more than this share.
    patience : int or None
        Epochs without improvement after which the fit ends; None for no end.
    labels : ndarray of int of shape (n_rows,), default=None
        Of the validation rows: those of one label are no evidence of one another, and
        count as one.
    confidence : float, default=0.995
        Of the t-test.
    probation : int, default=None
        Epochs without any sign of a gain after which a fit from a safe start ends.
    """

    surest = -np.inf  # the largest t of a gain so far
    # What it must know to go on, besides the losses of the start.
    memory = ("best_epoch", "best_loss", "diverged", "epoch", "mark", "surest")

    def __init__(
        self, safe_start, tol, patience, labels=None, confidence=0.995, probation=None
    ):
        self.safe_start = safe_start
        self.tol = tol
        self.patience = patience
        self.labels = None
        if labels is not None:
            self.labels = torch.from_numpy(np.unique(labels, return_inverse=True)[1])
        self.confidence = confidence
        self.probation = probation

    def begin(self, start_losses, held_out):
        """Hear the losses of the start.

        Parameters
        ----------
        start_losses : Tensor of shape (n_rows,) or (n_rows, n_sizes)
            Of the rows that judge.
        held_out : bool
            Whether they were set aside.
        """
        self.start_losses = start_losses
        self.held_out = held_out
        self.best_loss = start_losses.mean().item() if held_out else np.inf
        self.best_epoch = 0
        self.epoch = 0
        self.mark = np.inf, 0  # loss and epoch of the last improvement
        self.diverged = False
        self.surest = -np.inf

    def see(self, train_loss, losses=None):
        """Judge an epoch; tell whether it is the best so far.

        Parameters
        ----------
        train_loss : float
            Its training loss.
        losses : Tensor of shape (n_rows,) or (n_rows, n_sizes), default=None
            Those of the rows set aside, if there are any.

        Returns
        -------
        bool
        """
        self.epoch += 1
        loss, accepted = train_loss, True
        if losses is not None and np.isfinite(train_loss):
            loss = losses.mean().item()
            accepted = not self.safe_start or self._beats_start(losses)
        best = accepted and loss < self.best_loss
        if best:
            self.best_loss, self.best_epoch = loss, self.epoch
        if not np.isfinite(loss):
            self.diverged = True
        # A share of a loss below zero, as a log density may give, is below it too.
        elif loss < self.mark[0] * (1 - math.copysign(self.tol, self.mark[0])):
            self.mark = loss, self.epoch
        return best

    @property
    def is_over(self):
        """Whether the fit has no more to gain."""
        n_rows = len(self.start_losses)
        if self.labels is not None:
            n_rows = int(self.labels.max()) + 1
        hopeless = self.safe_start and self.held_out and n_rows < ENOUGH_ROWS
        if self.safe_start and self.held_out and self.probation:
            hopeless |= self.epoch >= self.probation and self.surest < HINT
        tired = self.patience and self.epoch - self.mark[1] >= self.patience
        return bool(self.diverged or hopeless or tired)

    def end(self, losses):
        """Compare the weights that are kept with the start, where no rows were aside.

        Parameters
        ----------
        losses : Tensor of shape (n_rows,) or (n_rows, n_sizes)
            Of all training rows.

        Returns
        -------
        bool
            Whether they stay, rather than the start's.
        """
        start = self.start_losses
        loss = start.mean()
        lost = (losses.mean(0) > start.mean(0) + LEEWAY * start.mean(0).abs()).any()
        stay = bool(losses.mean() < loss and not (lost and self.safe_start))
        if not stay:  # nor are losses kept that are not finite
            self.best_epoch = 0
        self.best_loss = (losses.mean() if stay else loss).item()
        return stay

    def _beats_start(self, losses):
        gains = self.start_losses - losses  # (n_rows,) or (n_rows, n_sizes)
        if self.labels is not None:  # sums of groups, such that the mean stays
            n_groups = int(self.labels.max()) + 1
            sums = torch.zeros(n_groups, *gains.shape[1:], dtype=gains.dtype)
            gains = sums.index_add_(0, self.labels, gains) * (n_groups / len(gains))
        if len(gains) < ENOUGH_ROWS:
            return False
        every = gains if gains.ndim == 1 else gains.mean(1)
        error = every.std().item() / len(every) ** 0.5
        if error:
            self.surest = max(self.surest, every.mean().item() / error)
        if gains.ndim == 2:  # a column for each code size: none may lose much
            lowest = gains.mean(0) - SURE * gains.std(0) / len(gains) ** 0.5
            if (lowest < -LEEWAY * self.start_losses.mean(0).abs()).any():
                return False
            gains = every
        quantile = stats.t.ppf(self.confidence, len(gains) - 1)
        return gains.mean().item() > quantile * error


class KeepBest(Callback):
    """Keep the weights of the epoch that a judge finds best; end a fit that is over.

    Parameters
    ----------
    judge : Judge
    """

    epochs_only = True

    def __init__(self, judge):
        self.judge = judge

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Measure the start."""
        self.valid_ = net.get_split_datasets(X)[1] if net.train_split else None
        rows = X if self.valid_ is None else self.valid_
        self.judge.begin(net.evaluate(rows), held_out=self.valid_ is not None)
        self.start_ = self.best_ = copy.deepcopy(net.weights())

    def on_epoch_end(self, net, **kwargs):
        """Judge the epoch."""
        losses = None
        if self.valid_ is not None:
            losses = torch.cat(net.valid_losses_).double().cpu()
        self._see(net, losses)
        if self.judge.is_over:  # not at once: others have yet to hear of this epoch
            net.over_ = True

    def on_train_end(self, net, X=None, **kwargs):
        """Put the best weights back."""
        judge = self.judge
        if len(net.history) > judge.epoch and "train_loss" in net.history[-1]:
            # A callback ended the fit before this epoch was judged.
            with averaged(net):
                losses = None if self.valid_ is None else net.evaluate(self.valid_)
            self._see(net, losses)
        net.set_weights(self.best_)
        if not judge.held_out and not judge.end(net.evaluate(X)):
            net.set_weights(self.start_)
        net.module_.eval()
        self.verdict = Verdict(judge.best_epoch, judge.best_loss, judge.diverged)
        del self.start_, self.best_, self.valid_
        del judge.start_losses
        net.valid_losses_ = []

    def _see(self, net, losses):
        if self.judge.see(net.history[-1, "train_loss"], losses):
            with averaged(net):
                self.best_ = copy.deepcopy(net.weights())

    def state_dict(self):
        """Return what it must know to go on."""
        known = {name: getattr(self.judge, name) for name in self.judge.memory}
        return {"best": self.best_, **known}

    def load_state_dict(self, state):
        """Take up what `state_dict` gave."""
        self.best_ = state["best"]
        vars(self.judge).update({name: state[name] for name in self.judge.memory})


class KeepFinite(Callback):
    """Go back to the start if a pass made the loss or a weight not finite.

    `KeepBest` for `partial_fit`, which has too few rows at a time to judge more.
    """

    epochs_only = True

    def on_train_begin(self, net, **kwargs):
        """Note the start."""
        self.start_ = copy.deepcopy(net.weights())

    def on_train_end(self, net, **kwargs):
        """Check what the pass made of it."""
        # Interrupted passes have no loss; the weights tell of them.
        loss = net.history[-1].get("train_loss", np.nan)
        numbers = [t for state in net.weights().values() for t in state.values()]
        if "train_loss" in net.history[-1]:
            numbers.append(torch.tensor(loss))
        diverged = not all(torch.isfinite(number).all() for number in numbers)
        if diverged:
            net.set_weights(self.start_)
            net.forget_momenta()
        net.module_.eval()
        self.verdict = Verdict(0 if diverged else 1, loss, diverged)
        del self.start_
