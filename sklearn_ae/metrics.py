"""How much a reducer keeps: scorers for model selection, and neighbourhood measures.

Every function here treats all reducers alike: PCA, NMF, KernelPCA, a Pipeline, ours.
"""

from warnings import warn

import numpy as np
from scipy.sparse import issparse
from sklearn.manifold import trustworthiness

from ._far import ADVICE, has_cancelled
from ._reducers import after_text, checked_pair, dense, observed_means, reconstruct

__all__ = [
    "continuity",
    "explained_variance_share",
    "neg_reconstruction_mse_scorer",
    "reconstruction_mse",
    "reconstruction_scorer",
    "trustworthiness",
]


def explained_variance_share(X, X_reconstructed, *, mean=None):
    """Share of variance explained by a reconstruction.

    It is 1 − Σ(x − x̂)² / Σ(x − mean)²: 1 for a perfect reconstruction, 0 for one no
    better than the column means, negative for a worse one.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The data.
    X_reconstructed : same kinds and shape as X
        Its reconstruction, in the units of `X`.
    mean : array-like of shape (n_features,), default=None
        The baseline. Give the column means of the *training* data to get what
        `PCA.explained_variance_ratio_` and `AutoencoderTransformer.score` measure.
        By default the column means of `X` itself, like
        :func:`sklearn.metrics.r2_score`; this needs at least 2 rows.

    Returns
    -------
    float
        At most 1. Data without any variance get 1.0 when reconstructed exactly (to
        float32 rounding) and 0.0 otherwise.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is missing or infinite.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.metrics import explained_variance_share
    >>> X = load_iris().data
    >>> pca = PCA(2).fit(X)
    >>> round(explained_variance_share(X, pca.inverse_transform(pca.transform(X))), 4)
    0.9777
    >>> round(pca.explained_variance_ratio_.sum().item(), 4)
    0.9777
    """
    X, X_reconstructed = checked_pair(X, X_reconstructed)
    if mean is None:
        if len(X) < 2:
            raise ValueError(
                "The share of variance explained of a single row is undefined: give "
                "at least 2 rows, or the training data's column means as mean=."
            )
        mean = X.mean(axis=0)
    mean = np.asarray(mean, dtype=np.float64)
    if mean.shape != (X.shape[1],):
        raise ValueError(
            f"mean must hold one number for each of the {X.shape[1]} columns of X. "
            f"Got shape {mean.shape} instead."
        )
    unexplained = np.sum((X - X_reconstructed) ** 2)
    total = np.sum((X - mean) ** 2)
    size = np.sum(X**2)
    # The mean of a constant column may be off by a rounding error: no variance either.
    if total <= (4 * np.finfo(np.float64).eps) ** 2 * size:
        exact = unexplained <= np.finfo(np.float32).eps ** 2 * size
        return 1.0 if exact else 0.0
    return float(1 - unexplained / total)


def reconstruction_mse(X, X_reconstructed):
    """Mean squared error of a reconstruction, per cell.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The data.
    X_reconstructed : same kinds and shape as X
        Its reconstruction.

    Returns
    -------
    float
        The mean over rows and columns, in squared units of `X`.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is missing or infinite.

    Examples
    --------
    >>> from sklearn_ae.metrics import reconstruction_mse
    >>> reconstruction_mse([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 2.0]])
    1.0
    """
    X, X_reconstructed = checked_pair(X, X_reconstructed)
    return float(np.mean((X - X_reconstructed) ** 2))


