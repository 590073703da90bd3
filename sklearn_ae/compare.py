"""Reducers head to head, on the same folds and at the same code sizes."""

from numbers import Integral
from time import perf_counter
from warnings import warn

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.parallel import Parallel, delayed

from ._measures import (
    METRICS,
    Fold,
    check_metrics,
    holds_classes,
    need_reconstructions,
)
from ._reducers import (
    check_invertible,
    configured,
    decode,
    dense,
    is_ordered,
    named_sized,
    observed_means,
    shortened,
    take_rows,
)
from ._verdict import conclude, summarize

__all__ = ["METRICS", "compare_reducers", "conclude", "summarize"]


def compare_reducers(
    reducers,
    X,
    y=None,
    *,
    n_components=(2, 4, 8, 16),
    cv=5,
    metrics=None,
    n_jobs=None,
    random_state=None,
    progress=None,
):
    """Compare reducers on held-out data, fold by fold and code size by code size.

    Every reducer sees the same folds, the same random seeds and the same baseline for
    the share of variance explained: the mean of the training rows. A Pipeline is
    measured in the units of its input.

    Parameters
    ----------
    reducers : dict of str to estimator, or list of estimators
        Each is a reducer with an ``n_components`` parameter, or a Pipeline, whose
        last step with such a parameter is varied. An autoencoder with
        ``ordered=True``, alone or as the last step, is fitted once in each fold, for
        all code sizes. Those of a list are named by the
        class of the estimator that is varied: ``"PCA"``, a second one ``"PCA-2"``.
        They are cloned, never fitted.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The data. Cells may be missing (NaN) if each reducer is a Pipeline that fills
        them; they are not measured.
    y : array-like of shape (n_samples,), default=None
        A target to predict from the code: classes, or numbers. Numbers count as
        classes if they are whole and there are at least 5 rows to each distinct value.
        It is also passed to ``fit``.
    n_components : int or sequence of int, default=(2, 4, 8, 16)
        The code sizes. Those above the smaller of training rows and columns are
        dropped with a warning, for all reducers.
    cv : int, cross-validation splitter or iterable of splits, default=5
        A number stands for that many shuffled folds, stratified if `y` holds classes.
    metrics : list of str, default=None
        Names of `METRICS`; by default all, those that need `y` only if it is given.

        - ``explained_variance``: share of variance explained of the test rows.
        - ``mse``: mean squared error per cell, in squared units of `X`.
        - ``trustworthiness``, ``continuity``: of the 5 nearest neighbours, on at most
          1,000 test rows, evenly spaced.
        - ``knn_score``: accuracy (classes) or R² (numbers) on the test rows of the 5
          nearest neighbours in the code as it is.
        - ``linear_score``: the same of a logistic or ridge regression on the
          standardised code.
        - ``fit_seconds``, ``transform_seconds`` (of the test rows): always measured.
          An ordered fit takes the same time for all code sizes, since it is one fit.
    n_jobs : int, default=None
        Fits to run at a time, each in a process of its own; None means 1. Threads are
        shared out among them, so that all together use each core once.
    random_state : int, RandomState instance or None, default=None
        Shuffles the folds, and seeds every reducer whose own ``random_state`` is None.
    progress : callable, default=None
        Called as ``progress(n_done, n_total)`` in this process after each fit, and
        once before the first.

    Returns
    -------
    pandas.DataFrame
        One row per reducer, code size and fold, in that order. Columns: ``reducer``,
        ``n_components``, ``fold``, ``n_train``, ``n_test``, then the metrics.

    Raises
    ------
    ValueError
        If an argument makes no sense, or no code size is left.
    TypeError
        If a reducer has no ``n_components``, or no ``inverse_transform`` where a
        metric needs it.
    RuntimeError
        If a fit fails: it names the reducer, the code size and the fold.

    See Also
    --------
    summarize : Mean differences to a baseline, with confidence intervals.
    sklearn_ae.plotting.ComparisonDisplay : The same as curves.

    Notes
    -----
    A reducer is best judged in the units whose error it minimises. Behind a
    StandardScaler *in a Pipeline* it minimises the error of standardised columns, yet
    is measured in the input's units, where the largest columns count most. To have
    each column count alike, standardise `X` itself.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA, TruncatedSVD
    >>> from sklearn_ae.compare import compare_reducers, summarize
    >>> results = compare_reducers(
    ...     [PCA(), TruncatedSVD()],
    ...     load_iris().data,
    ...     n_components=[1, 2],
    ...     metrics=["explained_variance"],
    ...     random_state=0,
    ... )
    >>> results.groupby(["n_components", "reducer"])["explained_variance"].mean()
    n_components  reducer...
    1             PCA             0.92...
                  TruncatedSVD    0.51...
    2             PCA             0.97...
                  TruncatedSVD    0.97...
    Name: explained_variance, dtype: float64
    >>> summarize(results)[["n_components", "verdict"]]
       n_components               verdict
    0             1                 worse
    1             2  no clear difference
    """
    reducers = named_sized(reducers)
    metrics = check_metrics(metrics, y)
    if need_reconstructions(metrics):
        for reducer in reducers.values():
            check_invertible(reducer)
    X, y, is_classification = _check_data(X, y)

    rng = check_random_state(random_state)
    splits = _splits(cv, X, y, is_classification, rng)
    seeds = rng.randint(np.iinfo(np.int32).max, size=len(splits))
    n_train = min(len(train) for train, _ in splits)
    sizes = usable_sizes(n_components, n_train, X.shape[1])

    folds = range(len(splits))
    fits = [
        delayed(_run)(
            (name, fitted, fold),
            configured(reducer, max(fitted), int(seeds[fold])),
            X,
            y,
            *splits[fold],
            metrics,
            is_classification,
        )
        for name, reducer in reducers.items()
        for fitted in ([sizes] if is_ordered(reducer) else [[size] for size in sizes])
        for fold in folds
    ]
    rows = {}
    for found in _run_all(fits, n_jobs, progress):
        rows |= {(r["reducer"], r["n_components"], r["fold"]): r for r in found}
    return pd.DataFrame(
        [rows[name, k, fold] for name in reducers for k in sizes for fold in folds]
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


def _check_data(X, y):
    """Return the table, of which rows can be picked, the target and what it holds."""
    if issparse(X):
        X = X.tocsr()  # rows can be picked from that
    elif not hasattr(X, "shape"):
        X = np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(f"X must be a table of rows and columns. Got shape {X.shape}.")
    if y is None:
        return X, None, False
    y = column_or_1d(y)
    check_consistent_length(X, y)
    return X, y, holds_classes(y)


def _splits(cv, X, y, is_classification, rng):
    if isinstance(cv, Integral):
        if is_classification:
            if np.unique(y, return_counts=True)[1].max() < cv:
                raise ValueError(
                    f"No class of y has {cv} rows, one for each fold: lower cv, or "
                    "leave y out if it names the rows rather than classes."
                )
            cv = StratifiedKFold(cv, shuffle=True, random_state=rng)
        else:
            cv = KFold(cv, shuffle=True, random_state=rng)
    splits = check_cv(cv, y, classifier=is_classification).split(X, y)
    return [(np.asarray(train), np.asarray(test)) for train, test in splits]


def _run_all(fits, n_jobs, progress):
    """Yield what each fit found, as they end."""
    if progress is not None:
        progress(0, len(fits))
    try:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    except ValueError:  # Ray's gives all results at the end
        parallel = Parallel(n_jobs=n_jobs)
    for n_done, found in enumerate(parallel(fits), 1):
        yield found
        if progress is not None:
            progress(n_done, len(fits))


def _run(task, reducer, X, y, train, test, metrics, is_classification):
    """Fit a reducer once; return a row for each code size that this serves."""
    name, sizes, number = task
    X_train, X_test = take_rows(X, train), take_rows(X, test)
    y_train, y_test = (None, None) if y is None else (y[train], y[test])
    # Missing cells are not judged: there, rows and reconstructions are the mean.
    mean = observed_means(dense(X_train, "X", missing=True))
    measured = dense(X_test, "X", missing=True)
    missing = np.isnan(measured)
    shared = {
        "X_test": np.where(missing, mean, measured),
        "mean": mean,
        "observed": float(1 - missing.mean()),
        "y_train": y_train,
        "y_test": y_test,
        "is_classification": is_classification,
    }
    rows, size = [], max(sizes)
    try:
        start = perf_counter()
        reducer.fit(X_train, y_train)
        seconds = perf_counter() - start
        for size in sizes:
            sized = shortened(reducer, size) if is_ordered(reducer) else reducer
            codes = _codes(sized, X_train, X_test, metrics)
            if missing.any() and codes["X_reconstructed"] is not None:
                back = dense(codes["X_reconstructed"], "the reconstruction")
                codes["X_reconstructed"] = np.where(missing, mean, back)
            fold = Fold(fit_seconds=seconds, **codes, **shared)
            row = {"reducer": name, "n_components": size, "fold": number}
            row |= {"n_train": len(train), "n_test": len(test)}
            row |= {metric: METRICS[metric].compute(fold) for metric in metrics}
            rows.append(row)
    except Exception as error:
        raise RuntimeError(
            f"{name} with n_components={size} failed in fold {number}: "
            f"{type(error).__name__}: {error}"
        ) from error
    return rows


def _codes(reducer, X_train, X_test, metrics):
    """Return what a fitted reducer makes of the rows."""
    start = perf_counter()
    code_test = reducer.transform(X_test)
    seconds = perf_counter() - start
    X_reconstructed = None
    if need_reconstructions(metrics):
        X_reconstructed = decode(reducer, code_test)
    return {
        "X_reconstructed": X_reconstructed,
        "code_train": dense(reducer.transform(X_train), "the code"),
        "code_test": dense(code_test, "the code"),
        "transform_seconds": seconds,
    }
