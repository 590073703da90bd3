"""Codes, decoded: a grid or a path through them."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from .._images import height_and_width, image_shape_of
from .._reducers import check_invertible, decode, dense, innermost
from ._display import check_components
from ._tiles import TilesDisplay, draw_cells, draw_images, size_of_tiles


class DecodedGridDisplay(TilesDisplay):
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

    See Also
    --------
    CodeDisplay : Codes as points.
    ReconstructionDisplay : Rows and their reconstructions.

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
        check_invertible(estimator)
        check_scalar(n_steps, "n_steps", Integral, min_val=1)
        codes = dense(estimator.transform(X), "the code")
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
        X = dense(X, "X")
        limits = X.min(), X.max()
        options = {"ax": ax, "cmap": cmap}
        return cls._of(estimator, grid, image_shape, limits, components, **options)

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
        image_shape : tuple of int, default=None
            Shape of the images, or (1, length) for curves; see
            :meth:`from_estimator`.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel.

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
        check_invertible(estimator)
        check_is_fitted(estimator)
        codes = np.asarray(codes, dtype=np.float64)
        if codes.ndim not in (2, 3) or not codes.size:
            raise ValueError(
                f"codes must have the shape (n_columns, n_components) or (n_lines, "
                f"n_columns, n_components). Got {codes.shape}."
            )
        codes = codes.reshape(-1, *codes.shape[-2:])
        return cls._of(estimator, codes, image_shape, None, (), ax=ax, cmap=cmap)

    @classmethod
    def _of(cls, estimator, codes, image_shape, limits, components, **options):
        flat = codes.reshape(-1, codes.shape[-1])
        reducer, _ = innermost(estimator)
        size = getattr(reducer, "n_components_", flat.shape[1])
        ordered = hasattr(reducer, "code_size_curve_")
        if flat.shape[1] > size or (flat.shape[1] < size and not ordered):
            raise ValueError(
                f"codes must have the {size} units of this estimator's codes. Got "
                f"{flat.shape[1]}."
            )
        rows = dense(decode(estimator, flat), "what the codes decode to")
        image_shape = image_shape_of(image_shape, rows.shape[1], [estimator])
        if limits is None:
            limits = getattr(estimator, "data_range_", (rows.min(), rows.max()))
        rows = rows.reshape(*codes.shape[:2], -1)
        return cls(codes, rows, image_shape, limits, components).plot(**options)

    @property
    def _figsize(self):
        cell = height_and_width(self.image_shape) if self._are_images else (4, 5)
        return size_of_tiles(*self.rows.shape[:2], *cell)

    def _draw(self, ax, cmap):
        if self._are_images:
            drawn = draw_images(ax, self.rows, self.image_shape, self.limits, cmap)
            self.images_, *middles = drawn
        else:
            self.lines_, *middles = draw_cells(ax, self.rows, self.limits)
        ax.set(xticks=[], yticks=[])
        edges = self.codes[0], self.codes[:, 0]
        for axis, unit, edge, places in zip(
            "xy", self.components, edges, middles, strict=False
        ):
            every = 1 + len(places) // 8  # or the numbers would touch
            values = [f"{value:.3g}".replace("-", "−") for value in edge[::every, unit]]
            ax.set(**{f"{axis}label": f"code[:, {unit}]"})
            ax.set(**{f"{axis}ticks": places[::every], f"{axis}ticklabels": values})
