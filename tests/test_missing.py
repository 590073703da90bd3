"""Missing cells: what fills them, and fits of rows that have some."""

import pickle
import re
import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
    load,
    save,
)
from sklearn_ae._engine.batches import Rows
from sklearn_ae._engine.factor import Factors, fit_factors, held_out, own_generator
from sklearn_ae.persistence import to_onnx

WINE = StandardScaler().fit_transform(load_wine().data)
FAST = {"hidden_layer_sizes": (16,), "max_iter": 3, "random_state": 0}


def holes(X, share=0.3, seed=0):
    """Return X with holes, and where they are."""
    gone = np.random.default_rng(seed).random(X.shape) < share
    return np.where(gone, np.nan, X), gone


def made(n_rows=300, n_features=12, n_factors=3, seed=0):
    """Return rows of known factors, and these."""
    rng = np.random.default_rng(seed)
    loadings = rng.standard_normal((n_features, n_factors))
    noise = rng.uniform(0.1, 0.5, n_features)
    mean = rng.standard_normal(n_features)
    rows = mean + rng.standard_normal((n_rows, n_factors)) @ loadings.T
    rows += rng.standard_normal(rows.shape) * np.sqrt(noise)
    return rows, Factors(loadings, noise, mean)


def conditional_mean(row, mean, covariance):
    """The textbook's formula, for one row."""
    there = ~np.isnan(row)
    gain = covariance[np.ix_(~there, there)] @ np.linalg.inv(
        covariance[np.ix_(there, there)]
    )
    filled = row.copy()
    filled[~there] = mean[~there] + gain @ (row[there] - mean[there])
    return filled


@pytest.fixture(scope="module")
def model():
    return AutoencoderTransformer(3, **FAST).fit(holes(WINE)[0])


# -- what fills --


def test_missing_cells_have_their_conditional_mean():
    rows, factors = made(40)
    rows, _ = holes(rows, 0.5)
    rows[0], rows[1] = np.nan, np.arange(12.0)
    covariance = factors.loadings @ factors.loadings.T + np.diag(factors.noise)
    expected = [conditional_mean(row, factors.mean, covariance) for row in rows]
    np.testing.assert_allclose(factors.fill(rows), expected, rtol=1e-9)
    np.testing.assert_array_equal(factors.fill(rows)[1], rows[1])


