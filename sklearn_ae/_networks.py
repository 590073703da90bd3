"""Networks: torch only, no scikit-learn, no skorch.

The network contract: ``encode(x) -> z``, ``decode(z) -> x̂`` before the loss's output
activation, and ``forward(x)`` whose first output is the reconstruction. A user's own
`torch.nn.Module` class that keeps it is as good as the ones here; it is called as
``Module(n_features=…, n_components=…, **module_parameters)``.

To add an activation or a kind of noise: write its row in `ACTIVATIONS` or `NOISES`.

`build` makes the whole of a module: a network, and around it wrappers that keep the
contract too.
"""

import inspect
import itertools
import math
from functools import partial

import torch
from torch import nn

ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "elu": nn.ELU,
}


class DenseNetwork(nn.Module):
    """Multilayer perceptrons to the code and, mirrored, back.

    Parameters
    ----------
    n_features, n_components : int
        Widths of the data and of the code.
    hidden_layer_sizes : sequence of int, default=()
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    activation : str, default="relu"
        A key of `ACTIVATIONS`, applied after each hidden layer.
    code_activation : str, default="identity"
        The same, for the code.
    dropout : float, default=0.0
        Share of hidden units dropped in training.
    n_encoded : int, default=None
        Columns that `encode` gives, where they are not the code alone.
    """

    def __init__(
        self,
        n_features,
        n_components,
        hidden_layer_sizes=(),
        activation="relu",
        code_activation="identity",
        dropout=0.0,
        n_encoded=None,
    ):
        super().__init__()
        sizes = [n_features, *hidden_layer_sizes, n_encoded or n_components]
        self.encode = perceptron(sizes, ACTIVATIONS[activation], dropout)
        if code_activation != "identity":
            self.encode.append(ACTIVATIONS[code_activation]())
        sizes = [n_components, *hidden_layer_sizes[::-1], n_features]
        self.decode = perceptron(sizes, ACTIVATIONS[activation], dropout)

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))

    def silence(self):
        """Make code and reconstruction zero, in a state that can learn."""
        for part in (self.encode, self.decode):
            silence(part[-1])


def glorot(layer):
    """Start a layer as Glorot and Bengio (2010) and scikit-learn's MLPs do."""
    # torch's own is smaller: ReLU codes of MNIST lost a fifth of their units for good.
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def silence(layer):
    """Set a layer's weights and biases to zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


def perceptron(sizes, activation, dropout):
    """Return linear layers of these widths with activation and dropout between."""
    return join(dense(sizes), activation, dropout)


def dense(sizes):
    """Return linear layers of these widths, each a block for `join`."""
    return [[glorot(nn.Linear(*pair))] for pair in itertools.pairwise(sizes)]


def join(blocks, activation, dropout):
    """Return the blocks' layers with activation and dropout between two blocks."""
    layers = [*blocks[0]]
    for block in blocks[1:]:
        layers.append(activation())
        if dropout:
            layers.append(nn.Dropout(dropout))
        layers += block
    return nn.Sequential(*layers)


def build(
    network, wrappers, n_features, n_components, n_encoded, n_decoded=None, **params
):
    """Build a network, check that it keeps the contract, and wrap it.

    Parameters
    ----------
    network : class
        Of the network.
    wrappers : sequence of (class, dict)
        Classes called with the module so far and these parameters.
    n_features, n_components : int
        Widths of the data and of the code.
    n_encoded : int
        Columns that the network's `encode` gives, the code's first. Networks whose
        class takes it are given it.
    n_decoded : int, default=None
        Columns that the network's `decode` takes, where they are not the code alone.
    **params : dict
        Of the network.

    Returns
    -------
    Module
    """
    if takes_n_encoded(network):
        params["n_encoded"] = n_encoded
    n_decoded = n_decoded or n_components
    module = network(n_features=n_features, n_components=n_decoded, **params)
    check_contract(module, n_features, n_components, n_encoded, n_decoded)
    for wrapper, wrapper_params in wrappers:
        module = wrapper(module, **wrapper_params)
    return module


def takes_n_encoded(network):
    """Tell whether a network's class lets code and encoding differ in width."""
    return "n_encoded" in inspect.signature(network).parameters


def row_cost(module, n_features):
    """Return what one row costs a module.

    Parameters
    ----------
    module : Module
        Keeps the network contract.
    n_features : int
        Width of the data.

    Returns
    -------
    n_cells : int
        Of its widest layer's output.
    n_products : int
        Multiplications of all layers, one way.
    """
    cells, products = [n_features], 0
    for _, layer, shape in layers(module, n_features):
        cells.append(math.prod(shape))
        weight = getattr(layer, "weight", None)
        if isinstance(weight, torch.Tensor) and weight.ndim:
            products += cells[-1] * weight[:1].numel()
    return max(cells), products


