"""Rows that are no evidence of one another: equal, near-copies, or next in a series.

Whoever judges a model on rows set aside takes them for new. A copy of a training row is
not. Functions of arrays: nothing here knows a model.

Near-copies are found by what independent rows can't do. Around a row of a smooth
density in m dimensions the volumes of the balls that reach its k-th neighbours grow
like a Poisson process, so that k m log(d[k + 1] / d[k]) is drawn from Exp(1), whatever
k, the scale or the density. A row with k near-copies has a gap after the k-th
neighbour: 20 where chance gives 7 at most. Rows that have such a gap are counted.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

_HASHED = 2**22  # cells that are copied at a time
_QUERIES = 300  # rows whose neighbours are looked at
_MOST_COPIES = 60  # of one row
_FEWEST_GROUPS = 12  # fewer are modes of a distribution rather than copies
_SHARE, _FEWEST = 0.15, 8  # of rows with near-copies, from which on they count
_FEW_VALUES = 20  # a column of fewer has gaps of its own
_FEWEST_IN_ORDER = 100  # rows that can show an order
_MOST_SHIFT = 10  # columns from one window of a series to the next
_BLOCKS = 10  # that rows in order are cut into


@dataclass(frozen=True)
class Dependence:
    """Which rows belong together, and why."""

    labels: np.ndarray  # (n_samples,): rows of one label belong together
    kind: str  # "equal rows", "near-copies" or "rows in order"
    reach: int = 0  # rows to leave out on both sides, if they are in order


def find_dependence(X, random_state=None):
    """Look for rows that are no evidence of one another.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows, finite.
    random_state : int, RandomState instance or None, default=None
        Draws the sample that is looked at.

    Returns
    -------
    Dependence or None
        Near-copies, equal ones among them; or rows in order; or equal rows; or
        nothing found.
    """
    copies, reach = near_copies(X, random_state), serial_reach(X)
    # Copies that stand one below the other are alike in order, too.
    in_runs = copies is not None and np.mean(copies[1:] == copies[:-1]) > 0.3
    if copies is not None and (in_runs or not reach):
        return Dependence(copies, "near-copies")
    if reach:
        return Dependence(blocks(len(X)), "rows in order", reach)
    labels = equal_rows(X)
    return None if labels is None else Dependence(labels, "equal rows")


def checked_groups(groups, X):
    """Check that groups name what each row belongs to.

    Parameters
    ----------
    groups : array-like of shape (n_samples,)
        Labels of one kind, such as numbers or texts.
    X : table of shape (n_samples, n_features)
        The rows.

    Returns
    -------
    ndarray of shape (n_samples,)
        The labels as they are.

    Raises
    ------
    ValueError
        If there is not one label for each row.
    """
    groups = np.asarray(groups)
    if groups.ndim == 2 and groups.shape[1] == 1:
        groups = groups[:, 0]
    if groups.shape != (X.shape[0],):
        raise ValueError(
            f"groups must hold one label for each of the {X.shape[0]} rows of X. Got "
            f"shape {groups.shape}."
        )
    try:
        named = not (groups.dtype.kind == "f" and np.isnan(groups).any())
        np.unique(groups)
    except TypeError:  # None, or texts beside numbers, have no order
        named = False
    if not named:
        raise ValueError(
            "groups must hold labels of one kind, none of them missing: give a row "
            "that belongs to no group a label of its own."
        )
    return groups


def equal_rows(X):
    """Return a label for each distinct row, or None if all are distinct.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        The rows. Equal are those of the same bytes (0 and -0 count as one).

    Returns
    -------
    ndarray of int of shape (n_samples,) or None
        Numbered as they first appear.
    """
    hashes = np.empty(len(X), dtype=np.int64)
    step = max(1, _HASHED // max(X.shape[1], 1))
    for start in range(0, len(X), step):
        part = slice(start, start + step)
        block = np.ascontiguousarray(X[part]) + 0  # -0 becomes 0
        hashes[part] = [hash(row.tobytes()) for row in block]
    _, first, labels = np.unique(hashes, return_index=True, return_inverse=True)
    if len(first) == len(X):
        return None
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[labels.ravel()]


def near_copies(X, random_state=None):
    """Return a label for each cluster of near-copies, or None if there are none.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows, finite. Columns count alike; those of few values do not count.
    random_state : int, RandomState instance or None, default=None
        Draws the sample that is looked at.

    Returns
    -------
    ndarray of int of shape (n_samples,) or None
        A row without copies has a label of its own; equal rows have one label.
    """
    rows, place = _distinct(_standardized(np.asarray(X)))
    most = min(_MOST_COPIES, len(rows) // _FEWEST_GROUPS)
    if rows.shape[1] == 0 or most < 2:
        return None
    sample = check_random_state(random_state).permutation(len(rows))[:_QUERIES]
    _, strength, _ = _gaps(rows, sample, most)
    if np.sum(strength > 1) < max(_FEWEST, _SHARE * len(strength)):
        return None
    return _clusters(rows, most)[place]


def serial_reach(X):
    """Return over how many rows neighbours in order are alike, or 0.

    Rows in any order, sorted by class too, differ from the next as much as from the
    sixth after it. Those of a time series differ less, and windows of one series that
    overlap are nearly the next one's columns, shifted.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows, finite, in the order in which they came.

    Returns
    -------
    int
        Rows to leave out between those that are fitted and those that judge: at most
        a twentieth of all. 0 if the order says nothing.
    """
    rows, _ = _distinct(_standardized(np.asarray(X)))
    if len(rows) < _FEWEST_IN_ORDER:
        return 0
    steps = np.diff(rows, axis=0)  # a table sorted by a column is no time series
    rows = rows[:, (steps.min(axis=0) < 0) & (steps.max(axis=0) > 0)]
    if rows.shape[1] == 0:
        return 0
    shifts = range(1 + min(rows.shape[1] // 8, _MOST_SHIFT))
    alike = [shift for shift in shifts if _alike(rows, shift)]
    if not alike:
        return 0
    most = len(X) // 20
    overlap = max(rows.shape[1] // shift if shift else 0 for shift in alike)
    return min(most, max(overlap, _lag_of_strangers(rows, most)))


def blocks(n_samples):
    """Return labels that cut rows in order into blocks.

    Parameters
    ----------
    n_samples : int
        How many rows.

    Returns
    -------
    ndarray of int of shape (n_samples,)
    """
    return np.arange(n_samples) * _BLOCKS // n_samples


def apart(train, test, reach):
    """Return the training rows that are more than `reach` rows from all test rows.

    Parameters
    ----------
    train, test : ndarray of int
        Places of rows.
    reach : int
        What `serial_reach` returned.

    Returns
    -------
    ndarray of int
    """
    if not reach:
        return train
    test = np.sort(test)
    after = np.searchsorted(test, train)
    to_next = np.abs(test[np.minimum(after, len(test) - 1)] - train)
    to_last = np.abs(test[np.maximum(after - 1, 0)] - train)
    return train[np.minimum(to_next, to_last) > reach]


def splits_in_order(n_folds, X, reach):
    """Return folds of rows one after the other, with gaps, that share no equal rows.

    Parameters
    ----------
    n_folds : int
    X : ndarray of shape (n_samples, n_features)
        The rows, in order.
    reach : int
        Rows to leave out on both sides of those held out.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and held-out rows.
    """
    equal = equal_rows(X)
    splits = []
    for train, test in KFold(n_folds).split(X):
        train = apart(train, test, reach)
        if equal is not None:
            train = train[~np.isin(equal[train], equal[test])]
        splits.append((train, test))
    return splits


def _standardized(X):
    """Return the columns of more than a few values, each with mean 0 and spread 1."""
    few = min(_FEW_VALUES, len(X) / 4)
    some = X[:: 1 + len(X) // 1000]
    n_values = 1 + np.count_nonzero(np.diff(np.sort(some, axis=0), axis=0), axis=0)
    X = X[:, n_values > few].astype(np.float64)
    X = X - X.mean(axis=0)
    spread = X.std(axis=0)
    return X[:, spread > 0] / spread[spread > 0]


def _distinct(rows):
    """Return the distinct rows as they first appear, and the place of each row there.

    Rows that are equal have no distance to compare with.
    """
    equal = equal_rows(rows)
    if equal is None:
        return rows, slice(None)
    return rows[np.unique(equal, return_index=True)[1]], equal


def _gaps(rows, queries, most):
    """Return neighbours of some rows, and the largest gap between these.

    Returns
    -------
    near : ndarray of shape (n_queries, most), the neighbours, nearest first
    strength : ndarray of shape (n_queries,), of the largest gap, above 1 beyond chance
    n_inside : ndarray of shape (n_queries,), the neighbours nearer than the gap
    """
    neighbors = NearestNeighbors(n_neighbors=most + 2).fit(rows)
    d, near = neighbors.kneighbors(rows[queries])
    d = np.maximum(d[:, 1:], 1e-9)  # without the row itself; not below rounding
    k = np.arange(1, most + 1)
    growth = k * np.log(d[:, 1:] / d[:, :-1])  # (n_queries, most), Exp(1) / dimension
    # The mean of what is drawn from Exp(1) and cut at its 90% quantile is 0.9.
    typical = np.minimum(growth, np.quantile(growth, 0.9)).mean() / 0.9
    # By chance it is above 1 in one row of 400 for k = 1, and more rarely for others.
    strength = growth / max(typical, 1e-9) / (6 + 1.5 * np.log(k))
    return near[:, 1:-1], strength.max(axis=1), strength.argmax(axis=1) + 1


def _clusters(rows, most):
    """Return labels: the clearest clusters first, the rest to the nearest centre."""
    near, strength, n_inside = _gaps(rows, slice(None), most)
    labels, centres, radii = np.full(len(rows), -1), [], []
    for row in np.argsort(-strength, kind="stable"):
        if strength[row] < 0.5 or labels[row] >= 0:  # weaker ones, now we know of some
            continue
        members = np.append(near[row, : n_inside[row]], row)
        free = members[labels[members] < 0]
        if len(free) <= max(1, 0.7 * len(members)):
            continue
        centre = rows[free].mean(axis=0)
        radius = np.linalg.norm(rows[free] - centre, axis=1).max()
        if strength[row] < 1 and radius > 2 * np.median(radii):
            continue
        labels[free] = len(centres)
        centres.append(centre)
        radii.append(radius)
    centres, typical = np.array(centres), np.median(radii)
    radii = np.clip(radii, typical, 2 * typical)
    for row in np.flatnonzero(labels < 0):
        away = np.linalg.norm(centres - rows[row], axis=1) / radii
        if away.min() <= 1.2:
            labels[row] = away.argmin()
    alone = labels < 0
    labels[alone] = len(centres) + np.arange(alone.sum())
    return labels


def _alike(rows, shift):
    """Tell whether rows are more like the next than like the sixth after it.

    With a shift, the next is compared as if its columns began that much earlier.
    """
    n_features = rows.shape[1] - shift
    here = np.arange(0, len(rows) - 6, max(2, len(rows) // 2000))

    def log_distance(lag):
        gap = rows[here, shift:] - rows[here + lag, :n_features]
        return np.log(np.einsum("ij,ij->i", gap, gap) / n_features + 1e-12)

    less = log_distance(1) - log_distance(6)
    error = np.std(np.clip(less, -2, 2)) / np.sqrt(len(less) / 3)
    return np.median(less) < -0.1 and np.median(less) < -6 * error


def _lag_of_strangers(rows, most):
    """Return the lag from which on rows differ as much as any, or `most`."""
    here = np.arange(0, len(rows) - most, max(1, len(rows) // 2000))
    lags = np.unique(np.geomspace(1, most, 20).astype(int))
    apart_by = [
        np.median(np.square(rows[here + lag] - rows[here]).sum(axis=1)) for lag in lags
    ]
    return int(lags[np.argmax(np.array(apart_by) > 0.9 * max(apart_by))])
