import sys

import numpy as np
import pandas as pd
import pytest

matplotlib = pytest.importorskip("matplotlib")

from sklearn.base import clone  # noqa: E402
from sklearn.cluster import DBSCAN, KMeans  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.decomposition import PCA, TruncatedSVD  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score  # noqa: E402
from sklearn.naive_bayes import GaussianNB  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from sklearn_ae import (  # noqa: E402
    AdversarialAutoencoder,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae.compare import METRICS  # noqa: E402
from sklearn_ae.metrics import neg_reconstruction_mse_scorer  # noqa: E402
from sklearn_ae.plotting import (  # noqa: E402
    CodeDisplay,
    CodeSizeDisplay,
    ComparisonDisplay,
    DecodedGridDisplay,
    DenoisingDisplay,
    LoadingsDisplay,
    LossCurveDisplay,
    MissingCellsDisplay,
    ReconstructionDisplay,
    ReconstructionErrorDisplay,
)
from sklearn_ae.plotting._display import STYLES, legible  # noqa: E402


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
    row = display.curves.iloc[2]
    assert (row["reducer"], row["n_components"]) == ("ours", 8)
    assert row["mean"] == pytest.approx(0.181)
    # t(0.975, 2) = 4.302653, standard deviation 0.001
    half = 4.30265273 * 0.001 * np.sqrt(1 / 3 + 20 / 80)
    assert row["high"] - row["mean"] == pytest.approx(half)
    assert row["mean"] - row["low"] == pytest.approx(half)


def test_what_is_drawn():
    display = ComparisonDisplay.from_results(results_of("PCA", "ours"))
    first = display.ax_
    assert display.plot() is display
    assert display.ax_ is not first  # drawn again
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
        display = ComparisonDisplay.from_results(results, metric=metric, ax=axes[1])
        assert display.ax_ is axes[1]
        assert display.figure_ is axes[0].figure
        assert axes[1].get_ylabel() == row.label
    with pytest.raises(ValueError, match="metric must be among"):
        ComparisonDisplay.from_results(results, metric="mse")


def test_a_single_fold_and_more_reducers_than_styles():
    names = [f"reducer {i}" for i in range(len(STYLES) + 1)]
    display = ComparisonDisplay.from_results(results_of(*names, folds=1))
    assert len(display.lines_) == len(names)
    display.figure_.canvas.draw()


def test_styles_differ_in_each_respect():
    for key in ("color", "linestyle", "marker"):
        assert len({style[key] for style in STYLES}) == len(STYLES)


def test_without_matplotlib(monkeypatch):
    display = ComparisonDisplay.from_results(results_of("PCA"))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install .*\[plot\]"):
        display.plot()


# -- the others --


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def pca(digits):
    return PCA(2).fit(digits[0])


@pytest.fixture(scope="module")
def autoencoder(digits):
    return AutoencoderTransformer(2, max_iter=8, random_state=0).fit(digits[0])


@pytest.fixture(scope="module")
def ordered(digits):
    estimator = AutoencoderTransformer(4, ordered=True, max_iter=6, random_state=0)
    return estimator.fit(digits[0][:1000])


@pytest.fixture
def spectra():
    place = np.random.default_rng(0).uniform(5, 25, (60, 1))
    return np.exp(-0.1 * (np.arange(30) - place) ** 2)


def round_trip(reducer, X):
    return reducer.inverse_transform(reducer.transform(X))


def pixels(images):
    return np.array(
        [[np.asarray(image.get_array()) for image in line] for line in images]
    )


def tick_labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_every_display_draws_on_given_axes_and_keeps_them(
    digits, pca, autoencoder, ordered
):
    from matplotlib import pyplot as plt

    X, y = digits
    calls = [
        lambda ax: ReconstructionDisplay.from_estimator(pca, X, ax=ax),
        lambda ax: ReconstructionDisplay.from_predictions(X, X, ax=ax),
        lambda ax: DenoisingDisplay.from_estimator(pca, X, X + 1, ax=ax),
        lambda ax: DenoisingDisplay.from_predictions(X, X, X, ax=ax),
        lambda ax: DecodedGridDisplay.from_estimator(pca, X, n_steps=3, ax=ax),
        lambda ax: DecodedGridDisplay.from_codes(pca, np.zeros((3, 2)), ax=ax),
        lambda ax: CodeDisplay.from_estimator(pca, X, y, ax=ax),
        lambda ax: CodeDisplay.from_predictions(X[:, 20:22], X[:, 22], ax=ax),
        lambda ax: LoadingsDisplay.from_estimator(pca, X, ax=ax),
        lambda ax: LossCurveDisplay.from_estimator(autoencoder, ax=ax),
        lambda ax: MissingCellsDisplay.from_data(X, ax=ax),
        lambda ax: MissingCellsDisplay.from_estimator(SimpleImputer(), X, ax=ax),
        lambda ax: CodeSizeDisplay.from_estimator(ordered, X, ax=ax),
        lambda ax: ReconstructionErrorDisplay.from_estimator(pca, X, ax=ax),
        lambda ax: ReconstructionErrorDisplay.from_predictions(X, X + 1, ax=ax),
    ]
    state = dict(matplotlib.rcParams)
    for call in calls:
        figure, axes = plt.subplots(1, 2, layout="constrained")
        display = call(axes[1])
        assert display.ax_ is axes[1]
        assert display.figure_ is figure
        assert not axes[0].has_data()
        assert plt.get_fignums() == [figure.number]  # and no other figure
        figure.canvas.draw()
        plt.close(figure)
        again = call(None)
        assert again.figure_ is not figure
        assert again.plot() is again
        again.figure_.canvas.draw()
        plt.close("all")
    assert dict(matplotlib.rcParams) == state


def test_reconstructions_as_images(digits, pca, autoencoder):
    X, _ = digits
    reducers = {"PCA": pca, "ours": autoencoder}
    display = ReconstructionDisplay.from_estimator(reducers, X, n_samples=4)
    assert display.image_shape == (8, 8)
    assert display.images_.shape == (3, 4)
    assert tick_labels(display.ax_.yaxis) == ["original", "PCA", "ours"]
    expected = [X[:4], *(round_trip(reducer, X[:4]) for reducer in reducers.values())]
    np.testing.assert_allclose(
        pixels(display.images_), np.reshape(expected, (3, 4, 8, 8))
    )
    assert {image.get_clim() for image in display.images_.flat} == {(0, 16)}
    same = ReconstructionDisplay.from_predictions(
        X, {"PCA": round_trip(pca, X)}, cmap="gray_r"
    )
    assert same.images_.shape == (2, 10)
    assert same.images_[0, 0].get_cmap().name == "gray_r"
    np.testing.assert_allclose(same.rows["PCA"][:4], display.rows["PCA"])


def test_names_and_kinds_of_reducers(digits, pca, autoencoder):
    import scipy.sparse

    X, _ = digits
    piped = make_pipeline(StandardScaler(), PCA(3)).fit(X)
    display = ReconstructionDisplay.from_estimator([pca, piped, autoencoder], X)
    assert list(display.rows) == ["original", "PCA", "PCA-2", "AutoencoderTransformer"]
    np.testing.assert_allclose(display.rows["PCA-2"], round_trip(piped, X[:10]))
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    named = PCA(2).fit(frame)
    display = ReconstructionDisplay.from_estimator(named, frame)
    np.testing.assert_allclose(display.rows["PCA"], round_trip(named, frame[:10]))
    sparse = scipy.sparse.csr_array(X)
    display = ReconstructionDisplay.from_estimator(TruncatedSVD(2).fit(sparse), sparse)
    np.testing.assert_array_equal(display.rows["original"], X[:10])


def test_reconstructions_as_curves(spectra):
    pca = PCA(2).fit(spectra)
    display = ReconstructionDisplay.from_estimator(pca, spectra)
    assert display.image_shape == (1, 30)
    assert legend_of(display.ax_) == ["original", "PCA"]
    drawn = display.lines_["PCA"].get_ydata().reshape(4, -1)
    np.testing.assert_allclose(drawn[:, :30], round_trip(pca, spectra[:4]))
    assert np.isnan(drawn[:, 30:]).all()
    places = [line.get_xdata() for line in display.lines_.values()]
    np.testing.assert_array_equal(*places)  # one over the other
    assert tick_labels(display.ax_.xaxis) == [f"row {i}" for i in range(4)]


@pytest.mark.parametrize("channels_first", [False, True])
def test_colours(channels_first):
    images = np.random.default_rng(0).random((5, 4, 6, 3))
    shape, rows = (4, 6, 3), images.reshape(5, -1)
    if channels_first:
        shape, rows = (3, 4, 6), np.moveaxis(images, -1, 1).reshape(5, -1)
    display = ReconstructionDisplay.from_predictions(rows, rows, image_shape=shape)
    np.testing.assert_allclose(pixels(display.images_)[0], images)
    display = ReconstructionDisplay.from_predictions(
        255 * rows, 510 * rows, image_shape=shape
    )
    np.testing.assert_allclose(
        pixels(display.images_), [images, np.minimum(2 * images, 1)]
    )


def test_shapes():
    rows = np.random.default_rng(0).random((30, 64))
    short = {"max_iter": 1, "filters": (2,), "hidden_layer_sizes": ()}
    for shape, expected in {
        (4, 16): (4, 16),
        (1, 64): (1, 64),
        (4, 4, 4): (4, 4, 4),
        None: (8, 8),
    }.items():
        model = ConvolutionalAutoencoder(2, image_shape=shape, **short).fit(rows)
        display = ReconstructionDisplay.from_estimator(make_pipeline(model), rows)
        assert display.image_shape == expected
    for columns, expected in {9: (1, 9), 16: (4, 4), 30: (1, 30)}.items():
        part = rows[:, :columns]
        display = ReconstructionDisplay.from_predictions(part, part)
        assert display.image_shape == expected
    for shape in [(8, 9), (64,), (2, 4, 8), (0, 64), (8.0, 8), "ab", 64]:
        with pytest.raises(ValueError, match=r"image_shape must be .* 64 columns"):
            ReconstructionDisplay.from_predictions(rows, rows, image_shape=shape)


def test_denoising(digits, pca, spectra):
    X, _ = digits
    noisy = X + np.random.default_rng(0).normal(scale=4, size=X.shape)
    display = DenoisingDisplay.from_estimator(pca, X, noisy, n_samples=3)
    assert tick_labels(display.ax_.yaxis) == ["clean", "noisy", "PCA"]
    expected = [X[:3], noisy[:3], round_trip(pca, noisy[:3])]
    np.testing.assert_allclose(
        pixels(display.images_), np.reshape(expected, (3, 3, 8, 8))
    )
    assert display.images_[1, 0].get_clim() == (0, 16)  # of the clean ones
    display = DenoisingDisplay.from_predictions(spectra, spectra + 1, spectra)
    assert legend_of(display.ax_) == ["clean", "noisy", "cleaned"]
    assert display.lines_["noisy"].get_linewidth() < 1


def test_a_grid_of_codes(digits, autoencoder):
    X, _ = digits
    display = DecodedGridDisplay.from_estimator(autoencoder, X, n_steps=5)
    codes = autoencoder.transform(X)
    first, second = np.quantile(codes, np.linspace(0.03, 0.97, 5), axis=0).T
    for i, j in [(0, 0), (4, 0), (1, 3)]:
        code = [[first[j], second[4 - i]]]  # the second unit grows upwards
        np.testing.assert_allclose(
            display.images_[i, j].get_array().ravel(),
            autoencoder.inverse_transform(code)[0],
        )
    assert display.images_[0, 0].get_clim() == (0, 16)
    assert display.ax_.get_xlabel() == "code[:, 0]"
    assert display.ax_.get_ylabel() == "code[:, 1]"
    shown = [float(text.replace("−", "-")) for text in tick_labels(display.ax_.yaxis)]
    np.testing.assert_allclose(shown, second[::-1], rtol=0.01)


def test_a_grid_over_chosen_units(digits):
    X, _ = digits
    pca = PCA(4).fit(X)
    display = DecodedGridDisplay.from_estimator(pca, X, components=(3, 1), n_steps=13)
    medians = np.median(pca.transform(X), axis=0)
    np.testing.assert_allclose(display.codes[..., [0, 2]] - medians[[0, 2]], 0)
    assert (np.diff(display.codes[0, :, 3]) > 0).all()
    assert (np.diff(display.codes[:, 0, 1]) < 0).all()
    assert display.ax_.get_xlabel() == "code[:, 3]"
    assert len(display.ax_.get_xticks()) == 7  # of 13 every other one
    display = DecodedGridDisplay.from_estimator(pca, X, components=2)
    assert display.images_.shape == (1, 10)
    assert len(display.ax_.get_yticks()) == 0


def test_a_path_of_codes(digits, pca, ordered):
    X, _ = digits
    path = np.linspace(*pca.transform(X[:2]), 6)
    display = DecodedGridDisplay.from_codes(pca, path)
    np.testing.assert_allclose(
        pixels(display.images_)[0], pca.inverse_transform(path).reshape(6, 8, 8)
    )
    assert len(display.ax_.get_xticks()) == 0
    display = DecodedGridDisplay.from_codes(pca, np.stack([path, path[::-1]]))
    np.testing.assert_array_equal(display.rows[0], display.rows[1][::-1])
    assert display.limits == (display.rows.min(), display.rows.max())
    display = DecodedGridDisplay.from_codes(ordered, path)  # two units of four
    assert display.rows.shape == (1, 6, 64)
    assert display.limits == (0, 16)  # of its training data


def test_a_grid_of_curves(spectra):
    pca = PCA(2).fit(spectra)
    display = DecodedGridDisplay.from_estimator(pca, spectra, n_steps=3)
    rows = display.rows
    for i, j in np.ndindex(3, 3):
        height = i + 1 - display.lines_[i, j].get_ydata()  # over the cell's floor
        assert height.min() > 0
        assert height.max() < 1
        assert np.corrcoef(height, rows[i, j])[0, 1] == pytest.approx(1)


def test_codes_by_class(digits, autoencoder):
    X, y = digits
    display = CodeDisplay.from_estimator(autoencoder, X, y)
    codes = autoencoder.transform(X)
    assert list(display.points_) == list(range(10))
    for digit, points in display.points_.items():
        np.testing.assert_allclose(points.get_offsets(), codes[y == digit])
    looks = {
        (points.get_facecolor().tobytes(), points.get_paths()[0].vertices.tobytes())
        for points in display.points_.values()
    }
    assert len({shape for _, shape in looks}) == 10  # told apart without colour
    assert legend_of(display.ax_) == [str(digit) for digit in range(10)]
    assert display.ax_.get_xlabel() == "code[:, 0]"
    words = pd.Series(np.where(y < 5, "low", "high"), name="half")
    display = CodeDisplay.from_estimator(autoencoder, X, words)
    assert legend_of(display.ax_) == ["high", "low"]
    assert display.ax_.get_legend().get_title().get_text() == "half"


def test_codes_by_value_and_without(digits, pca):
    X, _ = digits
    ink = pd.Series(X.sum(axis=1), name="ink")
    display = CodeDisplay.from_estimator(pca, X, ink)
    np.testing.assert_array_equal(display.points_[None].get_array(), ink)
    assert display.colorbar_.ax.get_ylabel() == "ink"
    assert display.ax_.get_legend() is None
    display = CodeDisplay.from_estimator(pca, X)
    np.testing.assert_allclose(display.points_[None].get_offsets(), pca.transform(X))
    assert not hasattr(display, "colorbar_")


def test_codes_as_text(digits, pca):
    X, y = digits
    display = CodeDisplay.from_estimator(pca, X, y, text=True, size=49)
    zero, one = (display.points_[digit] for digit in (0, 1))
    assert display.ax_.get_legend() is None
    # As large as they are in a font of 1.4 times 7 points, whatever their width.
    heights = [
        np.ptp(points.get_paths()[0].vertices[:, 1]) * points.get_sizes()[0] ** 0.5
        for points in (zero, one)
    ]
    np.testing.assert_allclose(heights, 0.73 * 9.8, rtol=0.1)
    labels = ["$5", "a_b^", "", "long label"] * 2
    display = CodeDisplay.from_predictions(X[:8, 20:22], labels, text=True)
    assert len(display.points_) == 4
    display.figure_.canvas.draw()
    with pytest.raises(ValueError, match="text=True draws labels"):
        CodeDisplay.from_estimator(pca, X, text=True)


def test_new_rows_over_those_of_the_fit(digits, pca):
    X, y = digits
    display = CodeDisplay.from_estimator(
        pca, X[:300], y[:300], X_train=X[300:], names="median"
    )
    np.testing.assert_allclose(display.beneath_.get_offsets(), pca.transform(X[300:]))
    codes = pca.transform(X[:300])
    for label, name in display.names_.items():
        assert name.get_text() == str(label)
        expected = np.median(codes[y[:300] == label], axis=0)
        np.testing.assert_allclose(name.get_position(), expected)
    assert list(display.names_) == list(range(10))
    assert display.ax_.get_legend() is None
    beneath, first = display.beneath_.get_zorder(), display.points_[0].get_zorder()
    drawn = display.ax_.get_children()
    assert beneath <= first
    assert drawn.index(display.beneath_) < drawn.index(display.points_[0])
    display.figure_.canvas.draw()
    again = display.plot()
    assert len(legend_of(again.ax_)) == 10
    three = PCA(3).fit(X)
    display = CodeDisplay.from_estimator(
        three, X[:300], y[:300], X_train=X[300:], names="median"
    )
    display.figure_.canvas.draw()
    with pytest.raises(ValueError, match="names must be 'legend' or 'median'"):
        CodeDisplay.from_estimator(pca, X, y, names="none")
    with pytest.raises(ValueError, match="codes_train must have the 2 units"):
        CodeDisplay.from_predictions(codes, codes_train=codes[:, :1])


def test_codes_of_three_units(digits):
    X, y = digits
    pca = PCA(4).fit(X)
    display = CodeDisplay.from_estimator(pca, X, y, components=(0, 3, 1))
    assert display.ax_.name == "3d"
    assert display.ax_.get_zlabel() == "code[:, 1]"
    np.testing.assert_allclose(
        np.transpose(display.points_[4]._offsets3d),
        pca.transform(X)[y == 4][:, [0, 3, 1]],
    )
    with pytest.raises(ValueError, match="ax must have 2 dimensions"):
        CodeDisplay.from_estimator(pca, X, components=(0, 1), ax=display.ax_)
    with pytest.raises(
        ValueError, match=r"of 2 or 3 units. Got 4: choose some.*components=\(0, 1\)"
    ):
        CodeDisplay.from_estimator(pca, X)
    with pytest.raises(ValueError, match=r"of 2 or 3 units. Got 1\."):
        CodeDisplay.from_estimator(PCA(1).fit(X), X)
    for components in [(0, 4), (0, 0), (0,), (-1, 0), (0.0, 1), 1, "a"]:
        with pytest.raises(ValueError, match="components must be 2 or 3 different"):
            CodeDisplay.from_estimator(pca, X, components=components)


def test_loss_curves(digits, autoencoder):
    X, _ = digits
    display = LossCurveDisplay.from_estimator(autoencoder, X)
    lines = display.lines_
    np.testing.assert_array_equal(lines["training"].get_xdata(), np.arange(1, 9))
    np.testing.assert_array_equal(
        lines["training"].get_ydata(), autoencoder.loss_curve_
    )
    np.testing.assert_array_equal(
        lines["validation"].get_ydata(), autoencoder.validation_loss_curve_
    )
    best = autoencoder.best_iter_
    assert lines["kept"].get_xydata().tolist() == [[best, autoencoder.best_loss_]]
    # What PCA leaves, by its own account.
    left = PCA().fit(X).explained_variance_[2:].sum() * (len(X) - 1) / X.size
    np.testing.assert_allclose(lines["PCA"].get_ydata(), left)
    assert legend_of(display.ax_) == [
        *("training", "validation", f"kept: epoch {best}", "PCA of the same code size")
    ]
    assert display.ax_.get_ylabel() == "mean squared error per cell"
    assert "PCA" not in LossCurveDisplay.from_estimator(autoencoder).lines_


def test_loss_curves_of_pipelines_searches_and_none(digits):
    X = digits[0][:200]
    short = AutoencoderTransformer(2, max_iter=2, random_state=0)
    piped = make_pipeline(StandardScaler(), short).fit(X)
    display = LossCurveDisplay.from_estimator(piped, X)
    assert display.loss_curve == piped[-1].loss_curve_
    scaled = piped[0].transform(X)
    error = np.square(scaled - round_trip(PCA(2).fit(scaled), scaled)).mean()
    assert display.pca_error == pytest.approx(error)
    search = GridSearchCV(short, {"n_components": [2]}, cv=2).fit(X)
    display = LossCurveDisplay.from_estimator(search)
    assert display.loss_curve == search.best_estimator_.loss_curve_
    display = LossCurveDisplay.from_estimator(
        clone(short).set_params(max_iter=0).fit(X)
    )
    assert legend_of(display.ax_) == ["kept: the start"]
    grown = clone(short).partial_fit(X).partial_fit(X)
    assert len(LossCurveDisplay.from_estimator(grown).loss_curve) == 2
    unjudged = clone(short).set_params(early_stopping=False).fit(X)
    assert "validation" not in LossCurveDisplay.from_estimator(unjudged).lines_


def test_loss_curves_with_units_and_scales():
    display = LossCurveDisplay([100.0, 1.0], [90.0, 2.0], label="nats").plot()
    assert display.ax_.get_yscale() == "log"
    assert display.ax_.get_ylabel() == "nats"
    display = LossCurveDisplay([100.0, -1.0]).plot()
    assert display.ax_.get_yscale() == "linear"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (AutoencoderTransformer(loss="absolute_error"), "loss='absolute_error'"),
        (AutoencoderTransformer(noise="masking"), "noise='masking'"),
        (AutoencoderTransformer(penalty="l1"), "penalty='l1'"),
        (AutoencoderTransformer(ordered=True), "an ordered code"),
        (VariationalAutoencoder(), "a prior"),
        (AdversarialAutoencoder(), "a prior"),
    ],
)
def test_losses_that_pca_has_not(digits, model, reason):
    X = digits[0][:100]
    model = clone(model).set_params(max_iter=1, random_state=0).fit(X)
    assert LossCurveDisplay.from_estimator(model).ax_.get_ylabel()
    with pytest.raises(ValueError, match=f"with {reason}: leave X out"):
        LossCurveDisplay.from_estimator(model, X)


