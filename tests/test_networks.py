import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from sklearn_ae import AutoencoderTransformer
from sklearn_ae._engine.losses import OUTPUTS
from sklearn_ae._engine.networks import ACTIVATIONS, DenseNetwork
from sklearn_ae._engine.noise import NOISES
from sklearn_ae._engine.wrappers import PCAStart, Widths


def identity(x):
    return x


class Halving(nn.Module):
    """A user's network: keeps the contract, has no `silence`."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.encode = nn.Linear(n_features, n_components)
        self.decode = nn.Linear(n_components, n_features)

    def forward(self, x):
        return self.decode(self.encode(x))


def pca_start(network, **params):
    generator = torch.Generator().manual_seed(0)
    components = torch.linalg.qr(torch.randn(6, 3, generator=generator))[0].T
    mean = torch.randn(6, generator=generator)
    module = PCAStart(network(6, 4, **params), Widths(6, 4, 4, 4), identity)
    module.start(components.numpy(), mean.numpy())
    x = torch.randn(50, 6, generator=generator)
    return module, components, mean, x


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dense_network_keeps_the_contract(activation):
    torch.manual_seed(0)
    network = DenseNetwork(6, 2, (5, 4), activation)
    x = torch.randn(7, 6)
    z = network.encode(x)
    assert z.shape == (7, 2)
    torch.testing.assert_close(network(x), network.decode(z))
    widths = [m.weight.shape[::-1] for m in network.modules() if hasattr(m, "weight")]
    assert widths == [(6, 5), (5, 4), (4, 2), (2, 4), (4, 5), (5, 6)]


@pytest.mark.parametrize(
    ("activation", "value"),
    [
        ("identity", -0.5),
        ("relu", 0.0),
        ("tanh", -0.46211716),
        ("logistic", 0.37754067),
        ("silu", -0.18877033),
        ("gelu", -0.15426877),
        ("elu", -0.39346934),
    ],
)
def test_activation_values(activation, value):
    assert ACTIVATIONS[activation]()(torch.tensor(-0.5)) == pytest.approx(value)


def test_all_activations_have_a_value_tested():
    assert len(ACTIVATIONS) == 7


@pytest.mark.parametrize(
    ("network", "params"),
    [(DenseNetwork, {"hidden_layer_sizes": (8,)}), (DenseNetwork, {}), (Halving, {})],
)
def test_pca_start_is_pca_and_all_of_it_can_learn(network, params):
    module, components, mean, x = pca_start(network, **params)
    z = (x - mean) @ components.T
    torch.testing.assert_close(module.encode(x)[:, :3], z)
    assert (module.encode(x)[:, 3] == 0).all()  # no component is left for it
    torch.testing.assert_close(module(x), z @ components + mean)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    before = [p.detach().clone() for p in module.parameters()]
    for _ in range(3):  # zero layers wake one another up, a step after the other
        optimizer.zero_grad()
        (module(x) - x).square().mean().backward()
        optimizer.step()
    changed = [not torch.equal(b, p) for b, p in zip(before, module.parameters())]  # noqa: B905
    assert all(changed)


def test_pca_start_gradients_against_finite_differences():
    module = pca_start(DenseNetwork, hidden_layer_sizes=(5,), activation="tanh")[0]
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    x = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, (x,))


@pytest.mark.parametrize("output", OUTPUTS)
def test_link_is_the_inverse_of_the_output_activation(output):
    row = OUTPUTS[output]
    x = torch.linspace(*(row.bounds or (-3.0, 3.0)), 7)
    torch.testing.assert_close(row.activation(row.link(x)), x, atol=2.1e-3, rtol=0)


SPAN = {
    "low": torch.tensor([-9.0] * 4),
    "high": torch.tensor([9.0] * 4),
    "zero": torch.tensor([0.0, 1.0, 2.0, 3.0]),
}


@pytest.fixture
def cells():
    torch.manual_seed(0)
    return 10 * torch.arange(4.0) + torch.rand(20_000, 4)


@pytest.mark.parametrize("noise", NOISES)
def test_noise_of_level_zero_is_none(noise, cells):
    torch.testing.assert_close(NOISES[noise](cells, 0.0, **SPAN), cells)


def test_gaussian_noise_has_its_standard_deviation(cells):
    added = NOISES["gaussian"](cells, 0.3, **SPAN) - cells
    assert added.mean().abs() < 0.005
    assert added.std() == pytest.approx(0.3, rel=0.01)


def test_masking_puts_zero_in_its_share_of_cells(cells):
    noisy = NOISES["masking"](cells, 0.3, **SPAN)
    hit = noisy != cells
    assert hit.float().mean() == pytest.approx(0.3, abs=0.01)
    assert (noisy[hit] == SPAN["zero"].expand_as(noisy)[hit]).all()


def test_salt_and_pepper_puts_both_ends_in_equal_shares(cells):
    noisy = NOISES["salt_and_pepper"](cells, 0.3, **SPAN)
    assert (noisy == -9).float().mean() == pytest.approx(0.15, abs=0.01)
    assert (noisy == 9).float().mean() == pytest.approx(0.15, abs=0.01)
    assert (noisy == cells).float().mean() == pytest.approx(0.7, abs=0.01)


def test_swap_takes_values_of_the_same_column_from_other_rows(cells):
    noisy = NOISES["swap"](cells, 0.3, **SPAN)
    assert (noisy != cells).float().mean() == pytest.approx(0.3, abs=0.01)
    for column in range(4):
        assert np.isin(noisy[:, column], cells[:, column]).all()


def test_swap_with_level_one_changes_every_row():
    x = torch.arange(5.0)[:, None]
    assert (NOISES["swap"](x, 1.0, **SPAN) != x).all()


def test_swap_leaves_a_single_row_alone():
    x = torch.ones(1, 4)
    assert torch.equal(NOISES["swap"](x, 1.0, **SPAN), x)


@pytest.mark.parametrize(
    ("n_features", "options", "unit"),
    [
        (50, {}, 1.0),
        (200, {}, 2.0),
        (200, {"out_activation": "clip"}, 2.0),
        (200, {"out_activation": "logistic"}, 1.0),  # data that are not scaled
        (200, {"loss": "binary_cross_entropy"}, 1.0),
        (200, {"module": Halving}, 1.0),
    ],
)
def test_wide_rows_are_read_in_a_larger_unit(n_features, options, unit):
    X = np.random.default_rng(0).uniform(size=(30, n_features))
    model = AutoencoderTransformer(3, max_iter=0, random_state=0, **options).fit(X)
    module = model.net_.module_
    assert module.unit == unit
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.1)
        x, z = torch.randn(5, n_features), torch.randn(5, 3)
        added = module.encode(x) - module.encode_linear(x)
        gate = float(module.encode_gate)  # a user's network has a gate that learns
        torch.testing.assert_close(added, gate * module.network.encode(x / unit))
        added = module.decode(z) - module.link(module.decode_linear(z))
        gate = float(module.decode_gate)
        torch.testing.assert_close(added, gate * module.network.decode(z / unit))
        if options != {"module": Halving}:
            assert gate == unit


def linear_layers(monkeypatch, call, X):
    """Return how many linear layers a method goes through, and what it returns."""
    n_calls = 0
    forward = nn.Linear.forward

    def counted(layer, x):
        nonlocal n_calls
        n_calls += 1
        return forward(layer, x)

    with monkeypatch.context() as context:
        context.setattr(nn.Linear, "forward", counted)
        result = call(X)
    return n_calls, result


def test_pca_that_is_kept_costs_what_pca_costs(monkeypatch):
    X = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    model = AutoencoderTransformer(
        2, hidden_layer_sizes=(5,), max_iter=0, out_activation="identity"
    ).fit(X)
    network = model.net_.module_.network
    pca = PCA(2).fit(X)
    n_calls, codes = linear_layers(monkeypatch, model.transform, X)
    assert n_calls == 1
    np.testing.assert_allclose(np.abs(codes), np.abs(pca.transform(X)), atol=1e-5)
    # A user's hook is called all the same,
    seen = []
    hook = network.encode[0].register_forward_hook(lambda *_: seen.append(1))
    n_calls, heard = linear_layers(monkeypatch, model.transform, X)
    assert (n_calls, len(seen)) == (3, 1)
    np.testing.assert_array_equal(heard, codes)
    hook.remove()
    # and a bias is added.
    with torch.no_grad():
        network.encode[-1].bias += 1
    n_calls, moved = linear_layers(monkeypatch, model.transform, X)
    assert n_calls == 3
    assert (moved - codes).min() > 0.1
    assert np.ptp(moved - codes) < 1e-4
