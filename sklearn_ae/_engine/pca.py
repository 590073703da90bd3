"""PCA of what the network reads: the start of a fit, and its measure."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.decomposition import PCA

from .._sklearn import fit_unseen
from .tables import Sparse, chunks, is_large

PCA_FEATURES = 4096  # above which PCA of a stream takes a sample of its rows,
PCA_CELLS = 2**28  # of this size: 1 GiB
FEW_FEATURES = 1000  # of sparse rows, up to which their covariances are quick


@dataclass(frozen=True)
class Axes:
    """Principal components of the rows as the network reads them.

    Attributes
    ----------
    components : ndarray of shape (n_components, n_features)
        Unit vectors.
    mean : ndarray of shape (n_features,)
        What is subtracted before.
    variances : ndarray of shape (n_components,)
        Along the components.
    shares : ndarray of shape (n_components,), float64
        Of variance that the first, the first two, … explain.
    left : float
        Sum of the variances along all other axes.
    """

    components: np.ndarray
    mean: np.ndarray
    variances: np.ndarray
    shares: np.ndarray
    left: float

    def first(self, n_components):
        """Return the first of them alone."""
        kept = slice(n_components)
        return replace(
            self,
            components=self.components[kept],
            variances=self.variances[kept],
            shares=self.shares[kept],
            left=self.left + float(self.variances[n_components:].sum()),
        )

    def unexplained(self, n_components):
        """Return the share left by the first component, the first two, and so on.

        Parameters
        ----------
        n_components : int
            How many shares; beyond the last component they stay what they are.
        """
        missing = max(0, n_components - len(self.shares))
        return 1 - np.pad(self.shares[:n_components], (0, missing), "edge")


def fit_pca(table, scaling, n_components, seed, sample_seed, weights=None):
    """Fit PCA to a table.

    Parameters
    ----------
    table : table of shape (n_samples, n_features)
        The rows.
    scaling : Scaling
        Their centre and unit.
    n_components : int or None
        Number of components; None for all.
    seed : int or None
        Of the randomized solver.
    sample_seed : int
        Of the sample that is taken of a large and wide table.
    weights : ndarray of shape (n_samples,), default=None
        Of the rows, with a mean of 1.

    Returns
    -------
    Axes
    """
    if weights is not None:
        rows, solver = _weighted_rows(table, scaling, weights), "auto"
        n_components = n_components or min(table.shape)
    else:
        rows, solver = _rows_and_solver(table, scaling, n_components, sample_seed)
    pca = PCA(n_components, svd_solver=solver, random_state=seed)
    with np.errstate(invalid="ignore"):  # constant data have no ratios
        fit_unseen(pca, rows)
    components = pca.components_
    if solver == "arpack":  # whose last is its first, which torch does not take
        components = components.copy()
    shares = np.cumsum(pca.explained_variance_ratio_, dtype=np.float64)
    rank = min(pca.n_samples_, pca.n_features_in_)
    return Axes(
        components,
        # PCA saw centred data, the network sees them only where they are not bounded.
        scaling.mean if scaling.bounded else np.zeros_like(scaling.mean),
        pca.explained_variance_,
        np.where(np.isnan(shares), 1.0, shares),
        float(pca.noise_variance_) * (rank - len(pca.components_)),
    )


def _rows_and_solver(table, scaling, n_components, sample_seed):
    """Return rows, in units of the scale, and what finds their components."""
    if isinstance(table, Sparse):
        n_features = table.shape[1]
        solver = "covariance_eigh" if n_features <= PCA_FEATURES else None
        some = n_components is not None and n_components < min(table.shape)
        if some and n_features > FEW_FEATURES:
            solver = "arpack"
        rows = _sparse_rows(table, scaling)
        if solver is not None and rows.data.any():  # which ARPACK asks for
            return rows, solver
    return _rows(table, scaling, sample_seed), "auto"


def _sparse_rows(table, scaling):
    """Return a table's rows as they are, in float64 and units of the scale.

    PCA takes the mean from sums of squares, or from products, which costs digits where
    it is far from zero beside the spread. Of columns with many zeros it is not, and the
    others are as full when they are centred.
    """
    rows = table.matrix.astype(np.float64)
    full = np.bincount(rows.indices, minlength=rows.shape[1]) == rows.shape[0]
    rows.data -= np.where(full, scaling.mean, 0.0)[rows.indices]
    rows.data /= scaling.scale
    return rows


def _rows(table, scaling, sample_seed):
    """Return rows that have the table's covariance, in units of the scale."""
    if not is_large(table):
        return _centred(table[:], scaling)
    n_rows, n_features = table.shape
    if n_features > PCA_FEATURES:  # whose covariances are too many
        n_some = min(n_rows, PCA_CELLS // n_features)
        some = np.random.default_rng(sample_seed).choice(n_rows, n_some, False)
        return _centred(table[np.sort(some)], scaling)
    parts = (_centred(table[rows], scaling) for rows in chunks(table))
    squares = sum((part.T @ part).astype(np.float64) for part in parts)
    variances, axes = np.linalg.eigh(squares)
    rows = np.sqrt(np.maximum(variances, 0) * _share(n_features, n_rows))
    rows = rows[:, None] * axes.T
    return np.concatenate([rows, -rows])


def _weighted_rows(table, scaling, weights):
    """Return rows that have the covariance of rows with weights, in units of the scale.

    The scaling's mean is theirs.
    """
    rows = _centred(table[:].astype(np.float64), scaling)
    rows *= np.sqrt(weights)[:, None]
    n_rows, n_features = rows.shape
    if n_rows > n_features:
        rows = np.linalg.qr(rows, mode="r")
    rows *= np.sqrt(_share(len(rows), n_rows))
    return np.concatenate([rows, -rows])


def _share(n_axes, n_rows):
    """Return what squares are multiplied by to give the same variances.

    Of twice as many rows as there are axes, each with its opposite: their mean is zero.
    """
    return (2 * n_axes - 1) / (2 * max(n_rows - 1, 1))


def _centred(X, scaling):
    dtype = np.float64 if X.dtype == np.float64 else np.float32
    return (X - scaling.mean.astype(dtype)) / dtype(scaling.scale)