def shares(display, reducer):
    curve = display.curves.set_index("reducer").loc[reducer]
    _, drawn = display.lines_[reducer].lines[0].get_data(orig=False)
    np.testing.assert_allclose(drawn, curve["mean"])
    return curve["mean"].to_numpy()


def test_code_sizes_of_an_ordered_code(digits, ordered):
    X, X_test = digits[0][:1000], digits[0][1000:]
    display = CodeSizeDisplay.from_estimator(ordered, X)
    ratios = PCA(4).fit(X).explained_variance_ratio_
    np.testing.assert_allclose(shares(display, "PCA"), np.cumsum(ratios))
    np.testing.assert_allclose(
        shares(display, "AutoencoderTransformer"), ordered.code_size_curve_
    )
    assert display.chosen is None
    display = CodeSizeDisplay.from_estimator(ordered, X, X_test=X_test)
    left = [
        np.square(X_test - round_trip(PCA(k).fit(X), X_test)).sum()
        for k in (1, 2, 3, 4)
    ]
    total = np.square(X_test - X.mean(axis=0)).sum()
    np.testing.assert_allclose(shares(display, "PCA"), 1 - np.array(left) / total)
    np.testing.assert_allclose(
        shares(display, "AutoencoderTransformer")[1],
        ordered.score(X_test, n_components=2),
    )
    most = AutoencoderTransformer(0.3, max_iter=2, random_state=0).fit(X)
    display = CodeSizeDisplay.from_estimator(most, X)
    assert display.chosen_line_.get_xdata()[0] == most.n_components_
    assert f"chosen: {most.n_components_}" in legend_of(display.ax_)


