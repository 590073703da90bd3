"""Display classes, in scikit-learn's manner: made from results, drawn by ``plot``."""

import numpy as np
import pandas as pd

from .compare import METRICS, _check_results, corrected_interval

__all__ = ["ComparisonDisplay"]

# Colours of Okabe & Ito (2008), told apart by the colour-blind; the line and the marker
# tell the reducers apart in black and white.
_STYLES = [
    {"color": "#000000", "linestyle": "--", "marker": "s"},
    {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    {"color": "#D55E00", "linestyle": "-.", "marker": "^"},
    {"color": "#009E73", "linestyle": ":", "marker": "D"},
    {"color": "#CC79A7", "linestyle": (0, (6, 1, 1, 1, 1, 1)), "marker": "v"},
    {"color": "#E69F00", "linestyle": (0, (8, 3)), "marker": "P"},
    {"color": "#56B4E9", "linestyle": (0, (1, 3)), "marker": "X"},
]


class ComparisonDisplay:
    """Curves of a metric against the code size, one for each reducer.

    It is recommended to use :meth:`from_results`.

    Parameters
    ----------
    curves : DataFrame
        One row per reducer and code size, in the order of drawing. Columns:
        ``reducer``, ``n_components``, ``mean`` of the metric over folds, and the ends
        of its interval, ``low`` and ``high`` (NaN for none).
    metric : str
        The metric's name in :data:`sklearn_ae.compare.METRICS`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves, after :meth:`plot`.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : dict of str to matplotlib ErrorbarContainer
        The curve of each reducer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA, TruncatedSVD
    >>> from sklearn_ae.compare import compare_reducers
    >>> from sklearn_ae.plotting import ComparisonDisplay
    >>> results = compare_reducers(
    ...     [PCA(), TruncatedSVD()], load_iris().data, n_components=[1, 2]
    ... )
    >>> display = ComparisonDisplay.from_results(results)
    >>> display.plot()  # doctest: +SKIP
    """

    def __init__(self, curves, metric):
        self.curves = curves
        self.metric = metric

    @classmethod
    def from_results(cls, results, *, metric="explained_variance", confidence=0.95):
        """Compute the curves of a comparison. Nothing is drawn yet.

        Parameters
        ----------
        results : DataFrame
            What :func:`sklearn_ae.compare.compare_reducers` returned.
        metric : str, default="explained_variance"
            One of the columns that hold a metric.
        confidence : float, default=0.95
            Confidence level of the corrected resampled t intervals over folds (see
            :func:`sklearn_ae.compare.summarize`).

        Returns
        -------
        ComparisonDisplay
            Call its :meth:`plot`.
        """
        _check_results(results, metric)
        rows = []
        for (reducer, size), folds in results.groupby(
            ["reducer", "n_components"], sort=False
        ):
            mean, low, high = corrected_interval(
                folds[metric], folds["n_train"], folds["n_test"], confidence
            )
            rows.append((reducer, size, mean, low, high))
        columns = ["reducer", "n_components", "mean", "low", "high"]
        return cls(pd.DataFrame(rows, columns=columns), metric)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        ComparisonDisplay
            This object, with ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        try:
            from matplotlib import pyplot as plt
            from matplotlib.ticker import NullLocator
        except ImportError as error:
            raise ImportError(
                "ComparisonDisplay needs matplotlib: pip install 'sklearn-ae[plot]'"
            ) from error

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.lines_ = {}
        curves = self.curves.groupby("reducer", sort=False)
        for i, (reducer, curve) in enumerate(curves):
            curve = curve.sort_values("n_components")
            ends = curve[["mean", "mean"]].to_numpy() - curve[["low", "high"]]
            # Side by side, so that no interval hides another.
            aside = 1.035 ** (i - (curves.ngroups - 1) / 2)
            self.lines_[reducer] = ax.errorbar(
                curve["n_components"] * aside,
                curve["mean"],
                yerr=np.nan_to_num(np.abs(ends.to_numpy().T)),
                label=reducer,
                linewidth=1.5,
                markersize=5,
                elinewidth=1,
                capsize=3,
                **_STYLES[i % len(_STYLES)],
            )
        sizes = sorted(self.curves["n_components"].unique())
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, labels=[str(size) for size in sizes])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.25)
        ax.set_xlabel("code size (n_components)")
        ax.set_ylabel(METRICS[self.metric].label)
        ax.grid(axis="y", color="0.9")
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self
