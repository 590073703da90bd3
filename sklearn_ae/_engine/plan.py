"""Plan: how long and in which steps a network trains."""

import inspect
from dataclasses import dataclass

import numpy as np
import torch

from . import tables
from .batches import n_batches

OPTIMIZERS = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}
RATE = 4e-3  # the highest, for batches of up to 256 rows
N_STEPS, MAP_STEPS, ORDERED_STEPS = 1000, 1600, 2000
LEAST_EPOCHS, MOST_EPOCHS, MAP_EPOCHS = 13, 200, 300
MEMORIES = 20  # of the average of the weights, in a training
JUDGED_SHARE, JUDGED_ROWS = 0.1, 2000  # of a table, at most so many rows


@dataclass(frozen=True)
class Plan:
    """Sizes and rates of a training.

    Attributes
    ----------
    batch_size : int
        Rows in a step.
    n_epochs : int
        Epochs at most.
    rate : float
        The highest learning rate.
    rates : list of float or None
        Of each step; None for a constant one.
    memory_steps : float or None
        That the average of the weights looks back; None for no average.
    optimizer : class
        Of `torch.optim`.
    optimizer_params : dict
        Its parameters.
    """

    batch_size: int
    n_epochs: int
    rate: float
    rates: list | None
    memory_steps: float | None
    optimizer: type
    optimizer_params: dict

    @property
    def probation(self):
        """Epochs after which a wide table should show a sign of a gain."""
        return int(np.clip(0.15 * self.n_epochs, 5, 10))

    @classmethod
    def of(cls, params, n_rows, ordered, one_pass):
        """Make the plan that parameters ask for.

        Parameters
        ----------
        params : object
            Has the parameters of an estimator as attributes.
        n_rows : int
            Rows to train on.
        ordered : bool
            Whether the code is.
        one_pass : bool
            Whether the rows are gone through once, at a constant rate.

        Returns
        -------
        Plan
        """
        batch_size = _batch_size(params, n_rows, ordered, one_pass)
        steady = one_pass or params.learning_rate == "constant"
        rate, rates = _rate(params, batch_size, ordered, steady), None
        n_epochs = 1 if one_pass else _n_epochs(params, n_rows, batch_size, ordered)
        n_steps = n_epochs * n_batches(n_rows, batch_size)
        memory_steps = None if one_pass else max(1.0, n_steps / MEMORIES)
        if not steady:
            rates = one_cycle(getattr(params, "optimizer__lr", rate), n_steps)
        optimizer = OPTIMIZERS.get(params.optimizer, params.optimizer)
        wanted = {"lr": rate, "weight_decay": decay(params), "fused": True}
        if ordered:  # whose gradients change more from batch to batch
            wanted["betas"] = (0.9, 0.98)
        taken = {"lr", *inspect.signature(optimizer).parameters}
        wanted = {name: value for name, value in wanted.items() if name in taken}
        return cls(batch_size, n_epochs, rate, rates, memory_steps, optimizer, wanted)


def decay(params):
    """Return the weight decay that parameters ask for.

    AdamW's is apart from the gradient: of another optimizer's steps as much would be
    the greater part.
    """
    if params.alpha != "auto":
        return params.alpha
    optimizer = OPTIMIZERS.get(params.optimizer, params.optimizer)
    return 0.1 if issubclass(optimizer, torch.optim.AdamW) else 0.01


def n_aside(params, table, ordered):
    """Return how many rows of a table are set aside for validation."""
    if not params.early_stopping:
        return 0
    n_samples = len(table)
    wanted = int(np.ceil(judged_share(params) * n_samples))
    # 2,000 say as much as 6,000; of an ordered code each is decoded at many lengths.
    if ordered or params.validation_fraction == "auto":
        wanted = min(wanted, JUDGED_ROWS)
    if tables.is_large(table):  # they are held
        wanted = min(wanted, tables.WINDOW_CELLS // table.shape[1])
    return min(max(wanted, min(20, n_samples // 4)), n_samples - 1)


def judged_share(params):
    """Return the share of rows, or of cells, that judge."""
    share = params.validation_fraction
    return JUDGED_SHARE if share == "auto" else share


# Of an ordered code each length sees a part of the rows: it wants larger batches where
# there are enough of them, and more steps. So does a map, whose rows are told from the
# others of their batch.


def _batch_size(params, n_rows, ordered, one_pass):
    if params.batch_size != "auto":
        return min(int(params.batch_size), n_rows)
    if ordered:
        return int(np.clip(3 * n_rows // 40, 24, 512))
    if params.neighbors is not None and not one_pass:
        return int(np.clip(n_rows // 3, 16, 512))
    return int(np.clip(n_rows // 20, 16, 512))


def _rate(params, batch_size, ordered, steady):
    if params.learning_rate_init != "auto":
        return params.learning_rate_init
    if ordered:
        return min(batch_size**0.5 / 2000, 0.006)
    rate = RATE * max(1.0, batch_size / 256) ** 0.5
    return rate / 2 if steady else rate  # which never falls


def _n_epochs(params, n_rows, batch_size, ordered):
    if params.max_iter != "auto":
        return int(params.max_iter)
    n_steps, most = ORDERED_STEPS if ordered else N_STEPS, MOST_EPOCHS
    if params.neighbors is not None:
        n_steps, most = MAP_STEPS, MAP_EPOCHS
    n_epochs = np.ceil(n_steps / n_batches(n_rows, batch_size))
    return int(np.clip(n_epochs, LEAST_EPOCHS, most))


def one_cycle(rate, n_steps):
    """Return the learning rates of one cycle (Smith and Topin 2019).

    Up along a cosine from 1/25 of the highest rate in three tenths of the steps, then
    down along another nearly to zero.

    Parameters
    ----------
    rate : float
        The highest.
    n_steps : int
        Number of rates.

    Returns
    -------
    list of float
    """
    top = 0.3 * n_steps - 1
    rising = np.arange(n_steps) <= top
    way = np.where(
        rising,
        np.arange(n_steps) / max(top, 1),
        (n_steps - 1 - np.arange(n_steps)) / max(n_steps - 1 - top, 1),
    )
    low = rate / 25 * np.where(rising, 1, 1e-4)
    return (low + (rate - low) * (1 - np.cos(np.pi * way)) / 2).tolist()
