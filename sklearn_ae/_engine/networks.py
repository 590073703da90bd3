"""Networks: perceptrons, and what can be read off any network.

The network contract: ``encode(x) -> z``, ``decode(z) -> x̂`` before the loss's output
activation, and ``forward(x)`` whose first output is the reconstruction. A user's own
`torch.nn.Module` class that keeps it is as good as the ones here; it is called as
``Module(n_features=…, n_components=…, **module_parameters)``.

To add an activation: write its row in `ACTIVATIONS`.
"""

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
            silence(part)


def glorot(layer):
    """Start a layer as Glorot and Bengio (2010) and scikit-learn's MLPs do."""
    # torch's own is smaller: ReLU codes of MNIST lost a fifth of their units for good.
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def silence(part):
    """Set the weights and biases of the last of some layers that has them to zero."""
    for parameter in _last(part).parameters():
        nn.init.zeros_(parameter)


def is_silent(part):
    """Tell whether layers are as `silence` leaves them, and nobody listens to them.

    They give zeros then.

    Parameters
    ----------
    part : Sequential or callable
        Of what is no sequence of layers nothing is known.
    """
    if not isinstance(part, nn.Sequential) or any(map(has_hooks, part.modules())):
        return False
    return not any(parameter.any() for parameter in _last(part).parameters())


def _last(part):
    return [layer for layer in part if hasattr(layer, "weight")][-1]


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


def has_hooks(module):
    """Tell whether anyone listens to what a module does."""
    names = ("forward", "forward_pre", "backward", "backward_pre")
    return any(getattr(module, f"_{name}_hooks") for name in names)
