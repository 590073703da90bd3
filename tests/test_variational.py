import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from torch import nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from sklearn_ae import VariationalAutoencoder
from sklearn_ae._convolutional import ConvolutionalNetwork
from sklearn_ae._engine.plan import n_aside
from sklearn_ae._engine.variational import (
    LEAST_NOISE,
    VariationalNetwork,
    kl_to_prior,
    prior_draws,
    probabilistic_pca,
)
from sklearn_ae._engine.wrappers import Widths

DIGITS = load_digits().data
TRAIN, TEST = DIGITS[:1300], DIGITS[1300:]
IRIS = load_iris().data


def make(n_components=2, **params):
    """Make a small, quick one."""
    return VariationalAutoencoder(
        n_components,
        **{"hidden_layer_sizes": (32,), "max_iter": 5, "random_state": 0, **params},
    )


def low_rank(n_samples=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3)) @ rng.normal(size=(3, 8))
    return 5 + X + 0.5 * rng.normal(size=X.shape)


def posterior(vae, X):
    """Means and variances of the codes, in float64."""
    x = torch.from_numpy(vae._fitted.codec.scaling.apply(X, np.float64))
    with torch.no_grad():
        mean, log_variance = vae.net_.module_as(torch.float64).posterior(x)
    return mean.numpy(), np.exp(log_variance.numpy())


def reference_bound(vae, X, rng, n_draws):
    """The evidence lower bound and its standard error, by numpy and scipy alone."""
    mean, variance = posterior(vae, X)
    draws = []
    for _ in range(n_draws):
        z = rng.normal(mean, np.sqrt(variance))
        rows = vae.inverse_transform(z)
        if vae.loss == "squared_error":
            cells = stats.norm(rows, np.sqrt(vae.noise_variance_)).logpdf(X)
        else:
            cells = X * np.log(rows) + (1 - X) * np.log1p(-rows)
        ratio = stats.norm.logpdf(z) - stats.norm(mean, np.sqrt(variance)).logpdf(z)
        draws.append(cells.sum(axis=1) + ratio.sum(axis=1))
    return np.mean(draws, axis=0), np.std(draws, axis=0) / n_draws**0.5


# -- the parts --


def test_divergence_against_torch_and_monte_carlo():
    rng = np.random.default_rng(0)
    mean, log_variance = torch.from_numpy(rng.normal(size=(2, 50, 3)))
    std = torch.exp(log_variance / 2)
    ours = kl_to_prior(mean, log_variance)
    closed = kl_divergence(Normal(mean, std), Normal(torch.zeros(3), torch.ones(3)))
    torch.testing.assert_close(ours, closed.to(ours))
    z = rng.normal(mean[0], std[0], size=(50_000, 3))
    ratio = stats.norm.logpdf(z, mean[0], std[0]) - stats.norm.logpdf(z)
    error = ratio.std(axis=0) / len(z) ** 0.5
    assert (np.abs(ours[0].numpy() - ratio.mean(axis=0)) < 4 * error).all()
    assert kl_to_prior(torch.zeros(1), torch.zeros(1)).item() == 0


@pytest.mark.parametrize("n_components", [1, 2, 8, 20])
def test_draws_have_the_moments_of_the_prior(n_components):
    draws = prior_draws(n_components).double().numpy()
    assert_allclose(draws.mean(axis=0), 0, atol=1e-7)
    moments = draws.T @ draws / len(draws)
    assert_allclose(np.diag(moments), 1, atol=1e-6)
    assert_allclose(moments[:8, :8], np.eye(min(n_components, 8)), atol=1e-6)


