"""Display classes, in scikit-learn's manner: computed once, drawn by ``plot``.

All take any fitted reducer that has ``transform`` and ``inverse_transform``, PCA and
Pipelines too, unless they say otherwise. matplotlib is imported only to draw.
"""

import math
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import check_scalar, column_or_1d
from sklearn.utils.validation import check_is_fitted

from .compare import (
    METRICS,
    _check_results,
    _rows,
    corrected_interval,
    holds_classes,
    numbered,
)
from .metrics import (
    _check_pair,
    _decode,
    _dense,
    _reconstruct,
    explained_variance_share,
    reconstruction_mse,
)

__all__ = [
    "CodeDisplay",
    "CodeSizeDisplay",
    "ComparisonDisplay",
    "DecodedGridDisplay",
    "DenoisingDisplay",
    "LossCurveDisplay",
    "ReconstructionDisplay",
    "ReconstructionErrorDisplay",
]

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
_LOSSES = {
    "squared_error": METRICS["mse"].label,
    "absolute_error": "mean absolute error per cell",
    "huber": "mean Huber loss per cell",
    "binary_cross_entropy": "mean cross-entropy per cell",
}
_CURVE_COLUMNS = ["reducer", "n_components", "mean", "low", "high"]
_CHANNELS = {1, 3, 4}
_MOST_ROWS = 10  # that are drawn where nobody says how many


