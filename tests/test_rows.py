import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import (
    AutoencoderTransformer,
    ConvolutionalAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine import tables
from sklearn_ae._engine.batches import Batches, Rows, Stream
from sklearn_ae._engine.networks import row_cost
from sklearn_ae._engine.tables import Lazy

DIGITS = load_digits().data


class Sliced:
    """What a data set of h5py or zarr offers, and nothing else."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.most = 0

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        part = self.array[rows]
        self.most = max(self.most, len(part))
        return part


@pytest.fixture
def small_memory(monkeypatch):
    """Make digits a large table."""
    monkeypatch.setattr(tables, "HELD_CELLS", 64 * 500)
    monkeypatch.setattr(tables, "WINDOW_CELLS", 64 * 400)
    monkeypatch.setattr(tables, "CHUNK_CELLS", 64 * 300)


@pytest.fixture(params=["memmap", "memmap of bytes", "sliced"])
def source(request, tmp_path):
    """Digits, but not as an array in memory."""
    if request.param == "sliced":
        return Sliced(DIGITS)
    dtype = np.uint8 if "bytes" in request.param else np.float32
    path = tmp_path / "digits"
    DIGITS.astype(dtype).tofile(path)
    return np.memmap(path, dtype, "r", shape=DIGITS.shape)


def test_held_rows_are_batches_of_one_permutation():
    torch.manual_seed(0)
    order = torch.randperm(10)
    torch.manual_seed(0)
    batches = [x for x, _ in Batches(Rows(torch.arange(10.0)[:, None]), 4, True)]
    assert_array_equal(torch.cat(batches)[:, 0], order)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
@pytest.mark.parametrize("n_without", [0, 60])
def test_streamed_rows_come_once_an_epoch(
    batch_size, shuffle, n_without, small_memory, monkeypatch
):
    monkeypatch.setattr(tables, "WINDOW_CELLS", 3 * 100)
    X = np.arange(3 * 701.0).reshape(701, 3)
    without = np.sort(np.random.default_rng(0).choice(701, n_without, replace=False))
    stream = Stream(X, lambda x: x.astype(np.float32), torch.device("cpu"), without)
    batches = Batches(stream, batch_size, shuffle)
    epochs = [[inputs for inputs, _ in batches] for _ in range(2)]
    n_rows = 701 - n_without
    assert len(stream) == n_rows
    for epoch in epochs:
        sizes = [len(batch) for batch in epoch]
        assert len(sizes) == len(batches)
        assert set(sizes[:-1]) <= {batch_size}
        assert sizes[-1] > 1 or batch_size == 1
        rows = torch.cat(epoch).numpy()
        expected = np.delete(X, without, axis=0)
        assert_array_equal(rows[np.argsort(rows[:, 0])], expected)
    first, second = (torch.cat(epoch)[:, 0] for epoch in epochs)
    assert bool((first == second).all()) is not shuffle
    if shuffle:  # a window of 100 rows has some from everywhere
        assert torch.cat(epochs[0])[:100, 0].std() > 0.5 * X[:, 0].std()


def test_a_fit_on_a_source_starts_at_pca(source, small_memory):
    params = {"max_iter": 0, "out_activation": "identity", "random_state": 0}
    linear = AutoencoderTransformer(5, **params).fit(source)
    pca = PCA(5).fit(DIGITS)
    assert_allclose(linear.mean_, pca.mean_, atol=1e-6)
    spread = np.sqrt(np.square(DIGITS - DIGITS.mean(axis=0)).mean())
    assert linear.scale_ == pytest.approx(spread)
    assert linear.data_range_ == (0, 16)
    reconstructed = linear.inverse_transform(linear.transform(source))
    assert_allclose(
        reconstructed, pca.inverse_transform(pca.transform(DIGITS)), atol=1e-3
    )
    assert linear.score(source) == pytest.approx(
        pca.explained_variance_ratio_.sum(), abs=1e-5
    )
    assert linear.transform(source).dtype == linear.transform(source[:9]).dtype or (
        source.dtype == np.uint8  # a small table of bytes becomes float64 too
    )


def test_a_source_is_fitted_as_well_as_an_array(source, small_memory, monkeypatch):
    streamed = AutoencoderTransformer(8, max_iter=15, random_state=0).fit(source)
    if isinstance(source, Sliced):
        assert source.most <= 400
    again = clone(streamed).fit(source)
    assert_array_equal(again.transform(source), streamed.transform(source))
    monkeypatch.undo()
    held = clone(streamed).fit(DIGITS)
    unexplained = 1 - streamed.score(DIGITS)
    assert unexplained == pytest.approx(1 - held.score(DIGITS), rel=0.1)
    # What transform gives does not depend on how rows come.
    assert_allclose(
        streamed.transform(DIGITS[:50]), streamed.transform(DIGITS)[:50], atol=1e-6
    )


def test_variants_take_sources(source, small_memory):
    conv = ConvolutionalAutoencoder(4, max_iter=2, random_state=0).fit(source)
    pca = PCA(4).fit(DIGITS)
    assert conv.score(DIGITS) >= pca.explained_variance_ratio_.sum() - 1e-3
    params = {"max_iter": 0, "out_activation": "identity", "random_state": 0}
    vae = VariationalAutoencoder(4, **params).fit(source)
    assert_allclose(vae.score_samples(source), pca.score_samples(DIGITS), rtol=1e-2)
    assert vae.noise_variance_ == pytest.approx(pca.noise_variance_, rel=1e-3)


@pytest.mark.parametrize("row", [3, 1500])
def test_a_source_with_nan_is_refused_and_nothing_lost(row, small_memory):
    bad = DIGITS.copy()
    bad[row, 7] = np.nan
    model = AutoencoderTransformer(2, max_iter=1, random_state=0)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(Sliced(bad))
    assert not hasattr(model, "net_")
    model.fit(Sliced(DIGITS))
    codes = model.transform(DIGITS)
    for call in (model.fit, model.partial_fit, model.transform, model.score):
        with pytest.raises(ValueError, match="NaN"):
            call(Sliced(bad))
        assert_array_equal(model.transform(DIGITS), codes)


def test_wide_sources_start_at_pca_of_a_sample(monkeypatch):
    monkeypatch.setattr(tables, "HELD_CELLS", 64 * 500)
    monkeypatch.setattr("sklearn_ae._engine.pca.PCA_FEATURES", 63)
    monkeypatch.setattr("sklearn_ae._engine.pca.PCA_CELLS", 64 * 900)
    params = {"max_iter": 0, "out_activation": "identity", "random_state": 0}
    linear = AutoencoderTransformer(5, **params).fit(DIGITS)
    best = PCA(5).fit(DIGITS).explained_variance_ratio_.sum()
    assert best - 0.01 < linear.score(DIGITS) < best - 1e-5


def test_what_suits_a_lazy_table(small_memory):
    assert Lazy.suits(DIGITS)
    assert not Lazy.suits(DIGITS[:400])
    assert not Lazy.suits(DIGITS.astype(complex))
    assert not Lazy.suits(DIGITS.astype(object))
    assert not Lazy.suits(DIGITS.tolist())
    assert not Lazy.suits(torch.from_numpy(DIGITS))


def test_a_row_costs_its_widest_layer_and_its_products():
    dense = torch.nn.Linear(3, 50), torch.nn.Linear(50, 2), torch.nn.Linear(2, 3)
    module = torch.nn.Module()
    module.encode = torch.nn.Sequential(*dense[:2])
    module.decode = dense[2]
    assert row_cost(module, 3) == (50, 3 * 50 + 50 * 2 + 2 * 3)
    module.encode = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 4, 4)), torch.nn.Conv2d(1, 8, 3), torch.nn.Flatten()
    )
    module.decode = torch.nn.Linear(32, 16)
    assert row_cost(module, 16) == (32, 9 * 32 + 32 * 16)
