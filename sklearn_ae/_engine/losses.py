"""Losses, output activations and penalties on the code, by name.

To add one: write its row in `LOSSES`, `OUTPUTS` or `PENALTIES`, from which parameter
constraints, displays, files and tests take it; name it in the docstring of
`AutoencoderTransformer`; give the tests its formula.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from .counts import MultinomialDeviance, PoissonDeviance, RateLink


def _identity(x):
    return x


def _logit(x):
    # PCA's reconstructions leave [0, 1]: what lies outside starts at the border.
    return torch.logit(x, eps=1e-3)


def _softmax(x):
    return torch.softmax(x, 1)


def _atanh(x):
    return torch.atanh(x.clamp(-0.998, 0.998))


class Output(NamedTuple):
    """An activation of the reconstruction.

    Attributes
    ----------
    activation : callable
        Turns what the network decodes into a reconstruction of the data.
    link : callable or class
        Its inverse, or a class of modules that are fitted to be.
    bounds : tuple of float or None
        The range that the data must lie in. Bounded data are not centred or scaled.
    clip : {"all", "found"} or None
        Whether what lies beyond the training data's ends is moved to them: to those of
        all cells, or to those that are found of single columns (see `measure`).
    """

    activation: Callable = _identity
    link: Callable = _identity
    bounds: tuple[float, float] | None = None
    clip: str | None = None

    @property
    def is_linear(self):
        """Whether it leaves what is decoded, but for a clip."""
        return self.activation is _identity


OUTPUTS = {
    "identity": Output(),
    "auto": Output(clip="found"),
    "clip": Output(clip="all"),
    "tanh": Output(torch.tanh, _atanh, (-1.0, 1.0)),
    "logistic": Output(torch.sigmoid, _logit, (0.0, 1.0)),
}
# Of the losses of counts, which stand no other: from log shares to shares.
SHARES = {
    "exp": Output(torch.exp, RateLink, (0.0, np.inf)),
    "softmax": Output(_softmax, RateLink, (0.0, np.inf)),
}


class Loss(NamedTuple):
    """What the training and the estimators need to know of a loss.

    Attributes
    ----------
    criterion : class
        A loss of `torch.nn` that takes ``reduction="none"``.
    power : int
        The power of the data's unit that the loss is measured in.
    label : str
        What it is called beside an axis.
    out_activation : str
        What ``out_activation="auto"`` means.
    activates : bool
        Whether the criterion applies that activation itself, and stands no other.
    counts : bool
        Whether data are counts: see `counts.py`.
    """

    criterion: type[nn.Module]
    power: int
    label: str
    out_activation: str = "auto"
    activates: bool = False
    counts: bool = False


LOSSES = {
    "squared_error": Loss(nn.MSELoss, 2, "mean squared error per cell"),
    "absolute_error": Loss(nn.L1Loss, 1, "mean absolute error per cell"),
    "huber": Loss(nn.HuberLoss, 2, "mean Huber loss per cell"),
    "binary_cross_entropy": Loss(
        nn.BCEWithLogitsLoss,
        0,
        "mean cross-entropy per cell",
        out_activation="logistic",
        activates=True,
    ),
    "poisson": Loss(
        *(PoissonDeviance, 0, "mean Poisson deviance per cell", "exp", True, True)
    ),
    "multinomial": Loss(
        *(MultinomialDeviance, 0, "mean multinomial deviance per cell", "softmax"),
        *(True, True),
    ),
}


def output_of(loss, out_activation):
    """Return what becomes of the decoded.

    Parameters
    ----------
    loss : str
        A key of `LOSSES`.
    out_activation : str
        A key of `OUTPUTS`, or "auto".

    Returns
    -------
    Output

    Raises
    ------
    ValueError
        If the loss stands no such activation.
    """
    row = LOSSES[loss]
    if row.counts:
        if out_activation == "auto":
            return SHARES[row.out_activation]
        raise ValueError(
            f"loss={loss!r} goes with out_activation='auto' alone. Got "
            f"{out_activation!r}."
        )
    if out_activation in ("auto", row.out_activation):
        return OUTPUTS[row.out_activation]
    if row.activates:
        raise ValueError(
            f"loss={loss!r} goes with out_activation='auto' or "
            f"{row.out_activation!r}. Got {out_activation!r}."
        )
    return OUTPUTS[out_activation]


# Penalties: (encode, x, z, sparsity) -> penalty of each row, where z is encode(x).


def _l1(encode, x, z, sparsity):
    return z.abs().sum(1)


def _kl(encode, x, z, sparsity):
    # Of a batch, not of a row: each row gets the same.
    mean = z.mean(0).clamp(1e-6, 1 - 1e-6)
    on = sparsity * torch.log(sparsity / mean)
    off = (1 - sparsity) * torch.log((1 - sparsity) / (1 - mean))
    return (on + off).sum().expand(len(z))


def _contractive(encode, x, z, sparsity):
    training = torch.is_grad_enabled()
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        # Rows don't touch one another, so a column's sum has each row's gradient.
        columns = encode(x).sum(0)
        gradients = (
            torch.autograd.grad(column, x, create_graph=training, retain_graph=True)[0]
            for column in columns
        )
        return sum(gradient.square().flatten(1).sum(1) for gradient in gradients)


PENALTIES = {"l1": _l1, "kl": _kl, "contractive": _contractive}


def weighted(encode, x, z, penalty, weight, sparsity):
    """Return a penalty of each row, times its weight."""
    return weight * penalty(encode, x, z, sparsity)  # (n_samples,)


def penalty_of(penalty, weight, sparsity):
    """Return what is added to the loss of each row, or None.

    Parameters
    ----------
    penalty : str or None
        A key of `PENALTIES`; of another name nothing is added.
    weight : float
        Its weight.
    sparsity : float or "auto"
        The mean activation that "kl" holds.

    Returns
    -------
    callable or None
        ``(encode, x, z) -> penalties``.
    """
    if penalty not in PENALTIES:
        return None
    held = 0.05 if sparsity == "auto" else sparsity
    if penalty == "kl" and not held < 1:
        raise ValueError(
            f"sparsity is the mean activation that penalty='kl' holds: a number "
            f"between 0 and 1. Got {sparsity!r}."
        )
    row = PENALTIES[penalty]
    return partial(weighted, penalty=row, weight=float(weight), sparsity=held)