class _StripDisplay:
    """Rows beside what became of them; the first of `rows` is what they should be."""

    def __init__(self, rows, image_shape):
        self.rows = rows
        self.image_shape = image_shape

    @classmethod
    def _draw(cls, rows, n_samples, image_shape, reducers, ax, cmap):
        """Draw the first of the rows, once they are checked."""
        rows = {name: _dense(part, name) for name, part in rows.items()}
        shapes = {name: part.shape for name, part in rows.items()}
        if len(set(shapes.values())) > 1:
            raise ValueError(f"All rows must have one shape. Got {shapes}.")
        n_columns = next(iter(shapes.values()))[1]
        image_shape = _image_shape(image_shape, n_columns, reducers)
        if n_samples is None:
            n_samples = 4 if image_shape[0] == 1 else _MOST_ROWS
        rows = {name: part[:n_samples] for name, part in rows.items()}
        return cls(rows, image_shape).plot(ax, cmap=cmap)

    def plot(self, ax=None, *, cmap="gray"):
        """Draw the images or curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel, from the smallest to the largest value of
            the first line. "gray_r" is ink on paper.

        Returns
        -------
        self : object
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        names, parts = list(self.rows), np.stack(list(self.rows.values()))
        if self.image_shape[0] == 1:
            ax = _axes(ax, (10, 3.5))
            self.lines_ = _draw_beside(ax, self.rows)
        else:
            images = _as_images(parts, self.image_shape)
            limits = parts[0].min(), parts[0].max()
            ax = _axes(ax, _size_of_tiles(images))
            self.images_, _, middles = _draw_images(ax, images, limits, cmap)
            ax.set_xticks([])
            ax.set_yticks(middles, labels=names)
        self.ax_, self.figure_ = ax, ax.figure
        return self


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
            (height, width); (height, width, channels); or (channels, height, width), as
            `ConvolutionalAutoencoder` has it. (1, length) draws curves. By default the
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
        reducers = _named(estimator)
        X = _first(X, n_samples)
        rows = {"original": X}
        rows |= {name: _reconstruct(reducer, X) for name, reducer in reducers.items()}
        return cls._draw(rows, n_samples, image_shape, reducers.values(), ax, cmap)

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
        n_samples, image_shape, ax, cmap
            As in :meth:`from_estimator`.

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
        return cls._draw(rows, n_samples, image_shape, (), ax, cmap)


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
        n_samples, image_shape, ax, cmap
            As in :meth:`ReconstructionDisplay.from_estimator`.

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
        reducers = _named(estimator)
        noisy = _first(X_noisy, n_samples)
        rows = {"clean": _first(X_clean, n_samples), "noisy": noisy}
        rows |= {name: _reconstruct(each, noisy) for name, each in reducers.items()}
        return cls._draw(rows, n_samples, image_shape, reducers.values(), ax, cmap)

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
        n_samples, image_shape, ax, cmap
            As in :meth:`ReconstructionDisplay.from_estimator`.

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
        return cls._draw(rows, n_samples, image_shape, (), ax, cmap)


class DecodedGridDisplay:
    """Chosen codes, decoded: a grid or a path through the code.

    It is recommended to use :meth:`from_estimator` or :meth:`from_codes`.

    Parameters
    ----------
    codes : ndarray of shape (n_lines, n_columns, n_components)
        The codes, as they are laid out from the top left.
    rows : ndarray of shape (n_lines, n_columns, n_features)
        What they decode to.
    image_shape : tuple of int
        (height, width), with channels first or last. (1, length) draws curves.
    limits : tuple of float
        Values that get the first and the last colour, or the ends of a curve's cell.
    components : sequence of int, default=()
        The code units that change along columns and, if there are two, lines: their
        values are written at the edges.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that holds them.
    images_ : ndarray of AxesImage, of shape (n_lines, n_columns)
        The images, if rows are images.
    lines_ : ndarray of Line2D, of shape (n_lines, n_columns)
        The curves, if they are not, each stretched to its cell.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.plotting import DecodedGridDisplay
    >>> X = load_digits().data
    >>> pca = PCA(2).fit(X)
    >>> display = DecodedGridDisplay.from_estimator(pca, X, n_steps=6)
    >>> display.rows.shape
    (6, 6, 64)
    >>> first, last = pca.transform(X[[0, 4]])
    >>> path = np.linspace(first, last, 9)
    >>> display = DecodedGridDisplay.from_codes(pca, path)
    >>> display.rows.shape
    (1, 9, 64)
    """

    def __init__(self, codes, rows, image_shape, limits, components=()):
        self.codes = codes
        self.rows = rows
        self.image_shape = image_shape
        self.limits = limits
        self.components = components

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        components=None,
        n_steps=10,
        image_shape=None,
        ax=None,
        cmap="gray",
    ):
        """Decode a grid over the codes of rows, and draw it.

        Along each unit it goes through quantiles of the rows' codes, from 3% to 97%:
        evenly spaced codes would spend most of the grid where there are no rows. Other
        units stay at their medians.

        Parameters
        ----------
        estimator : fitted estimator
            A reducer with ``transform`` and ``inverse_transform``.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows whose codes say where the grid lies. They give the colours their range.
        components : int or pair of int, default=None
            The code units of the columns and lines, counted from 0; one of them gives
            a path. By default the first two, or the only one.
        n_steps : int, default=10
            Number of quantiles along a unit.
        image_shape : tuple of int, default=None
            As in :meth:`ReconstructionDisplay.from_estimator`.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel; "gray_r" is ink on paper.

        Returns
        -------
        DecodedGridDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator can't decode.
        ValueError
            If X, `components` or `image_shape` does not fit.
        NotFittedError
            If the estimator is not fitted.
        """
        _check_invertible(estimator)
        check_scalar(n_steps, "n_steps", Integral, min_val=1)
        codes = _dense(estimator.transform(X), "the code")
        if components is None:
            components = range(min(2, codes.shape[1]))
        components = _check_components(components, codes.shape[1], (1, 2))
        shares = np.linspace(0.03, 0.97, n_steps) if n_steps > 1 else [0.5]
        steps = np.quantile(codes[:, components], shares, axis=0).T
        n_lines = n_steps if len(components) == 2 else 1
        grid = np.tile(np.median(codes, axis=0), (n_lines, n_steps, 1))
        grid[..., components[0]] = steps[0]
        if n_lines > 1:
            grid[..., components[1]] = steps[1][::-1, None]  # the largest on top
        X = _dense(X, "X")
        limits = X.min(), X.max()
        return cls._decode(
            estimator, grid, image_shape, limits, components, ax=ax, cmap=cmap
        )

    @classmethod
    def from_codes(cls, estimator, codes, *, image_shape=None, ax=None, cmap="gray"):
        """Decode chosen codes and draw them.

        Parameters
        ----------
        estimator : fitted estimator
            A reducer with ``inverse_transform``.
        codes : array-like of shape (n_columns, n_components) or (n_lines, n_columns, \
                n_components)
            A path, or a grid from its top left.
        image_shape, ax, cmap
            As in :meth:`from_estimator`.

        Returns
        -------
        DecodedGridDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator can't decode.
        ValueError
            If `codes` or `image_shape` does not fit.
        NotFittedError
            If the estimator is not fitted.
        """
        _check_invertible(estimator)
        check_is_fitted(estimator)
        codes = np.asarray(codes, dtype=np.float64)
        if codes.ndim not in (2, 3) or not codes.size:
            raise ValueError(
                f"codes must have the shape (n_columns, n_components) or (n_lines, "
                f"n_columns, n_components). Got {codes.shape}."
            )
        codes = codes.reshape(-1, *codes.shape[-2:])
        return cls._decode(estimator, codes, image_shape, None, (), ax=ax, cmap=cmap)

    @classmethod
    def _decode(cls, estimator, codes, image_shape, limits, components, **options):
        flat = codes.reshape(-1, codes.shape[-1])
        size = getattr(_inner(estimator)[0], "n_components_", flat.shape[1])
        ordered = hasattr(_inner(estimator)[0], "code_size_curve_")
        if flat.shape[1] > size or (flat.shape[1] < size and not ordered):
            raise ValueError(
                f"codes must have the {size} units of this estimator's codes. Got "
                f"{flat.shape[1]}."
            )
        rows = _dense(_decode(estimator, flat), "what the codes decode to")
        image_shape = _image_shape(image_shape, rows.shape[1], [estimator])
        limits = limits or (rows.min(), rows.max())
        rows = rows.reshape(*codes.shape[:2], -1)
        return cls(codes, rows, image_shape, limits, components).plot(**options)

    def plot(self, ax=None, *, cmap="gray"):
        """Draw the decoded rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel; "gray_r" is ink on paper.

        Returns
        -------
        DecodedGridDisplay
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if self.image_shape[0] == 1:
            ax = _axes(ax, _size_of_tiles(self.rows[..., None, None]))
            self.lines_, *middles = _draw_cells(ax, self.rows, self.limits)
        else:
            images = _as_images(self.rows, self.image_shape)
            ax = _axes(ax, _size_of_tiles(images))
            self.images_, *middles = _draw_images(ax, images, self.limits, cmap)
        ticks = {}
        for axis, component in zip("xy", self.components, strict=False):
            edge = self.codes[0] if axis == "x" else self.codes[:, 0]
            ticks[axis] = [f"{value:.3g}" for value in edge[:, component]]
            ax.set(**{f"{axis}label": f"code[:, {component}]"})
        for axis, places in zip("xy", middles, strict=True):
            places = places if axis in ticks else []
            every = 1 + len(places) // 11  # or the numbers would touch
            labels = ticks.get(axis, [])[::every]
            ax.set(**{f"{axis}ticks": places[::every], f"{axis}ticklabels": labels})
        self.ax_, self.figure_ = ax, ax.figure
        return self


