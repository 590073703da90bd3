"""Survey: what is known of a table before anything is computed with it.

Rows that judge are drawn, and the data's centre and unit measured, in one reading.
"""

import collections
from dataclasses import dataclass

import numpy as np
import torch

from .._independence import Dependence
from . import aside, crossfit
from .factor import held_out, own_generator
from .filling import dealt
from .fitted import Fitted
from .losses import LOSSES, output_of
from .plan import judged_share, n_aside
from .scaling import Scaling, ends, measure, measure_observed, measure_weighted
from .tables import HELD_CELLS, Picked, Sparse, has_missing, is_large, parts


@dataclass(frozen=True)
class Job:
    """What a fit is asked for.

    Attributes
    ----------
    estimator : estimator
        Its parameters are read, and its hooks `_blueprint`, `_objective` and `_extras`
        called.
    table : table of shape (n_samples, n_features)
        The rows.
    previous : Fitted or None
        What the fit goes on from.
    groups : ndarray of int of shape (n_samples,) or None
        Which rows belong together.
    one_pass : bool
        Whether the rows are gone through once, as a part of many.
    device : torch.device
        Where it trains.
    generator : numpy.random.Generator
        All seeds are drawn from it.
    weights : ndarray of shape (n_samples,) or None
        Of the rows, with a mean of 1.
    n_given : int
        Rows that there were before equal ones were joined.
    """

    estimator: object
    table: object
    previous: Fitted | None
    groups: np.ndarray | None
    one_pass: bool
    device: torch.device
    generator: np.random.Generator
    weights: np.ndarray | None
    n_given: int


@dataclass(frozen=True)
class Survey:
    """What is known of a table before anything is computed with it."""

    scaling: Scaling
    split: aside.Split
    split_seed: int
    picked: np.ndarray | None = None  # (n_aside, n_features), of a large table
    found: Dependence | None = None  # which rows belong together
    cross_fitted: bool = False  # by all rows, rather than judged by some
    missing: bool = False  # whether cells may be
    hidden: np.ndarray | None = None  # (n_samples, n_features), cells that judge


def look_through(job):
    """Draw rows to set aside, and measure the table."""
    estimator, table, previous = job.estimator, job.table, job.previous
    _check_neighbors(job)
    split_seed = previous.split_seed if previous else int(job.generator.integers(2**62))
    n_wanted = 0
    if not job.one_pass:
        n_wanted = n_aside(estimator, table, estimator._is_ordered)
    if _expects_missing(job):
        survey = _look_through_missing(job, split_seed, n_wanted)
    elif is_large(table):
        survey = _look_through_large(job, split_seed, n_wanted)
    else:
        scaling = previous.codec.scaling if previous else _measure(job, parts(table))
        found = None
        if n_wanted:
            found = aside.find(
                *(table, job.groups, split_seed, scaling),
                in_order=estimator.validation_rows == "last",
            )
        cross_fitted = (
            estimator._may_cross_fit
            and not (previous or job.one_pass)
            and crossfit.suits(table.shape, found)
        )
        if cross_fitted:
            n_wanted = 0
        split = aside.split(table, n_wanted, split_seed, found)
        survey = Survey(
            scaling, split, split_seed, found=found, cross_fitted=cross_fitted
        )
    _check_bounds(job, survey.scaling)
    return survey


def _check_neighbors(job):
    """Raise an error if neighbours are asked for where they can't be found."""
    if job.estimator.neighbors is not None and is_large(job.table):
        raise ValueError(
            f"neighbors= needs rows that are held, and X has more than {HELD_CELLS:,} "
            f"cells, which are streamed: fit on a sample of the rows."
        )


def _expects_missing(job):
    """Tell whether cells may be missing, now or in rows to come."""
    estimator = job.estimator
    if job.previous is not None:
        wanted = job.previous.codec.takes_missing
    else:
        asked = estimator.missing == "expect" or estimator.validation_rows == "cells"
        wanted = asked or has_missing(job.table)
    if wanted and is_large(job.table):
        raise ValueError(
            f"X has missing cells and more than {HELD_CELLS:,} cells, which are "
            f"streamed, and a stream takes none: fit on a sample of the rows."
        )
    if wanted and job.one_pass:
        raise ValueError(
            "partial_fit takes no missing cells: factors are fitted to all rows at "
            "once. Use fit, or fill X first."
        )
    return wanted


