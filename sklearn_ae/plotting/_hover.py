"""A map as a page: what is under the cursor is decoded."""

import base64
import html
import json
from numbers import Integral
from pathlib import Path
from string import Template

import numpy as np
from sklearn.utils import check_scalar

from .._images import as_images, image_shape_of
from .._reducers import check_invertible, decode, dense
from ._display import STYLES, check_y

PAGE = Path(__file__).with_name("hover.html")
MARGIN = 0.04  # of the codes' range, on each side
MOST_POINTS = 5000  # that are drawn
MOST_COLUMNS = 40  # that are listed
MOST_CLASSES = 30


def hover_page(
    estimator,
    X,
    file,
    y=None,
    *,
    image_shape=None,
    n_steps=40,
    title="Map",
):
    """Write a page with the map of rows that decodes what is under the cursor.

    It is one file that needs nothing else, no network either. In it are the codes of
    the rows, and what the codes of a grid decode to; between them it interpolates. So
    it takes any reducer.

    Parameters
    ----------
    estimator : fitted estimator
        With ``transform`` to two units, and ``inverse_transform``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows to draw; of more than 5,000 so many are drawn at random, always the same.
    file : path-like
        Where to write. What is there is replaced.
    y : array-like of shape (n_samples,), default=None
        Classes to colour and name the points by.
    image_shape : tuple of int, default=None
        As in :meth:`ReconstructionDisplay.from_estimator`: rows that are images are
        shown as such. ``(1, n_features)`` shows curves, where given. All other rows are
        listed, a bar for each column, those 40 that vary most over the map, in
        standard deviations of X.
    n_steps : int, default=40
        Codes along each side of the grid, at least 2.
    title : str, default="Map"
        Over the page.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If the estimator can't decode.
    ValueError
        If the code has not two units, or X, y or `image_shape` does not fit.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    CodeDisplay : The points as a figure.
    DecodedGridDisplay : Chosen codes, decoded, as a figure.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae.plotting import hover_page
    >>> X, y = load_digits(return_X_y=True)
    >>> file = Path(tempfile.mkdtemp()) / "map.html"
    >>> hover_page(PCA(2).fit(X), X, file, y).stat().st_size > 100_000
    True
    """
    check_invertible(estimator)
    check_scalar(n_steps, "n_steps", Integral, min_val=2)
    codes = dense(estimator.transform(X), "the code")
    if codes.shape[1] != 2:
        raise ValueError(
            f"hover_page draws codes of 2 units. Got {codes.shape[1]}: fit with "
            f"n_components=2."
        )
    names = getattr(X, "columns", None)
    X, y = dense(X, "X"), check_y(y, len(codes))
    low, high = codes.min(axis=0), codes.max(axis=0)
    pad = MARGIN * (high - low) + (high == low)
    low, high = low - pad, high + pad
    sides = np.linspace(low, high, n_steps).T
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)  # x runs fastest
    rows = dense(decode(estimator, grid), "what the codes decode to")
    listed = image_shape is None
    shape = image_shape_of(image_shape, rows.shape[1], [estimator])
    if shape[0] > 1:
        shown = _images(rows, shape, X.min(), X.max())
    elif listed:
        shown = _columns(rows, X, names)
    else:
        shown = {"kind": "curve", "grid": _text(rows), "limits": [X.min(), X.max()]}
    data = {
        "steps": n_steps,
        "ends": [low[0], high[0], low[1], high[1]],
        "first": codes[0].tolist(),
        **_points(codes, y),
        **shown,
    }
    file = Path(file)
    page = Template(PAGE.read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        about=html.escape(
            f"{len(codes):,} rows, coded by {type(estimator).__name__}. Move over the "
            f"map, or tap on it: the code there is decoded."
        ),
        # A name that holds "</script>" shall not end the script.
        data=json.dumps(data, default=float).replace("<", "\\u003c"),
    )
    file.write_text(page, encoding="utf-8")
    return file


def _text(rows):
    """Return rows as little-endian float32, in letters."""
    return base64.b64encode(rows.astype("<f4").tobytes()).decode()


def _images(rows, shape, low, high):
    """Return what is told of decoded images."""
    images = as_images(rows, shape)
    scaled = (images - low) / ((high - low) or 1.0)
    values = np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
    n_channels = values.shape[3] if values.ndim == 4 else 1
    return {
        "kind": "image",
        "shape": [*values.shape[1:3], n_channels],
        "grid": base64.b64encode(values.tobytes()).decode(),
    }


def _columns(rows, X, names):
    """Return what is told of decoded columns."""
    spread, unit = rows.std(axis=0), X.std(axis=0)
    order = np.argsort(-spread / np.where(unit > 0, unit, np.inf), kind="stable")
    kept = np.sort(order[:MOST_COLUMNS])
    names = [f"column {i}" for i in kept] if names is None else [names[i] for i in kept]
    ends = zip(map(str, names), X.min(axis=0)[kept], X.max(axis=0)[kept], strict=True)
    return {"kind": "columns", "grid": _text(rows[:, kept]), "columns": list(ends)}


def _points(codes, y):
    """Return what is told of points and their classes."""
    classes = [] if y is None else np.unique(y)
    n_classes = len(classes)
    if n_classes > MOST_CLASSES:
        raise ValueError(
            f"y must hold at most {MOST_CLASSES} classes, for which there are colours. "
            f"Got {n_classes}: leave y out, or draw values by CodeDisplay."
        )
    numbers = np.zeros(len(codes), int) if y is None else np.searchsorted(classes, y)
    colors = [style["color"] for style in STYLES[1:]]
    if n_classes > len(colors):
        turns = np.arange(n_classes) / n_classes
        colors = [f"hsl({360 * turn:.0f} 70% 45%)" for turn in turns]
    colors, names = colors[:n_classes], []
    for i, label in enumerate(classes):
        names.append([*np.median(codes[numbers == i], axis=0), str(label)])
    rows = np.random.default_rng(0).permutation(len(codes))[:MOST_POINTS]
    points = [
        [float(f"{a:.4g}"), float(f"{b:.4g}"), int(c)]
        for (a, b), c in zip(codes[rows], numbers[rows], strict=True)
    ]
    legend = [[name[2], color] for name, color in zip(names, colors, strict=True)]
    return {"points": points, "colors": colors, "names": names, "legend": legend}
