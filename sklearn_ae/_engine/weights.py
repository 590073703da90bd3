"""Weights of rows: checked, and equal rows made one row with their weights' sum.

A row of weight two is that row twice: so both ways the fit must be the same one. Rows
of weight zero are left out, equal ones joined, and what is left is put into an order
that depends on the rows alone.
"""

import hashlib
from numbers import Real
from typing import NamedTuple

import numpy as np

from .._independence import serial_reach
from .aside import joined, neighbours
from .tables import HELD_CELLS, Sparse, check_observed, chunks, is_large


class Weighted(NamedTuple):
    """A table with what is known of its rows.

    Attributes
    ----------
    table : table of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,), float64, or None
        Their mean is 1. None if all count alike.
    groups : ndarray of int of shape (n_samples,) or None
        Which rows belong together.
    n_given : int
        Rows that there were before equal ones were joined.
    """

    table: object
    weights: np.ndarray | None
    groups: np.ndarray | None
    n_given: int


def checked_weights(sample_weight, n_samples):
    """Check that weights are one for each row, and none below zero.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), number or None
        None stands for ones.
    n_samples : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n_samples,), float64
    """
    if sample_weight is None:
        return np.ones(n_samples)
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight)
    try:
        weights = np.array(sample_weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"sample_weight must hold numbers. Got {sample_weight!r:.100}."
        ) from None
    if weights.ndim != 1 or len(weights) != n_samples:
        raise ValueError(
            f"sample_weight must hold one weight for each of the {n_samples} rows of "
            f"X, in one dimension. Got shape {weights.shape}."
        )
    if not np.isfinite(weights).all() or weights.min(initial=0) < 0:
        worst = weights[~(weights >= 0) | np.isinf(weights)][0]
        raise ValueError(
            f"sample_weight must be finite and not below zero. Got {worst:g}: leave "
            f"rows out by a weight of 0."
        )
    if not weights.any():
        raise ValueError(
            "sample_weight is zero for all rows: at least one must be above zero."
        )
    return weights


def weighted(table, weights, groups, in_order=None, least=2):
    """Leave out rows without weight, and join equal ones.

    Parameters
    ----------
    table : table of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,)
        As `checked_weights` returns them.
    groups : ndarray of int of shape (n_samples,) or None
        Which rows belong together.
    in_order : bool, default=None
        Whether the rows are, as those of a series, and stay as they are. None finds
        out.
    least : int, default=2
        Rows with a weight that there must be.

    Returns
    -------
    Weighted
    """
    if is_large(table):
        raise ValueError(
            f"X has more than {HELD_CELLS:,} cells, which are streamed, and a stream "
            f"takes no sample_weight: fit on rows drawn in proportion to their weights."
        )
    used = np.flatnonzero(weights)
    if len(used) < least:
        raise ValueError(
            f"sample_weight is above 0 for {len(used)} rows of X: a minimum of {least} "
            f"is required."
        )
    table, weights = _rows(table, used), weights[used]
    groups = None if groups is None else groups[used]
    check_observed(table)
    n_given = len(table)
    if in_order is None and groups is None:
        in_order = _seem_in_order(table)
    if not in_order:
        table, weights, groups = _joined(table, weights, groups)
    if len(table) < least:  # all are equal
        twice = np.repeat(np.arange(len(table)), 2)
        table, weights = _rows(table, twice), weights[twice]
        groups = None if groups is None else groups[twice]
    return Weighted(table, weights / weights.mean(), groups, n_given)


def _seem_in_order(table):
    """Tell whether rows are like the next ones."""
    rows = table[neighbours(len(table))]
    return not np.isnan(rows).any() and bool(serial_reach(rows))


def _joined(table, weights, groups):
    """Return the distinct rows, in an order of their own, and sums of weights."""
    marks = np.empty(len(table), dtype=np.uint64)
    for rows in chunks(table):
        block = np.ascontiguousarray(table[rows]) + 0  # -0 becomes 0
        digests = (hashlib.blake2b(row.tobytes(), digest_size=8) for row in block)
        marks[rows] = [int.from_bytes(digest.digest(), "little") for digest in digests]
    _, first, labels = np.unique(marks, return_index=True, return_inverse=True)
    sums = np.bincount(labels, weights)
    if groups is not None:
        groups = joined(groups, labels)[first]
        # Numbered as they come, whatever the order of the rows was.
        _, places, groups = np.unique(groups, return_index=True, return_inverse=True)
        groups = np.argsort(np.argsort(places))[groups]
    return _rows(table, first), sums, groups


def _rows(table, numbers):
    """Return a table of some rows."""
    if isinstance(table, Sparse):
        return Sparse(table.matrix[numbers])
    return table[numbers]
