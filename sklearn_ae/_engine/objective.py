"""Objectives: what a network is trained for, judged by, and started at.

An objective is skorch's criterion: a module, since it may have buffers and even parts
that train, and it is on the network's device. To add one: a subclass that overrides
what differs, and an estimator whose `_objective` names it.
"""

import numpy as np
import torch
from torch import nn

from .neighbours import pair_losses


def weighed(losses, weights):
    """Return losses of rows times the weights of the rows, if they have any."""
    if weights is None:
        return losses
    return losses * (weights if losses.ndim == 1 else weights[:, None])


class Objective(nn.Module):
    """The mean loss of a row's cells, and a penalty on its code.

    Parameters
    ----------
    loss : Loss
        A row of `LOSSES`.
    output : Output
        What becomes of the decoded.
    penalty : callable, default=None
        ``(encode, x, z) -> penalties``, added to the losses of the rows.
    linear_code : bool, default=True
        Whether the code grows with the data, so that it has their unit.
    ends : tuple of ndarray of shape (n_features,), default=None
        Least and largest value of each column of a reconstruction, as the network
        reads data. None where nothing is clipped.
    missing : bool, default=False
        Whether cells may be missing: the loss is that of the others.
    neighbors : float, default=None
        Weight of the losses of pairs: batches are of `Pairs` then, and rows judge by
        their own losses, not their partners'.
    **criterion_params : dict
        Parameters of the loss's criterion.
    """

    # Who takes a step for each batch: parts of the net, each with its optimizer.
    players = (("module_", "optimizer_"),)
    # Attributes that the next epoch depends on, besides weights.
    memory = ()
    label_suffix = ""
    has_prior = False  # whether codes follow one

    def __init__(
        self,
        loss,
        output,
        penalty=None,
        linear_code=True,
        ends=None,
        missing=False,
        neighbors=None,
        **criterion_params,
    ):
        super().__init__()
        self.loss = loss
        self.output = output
        self.penalty = penalty
        self.linear_code = linear_code
        self.missing = missing
        self.neighbors = neighbors
        self.noted = []  # means of the losses of pairs, for the history
        low, high = (None, None) if ends is None else map(torch.tensor, ends)
        self.register_buffer("low", low, persistent=False)
        self.register_buffer("high", high, persistent=False)
        criterion_params["reduction"] = "none"
        self.criterion = loss.criterion(**criterion_params)

    @classmethod
    def prefix_params(cls, params, n_components):
        """Return the parameters for a code of the first units alone."""
        return params

    @property
    def sees_codes(self):
        """Whether the loss is also one of codes."""
        return self.penalty is not None or self.neighbors is not None

    # -- in training --

    def begin(self, held_out):
        """Hear that a training begins, and whether rows are set aside."""

    def begin_epoch(self, module):
        """Hear that an epoch begins."""

    def predict(self, module, x):
        """Return what the losses need: the reconstruction, first if not alone."""
        if not self.sees_codes:
            return module(x)
        z = module.encode(x)  # (n_samples, n_components)
        return module.decode(z), z

    def row_losses(self, module, y_pred, y_true, x, weights=None):
        """Return the loss of each row that training minimises, times its weight."""
        alone = not isinstance(y_pred, (tuple, list))
        losses = self.cell_losses(y_pred if alone else y_pred[0], y_true)
        if self.sees_codes:
            losses = self.penalised(losses, module, x, y_pred[1])
        return weighed(losses, weights)

    def judged_losses(self, module, y_pred, y_true, x, weights=None):
        """Return the losses that judge an epoch: one for each row, or a row of them."""
        return self.row_losses(module, y_pred, y_true, x, weights)

    def turns(self, module, y_pred, y_true, x, weights=None):
        """Yield the loss of each player, when it is its turn, and what is noted of it.

        The losses noted add up to that of the batch.
        """
        loss = self.row_losses(module, y_pred, y_true, x, weights).mean()
        yield loss, loss

    def activate(self, decoded):
        """Return the reconstruction that the decoded stands for, as the net reads."""
        activated = self.output.activation(decoded)
        if self.low is None:
            return activated
        # Not in bfloat16: an end that is rounded is no longer the target's, and all
        # values beyond it would have an error that they can only mend by leaving it.
        dtype = torch.promote_types(activated.dtype, self.low.dtype)
        activated = activated.to(dtype)
        clipped = activated.clamp(self.low.to(activated), self.high.to(activated))
        if not torch.is_grad_enabled():
            return clipped
        # Gradients pass the clip: a value beyond an end that is not its target would
        # learn nothing otherwise. Beyond its target's end it has no error to learn.
        return activated + (clipped - activated).detach()

    def cell_losses(self, decoded, y_true):
        """Return the mean loss of each row's cells."""
        if not self.loss.activates:
            decoded = self.activate(decoded)
        if self.missing:
            there = (~y_true.isnan()).to(decoded)
            cells = self.criterion(decoded, y_true.nan_to_num()) * there
            return cells.sum(1) / there.sum(1).clamp_min(1)  # (n_samples,)
        cells = self.criterion(decoded, y_true)  # (n_samples, n_features)
        return cells.flatten(1).mean(1)  # (n_samples,)

    def penalised(self, losses, module, x, z):
        """Add the penalty on the codes to losses of the rows, and those of pairs."""
        if self.penalty is not None:
            penalties = self.penalty(module.encode, x, z)  # (n_samples,)
            losses = losses + (penalties[:, None] if losses.ndim == 2 else penalties)
        if self.neighbors is not None:
            terms = pair_losses(z)  # (n_samples,)
            self.noted.append((terms if module.training else self.own(terms)).detach())
            losses = losses + self.neighbors * terms
        return losses

    def own(self, losses):
        """Return the losses of rows themselves, without those of their partners."""
        return losses if self.neighbors is None else losses.chunk(2)[0]

    # -- before and after it --

    def start(self, module, linear, axes):
        """Set a module's linear path to PCA.

        Parameters
        ----------
        module : Module
            The whole.
        linear : PCAStart
            Its linear path.
        axes : Axes
            PCA of what the network reads.
        """
        linear.start(axes.components, axes.mean)

    def code_unit(self, scale):
        """Return what codes are multiplied by when they leave the network."""
        return scale if self.linear_code else 1.0

    def in_units(self, loss, scale):
        """Return a loss in the data's units."""
        return loss * scale**self.loss.power

    @property
    def label(self):
        """What the loss is called beside an axis."""
        label = self.loss.label
        if self.penalty is not None:
            label += f", with the {self.penalty_name} penalty"
        if self.neighbors is not None:
            label += ", with the loss of neighbours"
        return label + self.label_suffix

    @property
    def penalty_name(self):
        """Name of the penalty, or None."""
        if self.penalty is None:
            return None
        return self.penalty.keywords["penalty"].__name__.lstrip("_")


