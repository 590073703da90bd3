"""The error of each row."""

from numbers import Real

import numpy as np
from sklearn.utils import check_scalar

from .._reducers import checked_pair, reconstruct
from ._display import STYLES, Display, check_y, legible, spans_decades, tidy


class ReconstructionErrorDisplay(Display):
    """Histogram of the reconstruction's error of each row, to find anomalies by.

    Rows that are unlike the training rows are reconstructed badly. The error is the sum
    of squares over columns: minus `score_samples` of our autoencoders, except for
    `VariationalAutoencoder`, whose `score_samples` is a density.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    errors : ndarray of shape (n_samples,)
        The squared errors.
    y : ndarray of shape (n_samples,), default=None
        The group of each row, such as "normal" and "anomaly".
    threshold : float, default=None
        Error above which a row is taken for an anomaly.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the histograms.
    figure_ : matplotlib Figure
        Figure that holds them.
    stairs_ : dict of object to matplotlib StepPatch
        The histogram of each group; ``stairs_[None]`` if there are none.
    threshold_line_ : matplotlib Line2D
        The threshold, if there is one.

    See Also
    --------
    sklearn_ae.AutoencoderOutlierDetector : Chooses a threshold.
    ReconstructionDisplay : The rows themselves.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.plotting import ReconstructionErrorDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> pca = PCA(8).fit(X[y != 1])
    >>> display = ReconstructionErrorDisplay.from_estimator(
    ...     pca, X, y == 1, threshold=900
    ... )
    >>> display.errors.shape
    (1797,)
    """

    def __init__(self, errors, y=None, *, threshold=None):
        self.errors = errors
        self.y = y
        self.threshold = threshold

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, threshold=None, quantile=None, ax=None
    ):
        """Compute the error of each row and draw their histogram.

        Parameters
        ----------
        estimator : fitted estimator
            A reducer with ``transform`` and ``inverse_transform``.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), default=None
            The group of each row, such as "normal" and "anomaly": at most 7 groups.
        threshold : float, default=None
            Error above which a row is taken for an anomaly.
        quantile : float, default=None
            Instead of a threshold: the share of all rows of X below it, in [0, 1].
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        ReconstructionErrorDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator can't reconstruct.
        ValueError
            If y has another length or too many groups, or there are both a threshold
            and a quantile.
        NotFittedError
            If the estimator is not fitted.
        """
        return cls.from_predictions(
            X,
            reconstruct(estimator, X),
            y,
            threshold=threshold,
            quantile=quantile,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls, X, X_reconstructed, y=None, *, threshold=None, quantile=None, ax=None
    ):
        """Draw the histogram of the errors of reconstructions.

        Parameters
        ----------
        X, X_reconstructed : {array-like, sparse matrix, DataFrame}
            Rows and their reconstructions, of shape (n_samples, n_features).
        y : array-like of shape (n_samples,), default=None
            Groups to draw apart.
        threshold : float, default=None
            An error to mark.
        quantile : float, default=None
            Share of the rows below the mark, instead of `threshold`.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        ReconstructionErrorDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If shapes differ, there are too many groups, or both a threshold and a
            quantile.
        """
        X, X_reconstructed = checked_pair(X, X_reconstructed)
        errors = np.square(X - X_reconstructed).sum(axis=1)
        y = check_y(y, len(X))
        if y is not None and (n := len(np.unique(y))) > len(STYLES):
            raise ValueError(f"y must hold at most {len(STYLES)} groups. Got {n}.")
        if quantile is not None:
            if threshold is not None:
                raise ValueError(
                    f"Give threshold or quantile, not both. Got {threshold} and "
                    f"{quantile}."
                )
            check_scalar(quantile, "quantile", Real, min_val=0, max_val=1)
            threshold = np.quantile(errors, quantile)
        return cls(errors, y, threshold=threshold).plot(ax)

    def plot(self, ax=None, *, bins=40):
        """Draw the histograms.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        bins : int, default=40
            Number of bins. They are equally wide on the axis, which is logarithmic
            where the largest error is more than 20 times the smallest.

        Returns
        -------
        ReconstructionErrorDisplay
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return self._plot(ax, bins=bins)

    def _draw(self, ax, bins):
        logarithmic = spans_decades(self.errors)
        scaled = np.log(self.errors) if logarithmic else self.errors
        edges = np.histogram_bin_edges(scaled, bins)
        if logarithmic:
            edges = np.exp(edges)
            edges[[0, -1]] = self.errors.min(), self.errors.max()  # but for rounding
            ax.set_xscale("log")
        groups = [None] if self.y is None else np.unique(self.y)
        # The first style is for PCA where reducers are compared; there are none here.
        styles = [STYLES[1]] if self.y is None else [*STYLES[1:], STYLES[0]]
        self.stairs_ = {}
        for group, style in zip(groups, styles, strict=False):
            errors = self.errors if group is None else self.errors[self.y == group]
            label = f"{'rows' if group is None else legible(group)} ({len(errors):,})"
            if self.threshold is not None:
                label += f", {np.mean(errors > self.threshold):.0%} above"
            look = {key: style[key] for key in ("color", "linestyle")}
            heights = np.histogram(errors, edges)[0] / len(errors)
            ax.stairs(heights, edges, fill=True, color=look["color"], alpha=0.15)
            self.stairs_[group] = ax.stairs(
                heights, edges, label=label, linewidth=1.8, **look
            )
        if self.threshold is not None:
            self.threshold_line_ = ax.axvline(
                self.threshold,
                color="black",
                linewidth=1.2,
                label=f"threshold: {self.threshold:.4g}",
            )
        ax.set_xlabel("squared error of a row, in squared units of the data")
        of = "rows" if self.y is None else "rows of the group"
        ax.set_ylabel(f"share of the {of}")
        ax.set_ylim(0, None)
        tidy(ax)
        ax.legend(frameon=False)