def _look_through_missing(job, seed, n_wanted):
    """Do so where cells may be missing."""
    estimator, table, previous = job.estimator, job.table, job.previous
    if isinstance(table, Sparse):
        raise ValueError(
            "validation_rows='cells' hides cells of rows that are held dense. Got a "
            "sparse X: give X.toarray(), or take validation_rows='random'."
        )
    output = output_of(estimator.loss, estimator.out_activation)
    scaling = previous.codec.scaling if previous else None
    if scaling is None and job.weights is not None:
        scaling = _measure(job, None)
    elif scaling is None:
        scaling = measure_observed(table, output.bounds is not None, output.clip)
    rows, found, hidden = dealt(table, seed), None, None
    if n_wanted:
        in_order = estimator.validation_rows == "last"
        found = aside.find(rows, job.groups, seed, scaling, in_order=in_order)
    by_cells = estimator.validation_rows == "cells"
    split = aside.split(rows, 0 if by_cells else n_wanted, seed, found)
    if by_cells and n_wanted:
        share, draws = judged_share(estimator), own_generator(seed, "judge")
        hidden = held_out(~np.isnan(table), share, draws)
        if not hidden.any():  # of no column are two cells observed: none can judge
            hidden = None
        elif found is not None:
            split = split._replace(labels=found.labels[hidden.any(axis=1)])
    return Survey(scaling, split, seed, found=found, missing=True, hidden=hidden)


def _look_through_large(job, seed, n_wanted):
    """Do so in one reading, unless rows turn out to be copies of one another."""
    table, previous, found = job.table, job.previous, None
    in_order = job.estimator.validation_rows == "last"
    named = job.groups is not None and not in_order
    if named and n_wanted:
        found = aside.find(table, job.groups, seed, part=())
    split = aside.split(table, n_wanted, seed, found)
    part = np.r_[aside.neighbours(len(table))]
    picked = Picked(np.union1d(split.aside, part))
    blocks = picked.watch(table)
    scaling = previous.codec.scaling if previous else _measure(job, blocks)
    collections.deque(blocks, maxlen=0)  # what a warm start has not measured
    rows = picked[split.aside]
    if n_wanted and not named:
        found = aside.find(table, None, seed, scaling, picked[part], in_order)
        if found is not None:
            split, rows = aside.split(table, n_wanted, seed, found), None
    # Copies of rows set aside don't train.
    without = np.union1d(split.without, picked.twins(split.aside))
    split = split._replace(without=without)
    if 2 * len(without) > len(table):  # few distinct rows, or few groups
        labels = picked.equal_rows()
        if named:
            labels = aside.joined(job.groups, labels)
        found = Dependence(labels, "equal rows")
        split, rows = aside.split(table, n_wanted, seed, found), None
    return Survey(scaling, split, seed, rows)


def _measure(job, blocks):
    """Return the scaling of a table's rows."""
    estimator = job.estimator
    output = output_of(estimator.loss, estimator.out_activation)
    clip = output.clip
    if clip == "found" and job.one_pass:  # rows to come may go on beyond
        clip = None
    if job.weights is not None:
        return measure_weighted(job.table, job.weights, output.bounds is not None, clip)
    return measure(blocks, job.table.dtype, output.bounds is not None, clip)


def _check_bounds(job, scaling):
    """Raise an error if data lie outside of what the output can be."""
    estimator = job.estimator
    bounds = output_of(estimator.loss, estimator.out_activation).bounds
    if bounds is None:
        return
    slack = 1e-6 * (bounds[1] < np.inf)  # MinMaxScaler overshoots by a rounding error
    low, high = scaling.low, scaling.high
    if job.previous is not None:
        low, high = ends(job.table)
    if low < bounds[0] - slack or high > bounds[1] + slack:
        loss = LOSSES[estimator.loss]
        if loss.counts:
            raise ValueError(
                f"loss={estimator.loss!r} takes counts: numbers from 0 on. Got X with "
                f"values from {low:.9g} on."
            )
        name = "loss" if loss.activates else "out_activation"
        raise ValueError(
            f"{name}={getattr(estimator, name)!r} needs X in [{bounds[0]:g}, "
            f"{bounds[1]:g}]. Got values from {low:.9g} to {high:.9g}: "
            f"scale X first, for example by MinMaxScaler(), or choose another "
            f"{name}."
        )
