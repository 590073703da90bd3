"""Losses, output activations and penalties: their formulas, and what they do."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import expit, rel_entr
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from skorch.callbacks import Callback

from sklearn_ae import AutoencoderTransformer, DenoisingAutoencoder
from sklearn_ae._engine.losses import LOSSES, OUTPUTS, PENALTIES
from sklearn_ae._engine.networks import DenseNetwork
from sklearn_ae._engine.objective import Objective
from sklearn_ae._engine.wrappers import KSparse

X = load_digits().data
TRAIN, TEST = X[:1300], X[1300:]
RELU = {"code_activation": "relu", "init": "random"}
LOGISTIC = {"code_activation": "logistic", "init": "random"}


def make(n_components=8, **params):
    return AutoencoderTransformer(
        n_components,
        **{"hidden_layer_sizes": (64,), "max_iter": 30, "random_state": 0, **params},
    )


def encoder(**params):
    torch.manual_seed(0)
    network = DenseNetwork(6, 4, (5,), "tanh", **params).double()
    return network, torch.randn(7, 6, dtype=torch.float64)


# -- formulas --


FORMULAS = {
    "l1": lambda z, rho: np.abs(z).sum(axis=1),
    "kl": lambda z, rho: np.full(
        len(z),
        sum(
            rel_entr(rho, unit) + rel_entr(1 - rho, 1 - unit) for unit in z.mean(axis=0)
        ),
    ),
}


@pytest.mark.parametrize("penalty", sorted(set(PENALTIES) - {"contractive"}))
def test_penalty_against_its_formula(penalty):
    network, x = encoder(code_activation="logistic")
    z = network.encode(x).detach()
    ours = PENALTIES[penalty](network.encode, x, z, 0.1)
    assert_allclose(ours, FORMULAS[penalty](z.numpy(), 0.1))


@pytest.mark.parametrize("grad", [True, False])
def test_contractive_is_the_squared_norm_of_the_jacobian(grad):
    network, x = encoder()
    with torch.set_grad_enabled(grad):
        ours = PENALTIES["contractive"](network.encode, x, None, None)
    for row, value in zip(x, ours, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda row: network.encode(row[None])[0], row
        )
        assert jacobian.shape == (4, 6)
        assert value.item() == pytest.approx(jacobian.square().sum().item())


def test_contractive_gradient_against_finite_differences():
    network, x = encoder()
    weight = network.encode[0].weight.detach().clone().requires_grad_()

    def penalty(weight):
        def encode(x):
            return network.encode[1:](x @ weight.T + network.encode[0].bias)

        return PENALTIES["contractive"](encode, x, None, None)

    assert torch.autograd.gradcheck(penalty, (weight,))


def test_k_sparse_keeps_the_largest_units_and_their_gradients():
    network, x = encoder()
    z = KSparse(network, None, 2).encode(x)
    whole = network.encode(x)
    for row, full in zip(z.tolist(), whole.tolist(), strict=True):
        threshold = sorted(map(abs, full))[-2]
        assert row == [u if abs(u) >= threshold else 0.0 for u in full]
    (gradient,) = torch.autograd.grad(z.sum(), network.encode[-1].bias)
    assert_allclose(gradient, (z != 0).sum(0))


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_judged_loss_is_loss_plus_weighted_penalty(penalty, loss):
    """At the start, by hand: the losses of rows and what the penalty adds."""
    if LOSSES[loss].counts and penalty == "contractive":
        pytest.skip("refused: tests/test_counts.py")
    data = TRAIN[:200] / 16
    params = LOGISTIC if penalty == "kl" else {}
    common = {"max_iter": 0, "early_stopping": False, "loss": loss, **params}
    plain = make(3, **common).fit(data)
    ours = make(3, penalty=penalty, penalty_weight=0.3, **common).fit(data)
    inner = torch.from_numpy(plain._fitted.codec.scaling.apply(data, np.float32))
    encode = plain.net_.module_.encode
    added = PENALTIES[penalty](encode, inner, encode(inner), 0.05).mean().item()
    unit = plain.scale_ ** LOSSES[loss].power
    assert ours.best_loss_ == pytest.approx(plain.best_loss_ + 0.3 * added * unit)
    assert added > 0


# -- what they do --


def test_l1_on_a_relu_code_gives_zeros():
    plain = make(16, **RELU).fit(TRAIN)
    sparse = make(16, penalty="l1", penalty_weight=0.03, **RELU).fit(TRAIN)
    zeros = [(m.transform(TEST) == 0).mean() for m in (plain, sparse)]
    assert zeros[0] < 0.1
    assert zeros[1] > 0.3
    assert sparse.score(TEST) > 0.6


def test_l1_shrinks_codes_from_the_pca_start_too():
    plain, sparse = (make(penalty=penalty).fit(TRAIN) for penalty in (None, "l1"))
    assert sparse.best_iter_ > 0
    sizes = [np.abs(m.transform(TEST)).sum() for m in (plain, sparse)]
    assert sizes[1] < 0.7 * sizes[0]


def test_kl_holds_mean_activations():
    plain = make(32, **LOGISTIC).fit(TRAIN)
    sparse = make(32, penalty="kl", sparsity=0.1, penalty_weight=0.1, **LOGISTIC)
    means = [m.transform(TRAIN).mean(axis=0) for m in (plain, sparse.fit(TRAIN))]
    assert np.abs(means[1] - 0.1).max() < 0.04
    assert np.abs(means[0] - 0.1).max() > 0.2
    codes = sparse.transform(TEST)
    assert codes.min() >= 0
    assert codes.max() <= 1
    assert sparse.score(TEST) > 0.5


def test_contractive_codes_move_less():
    def sensitivity(model):
        step = 1e-4 * np.random.default_rng(0).normal(size=TEST.shape)
        moved = model.transform(TEST + step) - model.transform(TEST)
        return np.square(moved).sum() / np.square(step).sum()

    plain = make().fit(TRAIN)
    contractive = make(penalty="contractive", penalty_weight=0.05).fit(TRAIN)
    assert contractive.best_iter_ > 0
    assert sensitivity(contractive) < 0.5 * sensitivity(plain)


@pytest.mark.parametrize(
    ("sparsity", "n_active"), [("auto", 4), (3, 3), (0.5, 8), (0.001, 1), (99, 16)]
)
def test_k_sparse_codes_have_few_units(sparsity, n_active):
    sparse = make(16, penalty="k_sparse", sparsity=sparsity, max_iter=2).fit(TRAIN)
    assert (np.count_nonzero(sparse.transform(TEST), axis=1) == n_active).all()


def test_k_sparse_starts_at_the_largest_of_pcas_codes():
    start = make(6, penalty="k_sparse", sparsity=2, max_iter=0).fit(TRAIN)
    codes = PCA(6, random_state=0).fit(TRAIN).transform(TEST)
    small = np.argsort(np.abs(codes), axis=1)[:, :4]
    np.put_along_axis(codes, small, 0.0, axis=1)
    assert_allclose(start.transform(TEST), codes, atol=1e-4)
    trained = make(6, penalty="k_sparse", sparsity=2).fit(TRAIN)
    assert trained.score(TEST) > start.score(TEST) + 0.1


@pytest.mark.parametrize("out_activation", ["tanh", "logistic"])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_out_activation_bounds_reconstructions(out_activation, loss):
    low, high = OUTPUTS[out_activation].bounds
    data = low + (high - low) * X / 16
    train, test = data[:1300], data[1300:]
    start, model = (
        make(4, out_activation=out_activation, loss=loss, max_iter=n).fit(train)
        for n in (0, 30)
    )
    pca = PCA(4, random_state=0).fit(train)
    expected = pca.inverse_transform(pca.transform(test)).clip(low, high)
    assert_allclose(start.reconstruct(test), expected, atol=2.1e-3)
    assert model.scale_ == 1.0
    for rows in (model.reconstruct(test), model.inverse_transform(1e3 * np.eye(4))):
        assert rows.min() >= low
        assert rows.max() <= high
    assert model.score(test) > start.score(test) + 0.05
    with pytest.raises(ValueError, match=f"out_activation='{out_activation}' needs X"):
        model.fit(16 * data)


def test_clip_holds_reconstructions_within_the_training_range():
    start, model, free = (
        make(4, out_activation=output, max_iter=n).fit(TRAIN)
        for output, n in (("clip", 0), ("clip", 30), ("identity", 30))
    )
    pca = PCA(4, random_state=0).fit(TRAIN)
    expected = pca.inverse_transform(pca.transform(TEST))
    assert expected.min() < -1  # or there would be nothing to clip
    expected = expected.clip(0, 16)
    assert_allclose(start.transform(TEST), pca.transform(TEST), atol=1e-4)
    assert_allclose(start.reconstruct(TEST), expected, atol=1e-4)
    assert_allclose(start.inverse_transform(start.transform(TEST)), expected, atol=1e-4)
    assert model.data_range_ == (0.0, 16.0)
    for rows in (model.reconstruct(TEST), model.inverse_transform(1e3 * np.eye(4))):
        assert rows.min() == 0.0  # exactly, or logarithms would fail
        assert rows.max() == 16.0
    assert model.score(TEST) > max(start.score(TEST), free.score(TEST)) + 0.01
    errors = np.square(TRAIN - model.reconstruct(TRAIN)).mean()
    assert model.reconstruction_error_ == pytest.approx(errors, rel=1e-5)


@pytest.mark.parametrize("mean", [-7, 100_000])
@pytest.mark.parametrize("factor", [1.0, 1e-6, 1e6])
def test_clip_ends_are_the_data_s_own_at_any_mean_and_scale(factor, mean):
    data = (TRAIN.astype(np.float32) + mean) * np.float32(factor)
    model = make(3, out_activation="clip", max_iter=5).fit(data)
    rows = model.inverse_transform(np.float32(1e3 * factor) * np.eye(3, dtype="f4"))
    assert rows.dtype == np.float32
    assert (rows.min(), rows.max()) == (data.min(), data.max())


def test_a_row_beyond_the_ends_is_reconstructed_as_the_nearest_rows_can_be():
    far = TEST[:20].copy()
    far[:, 20:24] = 160.0  # ten times the largest value of the training rows
    model = make(4, out_activation="clip", max_iter=0).fit(TRAIN)
    free = make(4, out_activation="identity", max_iter=0).fit(TRAIN)
    clipped = free.reconstruct(far).clip(0, 16)
    assert_allclose(model.reconstruct(far), clipped, atol=1e-4)


def test_gradients_pass_the_clip():
    low, high = np.float32([-1, -1, 0]), np.float32([1, 2, 0.5])
    objective = Objective(LOSSES["squared_error"], OUTPUTS["clip"], ends=(low, high))
    decoded = torch.tensor([[-3.0, 0.5, 0.7], [4.0, 2.5, -1.0]], requires_grad=True)
    target = torch.tensor([[-1.0, 0.0, 0.2], [0.5, 2.0, 0.5]])
    objective.cell_losses(decoded, target).sum().backward()
    held = decoded.detach().clamp(torch.from_numpy(low), torch.from_numpy(high))
    torch.testing.assert_close(decoded.grad, 2 * (held - target) / 3)


def test_what_is_clipped_to_its_target_learns_nothing_in_bfloat16_either():
    low = np.float32([-0.4237])  # which bfloat16 has not
    ends = low, np.float32([2.0])
    objective = Objective(LOSSES["squared_error"], OUTPUTS["clip"], ends=ends)
    decoded = torch.tensor([[-1.0]], dtype=torch.bfloat16, requires_grad=True)
    losses = objective.cell_losses(decoded, torch.from_numpy(low)[None])
    losses.sum().backward()
    assert abs(losses.item()) < 1e-12
    assert abs(decoded.grad.item()) < 1e-6


def test_training_loss_is_of_the_activated_output():
    data = TRAIN / 16
    model = make(4, out_activation="logistic", max_iter=3, early_stopping=False)
    errors = np.square(data - model.fit(data).reconstruct(data)).mean(axis=1)
    assert model.best_loss_ == pytest.approx(errors.mean(), rel=1e-5)


def test_logistic_pca_against_a_direct_optimisation():
    """Without hidden layers cross-entropy has an objective that L-BFGS can minimise."""
    data = (TRAIN[:400, 10:40] > 6).astype(float)
    d, k = data.shape[1], 2

    def objective(flat):
        w, b, v, m = np.split(flat, np.cumsum([k * d, k, d * k]))
        w, v = w.reshape(k, d), v.reshape(d, k)
        z = data @ w.T + b
        logits = z @ v.T + m
        loss = (np.logaddexp(0, logits) - data * logits).mean()
        slope = (expit(logits) - data) / data.size
        back = slope @ v
        parts = back.T @ data, back.sum(0), slope.T @ z, slope.sum(0)
        return loss, np.concatenate([part.ravel() for part in parts])

    rng = np.random.default_rng(0)
    best = min(
        minimize(objective, rng.normal(size=2 * k * d + k + d) / 5, jac=True).fun
        for _ in range(3)
    )
    ours = min(  # of three starts too: both have local minima
        make(
            k,
            hidden_layer_sizes=(),
            loss="binary_cross_entropy",
            init="random",
            alpha=0.0,
            early_stopping=False,
            max_iter=200,
            learning_rate_init=0.02,
            random_state=seed,
        )
        .fit(data)
        .best_loss_
        for seed in range(3)
    )
    assert ours < 1.02 * best


# -- parameters --


def test_noise_goes_with_every_estimator():
    params = {"noise": "masking", "noise_level": 0.3, "max_iter": 2, "random_state": 0}
    ours = AutoencoderTransformer(4, **params).fit(TRAIN)
    theirs = DenoisingAutoencoder(4, **params).fit(TRAIN)
    assert_array_equal(ours.transform(TEST), theirs.transform(TEST))


@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_learning_rate_schedule(schedule):
    class Rates(Callback):
        def on_batch_end(self, net, training, **kwargs):
            if training:
                seen.append(net.optimizer_.param_groups[0]["lr"])

    seen = []
    make(learning_rate=schedule, max_iter=5, callbacks=[Rates()]).fit(TRAIN)
    assert max(seen) == pytest.approx(
        0.002 if schedule == "constant" else 0.004, rel=0.01
    )
    assert (min(seen) == max(seen)) == (schedule == "constant")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"penalty": "l2"}, "The 'penalty' parameter of AutoencoderTransformer"),
        ({"penalty": "kl"}, "set code_activation='logistic' and init='random'"),
        ({"code_activation": "relu"}, "init='pca' starts at a linear code"),
        ({"penalty": "kl", "sparsity": 3, **LOGISTIC}, "sparsity is the mean act"),
        ({"sparsity": 1.5}, "The 'sparsity' parameter"),
        ({"sparsity": 0}, "The 'sparsity' parameter"),
        ({"penalty_weight": -1}, "The 'penalty_weight' parameter"),
        ({"out_activation": "relu"}, "The 'out_activation' parameter"),
        (
            {"loss": "binary_cross_entropy", "out_activation": "tanh"},
            "loss='binary_cross_entropy' goes with out_activation='auto' or 'logistic'",
        ),
        ({"learning_rate": "adaptive"}, "The 'learning_rate' parameter"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(TRAIN / 16)


@pytest.mark.parametrize("penalty", ["l1", "k_sparse"])
def test_a_warm_start_may_change_the_penalty_but_not_the_structure(penalty):
    model = make(penalty=None, max_iter=1, warm_start=True).fit(TRAIN)
    model.set_params(penalty=penalty)
    if penalty == "l1":
        assert model.fit(TRAIN).n_iter_ == 2
    else:
        with pytest.raises(ValueError, match="penalty has changed since the last fit"):
            model.fit(TRAIN)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "binary_cross_entropy"},
        {"out_activation": "logistic"},
        {"out_activation": "tanh"},
    ],
)
def test_bounded_outputs_learn_in_bfloat16(options):
    # Black and white pixels: PCA reconstructs beyond them, where links end.
    X = np.repeat(np.random.default_rng(0).uniform(size=(400, 4)) > 0.5, 8, axis=1)
    low = -1.0 if options.get("out_activation") == "tanh" else 0.0
    model = AutoencoderTransformer(
        *(2,), precision="bfloat16", max_iter=3, early_stopping=False, random_state=0
    )
    model.set_params(**options).fit(np.where(X, 1.0, low))
    assert model.best_iter_ > 0
    assert np.isfinite(model.loss_curve_).all()
