"""Noise: what spoils a batch in training.

To add a kind: a function and a row in `NOISES`; its unit and its "auto" level in
`corruption`.
"""

from functools import partial

import numpy as np
import torch

# Share of a row's cells that training hides, at most, where some may be missing: for
# codes, and where it is for filling that a network is judged.
MOST_HIDDEN, MOST_HIDDEN_TO_FILL = 0.3, 0.8
# Gaussian noise of a map, as a share of a range that data lie in, whose `scale_` is 1.
SHARE_OF_RANGE = 0.15

# Kinds of noise: (x, level, low, high, zero) -> noisy x. Low and high are the ends of
# the training data, zero is its zero; all in the units of x.


def _gaussian(x, level, low, high, zero):
    return x + level * torch.randn_like(x)


def _masking(x, level, low, high, zero):
    return torch.where(torch.rand_like(x) < level, zero.to(x), x)


def _salt_and_pepper(x, level, low, high, zero):
    u = torch.rand_like(x)
    x = torch.where(u < level / 2, low.to(x), x)
    return torch.where(u > 1 - level / 2, high.to(x), x)


def _swap(x, level, low, high, zero):
    n_rows = len(x)
    if n_rows < 2:
        return x
    rows = torch.arange(n_rows, device=x.device)[:, None]
    others = (rows + torch.randint(1, n_rows, x.shape, device=x.device)) % n_rows
    return torch.where(torch.rand_like(x) < level, x.gather(0, others), x)


NOISES = {
    "gaussian": _gaussian,
    "masking": _masking,
    "salt_and_pepper": _salt_and_pepper,
    "swap": _swap,
}


def hidden(x, corrupt=None, most=MOST_HIDDEN):
    """Return a batch, corrupted if asked, of which further cells are missing.

    Each row has a share of its own to lose: what is read with few holes and with many
    is learnt by both.
    """
    read = x if corrupt is None else corrupt(x)
    share = most * torch.rand(len(x), 1, device=x.device)
    gone = x.isnan() | (torch.rand_like(x) < share)
    return torch.where(gone, torch.nan, read)


def corruption(noise, level, scaling, of_map=False):
    """Return what corrupts a batch of inputs.

    Parameters
    ----------
    noise : str or None
        A key of `NOISES`.
    level : float or "auto"
        In the data's units for Gaussian noise, else a share of the cells.
    scaling : Scaling
        Of the data.
    of_map : bool, default=False
        Whether it is the noise that a map has by default.

    Returns
    -------
    callable or None
        Turns inputs into noisy ones.

    Raises
    ------
    ValueError
        If the level is no share.
    """
    if noise is None:
        return None
    wanted = level
    if level == "auto":
        level = 0.5 * scaling.scale if noise == "gaussian" else 0.2
        if of_map and noise == "gaussian" and scaling.bounded:
            level = SHARE_OF_RANGE * (scaling.high - scaling.low)
    if noise == "gaussian":
        level /= scaling.scale
    elif level > 1:
        raise ValueError(
            f"noise_level is the share of cells that noise={noise!r} changes: "
            f"a number from 0 to 1. Got {wanted!r}."
        )
    # Zero and both ends of the data, as the network reads them.
    values = np.empty((3, len(scaling.mean)))
    values[:] = np.array([[scaling.low, scaling.high, 0.0]]).T
    low, high, zero = torch.from_numpy(scaling.apply(values, np.float32))
    return partial(NOISES[noise], level=level, low=low, high=high, zero=zero)
