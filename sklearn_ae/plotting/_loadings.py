"""What drives a code unit, or what it draws: bars, images or curves."""

import numpy as np

from .._images import as_images, image_shape_of
from .._reducers import innermost
from ..inspection import loadings
from ._display import STYLES, Display, check_components, legible, tidy
from ._tiles import draw_cells, draw_images, size_of_tiles

_MOST_UNITS = {"bars": 3, "tiles": 10}  # that are drawn by default


class LoadingsDisplay(Display):
    """Loadings of code units: bars for columns, or an image for each unit.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    values : ndarray of shape (n_units, n_features)
        The loadings.
    spread : ndarray of shape (n_units, n_features)
        Their standard deviations over rows: whiskers of the bars.
    names : sequence of str
        Of the columns.
    image_shape : tuple of int, default=None
        (height, width), with channels first or last: an image for each unit.
        (1, n_features) is a curve. None for bars.
    components : sequence of int, default=(0, 1)
        Which of the code's units these are.
    label : str, default="loading"
        What the values are, beside an axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that holds them.
    columns_ : ndarray of int
        Columns that have bars, from the top.
    bars_ : dict of int to BarContainer
        The bars of each unit.
    images_ : ndarray of AxesImage, of shape (1, n_units)
        The images, if there are such.
    lines_ : ndarray of Line2D, of shape (1, n_units)
        The curves, if there are such.

    See Also
    --------
    sklearn_ae.inspection.loadings : The numbers.
    DecodedGridDisplay : What a unit does to a row, as rows.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ae.plotting import LoadingsDisplay
    >>> X = load_wine(as_frame=True).data
    >>> pca = make_pipeline(StandardScaler(), PCA(2)).fit(X)
    >>> display = LoadingsDisplay.from_estimator(pca, X)
    >>> display.names[display.columns_[0]]
    'color_intensity'
    """

    def __init__(
        self,
        values,
        spread,
        names,
        *,
        image_shape=None,
        components=(0, 1),
        label="loading",
    ):
        self.values = values
        self.spread = spread
        self.names = names
        self.image_shape = image_shape
        self.components = components
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        kind="encoder",
        scaled=True,
        components=None,
        image_shape=None,
        ax=None,
        max_columns=20,
        cmap="RdBu_r",
    ):
        """Average the Jacobians over rows, and draw them.

        Parameters
        ----------
        estimator : fitted estimator
            A reducer with ``transform`` and ``inverse_transform``.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows to average over, some hundreds.
        kind : {"encoder", "decoder"}, default="encoder"
            Whether to draw which columns drive a unit, or which columns it draws.
        scaled : bool, default=True
            Whether for a standard deviation of the column ("encoder") or of the unit
            ("decoder"), so that columns and units of different sizes compare; else for
            a change by one.
        components : int or sequence of int, default=None
            The code units, counted from 0. By default the first 3, or, as images or
            curves, the first 10.
        image_shape : tuple of int, default=None
            (height, width), with or without channels, whose mean is drawn; (1,
            n_features) draws curves. By default the estimator's `image_shape_`, if it
            has one, otherwise bars.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        max_columns : int, default=20
            Columns that get bars: those whose largest loading is largest.
        cmap : str or matplotlib Colormap, default="RdBu_r"
            Of images. Its middle is zero.

        Returns
        -------
        LoadingsDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator can't decode.
        ValueError
            If X, `kind`, `components` or `image_shape` does not fit.
        """
        if kind not in ("encoder", "decoder"):
            raise ValueError(f"kind must be 'encoder' or 'decoder'. Got {kind!r}.")
        found = loadings(estimator, X)
        sizes = {"encoder": found.column_std, "decoder": found.code_std[:, None]}
        size = sizes[kind] if scaled else 1.0
        values, spread = getattr(found, kind), getattr(found, f"{kind}_spread")
        n_units, n_features = values.shape
        if image_shape is not None or hasattr(innermost(estimator)[0], "image_shape_"):
            image_shape = image_shape_of(image_shape, n_features, [estimator])
        if components is None:
            most = _MOST_UNITS["bars" if image_shape is None else "tiles"]
            components = range(min(n_units, most))
        allowed = range(1, n_units + 1)
        units = check_components(components, n_units, allowed)
        names = [str(name) for name in getattr(X, "columns", range(n_features))]
        label = {
            "encoder": f"change of the code unit for {_one(scaled, 'column')}",
            "decoder": f"change of the column for {_one(scaled, 'code unit')}",
        }
        display = cls(
            (values * size)[units],
            (spread * size)[units],
            names,
            image_shape=image_shape,
            components=units,
            label=label[kind],
        )
        return display.plot(ax, max_columns=max_columns, cmap=cmap)

    def plot(self, ax=None, *, max_columns=20, cmap="RdBu_r"):
        """Draw the loadings.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        max_columns : int, default=20
            Columns that get bars: those whose largest loading is largest.
        cmap : str or matplotlib Colormap, default="RdBu_r"
            Of images. Its middle is zero.

        Returns
        -------
        LoadingsDisplay
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        order = np.argsort(-np.abs(self.values).max(axis=0), kind="stable")
        self.columns_ = order[:max_columns]
        return self._plot(ax, cmap=cmap)

    @property
    def _figsize(self):
        if self.image_shape is not None:
            return size_of_tiles(1, len(self.components), 4, 4)
        n_bars = len(self.columns_) * (len(self.components) + 1)
        return 6.4, 1.2 + 0.14 * n_bars

    def _draw(self, ax, cmap):
        if self.image_shape is None:
            self._draw_bars(ax)
            return
        largest = np.abs(self.values).max()
        limits = -largest, largest
        if self.image_shape[0] > 1:
            images = as_images(self.values, self.image_shape)
            if images.ndim == 4:
                images = images.mean(axis=3)
            shape, rows = images.shape[1:], images.reshape(1, len(images), -1)
            self.images_, middles, _ = draw_images(ax, rows, shape, limits, cmap)
            ax.figure.colorbar(self.images_[0, 0], ax=ax, shrink=0.8)
        else:
            self.lines_, middles, _ = draw_cells(ax, self.values[None], limits)
        ax.set(xticks=middles, yticks=[], xlabel=self.label)
        ax.set_xticklabels([f"code[:, {unit}]" for unit in self.components])

    def _draw_bars(self, ax):
        """Draw a bar for each column and unit, with a whisker for its spread."""
        n_units, places = len(self.components), np.arange(len(self.columns_))
        height, self.bars_ = 0.8 / n_units, {}
        for i, unit in enumerate(self.components):
            self.bars_[unit] = ax.barh(
                places + (i - (n_units - 1) / 2) * height,
                self.values[i, self.columns_],
                height,
                xerr=self.spread[i, self.columns_],
                color=STYLES[(i + 1) % len(STYLES)]["color"],
                error_kw={"linewidth": 0.8, "ecolor": "0.4"},
                label=f"code[:, {unit}]",
            )
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_yticks(places, [legible(self.names[column]) for column in self.columns_])
        ax.set(xlabel=self.label, ylim=(len(places) - 0.5, -0.5))
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        tidy(ax)


def _one(scaled, what):
    return f"one std of the {what}" if scaled else f"one of the {what}"