class Bend(nn.Module):
    """A network with every kind of path, in float64."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 6))
        self.decode = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5))


def test_gradients_through_the_draw_against_finite_differences():
    torch.manual_seed(0)
    module = VariationalNetwork(Bend(), Widths(5, 3, 6, 3), gaussian=True).double()
    x = torch.randn(7, 5, dtype=torch.float64)
    parameters = dict(module.named_parameters())

    def loss(*values):
        torch.manual_seed(1)  # the same draw each time
        given = dict(zip(parameters, values, strict=True))
        decoded, mean, log_variance = torch.func.functional_call(module, given, x)
        errors = (decoded - x).square().mean(1)
        return (module.nats(errors) + kl_to_prior(mean, log_variance).sum(1)).mean()

    assert torch.autograd.gradcheck(loss, tuple(parameters.values()))


def test_a_draw_in_training_the_mean_otherwise():
    torch.manual_seed(0)
    module = VariationalNetwork(Bend(), Widths(5, 3, 6, 3), gaussian=True).double()
    x = torch.randn(1, 5, dtype=torch.float64).expand(20_000, 5)
    with torch.no_grad():
        mean, log_variance = module.posterior(x)
        assert torch.equal(module.eval()(x)[0], module.decode(mean))
        module.network.decode = nn.Identity()  # codes come out
        z = module.train()(x)[0]
    assert_allclose(z.mean(0), mean[0], atol=0.03)
    assert_allclose(z.var(0), log_variance[0].exp(), rtol=0.05)


# -- the start is probabilistic PCA --


@pytest.mark.parametrize(
    ("X", "n_components"),
    [(DIGITS, 2), (DIGITS, 30), (IRIS, 1), (IRIS, 3), (1e6 * IRIS, 2), (low_rank(), 3)],
)
def test_before_the_first_step_the_bound_is_the_density_of_pca(X, n_components):
    pca = PCA(n_components, random_state=0).fit(X)
    vae = make(n_components, max_iter=0, out_activation="identity").fit(X)
    assert_allclose(vae.score_samples(X), pca.score_samples(X), atol=1e-4)
    noise = pca.noise_variance_
    assert vae.noise_variance_ == pytest.approx(noise, rel=1e-5)
    gain = np.sqrt(pca.explained_variance_ - noise) / pca.explained_variance_
    assert_allclose(vae.transform(X), pca.transform(X) * gain, atol=1e-4)
    mean, variance = posterior(vae, X)
    expected = np.tile(noise / pca.explained_variance_, (len(X), 1))
    assert_allclose(variance, expected, rtol=1e-5)
    by_torch = kl_divergence(
        Normal(*map(torch.from_numpy, (mean, np.sqrt(variance)))), Normal(0, 1)
    )
    assert_allclose(vae.kl_, by_torch.mean(0), rtol=1e-4)


def test_as_many_units_as_columns_or_more():
    full = PCA().fit(IRIS).score_samples(IRIS)  # a normal density, nothing left out
    for n_components in (4, 7):
        vae = make(n_components, max_iter=0).fit(IRIS)
        assert_allclose(vae.score_samples(IRIS), full, atol=1e-4)
        assert (vae.kl_[:4] > 0.1).all()
        assert_allclose(vae.kl_[4:], 0, atol=1e-12)
    trained = make(7, early_stopping=False).fit(IRIS)
    assert np.isfinite(trained.score_samples(IRIS)).all()
    column = make(1, max_iter=0).fit(IRIS[:, :1])
    expected = stats.norm(IRIS[:, 0].mean(), IRIS[:, 0].std(ddof=1)).logpdf(IRIS[:, 0])
    assert_allclose(column.score_samples(IRIS[:, :1]), expected, atol=1e-5)


def linear_loss(noise, variances, left, n_features, beta):
    """What `probabilistic_pca` minimises, for a given noise variance."""
    s = beta * noise
    kept = variances[variances > s]
    error = (len(kept) * s + left + variances[variances <= s].sum()) / noise
    return n_features * np.log(noise) + error + beta * np.log(kept / s).sum()


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0, 2.0, 10.0])
def test_the_linear_optimum_is_that_of_a_grid(beta):
    rng = np.random.default_rng(0)
    for _ in range(10):
        n_features = rng.integers(1, 12)
        variances = np.sort(rng.exponential(size=n_features) ** 2)[::-1]
        k = rng.integers(1, n_features + 1)
        problem = variances[:k], variances[k:].sum(), n_features, beta
        n_kept, noise = probabilistic_pca(*problem)
        assert n_kept == (variances[:k] > beta * noise).sum()
        grid = np.geomspace(LEAST_NOISE, 2 * variances.sum(), 2000)
        best = min(linear_loss(value, *problem) for value in grid)
        assert linear_loss(noise, *problem) <= best + 1e-6


@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
def test_training_does_not_leave_the_linear_optimum(beta):
    X = low_rank()
    params = {
        "hidden_layer_sizes": (),
        "early_stopping": False,
        "batch_size": 100,
        "beta": beta,
    }
    start = make(3, **params, max_iter=0).fit(X)
    trained = make(3, **params, alpha=0.0, max_iter=40).fit(X)
    assert trained.best_loss_ <= start.best_loss_
    assert trained.best_loss_ == pytest.approx(start.best_loss_, abs=5e-3)
    assert trained.noise_variance_ == pytest.approx(start.noise_variance_, rel=0.1)


def test_a_linear_one_from_random_weights_ends_at_probabilistic_pca():
    """Lucas et al. (2019)."""
    X = low_rank()
    vae = make(
        3,
        init="random",
        hidden_layer_sizes=(),
        early_stopping=False,
        alpha=0.0,
        batch_size=100,
        learning_rate_init=0.05,
        max_iter=150,
    ).fit(X)
    pca = PCA(3).fit(X)
    assert vae.score_samples(X).mean() == pytest.approx(pca.score(X), abs=0.1)
    assert vae.noise_variance_ == pytest.approx(pca.noise_variance_, rel=0.1)
    assert vae.score(X) == pytest.approx(pca.explained_variance_ratio_.sum(), abs=0.02)


# -- the bound --


def test_the_bound_is_below_the_density():
    """Of a linear model far from its optimum, whose density is known."""
    X = low_rank()
    vae = make(3, init="random", hidden_layer_sizes=(), max_iter=2).fit(X)
    mean = vae.inverse_transform(np.zeros((1, 3)))[0]
    W = vae.inverse_transform(np.eye(3)) - mean
    covariance = W.T @ W + vae.noise_variance_ * np.eye(8)
    gap = stats.multivariate_normal(mean, covariance).logpdf(X) - vae.score_samples(X)
    assert (gap > 0).all()
    # It is the divergence of the encoder's codes from the true posterior.
    precision = np.eye(3) + W @ W.T / vae.noise_variance_
    exact = np.linalg.solve(precision, W @ (X - mean).T / vae.noise_variance_).T
    means, variances = (torch.from_numpy(part) for part in posterior(vae, X))
    by_torch = kl_divergence(
        MultivariateNormal(means, torch.diag_embed(variances)),
        MultivariateNormal(*map(torch.from_numpy, (exact, np.linalg.inv(precision)))),
    )
    assert_allclose(gap, by_torch, rtol=1e-4)


@pytest.mark.parametrize(
    "params",
    [{}, {"out_activation": "logistic"}, {"loss": "binary_cross_entropy", "beta": 0.5}],
)
def test_the_bound_against_monte_carlo(params):
    X = DIGITS[:1000] / 16
    vae = make(4, **params, early_stopping=False).fit(X)
    assert vae.best_iter_ > 0
    bound, error = reference_bound(vae, X[:200], np.random.default_rng(0), 300)
    ours = vae.score_samples(X[:200])
    assert ours.mean() == pytest.approx(bound.mean(), abs=0.1)
    assert np.abs(ours - bound).mean() < 0.5 + 3 * error.mean()
    assert ours.dtype == np.float64


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_loss_is_minus_the_bound_per_cell(loss, early_stopping):
    X = DIGITS / 16
    vae = make(4, loss=loss, early_stopping=early_stopping).fit(X)
    rows = X
    if early_stopping:
        order = np.random.default_rng(vae._fitted.split_seed).permutation(len(X))
        rows = X[order[: n_aside(vae, X, ordered=False)]]
        best = min(vae.validation_loss_curve_)
        assert vae.best_loss_ == pytest.approx(best, rel=1e-5)
    bound = vae.score_samples(rows).mean() / 64
    assert vae.best_loss_ == pytest.approx(-bound, rel=1e-4)
    assert vae.loss_ == pytest.approx(-bound, abs=0.05)


def test_beta_weighs_the_divergence():
    one, four = (
        make(4, beta=beta, max_iter=0, early_stopping=False, init="random").fit(DIGITS)
        for beta in (1.0, 4.0)
    )
    gap = four.best_loss_ - one.best_loss_
    assert gap == pytest.approx(3 * one.kl_.sum() / 64, rel=1e-3)
    assert_allclose(four.score_samples(TEST), one.score_samples(TEST))


def test_the_unit_of_the_data_shifts_the_bound():
    one, other = (make(2).fit(unit * IRIS) for unit in (1.0, 1e3))
    shift = other.score_samples(1e3 * IRIS) - one.score_samples(IRIS)
    assert_allclose(shift, -4 * np.log(1e3), atol=1e-2)
    assert other.best_loss_ - one.best_loss_ == pytest.approx(np.log(1e3), abs=1e-3)
    assert other.noise_variance_ == pytest.approx(1e6 * one.noise_variance_, rel=1e-3)
    assert_allclose(other.transform(1e3 * IRIS), one.transform(IRIS), atol=1e-3)


def test_a_row_has_its_bound_whatever_its_neighbours_are():
    vae = make(4).fit(DIGITS)
    before = torch.get_rng_state()
    bounds = vae.score_samples(DIGITS)
    assert_allclose(vae.score_samples(DIGITS[::-1])[::-1], bounds, rtol=1e-12)
    assert_allclose(vae.score_samples(DIGITS[:3]), bounds[:3], rtol=1e-12)
    vae.sample(3, random_state=0)
    assert torch.equal(torch.get_rng_state(), before)
    single = vae.score_samples(DIGITS.astype(np.float32))
    assert single.dtype == np.float64
    assert_allclose(single, bounds, rtol=1e-6)


def test_rows_far_out_are_not_normal():
    vae = make(4, early_stopping=False).fit(DIGITS)
    for far in (1e2, 1e6, 1e140):
        bounds = vae.score_samples(TEST[:5] * far)
        assert (bounds < vae.score_samples(TEST).min()).all()
    with pytest.raises(ValueError, match="too large for float64"):
        vae.score_samples(TEST[:5] * 1e160)
    assert np.isfinite(vae.score_samples(TEST * 1e6)).all()


# -- training --


@pytest.mark.parametrize("n_components", [2, 8])
def test_held_out_digits_are_far_more_likely_than_by_pca(n_components):
    vae = make(n_components, hidden_layer_sizes=(256, 128), max_iter=20).fit(TRAIN)
    assert vae.score_samples(TEST).mean() > PCA(n_components).fit(TRAIN).score(TEST) + 6
    # The noise is that of rows it has not seen.
    train, test = (np.square(X - vae.reconstruct(X)).mean() for X in (TRAIN, TEST))
    assert train < vae.noise_variance_ < 1.25 * test


def test_probabilistic_pca_stays_where_it_is_the_truth():
    X = np.random.default_rng(0).normal(size=(300, 10)) * np.arange(1, 11)
    vae = VariationalAutoencoder(3, random_state=0).fit(X)
    assert vae.best_iter_ == 0
    assert vae.n_iter_ > 0
    assert_allclose(vae.score_samples(X), PCA(3).fit(X).score_samples(X), atol=1e-4)


@pytest.mark.parametrize("init", ["pca", "random"])
def test_a_large_beta_collapses_with_a_warning(init):
    params = {"early_stopping": False, "learning_rate_init": 0.01, "max_iter": 30}
    message = r"lower beta \(now 50\)" + (", or set init" if init == "random" else ".$")
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        vae = make(2, beta=50, init=init, **params).fit(IRIS)
    assert caught[0].filename == __file__
    assert vae.kl_.max() < 1e-3
    assert np.abs(vae.transform(IRIS)).max() < 0.2


def test_a_small_beta_reconstructs_better():
    scores, told = zip(
        *((vae.score(TEST), vae.kl_.sum()) for vae in map(fit_with, (0.1, 1.0, 4.0))),
        strict=True,
    )
    assert scores[0] > scores[1] > scores[2] > 0
    assert told[0] > told[1] > told[2] > 0


def fit_with(beta):
    return make(8, beta=beta, max_iter=15).fit(TRAIN)


def test_constant_data_are_no_collapse():
    X = np.full((50, 4), 0.1)
    vae = make(early_stopping=False).fit(X)
    assert_allclose(vae.reconstruct(X), X, rtol=1e-6)
    assert vae.noise_variance_ == pytest.approx(LEAST_NOISE)
    assert np.isfinite(vae.score_samples(X)).all()


@pytest.mark.parametrize("n_components", [1, 3, 8])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_noise_stays_above_zero(n_components, early_stopping):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 8))  # three units tell all
    X[:, 2] = 7.0
    vae = make(n_components, early_stopping=early_stopping).fit(X)
    assert vae.noise_variance_ >= 0.999 * LEAST_NOISE * vae.scale_**2
    assert np.isfinite(vae.score_samples(X)).all()
    assert np.isfinite(vae.best_loss_)
    assert n_components == 1 or vae.score(X) > 0.99


def test_divergence_is_undone():
    vae = make(4, optimizer="sgd", learning_rate_init=1e9, out_activation="identity")
    with pytest.warns(ConvergenceWarning, match="Try a smaller learning_rate_init"):
        vae.fit(DIGITS)
    pca = PCA(4, random_state=0).fit(DIGITS)
    assert_allclose(vae.score_samples(TEST), pca.score_samples(TEST), atol=1e-3)


@pytest.mark.parametrize(
    "params", [{"loss": "binary_cross_entropy"}, {"out_activation": "logistic"}]
)
def test_bounded_data(params):
    X = DIGITS / 16
    start, vae = (make(8, **params, max_iter=n).fit(X[:1300]) for n in (0, 20))
    test = X[1300:]
    gain = vae.score_samples(test).mean() - start.score_samples(test).mean()
    assert gain > 1
    assert vae.score(test) > 0.55
    for rows in (vae.sample(5, random_state=0), vae.reconstruct(test)):
        assert rows.min() >= 0
        assert rows.max() <= 1
    assert hasattr(vae, "noise_variance_") == ("loss" not in params)


def test_noise_is_removed():
    noisy = np.where(np.random.default_rng(0).random(TEST.shape) < 0.3, 0, TEST)
    plain, denoiser = (
        make(16, noise=noise, noise_level=0.3, max_iter=15).fit(TRAIN)
        for noise in (None, "masking")
    )
    errors = [
        np.square(vae.reconstruct(noisy) - TEST).mean() for vae in (plain, denoiser)
    ]
    assert errors[1] < 0.85 * errors[0]


@pytest.mark.parametrize("penalty", ["l1", "contractive"])
def test_penalties_hold_the_mean_code(penalty):
    params = {"early_stopping": False, "init": "random", "penalty_weight": 1.0}
    spread = [
        np.abs(make(4, **params, penalty=name).fit(DIGITS).transform(TEST)).mean()
        for name in (None, penalty)
    ]
    assert spread[1] < 0.8 * spread[0]


# -- new rows --


def test_samples_of_a_linear_model_have_the_moments_of_pca():
    X = low_rank()
    pca = PCA(3).fit(X)
    vae = make(3, max_iter=0).fit(X)
    rows = vae.sample(50_000, random_state=0)
    assert rows.dtype == np.float64
    signal = pca.get_covariance() - pca.noise_variance_ * np.eye(8)
    unit = np.trace(signal) / 8
    assert_allclose(rows.mean(axis=0), X.mean(axis=0), atol=0.03 * unit**0.5)
    assert_allclose(np.cov(rows.T), signal, atol=0.04 * unit)


def test_samples_look_like_the_data():
    vae = make(8, hidden_layer_sizes=(128,), max_iter=30).fit(TRAIN)
    rng = np.random.default_rng(0)
    rows = vae.sample(500, random_state=0)
    rows += rng.normal(scale=vae.noise_variance_**0.5, size=rows.shape)
    bounds = vae.score_samples(rows)
    assert bounds.mean() == pytest.approx(vae.score_samples(TEST).mean(), abs=10)


def test_samples_are_drawn_by_their_seed():
    vae = make(2).fit(IRIS)
    assert vae.sample().shape == (1, 4)
    assert_array_equal(vae.sample(5, random_state=3), vae.sample(5, random_state=3))
    assert not np.allclose(vae.sample(5), vae.sample(5))
    seed = np.random.RandomState(0)  # goes on
    assert not np.allclose(vae.sample(5, seed), vae.sample(5, seed))
    with pytest.raises(ValueError, match="n_samples == 0, must be >= 1"):
        vae.sample(0)
    with pytest.raises(TypeError, match="n_samples must be an instance of int"):
        vae.sample(2.5)
    with pytest.raises(NotFittedError):
        make().sample()


# -- manners --


@pytest.mark.parametrize("early_stopping", [True, False])
def test_one_seed_one_fit(early_stopping):
    first, second = (make(4, early_stopping=early_stopping).fit(TRAIN) for _ in "ab")
    for a, b in zip(*(vae.net_.module_.state_dict() for vae in (first, second))):  # noqa: B905
        assert a == b
    for a, b in zip(*(vae.net_.module_.parameters() for vae in (first, second))):  # noqa: B905
        assert torch.equal(a, b)
    assert first.loss_curve_ == second.loss_curve_
    assert first.noise_variance_ == second.noise_variance_
    assert_array_equal(first.score_samples(TEST), second.score_samples(TEST))
    assert first.loss_curve_ != make(4, random_state=1).fit(TRAIN).loss_curve_


def test_pickle_clone_deepcopy_and_set_output():
    vae = make(3, beta=2).fit(IRIS)
    assert clone(vae).get_params() == vae.get_params()
    assert clone(vae).beta == 2
    for other in (pickle.loads(pickle.dumps(vae)), copy.deepcopy(vae)):
        assert_array_equal(other.transform(IRIS), vae.transform(IRIS))
        assert_array_equal(other.score_samples(IRIS), vae.score_samples(IRIS))
        assert_array_equal(other.sample(3, 0), vae.sample(3, 0))
        other.partial_fit(IRIS)
    codes = vae.set_output(transform="pandas").transform(IRIS)
    assert isinstance(codes, pd.DataFrame)
    assert list(codes.columns) == [f"variationalautoencoder{i}" for i in range(3)]


def test_partial_fit_and_warm_start_go_on():
    chunks = np.array_split(TRAIN, 2)
    vae = make(8, hidden_layer_sizes=(128,))
    bounds = [
        vae.partial_fit(chunk).score_samples(TEST).mean()
        for _ in range(8)
        for chunk in chunks
    ]
    assert bounds[-1] > bounds[0] + 3
    assert vae.n_iter_ == 16
    assert vae.partial_fit(TRAIN[:1]).n_iter_ == 17
    warm = make(8, warm_start=True).fit(TRAIN)
    noise, bound = warm.noise_variance_, warm.score_samples(TEST).mean()
    warm.set_params(beta=0.9).fit(TRAIN)  # weights don't depend on it
    assert warm.n_iter_ == 10
    assert warm.noise_variance_ < noise
    assert warm.score_samples(TEST).mean() > bound
    with pytest.raises(ValueError, match="n_components has changed since the last fit"):
        warm.set_params(n_components=3).fit(TRAIN)


class Own(nn.Module):
    """A user's network; `n_out` codes for each code unit."""

    def __init__(self, n_features, n_components, n_out=2):
        super().__init__()
        self.encode = nn.Linear(n_features, n_out * n_components)
        self.decode = nn.Linear(n_components, n_features)

    def forward(self, x):
        raise NotImplementedError