class CodeDisplay:
    """Codes of two or three units as points, coloured by class or by value.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, 2) or (n_samples, 3)
        The units to draw.
    y : ndarray of shape (n_samples,), default=None
        Classes, or values.
    components : sequence of int, default=(0, 1)
        Which of the code's units these are, for the labels of the axes.
    y_name : str, default=None
        What `y` is, over the legend or along the colour bar.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the points.
    figure_ : matplotlib Figure
        Figure that holds them.
    points_ : dict of object to PathCollection
        The points of each class; ``points_[None]`` if there are no classes.
    colorbar_ : matplotlib Colorbar
        The colour bar, if there are values.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.plotting import CodeDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> display = CodeDisplay.from_estimator(PCA(2).fit(X), X, y)
    >>> [int(label) for label in display.points_]
    [0, 1, 2]
    """

    def __init__(self, codes, y=None, *, components=(0, 1), y_name=None):
        self.codes = codes
        self.y = y
        self.components = components
        self.y_name = y_name

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, components=None, ax=None, text=False, size=20
    ):
        """Encode rows and draw their codes.

        Parameters
        ----------
        estimator : fitted estimator
            Anything with ``transform``.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), default=None
            Classes or values to colour by. Numbers count as classes if they are whole
            and there are at least 5 rows to each distinct one.
        components : sequence of int, default=None
            The two or three units to draw, counted from 0. By default all, if there
            are two or three.
        ax : matplotlib Axes, default=None
            Where to draw, with ``projection="3d"`` for three units; by default a new
            figure's.
        text : bool, default=False
            Whether to draw the labels themselves, whatever they are, for points.
        size : float, default=20
            Area of a point in square points of typography, as in matplotlib's
            `scatter`; a label is about as large.

        Returns
        -------
        CodeDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no ``transform``.
        ValueError
            If the code has another number of units, or y another length.
        NotFittedError
            If the estimator is not fitted.
        """
        if not hasattr(estimator, "transform"):
            raise TypeError(
                f"estimator must have transform. Got {type(estimator).__name__}."
            )
        return cls.from_predictions(
            estimator.transform(X),
            y,
            components=components,
            ax=ax,
            text=text,
            size=size,
        )

    @classmethod
    def from_predictions(
        cls, codes, y=None, *, components=None, ax=None, text=False, size=20
    ):
        """Draw codes.

        Parameters
        ----------
        codes : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_components)
            What ``transform`` gave.
        y, components, ax, text, size
            As in :meth:`from_estimator`.

        Returns
        -------
        CodeDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the code has another number of units, or y another length.
        """
        codes = _dense(codes, "codes")
        if components is None:
            components = range(codes.shape[1])
            if len(components) not in (2, 3):
                way_out = ": choose some, for example components=(0, 1)"
                raise ValueError(
                    f"CodeDisplay draws codes of 2 or 3 units. Got {len(components)}"
                    f"{way_out if len(components) > 3 else ''}."
                )
        components = _check_components(components, codes.shape[1], (2, 3))
        y_name = getattr(y, "name", None)  # of a pandas Series
        y = _check_y(y, len(codes))
        display = cls(codes[:, components], y, components=components, y_name=y_name)
        return display.plot(ax, text=text, size=size)

    def plot(self, ax=None, *, text=False, size=20):
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, with ``projection="3d"`` for three units; by default a new
            figure's.
        text : bool, default=False
            Whether to draw the labels themselves, whatever they are, for points.
        size : float, default=20
            Area of a point in square points of typography; a label is about as large.

        Returns
        -------
        CodeDisplay
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the axes don't have as many dimensions as the points, or there is text
            to draw but no classes.
        """
        n_units = len(self.components)
        labels = None if self.y is None else np.unique(self.y)
        # `holds_classes` looks for something to predict, which one class is not.
        classes = labels is not None and (
            text
            or len(labels) == 1
            or self.y.dtype.kind not in "iuf"
            or holds_classes(self.y)
        )
        if text and not classes:
            raise ValueError("text=True draws labels: give them as y. Got y=None.")
        ax = _axes(ax, (6.4, 5), projection="3d" if n_units == 3 else None)
        if (ax.name == "3d") != (n_units == 3):
            raise ValueError(
                f"ax must have {n_units} dimensions, as the code. Got projection="
                f"{ax.name!r}: make it with projection='3d' for 3 units and without "
                f"for 2, or choose units by components."
            )
        self.points_ = {}
        if not classes:
            colors = {"c": "#0072B2" if self.y is None else self.y}
            drawn = ax.scatter(*self.codes.T, s=size, linewidth=0, **colors)
            self.points_[None] = drawn
            if self.y is not None:
                self.colorbar_ = ax.figure.colorbar(drawn, ax=ax, label=self.y_name)
        else:
            for i, label in enumerate(labels):
                n = len(_STYLES)
                style = {"marker": _STYLES[(i + i // n) % n]["marker"], "s": size}
                if text:
                    style = _text_marker(str(label), size)
                self.points_[label] = ax.scatter(
                    *self.codes[self.y == label].T,
                    color=_STYLES[i % n]["color"],
                    label=str(label),
                    linewidth=0,
                    **style,
                )
            if not text:
                ax.legend(
                    title=self.y_name,
                    loc="upper left",
                    bbox_to_anchor=(1.08 if n_units == 3 else 1, 1),
                    ncols=math.ceil(len(labels) / 14),
                    frameon=False,
                    markerscale=max(1, (30 / size) ** 0.5),
                    handletextpad=0.2,
                )
        for axis, component in zip("xyz", self.components, strict=False):
            ax.set(**{f"{axis}label": f"code[:, {component}]"})
        if n_units == 2:
            ax.spines[["top", "right"]].set_visible(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


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
        model, X = _inner(estimator, X)
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
            X = _dense(X, "X")
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
        ax = _axes(ax, (6.4, 4.2))
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
            style = {"color": "#0072B2", "marker": "o", "markersize": 9}
            (self.lines_["kept"],) = ax.plot(
                *([epoch], [loss]), label=name, linestyle="", clip_on=False, **style
            )
            values.append(loss)
        if self.pca_error is not None:
            self.lines_["PCA"] = ax.axhline(
                self.pca_error,
                **{"color": "#000000", "linestyle": ":", "linewidth": 1.5},
                label="PCA of the same code size",
            )
            values.append(self.pca_error)
        if values and _spans_decades(np.array(values)):
            ax.set_yscale("log")
        ax.set_xlim(0, None)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("epoch")
        ax.set_ylabel(self.label)
        _tidy(ax)
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
        model, X = _inner(estimator, X, through_searches=False)
        check_is_fitted(model)
        X = _dense(X, "X")
        name, label = type(model).__name__, METRICS["explained_variance"].label
        if hasattr(model, "code_size_curve_"):
            sizes = range(1, model.n_components_ + 1)
            if X_test is None:
                pca = PCA(min(len(sizes), *X.shape), random_state=0).fit(X)
                shares = {"PCA": np.cumsum(pca.explained_variance_ratio_)}
                shares[name] = model.code_size_curve_
            else:
                X_test = _dense(_inner(estimator, X_test)[1], "X_test")
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
            y = _check_y(y, len(X))
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
        ax = _axes(ax, (6.4, 4.2))
        self.lines_ = _draw_curves(ax, self.curves)
        if self.chosen is not None:
            self.chosen_line_ = ax.axvline(
                *(self.chosen,),
                **{"color": "0.5", "linewidth": 1.5, "zorder": 0},
                label=f"chosen: {self.chosen}",
            )
        ax.set_ylabel(self.label)
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


class ReconstructionErrorDisplay:
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
            _reconstruct(estimator, X),
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
        y, threshold, quantile, ax
            As in :meth:`from_estimator`.

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
        X, X_reconstructed = _check_pair(X, X_reconstructed)
        errors = np.square(X - X_reconstructed).sum(axis=1)
        y = _check_y(y, len(X))
        if y is not None and (n := len(np.unique(y))) > len(_STYLES):
            raise ValueError(f"y must hold at most {len(_STYLES)} groups. Got {n}.")
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
        ax = _axes(ax, (6.4, 4.2))
        logarithmic = _spans_decades(self.errors)
        scaled = np.log(self.errors) if logarithmic else self.errors
        edges = np.histogram_bin_edges(scaled, bins)
        if logarithmic:
            edges = np.exp(edges)
            edges[[0, -1]] = self.errors.min(), self.errors.max()  # but for rounding
            ax.set_xscale("log")
        groups = [None] if self.y is None else np.unique(self.y)
        # The first style is for PCA where reducers are compared; there are none here.
        styles = [_STYLES[1]] if self.y is None else [*_STYLES[1:], _STYLES[0]]
        self.stairs_ = {}
        for group, style in zip(groups, styles, strict=False):
            errors = self.errors if group is None else self.errors[self.y == group]
            label = f"{'rows' if group is None else group} ({len(errors):,})"
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
                **{"color": "black", "linewidth": 1.2},
                label=f"threshold: {self.threshold:.3g}",
            )
        ax.set_xlabel("squared error of a row, in squared units of the data")
        of = "rows" if self.y is None else "rows of the group"
        ax.set_ylabel(f"share of the {of}")
        ax.set_ylim(0, None)
        _tidy(ax)
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
        return cls(_curves(results, metric, confidence), metric)

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
        ax = _axes(ax, (6.4, 4.8))
        self.lines_ = _draw_curves(ax, self.curves)
        ax.set_ylabel(METRICS[self.metric].label)
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


# -- what is drawn: curves --


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


def _draw_curves(ax, curves):
    """Draw a curve for each reducer against the code size; return its artists."""
    sizes = sorted(curves["n_components"].unique())
    few = len(sizes) <= 8
    drawn = {}
    groups = curves.groupby("reducer", sort=False)
    for i, (reducer, curve) in enumerate(groups):
        curve = curve.sort_values("n_components")
        ends = curve[["mean", "mean"]].to_numpy() - curve[["low", "high"]]
        # Side by side, so that no interval hides another.
        beside = few and ends.notna().any(axis=None)
        aside = 1.035 ** (i - (groups.ngroups - 1) / 2) if beside else 1
        drawn[reducer] = ax.errorbar(
            curve["n_components"] * aside,
            curve["mean"],
            yerr=np.nan_to_num(np.abs(ends.to_numpy().T)),
            label=reducer,
            linewidth=1.5,
            markersize=5,
            elinewidth=1,
            capsize=3 if ends.notna().any(axis=None) else 0,
            **_STYLES[i % len(_STYLES)],
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
    _tidy(ax)
    return drawn


def _spans_decades(values):
    """Tell whether values want a logarithmic axis."""
    return values.min() > 0 and values.max() > 20 * values.min()


# -- what is drawn: rows as images or curves --


def _draw_images(ax, images, limits, cmap):
    """Draw images in lines and columns; return them and the middles of both."""
    n_lines, n_columns, height, width = images.shape[:4]
    if images.ndim == 5:
        images = _as_colours(images, limits)
    gap = 0.08 * max(height, width)
    lefts = np.arange(n_columns) * (width + gap)
    tops = np.arange(n_lines) * (height + gap)
    drawn = np.empty((n_lines, n_columns), dtype=object)
    for i, j in np.ndindex(drawn.shape):
        extent = lefts[j], lefts[j] + width, tops[i] + height, tops[i]
        drawn[i, j] = ax.imshow(
            images[i, j], cmap=cmap, vmin=limits[0], vmax=limits[1], extent=extent
        )
    ax.set(xlim=(0, lefts[-1] + width), ylim=(tops[-1] + height, 0), aspect="equal")
    _clear(ax)
    return drawn, lefts + width / 2, tops + height / 2


def _as_colours(images, limits):
    """Return images of several channels with values from 0 to 1."""
    low, high = limits
    for largest in (1, 255):  # the usual ranges, if the values are within one
        if low >= 0 and high <= largest:
            low, high = 0, largest
            break
    return np.clip((images - low) / ((high - low) or 1), 0, 1)


def _draw_cells(ax, rows, limits):
    """Draw each row as a curve in a cell; return the curves and the cells' middles."""
    n_lines, n_columns, n_features = rows.shape
    low, high = limits
    drawn = np.empty((n_lines, n_columns), dtype=object)
    frames = {"color": "0.85", "linewidth": 0.8, "clip_on": False}
    ax.hlines(np.arange(n_lines + 1), 0, n_columns, **frames)
    ax.vlines(np.arange(n_columns + 1), 0, n_lines, **frames)
    for i, j in np.ndindex(drawn.shape):
        x = j + np.linspace(0.05, 0.95, n_features)
        y = i + 0.95 - 0.9 * (rows[i, j] - low) / ((high - low) or 1)
        (drawn[i, j],) = ax.plot(x, y, color="black", linewidth=1)
    ax.set(xlim=(0, n_columns), ylim=(n_lines, 0))
    _clear(ax)
    return drawn, np.arange(n_columns) + 0.5, np.arange(n_lines) + 0.5


