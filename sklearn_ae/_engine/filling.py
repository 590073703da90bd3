"""Filling: how a fit begins where cells are missing."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from .batches import Rows
from .factor import Factors, fit_factors
from .pca import fit_pca
from .wrappers import Filled


@dataclass(frozen=True)
class Filling:
    """What fills the cells that a network may not see.

    Attributes
    ----------
    factors : Factors
        Of the rows as the network reads them.
    rows : ndarray of shape (n_samples, n_features)
        Those rows, filled.
    weights : ndarray of shape (n_samples,) or None
        Of the rows.
    """

    factors: Factors
    rows: np.ndarray
    weights: np.ndarray | None = None

    @classmethod
    def of(cls, table, scaling, hidden, seed, weights=None):
        """Fit factors to a table's observed cells.

        Parameters
        ----------
        table : ndarray of shape (n_samples, n_features)
        scaling : Scaling
        hidden : ndarray of bool of shape (n_samples, n_features) or None
            Which cells judge, and shall not be known.
        seed : int
        weights : ndarray of shape (n_samples,), default=None
            Of the rows, with a mean of 1.

        Returns
        -------
        Filling
        """
        rows = scaling.apply(table, np.float64)
        if hidden is not None:
            rows[hidden] = np.nan
        factors = fit_factors(rows, seed, weights)
        return cls(factors, factors.fill(rows), weights)

    def axes(self, scaling, n_components, seed):
        """Return PCA of the filled rows."""
        rows = scaling.undo(self.rows)
        mean = np.average(self.rows, axis=0, weights=self.weights)
        if self.weights is not None:  # of the rows as filled
            scaling = replace(scaling, mean=np.average(rows, 0, self.weights))
        axes = fit_pca(rows, scaling, n_components, seed, 0, self.weights)
        return replace(axes, mean=mean)

    def wrapped(self, blueprint):
        """Return the blueprint of a network that fills what it reads."""
        own = Filled, {"n_factors": self.factors.loadings.shape[1]}
        return replace(blueprint, wrappers=(*blueprint.wrappers, own))


def dealt(X, seed):
    """Return rows whose missing cells are dealt from their column's others.

    Means instead would make rows with many holes look like copies of one another.
    """
    rng, X = np.random.default_rng(seed), X.copy()
    for column in X.T:
        gone = np.isnan(column)
        others = column[~gone] if not gone.all() else [0.0]
        column[gone] = rng.choice(others, gone.sum())
    return X


def cells_aside(rows, hidden, weights=None):
    """Return rows to train on, and rows whose hidden cells judge.

    Parameters
    ----------
    rows : Tensor of shape (n_samples, n_features)
        All, as the network reads them.
    hidden : ndarray of bool of shape (n_samples, n_features)
        The cells that judge.
    weights : ndarray of shape (n_samples,), default=None
        Of the rows.

    Returns
    -------
    Rows, Rows
        In the second only the hidden cells are targets.
    """
    hidden = torch.from_numpy(hidden).to(rows.device)
    known = torch.where(hidden, torch.nan, rows)
    judges = hidden.any(1)
    targets = torch.where(hidden, rows, torch.nan)
    of_judges = None if weights is None else weights[judges.cpu().numpy()]
    judging = Rows(known[judges], targets[judges], of_judges)
    return Rows(known, weights=weights), judging
