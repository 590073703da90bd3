"""Folds whose held-out rows are new: no copy of one stands among the training rows."""

from numbers import Integral
from warnings import warn

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from ._independence import find_dependence, splits_in_order

# Of held-out rows with copies among the training rows, or the next row: a warning.
_SHARED = {"equal rows": 0.05, "near-copies": 0.05, "rows in order": 0.3}
_OWN_WORDS = {
    "equal rows": "have their equals",
    "near-copies": "have near-copies of themselves",
    "rows in order": "have the rows next to them in a series",
}


def make_splits(cv, X, y, is_classification, groups, rng):
    """Return the splits of a comparison, and which rows belong together in them.

    Parameters
    ----------
    cv : int, cross-validation splitter or iterable of splits
        A number stands for that many shuffled folds that share no group, and no equal
        rows, near-copies or neighbours in a series; stratified if y holds classes.
        Others are asked as they are; a warning says what their folds share.
    X : ndarray of shape (n_samples, n_features)
        The rows, dense.
    y : ndarray of shape (n_samples,) or None
        The target.
    is_classification : bool
        Whether it holds classes.
    groups : ndarray of shape (n_samples,) or None
        Which rows belong together; None to look for it.
    rng : RandomState
        Shuffles the folds.

    Returns
    -------
    splits : list of (ndarray, ndarray)
        Training and held-out rows.
    groups : ndarray of shape (n_samples,) or None
        Those given or found; None if the rows are in order.
    """
    if not isinstance(cv, Integral):
        splits = check_cv(cv, y, classifier=is_classification).split(X, y, groups)
        splits = [(np.asarray(train), np.asarray(test)) for train, test in splits]
        if groups is None:
            _warn_of_shared(splits, find_dependence(X, 0))
        return splits, groups
    if is_classification and np.unique(y, return_counts=True)[1].max() < cv:
        raise ValueError(
            f"No class of y has {cv} rows, one for each fold: lower cv, or "
            "leave y out if it names the rows rather than classes."
        )
    found = find_dependence(X, 0) if groups is None else None
    if found is not None and found.kind == "rows in order":
        _tell_of_order(found, cv)
        return splits_in_order(cv, X, found.reach), None  # the fits see it themselves
    if found is not None:
        groups = found.labels
        _tell(found, cv)
    if groups is not None:
        _check_groups(groups, cv, found)
    options = {"shuffle": True, "random_state": rng}
    if groups is None:
        folds = StratifiedKFold if is_classification else KFold
        splits = folds(cv, **options).split(X, y)
    elif is_classification:
        splits = StratifiedGroupKFold(cv, **options).split(X, y, groups)
    else:  # folds of equal size, which its shuffled ones are not
        _, place = np.unique(groups, return_inverse=True)
        names = rng.permutation(place.max() + 1)
        splits = GroupKFold(cv).split(X, y, names[place])
    return list(splits), groups


def _tell_of_order(found, cv):
    warn(
        "The rows of X are in order: each is like the next, as in a time series. Held "
        f"out are therefore {cv} stretches of rows, with a gap of {found.reach} rows "
        "on both sides. If order means nothing, name what belongs together by groups; "
        "to judge by later rows only, give cv=TimeSeriesSplit(gap=...).",
        stacklevel=4,
    )


def _tell(found, cv):
    """Say that folds are made of near-copies, which was for the user to say."""
    if found.kind == "near-copies":
        n_groups = len(np.unique(found.labels))
        warn(
            f"Many of the {len(found.labels)} rows of X are near-copies of others: "
            f"they look like {n_groups} groups, such as repeated measurements or "
            f"resampled rows. Each of these stays on one side of the {cv} folds. Say "
            "by groups which rows belong together.",
            stacklevel=4,
        )


def _check_groups(groups, cv, found):
    n_groups = len(np.unique(groups))
    if n_groups >= cv:
        return
    if found is None:
        raise ValueError(
            f"groups must name {cv} groups or more, one for each fold (cv). Got "
            f"{n_groups}."
        )
    what = "distinct rows" if found.kind == "equal rows" else "groups of near-copies"
    raise ValueError(
        f"The {what} of X, {n_groups}, are too few for {cv} folds that share none: "
        "lower cv, or give a splitter such as KFold, which lets copies stand on both "
        "sides."
    )


def _warn_of_shared(splits, found):
    """Warn if held-out rows of splits that were given are no new ones."""
    if found is None:
        return
    shares = []
    for train, test in splits:
        if found.kind == "rows in order":
            shared = np.isin(test, [train - 1, train + 1])
        else:
            shared = np.isin(found.labels[test], found.labels[train])
        shares.append(np.mean(shared))
    if np.mean(shares) > _SHARED[found.kind]:
        warn(
            f"Held-out rows {_OWN_WORDS[found.kind]} among the training rows, and are "
            "no new rows to judge by: name what belongs together by groups, and give a "
            "number or a splitter that heeds it, such as GroupKFold, as cv.",
            stacklevel=4,
        )


def usable_sizes(n_components, n_train, n_features):
    """Check code sizes; drop with a warning those above a table's limit.

    Parameters
    ----------
    n_components : int or sequence of int
        The code sizes asked for.
    n_train, n_features : int
        Rows of the smallest training fold, and columns.

    Returns
    -------
    list of int
        Those that PCA can take, each once, in their order.
    """
    sizes = [n_components] if isinstance(n_components, Integral) else n_components
    sizes = list(dict.fromkeys(sizes))
    bad = [size for size in sizes if not isinstance(size, Integral) or size < 1]
    if bad or not sizes:
        raise ValueError(
            "n_components must be one or more whole numbers of at least 1. "
            f"Got {n_components!r} instead."
        )
    limit = min(n_train, n_features)
    reason = f"the smaller of {n_train} training rows and {n_features} columns"
    kept = [int(size) for size in sizes if size <= limit]
    dropped = ", ".join(str(size) for size in sizes if size > limit)
    if not kept:
        raise ValueError(
            f"Every code size in n_components ({dropped}) is above the limit of "
            f"{limit}, {reason}; give a smaller one."
        )
    if dropped:
        warn(
            f"Dropping n_components {dropped}: above the limit of {limit}, {reason}.",
            stacklevel=3,
        )
    return kept