def _draw_beside(ax, rows):
    """Draw rows as curves side by side, what belongs together in one place."""
    n_samples, n_features = next(iter(rows.values())).shape
    gap = max(1, n_features // 10)
    x = np.arange(n_samples * (n_features + gap)).reshape(n_samples, -1)
    drawn = {}
    for i, (name, part) in enumerate(rows.items()):
        style = {"color": "0.7", "linewidth": 4}  # what the others should cover
        if i:
            style = {**_STYLES[i % len(_STYLES)], "marker": ""}
        values = np.pad(part, ((0, 0), (0, gap)), constant_values=np.nan)
        (drawn[name],) = ax.plot(x.ravel(), values.ravel(), label=name, **style)
    ax.set_xlim(-gap, x[-1, -1])
    middles = x[:, 0] + (n_features - 1) / 2
    ax.set_xticks(middles, labels=[f"row {i}" for i in range(n_samples)])
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("value")
    _tidy(ax)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(rows))
    return drawn


def _as_images(rows, image_shape):
    """Return rows of shape (..., n_features) as images, with the channels last."""
    images = rows.reshape(*rows.shape[:-1], *image_shape)
    channels_first = len(image_shape) == 3 and image_shape[-1] not in _CHANNELS
    return np.moveaxis(images, -3, -1) if channels_first else images


