import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from skorch.callbacks import Callback

from sklearn_ae import AdversarialAutoencoder
from sklearn_ae._engine.adversarial import N_DRAWS, Discriminator

X = np.random.default_rng(0).permutation(load_digits().data)
TRAIN, TEST = X[:1300], X[1300:]


def make(n_components=2, **params):
    return AdversarialAutoencoder(
        n_components,
        **{"hidden_layer_sizes": (64,), "max_iter": 5, "random_state": 0, **params},
    )


def three_clouds(n_samples, n_components, rng):
    """Draw from three clouds on a circle: what no linear map makes of digits."""
    angles = 2 * np.pi / 3 * rng.integers(0, 3, n_samples)
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return centres + 0.2 * rng.standard_normal((n_samples, n_components))


def energy_distance(x, y):
    """Székely's and Rizzo's statistic, unbiased, by its definition."""

    def within(x):
        return cdist(x, x).sum() / (len(x) * (len(x) - 1))

    return 2 * cdist(x, y).mean() - within(x) - within(y)


def p_value(x, y, n_permutations=199):
    """Permutation test of "x and y come from one distribution"."""
    both, rng = np.concatenate([x, y]), np.random.default_rng(0)
    distance = energy_distance(x, y)
    beaten = 0
    for _ in range(n_permutations):
        rng.shuffle(both)
        beaten += energy_distance(both[: len(x)], both[len(x) :]) >= distance
    return (beaten + 1) / (n_permutations + 1)


@pytest.fixture(scope="module")
def fitted():
    return make(adversarial_weight=1.0, max_iter=100).fit(TRAIN)


# -- the codes are as the prior is --


def test_held_out_codes_pass_a_two_sample_test():
    start, model = (
        make(prior=three_clouds, adversarial_weight=1.0, max_iter=n).fit(TRAIN)
        for n in (0, 100)
    )
    draws = three_clouds(1000, 2, np.random.default_rng(2))
    assert p_value(model.transform(TEST), draws) > 0.02
    assert p_value(start.transform(TEST), draws) < 0.01  # it can tell


def test_moments_of_held_out_codes(fitted):
    codes = fitted.transform(TEST)
    assert_allclose(codes.mean(axis=0), 0, atol=0.2)
    assert_allclose(np.cov(codes.T), np.eye(2), atol=0.2)
    assert np.abs(stats.kurtosis(codes)).max() < 0.7


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_held_out_codes_come_near_the_prior(prior):
    params = {"prior": prior, "adversarial_weight": 1.0}
    start, model = (make(max_iter=n, **params).fit(TRAIN) for n in (0, 100))
    draws = model._fitted_prior()(5000, 2, np.random.default_rng(2))
    before, after = (energy_distance(m.transform(TEST), draws) for m in (start, model))
    assert after < 0.6 * before


def test_and_rows_are_reconstructed_far_better_than_by_pca(fitted):
    pca = PCA(2).fit(TRAIN)
    theirs = np.square(TEST - pca.inverse_transform(pca.transform(TEST))).sum()
    assert np.square(TEST - fitted.reconstruct(TEST)).sum() < 0.8 * theirs


def test_more_weight_brings_codes_closer():
    distances = [
        make(adversarial_weight=weight, max_iter=40, early_stopping=False)
        .fit(TRAIN)
        .prior_distance_
        for weight in (0.0, 1.0)
    ]
    assert distances[1] < 0.5 * distances[0]


def test_wide_codes_are_held_without_loss():
    plain, model = (
        make(16, adversarial_weight=weight, max_iter=50).fit(TRAIN)
        for weight in (0.0, "auto")
    )
    assert model.best_iter_ > 0
    assert model.score(TEST) > plain.score(TEST) - 0.05
    assert model.prior_distance_ < plain.prior_distance_


def test_sample_decodes_draws_of_the_prior(fitted):
    rows = fitted.sample(200, random_state=0)
    assert rows.shape == (200, 64)
    assert rows.dtype == np.float64
    assert_array_equal(rows, fitted.sample(200, random_state=0))
    assert not np.array_equal(rows, fitted.sample(200, random_state=1))
    assert_allclose(rows.mean(axis=0), TRAIN.mean(axis=0), atol=2)
    # Made rows are as near to real ones as real ones' reconstructions are.
    nearest = cdist(rows, TRAIN).min(axis=1).mean()
    usual = cdist(fitted.reconstruct(TEST), TRAIN).min(axis=1).mean()
    assert nearest < 1.2 * usual


# -- the parts --


def test_distance_against_its_definition():
    rng = np.random.default_rng(0)
    draws, z = rng.normal(size=(300, 3)), rng.normal(0.3, 1.1, size=(200, 3))
    ours = Discriminator(draws, (4,)).distance(torch.from_numpy(z).float())
    unit = cdist(draws, draws).sum() / (300 * 299)
    assert ours.mean() == pytest.approx(energy_distance(z, draws) / unit, abs=1e-5)


