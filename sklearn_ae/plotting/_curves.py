"""Curves: of the loss, and of what a code is worth against its size."""

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils.validation import check_is_fitted

from ..compare import METRICS, _check_results, corrected_interval
from ..metrics import _dense, _reconstruct, explained_variance_share, reconstruction_mse
from ._shared import STYLES, axes, check_y, inner, spans_decades, tidy

_LOSSES = {
    "squared_error": METRICS["mse"].label,
    "absolute_error": "mean absolute error per cell",
    "huber": "mean Huber loss per cell",
    "binary_cross_entropy": "mean cross-entropy per cell",
}
_CURVE_COLUMNS = ["reducer", "n_components", "mean", "low", "high"]


class LossCurveDisplay:
    """Loss of each epoch, of the training rows and of those set aside.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    loss_curve : sequence of float
        Training loss of each epoch.
    validation_loss_curve : sequence of float, default=()
        Validation loss of each epoch.
    kept : tuple of (int, float), default=None
        The epoch whose weights were kept, 0 for the start, and its loss.
    pca_error : float, default=None
        PCA's error at the same code size.
    label : str, default="loss"
        What the loss is.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : dict of str to matplotlib Line2D
        "training", and where there are such, "validation", "kept" and "PCA".

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ae import AutoencoderTransformer
    >>> from sklearn_ae.plotting import LossCurveDisplay
    >>> X = load_digits().data
    >>> autoencoder = AutoencoderTransformer(2, max_iter=10, random_state=0).fit(X)
    >>> display = LossCurveDisplay.from_estimator(autoencoder, X)
    >>> display.validation_loss_curve[-1] < display.pca_error
    True
    """

    def __init__(
        self,
        loss_curve,
        validation_loss_curve=(),
        *,
        kept=None,
        pca_error=None,
        label="loss",
    ):
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.kept = kept
        self.pca_error = pca_error
        self.label = label

    @classmethod
    def from_estimator(cls, estimator, X=None, *, ax=None):
        """Draw what the estimator noted in its fit.

        Parameters
        ----------
        estimator : fitted autoencoder
            Or a Pipeline that ends in one, or a search that found one.
        X : array-like of shape (n_samples, n_features), default=None
            Training rows. With them PCA of the same code size is fitted, and its mean
            squared error on these very rows is a line to compare with. Only for
            ``loss="squared_error"``, without noise, penalty, prior or ordered code,
            which make the loss another one.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no loss curve.
        ValueError
            If X is given and PCA's error can't be compared with the loss.
        NotFittedError
            If the estimator is not fitted.
        """
        model, X = inner(estimator, X)
        check_is_fitted(model)
        if not hasattr(model, "loss_curve_") or not hasattr(model, "best_iter_"):
            raise TypeError(
                f"estimator must be an autoencoder of sklearn_ae. Got "
                f"{type(model).__name__}, which has no loss curve."
            )
        ordered = hasattr(model, "code_size_curve_")
        label = _LOSSES[model.loss]
        if hasattr(model, "beta"):
            label = "minus the evidence lower bound, nats per cell"
        elif model.penalty not in (None, "k_sparse"):
            label += f", with the {model.penalty} penalty"
        if hasattr(model, "prior_distance_"):
            label += ";\nvalidation with the distance to the prior"
        if ordered:
            label += ",\nmean over code sizes"
        pca_error = None
        if X is not None:
            others = {
                f"loss={model.loss!r}": model.loss != "squared_error",
                f"noise={model.noise!r}": model.noise is not None,
                f"penalty={model.penalty!r}": model.penalty not in (None, "k_sparse"),
                "a prior": hasattr(model, "sample"),
                "an ordered code": ordered,
            }
            if any(others.values()):
                reason = next(name for name, there in others.items() if there)
                raise ValueError(
                    f"X is for PCA's squared error, which can't be compared with the "
                    f"loss of a {type(model).__name__} with {reason}: leave X out."
                )
            X = _rows_of_fit(model, X)
            size = min(model.n_components_, *X.shape)
            pca_error = reconstruction_mse(
                X, _reconstruct(PCA(size, random_state=0).fit(X), X)
            )
        kept = None
        if np.isfinite(model.best_loss_):
            kept = model.best_iter_, model.best_loss_
        display = cls(
            model.loss_curve_,
            model.validation_loss_curve_,
            kept=kept,
            pca_error=pca_error,
            label=label,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        LossCurveDisplay
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes(ax, (6.4, 4.2))
        curves = {
            "training": (self.loss_curve, {"color": "#D55E00", "linestyle": "--"}),
            "validation": (self.validation_loss_curve, {"color": "#0072B2"}),
        }
        self.lines_ = {}
        values = []
        for name, (curve, style) in curves.items():
            if len(curve):
                epochs = np.arange(1, len(curve) + 1)
                (self.lines_[name],) = ax.plot(epochs, curve, label=name, **style)
                values.extend(curve)
        if self.kept is not None:
            epoch, loss = self.kept
            name = f"kept: epoch {epoch}" if epoch else "kept: the start"
            style = {"color": "#0072B2", "marker": "o", "markersize": 9, "ls": ""}
            (self.lines_["kept"],) = ax.plot(
                [epoch], [loss], label=name, clip_on=False, **style
            )
            values.append(loss)
        if self.pca_error is not None:
            self.lines_["PCA"] = ax.axhline(
                self.pca_error,
                color="#000000",
                linestyle=":",
                label="PCA of the same code size",
            )
            values.append(self.pca_error)
        if values and spans_decades(np.array(values)):
            ax.set_yscale("log")
        ax.set_xlim(0, None)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("epoch")
        ax.set_ylabel(self.label)
        tidy(ax)
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


class CodeSizeDisplay:
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
        model, X = inner(estimator, X, through_searches=False)
        check_is_fitted(model)
        X = _rows_of_fit(model, X)
        name, label = type(model).__name__, METRICS["explained_variance"].label
        if hasattr(model, "code_size_curve_"):
            sizes = range(1, model.n_components_ + 1)
            if X_test is None:
                pca = PCA(min(len(sizes), *X.shape), random_state=0).fit(X)
                shares = {"PCA": np.cumsum(pca.explained_variance_ratio_)}
                shares[name] = model.code_size_curve_
            else:
                X_test = _dense(inner(estimator, X_test)[1], "X_test")
                shares = {"PCA": _shares_of_pca(X, X_test, sizes)}
                shares[name] = [model.score(X_test, n_components=k) for k in sizes]
            rows = [
                (reducer, size, share, np.nan, np.nan)
                for reducer, curve in shares.items()
                for size, share in zip(sizes, curve, strict=False)
            ]
            curves = pd.DataFrame(rows, columns=_CURVE_COLUMNS)
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
            if model.predictor is not None:
                if y is None:
                    raise ValueError(
                        f"y must be the target of predictor={model.predictor}. "
                        f"Got None."
                    )
                score = "accuracy" if is_classifier(model.predictor) else "R²"
                label = f"{model.scoring or score} of the model on the code"
            elif model.scoring is not None:
                label = getattr(model.scoring, "__name__", str(model.scoring))
            curves = _curves(_fold_scores(model, X, y), "score", confidence)
            chosen = model.n_components_
        else:
            raise TypeError(
                f"estimator must have been fitted with ordered=True, or be an "
                f"AutoencoderTransformerCV. Got {name}, which knows one code size: fit "
                f"others by compare_reducers and draw them by ComparisonDisplay."
            )
        return cls(curves, chosen=chosen, label=label).plot(ax)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        CodeSizeDisplay
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes(ax, (6.4, 4.2))
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
        self.ax_, self.figure_ = ax, ax.figure
        return self


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
    >>> list(display.lines_)
    ['PCA', 'TruncatedSVD']
    """

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
        _check_results(results, metric)
        return cls(_curves(results, metric, confidence), metric).plot(ax=ax)

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
        ax = axes(ax, (6.4, 4.8))
        self.lines_ = _draw_curves(ax, self.curves)
        ax.set_ylabel(METRICS[self.metric].label)
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _rows_of_fit(model, X):
    """Return the rows to fit PCA to as an array."""
    X = _dense(X, "X")
    if X.shape[1] != model.n_features_in_:
        raise ValueError(
            f"X must be the training rows, of {model.n_features_in_} columns. Got "
            f"{X.shape[1]}."
        )
    return X


def _shares_of_pca(X, X_test, sizes):
    """Return the share of variance of X_test that PCA of X explains, by code size."""
    pca = PCA(min(max(sizes), *X.shape), random_state=0).fit(X)
    codes = pca.transform(X_test)
    return [
        explained_variance_share(
            X_test, codes[:, :k] @ pca.components_[:k] + pca.mean_, mean=pca.mean_
        )
        for k in sizes
        if k <= pca.n_components_
    ]


def _fold_scores(search, X, y):
    """Return the search's scores and PCA's on the same folds, as `_curves` reads."""
    scores = search.cv_results_
    sizes = np.asarray(scores["param_n_components"]).tolist()
    predictor, scoring = search.predictor, search.scoring
    classes = predictor is not None and is_classifier(predictor)
    splits = list(check_cv(search.cv, y, classifier=classes).split(X, y))
    if len(splits) != search.n_splits_:
        raise ValueError(
            f"X must be the rows of the search, of {search.n_splits_} folds. Got "
            f"{len(splits)} folds."
        )
    rows_of_pca, rows_of_ours = [], []
    for number, (train, test) in enumerate(splits):
        y_test = None if y is None else y[test]
        kept = [k for k in sizes if k <= min(len(train), X.shape[1])]
        if predictor is None and scoring is None:
            of_pca = _shares_of_pca(X[train], X[test], kept)
        else:
            of_pca = []
            for k in kept:
                pca = PCA(k, random_state=0).fit(X[train])
                if predictor is None:
                    of_pca.append(scoring(pca, X[test], y_test))
                else:
                    model = clone(predictor).fit(pca.transform(X[train]), y[train])
                    scorer = check_scoring(model, scoring=scoring)
                    of_pca.append(scorer(model, pca.transform(X[test]), y_test))
        counts = len(train), len(test)
        rows_of_pca += [
            ("PCA", k, *counts, value) for k, value in zip(kept, of_pca, strict=True)
        ]
        of_ours = scores[f"split{number}_test_score"]
        rows_of_ours += [
            (type(search).__name__, k, *counts, value)
            for k, value in zip(sizes, of_ours, strict=True)
        ]
    columns = ["reducer", "n_components", "n_train", "n_test", "score"]
    return pd.DataFrame(rows_of_pca + rows_of_ours, columns=columns)


def _curves(results, column, confidence):
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
            label=reducer,
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