def _image_shape(image_shape, n_columns, reducers):
    """Return the given shape, one that a reducer knows, or a guess: without 1s."""
    if image_shape is None:
        shapes = [getattr(_inner(each)[0], "image_shape_", ()) for each in reducers]
        known = [shape for shape in shapes if math.prod(shape) == n_columns and shape]
        side = math.isqrt(n_columns)
        square = side >= 4 and side**2 == n_columns
        guess = (side, side) if square else (1, n_columns)
        image_shape = known[0] if known else guess
    shape = tuple(image_shape)
    if not (
        all(isinstance(n, Integral) and n >= 1 for n in shape)
        and (len(shape) == 2 or (len(shape) == 3 and {shape[0], shape[2]} & _CHANNELS))
        and math.prod(shape) == n_columns
    ):
        raise ValueError(
            f"image_shape must be (height, width), (height, width, channels) or "
            f"(channels, height, width) with 1, 3 or 4 channels, for the {n_columns} "
            f"columns of X. Got {image_shape!r}."
        )
    if len(shape) == 3 and 1 in (shape[0], shape[2]):
        shape = shape[1:] if shape[0] == 1 else shape[:2]
    if len(shape) == 3 and shape[1] == 1:  # a signal
        shape = (1, n_columns)
    return shape


# -- arguments and axes --


