"""Gradients by hand against autograd's."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ae import AutoencoderTransformer
from sklearn_ae._engine.backward import CURVES, SLOPES, Step
from sklearn_ae._engine.losses import LOSSES, OUTPUTS
from sklearn_ae._engine.net import AutoencoderNet
from sklearn_ae._engine.networks import ACTIVATIONS, DenseNetwork
from sklearn_ae._engine.objective import Objective, OrderedObjective
from sklearn_ae._engine.wrappers import Ordered, PCAStart, Widths

N_FEATURES, N_COMPONENTS = 7, 3
BY_HAND = [name for name, loss in LOSSES.items() if loss.criterion in SLOPES]


def made(
    *,
    loss="squared_error",
    out_activation="auto",
    ordered=False,
    flags=True,
    ends=False,
    penalty=None,
    unit=1.0,
    **params,
):
    """Return a module of random weights, and an objective, in float64."""
    torch.manual_seed(0)
    n_decoded = N_COMPONENTS * (1 + (ordered and flags))
    widths = Widths(N_FEATURES, N_COMPONENTS, N_COMPONENTS, n_decoded)
    network = DenseNetwork(N_FEATURES, n_decoded, n_encoded=N_COMPONENTS, **params)
    output = OUTPUTS[out_activation]
    module = PCAStart(network, widths, output.link, unit)
    if ordered:
        module = Ordered(module, widths)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.4)
    if ends:
        ends = np.full(N_FEATURES, -0.3), np.full(N_FEATURES, 0.6)
    objective, own = Objective, {}
    if ordered:
        objective, own = OrderedObjective, {"unexplained": np.array([0.6, 0.3, 0.1])}
    own = {**own, "ends": ends or None, "penalty": penalty}
    return module.double(), objective(LOSSES[loss], output, **own).double()


def batch():
    rng = torch.Generator().manual_seed(1)
    return torch.randn(2, 13, N_FEATURES, generator=rng, dtype=torch.float64)


def by_autograd(module, objective, inputs, targets):
    module.train().zero_grad()
    torch.manual_seed(2)  # of the lengths of an ordered code
    y_pred = objective.predict(module, inputs)
    loss = objective.row_losses(module, y_pred, targets, inputs).mean()
    loss.backward()
    return loss.detach(), y_pred, [p.grad for p in module.parameters()]


def check(module, objective):
    inputs, targets = batch()
    expected, predicted, gradients = by_autograd(module, objective, inputs, targets)
    step = Step.of(module, objective)
    module.zero_grad()
    torch.manual_seed(2)
    loss, y_pred = step(inputs, targets)
    torch.testing.assert_close(loss, expected)
    for parameter, gradient in zip(module.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    torch.testing.assert_close(y_pred, predicted)


@pytest.mark.parametrize("hidden", [(), (5,), (6, 4)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation, hidden):
    check(*made(activation=activation, hidden_layer_sizes=hidden))


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("flags", [False, True])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("loss", BY_HAND)
def test_every_loss(loss, ordered, flags, ends):
    options = {"loss": loss, "ordered": ordered, "flags": flags, "ends": ends}
    check(*made(**options, activation="silu", hidden_layer_sizes=(6, 4)))


@pytest.mark.parametrize("ordered", [False, True])
def test_a_unit_of_its_own(ordered):
    check(*made(unit=1.7, ordered=ordered, activation="silu", hidden_layer_sizes=(6,)))


def test_losses_of_errors_are_by_hand():
    assert BY_HAND == ["squared_error", "absolute_error", "huber"]
    assert set(CURVES) == set(ACTIVATIONS.values())


@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.2},
        {"out_activation": "logistic"},
        {"loss": "binary_cross_entropy", "out_activation": "logistic"},
        {"penalty": lambda encode, x, z: z.abs().sum(1)},
    ],
)
def test_others_are_left_to_autograd(options):
    assert Step.of(*made(hidden_layer_sizes=(5,), **options)) is None


def frozen(module):
    module.network.encode[0].weight.requires_grad_(False)


def hooked(module):
    module.network.encode[1].register_forward_hook(lambda *_: None)


def replaced(module):
    module.network.encode[1] = nn.Softplus()


def pruned(module):
    nn.utils.parametrizations.weight_norm(module.network.encode[0])


@pytest.mark.parametrize("change", [frozen, hooked, replaced, pruned])
def test_what_users_change_is_left_to_autograd(change):
    module, objective = made(hidden_layer_sizes=(5,))
    assert Step.of(module, objective) is not None
    change(module)
    assert Step.of(module, objective) is None


@pytest.mark.parametrize("options", [{}, {"ordered": True}, {"noise": "masking"}])
def test_fits_are_the_same_either_way(monkeypatch, options):
    X = np.tanh(np.random.default_rng(0).normal(size=(300, 3)) @ np.ones((3, 20)))
    X += np.random.default_rng(1).normal(scale=0.1, size=X.shape)
    model = AutoencoderTransformer(
        *(2,), max_iter=3, hidden_layer_sizes=(16,), random_state=0, **options
    )
    calls = []
    call = Step.__call__

    def counted(*args):
        calls.append(args)
        return call(*args)

    monkeypatch.setattr(Step, "__call__", counted)
    curve = model.fit(X).loss_curve_
    n_calls = len(calls)
    assert n_calls >= 3
    monkeypatch.setattr(AutoencoderNet, "takes_by_hand", False)
    np.testing.assert_allclose(curve, model.fit(X).loss_curve_, rtol=1e-4)
    assert len(calls) == n_calls


def test_listeners_do_not_change_a_fit():
    from skorch.callbacks import Callback

    class Listener(Callback):
        norms = ()

        def on_grad_computed(self, net, named_parameters, **kwargs):
            self.norms += (sum(p.grad.norm().item() for _, p in named_parameters),)

    X = np.random.default_rng(0).normal(size=(200, 20))
    listener = Listener()
    model = AutoencoderTransformer(2, max_iter=2, random_state=0, early_stopping=False)
    alone = model.fit(X).net_.module_.state_dict()
    heard = model.set_params(callbacks=[listener]).fit(X).net_.module_.state_dict()
    assert len(listener.norms) > 2
    assert all(np.isfinite(listener.norms))
    for name in alone:
        torch.testing.assert_close(alone[name], heard[name], rtol=0, atol=0)


def worst_error(gradients, expected):
    """Return the largest error of a gradient, as a share of its size."""
    pairs = zip(gradients, expected, strict=True)
    return max(((g - e).norm() / e.norm()).item() for g, e in pairs)


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("ordered", [False, True])
def test_products_of_bfloat16(ordered, ends):
    options = {"ordered": ordered, "ends": ends, "unit": 1.7}
    made_of = {"activation": "silu", "hidden_layer_sizes": (6, 4), **options}
    inputs, targets = batch()
    _, _, exact = by_autograd(*made(**made_of), inputs, targets)
    inputs, targets = inputs.float(), targets.float()
    module, objective = (part.float() for part in made(**made_of))
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        _, _, cast = by_autograd(module, objective, inputs, targets)
    step = Step.of(module, objective, half=True)
    errors = []
    for _ in range(2):  # the second reads weights that have moved
        torch.manual_seed(2)
        loss, y_pred = step(inputs, targets)
        y = y_pred[0] if ordered else y_pred
        gradients = [p.grad.clone() for p in module.parameters()]
        assert {t.dtype for t in (loss, y, *gradients)} == {torch.float32}
        errors.append(worst_error(gradients, exact))
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(1.5)
    assert errors[0] < 0.05
    assert errors[0] < 2 * worst_error(cast, exact)
    assert errors[1] > 0.2


def test_fits_in_bfloat16_are_as_good(monkeypatch):
    rng = np.random.default_rng(0)
    X = np.tanh(rng.normal(size=(1200, 2)) @ rng.normal(scale=2.0, size=(2, 24)))
    X += rng.normal(scale=0.1, size=X.shape)
    params = {"max_iter": 20, "random_state": 0, "hidden_layer_sizes": (32,)}
    calls = []
    call = Step.__call__

    def counted(step, *args):
        calls.append(step.half)
        return call(step, *args)

    monkeypatch.setattr(Step, "__call__", counted)
    whole = AutoencoderTransformer(2, **params).fit(X)
    assert not any(calls)
    half = AutoencoderTransformer(2, precision="bfloat16", **params).fit(X)
    assert calls[-1]
    assert whole.best_iter_ > 0
    assert half.best_loss_ == pytest.approx(whole.best_loss_, rel=0.01)
    assert half.loss_curve_ != whole.loss_curve_
