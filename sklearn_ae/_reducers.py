"""Any reducer, whoever made it: named, sized, seeded, fitted, taken there and back.

PCA, NMF, KernelPCA, a Pipeline, ours: nothing here knows which. What a reducer must
have is said where it is missing.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array


def dense(X, name, missing=False):
    """Return a table as a dense float64 array, whatever container it came in.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The table.
    name : str
        What error messages call it.
    missing : bool, default=False
        Whether cells may be missing (NaN).

    Returns
    -------
    ndarray of shape (n_samples, n_features)
    """
    if issparse(X):
        X = X.toarray()
    finite = "allow-nan" if missing else True
    return check_array(X, dtype=np.float64, input_name=name, ensure_all_finite=finite)


def observed_means(X):
    """Return the means of the cells that are there, 0 in a column without any.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The table, with NaN where a cell is missing.

    Returns
    -------
    ndarray of shape (n_features,)
    """
    there = ~np.isnan(X)
    if there.all():
        return X.mean(axis=0)
    return X.sum(axis=0, where=there) / np.maximum(there.sum(axis=0), 1)


def after_text(estimator, X):
    """Return what is compared where a table has text: numbers, and who makes them.

    A table of numbers is compared as it is. One with text is compared as its Pipeline's
    first step encodes it, before missing cells are filled.

    Parameters
    ----------
    estimator : fitted estimator
        A reducer or a Pipeline.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The table.

    Returns
    -------
    estimator : fitted estimator
        What is left of the Pipeline.
    X : array-like
        Numbers.
    """
    kinds = {getattr(dtype, "kind", "f") for dtype in getattr(X, "dtypes", [])}
    if isinstance(estimator, Pipeline) and not kinds <= set("biuf"):
        (_, first), *rest = _flat(estimator)
        return Pipeline(rest), first.transform(X)
    return estimator, X


def _flat(pipeline):
    """Return the steps of a Pipeline, those of Pipelines within it as its own."""
    steps = []
    for name, step in pipeline.steps:
        inner = _flat(step) if isinstance(step, Pipeline) else [(name, step)]
        steps += [(f"{name}-{inside}", thing) for inside, thing in inner]
    return steps


def checked_pair(X, X_reconstructed):
    """Return rows and their reconstructions as dense arrays of one shape.

    Parameters
    ----------
    X, X_reconstructed : {array-like, sparse matrix, DataFrame}
        Both of shape (n_samples, n_features).

    Returns
    -------
    X, X_reconstructed : ndarray of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    X = dense(X, "X")
    X_reconstructed = dense(X_reconstructed, "X_reconstructed")
    if X.shape != X_reconstructed.shape:
        raise ValueError(
            "X_reconstructed must have the shape of X, "
            f"{X.shape}. Got {X_reconstructed.shape} instead."
        )
    return X, X_reconstructed


def take_rows(X, index):
    """Return rows of a table by their places, in the container they came in.

    Parameters
    ----------
    X : ndarray, sparse matrix of rows, or DataFrame
        The table.
    index : slice or ndarray of int
        The places.

    Returns
    -------
    same kind as X
    """
    return X.iloc[index] if hasattr(X, "iloc") else X[index]


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


def named_fitted(estimator):
    """Return fitted estimators by name.

    Parameters
    ----------
    estimator : estimator, list of them, or dict of str to them
        Without names they are named by the class of the last step.

    Returns
    -------
    dict of str to estimator
    """
    if isinstance(estimator, Mapping):
        reducers = dict(estimator)
    else:
        several = isinstance(estimator, (list, tuple))
        estimators = list(estimator) if several else [estimator]
        names = numbered([type(innermost(each)[0]).__name__ for each in estimators])
        reducers = dict(zip(names, estimators, strict=True))
    if not reducers:
        raise ValueError("estimator must hold at least one fitted estimator. Got none.")
    return reducers


def named_sized(reducers):
    """Return reducers whose code size can be set, by name.

    Parameters
    ----------
    reducers : dict of str to estimator, or list of estimators
        Those of a list are named by the class of the step that is sized.

    Returns
    -------
    dict of str to estimator
    """
    if hasattr(reducers, "get_params") or isinstance(reducers, str):
        raise TypeError(
            "reducers must be a dict of names to estimators, or a list of estimators. "
            f"Got {reducers!r} instead."
        )
    if not isinstance(reducers, Mapping):
        names, reducers = [], list(reducers)
        for reducer in reducers:
            parameter = size_parameter(reducer)
            sized = reducer
            if parameter != "n_components":
                sized = reducer.get_params()[parameter.removesuffix("__n_components")]
            names.append(type(sized).__name__)
        reducers = dict(zip(numbered(names), reducers, strict=True))
    if not reducers:
        raise ValueError("reducers must hold at least one estimator.")
    for reducer in reducers.values():
        size_parameter(reducer)
    return dict(reducers)


