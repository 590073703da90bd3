"""Codes as points."""

import math

import numpy as np

from .._measures import holds_classes
from .._reducers import dense
from ._display import STYLES, Display, check_components, check_y, legible

_MARKERS = "so^DvPX*<>ph"  # more than colours, so that pairs come back late
_MOST_CLASSES = 30  # that numbers stand for


class CodeDisplay(Display):
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
    beneath : ndarray of shape (n_beneath, 2) or (n_beneath, 3), default=None
        Codes of other rows, drawn in grey beneath.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the points.
    figure_ : matplotlib Figure
        Figure that holds them.
    points_ : dict of object to PathCollection
        The points of each class; ``points_[None]`` if there are no classes.
    beneath_ : PathCollection
        The points beneath, if there are such.
    names_ : dict of object to Text
        The names of classes that stand at their medians, if they do.
    colorbar_ : matplotlib Colorbar
        The colour bar, if there are values.

    See Also
    --------
    DecodedGridDisplay : Rows that codes stand for.
    sklearn.decomposition.PCA : Has codes too, which this draws as well.

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

    _figsize = (6.4, 5)

    def __init__(self, codes, y=None, *, components=(0, 1), y_name=None, beneath=None):
        self.codes = codes
        self.y = y
        self.components = components
        self.y_name = y_name
        self.beneath = beneath

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        X_train=None,
        components=None,
        ax=None,
        text=False,
        size=20,
        names="legend",
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
            and there are at most 30 distinct ones, with 5 rows to each or more.
        X_train : {array-like, sparse matrix, DataFrame}, default=None
            Rows drawn beneath in grey, such as those of the fit, to show where new
            rows fall on the map.
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
        names : {"legend", "median"}, default="legend"
            Where the names of classes stand: in a legend, or on the map itself, each
            at the median of its points.

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
            codes_train=None if X_train is None else estimator.transform(X_train),
            components=components,
            ax=ax,
            text=text,
            size=size,
            names=names,
        )

    @classmethod
    def from_predictions(
        cls,
        codes,
        y=None,
        *,
        codes_train=None,
        components=None,
        ax=None,
        text=False,
        size=20,
        names="legend",
    ):
        """Draw codes.

        Parameters
        ----------
        codes : {array-like, sparse matrix, DataFrame}, (n_samples, n_components)
            What ``transform`` gave.
        y : array-like of shape (n_samples,), default=None
            Classes or values, see :meth:`from_estimator`.
        codes_train : {array-like, sparse matrix, DataFrame}, default=None
            Codes of the rows drawn beneath.
        components : sequence of int, default=None
            Which units to draw, two or three; by default all of so short a code.
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        text : bool, default=False
            Whether to draw each row's class instead of a point.
        size : float, default=20
            Area of a point in square points of typography.
        names : {"legend", "median"}, default="legend"
            Where the names of classes stand.

        Returns
        -------
        CodeDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the code has another number of units, or y another length.
        """
        codes = dense(codes, "codes")
        if components is None:
            components = range(codes.shape[1])
            if len(components) not in (2, 3):
                way_out = ": choose some, for example components=(0, 1)"
                raise ValueError(
                    f"CodeDisplay draws codes of 2 or 3 units. Got {len(components)}"
                    f"{way_out if len(components) > 3 else ''}."
                )
        components = check_components(components, codes.shape[1], (2, 3))
        y_name = getattr(y, "name", None)  # of a pandas Series
        y = check_y(y, len(codes))
        if codes_train is not None:
            codes_train = dense(codes_train, "codes_train")
            if codes_train.shape[1] != codes.shape[1]:
                raise ValueError(
                    f"codes_train must have the {codes.shape[1]} units of codes. Got "
                    f"{codes_train.shape[1]}."
                )
            codes_train = codes_train[:, components]
        display = cls(
            codes[:, components],
            y,
            components=components,
            y_name=y_name,
            beneath=codes_train,
        )
        return display.plot(ax, text=text, size=size, names=names)

    def plot(self, ax=None, *, text=False, size=20, names="legend"):
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
        names : {"legend", "median"}, default="legend"
            Where the names of classes stand: in a legend, or on the map itself, each
            at the median of its points.

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
            to draw but no y.
        """
        if text and self.y is None:
            raise ValueError("text=True draws labels: give them as y. Got y=None.")
        if names not in ("legend", "median"):
            raise ValueError(f"names must be 'legend' or 'median'. Got {names!r}.")
        projection = "3d" if len(self.components) == 3 else None
        return self._plot(ax, projection=projection, text=text, size=size, names=names)

    def _draw(self, ax, text, size, names):
        n_units = len(self.components)
        if (ax.name == "3d") != (n_units == 3):
            raise ValueError(
                f"ax must have {n_units} dimensions, as the code. Got projection="
                f"{ax.name!r}: make it with projection='3d' for 3 units and without "
                f"for 2, or choose units by components."
            )
        if self.beneath is not None:
            self.beneath_ = ax.scatter(
                *self.beneath.T, s=size / 2, color="0.85", linewidth=0
            )
        self.points_ = {}
        labels = self._labels(text)
        if labels is None:
            self._draw_values(ax, size)
        else:
            self._draw_classes(ax, labels, text, size)
            if names == "median":
                self._name_classes(ax, labels)
            elif not text:
                self._add_legend(ax, labels, size)
        for axis, component in zip("xyz", self.components, strict=False):
            ax.set(**{f"{axis}label": f"code[:, {component}]"})
        if n_units == 2:
            ax.spines[["top", "right"]].set_visible(False)

    @property
    def _named(self):
        return None if self.y_name is None else legible(self.y_name)

    def _labels(self, text):
        """Return the distinct classes, or None if y holds values or is not there."""
        if self.y is None:
            return None
        labels = np.unique(self.y)
        # `holds_classes` looks for something to predict, which one class is not.
        classes = (
            text
            or len(labels) == 1
            or self.y.dtype.kind not in "iuf"
            or (len(labels) <= _MOST_CLASSES and holds_classes(self.y))
        )
        return labels if classes else None

    def _draw_values(self, ax, size):
        """Draw all points as one, coloured by their values if there are such."""
        colors = {"c": "#0072B2" if self.y is None else self.y}
        drawn = ax.scatter(*self.codes.T, s=size, linewidth=0, **colors)
        self.points_[None] = drawn
        if self.y is not None:
            pad = 0.12 if ax.name == "3d" else 0.05
            self.colorbar_ = ax.figure.colorbar(
                drawn, ax=ax, label=self._named, pad=pad
            )

    def _draw_classes(self, ax, labels, text, size):
        """Draw the points of each class."""
        for i, label in enumerate(labels):
            style = {"marker": _MARKERS[i % len(_MARKERS)], "s": size}
            if text:
                style = _text_marker(str(label), size)
            self.points_[label] = ax.scatter(
                *self.codes[self.y == label].T,
                color=STYLES[i % len(STYLES)]["color"],
                label=legible(label),
                linewidth=0,
                **style,
            )

    def _add_legend(self, ax, labels, size):
        """Name the classes beside the points."""
        ax.legend(
            title=self._named,
            loc="upper left",
            bbox_to_anchor=(1.08 if ax.name == "3d" else 1, 1),
            ncols=math.ceil(len(labels) / 14),
            frameon=False,
            markerscale=max(1, (30 / size) ** 0.5),
            handletextpad=0.2,
        )

    def _name_classes(self, ax, labels):
        """Name the classes where they are, on a ground that keeps names readable."""
        self.names_ = {
            label: ax.text(
                *np.median(self.codes[self.y == label], axis=0),
                legible(label),
                ha="center",
                va="center",
                weight="bold",
                bbox={"boxstyle": "round,pad=0.15", "color": "white", "alpha": 0.75},
            )
            for label in labels
        }


def _text_marker(label, size):
    """Return how `scatter` draws a text about as high as a point of that size."""
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    text = label.strip().replace("$", r"\$") or "–"
    path = TextPath((0, 0), text, size=1.4 * size**0.5)
    ends = path.vertices.min(axis=0), path.vertices.max(axis=0)
    path = Path(path.vertices - np.mean(ends, axis=0), path.codes)
    # matplotlib scales a path until it fits a marker of that size.
    return {"marker": path, "s": (2 * np.abs(path.vertices).max()) ** 2}
