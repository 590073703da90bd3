"""Tensors and arrays of other libraries, with and without array API dispatch."""

import array_api_strict
import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    VariationalAutoencoder,
)

SETTINGS = {"early_stopping": False, "max_iter": 2, "random_state": 0}
MODELS = [
    AutoencoderTransformer(4, **SETTINGS),
    AutoencoderTransformer(4, out_activation="identity", **SETTINGS),
    AutoencoderTransformer(4, ordered=True, **SETTINGS),
    AutoencoderTransformer(4, out_activation="logistic", **SETTINGS),
    ConvolutionalAutoencoder(4, filters=(4,), **SETTINGS),
    VariationalAutoencoder(4, **SETTINGS),
    AdversarialAutoencoder(4, **SETTINGS),
    AutoencoderTransformer(4, loss="poisson", **SETTINGS),
    AutoencoderTransformer(4, missing="expect", **SETTINGS),
]
ON_DEVICE = MODELS[:7]  # the others go by way of NumPy
METHODS = ("transform", "reconstruct", "score_samples")


@pytest.fixture(scope="module")
def X():
    return load_digits().data[:150] / 16


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("model", MODELS)
def test_under_dispatch_tensors_come_back(model, dtype, X):
    rows = torch.from_numpy(X).to(dtype)
    model.fit(rows.numpy())
    tolerance = {"rtol": 1e-4, "atol": 1e-5}
    for name in METHODS:
        expected = getattr(model, name)(rows.numpy())
        with config_context(array_api_dispatch=True):
            result = getattr(model, name)(rows)
        assert isinstance(result, torch.Tensor)
        assert result.device == rows.device
        assert result.numpy().dtype == expected.dtype
        np.testing.assert_allclose(result.numpy(), expected, **tolerance)
    codes = model.transform(rows.numpy())
    with config_context(array_api_dispatch=True):
        back = model.inverse_transform(torch.from_numpy(codes))
        score = model.score(rows)
    assert isinstance(back, torch.Tensor)
    np.testing.assert_allclose(back, model.inverse_transform(codes), **tolerance)
    assert score == pytest.approx(model.score(rows.numpy()), rel=1e-5)


@pytest.mark.parametrize("model", ON_DEVICE)
def test_under_dispatch_tensors_never_become_arrays(model, X, monkeypatch):
    model.fit(X)
    rows = torch.from_numpy(X)
    own_scores = isinstance(model, VariationalAutoencoder)  # on the host: documented
    names = [name for name in METHODS if not (own_scores and name == "score_samples")]

    def refuse(tensor, *args, **kwargs):
        raise AssertionError("by way of the host")

    for name in ("numpy", "__array__", "tolist"):
        monkeypatch.setattr(torch.Tensor, name, refuse)
    with config_context(array_api_dispatch=True):
        results = [getattr(model, name)(rows) for name in names]
        results.append(model.inverse_transform(results[0]))
        assert 0 < model.score(rows) < 1
    assert all(isinstance(result, torch.Tensor) for result in results)


@pytest.mark.parametrize("model", [MODELS[0], MODELS[2]])
def test_tensors_of_an_ordered_code_and_weights(model, X):
    model.fit(X)
    weights = np.random.default_rng(0).uniform(0, 2, len(X))
    expected = model.score(X, sample_weight=weights)
    with config_context(array_api_dispatch=True):
        score = model.score(
            torch.from_numpy(X), sample_weight=torch.from_numpy(weights)
        )
        if model.ordered:
            part = model.reconstruct(torch.from_numpy(X), n_components=2).numpy()
            np.testing.assert_allclose(part, model.reconstruct(X, 2), atol=1e-6)
            codes = torch.from_numpy(model.transform(X)[:, :2].copy())
            np.testing.assert_allclose(
                model.inverse_transform(codes).numpy(), part, atol=1e-6
            )
    assert score == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("model", [MODELS[0], MODELS[5]])
def test_a_fit_on_tensors_is_that_on_arrays(model, X):
    expected = model.fit(X).transform(X)
    with config_context(array_api_dispatch=True):
        rows = torch.from_numpy(X).requires_grad_()
        result = model.fit(rows).transform(rows)
    assert not result.requires_grad
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6, atol=1e-8)
    assert isinstance(model.mean_, np.ndarray)


@pytest.mark.parametrize("model", [MODELS[0], MODELS[7]])
def test_without_dispatch_arrays_come_back_as_from_pca(model, X):
    rows = torch.from_numpy(X).requires_grad_()
    model.fit(rows)
    expected = model.fit(X).transform(X)
    for result in (model.transform(rows), model.inverse_transform(rows[:, :4])):
        assert type(result) is type(PCA(2).fit_transform(rows.detach())) is np.ndarray
    np.testing.assert_array_equal(model.transform(rows), expected)
    assert model.transform(rows.float()).dtype == np.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype, X):
    rows = torch.from_numpy(X).to(dtype)
    model = MODELS[0].fit(rows)
    codes = model.transform(rows)
    assert codes.dtype == np.float32
    np.testing.assert_array_equal(codes, model.transform(rows.float().numpy()))
    with config_context(array_api_dispatch=True):
        tensor = model.transform(rows)
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), codes, rtol=1e-6)


