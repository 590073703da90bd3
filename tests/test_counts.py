"""Counts: their losses, the start at PCA, and what every method makes of them."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import mean_poisson_deviance

from sklearn_ae import AutoencoderTransformer, persistence
from sklearn_ae._engine.counts import MultinomialDeviance, PoissonDeviance

X = load_digits().data[:400]
TRAIN, TEST = X[:300], X[300:]
LOSSES = ["poisson", "multinomial"]


def make(loss="poisson", **params):
    return AutoencoderTransformer(
        8,
        loss=loss,
        **{"hidden_layer_sizes": (32,), "max_iter": 10, "random_state": 0, **params},
    )


def deviances(X, expected):
    """Poisson deviances of rows, by scikit-learn where no mean is zero."""
    return np.array(
        [
            mean_poisson_deviance(x, np.maximum(m, 1e-30)) * len(x)
            for x, m in zip(X, expected, strict=True)
        ]
    )


def null(X):
    """What column shares of the training rows say of rows with these totals."""
    sums = TRAIN.sum(axis=0)
    sums = np.where(sums > 0, sums, sums[sums > 0].min() / 2)
    return X.sum(axis=1, keepdims=True) * sums / sums.sum()


def test_criteria_against_their_formulas():
    rng = np.random.default_rng(0)
    x = rng.poisson(2, (6, 5)).astype(float)
    x[0] = 0  # an empty row
    decoded = rng.normal(size=x.shape)
    total = x.sum(axis=1, keepdims=True)
    both = torch.tensor(decoded), torch.tensor(x)
    means = total * np.exp(decoded)
    ours = PoissonDeviance()(*both).sum(1).numpy()
    assert_allclose(ours[1:], deviances(x[1:], means[1:]))
    assert ours[0] == 0
    shares = np.exp(decoded) / np.exp(decoded).sum(axis=1, keepdims=True)
    ours = MultinomialDeviance()(*both).sum(1).numpy()
    assert_allclose(ours[1:], deviances(x[1:], total[1:] * shares[1:]))
    assert ours[0] == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_the_start_is_pca_through_the_link(loss):
    model = make(loss, max_iter=0).fit(TRAIN)
    total = TRAIN.sum(axis=1, keepdims=True)
    roots = np.sqrt(TRAIN / total)
    pca = PCA(8, random_state=0).fit(roots)
    scale = np.sqrt(np.square(roots - roots.mean(axis=0)).mean())
    codes = pca.transform(np.sqrt(TEST / TEST.sum(axis=1, keepdims=True))) / scale
    assert_allclose(np.abs(model.transform(TEST)), np.abs(codes), atol=1e-4)
    # The link, computed anew: factors give columns their sums, the floor is chosen.
    shares = null(TRAIN)[0] / TRAIN[0].sum()
    squares = np.maximum(pca.inverse_transform(pca.transform(roots)), 0) ** 2
    factor = (1 + TRAIN.sum(axis=0)) / (1 + (total * squares).sum(axis=0))
    found = {}
    for floor in (0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001, 1.0):
        p = (1 - floor) * factor * squares + floor * shares
        if loss == "multinomial":
            p /= p.sum(axis=1, keepdims=True)
        found[deviances(TRAIN, total * p).sum()] = total * p
    assert_allclose(model.reconstruct(TRAIN), found[min(found)], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_score_is_the_share_of_deviance(loss):
    model = make(loss).fit(TRAIN)
    back = model.reconstruct(TEST)
    if loss == "multinomial":
        assert_allclose(back.sum(axis=1), TEST.sum(axis=1))
    left = deviances(TEST, back)
    total = deviances(TEST, null(TEST)).sum()
    assert_allclose(model.score(TEST), 1 - left.sum() / total, rtol=1e-6)
    assert_allclose(model.score_samples(TEST), -left, rtol=1e-6)
    error = deviances(TRAIN, model.reconstruct(TRAIN)).sum() / TRAIN.size
    assert_allclose(model.reconstruction_error_, error, rtol=1e-4)
    assert_allclose(
        model.explained_variance_ratio_.sum(), model.score(TRAIN), rtol=1e-4
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_never_worse_than_the_start(loss):
    X = load_digits().data
    train, test = X[:1400], X[1400:]
    start = make(loss, max_iter=0).fit(train).score(test)
    model = make(loss, max_iter=30, hidden_layer_sizes=(128,)).fit(train)
    assert model.best_iter_ > 0  # or the next line could not fail
    assert model.score(test) > start
    rng = np.random.default_rng(0)  # rows of one profile: nothing to find
    noise = rng.poisson(rng.gamma(2, size=20) * 3, (300, 20)).astype(float)
    start = make(loss, max_iter=0).fit(noise).best_loss_
    assert make(loss).fit(noise).best_loss_ <= start


def test_codes_carry_no_total():
    model = make().fit(TRAIN)
    codes = model.transform(TEST)
    assert_allclose(model.transform(3 * TEST), codes, atol=1e-5)
    assert_allclose(model.reconstruct(3 * TEST), 3 * model.reconstruct(TEST), 1e-4)
    mean_total = TRAIN.sum() / len(TRAIN)
    share = model.reconstruct(TEST) / TEST.sum(axis=1, keepdims=True)
    assert_allclose(model.inverse_transform(codes), mean_total * share, 1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_sparse_rows_are_as_dense_ones(loss):
    dense, sparse = (make(loss).fit(x) for x in (TRAIN, csr_array(TRAIN)))
    # Signs of components are the solver's.
    back = sparse.reconstruct(csr_array(TEST))
    assert_allclose(sparse.score(TEST), dense.score(TEST), atol=0.01)
    assert_allclose(back, sparse.reconstruct(TEST), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_empty_rows(loss):
    train = np.vstack([TRAIN, np.zeros((3, 64))])
    model = make(loss).fit(train)
    zero = np.zeros((1, 64))
    assert np.isfinite(model.transform(zero)).all()
    assert_array_equal(model.reconstruct(zero), zero)
    assert model.score_samples(zero) == 0


def test_counts_are_not_negative():
    with pytest.raises(ValueError, match=r"loss='poisson' takes counts.*-1"):
        make().fit(TRAIN - 1)
    model = make(max_iter=0).fit(TRAIN + 0.5)  # fractions are allowed
    for method in (model.transform, model.reconstruct, model.score):
        with pytest.raises(ValueError, match="negative values, the least -1"):
            method(TEST - 1)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"missing": "expect"}, "takes no missing cells"),
        ({"penalty": "contractive"}, "slope at"),
        ({"out_activation": "clip"}, "out_activation='auto' alone"),
    ],
)
def test_what_does_not_go_with_counts(params, words):
    with pytest.raises(ValueError, match=words):
        make(**params).fit(TRAIN)


def test_missing_cells_are_refused():
    X = TRAIN.copy()
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="takes none: fill them first"):
        make().fit(X)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "params",
    [{"noise": "masking"}, {"ordered": True}, {"init": "random"}, {"penalty": "l1"}],
)
def test_other_parameters(loss, params):
    model = make(loss, **params).fit(TRAIN)
    assert np.isfinite(model.score(TEST))
    if params.get("ordered"):
        assert_allclose(
            model.truncate(3).reconstruct(TEST),
            model.reconstruct(TEST, n_components=3),
            rtol=1e-3,
        )


@pytest.mark.parametrize("loss", LOSSES)
def test_files(tmp_path, loss):
    model = make(loss, ordered=True).fit(TRAIN)
    persistence.save(model, tmp_path / "model")
    back = persistence.load(tmp_path / "model")
    assert_array_equal(back.reconstruct(TEST), model.reconstruct(TEST))


def test_chunks_go_on():
    model = make()
    for part in np.array_split(TRAIN, 3):
        model.partial_fit(part)
    before = model.score(TEST)
    for _ in range(20):
        model.partial_fit(TRAIN)
    assert model.score(TEST) > before


@pytest.mark.parametrize("loss", LOSSES)
def test_onnx(loss):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = make(loss).fit(TRAIN)
    rows = np.vstack([TEST, np.zeros((1, 64))]).astype(np.float32)
    codes = model.transform(rows)
    for part, read, given in [
        ("encoder", rows, codes),
        ("decoder", codes, model.inverse_transform(codes)),
        ("autoencoder", rows, model.reconstruct(rows)),
    ]:
        graph = persistence.to_onnx(model, part).SerializeToString()
        run = onnxruntime.InferenceSession(graph).run
        assert_allclose(run(None, {"X": read})[0], given, rtol=1e-3, atol=1e-4)
