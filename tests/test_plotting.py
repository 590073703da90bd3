import sys

import numpy as np
import pandas as pd
import pytest

matplotlib = pytest.importorskip("matplotlib")

from sklearn_ae.compare import METRICS  # noqa: E402
from sklearn_ae.plotting import _STYLES, ComparisonDisplay  # noqa: E402


@pytest.fixture(autouse=True)
def _no_window():
    from matplotlib import pyplot as plt

    matplotlib.use("agg")
    yield
    plt.close("all")


def results_of(*reducers, sizes=(8, 2), folds=3):
    rows = [
        (reducer, size, fold, 80, 20, 0.1 * i + 0.01 * size + 0.001 * fold)
        for i, reducer in enumerate(reducers)
        for size in sizes
        for fold in range(folds)
    ]
    columns = ["reducer", "n_components", "fold", "n_train", "n_test"]
    return pd.DataFrame(rows, columns=[*columns, "explained_variance"])


def test_curves_by_hand():
    display = ComparisonDisplay.from_results(results_of("PCA", "ours"))
    assert display.metric == "explained_variance"
    assert not hasattr(display, "ax_")
    row = display.curves.iloc[2]
    assert (row["reducer"], row["n_components"]) == ("ours", 8)
    assert row["mean"] == pytest.approx(0.181)
    # t(0.975, 2) = 4.302653, standard deviation 0.001
    half = 4.30265273 * 0.001 * np.sqrt(1 / 3 + 20 / 80)
    assert row["high"] - row["mean"] == pytest.approx(half)
    assert row["mean"] - row["low"] == pytest.approx(half)


def test_what_is_drawn():
    display = ComparisonDisplay.from_results(results_of("PCA", "ours"))
    assert display.plot() is display
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel() == "code size (n_components)"
    assert display.ax_.get_ylabel() == "share of variance explained"
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["2", "8"]
    assert display.ax_.get_xscale() == "log"
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["PCA", "ours"]
    x, y = display.lines_["ours"].lines[0].get_data(orig=False)
    np.testing.assert_allclose(y, [0.121, 0.181])  # smallest code first
    np.testing.assert_allclose(x, [2, 8], rtol=0.05)
    display.figure_.canvas.draw()


def test_own_axes_and_every_metric():
    from matplotlib.figure import Figure

    axes = Figure().subplots(2)
    for metric, row in METRICS.items():
        results = results_of("PCA").rename(columns={"explained_variance": metric})
        display = ComparisonDisplay.from_results(results, metric=metric)
        assert display.plot(ax=axes[1]).ax_ is axes[1]
        assert display.figure_ is axes[0].figure
        assert axes[1].get_ylabel() == row.label
    with pytest.raises(ValueError, match="metric must be among"):
        ComparisonDisplay.from_results(results, metric="mse")


def test_a_single_fold_and_more_reducers_than_styles():
    names = [f"reducer {i}" for i in range(len(_STYLES) + 1)]
    display = ComparisonDisplay.from_results(results_of(*names, folds=1)).plot()
    assert len(display.lines_) == len(names)
    display.figure_.canvas.draw()


def test_styles_differ_in_each_respect():
    for key in ("color", "linestyle", "marker"):
        assert len({style[key] for style in _STYLES}) == len(_STYLES)


def test_without_matplotlib(monkeypatch):
    display = ComparisonDisplay.from_results(results_of("PCA"))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ae\[plot\]'"):
        display.plot()
