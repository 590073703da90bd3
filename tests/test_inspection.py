import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.cluster import DBSCAN
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import NMF, PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import (
    AutoencoderTransformer,
    ConvolutionalAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae.inspection import integrated_gradients, loadings, permutation_shares
from sklearn_ae.plotting import LoadingsDisplay


@pytest.fixture(scope="module")
def digits():
    return load_digits().data


@pytest.fixture(scope="module")
def autoencoder(digits):
    return AutoencoderTransformer(3, max_iter=8, random_state=0).fit(digits)


@pytest.fixture(scope="module")
def start(digits):
    return AutoencoderTransformer(
        3, max_iter=0, out_activation="identity", random_state=0
    ).fit(digits)


def test_loadings_of_a_start_are_those_of_pca(digits, start):
    assert start.best_iter_ == 0
    components = PCA(3, random_state=0).fit(digits).components_
    found = loadings(start, digits[:200])
    np.testing.assert_allclose(found.encoder, components, atol=1e-6)
    np.testing.assert_allclose(found.decoder, components, atol=1e-6)
    assert found.encoder_spread.max() < 1e-6
    assert found.decoder_spread.max() < 1e-6


def test_loadings_of_any_reducer(digits):
    pca = PCA(3).fit(digits)
    found = loadings(pca, digits)
    np.testing.assert_allclose(found.encoder, pca.components_, atol=1e-9)
    np.testing.assert_allclose(found.decoder, pca.components_, atol=1e-9)
    np.testing.assert_allclose(found.code_std**2 * 1797 / 1796, pca.explained_variance_)
    # Of three equal numbers the deviation is a rounding error, no size of a step.
    X = np.c_[digits[:3, 20:24], [0.2, 0.2, 0.2]]
    assert 0 < X[:, 4].std() < 1e-15
    found = loadings(PCA(2).fit(np.c_[digits[:, 20:24], digits[:, 30]]), X)
    assert np.abs(found.encoder).max() <= 1 + 1e-9
    nmf = NMF(2, max_iter=500, random_state=0).fit(load_wine().data)
    found = loadings(nmf, load_wine().data[:20])
    np.testing.assert_allclose(found.decoder, nmf.components_, rtol=1e-6)


def test_loadings_are_in_the_units_of_a_pipelines_input():
    X = load_wine(as_frame=True).data
    pipeline = make_pipeline(StandardScaler(), PCA(2)).fit(X)
    found = loadings(pipeline, X)
    scale, components = pipeline[0].scale_, pipeline[1].components_
    np.testing.assert_allclose(found.encoder, components / scale, rtol=1e-6)
    np.testing.assert_allclose(found.decoder, components * scale, rtol=1e-6)
    np.testing.assert_allclose(found.encoder * found.column_std, components, rtol=1e-6)


@pytest.mark.parametrize(
    "estimator",
    [
        AutoencoderTransformer(3, activation="silu", max_iter=3, random_state=0),
        AutoencoderTransformer(
            3,
            loss="binary_cross_entropy",
            activation="silu",
            max_iter=3,
            random_state=0,
        ),
        AutoencoderTransformer(
            3, ordered=True, activation="tanh", max_iter=3, random_state=0
        ),
        VariationalAutoencoder(3, activation="silu", max_iter=3, random_state=0),
        ConvolutionalAutoencoder(
            3, image_shape=(8, 8), activation="silu", max_iter=2, random_state=0
        ),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_gradients_are_limits_of_differences(digits, estimator):
    X = digits[:300] / 16
    estimator.fit(X)
    gradients = estimator.code_gradients(X[:5])
    assert gradients.shape == (5, 3, 64)
    for column in (20, 43):
        aside = np.zeros(64)
        aside[column] = 1e-4
        there, back = (
            estimator.transform(X[:5] + aside),
            estimator.transform(X[:5] - aside),
        )
        np.testing.assert_allclose(
            gradients[:, :, column], (there - back) / 2e-4, rtol=1e-4, atol=1e-6
        )
    with torch.inference_mode():
        again = estimator.code_gradients(X[:5].astype(np.float32))
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, gradients, atol=1e-3)


def test_means_and_spreads_over_parts(digits, autoencoder, monkeypatch):
    whole = loadings(autoencoder, digits[:100])
    gradients = autoencoder.code_gradients(digits[:100])
    np.testing.assert_allclose(whole.encoder, gradients.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(whole.encoder_spread, gradients.std(axis=0), atol=1e-12)
    assert whole.encoder_spread.max() > 0.01
    monkeypatch.setattr("sklearn_ae.inspection.CELLS", 3 * 64 * 17)
    parts = loadings(autoencoder, digits[:100])
    for name, value in vars(whole).items():
        np.testing.assert_allclose(getattr(parts, name), value, atol=1e-9)


def test_permutation_shares_of_pca():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 4)) @ rng.normal(size=(4, 4))
    X = np.c_[X, np.full(4000, 2.0)]
    pca = PCA(2).fit(X)
    shares = permutation_shares(pca, X, n_repeats=20, random_state=0)
    # With δ what shuffling changes column i by, the reconstruction of j changes by
    # P_ij δ, its squared error by P_ij² δ² − 2 P_ij δ r_j; δ has twice the variance of
    # i, and its covariance with r_j is minus that of x_i with r_j.
    P, residuals = (
        pca.components_.T @ pca.components_,
        X - pca.inverse_transform(pca.transform(X)),
    )
    variances = X.var(axis=0)
    cross = (X - X.mean(axis=0)).T @ residuals / len(X)
    expected = 2 * P**2 * variances[:, None] + 2 * P * cross
    expected[:, :4] /= variances[:4]
    np.testing.assert_allclose(shares[:, :4], expected[:, :4], atol=0.03)
    assert shares[:4, :4].max() > 0.3
    np.testing.assert_array_equal(shares[:, 4], 0)  # it has no variance
    np.testing.assert_array_equal(shares[4], 0)  # nor a shuffled one
    frame = pd.DataFrame(X, columns=list("abcde"))
    pca = PCA(2).fit(frame)
    again = permutation_shares(pca, frame, n_repeats=20, random_state=0)
    np.testing.assert_allclose(again, shares, atol=1e-9)


def test_integrated_gradients_add_up(digits, autoencoder, start):
    X = digits[:4]
    codes, mean = autoencoder.transform(X), autoencoder.transform([digits.mean(axis=0)])
    parts = integrated_gradients(autoencoder, X, n_steps=300)
    np.testing.assert_allclose(parts.sum(axis=2), codes - mean, atol=0.05)
    assert np.abs(codes - mean).max() > 10
    from_first = integrated_gradients(autoencoder, X, baseline=X[0], n_steps=300)
    np.testing.assert_allclose(from_first.sum(axis=2), codes - codes[0], atol=0.05)
    # Of a linear code: weight times way.
    parts = integrated_gradients(start, X, n_steps=1)
    way = X - digits.mean(axis=0)
    components = PCA(3, random_state=0).fit(digits).components_
    np.testing.assert_allclose(parts, way[:, None] * components, atol=1e-4)


def test_what_cannot_be_inspected(digits):
    pipeline = make_pipeline(StandardScaler(), PCA(2)).fit(digits)
    with pytest.raises(ValueError, match="baseline must be given: Pipeline has no"):
        integrated_gradients(pipeline, digits[:2])
    with pytest.raises(
        ValueError, match=r"each of the 64 columns of X. Got shape \(3,"
    ):
        integrated_gradients(pipeline, digits[:2], baseline=np.zeros(3))
    with pytest.raises(TypeError, match="must have transform"):
        integrated_gradients(DBSCAN(), digits)
    with pytest.raises(TypeError, match="DBSCAN has no transform"):
        loadings(DBSCAN(), digits)
    for function in (loadings, permutation_shares):
        with pytest.raises(ValueError, match="minimum of 2 is required"):
            function(pipeline, digits[:1])
    with pytest.raises(ValueError, match="n_repeats == 0"):
        permutation_shares(pipeline, digits, n_repeats=0)
    with pytest.raises(ValueError, match="n_steps == 0"):
        integrated_gradients(pipeline, digits, n_steps=0)


# -- drawn --


@pytest.fixture(autouse=True)
def _no_window():
    from matplotlib import pyplot as plt

    matplotlib.use("agg")
    yield
    plt.close("all")


def test_bars_are_scaled_means_in_order():
    X = load_wine(as_frame=True).data
    pca = PCA(4).fit(X)
    display = LoadingsDisplay.from_estimator(pca, X, max_columns=5)
    assert list(display.bars_) == [0, 1, 2]
    scaled = pca.components_[:3] * X.to_numpy().std(axis=0)
    order = np.argsort(-np.abs(scaled).max(axis=0))[:5]
    np.testing.assert_array_equal(display.columns_, order)
    for unit, bars in display.bars_.items():
        widths = [bar.get_width() for bar in bars]
        np.testing.assert_allclose(widths, scaled[unit, order], rtol=1e-6)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == list(X.columns[order])
    display = LoadingsDisplay.from_estimator(
        pca, X, kind="decoder", components=[2, 0], scaled=False
    )
    np.testing.assert_allclose(display.values, pca.components_[[2, 0]], atol=1e-9)
    display = LoadingsDisplay.from_estimator(pca, X, kind="decoder", components=1)
    deviation = pca.transform(X)[:, 1].std()
    np.testing.assert_allclose(display.values, pca.components_[[1]] * deviation)
    display.figure_.canvas.draw()


def test_images_and_curves(digits):
    pca = PCA(3).fit(digits)
    display = LoadingsDisplay.from_estimator(
        pca, digits, image_shape=(8, 8), scaled=False
    )
    for k, image in enumerate(display.images_[0]):
        drawn = np.asarray(image.get_array())
        np.testing.assert_allclose(drawn, pca.components_[k].reshape(8, 8), atol=1e-9)
        assert image.get_clim()[0] == -image.get_clim()[1]
    display.figure_.canvas.draw()
    colours = LoadingsDisplay.from_estimator(
        pca, digits, image_shape=(4, 4, 4), scaled=False, components=[1]
    )
    grey = pca.components_[1].reshape(4, 4, 4).mean(axis=2)
    drawn = np.asarray(colours.images_[0, 0].get_array())
    np.testing.assert_allclose(drawn, grey, atol=1e-9)
    curves = LoadingsDisplay.from_estimator(pca, digits, image_shape=(1, 64))
    assert curves.lines_.shape == (1, 3)
    curves.figure_.canvas.draw()
    with pytest.raises(ValueError, match="kind must be 'encoder' or 'decoder'"):
        LoadingsDisplay.from_estimator(pca, digits, kind="both")
    with pytest.raises(ValueError, match="image_shape must be"):
        LoadingsDisplay.from_estimator(pca, digits, image_shape=(7, 7))


def test_images_of_who_knows_their_shape(digits):
    estimator = ConvolutionalAutoencoder(
        2, image_shape=(8, 8), max_iter=1, random_state=0
    ).fit(digits[:200])
    display = LoadingsDisplay.from_estimator(estimator, digits[:50])
    assert display.images_.shape == (1, 2)