class OrderedObjective(Objective):
    """The loss of every prefix of the code, not of the whole code alone.

    Nested dropout (Rippel, Gelbart and Adams 2014): of each row in a training step only
    the first units of the code are kept. How many is drawn: a share `WHOLE` of the rows
    keep all, for the others short prefixes and long ones are equally frequent on a
    logarithmic scale (a single unit half as frequent). A row's loss is divided by what
    PCA leaves unexplained at its length, to the power `BALANCE`: otherwise the short
    prefixes, whose errors are large, would be all that counts.

    Parameters
    ----------
    *args, **kwargs
        Those of `Objective`.
    unexplained : ndarray of shape (n_components,)
        Share of variance that PCA leaves unexplained, for each length.
    """

    WHOLE = 0.25
    BALANCE = 0.85
    FLOOR = 1e-4  # of the share: a lossless length is not worth infinitely much
    label_suffix = ",\nmean over code sizes"

    def __init__(self, *args, unexplained, **kwargs):
        super().__init__(*args, **kwargs)
        n_units = len(unexplained)
        weights = np.maximum(unexplained, self.FLOOR) ** -self.BALANCE
        # Judged are powers of two and the whole code, but for what PCA does losslessly.
        lengths = {min(2**i, n_units) for i in range(n_units.bit_length() + 1)}
        judged = [k for k in sorted(lengths) if unexplained[k - 1] > 1e-10]
        self.judged = judged or [n_units]
        # So that a loss is a weighted mean of losses.
        weights /= weights[np.array(self.judged) - 1].mean()
        # A number drawn from [0, 1) stands for the length before the first end above.
        ends = np.log(np.arange(2, n_units + 1) / 1.5) / np.log((n_units + 1) / 1.5)
        ends = torch.from_numpy((1 - self.WHOLE) * ends)
        weights = torch.tensor(weights, dtype=torch.float32)
        self.register_buffer("length_weights", weights, persistent=False)
        self.register_buffer("length_ends", ends, persistent=False)

    @classmethod
    def prefix_params(cls, params, n_components):
        """Return the parameters for a code of the first units alone."""
        return {**params, "unexplained": params["unexplained"][:n_components]}

    def predict(self, module, x):
        """Return the reconstruction, the codes and, in training, their lengths."""
        z = module.encode(x)
        if not module.training:
            return module.decode(z), z
        lengths = self.draw_lengths(len(z))
        return module.decode(z, lengths), z, lengths

    def row_losses(self, module, y_pred, y_true, x, weights=None):
        """Return the loss of each row in training, weighted by its length."""
        decoded, z, lengths = y_pred
        losses = self.length_weights[lengths - 1] * self.cell_losses(decoded, y_true)
        return weighed(self.penalised(losses, module, x, z), weights)

    def judged_losses(self, module, y_pred, y_true, x, weights=None):
        """Return the weighted loss of each row (lines) at each judged length."""
        whole, z = y_pred
        columns = []
        for k in self.judged:
            decoded = whole if k == z.shape[1] else module.decode(z[:, :k])
            weight = self.length_weights[k - 1]
            columns.append(weight * self.cell_losses(decoded, y_true))
        losses = torch.stack(columns, dim=1)  # (n_samples, n_judged)
        return weighed(self.penalised(losses, module, x, z), weights)

    def draw_lengths(self, n_rows):
        """Return how many units of each row count in this step."""
        # Evenly spaced, from a random start: each batch has its share of every length.
        ends = self.length_ends
        start = torch.rand(1, device=ends.device)
        u = (torch.arange(n_rows, device=ends.device) + start).to(ends) / n_rows
        return torch.bucketize(u, ends, right=True) + 1  # (n_rows,)
