"""PCA of columns far from zero, whose squares cancel in its sums.

scikit-learn's PCA(svd_solver="auto") takes the mean from the squares of X after summing
them: where the mean is some thousand times the spread, float32 keeps nothing of the
spread. A comparison with such a PCA is won by anybody.
"""

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from ._reducers import dense, innermost

_FAR = 100  # times the spread, from which on float32 is not enough
_VERY_FAR = 1e4  # from which on "auto" is not enough in float64 either
_LOST = 3e-3  # of the variance: the share explained is wrong in the fourth digit

ADVICE = (
    "the columns lie too far from zero for its sums of squares. Subtract their means "
    'in float64 first, or give X in float64 and PCA(svd_solver="full").'
)


def steadied(reducers, X, rows):
    """Return reducers and a table with which PCA keeps its digits.

    Parameters
    ----------
    reducers : dict of str to estimator
        Unfitted.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The table.
    rows : ndarray of shape (n_samples, n_features)
        The same, dense and in float64.

    Returns
    -------
    reducers : dict of str to estimator
        The same; if columns are very far from zero, each PCA that reads X itself and
        leaves its solver open has the full one.
    X : same kind as X
        The same; in float64 if columns are far from zero.
    """
    spread = rows.std(axis=0)
    varies = spread > 0
    far = np.abs(rows.mean(axis=0)[varies]) / spread[varies]
    if far.max(initial=0) > _FAR:
        X = X.astype(np.float64)
    if far.max(initial=0) > _VERY_FAR:
        reducers = {name: _with_full_solver(each) for name, each in reducers.items()}
    return reducers, X


def has_cancelled(estimator, X):
    """Tell whether a PCA was fitted in too few digits for how far its columns lie.

    Parameters
    ----------
    estimator : estimator
        A fitted reducer, or a Pipeline that ends in one.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows like those of its fit.

    Returns
    -------
    bool
        False for whatever is no PCA.
    """
    pca, _ = innermost(estimator)
    if not isinstance(pca, PCA):
        return False
    eps = np.finfo(pca.components_.dtype).eps
    far = np.square(pca.mean_, dtype=np.float64).sum()
    if eps * far < _LOST * pca.explained_variance_.max():
        return False
    spread = dense(innermost(estimator, X)[1], "X").var(axis=0).sum()
    # The mean itself is lost later, and then with any solver.
    lost = eps**2 * pca.n_samples_ * far
    if _squares_first(pca):
        lost = eps * far
    return bool(lost > _LOST * spread)


def _squares_first(pca):
    """Tell whether a fitted PCA summed squares before it took the mean from them.

    What "auto" stands for is written in scikit-learn's documentation.
    """
    tall = pca.n_features_in_ <= 1000 and pca.n_samples_ >= 10 * pca.n_features_in_
    solver = pca.svd_solver
    return solver == "covariance_eigh" or (solver == "auto" and tall)


def _with_full_solver(reducer):
    first, name = reducer, ""
    while isinstance(first, Pipeline):
        idle = (None, "passthrough")  # and what fills missing cells moves nothing
        steps = [
            (name, step)
            for name, step in first.steps
            if step not in idle and not isinstance(step, SimpleImputer)
        ]
        step, first = steps[0]
        name += f"{step}__"
    if isinstance(first, PCA) and first.svd_solver == "auto":
        return clone(reducer).set_params(**{f"{name}svd_solver": "full"})
    return reducer
