"""Fits on a device: on CUDA what the CPU does, where there is CUDA."""

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from torch import nn

from sklearn_ae import AutoencoderTransformer, load, save
from sklearn_ae._engine import tables
from sklearn_ae._engine.losses import LOSSES, PENALTIES
from sklearn_ae._engine.noise import NOISES
from sklearn_ae._engine.replay import Replay
from sklearn_ae._estimators import ESTIMATORS

DIGITS = load_digits().data[:600] / 16
IRIS = load_iris().data
SMALL = {"max_iter": 4, "batch_size": 64, "random_state": 0}
NEEDS = {
    "kl": {"code_activation": "logistic", "init": "random"},
    "k_sparse": {"sparsity": 2},
}


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request):
    return request.param


def make(device, **params):
    return AutoencoderTransformer(4, device=device, **{**SMALL, **params})


TRAINED = [
    name
    for name, estimator in ESTIMATORS.items()
    if SMALL.keys() | {"device"} <= estimator().get_params().keys()
]


@pytest.mark.parametrize("name", [*TRAINED, "AutoencoderTransformerCV"])
def test_every_estimator_does_what_it_does_on_the_cpu(name, device):
    def fitted(device):
        if name == "AutoencoderTransformerCV":
            return ESTIMATORS[name]([1, 2], estimator=make(device), cv=2).fit(DIGITS)
        return ESTIMATORS[name](device=device, **SMALL).fit(DIGITS)

    there, here = fitted(device), fitted("cpu")
    found = getattr(there, "best_estimator_", there)
    assert torch.device(found.device_).type == device
    assert there.score(DIGITS) == pytest.approx(here.score(DIGITS), abs=0.05)
    assert there.transform(DIGITS).shape == here.transform(DIGITS).shape


@pytest.mark.parametrize(
    "params",
    [
        *({"loss": loss} for loss in LOSSES),
        *({"noise": noise} for noise in NOISES),
        *({"penalty": penalty, **NEEDS.get(penalty, {})} for penalty in PENALTIES),
        *({"out_activation": output} for output in ("clip", "logistic")),
        *({"learning_rate": "constant", "optimizer": name} for name in ("sgd", "adam")),
        {"ordered": True},
        {"dropout": 0.2},
        {"precision": "bfloat16"},
        {"early_stopping": False},
    ],
    ids=str,
)
def test_every_setting_trains(params, device):
    model = make(device, **params).fit(DIGITS)
    assert model.n_iter_ == 4
    assert np.isfinite(model.loss_curve_).all()
    codes = model.transform(DIGITS)
    assert codes.shape == (600, 4)
    back = model.reconstruct(DIGITS)
    if params.get("loss") in ("poisson", "multinomial"):  # codes carry no totals
        back *= DIGITS.sum(1).mean() / DIGITS.sum(1, keepdims=True)
    np.testing.assert_allclose(model.inverse_transform(codes), back, atol=1e-5)


def test_float32_and_float64_rows_have_the_same_codes(device):
    model = make(device).fit(DIGITS)
    codes = model.transform(DIGITS)
    single = model.transform(DIGITS.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, codes, atol=1e-4)


def test_rows_that_are_streamed_in_small_windows(device, monkeypatch):
    held = make(device, max_iter=10).fit(DIGITS)
    monkeypatch.setattr(tables, "HELD_CELLS", 1000)
    monkeypatch.setattr(tables, "WINDOW_CELLS", 100 * 64)
    model = make(device, max_iter=10).fit(DIGITS)
    assert model.score(DIGITS) == pytest.approx(held.score(DIGITS), abs=0.05)
    assert model.score(DIGITS) > PCA(4).fit(DIGITS).explained_variance_ratio_.sum()


def test_a_small_table_is_cross_fitted(device):
    params = {"device": device, "random_state": 0}
    model = AutoencoderTransformer(1, **params).fit(IRIS)
    here = AutoencoderTransformer(1, random_state=0, device="cpu").fit(IRIS)
    assert model.score(IRIS) == pytest.approx(here.score(IRIS), abs=0.01)
    assert model.best_iter_ == here.best_iter_ > 0


def test_a_code_cut_to_size(device):
    model = AutoencoderTransformer(0.6, device=device, **SMALL).fit(DIGITS)
    short = model.truncate(2)
    np.testing.assert_allclose(
        short.transform(DIGITS), model.transform(DIGITS)[:, :2], atol=1e-6
    )


def test_it_goes_on_and_comes_back_from_a_file(device, tmp_path):
    model = make(device).partial_fit(DIGITS).partial_fit(DIGITS)
    assert model.n_iter_ == 2
    save(model, tmp_path / "model.ae")
    other = load(tmp_path / "model.ae").partial_fit(DIGITS)
    assert other.n_iter_ == 3
    assert other.device_ == model.device_


@pytest.mark.cuda
def test_a_fit_in_another_process():
    models = joblib.Parallel(2)(joblib.delayed(make("cuda").fit)(X) for X in [IRIS] * 2)
    expected = make("cuda").fit(IRIS).transform(IRIS)
    for model in models:
        np.testing.assert_allclose(model.transform(IRIS), expected, atol=1e-5)


@pytest.mark.cuda
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"init": "random"},
        {"ordered": True},
        {"noise": "gaussian"},
        {"loss": "huber"},
    ],
    ids=str,
)
def test_gradients_played_back_are_those_of_autograd(params, monkeypatch):
    """A graph asks for the same kernels: only the order of sums may differ."""
    played = []
    capture = Replay._capture
    monkeypatch.setattr(
        Replay, "_capture", lambda *args: (played.append(1), capture(*args))
    )
    X = DIGITS.astype(np.float32)
    params = {**SMALL, "max_iter": 8, "batch_size": 48, **params}  # a short last batch
    replayed = AutoencoderTransformer(4, device="cuda", **params).fit(X)
    assert played == [1]
    again = AutoencoderTransformer(4, device="cuda", **params).fit(X)
    np.testing.assert_array_equal(again.transform(X), replayed.transform(X))
    monkeypatch.setattr(Replay, "of", lambda net: None)
    eager = AutoencoderTransformer(4, device="cuda", **params).fit(X)
    # What is drawn differs: the capture draws too.
    np.testing.assert_allclose(replayed.loss_curve_, eager.loss_curve_, rtol=6e-2)
    assert replayed.score(X) == pytest.approx(eager.score(X), abs=5e-3)


@pytest.mark.cuda
def test_networks_of_users_are_not_captured():
    class Custom(nn.Module):
        def __init__(self, n_features, n_components):
            super().__init__()
            self.encode = nn.Linear(n_features, n_components)
            self.decode = nn.Linear(n_components, n_features)

        def forward(self, x):
            if float(x.abs().max()) < 0:  # the CPU waits for this
                raise ValueError
            return self.decode(self.encode(x))

    model = AutoencoderTransformer(
        4, module=Custom, device="cuda", **{**SMALL, "max_iter": 8}
    ).fit(DIGITS)
    assert np.isfinite(model.loss_curve_).all()