def test_whole_numbers(X):
    rows = torch.from_numpy(16 * X).to(torch.int16)
    model = MODELS[0].fit(rows)
    with config_context(array_api_dispatch=True):
        codes = model.transform(rows)
    assert codes.dtype == torch.float64
    np.testing.assert_allclose(codes.numpy(), model.transform(16 * X), rtol=1e-9)


def test_what_no_tensor_may_be(X):
    model = AutoencoderTransformer(2)
    with pytest.raises(TypeError, match=r"on device 'meta'.*pass X.cpu\(\)"):
        model.fit(torch.ones(20, 3, device="meta"))
    with pytest.raises(TypeError, match=r"layout torch.sparse_coo.*to_dense"):
        model.fit(torch.eye(20).to_sparse())
    model = MODELS[0].fit(X)
    spoiled = torch.from_numpy(X.copy())
    spoiled[3, 3] = torch.nan
    for dispatched in (False, True):
        with config_context(array_api_dispatch=dispatched):
            with pytest.raises(ValueError, match="NaN"):
                model.transform(spoiled)
            with pytest.raises(ValueError, match="X has 63 features, but"):
                model.transform(spoiled[:, :63].nan_to_num())
            with pytest.raises(ValueError, match="X has 7 columns, but the codes"):
                model.inverse_transform(torch.zeros(2, 7))
            with pytest.raises(ValueError, match="times as large as the training"):
                model.transform(torch.full((2, 64), 1e38))
            with pytest.raises(ValueError, match="found array with dim 3"):
                model.transform(spoiled.reshape(-1, 8, 8))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("device", ["CPU_DEVICE", "device1"])
@pytest.mark.parametrize("model", [MODELS[0], MODELS[5], MODELS[7]])
def test_array_api_strict(model, device, dtype, X):
    device = array_api_strict.Device(device)
    X = X.astype(dtype)
    rows = array_api_strict.asarray(X, device=device)
    expected = model.fit(X).transform(X)
    with config_context(array_api_dispatch=True):
        codes = model.fit(rows).transform(rows)
        errors = model.score_samples(rows)
        with pytest.raises(ValueError, match="must use the same namespace"):
            model.reconstruct(X)
        home = array_api_strict.asarray(
            codes, device=array_api_strict.Device("CPU_DEVICE")
        )
    assert codes.device == errors.device == device
    assert codes.dtype == getattr(array_api_strict, dtype)
    np.testing.assert_allclose(np.asarray(home), expected, rtol=1e-5, atol=1e-6)


def test_a_fit_on_arrays_forgets_the_namespace(X):
    model = AutoencoderTransformer(2, max_iter=0)
    with config_context(array_api_dispatch=True):
        model.fit(torch.from_numpy(X)).fit(X)
        assert isinstance(model.transform(X), np.ndarray)


def test_a_pipeline_of_tensors(X):
    pipe = make_pipeline(StandardScaler(), AutoencoderTransformer(2, **SETTINGS))
    expected = pipe.fit(X).transform(X)
    with config_context(array_api_dispatch=True):
        rows = torch.from_numpy(X)
        codes = pipe.fit(rows).transform(rows)
        back = pipe.inverse_transform(codes)
    np.testing.assert_allclose(codes.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert isinstance(back, torch.Tensor)


def test_weights_and_groups_may_be_tensors(X):
    weights, groups = np.arange(150) % 3, np.arange(150) // 5
    model = AutoencoderTransformer(2, max_iter=3, random_state=0)
    expected = model.fit(X, None, groups, weights).transform(X)
    model.fit(X, None, torch.from_numpy(groups), torch.from_numpy(weights))
    np.testing.assert_array_equal(model.transform(X), expected)


def test_the_detector_the_search_and_the_imputer(X):
    rows = torch.from_numpy(X)
    detector = AutoencoderOutlierDetector(AutoencoderTransformer(2, **SETTINGS))
    expected = detector.fit(X).predict(X)
    with config_context(array_api_dispatch=True):
        found = detector.fit(rows).predict(rows)
        assert isinstance(found, torch.Tensor)
        np.testing.assert_array_equal(found.numpy(), expected)
    search = AutoencoderTransformerCV(
        (2, 3), estimator=AutoencoderTransformer(**SETTINGS), cv=2, random_state=0
    )
    chosen = search.fit(X).n_components_
    for dispatched in (False, True):
        with config_context(array_api_dispatch=dispatched):
            codes = search.fit(rows.requires_grad_()).transform(rows)
        assert isinstance(codes, torch.Tensor) is dispatched
        assert search.n_components_ == chosen
    rows = rows.detach().clone()
    rows[::7, 3] = torch.nan
    imputer = AutoencoderImputer(max_iter=1, random_state=0)
    with config_context(array_api_dispatch=True):
        filled = imputer.fit(rows).transform(rows)
    assert isinstance(filled, torch.Tensor)
    assert not filled.isnan().any()