def test_code_sizes_of_a_search(digits):
    X, y = digits[0][:300], digits[1][:300]
    search = AutoencoderTransformerCV(
        [4, 2],
        estimator=AutoencoderTransformer(max_iter=2, random_state=0),
        cv=3,
        refit=False,
    ).fit(X)
    display = CodeSizeDisplay.from_estimator(search, X)
    ours = display.curves.set_index(["reducer", "n_components"])
    found = search.cv_results_
    folds = np.array([found[f"split{i}_test_score"][0] for i in range(3)])
    mean, low, high = ours.loc["AutoencoderTransformerCV", 4]
    assert mean == pytest.approx(folds.mean())
    half = 4.30265273 * folds.std(ddof=1) * np.sqrt(1 / 3 + 100 / 200)
    np.testing.assert_allclose([low, high], [mean - half, mean + half])
    of_pca = []
    for train, test in KFold(3).split(X):
        left = X[test] - round_trip(PCA(2).fit(X[train]), X[test])
        total = X[test] - X[train].mean(axis=0)
        of_pca.append(1 - np.square(left).sum() / np.square(total).sum())
    assert ours.loc[("PCA", 2), "mean"] == pytest.approx(np.mean(of_pca))
    assert display.chosen == search.n_components_
    with pytest.raises(ValueError, match="X_test is for a model with an ordered code"):
        CodeSizeDisplay.from_estimator(search, X, X_test=X)
    short = clone(search).set_params(scoring=neg_reconstruction_mse_scorer).fit(X)
    assert CodeSizeDisplay.from_estimator(short, X).label == (
        "neg_reconstruction_mse_scorer"
    )
    search.set_params(predictor=GaussianNB()).fit(X, y)
    display = CodeSizeDisplay.from_estimator(search, X, y)
    of_pca = cross_val_score(make_pipeline(PCA(2), GaussianNB()), X, y, cv=3)
    ours = display.curves.set_index(["reducer", "n_components"])
    assert ours.loc[("PCA", 2), "mean"] == pytest.approx(of_pca.mean())
    assert display.ax_.get_ylabel() == "accuracy of the model on the code"
    with pytest.raises(ValueError, match="y must be the target of predictor"):
        CodeSizeDisplay.from_estimator(search, X)


