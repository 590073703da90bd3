"""Ordered codes: every prefix is a code."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler
from skorch.callbacks import Callback
from torch import nn

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine.cut import prefix_of
from sklearn_ae._engine.judge import Judge
from sklearn_ae._engine.losses import LOSSES, OUTPUTS
from sklearn_ae._engine.objective import OrderedObjective
from sklearn_ae._engine.wrappers import Ordered, Widths

DIGITS = np.random.default_rng(0).permutation(load_digits().data)
TRAIN, TEST = DIGITS[:1200], DIGITS[1200:]
UNIT = MinMaxScaler().fit_transform(DIGITS)


def make(n_components=6, **params):
    """Make a small, quick one."""
    params = {"ordered": True, "max_iter": 5, "random_state": 0, **params}
    return AutoencoderTransformer(n_components, hidden_layer_sizes=(32,), **params)


def unexplained(X, back, mean):
    return np.square(X - back).sum() / np.square(X - mean).sum()


class Own(nn.Module):
    def __init__(self, n_features, n_components):
        super().__init__()
        self.encode = nn.Linear(n_features, n_components)
        self.decode = nn.Linear(n_components, n_features)

    def forward(self, x):
        return self.decode(self.encode(x))


class Uncut(Own):
    """Has a weight that depends on the code size and is no column of the code."""

    def __init__(self, n_features, n_components):
        super().__init__(n_features, n_components)
        self.table = nn.Parameter(torch.ones(n_components**2 + 1))


@pytest.fixture(scope="module")
def fitted():
    return make(max_iter=20).fit(TRAIN)


# -- the start --


@pytest.mark.parametrize(
    "params",
    [
        {"out_activation": "identity"},
        {"out_activation": "identity", "module": Own},
        {"out_activation": "logistic"},
        {"out_activation": "clip"},
        {"out_activation": "identity", "loss": "absolute_error"},
    ],
)
def test_every_prefix_starts_as_pca(params):
    bounded = params["out_activation"] != "identity"
    X = UNIT if bounded else DIGITS
    model = make(max_iter=0, early_stopping=False, **params).fit(X)
    pca = PCA(6).fit(X)
    codes = model.transform(X)
    for k in range(1, 7):
        back = pca.transform(X)[:, :k] @ pca.components_[:k] + pca.mean_
        if bounded:
            short = 1e-3 if params["out_activation"] == "logistic" else 0
            back = back.clip(X.min() + short, X.max() - short)
        assert_allclose(model.inverse_transform(codes[:, :k]), back, atol=1e-3)
    if "out_activation" not in params:
        ratios = pca.explained_variance_ratio_
        assert_allclose(model.explained_variance_ratio_, ratios, atol=1e-5)
        assert_allclose(model.code_size_curve_, np.cumsum(ratios), atol=1e-5)


def test_code_units_beyond_the_rank_explain_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 5))
    model = make(4, early_stopping=False).fit(X)
    assert_allclose(model.explained_variance_ratio_[2:], 0, atol=1e-6)
    assert_allclose(model.explained_variance_ratio_.sum(), 1, atol=1e-6)


# -- what a fit makes of it --


def test_better_than_pca_at_every_size():
    fitted = AutoencoderTransformer(6, ordered=True, max_iter=40, random_state=0)
    fitted.fit(TRAIN)
    mean = TRAIN.mean(axis=0)
    codes = fitted.transform(TEST)
    for k in range(1, 7):
        pca = PCA(k).fit(TRAIN)
        theirs = unexplained(TEST, pca.inverse_transform(pca.transform(TEST)), mean)
        ours = unexplained(TEST, fitted.inverse_transform(codes[:, :k]), mean)
        assert ours < (0.9 if k > 1 else 0.98) * theirs


def test_score_and_reconstruction_of_a_prefix(fitted):
    codes = fitted.transform(TEST)
    for k in (1, 4, 6):
        back = fitted.inverse_transform(codes[:, :k])
        assert_allclose(fitted.reconstruct(TEST, n_components=k), back)
        share = 1 - unexplained(TEST, back, TRAIN.mean(axis=0))
        assert_allclose(fitted.score(TEST, n_components=k), share)
    assert fitted.score(TEST) == fitted.score(TEST, n_components=6)


def test_curve_is_of_the_rows_set_aside():
    class Spy(Callback):
        def on_train_begin(self, net, X=None, **kwargs):
            Spy.rows = net.get_split_datasets(X)[1].targets.numpy().astype(float)

    model = make(callbacks=[Spy()]).fit(TRAIN)
    rows = Spy.rows * model.scale_ + model.mean_
    shares = [model.score(rows, n_components=k) for k in range(1, 7)]
    assert_allclose(model.code_size_curve_, shares, atol=1e-5)
    assert_allclose(model.explained_variance_ratio_.sum(), model.score(rows), atol=1e-5)


def test_cross_entropy_can_be_ordered():
    params = {"loss": "binary_cross_entropy", "early_stopping": False}
    model = make(max_iter=20, **params).fit(UNIT)
    start = make(max_iter=0, **params).fit(UNIT)
    assert (model.code_size_curve_ > start.code_size_curve_ + 0.01).all()
    back = model.inverse_transform(model.transform(UNIT)[:, :2])
    assert back.min() >= 0
    assert back.max() <= 1


@pytest.mark.parametrize("early_stopping", [True, False])
def test_ratios_never_promise_more_than_the_curve(early_stopping):
    # Random weights, whose curve goes up and down.
    model = make(12, init="random", early_stopping=early_stopping, max_iter=1)
    model.fit(DIGITS[:60])
    curve, ratios = model.code_size_curve_, model.explained_variance_ratio_
    assert (np.diff(curve) < 0).any()
    assert (ratios >= 0).all()
    floor = [max(0, min(curve[k:])) for k in range(12)]
    assert_allclose(np.cumsum(ratios), floor, atol=1e-12)


def test_random_state_makes_fits_identical():
    first, second = make(noise="masking").fit(TRAIN), make(noise="masking").fit(TRAIN)
    assert_array_equal(first.transform(TEST), second.transform(TEST))
    assert first.loss_curve_ == second.loss_curve_


# -- shorter codes --


@pytest.mark.parametrize(
    "estimator",
    [
        make(),
        make(init="random", activation="silu"),
        make(module=Own),
        make(penalty="contractive", loss="huber"),
        DenoisingAutoencoder(
            6, ordered=True, hidden_layer_sizes=(32,), max_iter=2, random_state=0
        ),
        ConvolutionalAutoencoder(
            6, ordered=True, filters=(4,), max_iter=2, random_state=0
        ),
    ],
)
def test_truncated_is_the_prefix(estimator):
    whole = estimator.fit(TRAIN)
    codes = whole.transform(TEST)
    for k in (1, 4, 6):
        short = whole.truncate(k)
        assert short.n_components == short.n_components_ == k
        assert_allclose(short.transform(TEST), codes[:, :k], atol=1e-8)
        for j in (1, k):
            back = whole.inverse_transform(codes[:, :j])
            assert_allclose(short.inverse_transform(codes[:, :j]), back, atol=1e-8)
        assert_allclose(short.score(TEST), whole.score(TEST, n_components=k))
        assert_array_equal(short.code_size_curve_, whole.code_size_curve_[:k])
        assert short.get_feature_names_out()[-1].endswith(str(k - 1))
    assert whole.n_components == whole.n_components_ == 6
    assert_array_equal(whole.transform(TEST), codes)


def test_truncated_network_is_as_small_as_one_of_that_size(fitted):
    def n_weights(model):
        return sum(p.numel() for p in model.net_.module_.parameters())

    fresh = make(2, max_iter=0).fit(TRAIN)
    assert n_weights(fitted.truncate(2)) == n_weights(fresh) < n_weights(fitted)


def test_truncated_goes_on(fitted):
    short = fitted.truncate(3)
    before = fitted.transform(TEST), short.score(TEST)
    pickled = pickle.loads(pickle.dumps(short))
    for model in (short, pickled):
        for _ in range(3):
            model.partial_fit(TRAIN)
    assert_array_equal(short.transform(TEST), pickled.transform(TEST))
    assert short.score(TEST) > before[1]
    assert_array_equal(fitted.transform(TEST), before[0])
    warm = fitted.truncate(3).set_params(warm_start=True, max_iter=2).fit(TRAIN)
    assert warm.score(TRAIN) >= fitted.score(TRAIN, n_components=3) - 0.01
    assert warm.reconstruction_error_ > 0


def test_prefixes_keep_float32(fitted):
    codes = fitted.transform(TEST.astype(np.float32))[:, :2]
    assert codes.dtype == np.float32
    assert fitted.inverse_transform(codes).dtype == np.float32


def test_prefix_of_takes_units_and_their_ones():
    weights = {"both": torch.arange(12.0).reshape(2, 6), "none": torch.ones(2)}
    like = {"both": torch.empty(2, 4), "none": torch.empty(2)}
    cut = prefix_of(weights, like, 3)
    assert cut["both"].tolist() == [[0, 1, 3, 4], [6, 7, 9, 10]]
    assert_array_equal(cut["none"], weights["none"])


def test_lengths_and_shorter_codes_decode_alike():
    torch.manual_seed(0)
    module = Ordered(Own(5, 8), Widths(5, 4, 4, 8))  # reads 4 units and 4 ones
    module.network.encode = nn.Linear(5, 4)
    z = torch.randn(4, 4)
    decoded = module.decode(z, torch.tensor([1, 2, 3, 4]))
    for i, k in enumerate((1, 2, 3, 4)):
        torch.testing.assert_close(module.decode(z[i : i + 1, :k])[0], decoded[i])
    torch.testing.assert_close(module.decode(z)[3], decoded[3])


# -- a share of variance as n_components --


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_share_takes_the_smallest_code_that_keeps_it(share):
    model = make(share, ordered=False, max_iter=20).fit(TRAIN)
    kept = np.cumsum(model.explained_variance_ratio_)
    assert model.n_components_ == len(kept) == model.transform(TEST).shape[1]
    assert kept[-1] >= share
    assert (kept[:-1] < share).all()
    assert model.n_components_ <= PCA(share).fit(TRAIN).n_components_ + 2
    shorter = model.score(TEST, n_components=model.n_components_ - 1)
    assert shorter - 0.02 < share < model.score(TEST) + 0.02
    assert model.n_components == share


def test_share_of_a_line_is_one_unit():
    t = np.linspace(0, 1, 50)[:, None]
    assert make(0.99).fit(t * [[1.0, 2.0, 3.0]]).n_components_ == 1
    assert make(0.99).fit(np.ones((50, 3))).n_components_ == 1


def test_share_goes_on_with_the_size_it_found():
    model = make(0.6).partial_fit(TRAIN)
    size = model.n_components_
    assert model.partial_fit(TRAIN[:50]).n_components_ == size
    model.set_params(warm_start=True).fit(TRAIN)
    assert model.n_components_ == size


# -- what can't be --


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (make(penalty="k_sparse"), "k_sparse.*ordered=False"),
        (VariationalAutoencoder(ordered=True), "VariationalAutoencoder follow a prior"),
        (AdversarialAutoencoder(0.9), "AdversarialAutoencoder follow a prior"),
        (make(0.0), "n_components"),
        (make(1.0), "n_components"),
        (make(module=Uncut, module__bias=1), "module__bias|unexpected"),
    ],
)
def test_what_can_not_be_ordered(model, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(TRAIN)
    assert not hasattr(model, "n_components_")


def test_modules_that_can_not_be_cut_fail_before_training():
    class Never(Callback):
        def on_train_begin(self, net, **kwargs):
            raise AssertionError

    model = make(module=Uncut, callbacks=[Never()])
    with pytest.raises(ValueError, match=r"Uncut can't be cut.*table"):
        model.fit(TRAIN)


def test_prefixes_out_of_range(fitted):
    codes = np.zeros((2, 7))
    with pytest.raises(ValueError, match=r"X has 7 columns.* have 6"):
        fitted.inverse_transform(codes)
    for size in (0, 7):
        with pytest.raises(ValueError, match="n_components"):
            fitted.truncate(size)
        with pytest.raises(ValueError, match="n_components"):
            fitted.score(TEST, n_components=size)
    plain = make(ordered=False, max_iter=0).fit(TRAIN)
    # What set_params changes is for the next fit.
    changed = pickle.loads(pickle.dumps(fitted)).set_params(activation="tanh")
    codes_of_two = [model.truncate(2).transform(TEST) for model in (changed, fitted)]
    assert_array_equal(*codes_of_two)
    assert not hasattr(plain, "code_size_curve_")
    with pytest.raises(ValueError, match="X has 2 columns"):
        plain.inverse_transform(codes[:, :2])
    with pytest.raises(ValueError, match="ordered=True"):
        plain.truncate(2)
    with pytest.raises(ValueError, match="ordered=True"):
        plain.reconstruct(TEST, n_components=2)


# -- training --


def test_lengths_are_drawn_as_documented():
    objective = OrderedObjective(
        LOSSES["squared_error"],
        OUTPUTS["identity"],
        unexplained=np.linspace(0.9, 0.1, 32),
    )
    torch.manual_seed(0)
    drawn = torch.cat([objective.draw_lengths(50) for _ in range(2000)])
    assert drawn.min() == 1
    assert drawn.max() == 32
    whole = (drawn == 32).float().mean().item()
    short = drawn[drawn < 32].log2().floor().long().bincount() / len(drawn)
    assert whole > objective.WHOLE
    # As many lengths in [2, 4) as in [4, 8) as in [8, 16).
    assert_allclose(short[1:4], short[1:4].mean(), rtol=0.02)


def test_weights_balance_lengths_by_what_pca_leaves():
    unexplained = np.array([0.5, 0.25, 0.1, 0.0])
    objective = OrderedObjective(
        LOSSES["squared_error"], OUTPUTS["identity"], unexplained=unexplained
    )
    assert objective.judged == [1, 2]  # the whole code is lossless
    weights = objective.length_weights.numpy()
    ratios = (unexplained[:3] / unexplained[0]) ** -0.85
    assert_allclose(weights[:3] / weights[0], ratios, rtol=1e-5)
    assert_allclose(weights[:2].mean(), 1)


def test_no_size_may_lose():
    judge = Judge(safe_start=True, tol=0.0, patience=None)
    rng = np.random.default_rng(0)
    start = torch.from_numpy(rng.random((50, 3)) + 2)
    judge.start_losses = start
    noise = torch.from_numpy(0.01 * rng.normal(size=(50, 3)))
    gains = torch.tensor([1.0, 1.0, 0.1])
    assert judge._beats_start(start - gains - noise)
    assert not judge._beats_start(start - gains * torch.tensor([1, 1, -1]) - noise)
    # A size that gains nothing is no veto; one that may lose more than 2 % is.
    tie = torch.tensor([1.0, 1.0, 0.0])
    assert judge._beats_start(start - gains * tie - noise)
    spread = torch.tensor([1.0, 1.0, 40.0])
    errors = (noise * spread).std(0) / 50**0.5
    assert -2 * errors[2] < -0.02 * start[:, 2].mean() < -2 * errors[1]
    assert not judge._beats_start(start - gains * tie - noise * spread)


def test_no_size_may_lose_without_validation_rows_either():
    class Favour(Callback):
        """Make the longest code worse than at the start, all others better."""

        def on_epoch_end(self, net, **kwargs):
            with torch.no_grad():
                for name, weight in net.module_.named_parameters():
                    if name.endswith("encode_linear.bias"):
                        weight[-1] += 5.0

    free = {"out_activation": "identity"}
    model = make(early_stopping=False, callbacks=[Favour()], **free).fit(TRAIN)
    assert model.best_iter_ == 0
    pca = PCA(6).fit(TRAIN)
    assert_allclose(model.score(TRAIN), pca.explained_variance_ratio_.sum(), atol=1e-5)


def test_a_code_without_order_is_not_truncated():
    plain = AutoencoderTransformer(2, max_iter=0).fit(np.eye(6))
    with pytest.raises(ValueError, match="only a model fitted with ordered=True"):
        plain.truncate(2)
