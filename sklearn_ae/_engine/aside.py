"""Which rows judge: rows set aside for validation, of which none is a copy.

A row that has its equal, a near-copy or its neighbour in a series among the training
rows is no evidence. So whole groups are set aside, and a group counts once.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .._independence import (
    Dependence,
    equal_rows,
    find_dependence,
    serial_reach,
)
from .caller import warn_caller
from .tables import is_large

SEARCHED_CELLS = 2**20  # cells of a table that is searched for near-copies as a whole
SEARCHED_ROWS = 2000  # neighbouring rows that are searched of a larger one
FEWEST_GROUPS = 20  # set aside, or a quarter of all where that is fewer


class Split(NamedTuple):
    """Row numbers of a table.

    Attributes
    ----------
    aside : ndarray of int
        Set aside; sorted where the table is large.
    train : ndarray of int or None
        Those to train on; None for all others, in the order of the table.
    without : ndarray of int
        Sorted: those not to train on, the rows set aside among them.
    labels : ndarray of int of shape (n_aside,) or None
        What of the rows set aside counts once; None where each row does.
    """

    aside: np.ndarray
    train: np.ndarray | None
    without: np.ndarray
    labels: np.ndarray | None


def split(table, n_aside, seed, found=None):
    """Draw rows that are set aside.

    Parameters
    ----------
    table : table of shape (n_samples, n_features)
    n_aside : int
        How many at least; of a large table no more.
    seed : int
        The same seed draws the same rows of a table.
    found : Dependence, default=None
        Which rows belong together.

    Returns
    -------
    Split
    """
    n_samples, rng = len(table), np.random.default_rng(seed)
    if not n_aside:
        return Split(np.arange(0), None, np.arange(0), None)
    if found is None:
        if is_large(table):
            aside = np.sort(rng.choice(n_samples, n_aside, replace=False))
            return Split(aside, None, aside, None)
        order = rng.permutation(n_samples)
        aside = order[:n_aside]
        return Split(aside, order[n_aside:], np.sort(aside), None)
    if found.kind == "rows in order":
        end = _the_end(n_samples, n_aside, found.reach)
        return end if is_large(table) else _without_equals(end, equal_rows(table))
    chosen = _whole_groups(found.labels, n_aside, rng)
    if not chosen.any():  # all are one group: its rows count once, and prove nothing
        chosen[rng.choice(n_samples, n_aside, replace=False)] = True
    aside = without = np.flatnonzero(chosen)
    train = rng.permutation(np.flatnonzero(~chosen))
    if is_large(table):  # not all rows of large groups can be held
        aside = np.sort(rng.choice(without, n_aside, replace=False))
    return Split(aside, train, without, found.labels[aside])


def _the_end(n_samples, n_aside, reach):
    """Set the last rows aside; leave those just before them out."""
    first = n_samples - n_aside
    last = max(first - reach, min(first, 2))  # something must be left to train on
    # Rows within reach of one another count once.
    labels = np.arange(n_aside) // max(1, reach)
    aside = np.arange(first, n_samples)
    return Split(aside, np.arange(last), np.arange(last, n_samples), labels)


def _without_equals(split, equal):
    """Don't train on what equals a row set aside."""
    if equal is None:
        return split
    train = split.train[~np.isin(equal[split.train], equal[split.aside])]
    if len(train) < 2:  # then the rows set aside prove nothing
        return split._replace(labels=np.zeros_like(split.labels))
    without = np.setdiff1d(np.arange(len(equal)), train)
    return split._replace(train=train, without=without)


