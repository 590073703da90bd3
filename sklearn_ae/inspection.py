"""What a code unit means: which columns drive it, and which it draws.

Every function here treats all reducers alike: PCA, NMF, a Pipeline, ours. What has
`code_gradients`, as our autoencoders have, is asked for them; of all others gradients
are differences between codes of rows that differ in one column.
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.utils import check_array, check_random_state, check_scalar

from ._reducers import check_invertible, decode, dense, reconstruct

__all__ = ["Loadings", "integrated_gradients", "loadings", "permutation_shares"]

STEP = 1e-3  # of a difference, in standard deviations
CELLS = 2**22  # of gradients that are held at a time


@dataclass(frozen=True)
class Loadings:
    """What columns and code units do to one another, as means over rows.

    `loadings` makes it. In the units of columns and codes; multiply by `column_std` or
    `code_std` to compare columns of different units.

    Parameters
    ----------
    encoder : ndarray of shape (n_components, n_features)
        Change of a code unit for a change of a column.
    decoder : ndarray of shape (n_components, n_features)
        Change of a column's reconstruction for a change of a code unit.
    encoder_spread : ndarray of shape (n_components, n_features)
        Standard deviation of `encoder` over the rows: zero where one number says all,
        as for PCA; above the mean where a column does one thing to some rows and
        another to others.
    decoder_spread : ndarray of shape (n_components, n_features)
        The same of `decoder`.
    column_std : ndarray of shape (n_features,)
        Standard deviations of the columns.
    code_std : ndarray of shape (n_components,)
        Standard deviations of the code units.

    See Also
    --------
    loadings : Makes it of any reducer.
    sklearn_ae.plotting.LoadingsDisplay : Draws it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.inspection import loadings
    >>> X = load_iris().data
    >>> pca = PCA(2).fit(X)
    >>> bool(np.allclose(loadings(pca, X).encoder, pca.components_))
    True
    """

    encoder: np.ndarray
    decoder: np.ndarray
    encoder_spread: np.ndarray
    decoder_spread: np.ndarray
    column_std: np.ndarray
    code_std: np.ndarray


def loadings(estimator, X):
    """Average the Jacobians of encoder and decoder over rows.

    Of PCA both are its `components_`, at every row. Of an autoencoder they are what is
    nearest to that: the first order of what it does, and how far it is from doing the
    same to every row.

    Parameters
    ----------
    estimator : fitted estimator
        A reducer, or a Pipeline of them, with ``transform`` and
        ``inverse_transform``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows to average over: numbers, at least two rows. Some hundreds are enough.

    Returns
    -------
    Loadings
        In the units of columns and codes. ``encoder * column_std`` is what a standard
        deviation of a column does to a code unit, and ``decoder * code_std[:, None]``
        what a standard deviation of a code unit does to a column; the latter are what
        is called loadings in statistics.

    Raises
    ------
    TypeError
        If the estimator lacks ``transform`` or ``inverse_transform``.
    ValueError
        If X has a single row, or cells that are missing.

    See Also
    --------
    sklearn_ae.plotting.LoadingsDisplay : Draws them.

    Notes
    -----
    A column that never varies has a gradient too, of which the data say nothing: times
    `column_std` it is zero. Where ``out_activation="clip"`` holds a reconstruction at
    an end of the data, its change is zero.

    Of a reducer without `code_gradients` it takes two passes over X for each column.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.inspection import loadings
    >>> X = load_iris().data
    >>> pca = PCA(2).fit(X)
    >>> found = loadings(pca, X)
    >>> np.allclose(found.encoder, pca.components_)
    True
    >>> np.allclose(found.decoder, pca.components_)
    True
    """
    check_invertible(estimator)
    given, X = X, dense(X, "X")
    check_array(X, ensure_min_samples=2, input_name="X")
    codes = dense(estimator.transform(given), "the code")
    there, back = _Moments(), _Moments()
    for rows in _parts(len(X), codes.shape[1] * X.shape[1]):
        there.add(_code_gradients(estimator, X[rows], given))
        back.add(_decoder_gradients(estimator, codes[rows], codes.std(axis=0)))
    return Loadings(
        encoder=there.mean,
        decoder=back.mean,
        encoder_spread=there.std,
        decoder_spread=back.std,
        column_std=X.std(axis=0),
        code_std=codes.std(axis=0),
    )


def permutation_shares(estimator, X, *, n_repeats=5, random_state=None):
    """Tell what is lost of each column's reconstruction if a column is shuffled.

    A column that is shuffled among the rows tells nothing of its row. What the
    reconstruction of a column loses by that is what it had of it: of its own value, or
    of another column's.

    Parameters
    ----------
    estimator : fitted estimator
        A reducer, or a Pipeline of them, with ``transform`` and
        ``inverse_transform``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows, best such as were not trained on: numbers, at least two rows.
    n_repeats : int, default=5
        How often each column is shuffled; the shares are means.
    random_state : int, RandomState instance or None, default=None
        Of the shuffling.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        Line i, column j: by how much the error of column j grows where column i is
        shuffled, as a share of the variance of j. Column j sums up who tells of j; line
        i, who is told by i. A column without variance has lost nothing: 0.

    Raises
    ------
    TypeError
        If the estimator lacks ``transform`` or ``inverse_transform``.
    ValueError
        If X has a single row, or cells that are missing.

    Examples
    --------
    A column that PCA leaves out tells nothing:

    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.inspection import permutation_shares
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 1)) * [1, 1, 0] + rng.normal(size=(500, 3)) / 10
    >>> shares = permutation_shares(PCA(1).fit(X), X, random_state=0)
    >>> (shares.round(1) + 0.0).tolist()
    [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    check_invertible(estimator)
    check_scalar(n_repeats, "n_repeats", Integral, min_val=1)
    given, X = X, dense(X, "X")
    check_array(X, ensure_min_samples=2, input_name="X")
    rng = check_random_state(random_state)

    def errors(rows):
        back = dense(reconstruct(estimator, _as(given, rows)), "the reconstruction")
        return np.square(X - back).mean(axis=0)

    whole, variances = errors(X), X.var(axis=0)
    shares = np.empty((X.shape[1], X.shape[1]))
    for column in range(X.shape[1]):
        lost = np.zeros(X.shape[1])
        for _ in range(n_repeats):
            shuffled = X.copy()
            shuffled[:, column] = rng.permutation(X[:, column])
            lost += errors(shuffled) - whole
        shares[column] = lost / n_repeats
    return np.divide(shares, variances, out=np.zeros_like(shares), where=variances > 0)


def integrated_gradients(estimator, X, *, baseline=None, n_steps=50):
    """Share out the code of a row among the columns.

    The way from a baseline to the row is straight. On it each column has a part in the
    change of a code unit, its gradient times its own way (Sundararajan et al. 2017);
    the parts add up to the whole change.

    Parameters
    ----------
    estimator : fitted estimator
        A reducer, or a Pipeline of them, with ``transform``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The rows to explain: numbers.
    baseline : array-like of shape (n_features,), default=None
        The row that needs no explanation. By default the mean of the training rows,
        where the estimator knows it (`mean_`).
    n_steps : int, default=50
        Points on the way.

    Returns
    -------
    ndarray of shape (n_samples, n_components, n_features)
        Part of each column in the difference between the row's code and the
        baseline's. Summed over the columns it is that difference, up to an error of
        the sum over points, which more of them make smaller.

    Raises
    ------
    TypeError
        If the estimator lacks ``transform``.
    ValueError
        If the baseline is missing or does not fit.

    References
    ----------
    M. Sundararajan, A. Taly and Q. Yan (2017). Axiomatic attribution for deep networks.
    ICML, 3319-3328.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.inspection import integrated_gradients
    >>> X = load_iris().data
    >>> pca = PCA(2).fit(X)
    >>> parts = integrated_gradients(pca, X[:3])
    >>> parts.shape
    (3, 2, 4)
    >>> np.allclose(parts.sum(axis=2), pca.transform(X[:3]), atol=1e-6)
    True
    """
    if not hasattr(estimator, "transform"):
        raise TypeError(
            f"estimator must have transform. Got {type(estimator).__name__}."
        )
    check_scalar(n_steps, "n_steps", Integral, min_val=1)
    given, X = X, dense(X, "X")
    way = X - _baseline(estimator, baseline, X.shape[1])
    # In the middle of steps of one length: the midpoint rule.
    left = 1 - (np.arange(n_steps) + 0.5) / n_steps
    return way[:, None] * sum(
        _code_gradients(estimator, X - share * way, given) / n_steps for share in left
    )


def _baseline(estimator, baseline, n_features):
    if baseline is None:
        baseline = getattr(estimator, "mean_", None)
    if baseline is None:
        raise ValueError(
            f"baseline must be given: {type(estimator).__name__} has no mean_ to take "
            f"for it. The mean of the training rows is a good choice."
        )
    baseline = np.asarray(baseline, dtype=np.float64)
    if baseline.shape != (n_features,):
        raise ValueError(
            f"baseline must hold a number for each of the {n_features} columns of X. "
            f"Got shape {baseline.shape}."
        )
    return baseline


class _Moments:
    """Mean and standard deviation over all rows of arrays that come in parts."""

    def __init__(self):
        self.n_rows = 0

    def add(self, rows):
        mean, n_rows = rows.mean(axis=0), len(rows)
        squares = np.square(rows - mean).sum(axis=0)
        if not self.n_rows:
            self.mean, self._squares = mean, squares
        else:  # of the parts together (Chan et al. 1979)
            step, total = mean - self.mean, self.n_rows + n_rows
            self.mean = self.mean + step * n_rows / total
            self._squares += squares + step**2 * self.n_rows * n_rows / total
        self.n_rows += n_rows

    @property
    def std(self):
        return np.sqrt(self._squares / self.n_rows)


def _parts(n_rows, n_cells):
    """Yield slices of rows of which each has a number of cells."""
    size = max(1, CELLS // n_cells)
    for start in range(0, n_rows, size):
        yield slice(start, start + size)


def _as(given, rows):
    """Return rows of numbers as a table like the given one, with its names."""
    if hasattr(given, "iloc"):
        return type(given)(rows, columns=given.columns)
    return rows


def _code_gradients(estimator, X, given):
    """Return ∂z/∂x of each row, of shape (n_samples, n_components, n_features)."""
    if hasattr(estimator, "code_gradients"):
        return estimator.code_gradients(_as(given, X))
    spread = dense(given, "X").std(axis=0)

    def codes(rows):
        return dense(estimator.transform(_as(given, rows)), "the code")

    return np.stack(list(_differences(codes, X, spread)), axis=2)


def _decoder_gradients(estimator, codes, spread):
    """Return ∂x/∂z of each code, of shape (n_samples, n_components, n_features)."""

    def rows(codes):
        return dense(decode(estimator, codes), "the reconstruction")

    return np.stack(list(_differences(rows, codes, spread)), axis=1)


def _differences(function, points, spread):
    """Yield the derivative of a function by each column, at all points."""
    size = np.abs(points).max(axis=0)
    size[size == 0] = 1.0
    # The spread of equal numbers may be a rounding error, too small for a step.
    steps = STEP * np.where(spread > 1e-7 * size, spread, size)
    for column, step in enumerate(steps):
        aside = np.zeros(points.shape[1])
        aside[column] = step
        yield (function(points + aside) - function(points - aside)) / (2 * step)
