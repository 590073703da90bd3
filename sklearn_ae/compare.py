"""Reducers head to head, on the same folds and at the same code sizes."""

import warnings
from time import perf_counter

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import has_fit_parameter

from ._far import ADVICE, has_cancelled, steadied
from ._folds import make_splits, usable_sizes
from ._independence import checked_groups
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
    innermost,
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
    groups=None,
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
        The data. Cells may be missing (NaN) if each reducer takes them, as an
        autoencoder does, or is a Pipeline that fills them; they are not measured.
    y : array-like of shape (n_samples,), default=None
        A target to predict from the code: classes, or numbers. Numbers count as
        classes if they are whole and there are at least 5 rows to each distinct value.
        It is also passed to ``fit``.
    n_components : int or sequence of int, default=(2, 4, 8, 16)
        The code sizes. Those above the smaller of training rows and columns are
        dropped with a warning, for all reducers.
    cv : int, cross-validation splitter or iterable of splits, default=5
        A number stands for that many shuffled folds, stratified if `y` holds classes.
        Rows of a group, or else equal rows, stay on one side of each. So do near-copies
        if many rows have such, and rows of a series are held out in stretches, with
        gaps: a warning says so. A splitter splits as it does; a warning tells if
        copies of held-out rows are among the training rows.
    groups : array-like of shape (n_samples,), default=None
        Which rows belong together, such as those of one patient: rows of one group
        never stand on both sides of a fold. Also passed to ``fit`` of reducers that
        take it, alone or as the last step of a Pipeline.
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
        ``n_components``, ``fold``, ``n_train``, ``n_test``, then the metrics; and if
        one of them is an autoencoder, ``kept_start``: whether training gained nothing,
        so that the start, PCA, was kept. ``attrs["ordered"]`` names those with one fit
        for all code sizes.

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
                  TruncatedSVD    0.5...
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
    X, y, groups, is_classification = _check_data(X, y, groups)

    rng = check_random_state(random_state)
    rows = dense(X, "X", missing=True)
    rows = np.where(np.isnan(rows), observed_means(rows), rows)
    splits, groups = make_splits(cv, rows, y, is_classification, groups, rng)
    reducers, X = steadied(reducers, X, rows)
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
            groups,
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
    results = pd.DataFrame(
        [rows[name, k, fold] for name in reducers for k in sizes for fold in folds]
    )
    if "kept_start" in results:  # not of reducers that have no start to keep
        results["kept_start"] = results["kept_start"].eq(True)
    results.attrs["ordered"] = [name for name in reducers if is_ordered(reducers[name])]
    return results


def _check_data(X, y, groups):
    """Return the arguments as tables and arrays, and whether y holds classes."""
    if issparse(X):
        X = X.tocsr()  # rows can be picked from that
    elif not hasattr(X, "shape"):
        X = np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(f"X must be a table of rows and columns. Got shape {X.shape}.")
    y = None if y is None else column_or_1d(y)
    check_consistent_length(X, y)
    groups = None if groups is None else checked_groups(groups, X)
    return X, y, groups, y is not None and holds_classes(y)


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


def _run(task, reducer, X, y, groups, train, test, metrics, is_classification):
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
        _fit(reducer, X_train, y_train, _fit_params(reducer, groups, train))
        seconds = perf_counter() - start
        if has_cancelled(reducer, X_train):
            raise ValueError(f"it has too few digits: {ADVICE}")
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
            model, _ = innermost(sized)
            if hasattr(model, "best_iter_"):
                row["kept_start"] = model.best_iter_ == 0
            rows.append(row)
    except Exception as error:
        raise RuntimeError(
            f"{name} with n_components={size} failed in fold {number}: "
            f"{type(error).__name__}: {error}"
        ) from error
    return rows


def _fit(reducer, X, y, fit_params):
    # A Pipeline is given groups by the name of its step, which routing forbids.
    with config_context(enable_metadata_routing=False), warnings.catch_warnings():
        # Said of the whole table already, rather than once for each fit.
        warnings.filterwarnings("ignore", "Rows of X are like the rows next to them")
        reducer.fit(X, y, **fit_params)


def _fit_params(reducer, groups, train):
    """Return the groups of the training rows as `fit` takes them, if it does."""
    name, last = "groups", reducer
    while isinstance(last, Pipeline):
        step, last = last.steps[-1]
        name = f"{step}__{name}"
    if groups is None or not has_fit_parameter(last, "groups"):
        return {}
    return {name: groups[train]}


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