def size_parameter(reducer):
    """Return the name of the parameter that sets the code size.

    Parameters
    ----------
    reducer : estimator
        One with `n_components`, or a Pipeline, whose last such step is meant.

    Returns
    -------
    str
        As `set_params` takes it, such as "pca__n_components".

    Raises
    ------
    TypeError
        If there is none.
    """
    steps = [("", reducer)]
    if isinstance(reducer, Pipeline):
        steps = [(f"{name}__", step) for name, step in reversed(reducer.steps)]
    for prefix, step in steps:
        if isinstance(step, Pipeline) and prefix:
            return prefix + size_parameter(step)
        if hasattr(step, "get_params") and "n_components" in step.get_params():
            return f"{prefix}n_components"
    raise TypeError(
        "Each of the reducers must be an estimator with an n_components parameter, or "
        f"a Pipeline with such a step. Got {reducer!r} instead."
    )


def configured(reducer, size, seed):
    """Clone a reducer, with its code size and its missing seeds set.

    Parameters
    ----------
    reducer : estimator
        What is cloned.
    size : int
        The code size.
    seed : int
        For every `random_state`, of a step too, that is None.

    Returns
    -------
    estimator
    """
    reducer = clone(reducer)
    seeds = {
        name: seed
        for name, value in reducer.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return reducer.set_params(**{size_parameter(reducer): size}, **seeds)


def is_ordered(reducer):
    """Tell whether one fit of a reducer serves all code sizes.

    Parameters
    ----------
    reducer : estimator
        Fitted or not.

    Returns
    -------
    bool
    """
    if isinstance(reducer, Pipeline):
        return is_ordered(reducer.steps[-1][1])
    return hasattr(reducer, "truncate") and reducer.ordered


def shortened(reducer, size):
    """Return a fitted ordered reducer with a code of a smaller size.

    Parameters
    ----------
    reducer : estimator
        One that `is_ordered`, fitted.
    size : int
        Units of the code to keep.

    Returns
    -------
    estimator
    """
    if isinstance(reducer, Pipeline):
        *steps, (name, last) = reducer.steps
        return Pipeline([*steps, (name, shortened(last, size))])
    return reducer.truncate(size)


def innermost(estimator, X=None, through_searches=True):
    """Return the last step of Pipelines, the best of searches, and X as it reads it.

    Parameters
    ----------
    estimator : estimator
        Fitted, if there is an X.
    X : {array-like, sparse matrix, DataFrame}, default=None
        Rows as `estimator` reads them.
    through_searches : bool, default=True
        Whether to return the `best_estimator_` of a search rather than the search.

    Returns
    -------
    estimator : estimator
    X : object
        What the steps before it made of X.
    """
    while True:
        if isinstance(estimator, Pipeline):
            for _, step in estimator.steps[:-1]:
                if X is not None and step not in (None, "passthrough"):
                    X = step.transform(X)
            estimator = estimator.steps[-1][1]
        elif through_searches and hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator, X


def check_invertible(estimator):
    """Refuse a reducer that lacks `transform` or `inverse_transform`.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Raises
    ------
    TypeError
        It names the method, and the step of a Pipeline.
    """
    for method in ("transform", "inverse_transform"):
        if not hasattr(estimator, method):
            culprit = type(estimator).__name__
            if isinstance(estimator, Pipeline):
                steps = [
                    f"{name!r} ({type(step).__name__})"
                    for name, step in estimator.steps
                    if step not in (None, "passthrough") and not hasattr(step, method)
                ]
                culprit = f"Pipeline step {' and '.join(steps)}"
            raise TypeError(
                f"{culprit} has no {method}, so its reconstruction cannot be "
                "measured; use a reducer that has one, such as PCA, NMF, "
                "KernelPCA(fit_inverse_transform=True) or AutoencoderTransformer."
            )


def decode(estimator, code):
    """Return what codes stand for.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `inverse_transform`.
    code : array-like of shape (n_samples, n_components)
        Codes.

    Returns
    -------
    object
        What `inverse_transform` gives.

    Raises
    ------
    ValueError
        If its `inverse_transform` was not learned.
    """
    try:
        return estimator.inverse_transform(code)
    except NotFittedError as error:  # KernelPCA's way to say that it did not learn it
        raise ValueError(
            f"The inverse_transform of {type(estimator).__name__} does not work, so "
            "its reconstruction cannot be measured; for KernelPCA, set "
            "fit_inverse_transform=True."
        ) from error


def reconstruct(estimator, X):
    """Return the round trip of rows, in their own units.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `transform` and `inverse_transform`.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The rows.

    Returns
    -------
    object
        What `inverse_transform` gives.
    """
    check_invertible(estimator)
    return decode(estimator, estimator.transform(X))
