"""What PCA's users write, and what they read off a fit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA

from sklearn_ae import (
    AutoencoderTransformer,
    ConvolutionalAutoencoder,
    VariationalAutoencoder,
    load,
    save,
)

IRIS, DIGITS = load_iris().data, load_digits().data[:300]
TRAINED = {"early_stopping": False, "max_iter": 5, "random_state": 0}


@pytest.mark.parametrize("shape", [(20, 6), (6, 20)])
def test_none_is_as_many_as_pca_has(shape):
    X = np.random.default_rng(0).normal(size=shape)
    model = AutoencoderTransformer(None, max_iter=1).fit(X)
    assert model.n_components_ == PCA().fit(X).n_components_
    assert_allclose(model.reconstruct(X), X, atol=1e-5)
    assert model.set_params(warm_start=True).fit(X).n_components_ == min(shape)


def test_none_is_the_feature_map_of_a_convolutional_one():
    model = ConvolutionalAutoencoder(None, filters=(4,), max_iter=1).fit(DIGITS)
    assert model.n_components_ == 4 * 4 * 4


def test_an_int_is_one_hidden_layer():
    one = AutoencoderTransformer(hidden_layer_sizes=16, **TRAINED).fit(IRIS)
    other = AutoencoderTransformer(hidden_layer_sizes=(16,), **TRAINED).fit(IRIS)
    assert_array_equal(one.transform(IRIS), other.transform(IRIS))
    model = ConvolutionalAutoencoder(filters=(4,), hidden_layer_sizes=8, max_iter=1)
    assert model.fit(DIGITS).n_components_ == 2
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        AutoencoderTransformer(hidden_layer_sizes=0).fit(IRIS)


def test_infinite_patience_is_none(tmp_path):
    fits = [
        AutoencoderTransformer(2, max_iter=30, n_iter_no_change=n, random_state=0)
        for n in (np.inf, None)
    ]
    one, other = (model.fit(DIGITS) for model in fits)
    assert one.n_iter_ == 30
    assert one.validation_loss_curve_ == other.validation_loss_curve_
    save(one, tmp_path / "model")
    assert load(tmp_path / "model").n_iter_no_change == np.inf
    with pytest.raises(ValueError, match="n_iter_no_change"):
        AutoencoderTransformer(n_iter_no_change=-np.inf).fit(IRIS)


def test_rows_are_counted(tmp_path):
    model = AutoencoderTransformer(2, **TRAINED).fit(IRIS)
    assert model.n_samples_ == PCA(2).fit(IRIS).n_samples_ == 150
    save(model, tmp_path / "model")
    assert load(tmp_path / "model").n_samples_ == 150
    assert model.partial_fit(IRIS[:50]).n_samples_ == 200
    assert model.fit(IRIS[:40]).n_samples_ == 40
    with pytest.raises(AttributeError, match="before fit"):
        _ = AutoencoderTransformer().n_samples_


@pytest.mark.parametrize("k", [1, 3, 30])
def test_shares_of_units_are_those_of_pca(k):
    model = AutoencoderTransformer(k, max_iter=0, out_activation="identity").fit(DIGITS)
    ratios = PCA(k).fit(DIGITS).explained_variance_ratio_
    assert_allclose(model.explained_variance_ratio_, ratios, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        AutoencoderTransformer(3, **TRAINED),
        AutoencoderTransformer(3, out_activation="logistic", **TRAINED),
        VariationalAutoencoder(3, **TRAINED),
    ],
)
def test_shares_of_units_add_up_to_the_score(model):
    X = DIGITS / 16
    shares = model.fit(X).explained_variance_ratio_
    assert_allclose(shares.sum(), model.score(X), rtol=1e-4)
    spread = model.transform(X).var(axis=0)
    assert_allclose(shares / shares.sum(), spread / spread.sum(), rtol=1e-4)


def test_shares_of_constant_rows():
    model = AutoencoderTransformer(2, max_iter=1).fit(np.ones((10, 3)))
    assert_allclose(model.explained_variance_ratio_, [0.5, 0.5])


def test_a_part_of_a_code_needs_order():
    model = AutoencoderTransformer(3, max_iter=0).fit(IRIS)
    with pytest.raises(ValueError, match="ordered=True"):
        model.inverse_transform(model.transform(IRIS)[:, :2])
    with pytest.raises(ValueError, match="ordered=True"):
        model.reconstruct(IRIS, n_components=2)


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "score"])
def test_images_are_told_what_to_do(method):
    model = AutoencoderTransformer(3, max_iter=0).fit(DIGITS)
    with pytest.raises(ValueError, match=r"reshape\(len\(X\), -1\).*image_shape"):
        getattr(model, method)(DIGITS.reshape(-1, 8, 8))
