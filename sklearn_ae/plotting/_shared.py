"""What the displays share: styles, arguments, axes."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d

from ..compare import numbered

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


def named(estimator):
    """Return estimators by name: of one, a list or a dict of them."""
    if isinstance(estimator, Mapping):
        reducers = dict(estimator)
    else:
        several = isinstance(estimator, (list, tuple))
        estimators = list(estimator) if several else [estimator]
        names = numbered([type(inner(each)[0]).__name__ for each in estimators])
        reducers = dict(zip(names, estimators, strict=True))
    if not reducers:
        raise ValueError("estimator must hold at least one fitted estimator. Got none.")
    return reducers


def inner(estimator, X=None, through_searches=True):
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


def axes(ax, figsize, projection=None):
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


def tidy(ax):
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def spans_decades(values):
    """Tell whether values want a logarithmic axis."""
    return values.min() > 0 and values.max() > 20 * values.min()