def test_the_network_fills_as_the_factors_do(model):
    module = model.net_.module_as(torch.float64)
    rows = model._fitted.codec.scaling.apply(holes(WINE, 0.6, seed=3)[0], np.float64)
    mean, noise = module.mean.numpy(), module.noise.numpy()
    covariance = module.loadings.numpy() @ module.loadings.numpy().T + np.diag(noise)
    expected = [conditional_mean(row, mean, covariance) for row in rows]
    filled = module.fill(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(filled, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_factors_are_nearly_as_good_as_those_that_made_the_rows(share):
    rows, factors = made()
    given, gone = holes(rows, share)
    error = np.square(fit_factors(given, seed=0).fill(given) - rows)[gone].mean()
    best = np.square(factors.fill(given) - rows)[gone].mean()
    assert error < 1.15 * best
    assert error < 0.5 * rows.var()


def test_factors_do_not_depend_on_units():
    rows, _ = holes(made()[0])
    units = np.geomspace(1e-3, 1e3, rows.shape[1])
    filled = fit_factors(rows, seed=0).fill(rows)
    again = fit_factors(rows * units, seed=0).fill(rows * units)
    np.testing.assert_allclose(again / units, filled, rtol=1e-6, atol=1e-8)


def test_columns_without_relation_are_filled_by_means():
    rows = np.random.default_rng(1).standard_normal((200, 8))
    given, gone = holes(rows)
    factors = fit_factors(given, seed=0)
    assert not factors.loadings.any()
    means = np.broadcast_to(np.nanmean(given, axis=0), rows.shape)
    np.testing.assert_allclose(factors.fill(given)[gone], means[gone])


def test_cells_are_held_out_whatever_made_the_holes():
    _, gone = holes(WINE, 0.1, seed=7)
    hidden = held_out(~gone, 0.1, own_generator(7, "judge"))
    assert 0.07 < hidden.mean() / 0.9 < 0.13
    assert not (hidden & gone).any()
    single = np.zeros((50, 2), dtype=bool)
    single[3] = True
    assert not held_out(single, 0.99, own_generator(0, "judge")).any()


# -- fits --


def test_the_start_is_pca_of_rows_that_factors_filled():
    X, _ = holes(WINE)
    model = AutoencoderTransformer(3, **FAST | {"max_iter": 0}).fit(X)
    np.testing.assert_allclose(model.mean_, np.nanmean(X, axis=0))
    spread = X - np.nanmean(X, axis=0)
    assert model.scale_ == pytest.approx(np.sqrt(np.nanmean(spread**2)))
    module = model.net_.module_as(torch.float64)
    rows = torch.from_numpy((X - model.mean_) / model.scale_)
    filled = module.fill(rows).numpy() * model.scale_ + model.mean_
    pca = PCA(3).fit(filled)
    back = pca.inverse_transform(pca.transform(filled))
    np.testing.assert_allclose(model.reconstruct(X), back, atol=1e-4)


def test_complete_rows_that_expect_holes_start_at_pca():
    model = AutoencoderTransformer(3, missing="expect", **FAST | {"max_iter": 0})
    model.fit(WINE)
    pca = PCA(3).fit(WINE)
    np.testing.assert_allclose(
        model.reconstruct(WINE), pca.inverse_transform(pca.transform(WINE)), atol=1e-4
    )
    assert np.isfinite(model.transform(holes(WINE)[0])).all()


@pytest.mark.parametrize("missing", ["auto", "error"])
def test_complete_rows_know_nothing_of_missing(missing):
    plain = AutoencoderTransformer(3, random_state=0).fit(WINE)
    model = AutoencoderTransformer(3, missing=missing, random_state=0).fit(WINE)
    np.testing.assert_array_equal(model.transform(WINE), plain.transform(WINE))
    assert not any("loadings" in name for name in model.net_.module_.state_dict())


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_the_loss_is_that_of_observed_cells(loss):
    X, _ = holes(WINE, 0.4)
    X[0] = np.nan
    params = FAST | {"max_iter": 2, "early_stopping": False, "loss": loss}
    model = AutoencoderTransformer(3, **params).fit(X)
    scaled = model._fitted.codec.scaling.apply(X, np.float32)
    losses = model.net_.evaluate(Rows(scaled))
    residuals = torch.from_numpy((model.reconstruct(X) - X) / model.scale_)
    criterion = {
        "squared_error": torch.nn.MSELoss,
        "absolute_error": torch.nn.L1Loss,
        "huber": torch.nn.HuberLoss,
    }[loss](reduction="none")
    for row, got in zip(residuals, losses, strict=True):
        row = row[~row.isnan()]
        expected = criterion(row, torch.zeros_like(row)).mean() if len(row) else 0.0
        assert float(got) == pytest.approx(float(expected), rel=1e-3, abs=1e-6)


def test_scores_are_of_observed_cells(model):
    X, gone = holes(WINE, 0.4, seed=5)
    X[0] = np.nan
    gone[0] = True
    errors = np.square(model.reconstruct(X) - np.where(gone, 0, X)) * ~gone
    total = np.nansum(np.square(X - model.mean_))
    assert model.score(X) == pytest.approx(1 - errors.sum() / total)
    n_there = np.maximum((~gone).sum(axis=1), 1)
    np.testing.assert_allclose(
        model.score_samples(X), -errors.sum(axis=1) / n_there * 13, rtol=1e-9
    )
    assert model.score_samples(X)[0] == 0.0
    train, gone = holes(WINE)
    errors = np.square(model.reconstruct(train) - WINE)[~gone]
    assert model.reconstruction_error_ == pytest.approx(errors.mean(), rel=1e-4)


def test_rows_are_filled_better_than_by_their_start():
    z = np.random.default_rng(0).uniform(-2, 2, (400, 2))
    X = np.cos(z @ np.random.default_rng(1).standard_normal((2, 12)))
    given, gone = holes(X, 0.2)
    params = {"n_components": 12, "validation_rows": "cells", "random_state": 0}
    model = AutoencoderTransformer(**params).fit(given)
    start = AutoencoderTransformer(**params, max_iter=0).fit(given)
    error, first = (
        np.square(each.reconstruct(given) - X)[gone].mean() for each in (model, start)
    )
    assert model.best_iter_ > 0
    assert error < 0.97 * first
    # The start's reconstruction is what the factors say, as the code is as wide as X.
    np.testing.assert_allclose(start.reconstruct(given)[~gone], X[~gone], atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"ordered": True},
        {"n_components": 0.6},
        {"init": "random", "code_activation": "relu"},
        {"penalty": "k_sparse"},
        {"penalty": "contractive"},
        {"penalty": "l1", "loss": "absolute_error"},
        {"noise": "gaussian"},
        {"noise": "masking"},
        {"noise": "swap"},
        {"out_activation": "clip"},
        {"precision": "bfloat16"},
        {"early_stopping": False},
        {"validation_rows": "last"},
        {"validation_rows": "cells", "ordered": True},
    ],
    ids=str,
)
def test_what_goes_with_missing_cells(params, dtype):
    X = holes(WINE)[0].astype(dtype)
    model = AutoencoderTransformer(**{"n_components": 3, **FAST, **params}).fit(X)
    codes = model.transform(X)
    assert codes.dtype == dtype
    for result in (codes, model.reconstruct(X), model.score_samples(X), model.loss_):
        assert np.isfinite(result).all()
    assert np.isfinite(model.loss_curve_ + model.validation_loss_curve_).all()
    assert -1 < model.score(X) < 1


