"""Weights of rows: what they weigh, and that a weight of two is the row twice."""

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_ae._engine.weights as weights_room
from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)

TRAINED = {"early_stopping": False, "max_iter": 5, "random_state": 0}


@pytest.fixture
def X():
    """Rows on a curved sheet, which PCA of one component misses."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, (120, 1))
    curved = np.hstack([t, t**2, np.sin(2 * t), np.cos(t)])
    return curved + 0.05 * rng.normal(size=curved.shape)


@pytest.fixture
def weights():
    """Whole weights from zero to four."""
    return np.random.default_rng(1).integers(0, 5, 120)


def svd_start(X, weights, n_components):
    """Reconstruct rows by PCA of rows with weights, by another way."""
    mean = weights @ X / weights.sum()
    covariance = np.cov(X.T, aweights=weights, bias=True)
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :n_components]
    return mean + (X - mean) @ axes @ axes.T


MODELS = [
    AutoencoderTransformer(1, random_state=0),
    AutoencoderTransformer(1, **TRAINED),
    AutoencoderTransformer(2, ordered=True, **TRAINED),
    AutoencoderTransformer(1, penalty="l1", **TRAINED),
    AutoencoderTransformer(1, init="random", **TRAINED),
    AutoencoderTransformer(1, loss="absolute_error", **TRAINED),
    AutoencoderTransformer(1, noise="masking", max_iter=20, random_state=0),
    AutoencoderTransformer(0.9, **TRAINED),
    DenoisingAutoencoder(1, **TRAINED),
    ConvolutionalAutoencoder(1, image_shape=(2, 2), filters=(4,), **TRAINED),
    VariationalAutoencoder(1, **TRAINED),
    AdversarialAutoencoder(1, **TRAINED),
]


@pytest.mark.parametrize("model", MODELS)
def test_a_weight_of_two_is_the_row_twice(model, X, weights):
    by_weight = model.fit(X, sample_weight=weights)
    codes, error = by_weight.transform(X), by_weight.reconstruction_error_
    assert by_weight.n_iter_ > 0
    repeated = model.fit(X.repeat(weights, axis=0), sample_weight=None)
    np.testing.assert_allclose(repeated.transform(X), codes, rtol=1e-5, atol=1e-6)
    assert repeated.reconstruction_error_ == pytest.approx(error, rel=1e-5)
    alike = model.fit(X, sample_weight=None).transform(X)
    assert np.abs(alike - codes).max() > 1e-3  # the weights have a say


@pytest.mark.parametrize("model", MODELS)
def test_a_row_of_weight_zero_is_left_out(model, X, weights):
    kept = weights > 0
    spoiled = np.where(kept[:, None], X, 1e6)
    codes = model.fit(spoiled, sample_weight=weights).transform(X)
    without = model.fit(X[kept], sample_weight=weights[kept]).transform(X)
    np.testing.assert_array_equal(without, codes)


def test_only_ratios_of_weights_count(X, weights):
    model = AutoencoderTransformer(1, **TRAINED)
    codes = model.fit(X, sample_weight=weights).transform(X)
    np.testing.assert_array_equal(
        model.fit(X, sample_weight=8.0 * weights).transform(X), codes
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_centre_scale_and_start_are_those_of_rows_with_weights(X, weights, dtype):
    model = AutoencoderTransformer(2, max_iter=0, out_activation="identity")
    model.fit(X.astype(dtype), sample_weight=weights)
    mean = weights @ X / weights.sum()
    np.testing.assert_allclose(model.mean_, mean, rtol=1e-6)
    variance = (weights @ np.square(X - mean)).sum() / weights.sum() / X.shape[1]
    assert model.scale_ == pytest.approx(np.sqrt(variance), rel=1e-6)
    back = svd_start(X, weights, 2)
    np.testing.assert_allclose(model.reconstruct(X), back, rtol=1e-4, atol=1e-5)
    plain = PCA(2).fit(X)
    assert np.abs(plain.inverse_transform(plain.transform(X)) - back).max() > 0.05
    error = (weights @ np.square(X - back)).sum() / weights.sum() / X.shape[1]
    assert model.reconstruction_error_ == pytest.approx(error, rel=1e-4)
    share = 1 - error / variance
    assert model.score(X, sample_weight=weights) == pytest.approx(share, rel=1e-4)
    assert model.score(X) != pytest.approx(share, rel=1e-3)


@pytest.mark.parametrize("model", [MODELS[1], MODELS[5], MODELS[6]])
def test_the_loss_that_chooses_is_weighted(model, X, weights):
    model.set_params(max_iter=0, early_stopping=False, noise=None)
    model.fit(X, sample_weight=weights)
    residuals = np.abs(X - model.reconstruct(X))
    if model.loss == "squared_error":
        residuals = residuals**2
    by_hand = np.average(residuals.mean(axis=1), weights=weights)
    assert model.loss_curve_ == []
    assert model.best_loss_ == pytest.approx(by_hand, rel=1e-4)


def test_rows_of_much_weight_are_kept_better():
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, (400, 1))
    X = np.hstack([t, np.where(np.arange(400)[:, None] < 200, t**2, -(t**2))])
    heavy = np.where(np.arange(400) < 200, 1.0, 0.01)
    model = AutoencoderTransformer(1, random_state=0)
    alike = model.fit(X).score(X[:200])
    assert model.fit(X, sample_weight=heavy).score(X[:200]) > alike + 0.2


def test_judging_rows_are_weighted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5))
    weights = rng.uniform(0.1, 5, 300)
    model = AutoencoderTransformer(
        2, max_iter=0, validation_rows="last", validation_fraction=0.2
    )
    model.fit(X, sample_weight=weights)
    last = slice(240, None)
    errors = np.square(X - model.reconstruct(X)).mean(axis=1)
    by_hand = np.average(errors[last], weights=weights[last])
    assert model.best_loss_ == pytest.approx(by_hand, rel=1e-4)
    assert model.best_loss_ != pytest.approx(errors[last].mean(), rel=1e-3)


def test_missing_cells(X, weights):
    X[np.random.default_rng(2).random(X.shape) < 0.1] = np.nan
    model = AutoencoderTransformer(1, **TRAINED).fit(X, sample_weight=weights)
    there = ~np.isnan(X)
    mean = (weights @ np.where(there, X, 0)) / (weights @ there)
    np.testing.assert_allclose(model.mean_, mean, rtol=1e-9)
    codes = model.transform(X)
    again = model.fit(X.repeat(weights, axis=0), sample_weight=None).transform(X)
    np.testing.assert_allclose(again, codes, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", ["poisson", "multinomial"])
def test_counts(loss, weights):
    X = np.random.default_rng(0).poisson(3.0, (120, 8)).astype(float)
    model = AutoencoderTransformer(2, loss=loss, **TRAINED)
    codes = model.fit(X, sample_weight=weights).transform(X)
    again = model.fit(X.repeat(weights, axis=0), sample_weight=None).transform(X)
    np.testing.assert_allclose(again, codes, rtol=1e-4, atol=1e-5)


def test_sparse_rows_are_dense_ones(X, weights):
    X[np.abs(X) < 0.7] = 0
    model = AutoencoderTransformer(1, **TRAINED)
    dense = model.fit(X, sample_weight=weights).transform(X)
    rows = sparse.csr_array(X)
    thin = model.fit(rows, sample_weight=weights).transform(rows)
    np.testing.assert_allclose(thin, dense, rtol=1e-4, atol=1e-5)


def test_groups_stay_together_and_rows_may_come_in_any_order(X, weights):
    groups = np.arange(120) // 4
    model = AutoencoderTransformer(1, max_iter=10, random_state=0)
    codes = model.fit(X, None, groups, weights).transform(X)
    order = np.random.default_rng(3).permutation(120)
    again = model.fit(X[order], None, groups[order], weights[order]).transform(X)
    np.testing.assert_array_equal(again, codes)


def test_partial_fit(X, weights):
    model = AutoencoderTransformer(1, max_iter=0, random_state=0)
    model.partial_fit(X, sample_weight=weights)
    mean = weights @ X / weights.sum()
    np.testing.assert_allclose(model.mean_, mean)
    codes = model.partial_fit(X[:5], sample_weight=[1, 0, 0, 0, 0]).transform(X)
    one = AutoencoderTransformer(1, max_iter=0, random_state=0)
    one.partial_fit(X, sample_weight=weights).partial_fit(X[:1], sample_weight=[1])
    np.testing.assert_array_equal(one.transform(X), codes)


def test_a_number_stands_for_equal_weights(X):
    model = AutoencoderTransformer(1, **TRAINED)
    codes = model.fit(X, sample_weight=2.0).transform(X)
    np.testing.assert_array_equal(model.fit(X, sample_weight=None).transform(X), codes)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.full(120, -1.0), "not below zero. Got -1"),
        (np.full(120, np.nan), "finite and not below zero. Got nan"),
        (np.zeros(120), "zero for all rows"),
        (np.ones(7), "one weight for each of the 120 rows"),
        (np.ones((120, 1)), r"Got shape \(120, 1\)"),
        (["much"] * 120, "must hold numbers"),
        (np.eye(1, 120)[0], "above 0 for 1 rows of X"),
    ],
)
def test_wrong_weights(X, wrong, words):
    model = AutoencoderTransformer(1, max_iter=0)
    with pytest.raises(ValueError, match=words):
        model.fit(X, sample_weight=wrong)
    assert not hasattr(model, "mean_")


def test_a_stream_takes_no_weights(X, monkeypatch):
    monkeypatch.setattr(weights_room, "is_large", lambda table: True)
    with pytest.raises(ValueError, match="in proportion to their weights"):
        AutoencoderTransformer(1).fit(X, sample_weight=np.ones(120))


def test_metadata_routing(X, weights):
    model = AutoencoderTransformer(1, max_iter=0, out_activation="identity")
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = make_pipeline(scaler, model)
        pipe.fit(X, sample_weight=weights)
        Z = (X - X.mean(axis=0)) / X.std(axis=0)
        mean = weights @ Z / weights.sum()
        np.testing.assert_allclose(pipe[-1].mean_, mean, atol=1e-9)
        folds = KFold(3)
        search = GridSearchCV(model, {"n_components": [1, 3]}, cv=folds)
        search.fit(X, sample_weight=weights)
    assert search.best_params_ == {"n_components": 3}
    train, test = next(folds.split(X))
    first = AutoencoderTransformer(1, max_iter=0, out_activation="identity")
    first.fit(X[train], sample_weight=weights[train])
    back, own = first.reconstruct(X[test]), weights[test]
    left = own @ np.square(X[test] - back)
    total = own @ np.square(X[test] - first.mean_)
    score = search.cv_results_["split0_test_score"][0]
    assert score == pytest.approx(1 - left.sum() / total.sum(), rel=1e-4)


def test_without_weights_equal_rows_stay_as_they_are():
    X = load_digits().data[:300]
    plain = AutoencoderTransformer(4, max_iter=0).fit(X)
    weighted = AutoencoderTransformer(4, max_iter=0).fit(X, sample_weight=None)
    np.testing.assert_allclose(plain.mean_, weighted.mean_)
    assert plain.n_samples_ == weighted.n_samples_ == 300