def test_errors_of_rows(digits, pca, autoencoder):
    X, y = digits
    display = ReconstructionErrorDisplay.from_estimator(autoencoder, X)
    np.testing.assert_allclose(display.errors, -autoencoder.score_samples(X))
    names = np.where(y == 1, "anomaly", "normal")
    display = ReconstructionErrorDisplay.from_estimator(pca, X, names, threshold=900)
    errors = np.square(X - round_trip(pca, X)).sum(axis=1)
    np.testing.assert_allclose(display.errors, errors)
    for name, stairs in display.stairs_.items():
        values, edges, _ = stairs.get_data()
        part = errors[names == name]
        np.testing.assert_allclose(values, np.histogram(part, edges)[0] / len(part))
        assert values.sum() == pytest.approx(1)
        above = np.mean(part > 900)
        assert f"{name} ({len(part)}), {above:.0%} above".replace(
            "1615", "1,615"
        ) in legend_of(display.ax_)
    display = ReconstructionErrorDisplay.from_estimator(pca, X, quantile=0.9)
    assert display.threshold_line_.get_xdata()[0] == np.quantile(errors, 0.9)
    assert legend_of(display.ax_)[0] == "rows (1,797), 10% above"


def test_errors_on_either_axis():
    errors = np.geomspace(0.01, 100, 500)
    display = ReconstructionErrorDisplay(errors).plot(bins=10)
    assert display.ax_.get_xscale() == "log"
    values, edges, _ = display.stairs_[None].get_data()
    np.testing.assert_allclose(values, 0.1)
    np.testing.assert_allclose(edges[1:] / edges[:-1], 10**0.4)
    for some in (np.append(errors, 0), np.zeros(3)):  # 0 has no logarithm
        display = ReconstructionErrorDisplay(some).plot()
        assert display.ax_.get_xscale() == "linear"
        assert display.stairs_[None].get_data().values.sum() == pytest.approx(1)


