"""Losses by name.

To add one: write its row in `LOSSES`, which the parameter constraints and the tests
read; name it in the docstring of `AutoencoderTransformer`; give the tests its formula.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn


def _identity(x):
    return x


def _logit(x):
    # PCA's reconstructions leave [0, 1]: what lies outside starts at the border.
    return torch.logit(x, eps=1e-3)


class Loss(NamedTuple):
    """What the training and the estimators need to know of a loss.

    Attributes
    ----------
    criterion : class
        A loss of `torch.nn` that takes ``reduction="none"``.
    output : callable
        Turns what the network decodes into a reconstruction of the data.
    link : callable
        The inverse of `output`.
    bounds : tuple of float or None
        The range that the data must lie in. Bounded data are not centred or scaled.
    power : int
        The power of the data's unit that the loss is measured in.
    """

    criterion: type[nn.Module]
    output: Callable = _identity
    link: Callable = _identity
    bounds: tuple[float, float] | None = None
    power: int = 0


LOSSES = {
    "squared_error": Loss(nn.MSELoss, power=2),
    "absolute_error": Loss(nn.L1Loss, power=1),
    "huber": Loss(nn.HuberLoss, power=2),
    "binary_cross_entropy": Loss(
        nn.BCEWithLogitsLoss, torch.sigmoid, _logit, bounds=(0.0, 1.0)
    ),
}
