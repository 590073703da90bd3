"""What every display is: computed once, drawn by `plot` on axes of one style."""

import unicodedata
from numbers import Integral

import numpy as np
from sklearn.utils import column_or_1d

from .._extras import how_to_install

# Colours of Okabe & Ito (2008), told apart by the colour-blind; the line and the marker
# tell the reducers apart in black and white.
STYLES = [
    {"color": "#000000", "linestyle": "--", "marker": "s"},
    {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    {"color": "#D55E00", "linestyle": "-.", "marker": "^"},
    {"color": "#009E73", "linestyle": ":", "marker": "D"},
    {"color": "#CC79A7", "linestyle": (0, (6, 1, 1, 1, 1, 1)), "marker": "v"},
    {"color": "#E69F00", "linestyle": (0, (8, 3)), "marker": "P"},
    {"color": "#56B4E9", "linestyle": (0, (1, 3)), "marker": "X"},
]


class Display:
    """Something computed, to be drawn. A subclass says how, in `_draw`."""

    _figsize = (6.4, 4.2)  # inches, of a new figure

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default a new figure's.

        Returns
        -------
        self : object
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return self._plot(ax)

    def _plot(self, ax, *, projection=None, **options):
        """Draw on the axes, or those of a new figure, and keep them."""
        ax = _axes(ax, self._figsize, projection)
        self._draw(ax, **options)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def check_components(components, n_units, allowed):
    """Return a list of the code units that are asked for."""
    units = np.atleast_1d(components).tolist()
    sound = all(isinstance(unit, Integral) and 0 <= unit < n_units for unit in units)
    if not sound or len(units) not in allowed or len(set(units)) < len(units):
        raise ValueError(
            f"components must be {' or '.join(map(str, allowed))} different units of "
            f"the code, from 0 to {n_units - 1}. Got {components!r}."
        )
    return units


def check_y(y, n_samples):
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
            f"The displays need matplotlib: {how_to_install('plot')}"
        ) from error
    if ax is None:
        options = {"layout": "constrained", "subplot_kw": {"projection": projection}}
        _, ax = plt.subplots(figsize=figsize, **options)
    return ax


def legible(name, width=28):
    """Return a name as a figure can show it: in one line, cut, with glyphs for all.

    Parameters
    ----------
    name : object
        Of a column, a class or a row.
    width : int, default=28
        Characters at most.

    Returns
    -------
    str
    """
    from matplotlib import font_manager, rcParams

    fonts = [
        font_manager.get_font(
            font_manager.findfont(font_manager.FontProperties(family=[family]))
        )
        for family in rcParams["font.family"]
    ]
    shown = ""
    for sign in " ".join(str(name).split()):
        if any(font.get_char_index(ord(sign)) for font in fonts):
            shown += sign
        elif unicodedata.category(sign) == "So":  # emoji, which would be empty boxes
            shown += f"({unicodedata.name(sign, 'symbol').lower()})"
        elif unicodedata.category(sign) not in ("Cf", "Mn", "Sk"):
            shown += sign
    if len(shown) > width:
        shown = f"{shown[: width - 1].rstrip()}…"
    shown = shown.replace("$", r"\$")  # which begins a formula
    return f" {shown}" if shown.startswith("_") else shown  # legends leave these out


def tidy(ax):
    """Leave out the lines of the axes that hold no numbers."""
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def spans_decades(values):
    """Tell whether values want a logarithmic axis."""
    return values.min() > 0 and values.max() > 20 * values.min()
