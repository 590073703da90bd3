"""Curves of the loss, epoch by epoch."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._reducers import innermost
from ._baseline import pca_error, rows_of_fit
from ._display import Display, spans_decades, tidy


class LossCurveDisplay(Display):
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

    See Also
    --------
    CodeSizeDisplay : The share of variance against the code size.
    sklearn_ae.callbacks.TensorBoard : Shows losses while a model is trained.

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
        model, X = innermost(estimator, X)
        check_is_fitted(model)
        if not hasattr(model, "loss_curve_") or not hasattr(model, "best_iter_"):
            raise TypeError(
                f"estimator must be an autoencoder of sklearn_ae. Got "
                f"{type(model).__name__}, which has no loss curve."
            )
        error = None
        if X is not None:
            if terms := model._loss_terms:
                raise ValueError(
                    f"X is for PCA's squared error, which can't be compared with the "
                    f"loss of a {type(model).__name__} with {terms[0]}: leave X out."
                )
            error = pca_error(rows_of_fit(model, X), model.n_components_)
        kept = None
        if np.isfinite(model.best_loss_):
            kept = model.best_iter_, model.best_loss_
        display = cls(
            model.loss_curve_,
            model.validation_loss_curve_,
            kept=kept,
            pca_error=error,
            label=model._loss_label,
        )
        return display.plot(ax)

    def _draw(self, ax):
        self.lines_ = {}
        drawn = [*self._draw_losses(ax), *self._draw_marks(ax)]
        if drawn and spans_decades(np.array(drawn)):
            ax.set_yscale("log")
        ax.set_xlim(0, None)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("epoch")
        ax.set_ylabel(self.label)
        tidy(ax)
        ax.legend(frameon=False)

    def _draw_losses(self, ax):
        """Draw the curves; return their values."""
        curves = {
            "training": (self.loss_curve, {"color": "#D55E00", "linestyle": "--"}),
            "validation": (self.validation_loss_curve, {"color": "#0072B2"}),
        }
        for name, (curve, style) in curves.items():
            if len(curve):
                epochs = np.arange(1, len(curve) + 1)
                (self.lines_[name],) = ax.plot(epochs, curve, label=name, **style)
        return [*self.loss_curve, *self.validation_loss_curve]

    def _draw_marks(self, ax):
        """Draw what was kept and PCA's error, where there are such; return values."""
        values = []
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
        return values
