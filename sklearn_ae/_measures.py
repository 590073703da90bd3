"""What a comparison measures: of each fold, by metric.

To add a metric: a function of a :class:`Fold` and a row in `METRICS`. The tests, the
summary and the plots take it from there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import type_of_target

from .metrics import (
    continuity,
    explained_variance_share,
    reconstruction_mse,
    trustworthiness,
)

_MAX_ROWS_OF_NEIGHBORS = 1000  # trustworthiness takes time and memory in their square


@dataclass
class Fold:
    """What one reducer made of one fold: all that a metric may look at."""

    X_test: np.ndarray  # (n_test, n_features), float64
    X_reconstructed: object  # like X_test; None if no metric needs it
    mean: np.ndarray  # (n_features,), of the training rows
    observed: float  # the share of X_test's cells that are not missing
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
    return reconstruction_mse(fold.X_test, fold.X_reconstructed) / fold.observed


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
    bounds: tuple = (-np.inf, np.inf)  # that it can't be beyond


METRICS = {
    "explained_variance": Metric(
        "share of variance explained",
        _explained_variance,
        needs="reconstruction",
        bounds=(-np.inf, 1),
    ),
    "mse": Metric(
        "mean squared error per cell",
        _mse,
        greater_is_better=False,
        needs="reconstruction",
        bounds=(0, np.inf),
    ),
    "trustworthiness": Metric("trustworthiness", _trustworthiness, bounds=(0, 1)),
    "continuity": Metric("continuity", _continuity, bounds=(0, 1)),
    "knn_score": Metric(
        "k-NN score on the code", _knn_score, needs="y", bounds=(-np.inf, 1)
    ),
    "linear_score": Metric(
        "linear score on the code", _linear_score, needs="y", bounds=(-np.inf, 1)
    ),
    "fit_seconds": Metric(
        "seconds to fit",
        lambda fold: fold.fit_seconds,
        greater_is_better=False,
        bounds=(0, np.inf),
    ),
    "transform_seconds": Metric(
        "seconds to transform",
        lambda fold: fold.transform_seconds,
        greater_is_better=False,
        bounds=(0, np.inf),
    ),
}


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


def check_metrics(metrics, y):
    """Return the metrics that are asked for.

    Parameters
    ----------
    metrics : str, list of str or None
        Names of `METRICS`; None for all that can be computed.
    y : object or None
        The target.

    Returns
    -------
    list of str
        Each once, the seconds always among them.
    """
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


def need_reconstructions(metrics):
    """Tell whether metrics look at reconstructions.

    Parameters
    ----------
    metrics : list of str
        Names of `METRICS`.

    Returns
    -------
    bool
    """
    return any(METRICS[name].needs == "reconstruction" for name in metrics)


def check_results(results, metric):
    """Refuse a metric that results do not hold.

    Parameters
    ----------
    results : DataFrame
        What `compare_reducers` returned.
    metric : str
        A name of `METRICS`.
    """
    if metric not in METRICS or metric not in results:
        known = [name for name in METRICS if name in results]
        raise ValueError(f"metric must be among {known}. Got {metric!r} instead.")