def reconstruction_scorer(estimator, X, y=None):
    """Share of variance explained by any fitted reducer: a value for ``scoring=``.

    One scale for PCA (whose own ``score`` is a log-likelihood), KernelPCA (which has
    none) and autoencoders, in :class:`~sklearn.model_selection.GridSearchCV`,
    :func:`~sklearn.model_selection.cross_validate` and their kin. A Pipeline is
    measured in the units of its input; on a table with text, in those that its first
    step makes of it. Missing cells (NaN) are not measured.

    Parameters
    ----------
    estimator : fitted estimator
        A reducer, or a Pipeline of them, with ``transform`` and
        ``inverse_transform``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The rows to score, at least 2.
    y : object, default=None
        Ignored: scorers are given it.

    Returns
    -------
    float
        1 − Σ(x − x̂)² / Σ(x − mean)², higher is better, at most 1.

    Raises
    ------
    TypeError
        If the estimator lacks ``transform`` or ``inverse_transform``.
    ValueError
        If its ``inverse_transform`` does not work (KernelPCA without
        ``fit_inverse_transform=True``), or `X` has a single row.

    See Also
    --------
    explained_variance_share : The function behind it, which takes the baseline.
    neg_reconstruction_mse_scorer : The error in squared units of the data.

    Notes
    -----
    The baseline is the mean of the rows being scored, as in
    :func:`sklearn.metrics.r2_score`. A scorer sees the fitted estimator and the test
    rows, and not every reducer (NMF, a Pipeline) remembers its training mean; with
    the rows' own mean, all reducers share one denominator on one fold. On the
    training rows that is PCA's ``explained_variance_ratio_.sum()``. On others it is a
    trifle below ``AutoencoderTransformer.score``, whose baseline is the training
    mean: the same unexplained variance over a slightly smaller total.
    :func:`sklearn_ae.compare.compare_reducers` knows the training rows and uses their
    mean for all reducers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_ae.metrics import reconstruction_scorer
    >>> X = load_iris().data
    >>> grid = {"n_components": [1, 2, 3]}
    >>> search = GridSearchCV(PCA(), grid, scoring=reconstruction_scorer).fit(X)
    >>> search.best_params_
    {'n_components': 3}
    """
    X, X_reconstructed, _ = _there_and_back(estimator, X)
    return explained_variance_share(X, X_reconstructed)


def neg_reconstruction_mse_scorer(estimator, X, y=None):
    """Negate the mean squared reconstruction error: a value for ``scoring=``.

    Parameters
    ----------
    estimator : fitted estimator
        A reducer, or a Pipeline of them, with ``transform`` and
        ``inverse_transform``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The rows to score.
    y : object, default=None
        Ignored: scorers are given it.

    Returns
    -------
    float
        Minus the mean over rows and columns of (x − x̂)², in squared units of `X`
        (for a Pipeline: of its input); higher is better, at most 0.

    Raises
    ------
    TypeError
        If the estimator lacks ``transform`` or ``inverse_transform``.
    ValueError
        If its ``inverse_transform`` does not work.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.metrics import neg_reconstruction_mse_scorer
    >>> X = load_iris().data
    >>> round(neg_reconstruction_mse_scorer(PCA(2).fit(X), X), 4)
    -0.0253
    """
    X, X_reconstructed, observed = _there_and_back(estimator, X)
    return -reconstruction_mse(X, X_reconstructed) / observed


def continuity(X, X_embedded, *, n_neighbors=5):
    """To what extent neighbours in the data stay neighbours in the code.

    The counterpart of :func:`sklearn.manifold.trustworthiness`: that one punishes
    neighbours in the code that were strangers in the data, this one neighbours in the
    data that the code tears apart. It is trustworthiness with the roles of the two
    spaces swapped; distances are Euclidean in both.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The data.
    X_embedded : array-like of shape (n_samples, n_components)
        Its code.
    n_neighbors : int, default=5
        Size of the neighbourhoods, less than ``n_samples / 2``.

    Returns
    -------
    float
        Between 0 and 1, higher is better.

    Raises
    ------
    ValueError
        If `n_neighbors` is half of ``n_samples`` or more.

    References
    ----------
    J. Venna and S. Kaski (2006). Local multidimensional scaling. Neural Networks
    19(6-7), 889-899.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.metrics import continuity
    >>> X = load_iris().data
    >>> round(continuity(X, PCA(2).fit_transform(X)), 3)
    0.99
    """
    return float(trustworthiness(X_embedded, X, n_neighbors=n_neighbors))


def _there_and_back(estimator, X):
    """Return rows and their round trip as numbers, and the share of cells observed.

    Missing cells are not judged: there, both are the mean of the column.
    """
    estimator, X = after_text(estimator, X)
    X_reconstructed = reconstruct(estimator, X)
    if has_cancelled(estimator, X):
        warn(f"This PCA has too few digits: {ADVICE}", stacklevel=3)
    if issparse(X):
        return X, X_reconstructed, 1.0
    X = dense(X, "X", missing=True)
    missing = np.isnan(X)
    if missing.any():
        mean = observed_means(X)
        X = np.where(missing, mean, X)
        back = dense(X_reconstructed, "X_reconstructed")
        X_reconstructed = np.where(missing, mean, back)
    return X, X_reconstructed, float(1 - missing.mean())
