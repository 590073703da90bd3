"""Rows as images or curves: reconstructions, noise removed, decoded codes."""

import math
from collections.abc import Mapping
from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from ..compare import _rows
from ..metrics import _check_invertible, _decode, _dense, _reconstruct
from ._shared import STYLES, axes, check_components, inner, named, tidy

_CHANNELS = {1, 3, 4}
_MOST_ROWS = 10  # that are drawn where nobody says how many


class _StripDisplay:
    """Rows beside what became of them; the first of `rows` is what they should be."""

    _n_given = 1  # how many of `rows` no reducer made

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
            ax = axes(ax, (10, 3.5))
            self.lines_ = _draw_beside(ax, self.rows, self._n_given)
        else:
            images = _as_images(parts, self.image_shape)
            limits = parts[0].min(), parts[0].max()
            ax = axes(ax, _size_of_tiles(*images.shape[:4]))
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
        reducers = named(estimator)
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
        reducers = named(estimator)
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
        Values that get the first and the last colour; a curve's cell reaches at least
        from one to the other.
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
        components = check_components(components, codes.shape[1], (1, 2))
        shares = np.linspace(0.03, 0.97, n_steps) if n_steps > 1 else [0.5]
        steps = np.quantile(codes[:, components], shares, axis=0).T
        n_lines = n_steps if len(components) == 2 else 1
        grid = np.tile(np.median(codes, axis=0), (n_lines, n_steps, 1))
        grid[..., components[0]] = steps[0]
        if n_lines > 1:
            grid[..., components[1]] = steps[1][::-1, None]  # the largest on top
        X = _dense(X, "X")
        limits = X.min(), X.max()
        options = {"ax": ax, "cmap": cmap}
        return cls._draw(estimator, grid, image_shape, limits, components, **options)

    @classmethod
    def from_codes(cls, estimator, codes, *, image_shape=None, ax=None, cmap="gray"):
        """Decode chosen codes and draw them.

        Parameters
        ----------
        estimator : fitted estimator
            A reducer with ``inverse_transform``.
        codes : array-like of shape (n_columns, n_components) or (n_lines, n_columns, \
                n_components)
            A path, or a grid from its top left. Colours have the range of the training
            data, if the estimator has a `data_range_`, else of what is decoded.
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
        return cls._draw(estimator, codes, image_shape, None, (), ax=ax, cmap=cmap)

    @classmethod
    def _draw(cls, estimator, codes, image_shape, limits, components, **options):
        flat = codes.reshape(-1, codes.shape[-1])
        reducer, _ = inner(estimator)
        size = getattr(reducer, "n_components_", flat.shape[1])
        ordered = hasattr(reducer, "code_size_curve_")
        if flat.shape[1] > size or (flat.shape[1] < size and not ordered):
            raise ValueError(
                f"codes must have the {size} units of this estimator's codes. Got "
                f"{flat.shape[1]}."
            )
        rows = _dense(_decode(estimator, flat), "what the codes decode to")
        image_shape = _image_shape(image_shape, rows.shape[1], [estimator])
        if limits is None:
            limits = getattr(estimator, "data_range_", (rows.min(), rows.max()))
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
            ax = axes(ax, _size_of_tiles(*self.rows.shape[:2], 4, 5))
            self.lines_, *middles = _draw_cells(ax, self.rows, self.limits)
        else:
            images = _as_images(self.rows, self.image_shape)
            ax = axes(ax, _size_of_tiles(*images.shape[:4]))
            self.images_, *middles = _draw_images(ax, images, self.limits, cmap)
        ax.set(xticks=[], yticks=[])
        edges = self.codes[0], self.codes[:, 0]
        for axis, unit, edge, places in zip(
            "xy", self.components, edges, middles, strict=False
        ):
            every = 1 + len(places) // 8  # or the numbers would touch
            values = [f"{value:.3g}".replace("-", "−") for value in edge[::every, unit]]
            ax.set(**{f"{axis}label": f"code[:, {unit}]"})
            ax.set(**{f"{axis}ticks": places[::every], f"{axis}ticklabels": values})
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _first(X, n_samples):
    """Return as many rows as will be drawn."""
    if n_samples is not None:
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
    return _rows(X, slice(n_samples or _MOST_ROWS))


def _image_shape(image_shape, n_columns, reducers):
    """Return the given shape, one that a reducer knows, or a guess: without 1s."""
    if image_shape is None:
        shapes = [getattr(inner(each)[0], "image_shape_", ()) for each in reducers]
        known = [shape for shape in shapes if math.prod(shape) == n_columns and shape]
        side = math.isqrt(n_columns)
        square = side >= 4 and side**2 == n_columns
        guess = (side, side) if square else (1, n_columns)
        image_shape = known[0] if known else guess
    shape = tuple(np.atleast_1d(image_shape).tolist())
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


def _as_images(rows, image_shape):
    """Return rows of shape (..., n_features) as images, with the channels last."""
    images = rows.reshape(*rows.shape[:-1], *image_shape)
    channels_first = len(image_shape) == 3 and image_shape[-1] not in _CHANNELS
    return np.moveaxis(images, -3, -1) if channels_first else images


def _as_colours(images, limits):
    """Return images of several channels with values from 0 to 1."""
    low, high = limits
    for largest in (1, 255):  # the usual ranges, if the values are within one
        if low >= 0 and high <= largest:
            low, high = 0, largest
            break
    return np.clip((images - low) / ((high - low) or 1), 0, 1)


def _draw_images(ax, images, limits, cmap):
    """Draw images in lines and columns; return them and the middles of both."""
    n_lines, n_columns, height, width = images.shape[:4]
    if images.ndim == 5:
        images = _as_colours(images, limits)
    gap = 0.12 * max(height, width)
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


def _draw_cells(ax, rows, limits):
    """Draw each row as a curve in a cell; return the curves and the cells' middles."""
    n_lines, n_columns, n_features = rows.shape
    low, high = min(limits[0], rows.min()), max(limits[1], rows.max())
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
        (drawn[name],) = ax.plot(x.ravel(), values.ravel(), label=name, **style)
    ax.set_xlim(-gap, x[-1, -1])
    middles = x[:, 0] + (n_features - 1) / 2
    ax.set_xticks(middles, labels=[f"row {i}" for i in range(n_samples)])
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("value")
    tidy(ax)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(rows))
    return drawn


def _size_of_tiles(n_lines, n_columns, height, width):
    """Return the size of a figure for lines and columns of images, in inches."""
    side = min(1.0, 9 / n_columns, 9 * width / (n_lines * height))
    return n_columns * side + 1.5, n_lines * side * height / width + 0.5


def _clear(ax):
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
