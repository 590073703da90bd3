"""Curves of what a code is worth against its size."""

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from .._measures import METRICS, check_results
from .._reducers import dense, innermost
from .._verdict import corrected_interval
from ._baseline import fold_scores, rows_of_fit, shares_of_pca
from ._display import STYLES, Display, check_y, legible, tidy

_CURVE_COLUMNS = ["reducer", "n_components", "mean", "low", "high"]


class CodeSizeDisplay(Display):
    """What a code is worth against its size, an autoencoder's beside PCA's.

    It is recommended to use :meth:`from_estimator`. For other reducers there is
    :class:`ComparisonDisplay`.

    Parameters
    ----------
    curves : DataFrame
        One row per reducer and code size, in the order of drawing. Columns:
        ``reducer``, ``n_components``, ``mean``, and the ends of an interval, ``low``
        and ``high`` (NaN for none).
    chosen : int, default=None
        The code size that was chosen.
    label : str, default="share of variance explained"
        What ``mean`` is a mean of.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : dict of str to matplotlib ErrorbarContainer
        The curve of each reducer.
    chosen_line_ : matplotlib Line2D
        The chosen size, if there is one.

    See Also
    --------
    ComparisonDisplay : Several reducers, over folds.
    sklearn_ae.AutoencoderTransformerCV : Searches for the size.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ae import AutoencoderTransformer
    >>> from sklearn_ae.plotting import CodeSizeDisplay
    >>> X = load_digits().data
    >>> ordered = AutoencoderTransformer(
    ...     4, ordered=True, max_iter=10, random_state=0
    ... ).fit(X)
    >>> display = CodeSizeDisplay.from_estimator(ordered, X)
    >>> display.curves["reducer"].unique().tolist()
    ['PCA', 'AutoencoderTransformer']
    """

    def __init__(
        self, curves, *, chosen=None, label=METRICS["explained_variance"].label
    ):
        self.curves = curves
        self.chosen = chosen
        self.label = label

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, X_test=None, confidence=0.95, ax=None
    ):
        """Compute PCA's curve, and draw it beside the estimator's own.

        Parameters
        ----------
        estimator : fitted autoencoder or AutoencoderTransformerCV
            One with an ordered code, or a search; or a Pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            The training rows, to which PCA is fitted: in the search's own folds, which
            are the same again unless its `cv` is shuffled without a `random_state`.
        y : array-like of shape (n_samples,), default=None
            The search's target, for its `predictor` or `scoring`.
        X_test : array-like of shape (n_samples, n_features), default=None
            Rows that were not in the fit, on which both are measured then. Without
            them an ordered code is measured on the rows that its fit set aside and PCA
            on X, which is in PCA's favour. Not for a search, whose folds have test
            rows.
        confidence : float, default=0.95
            Confidence level of a search's intervals over folds (see
            :func:`sklearn_ae.compare.summarize`).
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        CodeSizeDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator knows only one code size.
        ValueError
            If y is missing, or X_test given, for a search.
        NotFittedError
            If the estimator is not fitted.
        """
        model, X = innermost(estimator, X, through_searches=False)
        check_is_fitted(model)
        X = rows_of_fit(model, X)
        name, label = type(model).__name__, METRICS["explained_variance"].label
        if hasattr(model, "code_size_curve_"):
            if X_test is not None:
                X_test = dense(innermost(estimator, X_test)[1], "X_test")
            curves = _curves_of_ordered(model, X, X_test)
            # A share of variance as n_components is what chooses.
            share = isinstance(model.n_components, float)
            chosen = model.n_components_ if share else None
        elif hasattr(model, "cv_results_") and hasattr(model, "n_components_"):
            if X_test is not None:
                raise ValueError(
                    "X_test is for a model with an ordered code: leave it out for "
                    f"{name}, whose folds have test rows."
                )
            y = check_y(y, len(X))
            label = _score_in_words(model, y) or label
            curves = _curves_over_folds(fold_scores(model, X, y), "score", confidence)
            chosen = model.n_components_
        else:
            raise TypeError(
                f"estimator must have been fitted with ordered=True, or be an "
                f"AutoencoderTransformerCV. Got {name}, which knows one code size: fit "
                f"others by compare_reducers and draw them by ComparisonDisplay."
            )
        return cls(curves, chosen=chosen, label=label).plot(ax)

    def _draw(self, ax):
        self.lines_ = _draw_curves(ax, self.curves)
        if self.chosen is not None:
            self.chosen_line_ = ax.axvline(
                self.chosen,
                color="0.5",
                linewidth=1.5,
                zorder=0,
                label=f"chosen: {self.chosen}",
            )
        ax.set_ylabel(self.label)
        ax.legend(frameon=False)