def test_wrong_input(digits, pca, autoencoder):
    X, y = digits
    for display, arguments in [
        (ReconstructionDisplay, (X,)),
        (DenoisingDisplay, (X, X)),
        (DecodedGridDisplay, (X,)),
        (CodeDisplay, (X,)),
        (LoadingsDisplay, (X,)),
        (LossCurveDisplay, (X,)),
        (CodeSizeDisplay, (X,)),
        (ReconstructionErrorDisplay, (X,)),
    ]:
        with pytest.raises(NotFittedError):
            display.from_estimator(AutoencoderTransformer(), *arguments)
    with pytest.raises(NotFittedError):
        DecodedGridDisplay.from_codes(PCA(2), np.zeros((3, 2)))
    for call in [
        lambda: ReconstructionDisplay.from_estimator(pca, X[:, :9]),
        lambda: CodeDisplay.from_estimator(autoencoder, X[:, :9]),
        lambda: ReconstructionErrorDisplay.from_estimator(pca, X[:, :9]),
    ]:
        with pytest.raises(ValueError, match="9 features"):
            call()
    for call in [CodeDisplay, ReconstructionErrorDisplay]:
        with pytest.raises(ValueError, match="value for each of the 1797 rows"):
            call.from_estimator(pca, X, y[:9])
    with pytest.raises(ValueError, match="at most 7 groups"):
        ReconstructionErrorDisplay.from_estimator(pca, X, y)
    with pytest.raises(ValueError, match="threshold or quantile, not both"):
        ReconstructionErrorDisplay.from_estimator(pca, X, threshold=1, quantile=0.5)
    with pytest.raises(ValueError, match="quantile == 2"):
        ReconstructionErrorDisplay.from_estimator(pca, X, quantile=2)
    with pytest.raises(ValueError, match="one shape"):
        ReconstructionDisplay.from_predictions(X, X[:, :9])
    with pytest.raises(ValueError, match="n_samples == 0"):
        ReconstructionDisplay.from_estimator(pca, X, n_samples=0)
    with pytest.raises(ValueError, match="at least one fitted estimator"):
        ReconstructionDisplay.from_estimator([], X)
    with pytest.raises(TypeError, match="KMeans has no inverse_transform"):
        ReconstructionDisplay.from_estimator(KMeans(2).fit(X), X)
    with pytest.raises(TypeError, match="DBSCAN"):
        CodeDisplay.from_estimator(DBSCAN(), X)
    for codes in (np.zeros((3, 5)), np.zeros((3, 1))):
        with pytest.raises(ValueError, match="codes must have the 2 units"):
            DecodedGridDisplay.from_codes(pca, codes)
    with pytest.raises(ValueError, match="codes must have the shape"):
        DecodedGridDisplay.from_codes(pca, np.zeros(2))
    with pytest.raises(ValueError, match="components must be 1 or 2 different units"):
        DecodedGridDisplay.from_estimator(pca, X, components=(0, 2))
    for call in (LossCurveDisplay, CodeSizeDisplay):
        with pytest.raises(ValueError, match="training rows, of 64 columns"):
            call.from_estimator(autoencoder, X[:, :9])
    with pytest.raises(TypeError, match="PCA, which has no loss curve"):
        LossCurveDisplay.from_estimator(pca)
    with pytest.raises(TypeError, match="which knows one code size"):
        CodeSizeDisplay.from_estimator(autoencoder, X)


