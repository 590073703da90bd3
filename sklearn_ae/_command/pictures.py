"""The pictures of the report, as figures of the page."""

import base64
import html
import io

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.model_selection import train_test_split

from .._reducers import configured, is_ordered, shortened
from ..plotting import (
    CodeDisplay,
    ComparisonDisplay,
    LossCurveDisplay,
    ReconstructionDisplay,
)

MOST_CLASSES = 30  # that colours and a legend can tell apart

CAPTIONS = {
    "explained_variance": "How much of the variance of held-out rows a code of each "
    "size explains, with 95% intervals over the folds. More is better.",
    "knn_score": "How well a held-out row's nearest neighbours in the code predict "
    "the target ({measure}), with 95% intervals over the folds. More is better.",
    "rows": "Held-out rows, and what each reducer gives back of them from a code of "
    "size {size}, the middle one. The closer, the more is kept.",
    "codes": "{name}: each point is a held-out row at its code of two units{by}. Rows "
    "that the code takes for alike are side by side.",
    "losses": "{name}: the loss after each epoch, on rows that train and on rows set "
    "aside. The dot is the epoch whose weights were kept.",
}


def pictures(results, reducers, table, *, measure, target, random_state):
    """Fit each reducer once more, and draw what it makes of held-out rows.

    Parameters
    ----------
    results : DataFrame
        What `compare_reducers` returned.
    reducers : dict of str to estimator
        The reducers, unfitted.
    table : Table
        The data.
    measure : str or None
        What the k-NN score is.
    target : str or None
        The name of the target.
    random_state : int
        Draws the held-out rows, and seeds the fits.

    Returns
    -------
    dict of str to str
        The HTML of the ``curves``, ``reconstructions`` and ``codes``.
    """
    X, y = table.X, table.y
    rows = np.arange(len(X))
    train, test = train_test_split(
        rows, test_size=1 / results["fold"].nunique(), random_state=random_state
    )
    sizes = sorted(results["n_components"].unique())
    middle = int(sizes[len(sizes) // 2])
    wanted = {middle, 2} if max(sizes) > 1 else {middle}
    fitted = {
        name: _fit(reducer, wanted, max(sizes), X[train], random_state)
        for name, reducer in reducers.items()
    }
    codes = []
    if 2 in wanted:
        codes = _scatters(fitted, X[test], colours(y, test, target))
    metrics = ["explained_variance", "knn_score"][: 1 if measure is None else 2]
    return {
        "curves": "".join(_curve(results, metric, measure) for metric in metrics),
        "reconstructions": _reconstructions(fitted, X[test], middle),
        "codes": "".join([*codes, *_losses(fitted, middle)]),
    }


def _scatters(fitted, X, target):
    by = "" if target is None else f", coloured by {target.name}"
    for name, models in fitted.items():

        def draw(ax, model=models[2]):
            CodeDisplay.from_estimator(model, X, target, ax=ax, size=12)

        yield _picture(draw, CAPTIONS["codes"].format(name=name, by=by))


def _losses(fitted, size):
    for name, models in fitted.items():
        if hasattr(models[size], "loss_curve_"):

            def draw(ax, model=models[size]):
                LossCurveDisplay.from_estimator(model, ax=ax)

            yield _picture(draw, CAPTIONS["losses"].format(name=name))


def _reconstructions(fitted, X, size):
    def draw(ax):
        models = {name: models[size] for name, models in fitted.items()}
        ReconstructionDisplay.from_estimator(models, X, ax=ax)

    return _picture(
        draw,
        CAPTIONS["rows"].format(size=size),
        size=(8, 2.8),
        half=False,
    )


def _fit(reducer, sizes, largest, X, seed):
    """Return the fitted reducer for each code size."""
    if is_ordered(reducer):
        whole = configured(reducer, int(largest), seed).fit(X)
        return {size: shortened(whole, size) for size in sizes}
    return {size: configured(reducer, size, seed).fit(X) for size in sizes}


def colours(y, rows, name):
    """Return what the codes are coloured by, or None."""
    if y is None or (y.dtype.kind not in "iuf" and len(np.unique(y)) > MOST_CLASSES):
        return None
    return pd.Series(y[rows], name=name)


def _curve(results, metric, measure):
    def draw(ax):
        ComparisonDisplay.from_results(results, metric=metric, ax=ax)
        if metric == "knn_score":
            ax.set_ylabel(f"k-NN {measure} on the code")

    return _picture(draw, CAPTIONS[metric].format(measure=measure))


def _picture(draw, caption, size=(5.5, 4), half=True):
    """Return what a function draws as a figure of the page."""
    figure = Figure(figsize=size, layout="constrained")
    draw(figure.subplots())
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150, bbox_inches="tight")
    caption = html.escape(caption)
    return (
        f'<figure{" class=half" * half}><img alt="{caption}" '
        f'src="data:image/png;base64,{as_base64(file.getvalue())}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def as_base64(content):
    """Return bytes as text for a page."""
    return base64.b64encode(content).decode()
