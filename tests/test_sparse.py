import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine import tables
from sklearn_ae._engine.pca import fit_pca
from sklearn_ae._engine.scaling import ends, measure
from sklearn_ae._engine.tables import Picked, Sparse, parts


def mostly_zeros(n_samples=300, n_features=36, seed=0):
    """Rows with three latent variables, of which a fifth of the cells are there."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3)) @ rng.normal(size=(3, n_features))
    there = rng.random(X.shape) < 0.2
    return np.where(there, np.abs(X) + 0.3 * rng.normal(size=X.shape), 0.0)


DENSE = mostly_zeros()


def as_frame(X):
    return pd.DataFrame(
        {f"word{i}": pd.arrays.SparseArray(x, fill_value=0) for i, x in enumerate(X.T)}
    )


CONTAINERS = [sp.csr_matrix, sp.csr_array, sp.csc_array, sp.coo_array, as_frame]
MODELS = [
    AutoencoderTransformer(3),  # cross-fitted
    AutoencoderTransformer(3, max_iter=3),
    AutoencoderTransformer(3, early_stopping=False, max_iter=3),
    AutoencoderTransformer(3, ordered=True, max_iter=3),
    AutoencoderTransformer(0.4, max_iter=3),
    AutoencoderTransformer(3, out_activation="clip", max_iter=3),
    DenoisingAutoencoder(3, max_iter=3),
    ConvolutionalAutoencoder(3, filters=(4,), max_iter=3),
    VariationalAutoencoder(3, max_iter=3),
    AdversarialAutoencoder(3, max_iter=3),
]


def assert_same(sparse, dense, X, to_sparse=sp.csr_array):
    """Check that two fitted models are one, up to rounding, for any container."""
    assert_allclose(sparse.mean_, dense.mean_, rtol=1e-9, atol=1e-12)
    assert sparse.scale_ == pytest.approx(dense.scale_, rel=1e-9)
    assert sparse.data_range_ == dense.data_range_
    assert sparse.best_iter_ == dense.best_iter_
    tolerance = {"atol": 1e-3 * max(dense.scale_, 1)}
    rows = to_sparse(X)
    for method in ("transform", "reconstruct", "score_samples", "score"):
        expected = getattr(dense, method)(X)
        assert_allclose(getattr(sparse, method)(rows), expected, rtol=1e-3, **tolerance)
        if to_sparse is not as_frame:  # one model gives the same, to the last digits
            again = getattr(dense, method)(rows)
            assert_allclose(again, expected, rtol=1e-9, atol=1e-9)
    assert_allclose(
        sparse.reconstruction_error_, dense.reconstruction_error_, rtol=1e-3
    )


@pytest.mark.parametrize("model", MODELS)
def test_sparse_rows_give_what_dense_rows_give(model):
    model = clone(model).set_params(random_state=0)
    dense = clone(model).fit(DENSE)
    assert_same(model.fit(sp.csr_array(DENSE)), dense, DENSE)


@pytest.mark.parametrize("container", CONTAINERS)
def test_all_containers_are_taken(container):
    dense = AutoencoderTransformer(3, max_iter=2, random_state=0).fit(DENSE)
    sparse = clone(dense).fit(container(DENSE))
    assert_same(sparse, dense, DENSE, container)
    if container is as_frame:
        assert sparse.feature_names_in_[1] == "word1"
        names = sparse.set_output(transform="pandas").transform(as_frame(DENSE))
        assert names.columns[0] == "autoencodertransformer0"


@pytest.mark.parametrize("n_calls", [1, 3])
def test_partial_fit_takes_chunks(n_calls):
    dense, sparse = (AutoencoderTransformer(3, random_state=0) for _ in range(2))
    for part in np.array_split(DENSE, n_calls):
        dense.partial_fit(part)
        sparse.partial_fit(sp.csr_array(part))
    assert_same(sparse, dense, DENSE)


@pytest.mark.parametrize("max_iter", [0, 1])
def test_large_tables_are_streamed_alike(max_iter, monkeypatch):
    monkeypatch.setattr(tables, "HELD_CELLS", 36 * 100)
    monkeypatch.setattr(tables, "WINDOW_CELLS", 36 * 150)
    dense = AutoencoderTransformer(3, max_iter=max_iter, random_state=0).fit(DENSE)
    sparse = clone(dense).fit(sp.csr_array(DENSE))
    assert_same(sparse, dense, DENSE)
    again = clone(dense).set_params(warm_start=True).fit(sp.csr_array(DENSE))
    assert again.fit(sp.csr_array(DENSE)).score(DENSE) > 0


def test_float32_stays():
    X = DENSE.astype(np.float32)
    dense = AutoencoderTransformer(3, max_iter=3, random_state=0).fit(X)
    sparse = clone(dense).fit(sp.csr_array(X))
    for method in ("transform", "reconstruct"):
        assert getattr(sparse, method)(sp.csr_array(X)).dtype == np.float32
    assert sparse.score(sp.csr_array(X)) == pytest.approx(dense.score(X), abs=1e-3)
    counts = sp.csr_array(DENSE.astype(int))
    assert sparse.transform(counts).dtype == np.float64


@pytest.mark.parametrize("held_rows", [10, 1000])
def test_never_more_rows_are_dense_than_are_worked_on(held_rows, monkeypatch):
    X = sp.csr_array(mostly_zeros(1500, 50))
    monkeypatch.setattr(tables, "CHUNK_CELLS", 50 * 40)
    monkeypatch.setattr(tables, "HELD_CELLS", 50 * held_rows)
    monkeypatch.setattr(tables, "WINDOW_CELLS", 50 * 160)
    monkeypatch.setattr("sklearn_ae._engine.aside.SEARCHED_CELLS", 50 * 100)
    monkeypatch.setattr("sklearn_ae._engine.aside.SEARCHED_ROWS", 100)
    monkeypatch.setattr("sklearn_ae._engine.batches.SOME_ROWS", 100)
    monkeypatch.setattr("sklearn_ae._independence._HASHED", 50 * 100)
    most, get = [], Sparse.__getitem__

    def watched(table, rows):
        found = get(table, rows)
        most.append(len(found))
        return found

    monkeypatch.setattr(Sparse, "__getitem__", watched)
    model = AutoencoderTransformer(3, hidden_layer_sizes=(8,), max_iter=2)
    model.set_params(batch_size=100).fit(X)
    model.partial_fit(X)
    model.transform(X), model.reconstruct(X), model.score(X), model.score_samples(X)
    assert 0 < max(most) <= 160


def test_a_matrix_in_any_order_is_read_right_and_left_as_it_is():
    # A cell in two parts, columns that go down, and a zero that is stored.
    data, columns = np.array([1.0, 2, 5, 0, 3, 4]), np.array([2, 2, 0, 1, 1, 0])
    X = sp.csr_array((data.copy(), columns.copy(), [0, 3, 4, 6]), shape=(3, 3))
    table = Sparse(X)
    expected = np.array([[5.0, 0, 3], [0, 0, 0], [4, 3, 0]])
    assert_array_equal(table[:], expected)
    assert_array_equal(table[np.array([2, 0])], expected[[2, 0]])
    assert_array_equal(X.data, data)
    assert_array_equal(X.indices, columns)
    scaling = measure(parts(table), table.dtype, bounded=False)
    assert_allclose(scaling.mean, expected.mean(axis=0))
    assert scaling.scale == pytest.approx((expected - expected.mean(axis=0)).std())
    AutoencoderTransformer(1, max_iter=1).fit(X)
    assert_array_equal(X.data, data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cells", [100, 10**6])
def test_scaling_is_measured_from_what_is_stored(dtype, cells, monkeypatch):
    monkeypatch.setattr(tables, "CHUNK_CELLS", cells)  # many parts, or one
    X = DENSE.copy()
    X[:, 3] += 1e4  # a column without zeros, far from them
    X[:, 4] = 7.5  # a constant one
    X[:, 5] = 0
    X = X.astype(dtype)
    table = Sparse(sp.csr_array(X))
    scaling = measure(parts(table), table.dtype, bounded=False)
    exact = X.astype(np.float64)
    assert_allclose(scaling.mean, exact.mean(axis=0), rtol=1e-14, atol=1e-15)
    assert scaling.mean[4] == 7.5
    centred = exact - exact.mean(axis=0)
    assert scaling.scale == pytest.approx(np.sqrt(np.square(centred).mean()), rel=1e-12)
    assert (scaling.low, scaling.high) == (X.min(), X.max()) == ends(table)


@pytest.mark.parametrize("far", [0, 1e6])
@pytest.mark.parametrize(
    ("shape", "n_components"),
    [((60, 36), 5), ((300, 36), None), ((40, 1100), 5), ((40, 1100), 40)],
)
def test_pca_starts_from_sparse_products(shape, n_components, far):
    X = mostly_zeros(*shape)
    X[:, 2] = far + np.random.default_rng(1).normal(size=len(X))
    table = Sparse(sp.csr_array(X))
    scaling = measure(parts(table), table.dtype, bounded=False)
    axes = fit_pca(table, scaling, n_components, 0, 0)
    pca = PCA(n_components, svd_solver="full").fit(X - X.mean(axis=0))
    k = min(len(pca.components_), 5)
    assert axes.components.shape == pca.components_.shape
    assert_allclose(axes.components[:k], pca.components_[:k], atol=1e-7)
    shares = np.cumsum(pca.explained_variance_ratio_)
    assert_allclose(axes.shares, shares, atol=1e-9)
    variances = pca.explained_variance_ / scaling.scale**2
    assert_allclose(axes.variances, variances, atol=1e-8)
    left = np.var(X, axis=0, ddof=1).sum() / scaling.scale**2 - variances.sum()
    assert axes.left == pytest.approx(left, abs=1e-6)


@pytest.mark.parametrize(("n_kinds", "n_copies"), [(1, 20), (3, 20), (3, 500)])
def test_wide_rows_of_low_rank(n_kinds, n_copies):
    X = np.tile(mostly_zeros(n_kinds, 1200), (n_copies, 1))
    model = AutoencoderTransformer(10, max_iter=0, random_state=0)
    model.fit(sp.csr_array(X))
    assert_allclose(model.reconstruct(X), X, atol=1e-5)


def test_equal_rows_are_found():
    X = np.tile(mostly_zeros(20), (5, 1))
    picked = Picked(np.array([3, 7]))
    table = Sparse(sp.csr_array(X))
    read = sum(part.shape[0] for part in picked.watch(table))
    assert read == 100
    assert_array_equal(picked[np.array([7])], X[[7]])
    assert_array_equal(picked.twins(np.array([3])), np.arange(3, 100, 20))
    dense = AutoencoderTransformer(2, max_iter=2, random_state=0).fit(X)
    assert_same(clone(dense).fit(sp.csr_array(X)), dense, X)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad):
    X = sp.csr_array(DENSE)
    model = AutoencoderTransformer(2, max_iter=1, random_state=0).fit(X)
    codes = model.transform(X)
    X.data[5] = bad
    for method in ("fit", "partial_fit", "transform", "score"):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            getattr(model, method)(X)
    X.data[5] = DENSE[DENSE != 0][5]
    assert_array_equal(model.transform(X), codes)


@pytest.mark.parametrize("groups", [None, np.arange(300) // 3])
def test_searches_take_sparse_rows(groups):
    search = AutoencoderTransformerCV(
        (1, 3), estimator=AutoencoderTransformer(max_iter=2, random_state=0), cv=3
    )
    dense = clone(search).fit(DENSE, groups=groups)
    sparse = search.fit(sp.csc_array(DENSE), groups=groups)
    for name in ("mean_test_score", "split0_test_score"):
        assert_allclose(sparse.cv_results_[name], dense.cv_results_[name], atol=1e-4)
    assert_allclose(
        sparse.transform(sp.csr_array(DENSE)), dense.transform(DENSE), atol=1e-3
    )
    grid = GridSearchCV(
        AutoencoderTransformer(max_iter=1, random_state=0), {"n_components": [1, 3]}
    )
    both = [clone(grid).fit(X).cv_results_ for X in (DENSE, sp.csr_array(DENSE))]
    assert_allclose(*(each["mean_test_score"] for each in both), atol=1e-4)


def test_rows_in_order_are_left_out_in_stretches():
    steps = np.random.default_rng(0).normal(size=(200, 4)).cumsum(axis=0)
    search = AutoencoderTransformerCV(
        (1, 2),
        estimator=AutoencoderTransformer(
            max_iter=1, random_state=0, validation_rows="last"
        ),
        cv=3,
    )
    scores = [
        clone(search).fit(X).cv_results_["mean_test_score"]
        for X in (steps, sp.csr_array(steps))
    ]
    assert_allclose(*scores, atol=1e-4)
