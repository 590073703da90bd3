"""Rows beside what became of them: reconstructions, noise removed."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from .._images import height_and_width, image_shape_of
from .._reducers import dense, named_fitted, reconstruct, take_rows
from ._display import STYLES, legible, tidy
from ._tiles import TilesDisplay, draw_images, size_of_tiles

_MOST_ROWS = 10  # that are drawn where nobody says how many


class _StripDisplay(TilesDisplay):
    """Rows beside what became of them; the first of `rows` is what they should be."""

    _n_given = 1  # how many of `rows` no reducer made

    def __init__(self, rows, image_shape):
        self.rows = rows
        self.image_shape = image_shape

    @classmethod
    def _of(cls, rows, n_samples, image_shape, reducers, ax, cmap):
        """Draw the first of the rows, once they are checked."""
        rows = {name: dense(part, name) for name, part in rows.items()}
        shapes = {name: part.shape for name, part in rows.items()}
        if len(set(shapes.values())) > 1:
            raise ValueError(f"All rows must have one shape. Got {shapes}.")
        n_columns = next(iter(shapes.values()))[1]
        image_shape = image_shape_of(image_shape, n_columns, reducers)
        if n_samples is None:
            n_samples = 4 if image_shape[0] == 1 else _MOST_ROWS
        rows = {name: part[:n_samples] for name, part in rows.items()}
        return cls(rows, image_shape).plot(ax, cmap=cmap)

    @property
    def _figsize(self):
        if not self._are_images:
            return (10, 3.5)
        n_samples = len(next(iter(self.rows.values())))
        return size_of_tiles(
            len(self.rows), n_samples, *height_and_width(self.image_shape)
        )

    def _draw(self, ax, cmap):
        if not self._are_images:
            self.lines_ = _draw_beside(ax, self.rows, self._n_given)
            return
        parts = np.stack(list(self.rows.values()))  # (n_lines, n_samples, n_features)
        limits = parts[0].min(), parts[0].max()
        drawn = draw_images(ax, parts, self.image_shape, limits, cmap)
        self.images_, _, middles = drawn
        ax.set_xticks([])
        ax.set_yticks(middles, labels=[legible(name) for name in self.rows])


class ReconstructionDisplay(_StripDisplay):
    """Rows above their reconstructions by one reducer or more.

    Images are drawn as images, one line for each reducer. Other rows are drawn as
    curves side by side, each with its reconstructions over it.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (n_samples, n_features)
        What is drawn, by name, from the top; first the originals.
    image_shape : tuple of int
        (height, width), with channels first or last. (1, length) draws curves.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that holds them.
    images_ : ndarray of AxesImage, of shape (n_lines, n_samples)
        The images, if rows are images.
    lines_ : dict of str to matplotlib Line2D
        The curves of each name, if they are not; NaN stands between two rows.

    See Also
    --------
    DenoisingDisplay : The same for noisy rows.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.plotting import ReconstructionDisplay
    >>> X = load_digits().data
    >>> reducers = [PCA(2).fit(X), PCA(8).fit(X)]
    >>> display = ReconstructionDisplay.from_estimator(reducers, X)
    >>> list(display.rows)
    ['original', 'PCA', 'PCA-2']
    """

    @classmethod
    def from_estimator(
        cls, estimator, X, *, n_samples=None, image_shape=None, ax=None, cmap="gray"
    ):
        """Reconstruct rows and draw them.

        Parameters
        ----------
        estimator : fitted estimator, list of them, or dict of str to them
            Reducers with ``transform`` and ``inverse_transform``. Without names they
            are named by their classes, a second PCA ``"PCA-2"``.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            The rows, of which the first are drawn.
        n_samples : int, default=None
            How many; by default 10 images or 4 curves.
        image_shape : tuple of int, default=None
            (height, width); (height, width, channels); or, where the last number is not
            1, 3 or 4, (channels, height, width), as `ConvolutionalAutoencoder` has it.
            (1, length) draws curves. By default the
            `image_shape_` of an estimator that has one; or a square, if there are as
            many columns as it has cells and at least 16; else curves.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel; "gray_r" is ink on paper.

        Returns
        -------
        ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If an estimator can't reconstruct.
        ValueError
            If X or `image_shape` does not fit.
        NotFittedError
            If an estimator is not fitted.
        """
        reducers = named_fitted(estimator)
        X = _first(X, n_samples)
        rows = {"original": X}
        rows |= {name: reconstruct(reducer, X) for name, reducer in reducers.items()}
        return cls._of(rows, n_samples, image_shape, reducers.values(), ax, cmap)

    @classmethod
    def from_predictions(
        cls,
        X,
        X_reconstructed,
        *,
        n_samples=None,
        image_shape=None,
        ax=None,
        cmap="gray",
    ):
        """Draw rows and their reconstructions.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            The rows, of which the first are drawn.
        X_reconstructed : array-like of the shape of X, or dict of str to them
            Their reconstructions, by name.
        n_samples : int, default=None
            How many; by default 10 images or 4 curves.
        image_shape : tuple of int, default=None
            Shape of the images, or (1, length) for curves; see
            :meth:`from_estimator`.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel.

        Returns
        -------
        ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If shapes differ, or `image_shape` does not fit.
        """
        if not isinstance(X_reconstructed, Mapping):
            X_reconstructed = {"reconstruction": X_reconstructed}
        rows = {"original": X, **X_reconstructed}
        return cls._of(rows, n_samples, image_shape, (), ax, cmap)


class DenoisingDisplay(_StripDisplay):
    """Clean rows, noisy rows, and what one reducer or more made of the noisy ones.

    Drawn as :class:`ReconstructionDisplay` draws.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (n_samples, n_features)
        What is drawn, by name, from the top; first the clean rows.
    image_shape : tuple of int
        (height, width), with channels first or last. (1, length) draws curves.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that holds them.
    images_ : ndarray of AxesImage, of shape (n_lines, n_samples)
        The images, if rows are images.
    lines_ : dict of str to matplotlib Line2D
        The curves of each name, if they are not; NaN stands between two rows.

    See Also
    --------
    ReconstructionDisplay : The same for rows without noise.
    sklearn_ae.DenoisingAutoencoder : Learns to undo noise.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.plotting import DenoisingDisplay
    >>> X = load_digits().data
    >>> X_noisy = X + np.random.default_rng(0).normal(scale=4, size=X.shape)
    >>> display = DenoisingDisplay.from_estimator(PCA(16).fit(X), X, X_noisy)
    >>> list(display.rows)
    ['clean', 'noisy', 'PCA']
    """

    _n_given = 2

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X_clean,
        X_noisy,
        *,
        n_samples=None,
        image_shape=None,
        ax=None,
        cmap="gray",
    ):
        """Clean noisy rows and draw them.

        Parameters
        ----------
        estimator : fitted estimator, list of them, or dict of str to them
            Reducers with ``transform`` and ``inverse_transform``.
        X_clean : {array-like, sparse matrix, DataFrame}, (n_samples, n_features)
            The rows as they should be, of which the first are drawn.
        X_noisy : the same
            The rows as the estimators read them.
        n_samples : int, default=None
            How many; by default 10 images or 4 curves.
        image_shape : tuple of int, default=None
            Shape of the images, or (1, length) for curves; see
            :meth:`ReconstructionDisplay.from_estimator`.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel.

        Returns
        -------
        DenoisingDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If an estimator can't reconstruct.
        ValueError
            If the rows or `image_shape` do not fit.
        NotFittedError
            If an estimator is not fitted.
        """
        reducers = named_fitted(estimator)
        noisy = _first(X_noisy, n_samples)
        rows = {"clean": _first(X_clean, n_samples), "noisy": noisy}
        rows |= {name: reconstruct(each, noisy) for name, each in reducers.items()}
        return cls._of(rows, n_samples, image_shape, reducers.values(), ax, cmap)

    @classmethod
    def from_predictions(
        cls,
        X_clean,
        X_noisy,
        X_cleaned,
        *,
        n_samples=None,
        image_shape=None,
        ax=None,
        cmap="gray",
    ):
        """Draw clean, noisy and cleaned rows.

        Parameters
        ----------
        X_clean, X_noisy : {array-like, sparse matrix, DataFrame}
            The rows, of shape (n_samples, n_features), of which the first are drawn.
        X_cleaned : array-like of their shape, or dict of str to them
            What became of the noisy rows, by name.
        n_samples : int, default=None
            How many; by default 10 images or 4 curves.
        image_shape : tuple of int, default=None
            Shape of the images, or (1, length) for curves; see
            :meth:`ReconstructionDisplay.from_estimator`.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel.

        Returns
        -------
        DenoisingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If shapes differ, or `image_shape` does not fit.
        """
        if not isinstance(X_cleaned, Mapping):
            X_cleaned = {"cleaned": X_cleaned}
        rows = {"clean": X_clean, "noisy": X_noisy, **X_cleaned}
        return cls._of(rows, n_samples, image_shape, (), ax, cmap)


def _first(X, n_samples):
    """Return as many rows as will be drawn."""
    if n_samples is not None:
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
    return take_rows(X, slice(n_samples or _MOST_ROWS))


def _draw_beside(ax, rows, n_given):
    """Draw rows as curves side by side, what belongs together in one place."""
    n_samples, n_features = next(iter(rows.values())).shape
    gap = max(1, n_features // 10)
    x = np.arange(n_samples * (n_features + gap)).reshape(n_samples, -1)
    drawn = {}
    for i, (name, part) in enumerate(rows.items()):
        if i < n_given:  # broad, for the others to cover; noise is thin
            style = {"color": ("0.75", "0.55")[i], "linewidth": (4, 0.8)[i]}
        else:
            style = {**STYLES[(i - n_given) % len(STYLES)], "marker": ""}
        values = np.pad(part, ((0, 0), (0, gap)), constant_values=np.nan)
        (drawn[name],) = ax.plot(
            x.ravel(), values.ravel(), label=legible(name), **style
        )
    ax.set_xlim(-gap, x[-1, -1])
    middles = x[:, 0] + (n_features - 1) / 2
    ax.set_xticks(middles, labels=[f"row {i}" for i in range(n_samples)])
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("value")
    tidy(ax)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(rows))
    return drawn