def layers(module, n_features):
    """Return the layers of a network in the order of their work.

    Parameters
    ----------
    module : Module
        Keeps the network contract.
    n_features : int
        Width of the data.

    Returns
    -------
    list of (str, Module, tuple of int)
        Name, layer, and shape of what it makes of a row.
    """
    found = []

    def note(layer, inputs, output, name):
        if isinstance(output, torch.Tensor):
            found.append((name, layer, tuple(output.shape[1:])))

    hooks = [
        layer.register_forward_hook(partial(note, name=name))
        for name, layer in module.named_modules()
        if not any(layer.children()) or any(layer.parameters(recurse=False))
    ]
    like = next(module.parameters())
    try:
        with torch.inference_mode():
            x = torch.zeros(1, n_features, device=like.device, dtype=like.dtype)
            module.eval().decode(module.encode(x))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def check_contract(network, n_features, n_components, n_encoded, n_decoded):
    """Raise an error that says where a network breaks the contract.

    Parameters
    ----------
    network : Module
        As its class built it.
    n_features, n_components : int
        Widths of the data and of the code.
    n_encoded : int
        Columns that `encode` shall give: more than `n_components` where they hold more
        than the code, which comes first.
    n_decoded : int
        Columns that `decode` shall take: the same.

    Raises
    ------
    TypeError
        If a method is missing.
    ValueError
        If code or reconstruction have another width.
    """
    name = type(network).__name__
    missing = [m for m in ("encode", "decode") if not hasattr(network, m)]
    if type(network).forward is nn.Module.forward:  # which only raises
        missing.append("forward")
    if missing:
        raise TypeError(
            f"The network {name} has no {', no '.join(missing)}. It needs encode(x), "
            f"decode(z) and forward(x), the round trip."
        )
    like = next(network.parameters(), torch.empty(0))
    x = torch.zeros(2, n_features, device=like.device, dtype=like.dtype)
    training = network.training
    network.eval()
    with torch.no_grad():
        z = network.encode(x)
        width = "n_components" if n_encoded == n_components else "2 * n_components"
        _check_shape(z, n_encoded, f"{name}.encode", "codes", width)
        z = nn.functional.pad(z[:, :n_components], (0, n_decoded - n_components))
        x = network.decode(z)
        _check_shape(x, n_features, f"{name}.decode", "rows", "n_features")
        if n_encoded == n_decoded:  # else forward is not called
            y = network(x)
            _check_shape(
                y[0] if isinstance(y, (tuple, list)) else y,
                n_features,
                f"{name}.forward",
                "rows (first, if it gives more)",
                "n_features",
            )
    network.train(training)


def _check_shape(got, width, method, what, width_name):
    if not isinstance(got, torch.Tensor):
        got = f"a {type(got).__name__}"
    elif tuple(got.shape) != (2, width):
        got = tuple(got.shape)
    else:
        return
    raise ValueError(
        f"{method} must give {what} as a tensor of shape (n_samples, {width_name}), "
        f"here (2, {width}). Got {got}."
    )


class PCAStart(nn.Module):
    """A network beside a linear path that starts as PCA.

    Until the first step it *is* PCA: ``encode(x) = W x + b`` and
    ``decode(z) = link(Wᵀ z + m)``, and the network adds nothing. It adds nothing since
    its last layers are zero (`silence`, which the built-in networks have) or, for a
    user's network, since a factor before it is zero. Everything learns from there.

    Parameters
    ----------
    network : Module
        Keeps the network contract.
    n_features, n_components : int
        Widths of the data and of the code.
    link : callable
        Turns data into what `decode` returns (the output activation's `link`).
    n_encoded : int, default=None
        Columns that `encode` gives, where they are not the code alone.
    """

    def __init__(self, network, n_features, n_components, link, n_encoded=None):
        super().__init__()
        self.network = network
        self.link = link
        self.encode_linear = nn.Linear(n_features, n_encoded or n_components)
        self.decode_linear = nn.Linear(n_components, n_features)
        if hasattr(self.network, "silence"):
            self.network.silence()
            self.encode_gate = self.decode_gate = 1.0
        else:
            self.encode_gate = nn.Parameter(torch.zeros(()))
            self.decode_gate = nn.Parameter(torch.zeros(()))

    def start(self, components, mean, shrink=1.0, spread=1.0):
        """Set the linear path to PCA.

        Parameters
        ----------
        components : array of shape (n_rows, n_features)
            PCA's components. Where ``n_rows`` is below the code's width the other code
            units start at zero.
        mean : array of shape (n_features,)
            What PCA subtracted.
        shrink, spread : float or array of shape (n_rows,), default=1.0
            A unit's code is PCA's times `shrink`, divided by `spread`; `decode`
            multiplies by `spread`. With the defaults the code is PCA's.
        """
        like = self.encode_linear.weight
        components, mean, shrink, spread = (
            torch.as_tensor(array, dtype=like.dtype, device=like.device)
            for array in (components, mean, shrink, spread)
        )
        rows = slice(len(components))
        with torch.no_grad():
            for parameter in (
                *self.encode_linear.parameters(),
                *self.decode_linear.parameters(),
            ):
                parameter.zero_()
            weight = (shrink / spread).reshape(-1, 1) * components
            self.encode_linear.weight[rows] = weight
            self.encode_linear.bias[rows] = -weight @ mean
            self.decode_linear.weight[:, rows] = components.T * spread
            self.decode_linear.bias[:] = mean

    def encode(self, x):
        """Return the code of x."""
        return self.encode_linear(x) + self.encode_gate * self.network.encode(x)

    def decode(self, z):
        """Return the data of code z, before the output activation."""
        linear = self.link(self.decode_linear(z))
        return linear + self.decode_gate * self.network.decode(z)

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))