@pytest.mark.parametrize("init", ["pca", "random"])
def test_a_network_of_ones_own(init):
    vae = make(4, module=Own, init=init, early_stopping=False, max_iter=20).fit(TRAIN)
    assert vae.transform(TEST).shape == (497, 4)
    assert vae.score_samples(TEST).mean() > PCA(1).fit(TRAIN).score(TEST)
    message = r"Own.encode must .*, 2 \* n_components\), here \(2, 8\). Got \(2, 4\)"
    with pytest.raises(ValueError, match=message):
        make(4, module=Own, module__n_out=1, init=init).fit(TRAIN)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"beta": 0}, "The 'beta' parameter of VariationalAutoencoder must be a float"),
        ({"beta": "big"}, "The 'beta' parameter .* Got 'big' instead"),
        ({"loss": "huber"}, "The 'loss' parameter .*binary_cross_entropy.*Got 'huber'"),
        ({"code_activation": "relu"}, "The 'code_activation' parameter .*'identity'"),
        ({"penalty": "kl"}, "The 'penalty' parameter of VariationalAutoencoder .*'l1'"),
        ({"penalty": "k_sparse"}, "The 'penalty' parameter .* Got 'k_sparse' instead"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(IRIS)


def test_a_network_that_takes_n_encoded_is_given_it():
    params = {"module": ConvolutionalNetwork, "module__image_shape": (1, 8, 8)}
    vae = make(3, early_stopping=False, **params).fit(TRAIN)
    assert vae.transform(TEST).shape == (len(TEST), 3)
    assert vae.score_samples(TEST).mean() > PCA(3).fit(TRAIN).score(TEST)


def test_a_beta_that_underflows():
    X = np.random.default_rng(0).normal(size=(30, 4))
    model = VariationalAutoencoder(2, beta=5e-324, max_iter=0).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