def test_distance_of_more_codes_than_are_compared():
    draws = torch.randn(N_DRAWS, 2, generator=torch.Generator().manual_seed(0))
    z = torch.randn(9 * N_DRAWS, 2, generator=torch.Generator().manual_seed(1))
    assert abs(Discriminator(draws, (4,)).distance(z).mean().item()) < 0.02
    middle = Discriminator(draws, (4,)).distance(0 * z).mean().item()
    assert middle == pytest.approx(2**0.5 - 1, abs=0.05)  # E|z| and E|z - z'|, by hand


def test_starts_at_whitened_pca():
    pca = PCA(4, whiten=True, random_state=0).fit(TRAIN)
    start = make(4, max_iter=0, out_activation="identity").fit(TRAIN)
    spread = start.net_.criterion_.spread
    assert_allclose(spread, 1, atol=0.1)
    assert_allclose(start.transform(TEST), pca.transform(TEST) * spread, atol=1e-5)
    assert_allclose(
        start.reconstruct(TEST),
        pca.inverse_transform(pca.transform(TEST)),
        atol=1e-4,
    )


def test_the_judge_weighs_reconstruction_and_distance():
    start = make(max_iter=0, early_stopping=False).fit(TRAIN)
    recon = np.square(TRAIN - start.reconstruct(TRAIN)).mean() / start.scale_**2
    expected = recon + start.prior_distance_
    assert start.best_loss_ == pytest.approx(expected * start.scale_**2, rel=1e-4)


def test_both_players_have_an_optimizer_and_move():
    norms = []

    class Norms(Callback):
        def on_epoch_end(self, net, **kwargs):
            norms.append(
                [
                    sum(p.norm().item() for p in part.parameters())
                    for part in (net.module_, net.criterion_.discriminator)
                ]
            )

    net = make(max_iter=3, callbacks=[Norms()]).fit(TRAIN).net_
    assert net.optimizer_ is not net.discriminator_optimizer_
    own = {id(p) for g in net.optimizer_.param_groups for p in g["params"]}
    assert own == {id(p) for p in net.module_.parameters()}
    assert len({n[0] for n in norms}) == len({n[1] for n in norms}) == 3


def test_data_without_spread_do_not_break_it():
    flat = np.ones((40, 3))
    model = make(early_stopping=False).fit(flat)
    assert np.isfinite(model.transform(flat)).all()
    thin = TRAIN[:, :3] * [1, 0, 0]
    assert np.isfinite(make(3, early_stopping=False).fit(thin).transform(thin)).all()


# -- what every estimator must do --


def test_one_seed_one_fit_and_pickle(fitted):
    first, second = (make().fit(TRAIN) for _ in range(2))
    assert_array_equal(first.transform(TEST), second.transform(TEST))
    again = pickle.loads(pickle.dumps(first))
    assert_array_equal(first.transform(TEST), again.transform(TEST))
    assert_array_equal(first.sample(3, random_state=0), again.sample(3, random_state=0))
    assert clone(first).get_params() == first.get_params()


def test_partial_fit_goes_on_after_a_pickle_as_without():
    whole, parted = (make().partial_fit(TRAIN) for _ in range(2))
    for _ in range(2):
        whole.partial_fit(TRAIN)
        parted = pickle.loads(pickle.dumps(parted)).partial_fit(TRAIN)
    assert_array_equal(whole.transform(TEST), parted.transform(TEST))
    players = [m.net_.criterion_.discriminator.state_dict() for m in (whole, parted)]
    assert all(torch.equal(players[0][name], players[1][name]) for name in players[0])


def test_warm_start_keeps_the_discriminator():
    model = make(warm_start=True, max_iter=2, early_stopping=False).fit(TRAIN)
    before = model.net_.criterion_.discriminator.logit[0].weight.detach().clone()
    model.set_params(max_iter=0).fit(TRAIN)
    assert torch.equal(before, model.net_.criterion_.discriminator.logit[0].weight)


def test_divergence_leaves_finite_weights():
    model = make(learning_rate_init=1e20, optimizer="sgd", max_iter=5)
    with pytest.warns(ConvergenceWarning, match="The loss was not finite") as caught:
        model.fit(TRAIN)
    assert caught[0].filename == __file__  # the line that called fit
    assert np.isfinite(model.transform(TEST)).all()
    model = make().partial_fit(TRAIN).set_params(learning_rate_init=1e20)
    with pytest.warns(ConvergenceWarning, match="The loss was not finite"):
        model.partial_fit(TRAIN)
    model.set_params(learning_rate_init=0.001).partial_fit(TRAIN)  # warns no more
    assert np.isfinite(model.transform(TEST)).all()


def test_before_fit():
    with pytest.raises(NotFittedError):
        make().sample()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"prior": "cauchy"}, "The 'prior' parameter of AdversarialAutoencoder"),
        (
            {"prior": lambda n, k, rng: np.zeros(n)},
            r"prior must return .* Got \(1000,\)",
        ),
        ({"prior": lambda n, k, rng: np.full((n, k), np.nan)}, "not finite"),
        ({"adversarial_weight": -1}, "The 'adversarial_weight' parameter"),
        ({"discriminator_layer_sizes": (0,)}, "discriminator_layer_sizes must hold"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(TRAIN)


@pytest.mark.parametrize("n_samples", [0, 2.5])
def test_bad_n_samples(fitted, n_samples):
    with pytest.raises((ValueError, TypeError), match="n_samples"):
        fitted.sample(n_samples)