def _named(estimator):
    """Return estimators by name: of one, a list or a dict of them."""
    if isinstance(estimator, Mapping):
        named = dict(estimator)
    else:
        several = isinstance(estimator, (list, tuple))
        estimators = list(estimator) if several else [estimator]
        names = numbered([type(_inner(each)[0]).__name__ for each in estimators])
        named = dict(zip(names, estimators, strict=True))
    if not named:
        raise ValueError("estimator must hold at least one fitted estimator. Got none.")
    return named


def _inner(estimator, X=None, through_searches=True):
    """Return the last step of Pipelines, the best of searches, and X as it reads it."""
    while True:
        if isinstance(estimator, Pipeline):
            for _, step in estimator.steps[:-1]:
                if X is not None and step not in (None, "passthrough"):
                    X = step.transform(X)
            estimator = estimator.steps[-1][1]
        elif through_searches and hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator, X


def _first(X, n_samples):
    """Return as many rows as will be drawn."""
    if n_samples is not None:
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
    return _rows(X, slice(n_samples or _MOST_ROWS))


def _check_components(components, n_units, allowed):
    """Return a list of the code units that are asked for."""
    units = [components] if isinstance(components, Integral) else list(components)
    sound = all(isinstance(unit, Integral) and 0 <= unit < n_units for unit in units)
    if not sound or len(units) not in allowed or len(set(units)) < len(units):
        raise ValueError(
            f"components must be {' or '.join(map(str, allowed))} different units of "
            f"the code, from 0 to {n_units - 1}. Got {components!r}."
        )
    return units