def test_missing_cells_by_hand():
    X = np.random.default_rng(0).normal(size=(40, 3)) * [1, 10, 100]
    X[::4, 1] = np.nan
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    pattern = MissingCellsDisplay.from_data(frame)
    np.testing.assert_array_equal(pattern.image_.get_array(), np.isnan(X))
    assert tick_labels(pattern.ax_.xaxis) == ["a (0%)", "b (25%)", "c (0%)"]
    display = MissingCellsDisplay.from_estimator(
        SimpleImputer(), frame, share=0.5, random_state=3
    )
    hidden = np.random.RandomState(3).random_sample(X.shape) < 0.5
    hidden &= ~np.isnan(X)
    means = np.nanmean(np.where(hidden, np.nan, X), axis=0)
    standard = np.stack([X, np.broadcast_to(means, X.shape)]) - np.nanmean(X, axis=0)
    expected = (standard / np.nanstd(X, axis=0))[:, hidden]
    np.testing.assert_allclose([display.observed, display.filled], expected)
    np.testing.assert_allclose(display.points_.get_offsets(), expected.T)
    with pytest.raises(ValueError, match="No observed cell was hidden"):
        MissingCellsDisplay.from_estimator(SimpleImputer(), X, share=0)
    with pytest.raises(ValueError, match=r"keep the 3 columns of X\. Got 6"):
        MissingCellsDisplay.from_estimator(SimpleImputer(add_indicator=True), X)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("age", "age"),
        (7, "7"),
        ("a" * 28, "a" * 28),
        ("a" * 29, "a" * 27 + "…"),
        ("two\nlines\tand more", "two lines and more"),
        ("🎉 party", "(party popper) party"),
        ("wave 👋🏽", "wave (waving hand sign)"),
        ("Größe in µm", "Größe in µm"),
        ("温度", "温度"),
        ("$cost$ in $", r"\$cost\$ in \$"),
        ("_hidden", " _hidden"),
        ("", ""),
    ],
)
def test_names_are_legible(name, shown):
    assert legible(name) == shown


def test_long_names_leave_room_for_the_codes():
    rng = np.random.default_rng(0)
    y = pd.Series(["🎉" + "very " * 40, "_no $"] * 20, name="a name " * 30)
    display = CodeDisplay(rng.normal(size=(40, 2)), y.to_numpy(), y_name=y.name).plot()
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend()
    assert len(legend.get_texts()) == 2
    box = display.ax_.get_position()
    assert box.width > 0.35
    assert max(len(text.get_text()) for text in legend.get_texts()) <= 29
    assert len(legend.get_title().get_text()) <= 28
