"""What "auto" parameters come to, and the average of the weights."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from skorch.callbacks import Callback
from torch import nn

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    VariationalAutoencoder,
)
from sklearn_ae._engine import net as engine_net
from sklearn_ae._engine.average import Average
from sklearn_ae._engine.scaling import measure, measure_observed

DIGITS = load_digits().data


def make(n_components=2, **params):
    return AutoencoderTransformer(
        n_components, **{"max_iter": 0, "random_state": 0, **params}
    )


# -- columns that end --


def mixed(n_rows=3000):
    """Columns: free, zeros below, full on top, a category, a constant, few zeros."""
    rng = np.random.default_rng(0)
    columns = np.empty((n_rows, 6))
    columns[:, 0] = rng.normal(size=n_rows)
    columns[:, 1] = rng.normal(size=n_rows).clip(0)
    columns[:, 2] = rng.normal(size=n_rows).clip(None, 1.5)
    columns[:, 3] = rng.integers(0, 2, n_rows)
    columns[:, 4] = 3.0
    columns[:, 5] = rng.random(n_rows) + 1
    columns[:29, 5] = 0.0  # too few to be an end
    return columns


FLOOR = [-np.inf, 0, -np.inf, 0, 3, -np.inf]
CEILING = [np.inf, np.inf, 1.5, 1, 3, np.inf]


@pytest.mark.parametrize("part", [50, 1000, 3000])
def test_a_column_ends_where_many_of_its_cells_lie(part):
    X = mixed()
    blocks = (X[start : start + part] for start in range(0, len(X), part))
    found = measure(blocks, X.dtype, bounded=False, clip="found")
    assert_array_equal(found.floor, FLOOR)
    assert_array_equal(found.ceiling, CEILING)


def test_so_it_does_in_sparse_rows_and_in_rows_with_holes():
    X = mixed()
    X[:, 0] = np.abs(X[:, 0])
    blocks = [sparse.csr_array(X[:1000]), sparse.csr_array(X[1000:])]
    found = measure(blocks, X.dtype, bounded=False, clip="found")
    assert_array_equal(found.floor, FLOOR)
    assert_array_equal(found.ceiling, CEILING)
    X[::7, 1:4] = np.nan
    found = measure_observed(X, bounded=False, clip="found")
    assert_array_equal(found.floor, FLOOR)
    assert_array_equal(found.ceiling, CEILING)


def test_the_start_is_pca_clipped_column_by_column():
    X = mixed()
    pca = PCA(2).fit(X)
    back = pca.inverse_transform(pca.transform(X)).clip(FLOOR, CEILING)
    model = make().fit(X)
    assert_allclose(model.reconstruct(X), back, atol=1e-5)
    free = pca.inverse_transform(pca.transform(X))
    assert np.square(X - back).sum() < np.square(X - free).sum()


def test_nothing_is_clipped_where_nothing_ends_or_more_rows_follow():
    free = np.random.default_rng(0).normal(size=(500, 4))
    assert make().fit(free).net_.criterion_.low is None
    assert make().partial_fit(DIGITS).net_.criterion_.low is None
    assert make(out_activation="identity").fit(DIGITS).net_.criterion_.low is None


def test_a_clip_stays_when_training_goes_on():
    model = make(max_iter=1).fit(DIGITS)
    ends = model.net_.criterion_.low.clone()
    model.partial_fit(DIGITS[:500] + 1)
    assert torch.equal(model.net_.criterion_.low, ends)


# -- the average of the weights --


def test_the_average_by_hand():
    layer = nn.Linear(1, 1, bias=False)
    average = Average(list(layer.parameters()), memory_steps=4)
    expected = layer.weight.item()
    rng = np.random.default_rng(0)
    for step in range(1, 30):
        value = float(rng.normal())
        nn.init.constant_(layer.weight, value)
        average.add()
        expected += (value - expected) / min(4, 2 + step / 4)
    assert average.tensors[0].item() == pytest.approx(expected, rel=1e-5)


def test_the_average_is_judged_and_kept():
    noted = {}

    class Look(Callback):
        epochs_only = True

        def on_epoch_end(self, net, **kwargs):
            noted["average"] = [tensor.clone() for tensor in net.average_.tensors]
            noted["own"] = [p.detach().clone() for p in net.module_.parameters()]

    model = make(max_iter=1, callbacks=[Look()], hidden_layer_sizes=(8,)).fit(DIGITS)
    assert model.best_iter_ == 1
    for kept, average in zip(
        model.net_.module_.parameters(), noted["average"], strict=True
    ):
        assert torch.equal(kept, average)
    assert any(
        not torch.equal(own, average)
        for own, average in zip(noted["own"], noted["average"], strict=True)
    )


def test_networks_with_buffers_have_no_average():
    class Normalised(nn.Module):
        def __init__(self, n_features, n_components, n_encoded=None):
            super().__init__()
            self.encode = nn.Sequential(
                nn.BatchNorm1d(n_features), nn.Linear(n_features, n_components)
            )
            self.decode = nn.Linear(n_components, n_features)

        def forward(self, x):
            return self.decode(self.encode(x))

    model = make(module=Normalised, max_iter=2).fit(DIGITS)
    assert np.isfinite(model.score(DIGITS))


# -- the network --


def activation(model):
    layers = model.net_.module_.modules()
    return next(type(m) for m in layers if isinstance(m, (nn.ReLU, nn.SiLU)))


def test_auto_activation():
    wide = np.random.default_rng(0).random((1100, 17))
    assert activation(make().fit(wide)) is nn.SiLU
    assert activation(make().fit(wide[:, :16])) is nn.ReLU
    assert activation(make(loss="binary_cross_entropy").fit(wide)) is nn.ReLU
    for cls in (VariationalAutoencoder, AdversarialAutoencoder):
        assert activation(cls(2, max_iter=0, random_state=0).fit(wide)) is nn.ReLU
    stream = make().partial_fit(wide)
    assert activation(stream) is nn.ReLU
    assert stream.net_.module_.network.encode[0].out_features == 256  # a part of many


@pytest.mark.parametrize("has", [True, False])
def test_auto_precision(has, monkeypatch):
    monkeypatch.setattr(engine_net, "has_bfloat16", lambda device: has)
    large = np.random.default_rng(0).random((1100, 300)).astype(np.float32)
    wide = {"max_iter": 1, "batch_size": 512, "hidden_layer_sizes": (512, 256)}
    assert make(**wide).fit(large).net_.half_ is has
    assert make(max_iter=1).fit(large).net_.half_ is False  # small batches
    assert make(precision="float32", **wide).fit(large).net_.half_ is False
    assert make(precision="bfloat16", max_iter=1).fit(large).net_.half_ is True


def test_wide_tables_end_early_without_a_sign_of_a_gain():
    noise = np.random.default_rng(0).normal(size=(60, 400))
    assert make(max_iter="auto").fit(noise).n_iter_ <= 10
    assert make(max_iter="auto").fit(noise[:, :50]).best_iter_ == 0