class ComparisonDisplay(Display):
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

    See Also
    --------
    CodeSizeDisplay : The sizes of one ordered code.
    sklearn_ae.compare.compare_reducers : Makes the results.

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
    >>> list(display.lines_)
    ['PCA', 'TruncatedSVD']
    """

    _figsize = (6.4, 4.8)

    def __init__(self, curves, metric):
        self.curves = curves
        self.metric = metric

    @classmethod
    def from_results(
        cls, results, *, metric="explained_variance", confidence=0.95, ax=None
    ):
        """Draw the curves of a comparison.

        Parameters
        ----------
        results : DataFrame
            What :func:`sklearn_ae.compare.compare_reducers` returned.
        metric : str, default="explained_variance"
            One of the columns that hold a metric.
        confidence : float, default=0.95
            Confidence level of the corrected resampled t intervals over folds (see
            :func:`sklearn_ae.compare.summarize`).
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        ComparisonDisplay
            With ``ax_`` and ``figure_``.
        """
        check_results(results, metric)
        curves = _curves_over_folds(results, metric, confidence)
        ends = curves[["low", "high"]].clip(*METRICS[metric].bounds)
        return cls(curves.assign(**ends), metric).plot(ax=ax)

    def _draw(self, ax):
        self.lines_ = _draw_curves(ax, self.curves)
        ax.set_ylabel(METRICS[self.metric].label)
        ax.legend(frameon=False)


def _curves_of_ordered(model, X, X_test):
    """Return PCA's shares and those of a model with an ordered code, by code size."""
    sizes = range(1, model.n_components_ + 1)
    if X_test is None:
        pca = PCA(min(len(sizes), *X.shape), random_state=0).fit(X)
        of_pca = np.cumsum(pca.explained_variance_ratio_)
        of_model = model.code_size_curve_
    else:
        of_pca = shares_of_pca(X, X_test, sizes)
        of_model = [model.score(X_test, n_components=k) for k in sizes]
    rows = [
        (reducer, size, share, np.nan, np.nan)
        for reducer, curve in (("PCA", of_pca), (type(model).__name__, of_model))
        for size, share in zip(sizes, curve, strict=False)
    ]
    return pd.DataFrame(rows, columns=_CURVE_COLUMNS)


def _score_in_words(search, y):
    """Return what a search scores, or None for the share of variance explained."""
    if search.predictor is not None:
        if y is None:
            raise ValueError(
                f"y must be the target of predictor={search.predictor}. Got None."
            )
        score = "accuracy" if is_classifier(search.predictor) else "R²"
        return f"{search.scoring or score} of the model on the code"
    if search.scoring is not None:
        return getattr(search.scoring, "__name__", str(search.scoring))
    return None


def _curves_over_folds(results, column, confidence):
    """Return means over folds of a column, and their intervals, as a DataFrame."""
    rows = []
    for (reducer, size), folds in results.groupby(
        ["reducer", "n_components"], sort=False
    ):
        interval = corrected_interval(
            folds[column], folds["n_train"], folds["n_test"], confidence
        )
        rows.append((reducer, size, *interval))
    return pd.DataFrame(rows, columns=_CURVE_COLUMNS)


def _draw_curves(ax, curves):
    """Draw a curve for each reducer against the code size; return its artists."""
    sizes = sorted(curves["n_components"].unique())
    few = len(sizes) <= 8
    drawn = {}
    groups = curves.groupby("reducer", sort=False)
    for i, (reducer, curve) in enumerate(groups):
        curve = curve.sort_values("n_components")
        ends = curve[["mean", "mean"]].to_numpy() - curve[["low", "high"]]
        intervals = ends.notna().any(axis=None)
        # Side by side, so that no interval hides another.
        aside = 1.035 ** (i - (groups.ngroups - 1) / 2) if few and intervals else 1
        drawn[reducer] = ax.errorbar(
            curve["n_components"] * aside,
            curve["mean"],
            yerr=np.nan_to_num(np.abs(ends.to_numpy().T)) if intervals else None,
            label=legible(reducer),
            linewidth=1.5,
            markersize=5,
            elinewidth=1,
            capsize=3,
            **STYLES[i % len(STYLES)],
        )
    if few:
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, labels=[str(size) for size in sizes])
        ax.minorticks_off()
        ax.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.25)
    else:
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("code size (n_components)")
    ax.grid(axis="y", color="0.9")
    tidy(ax)
    return drawn
