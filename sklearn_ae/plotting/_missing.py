"""Which cells are missing, and how well others like them are filled."""

from numbers import Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array, check_random_state, check_scalar

from ._display import STYLES, Display, legible, tidy


class MissingCellsDisplay(Display):
    """The pattern of missing cells, or observed cells against what fills them.

    It is recommended to use :meth:`from_data` or :meth:`from_estimator`.

    Parameters
    ----------
    missing : ndarray of bool of shape (n_samples, n_features)
        Which cells are.
    observed, filled : ndarray of shape (n_hidden,), default=None
        Observed cells that were hidden, and what filled them, in standard deviations
        of their columns. None draws the pattern.
    names : sequence of str, default=None
        Of the columns; by default their numbers.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that holds them.
    image_ : AxesImage
        The pattern, if that is drawn: dark where a cell is missing.
    points_ : PathCollection
        The cells, if they are drawn.

    See Also
    --------
    AutoencoderImputer : Fills missing cells.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.impute import KNNImputer
    >>> from sklearn_ae.plotting import MissingCellsDisplay
    >>> X = load_iris().data.copy()
    >>> X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    >>> display = MissingCellsDisplay.from_estimator(KNNImputer(), X, random_state=0)
    >>> bool(np.corrcoef(display.observed, display.filled)[0, 1] > 0.8)
    True
    """

    def __init__(self, missing, observed=None, filled=None, *, names=None):
        self.missing = missing
        self.observed = observed
        self.filled = filled
        self.names = names

    @classmethod
    def from_data(cls, X, *, ax=None):
        """Draw which cells are missing, row by row.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features)
            Rows with NaN in missing cells.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        MissingCellsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If X is not a table of numbers.
        """
        rows = check_array(X, ensure_all_finite="allow-nan", dtype=np.float64)
        return cls(np.isnan(rows), names=_names(X, rows)).plot(ax)

    @classmethod
    def from_estimator(cls, imputer, X, *, share=0.1, random_state=None, ax=None):
        """Hide some observed cells, fit the imputer to the others, and compare.

        Parameters
        ----------
        imputer : estimator
            Any imputer with ``fit_transform``. A clone is fitted, so that it has not
            seen the hidden cells.
        X : {array-like, DataFrame} of shape (n_samples, n_features)
            Rows with NaN in missing cells.
        share : float, default=0.1
            Of the observed cells that are hidden. A column keeps one at least.
        random_state : int, RandomState instance or None, default=None
            Of the cells that are drawn.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        MissingCellsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If no cell can be hidden, or the imputer leaves out or adds columns.
        """
        check_scalar(share, "share", Real, min_val=0, max_val=1)
        rows = check_array(X, ensure_all_finite="allow-nan", dtype=np.float64)
        there = ~np.isnan(rows)
        hidden = check_random_state(random_state).random_sample(rows.shape) < share
        hidden &= there
        hidden[:, ~(there & ~hidden).any(axis=0)] = False
        if not hidden.any():
            raise ValueError(
                f"No observed cell was hidden. Got share={share} of {there.sum()} "
                "observed cells: raise share."
            )
        filled = clone(imputer).fit_transform(np.where(hidden, np.nan, rows))
        if filled.shape != rows.shape:
            raise ValueError(
                f"The imputer must keep the {rows.shape[1]} columns of X. Got "
                f"{filled.shape[1]}."
            )
        mean, spread = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        observed, filled = (((Z - mean) / spread)[hidden] for Z in (rows, filled))
        return cls(~there, observed, filled, names=_names(X, rows)).plot(ax)

    def _draw(self, ax):
        if self.observed is None:
            self._draw_pattern(ax)
            return
        ends = np.array([self.observed, self.filled])
        ends = np.array([ends.min(), ends.max()])
        ax.plot(ends, ends, color="0.5", linewidth=1)
        color = STYLES[1]["color"]
        self.points_ = ax.scatter(self.observed, self.filled, 12, color, alpha=0.4)
        error = np.sqrt(np.square(self.observed - self.filled).mean())
        ax.set(
            xlabel="observed and hidden, in standard deviations",
            ylabel="filled, in the same",
            title=f"{len(self.observed):,} cells, error {error:.3f}",
        )
        tidy(ax)

    def _draw_pattern(self, ax):
        """Draw a dark dot for each missing cell."""
        self.image_ = ax.imshow(
            self.missing,
            cmap="Greys",
            vmin=0,
            vmax=1,
            aspect="auto",
            interpolation="none",
        )
        shares, n = self.missing.mean(axis=0), self.missing.shape[1]
        names = range(n) if self.names is None else self.names
        labels = [
            f"{legible(x)} ({share:.0%})"
            for x, share in zip(names, shares, strict=True)
        ]
        shown = np.arange(0, n, -(-n // 30))
        ax.set_xticks(shown, [labels[i] for i in shown], rotation=90)
        ax.set(ylabel="row", title=f"{self.missing.mean():.1%} of cells missing")


def _names(X, rows):
    return [str(name) for name in getattr(X, "columns", range(rows.shape[1]))]