class KSparse(nn.Module):
    """A network of whose code units each row keeps the largest, others being zero.

    Parameters
    ----------
    network : Module
        Keeps the network contract.
    n_active : int
        Units that a row keeps, those largest in absolute value.
    """

    def __init__(self, network, n_active):
        super().__init__()
        self.network = network
        self.n_active = n_active

    def encode(self, x):
        """Return the code of x."""
        z = self.network.encode(x)
        kept = z.abs().topk(self.n_active, dim=1).indices
        return torch.zeros_like(z).scatter(1, kept, z.gather(1, kept))

    def decode(self, z):
        """Return the data of code z, before the output activation."""
        return self.network.decode(z)

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))


class Ordered(nn.Module):
    """A network that decodes any prefix of its code.

    ``decode`` takes codes of 1 to `n_components` columns, or whole codes and how many
    units of each row count. The others are zero to the network, which reads beside the
    code, if it can, a one for each unit that counts.

    Parameters
    ----------
    network : Module
        Keeps the network contract.
    n_components : int
        Width of the code.
    flags : bool
        Whether the network's `decode` takes twice as many columns: code and ones.
    """

    def __init__(self, network, n_components, flags):
        super().__init__()
        self.network = network
        self.n_components = n_components
        self.flags = flags

    def encode(self, x):
        """Return the code of x."""
        return self.network.encode(x)

    def decode(self, z, lengths=None):
        """Return the data of code z, before the output activation."""
        if lengths is None:
            counts = z.new_ones(z.shape)
        else:
            units = torch.arange(z.shape[1], device=z.device)
            counts = (units < lengths[:, None]).to(z)
            z = z * counts
        if missing := self.n_components - z.shape[1]:
            z, counts = (nn.functional.pad(c, (0, missing)) for c in (z, counts))
        return self.network.decode(torch.cat([z, counts], 1) if self.flags else z)

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))


def prefix_of(weights, like, n_components):
    """Cut the weights of an `Ordered` network to fit one with a shorter code.

    Parameters
    ----------
    weights, like : dict of str to Tensor
        State of the network, and of the shorter one.
    n_components : int
        Code units of the network.

    Returns
    -------
    dict of str to Tensor
        In the shapes of `like`.
    """
    cut = {}
    for name, tensor in weights.items():
        for dim, (size, wanted) in enumerate(
            zip(tensor.shape, like[name].shape, strict=True)
        ):
            if size == wanted:
                continue
            # One column for each unit, or two: code and ones.
            blocks, left = divmod(size, n_components)
            if left:
                raise ValueError(f"{name} has shape {tuple(tensor.shape)}")
            tensor = torch.cat(
                [
                    part.narrow(dim, 0, wanted // blocks)
                    for part in tensor.chunk(blocks, dim)
                ],
                dim,
            )
        cut[name] = tensor
    return cut


# Kinds of noise: (x, level, low, high, zero) -> noisy x. Low and high are the ends of
# the training data, zero is its zero; all in the units of x.


def _gaussian(x, level, low, high, zero):
    return x + level * torch.randn_like(x)


def _masking(x, level, low, high, zero):
    return torch.where(torch.rand_like(x) < level, zero.to(x), x)


def _salt_and_pepper(x, level, low, high, zero):
    u = torch.rand_like(x)
    x = torch.where(u < level / 2, low.to(x), x)
    return torch.where(u > 1 - level / 2, high.to(x), x)


def _swap(x, level, low, high, zero):
    n_rows = len(x)
    if n_rows < 2:
        return x
    rows = torch.arange(n_rows, device=x.device)[:, None]
    others = (rows + torch.randint(1, n_rows, x.shape, device=x.device)) % n_rows
    return torch.where(torch.rand_like(x) < level, x.gather(0, others), x)


NOISES = {
    "gaussian": _gaussian,
    "masking": _masking,
    "salt_and_pepper": _salt_and_pepper,
    "swap": _swap,
}
