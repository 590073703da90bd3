"""Small tables: every row judges, by a network that has not seen it."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine, make_swiss_roll
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from skorch.callbacks import Callback

from sklearn_ae import (
    AutoencoderTransformer,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine.blueprint import unit_of
from sklearn_ae._engine.crossfit import (
    HIDDEN,
    N_FOLDS,
    CrossFit,
    RoundJudge,
    beats,
    fold_numbers,
    suits,
)
from sklearn_ae._engine.members import Members
from sklearn_ae._engine.networks import DenseNetwork
from sklearn_ae._engine.pca import Axes
from sklearn_ae._engine.wrappers import PCAStart, Widths
from sklearn_ae._independence import Dependence

WINE = scale(load_wine().data)
IRIS = load_iris().data
ROLL = make_swiss_roll(200, random_state=0)[0]


def identity(x):
    return x


def modules(members, n_features, n_components, hidden):
    """The members, as the networks that the package has otherwise."""
    widths = Widths(n_features, n_components, n_components, n_components)
    for member in range(members.flat.new_tensor(members.shapes[0][:1]).int().item()):
        network = DenseNetwork(n_features, n_components, hidden)
        module = PCAStart(network, widths, identity, unit_of(n_features))
        module.load_state_dict(members.state(members.flat, member))
        yield module


@pytest.mark.parametrize("n_features", [9, 72])  # whose unit is 1.2
@pytest.mark.parametrize("hidden", [(7,), (8, 5), (6, 5, 4)])
def test_gradients_are_those_of_autograd(hidden, n_features):
    members = Members(3, n_features, 4, hidden, seed=0)
    torch.manual_seed(0)
    members.flat.copy_(0.3 * torch.randn_like(members.flat))
    x = torch.randn(3, 11, n_features)
    members.backward(x)
    for i, module in enumerate(modules(members, n_features, 4, hidden)):
        loss = (module(x[i]) - x[i]).square().mean()
        loss.backward()
        ours = members.state(members.flat.grad, i)
        for name, parameter in module.named_parameters():
            assert_allclose(ours[name], parameter.grad, rtol=1e-4, atol=1e-6)
        assert loss > 0.1
        back = members.forward(x, members.parameters)[i]
        torch.testing.assert_close(back, module(x[i]))


def test_members_start_at_pca_and_alike():
    pca = PCA(3).fit(WINE)
    members = Members(2, 13, 3, (16,), seed=1)
    for member in range(2):
        members.start(member, pca.components_, pca.mean_)
    x = torch.from_numpy(WINE).float()
    back = members.forward(x.expand(2, -1, -1), members.parameters)
    expected = pca.inverse_transform(pca.transform(WINE))
    for member in back:
        assert_allclose(member, expected, atol=1e-5)
    first = members.state(members.flat, 0)["network.encode.0.weight"]
    assert first.std() > 0.1
    assert torch.equal(first, members.state(members.flat, 1)["network.encode.0.weight"])


def axes_of(X, k):
    pca = PCA(k).fit(X)
    shares = np.cumsum(pca.explained_variance_ratio_)
    return Axes(pca.components_, pca.mean_, pca.explained_variance_, shares, 0.0)


def test_each_row_is_judged_by_the_network_that_has_not_seen_it():
    X = torch.from_numpy(WINE).float()
    fit = CrossFit(X, axes_of(WINE, 2), 2, 0.01, None, seed=5)
    rounds = fit.rounds()
    start = next(rounds).losses
    for fold in range(N_FOLDS):
        inside, others = fit.folds == fold, fit.folds != fold
        pca = PCA(2).fit(WINE[others])
        back = pca.inverse_transform(pca.transform(WINE[inside]))
        expected = np.square(WINE[inside] - back).mean(axis=1)
        assert_allclose(start[inside], expected, rtol=1e-4, atol=1e-5)
        # Nor are its rows in the batches of that network.
        assert others[fit.batches[:, fold].numpy()].all()
    assert sorted(np.bincount(fit.folds)) == [35, 35, 36, 36, 36]
    assert sorted(np.unique(fit.batches[:, N_FOLDS])) == list(range(len(WINE)))
    seen = next(rounds)
    whole = fit.weights()
    module = PCAStart(DenseNetwork(13, 2, HIDDEN), Widths(13, 2, 2, 2), identity)
    module.load_state_dict(whole)
    with torch.no_grad():
        loss = (module(X) - X).square().mean().item()
    assert seen.train_loss == pytest.approx(loss, rel=1e-5)
    assert (seen.losses != start).all()


def test_groups_stand_in_one_fold_and_folds_are_of_a_size():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 60, 400)
    folds = fold_numbers(labels, rng)
    assert all(len(set(folds[labels == label])) == 1 for label in range(60))
    assert np.bincount(folds).min() > 60
    assert_array_equal(np.bincount(fold_numbers(np.arange(50), rng)), [10] * 5)


@pytest.mark.parametrize("n", [40, 200])
def test_what_counts_is_a_paired_t_test_over_all_rows(n):
    rng = np.random.default_rng(n)
    noise = rng.normal(size=n)
    decided = set()
    for shift in np.linspace(0.1, 1.5, 15):
        gains = shift + noise
        cut = np.minimum(gains, np.sort(gains)[-int(np.ceil(0.02 * n)) - 1])
        smallest = min(
            stats.ttest_1samp(each, 0, alternative="greater").pvalue
            for each in (gains, cut)
        )
        assert beats(gains) == (smallest < 2e-5)
        decided.add(beats(gains))
    assert decided == {True, False}


def test_a_few_huge_gains_are_no_proof_and_no_doubt():
    gains = np.zeros(100)
    gains[:2] = 1e6
    assert not beats(gains)
    sound = 1 + 0.1 * np.random.default_rng(0).normal(size=100)
    sound[:2] = 1e6  # their error alone would hide the rest
    assert stats.ttest_1samp(sound, 0, alternative="greater").pvalue > 2e-5
    assert beats(sound)


def test_a_group_of_rows_counts_once():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(40), 10)
    start = 3 + rng.random(400)
    gains = 0.25 + rng.normal(size=40)[labels]
    for groups, proof in ((np.arange(400), True), (labels, False)):
        judge = RoundJudge(groups)
        judge.see(start)
        assert judge.see(start - gains)
        assert bool(judge.verdict().best_epoch) is proof


def test_when_it_is_over():
    start = np.full(50, 2.0)
    rng = np.random.default_rng(0)

    def judge(*losses):
        judge = RoundJudge(np.arange(50))
        for loss in (start, *losses):
            judge.see(loss)
        return judge

    noise = 0.1 * rng.normal(size=(5, 50))
    worse, better = start + 0.5 + noise, start - 0.5 + noise
    assert not judge(*worse[:2]).is_over
    assert judge(*worse[:3]).is_over  # hopeless
    assert not judge(better[0], *worse[:4]).is_over
    assert judge(better[0], *worse).is_over  # tired
    assert judge(np.full(50, np.nan)).is_over
    assert judge(np.full(50, np.nan)).verdict()[1:] == (2.0, True)


@pytest.mark.parametrize(
    ("shape", "found", "expected"),
    [
        ((31, 5), None, False),
        ((32, 5), None, True),
        ((1000, 200), None, True),
        ((1001, 5), None, False),
        ((100, 201), None, False),
        ((100, 5), Dependence(np.arange(100) // 2, "groups"), True),
        ((100, 5), Dependence(np.arange(100) // 4, "groups"), False),
        ((100, 5), Dependence(np.arange(100), "rows in order", 3), False),
    ],
)
def test_which_tables_are_small(shape, found, expected):
    assert suits(shape, found) is expected


# -- the estimator --


@pytest.fixture(scope="module")
def fitted():
    return AutoencoderTransformer(2, random_state=0).fit(ROLL)


def test_a_small_table_is_cross_fitted(fitted):
    assert fitted._fitted.codec.blueprint.params["hidden_layer_sizes"] == HIDDEN
    assert 0 < fitted.best_iter_ <= fitted.n_iter_ <= 16
    assert len(fitted.loss_curve_) == len(fitted.validation_loss_curve_)
    assert fitted.n_iter_ == len(fitted.loss_curve_)
    best = fitted.validation_loss_curve_[fitted.best_iter_ - 1]
    assert fitted.best_loss_ == min(fitted.validation_loss_curve_) == best
    pca = PCA(2).fit(ROLL)
    assert fitted.score(ROLL) > pca.explained_variance_ratio_.sum() + 0.02
    error = np.square(ROLL - fitted.reconstruct(ROLL)).mean()
    assert fitted.loss_curve_[fitted.best_iter_ - 1] == pytest.approx(error, rel=1e-4)
    assert fitted.reconstruction_error_ == pytest.approx(error, rel=1e-5)


def test_one_seed_one_fit(fitted):
    again = clone(fitted).fit(ROLL)
    assert_array_equal(again.transform(ROLL), fitted.transform(ROLL))
    assert again.loss_curve_ == fitted.loss_curve_
    other = clone(fitted).set_params(random_state=1).fit(ROLL)
    assert other.loss_curve_ != fitted.loss_curve_


def test_noise_stays_pca():
    for seed in range(5):
        X = np.random.default_rng(seed).normal(size=(80, 6)) * np.arange(1, 7)
        model = AutoencoderTransformer(2, random_state=seed).fit(X)
        assert model.best_iter_ == 0
        pca = PCA(2).fit(X)
        back = pca.inverse_transform(pca.transform(X))
        assert_allclose(model.reconstruct(X), back, atol=1e-4)


def test_what_pca_does_without_loss_is_left_alone():
    X = np.random.default_rng(0).normal(size=(60, 2)) @ np.ones((2, 5))
    assert AutoencoderTransformer(2, random_state=0).fit(X).best_iter_ == 0
    assert AutoencoderTransformer(9, random_state=0).fit(IRIS).best_iter_ == 0


@pytest.mark.parametrize(
    "params",
    [
        *({"max_iter": 5}, {"hidden_layer_sizes": (128, 64)}, {"noise": "swap"}),
        *({"penalty": "l1"}, {"loss": "huber"}, {"n_components": 0.9}),
        *({"ordered": True}, {"optimizer__betas": (0.9, 0.99)}, {"tol": 0.01}),
        *({"init": "random"}, {"callbacks": [Callback()]}, {"dropout": 0.1}),
    ],
    ids=lambda params: next(iter(params)),
)
def test_other_ways_of_training_are_judged_by_rows_set_aside(params):
    assert AutoencoderTransformer(2)._may_cross_fit
    assert not AutoencoderTransformer(2).set_params(**params)._may_cross_fit
    assert not DenoisingAutoencoder(2)._may_cross_fit
    assert not VariationalAutoencoder(2)._may_cross_fit


def test_callbacks_hear_of_rounds_and_see_the_model(fitted):
    class Look(Callback):
        epochs_only = True

        def watch(self, codec, rows, goes_on=False):
            import contextlib

            self.codec, self.scores, self.rows = codec, [], rows
            return contextlib.nullcontext()

        def on_epoch_end(self, net, **kwargs):
            back = self.codec.reconstruct(ROLL)
            self.scores.append(np.square(ROLL - back).mean())

    look = Look()
    model = clone(fitted).set_params(callbacks=[look]).fit(ROLL)
    assert_allclose(look.scores, model.loss_curve_, rtol=1e-4)
    assert_array_equal(model.transform(ROLL), fitted.transform(ROLL))
    assert set(look.rows) == {"train"}


def test_a_callback_may_end_it_and_so_may_ctrl_c():
    class End(Callback):
        epochs_only = True

        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt  # skorch's way to end a fit

    class CtrlC(End):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    model = AutoencoderTransformer(2, random_state=0, callbacks=[End()]).fit(WINE)
    assert model.n_iter_ == 2
    model = AutoencoderTransformer(2, random_state=0, callbacks=[CtrlC()])
    with (
        pytest.warns(ConvergenceWarning, match="interrupted in epoch 2"),
        pytest.raises(KeyboardInterrupt),
    ):
        model.fit(WINE)
    assert model.n_iter_ == 1
    assert np.isfinite(model.transform(WINE)).all()


def test_it_goes_on_by_warm_start_and_in_passes(fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(warm_start=True)
    before = model.score(ROLL)
    model.set_params(max_iter=3).fit(ROLL)
    assert model.n_iter_ == fitted.n_iter_ + 3
    assert model.score(ROLL) >= before - 1e-6
    model.partial_fit(np.tile(ROLL, (10, 1)))  # of more rows than a small table has
    assert model.n_iter_ == fitted.n_iter_ + 4
    assert model._fitted.codec.blueprint.params["hidden_layer_sizes"] == HIDDEN


def test_rows_of_a_group_stand_in_one_fold(monkeypatch):
    seen = []
    init = CrossFit.__init__

    def note(self, X, axes, n_components, alpha, labels, *others):
        init(self, X, axes, n_components, alpha, labels, *others)
        seen.append((labels, self.folds))

    monkeypatch.setattr(CrossFit, "__init__", note)
    X = load_digits().data[:300]
    groups = np.random.default_rng(0).integers(0, 60, 300)
    AutoencoderTransformer(2, random_state=0).fit(X, groups=groups)
    _, folds = seen.pop()
    assert all(len(set(folds[groups == g])) == 1 for g in np.unique(groups))
    AutoencoderTransformer(2, random_state=0).fit(np.repeat(X[:100], 2, axis=0))
    _, folds = seen.pop()
    assert_array_equal(folds[::2], folds[1::2])  # equal rows
