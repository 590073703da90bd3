"""Factor analysis of rows with missing cells: what fills them, and where a fit starts.

A cell is its column's mean, plus what a few factors of the row make of it, plus noise
of the column's own. Fitted by EM to the observed cells alone (Rubin and Thayer 1982),
it says what a row's missing cells are on average, given those that are there.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.extmath import randomized_svd

RANKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # numbers of factors that are tried
CHOOSING = 0.1  # share of the observed cells by which the number is chosen
PRODUCTS = 2**28  # of a step of EM, above which it takes a sample of the rows
FEWEST_ROWS = 1000  # of such a sample
N_ROUNDS = 20  # of PCA that fills the rows for the next, before
N_CHOOSING, N_STEPS = 15, 40  # steps of EM: to choose the number, and then
# Least noise of a column, as a share of its variance: a factor that a column has to
# itself explains it without noise and fills nothing.
LEAST_NOISE = 2e-3
HEAVY = 1e-4  # rows' worth of a prior that keeps loadings finite


@dataclass(frozen=True)
class Factors:
    """A model of factors.

    Attributes
    ----------
    loadings : ndarray of shape (n_features, n_factors)
        What a factor of 1 adds to each column.
    noise : ndarray of shape (n_features,)
        Variance of each column that is its own.
    mean : ndarray of shape (n_features,)
        Of each column.
    """

    loadings: np.ndarray
    noise: np.ndarray
    mean: np.ndarray

    def fill(self, X):
        """Return rows with their missing cells at their conditional means."""
        there = ~np.isnan(X)
        filled = self.mean + posterior(self, X, there)[0] @ self.loadings.T
        return np.where(there, X, filled)

    def variances(self, X):
        """Return the variance of each cell, given the observed cells of its row."""
        _, covariances = posterior(self, X, ~np.isnan(X))
        L = self.loadings
        return self.noise + np.einsum("di,nij,dj->nd", L, covariances, L, optimize=True)

    def deviations(self, X, rng):
        """Draw by how much cells differ from their conditional means."""
        _, covariances = posterior(self, X, ~np.isnan(X))
        normal = rng.standard_normal((len(X), self.loadings.shape[1], 1))
        factors = (np.linalg.cholesky(covariances) @ normal)[:, :, 0]
        own = rng.standard_normal(X.shape) * np.sqrt(self.noise)
        return factors @ self.loadings.T + own


def posterior(factors, X, there):
    """Return means and covariances of rows' factors, given their observed cells.

    Parameters
    ----------
    factors : Factors
    X : ndarray of shape (n_samples, n_features)
        Whatever in missing cells.
    there : ndarray of bool of shape (n_samples, n_features)
        Which cells are observed.

    Returns
    -------
    means : ndarray of shape (n_samples, n_factors)
    covariances : ndarray of shape (n_samples, n_factors, n_factors)
    """
    L, k = factors.loadings, factors.loadings.shape[1]
    weights = there / factors.noise  # (n_samples, n_features)
    centred = np.where(there, X - factors.mean, 0.0)
    products = (L[:, :, None] * L[:, None]).reshape(-1, k * k)
    precisions = (weights @ products).reshape(-1, k, k) + np.eye(k)
    covariances = np.linalg.inv(precisions)
    means = np.einsum("nij,nj->ni", covariances, (centred * weights) @ L)
    return means, covariances


def own_generator(seed, purpose):
    """Return a generator of numbers that nobody else has drawn.

    Where holes were made by ``default_rng(seed).random(X.shape) < 0.1``, the same
    numbers would draw none of the observed cells.
    """
    return np.random.default_rng([seed, *purpose.encode()])


def held_out(there, share, rng):
    """Draw observed cells that are held out, of each row those of its own.

    Parameters
    ----------
    there : ndarray of bool of shape (n_samples, n_features)
        Which cells are observed.
    share : float
        Of them that are drawn.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of bool of shape (n_samples, n_features)
        No column loses its last observed cell. At least one cell is drawn where a
        column has two.
    """
    hidden = there & (rng.random(there.shape) < share)
    bare = there.any(axis=0) & ~(there & ~hidden).any(axis=0)
    hidden[:, bare] = False
    if not hidden.any():  # by chance, of few cells
        spare = np.flatnonzero(there & (there.sum(axis=0) > 1))
        hidden.flat[rng.permutation(spare)[:1]] = True
    return hidden


def fit_factors(X, seed, weights=None):
    """Fit factors to the observed cells, as many as fill others best.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows; NaN where a cell is missing. Each column has one that is not.
    seed : int
        Of the sample of a large table's rows, and of the cells that are held out to
        choose the number of factors.
    weights : ndarray of shape (n_samples,), default=None
        Of the rows, with a mean of 1.

    Returns
    -------
    Factors
    """
    rng = own_generator(seed, "factors")
    X, weights = _some_rows(X, rng, weights)
    mean, spread = moments(X, weights)
    spread = np.where(spread > 1e-12 * np.abs(mean), spread, 1.0)
    rows = (X - mean) / spread
    rank = _best_rank(rows, rng, weights)
    found = _fit(rows, rank, seed % 2**32, N_STEPS, weights)
    return Factors(
        found.loadings * spread[:, None],
        found.noise * spread**2,
        mean + spread * found.mean,
    )


def moments(X, weights=None):
    """Return mean and standard deviation of the observed cells of each column.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,), default=None
        Of the rows.

    Returns
    -------
    ndarray, ndarray of shape (n_features,), float64
    """
    if weights is None:
        kind = {"axis": 0, "dtype": np.float64}
        return np.nanmean(X, **kind), np.nanstd(X, **kind)
    counts = (~np.isnan(X) * weights[:, None]).sum(axis=0)
    mean = np.nansum(X * weights[:, None], axis=0) / counts
    squares = np.nansum(np.square(X - mean) * weights[:, None], axis=0)
    return mean, np.sqrt(squares / counts)


def _some_rows(X, rng, weights):
    """Return rows whose factors can be found in reasonable time, and their weights.

    All, or a sample.
    """
    n_rows, n_features = X.shape
    most = max(FEWEST_ROWS, PRODUCTS // (n_features * min(RANKS[-1], n_features) ** 2))
    if n_rows <= most:
        return X.astype(np.float64), weights
    numbers = np.sort(rng.choice(n_rows, most, replace=False))
    some = X[numbers].astype(np.float64)
    bare = np.isnan(some).all(axis=0)  # all but unknown columns: at their mean
    some[0, bare] = np.nanmean(X[:, bare], axis=0)
    return some, None if weights is None else weights[numbers]


def _best_rank(rows, rng, weights):
    """Return how many factors fill held-out cells best; 0 if none beats the means."""
    hidden = held_out(~np.isnan(rows), CHOOSING, rng)
    if not hidden.any():
        return 0
    known, seed = np.where(hidden, np.nan, rows), int(rng.integers(2**31))
    cells = None  # weights of those hidden
    if weights is not None:
        cells = np.broadcast_to(weights[:, None], rows.shape)[hidden]
    best, worse = 0, 0
    lowest = np.average(np.square(rows[hidden]), weights=cells)
    for rank in RANKS:
        if rank >= min(rows.shape) or worse == 3:
            break
        filled = _fit(known, rank, seed, N_CHOOSING, weights).fill(known)
        error = np.average(np.square(filled - rows)[hidden], weights=cells)
        if error < 0.999 * lowest:
            best, lowest, worse = rank, error, 0
        else:
            worse += 1
    return best


def _fit(rows, rank, seed, n_steps, weights):
    """Fit so many factors to standardized rows."""
    n_features = rows.shape[1]
    if rank == 0:
        none = np.zeros(n_features)
        return Factors(none[:, None], none + 1, none)
    there = ~np.isnan(rows)
    known = np.where(there, rows, 0.0)
    column = 1.0 if weights is None else weights[:, None]
    factors = _start(known, there, rank, seed, column)
    for _ in range(n_steps):
        factors = _step(factors, known, there, column)
    return factors


def _start(known, there, rank, seed, weights):
    """Return factors as PCA has them, of rows that it fills itself."""
    n_rows, n_features = known.shape
    filled = known
    for _ in range(1 if there.all() else N_ROUNDS):
        mean = (filled * weights).mean(axis=0)
        centred = filled - mean
        scaled = centred * np.sqrt(weights)
        _, lengths, axes = randomized_svd(scaled, rank, n_iter=2, random_state=seed)
        variances = lengths**2 / n_rows
        left = max(np.square(scaled).sum() / n_rows - variances.sum(), 0.0)
        noise = max(left / max(1, n_features - rank), LEAST_NOISE)
        # As much as a component's variance is above the noise (Josse and Husson 2012).
        kept = np.maximum(1 - noise / np.maximum(variances, noise), 0.0)
        filled = np.where(there, known, mean + (centred @ axes.T * kept) @ axes)
    loadings = axes.T * np.sqrt(np.maximum(variances - noise, LEAST_NOISE))
    return Factors(loadings, np.full(n_features, noise), mean)


def _step(factors, known, there, weights):
    """Return what factors come to by a step of EM."""
    n_rows, k = len(known), factors.loadings.shape[1]
    means, covariances = posterior(factors, known, there)
    squares = covariances + means[:, :, None] * means[:, None]
    counts = (there * weights).T.astype(float)  # (n_features, n_samples)
    crossed = (counts @ squares.reshape(n_rows, -1)).reshape(-1, k, k)
    centred = np.where(there, known - factors.mean, 0.0)
    prior = HEAVY * n_rows * np.eye(k)
    products = (centred * weights).T @ means
    loadings = np.linalg.solve(crossed + prior, products[:, :, None])[..., 0]
    spreads = (counts @ covariances.reshape(n_rows, -1)).reshape(-1, k, k)
    said = means @ loadings.T
    left = np.where(there, centred - said, 0.0)
    n_there = np.maximum((there * weights).sum(axis=0), 1)
    noise = (np.square(left) * weights).sum(axis=0) + np.einsum(
        "di,dij,dj->d", loadings, spreads, loadings
    )
    noise = np.maximum((noise + 10 * LEAST_NOISE) / n_there, LEAST_NOISE)
    mean = factors.mean + (left * weights).sum(axis=0) / n_there
    return Factors(loadings, noise, mean)