def _whole_groups(labels, n_aside, rng):
    """Return which rows are set aside: whole groups, drawn at random, all but one."""
    _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = rng.permutation(len(sizes))
    rows = np.cumsum(sizes[order])
    wanted = 1 + np.searchsorted(rows, n_aside)  # groups that hold so many rows
    wanted = max(wanted, min(FEWEST_GROUPS, len(sizes) // 4))
    # Of few or unequal groups no more than half the rows, where that is possible.
    half = max(1, np.searchsorted(rows, len(labels) / 2, side="right"))
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[order[: min(wanted, half, len(sizes) - 1)]] = True
    return chosen[labels]


def find(table, groups, seed, scaling=None, part=None, in_order=False):
    """Find out which rows of a table belong together.

    Parameters
    ----------
    table : table of shape (n_samples, n_features)
    groups : ndarray of int of shape (n_samples,) or None
        What the user says of it.
    seed : int
        Of the sample that is looked at.
    scaling : Scaling, default=None
        Of the table: near-copies are looked for in rows as the network reads them.
    part : ndarray of shape (n_rows, n_features), default=None
        The rows of `neighbours` of a large table, which is not read for this.
    in_order : bool, default=False
        Whether the user says that the rows are.

    Returns
    -------
    Dependence or None
        None if each row stands for itself. Equal rows always belong together, but in
        a large table: see `Picked.twins`.

    Warns
    -----
    UserWarning
        If it was for the user to say.
    """
    if in_order:
        rows = table[neighbours(len(table))] if part is None else part
        reach = serial_reach(_read(rows, scaling))
        return Dependence(np.arange(len(table)), "rows in order", reach)
    equal = None if part is not None else equal_rows(table)
    if groups is not None:
        return Dependence(joined(groups, equal), "groups")
    n_samples, n_features = table.shape
    if part is None and n_samples * n_features <= SEARCHED_CELLS:
        found = find_dependence(_read(table, scaling), seed % 2**32)
    else:
        part = table[neighbours(n_samples)] if part is None else part
        found = find_dependence(_read(part, scaling), seed % 2**32)
        found = _spread(found, n_samples)
        if found is None and equal is not None:
            found = Dependence(equal, "equal rows")
    if found is not None and found.kind != "equal rows":
        what = {
            "near-copies": "have near-copies among the others",
            "rows in order": "are like the rows next to them, as in a time series",
        }[found.kind]
        warn_caller(
            f"Rows of X {what}: these are set aside for validation together and count "
            f"as one. Say by groups which rows belong together.",
            UserWarning,
        )
    return found


def _read(rows, scaling):
    rows = rows[:]  # sparse ones too are looked at as dense
    return rows if scaling is None else scaling.apply(rows, np.float32)


def neighbours(n_samples):
    """Return the rows that stand for a table too large to be searched: a slice."""
    first = (n_samples - min(SEARCHED_ROWS, n_samples)) // 2
    return slice(first, min(first + SEARCHED_ROWS, n_samples))


def _spread(found, n_samples):
    """Return what was found of neighbouring rows for all: runs of as many rows.

    Near-copies that stand anywhere have some among rows that were not searched: all are
    one group then, and prove nothing.
    """
    if found is None or found.kind == "equal rows":
        return None
    run = max(found.reach, _longest_run(found.labels))
    if found.kind == "near-copies" and run > len(found.labels) // 4:
        run = n_samples
    return Dependence(np.arange(n_samples) // run, found.kind, found.reach)


def _longest_run(labels):
    """Return over how many rows the rows of one label are spread."""
    _, first = np.unique(labels, return_index=True)
    _, last = np.unique(labels[::-1], return_index=True)
    return int((len(labels) - last - first).max())


def joined(groups, equal):
    """Return groups such that equal rows are in one, whatever else is with them.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
    equal : ndarray of int of shape (n_samples,) or None
        A label for each distinct row.

    Returns
    -------
    ndarray of int of shape (n_samples,)
    """
    _, groups = np.unique(groups, return_inverse=True)
    if equal is None:
        return groups
    n_groups = groups.max() + 1
    size = n_groups + equal.max() + 1
    edges = np.ones(len(groups)), (groups, n_groups + equal)
    _, labels = connected_components(coo_array(edges, shape=(size, size)), False)
    return labels[groups]
