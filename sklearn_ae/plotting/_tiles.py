"""Lines and columns of images or small curves."""

import numpy as np

from .._images import as_images
from ._display import Display


class TilesDisplay(Display):
    """Rows in lines and columns. `image_shape` says what they are pictures of."""

    @property
    def _are_images(self):
        return self.image_shape[0] > 1  # a height of 1 is a curve's

    def plot(self, ax=None, *, cmap="gray"):
        """Draw the images or curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.
        cmap : str or matplotlib Colormap, default="gray"
            Colours of images of one channel; "gray_r" is ink on paper. Above
            reconstructions they go from the smallest to the largest value of the
            first line.

        Returns
        -------
        self : object
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return self._plot(ax, cmap=cmap)


def draw_images(ax, rows, image_shape, limits, cmap):
    """Draw rows as images; return these and the middles of columns and lines.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    rows : ndarray of shape (n_lines, n_columns, n_features)
        The rows.
    image_shape : tuple of int
        (height, width), with channels first or last.
    limits : tuple of float
        Values of the first and the last colour.
    cmap : str or matplotlib Colormap
        Colours of images of one channel.

    Returns
    -------
    images : ndarray of AxesImage, of shape (n_lines, n_columns)
    across, down : ndarray of float
    """
    images = as_images(rows, image_shape)
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


def draw_cells(ax, rows, limits):
    """Draw each row as a curve in a cell; return the curves and the cells' middles.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    rows : ndarray of shape (n_lines, n_columns, n_features)
        The rows.
    limits : tuple of float
        Values that each cell reaches at least from and to.

    Returns
    -------
    curves : ndarray of Line2D, of shape (n_lines, n_columns)
    across, down : ndarray of float
    """
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


def size_of_tiles(n_lines, n_columns, height, width):
    """Return the size of a figure for lines and columns of images, in inches.

    Parameters
    ----------
    n_lines, n_columns : int
        How many images.
    height, width : int
        Of each.

    Returns
    -------
    tuple of float
        Width and height of the figure.
    """
    side = min(1.0, 9 / n_columns, 9 * width / (n_lines * height))
    return n_columns * side + 1.5, n_lines * side * height / width + 0.5


def _as_colours(images, limits):
    """Return images of several channels with values from 0 to 1."""
    low, high = limits
    for largest in (1, 255):  # the usual ranges, if the values are within one
        if low >= 0 and high <= largest:
            low, high = 0, largest
            break
    return np.clip((images - low) / ((high - low) or 1), 0, 1)


def _clear(ax):
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