def _check_y(y, n_samples):
    """Return y as an array with a value for each row, or None."""
    if y is None:
        return None
    y = column_or_1d(y)
    if len(y) != n_samples:
        raise ValueError(
            f"y must hold a value for each of the {n_samples} rows. Got {len(y)}."
        )
    return y


def _axes(ax, figsize, projection=None):
    """Return the axes, or those of a new figure."""
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError(
            "The displays need matplotlib: pip install 'sklearn-ae[plot]'"
        ) from error
    if ax is None:
        options = {"layout": "constrained", "subplot_kw": {"projection": projection}}
        _, ax = plt.subplots(figsize=figsize, **options)
    return ax


def _size_of_tiles(tiles):
    """Return the size of a figure for lines and columns of images, in inches."""
    n_lines, n_columns, height, width = tiles.shape[:4]
    side = min(1.0, 9 / n_columns, 9 * width / (n_lines * height))
    return n_columns * side + 1.5, n_lines * side * height / width + 0.5


def _tidy(ax):
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _clear(ax):
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


def _text_marker(label, size):
    """Return how `scatter` draws a text about as high as a point of that size."""
    from matplotlib.textpath import TextPath

    text = label.strip().replace("$", r"\$") or "–"
    path = TextPath((0, 0), text, size=1.4 * size**0.5)
    path = path.deepcopy()
    path.vertices -= path.vertices.min(axis=0) / 2 + path.vertices.max(axis=0) / 2
    # matplotlib scales a path until it fits a marker of that size.
    return {"marker": path, "s": (2 * np.abs(path.vertices).max()) ** 2}