def test_cells_of_data_in_a_range():
    X = (WINE - WINE.min(axis=0)) / np.ptp(WINE, axis=0)
    for params in ({"loss": "binary_cross_entropy"}, {"out_activation": "logistic"}):
        model = AutoencoderTransformer(3, **FAST, **params).fit(holes(X)[0])
        assert model.score(X) > 0.2
        assert model.reconstruct(holes(X)[0]).min() >= 0


def test_images_may_have_holes():
    X = holes(np.random.default_rng(0).random((60, 16)))[0]
    model = ConvolutionalAutoencoder(2, filters=(4,), max_iter=2, random_state=0)
    assert np.isfinite(model.fit(X).reconstruct(X)).all()
    assert np.isfinite(DenoisingAutoencoder(2, **FAST).fit(X).transform(X)).all()


def test_an_ordered_model_is_cut():
    X = holes(WINE)[0]
    model = AutoencoderTransformer(4, ordered=True, **FAST).fit(X)
    np.testing.assert_allclose(
        model.truncate(2).transform(X), model.transform(X)[:, :2], rtol=1e-4, atol=1e-5
    )


def test_a_warm_start_goes_on():
    X = holes(WINE)[0]
    model = AutoencoderTransformer(3, warm_start=True, **FAST).fit(X)
    loadings = model.net_.module_.loadings.clone()
    model.fit(WINE)  # complete rows now
    assert model.n_iter_ == 6
    assert torch.equal(model.net_.module_.loadings, loadings)


# -- files --


def test_models_with_factors_are_kept(model, tmp_path):
    X = holes(WINE, 0.5, seed=9)[0]
    expected = model.reconstruct(X)
    save(model, tmp_path / "model")
    for copy in (load(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copy.reconstruct(X), expected)


@pytest.mark.parametrize("part", ["encoder", "autoencoder"])
def test_onnx_fills_as_we_do(model, part):
    X = holes(WINE, 0.5, seed=9)[0].astype(np.float32)
    X[0], X[1] = np.nan, WINE[1]
    onnx = to_onnx(model, part=part).SerializeToString()
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    got = session.run(None, {"X": X})[0]
    ours = model.transform(X) if part == "encoder" else model.reconstruct(X)
    np.testing.assert_allclose(got, ours, atol=2e-4)


# -- errors --


@pytest.mark.parametrize("kind", [VariationalAutoencoder, AdversarialAutoencoder])
def test_models_with_a_prior_refuse_them(kind):
    with pytest.raises(ValueError, match="NaN"):
        kind(2).fit(holes(WINE)[0])
    with pytest.raises(ValueError, match=f"{kind.__name__} takes no missing cells"):
        kind(2, missing="expect").fit(WINE)


def test_refusals_say_why(monkeypatch):
    X = holes(WINE)[0]
    with pytest.raises(ValueError, match="NaN"):
        AutoencoderTransformer(missing="error").fit(X)
    with pytest.raises(ValueError, match="partial_fit takes no missing cells"):
        AutoencoderTransformer().partial_fit(X)
    plain = AutoencoderTransformer(**FAST).fit(WINE)
    with pytest.raises(ValueError, match="missing='expect'"):
        plain.transform(X)
    with pytest.raises(ValueError, match="infinity"):
        AutoencoderTransformer().fit(np.where(np.isnan(X), np.inf, X))
    X[:, 4] = np.nan
    with pytest.raises(ValueError, match="Column 4 of X has no observed cell"):
        AutoencoderTransformer().fit(X)
    monkeypatch.setattr("sklearn_ae._engine.survey.is_large", lambda table: True)
    with pytest.raises(ValueError, match="a stream takes none"):
        AutoencoderTransformer().fit(holes(WINE)[0])


def test_errors_name_the_column():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"age": [1.0, 2.0, 3.0], "pulse": np.nan})
    with pytest.raises(ValueError, match="Column 'pulse' of X"):
        AutoencoderTransformer(1).fit(frame)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_rows_with_many_holes_are_no_copies(share):
    rng = np.random.default_rng(0)
    X = holes(rng.standard_normal((400, 10)) @ rng.standard_normal((10, 20)), share)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoencoderTransformer(2, **FAST).fit(X)


