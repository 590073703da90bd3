"""Reducers head to head, on the same folds and at the same code sizes.

To add a metric: a function of a :class:`_Fold` and a row in `METRICS`. The tests, the
summary and the plots take it from there.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from time import perf_counter
from warnings import warn

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from scipy.stats import t as student_t
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.parallel import Parallel, delayed

from .metrics import (
    _check_invertible,
    _decode,
    _dense,
    continuity,
    explained_variance_share,
    reconstruction_mse,
    trustworthiness,
)

__all__ = ["METRICS", "compare_reducers", "conclude", "summarize"]

_MAX_ROWS_OF_NEIGHBORS = 1000  # trustworthiness takes time and memory in their square


@dataclass
class _Fold:
    """What one reducer made of one fold: all that a metric may look at."""

    X_test: np.ndarray  # (n_test, n_features), float64
    X_reconstructed: object  # like X_test; None if no metric needs it
    mean: np.ndarray  # (n_features,), of the training rows
    code_train: np.ndarray  # (n_train, n_components)
    code_test: np.ndarray  # (n_test, n_components)
    y_train: object  # (n_train,) or None
    y_test: object
    is_classification: bool
    fit_seconds: float
    transform_seconds: float


def _explained_variance(fold):
    return explained_variance_share(fold.X_test, fold.X_reconstructed, mean=fold.mean)


def _mse(fold):
    return reconstruction_mse(fold.X_test, fold.X_reconstructed)


def _neighborhoods(measure, fold):
    n = len(fold.X_test)
    rows = np.linspace(0, n - 1, min(n, _MAX_ROWS_OF_NEIGHBORS)).astype(int)
    n_neighbors = min(5, (len(rows) - 1) // 2)  # the measures want less than half
    if n_neighbors < 1:
        return np.nan
    code = fold.code_test[rows]
    return float(measure(fold.X_test[rows], code, n_neighbors=n_neighbors))


def _trustworthiness(fold):
    return _neighborhoods(trustworthiness, fold)


def _continuity(fold):
    return _neighborhoods(continuity, fold)


def _knn_score(fold):
    knn = KNeighborsClassifier if fold.is_classification else KNeighborsRegressor
    return _predict(fold, knn(min(5, len(fold.code_train))))


def _linear_score(fold):
    linear = LogisticRegression(max_iter=1000) if fold.is_classification else Ridge()
    return _predict(fold, make_pipeline(StandardScaler(), linear))


def _predict(fold, model):
    if len(fold.y_test) < 2 and not fold.is_classification:
        return np.nan  # R² of a single row is undefined
    model.fit(fold.code_train, fold.y_train)
    return float(model.score(fold.code_test, fold.y_test))


@dataclass(frozen=True)
class Metric:
    """A row of `METRICS`: what a column of the comparison holds."""

    label: str
    compute: Callable
    greater_is_better: bool = True
    needs: str = ""  # "reconstruction", "y" or nothing


METRICS = {
    "explained_variance": Metric(
        "share of variance explained", _explained_variance, needs="reconstruction"
    ),
    "mse": Metric(
        "mean squared error per cell",
        _mse,
        greater_is_better=False,
        needs="reconstruction",
    ),
    "trustworthiness": Metric("trustworthiness", _trustworthiness),
    "continuity": Metric("continuity", _continuity),
    "knn_score": Metric("k-NN score on the code", _knn_score, needs="y"),
    "linear_score": Metric("linear score on the code", _linear_score, needs="y"),
    "fit_seconds": Metric(
        "seconds to fit", lambda fold: fold.fit_seconds, greater_is_better=False
    ),
    "transform_seconds": Metric(
        "seconds to transform",
        lambda fold: fold.transform_seconds,
        greater_is_better=False,
    ),
}


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
        The data.
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
    reducers = _named(reducers)
    metrics = _check_metrics(metrics, y)
    if any(METRICS[name].needs == "reconstruction" for name in metrics):
        for reducer in reducers.values():
            _check_invertible(reducer)
    if issparse(X):
        X = X.tocsr()  # rows can be picked from that
    elif not hasattr(X, "shape"):
        X = np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(f"X must be a table of rows and columns. Got shape {X.shape}.")
    is_classification = False
    if y is not None:
        y = column_or_1d(y)
        check_consistent_length(X, y)
        is_classification = holds_classes(y)

    rng = check_random_state(random_state)
    splits = _splits(cv, X, y, is_classification, rng)
    seeds = rng.randint(np.iinfo(np.int32).max, size=len(splits))
    n_train = min(len(train) for train, _ in splits)
    sizes = usable_sizes(n_components, n_train, X.shape[1])

    folds = range(len(splits))
    tasks = [
        (name, fitted, fold)
        for name, reducer in reducers.items()
        for fitted in ([sizes] if _is_ordered(reducer) else [[size] for size in sizes])
        for fold in folds
    ]
    if progress is not None:
        progress(0, len(tasks))
    try:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    except ValueError:  # Ray's gives all results at the end
        parallel = Parallel(n_jobs=n_jobs)
    run = parallel(
        delayed(_run)(
            (name, fitted, fold),
            _configured(reducers[name], max(fitted), int(seeds[fold])),
            X,
            y,
            *splits[fold],
            metrics,
            is_classification,
        )
        for name, fitted, fold in tasks
    )
    rows = {}
    for n_done, found in enumerate(run, 1):
        rows |= {(r["reducer"], r["n_components"], r["fold"]): r for r in found}
        if progress is not None:
            progress(n_done, len(tasks))
    return pd.DataFrame(
        [rows[name, k, fold] for name in reducers for k in sizes for fold in folds]
    )


def summarize(results, *, baseline="PCA", metric="explained_variance", confidence=0.95):
    """Compare each reducer with a baseline: mean differences and their intervals.

    The folds pair the reducers, and share most of their training rows: the plain
    t interval over folds would be too narrow. This one is the corrected resampled t
    interval, whose variance is that of the differences times
    1 / n_folds + n_test / n_train.

    Parameters
    ----------
    results : DataFrame
        What :func:`compare_reducers` returned.
    baseline : str, default="PCA"
        The reducer to compare with.
    metric : str, default="explained_variance"
        One of the columns that hold a metric.
    confidence : float, default=0.95
        Confidence level of the intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per reducer (but the baseline) and code size. Columns: ``reducer``,
        ``n_components``, ``mean`` and ``baseline_mean`` of the metric,
        ``difference`` (positive where the reducer's metric is greater), the ends of
        its interval ``low`` and ``high`` (NaN with a single fold) and ``verdict``:
        "better" or "worse" where the interval leaves out zero, otherwise "no clear
        difference". Differences below a millionth of the metric are rounding, and no
        clear ones.

    Raises
    ------
    ValueError
        If `results` lacks the baseline or the metric.

    References
    ----------
    C. Nadeau and Y. Bengio (2003). Inference for the generalization error. Machine
    Learning 52(3), 239-281.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ae.compare import summarize
    >>> results = pd.DataFrame({
    ...     "reducer": ["PCA"] * 3 + ["ours"] * 3,
    ...     "n_components": 2,
    ...     "fold": [0, 1, 2] * 2,
    ...     "n_train": 100,
    ...     "n_test": 50,
    ...     "explained_variance": [0.5, 0.6, 0.7, 0.69, 0.8, 0.91],
    ... })
    >>> summarize(results).round(3).T
                                0
    reducer                  ours
    n_components                2
    mean                      0.8
    baseline_mean             0.6
    difference                0.2
    low                     0.161
    high                    0.239
    verdict                better
    """
    _check_results(results, metric)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1. Got {confidence!r}.")
    reducers = list(dict.fromkeys(results["reducer"]))
    if baseline not in reducers:
        raise ValueError(f"baseline must be one of {reducers}. Got {baseline!r}.")
    folds = results.set_index(["reducer", "n_components", "fold"])
    rows = []
    for reducer in reducers:
        if reducer == baseline:
            continue
        pairs = folds.loc[reducer].assign(baseline=folds.loc[baseline][metric])
        pairs = pairs.dropna(subset=[metric, "baseline"])
        for size, pair in pairs.groupby(level="n_components", sort=False):
            mean, low, high = corrected_interval(
                pair[metric] - pair["baseline"],
                pair["n_train"],
                pair["n_test"],
                confidence,
            )
            rounding = 1e-6 * pair[[metric, "baseline"]].abs().max(axis=None)
            verdict = "no clear difference"
            if low * high > 0 and abs(mean) > rounding:
                gained = (mean > 0) == METRICS[metric].greater_is_better
                verdict = "better" if gained else "worse"
            rows.append(
                {
                    "reducer": reducer,
                    "n_components": size,
                    "mean": pair[metric].mean(),
                    "baseline_mean": pair["baseline"].mean(),
                    "difference": mean,
                    "low": low,
                    "high": high,
                    "verdict": verdict,
                }
            )
    columns = ["reducer", "n_components", "mean", "baseline_mean", "difference"]
    return pd.DataFrame(rows, columns=[*columns, "low", "high", "verdict"])


def conclude(results, *, baseline="PCA", confidence=0.95):
    """Say in words what a comparison found about the share of variance explained.

    Parameters
    ----------
    results : DataFrame
        What :func:`compare_reducers` returned, with ``explained_variance``.
    baseline : str, default="PCA"
        The reducer to compare with.
    confidence : float, default=0.95
        Confidence level of the intervals behind the verdicts.

    Returns
    -------
    str
        Two sentences per reducer: at which code sizes it is better and by how much,
        and what its fits cost.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ae.compare import conclude
    >>> results = pd.DataFrame({
    ...     "reducer": ["PCA"] * 3 + ["ours"] * 3,
    ...     "n_components": 2,
    ...     "fold": [0, 1, 2] * 2,
    ...     "n_train": 100,
    ...     "n_test": 50,
    ...     "explained_variance": [0.5, 0.6, 0.7, 0.69, 0.8, 0.91],
    ...     "fit_seconds": [0.01] * 3 + [1.5] * 3,
    ... })
    >>> print(conclude(results))
    ours is better than PCA at code size 2, where it removes 50% of the variance that
    PCA leaves unexplained. A fit takes 1.5 s, PCA's 0.01 s.
    """
    summary = summarize(results, baseline=baseline, confidence=confidence)
    seconds = results.groupby("reducer")["fit_seconds"].mean()
    sentences = []
    for reducer, lines in summary.groupby("reducer", sort=False):
        clauses = []
        for verdict, words in (
            ("better", f"is better than {baseline}"),
            ("no clear difference", f"shows no clear difference from {baseline}"),
            ("worse", f"is worse than {baseline}"),
        ):
            found = lines[lines["verdict"] == verdict]
            if found.empty:
                continue
            sizes = [str(size) for size in found["n_components"]]
            sizes = " and ".join(filter(None, [", ".join(sizes[:-1]), sizes[-1]]))
            clause = f"{words} at code size{'s' * (len(found) > 1)} {sizes}"
            if verdict == "better":
                removed = found["difference"] / (1 - found["baseline_mean"])
                low, high = f"{removed.min():.0%}", f"{removed.max():.0%}"
                clause += (
                    f", where it removes {low if low == high else f'{low} to {high}'} "
                    f"of the variance that {baseline} leaves unexplained"
                )
            clauses.append(clause)
        sentences.append(f"{reducer} {'; it '.join(clauses)}.")
        sentences.append(
            f"A fit takes {seconds[reducer]:.2g} s, "
            f"{baseline}'s {seconds[baseline]:.2g} s."
        )
        if not (lines["verdict"] == "better").any():
            sentences.append(f"Without a clear gain, keep {baseline}.")
    return " ".join(sentences)


def corrected_interval(values, n_train, n_test, confidence):
    """Mean over folds, and its corrected resampled t interval (see `summarize`).

    Parameters
    ----------
    values, n_train, n_test : Series of shape (n_folds,)
        One number per fold. Folds whose value is NaN are left out.
    confidence : float
        Confidence level of the interval.

    Returns
    -------
    mean, low, high : float
        NaN ends where there are fewer than 2 values.
    """
    kept = values.notna()
    values, n_train, n_test = values[kept], n_train[kept], n_test[kept]
    if len(values) < 2:
        return (values.mean() if len(values) else np.nan), np.nan, np.nan
    inflation = 1 / len(values) + n_test.mean() / n_train.mean()
    half = student_t.ppf((1 + confidence) / 2, len(values) - 1) * np.sqrt(
        inflation * values.var(ddof=1)
    )
    mean = values.mean()
    return mean, mean - half, mean + half


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


def holds_classes(y):
    """Tell whether a target holds classes (scored by accuracy) or numbers (by R²).

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        The target.

    Returns
    -------
    bool
        Whole numbers are classes if there are 5 rows or more to each distinct value:
        by type alone a disease score or a year would be one.
    """
    distinct = np.unique(y)
    if len(distinct) < 2:
        raise ValueError(f"y holds a single value, {distinct[0]}: nothing to predict.")
    if np.issubdtype(y.dtype, np.number) and len(y) < 5 * len(distinct):
        return False
    return type_of_target(y, input_name="y") in ("binary", "multiclass")


def _named(reducers):
    if hasattr(reducers, "get_params") or isinstance(reducers, str):
        raise TypeError(
            "reducers must be a dict of names to estimators, or a list of estimators. "
            f"Got {reducers!r} instead."
        )
    if not isinstance(reducers, Mapping):
        names, reducers = [], list(reducers)
        for reducer in reducers:
            parameter = _size_parameter(reducer)
            sized = reducer
            if parameter != "n_components":
                sized = reducer.get_params()[parameter.removesuffix("__n_components")]
            names.append(type(sized).__name__)
        reducers = dict(zip(numbered(names), reducers, strict=True))
    if not reducers:
        raise ValueError("reducers must hold at least one estimator.")
    for reducer in reducers.values():
        _size_parameter(reducer)
    return dict(reducers)


def numbered(names):
    """Tell equal names apart by a number.

    Parameters
    ----------
    names : list of str
        Names of reducers.

    Returns
    -------
    list of str
        The same, where the second "PCA" is "PCA-2".
    """
    seen, different = Counter(), []
    for name in names:
        seen[name] += 1
        different.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return different


def _size_parameter(reducer):
    """Return the name of the parameter that sets the code size."""
    steps = [("", reducer)]
    if isinstance(reducer, Pipeline):
        steps = [(f"{name}__", step) for name, step in reversed(reducer.steps)]
    for prefix, step in steps:
        if isinstance(step, Pipeline) and prefix:
            return prefix + _size_parameter(step)
        if hasattr(step, "get_params") and "n_components" in step.get_params():
            return f"{prefix}n_components"
    raise TypeError(
        "Each of the reducers must be an estimator with an n_components parameter, or "
        f"a Pipeline with such a step. Got {reducer!r} instead."
    )


def _configured(reducer, size, seed):
    """Clone a reducer, with its code size and its missing seeds set."""
    reducer = clone(reducer)
    seeds = {
        name: seed
        for name, value in reducer.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return reducer.set_params(**{_size_parameter(reducer): size}, **seeds)


def _check_metrics(metrics, y):
    if metrics is None:
        return [
            name for name, row in METRICS.items() if row.needs != "y" or y is not None
        ]
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in metrics:
        if name not in METRICS:
            raise ValueError(f"metrics must be among {list(METRICS)}. Got {name!r}.")
        if METRICS[name].needs == "y" and y is None:
            raise ValueError(f"The metric {name!r} needs a target: give y.")
    return list(dict.fromkeys([*metrics, "fit_seconds", "transform_seconds"]))


def _check_results(results, metric):
    if metric not in METRICS or metric not in results:
        known = [name for name in METRICS if name in results]
        raise ValueError(f"metric must be among {known}. Got {metric!r} instead.")


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


def _rows(X, index):
    return X.iloc[index] if hasattr(X, "iloc") else X[index]


def _is_ordered(reducer):
    """Tell whether one fit of a reducer serves all code sizes."""
    if isinstance(reducer, Pipeline):
        return _is_ordered(reducer.steps[-1][1])
    return hasattr(reducer, "truncate") and reducer.ordered


def _shortened(reducer, size):
    """Return a fitted ordered reducer with a code of this size."""
    if isinstance(reducer, Pipeline):
        *steps, (name, last) = reducer.steps
        return Pipeline([*steps, (name, _shortened(last, size))])
    return reducer.truncate(size)


def _run(task, reducer, X, y, train, test, metrics, is_classification):
    """Fit a reducer once; return a row for each code size that this serves."""
    name, sizes, number = task
    X_train, X_test = _rows(X, train), _rows(X, test)
    y_train, y_test = (None, None) if y is None else (y[train], y[test])
    shared = {
        "X_test": _dense(X_test, "X"),
        "mean": _dense(X_train, "X").mean(axis=0),
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
            sized = _shortened(reducer, size) if _is_ordered(reducer) else reducer
            codes = _codes(sized, X_train, X_test, metrics)
            fold = _Fold(fit_seconds=seconds, **codes, **shared)
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
    if any(METRICS[name].needs == "reconstruction" for name in metrics):
        X_reconstructed = _decode(reducer, code_test)
    return {
        "X_reconstructed": X_reconstructed,
        "code_train": _dense(reducer.transform(X_train), "the code"),
        "code_test": _dense(code_test, "the code"),
        "transform_seconds": seconds,
    }