# -- any mask --


masks = arrays(bool, (30, 5))


@settings(max_examples=25, deadline=None)
@given(
    fitted=masks,
    new=masks,
    dtype=st.sampled_from([np.float32, np.float64]),
    judges=st.sampled_from(["training", "random", "cells"]),
)
@example(np.ones((30, 5), bool), np.ones((30, 5), bool), np.float64, "cells")
@example(np.arange(150).reshape(30, 5) > 9, np.ones((30, 5), bool), np.float64, "cells")
def test_any_mask_is_taken(fitted, new, dtype, judges):
    """All missing in a row, single cells, other columns than those of the fit."""
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((30, 2)) @ rng.standard_normal((2, 5))).astype(dtype)
    first = np.where(fitted, np.nan, X)
    bare = np.isnan(first).all(axis=0)
    first[0, bare] = X[0, bare]
    first = first.astype(dtype)
    params = {"hidden_layer_sizes": (4,), "max_iter": 1}
    if judges == "training":
        params["early_stopping"] = False
    else:
        params["validation_rows"] = judges
    model = AutoencoderTransformer(2, missing="expect", random_state=0, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of rows that look like copies
        model.fit(first)
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(model.validation_loss_curve_ or [0.0]).all()
    rows = np.where(new, np.nan, X).astype(dtype)
    codes = model.transform(rows)
    assert codes.dtype == dtype
    assert np.isfinite(codes).all()
    assert np.isfinite(model.reconstruct(rows)).all()
    assert np.isfinite(model.score_samples(rows)).all()
    # A row's code depends on no other row.
    np.testing.assert_allclose(
        model.transform(rows[3:4]), codes[3:4], rtol=1e-3, atol=1e-4
    )
    # What is missing is NaN, whatever stood there.
    complete = model.transform(X)
    np.testing.assert_allclose(codes[~new.any(1)], complete[~new.any(1)], atol=1e-5)


class Killed(BaseException):
    pass


class KillInThirdEpoch(Callback):
    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 3:
            raise Killed


@pytest.mark.parametrize("rows", ["random", "cells"])
def test_an_interrupted_fit_goes_on(rows, tmp_path):
    X = holes(WINE)[0]
    params = {**FAST, "max_iter": 5, "validation_rows": rows}
    whole = AutoencoderTransformer(3, **params).fit(X)
    model = AutoencoderTransformer(3, checkpoint=tmp_path, **params)
    with pytest.raises(Killed):
        model.set_params(callbacks=[KillInThirdEpoch()]).fit(X)
    model.set_params(callbacks=None).fit(X)
    np.testing.assert_array_equal(model.transform(X), whole.transform(X))
    assert model.validation_loss_curve_ == whole.validation_loss_curve_


def test_cells_of_sparse_rows_do_not_judge():
    model = AutoencoderTransformer(1, validation_rows="cells")
    with pytest.raises(ValueError, match=r"validation_rows='cells' .* sparse X"):
        model.fit(csr_array(np.eye(30)))
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize(
    ("model", "who"),
    [
        (AutoencoderTransformer(2, missing="error", max_iter=1), "missing='error'"),
        (AutoencoderTransformer(2, loss="poisson", max_iter=1), "loss='poisson'"),
        (AutoencoderTransformer(2, neighbors=1.0, max_iter=1), "neighbors="),
        (VariationalAutoencoder(2, max_iter=1), "VariationalAutoencoder"),
        (AdversarialAutoencoder(2, max_iter=1), "AdversarialAutoencoder"),
    ],
)
def test_what_takes_no_missing_cells_says_so_before_and_after_the_fit(
    model, who, container
):
    X = np.random.default_rng(0).poisson(2.0, size=(40, 5)) + 1.0
    holes, endless = X.copy(), X.copy()
    holes[3, 2], endless[3, 2] = np.nan, np.inf
    model = clone(model)
    words = re.escape(f"X has missing cells (NaN), and {who} takes none")
    with pytest.raises(ValueError, match=words):
        model.fit(container(holes))
    assert not hasattr(model, "n_features_in_")
    model.fit(container(X))
    for method in (model.transform, model.partial_fit):
        with pytest.raises(ValueError, match=words):
            method(container(holes))
        with pytest.raises(ValueError, match="contains infinity"):
            method(container(endless))


def test_a_search_says_that_it_takes_no_missing_cells():
    X = np.random.default_rng(0).normal(size=(40, 5))
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"\(NaN\), and a search takes none"):
        AutoencoderTransformerCV().fit(X)
