"""ONNX: a codec as a graph of standard operators.

Our own networks are written layer by layer, which takes milliseconds and nothing but
the package onnx. A user's network goes through `torch.onnx.export`.

To add a layer: a row in `LAYERS`. To add a network whose `encode` and `decode` are
`torch.nn.Sequential` of them: a row in `SEQUENCES`. To add a wrapper: a row in
`WRAPPERS`. The last two may stand in the room of the network.
"""

import copy
import itertools
import warnings
from functools import partial

import numpy as np
import torch
from torch import nn

from .._extras import how_to_install
from .counts import Counts, RateLink
from .losses import OUTPUTS, SHARES
from .networks import DenseNetwork
from .onnx_counts import rate_link, roots_of, total_of
from .variational import VariationalNetwork
from .wrappers import Filled, KSparse, Ordered, PCAStart

OPSET = 18
PARTS = ("encoder", "decoder", "autoencoder")


class Graph:
    """Nodes and constants, as they are added.

    Parameters
    ----------
    unique : callable, default=None
        Turns a word into a name that nothing else has.
    """

    def __init__(self, unique=None):
        self.nodes = []
        self.constants = []
        self.unique = unique or self._numbered
        self._count = itertools.count()

    def _numbered(self, word):
        return f"{word}_{next(self._count)}"

    def add(self, operator, *inputs, output=None, n_outputs=1, **attributes):
        """Add a node; return the name of its output, or a list of names.

        Parameters
        ----------
        operator : str
            An operator of ONNX.
        *inputs : str or array
            Names, or values that do not change.
        output : str, default=None
            The name that its output shall have.
        n_outputs : int, default=1
            Number of outputs.
        **attributes : dict
            Of the operator.
        """
        from onnx import helper

        inputs = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        outputs = [
            output or self.unique(f"{operator.lower()}_{i}") for i in range(n_outputs)
        ]
        name = f"sklearn_ae_{outputs[0]}"
        node = helper.make_node(operator, inputs, outputs, name, **attributes)
        self.nodes.append(node)
        return outputs if n_outputs > 1 else outputs[0]

    def constant(self, value):
        """Add an array; return its name."""
        from onnx import numpy_helper

        if isinstance(value, torch.Tensor):
            value = value.detach().numpy()
        array = np.array(value, order="C")
        tensor = numpy_helper.from_array(array, self.unique("constant"))
        self.constants.append(tensor)
        return tensor.name

    def cast(self, x, dtype, output=None):
        """Add a node that changes the type of x."""
        from onnx import helper

        to = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", x, to=to, output=output)


# Layers: (graph, layer, x) -> the name of what it makes of x.


def _same(graph, layer, x):
    return x


def _linear(graph, layer, x):
    return graph.add("Gemm", x, layer.weight, layer.bias, transB=1)


def _activation(operator):
    return lambda graph, layer, x: graph.add(operator, x)


def _silu(graph, layer, x):
    return graph.add("Mul", x, graph.add("Sigmoid", x))


def _gelu(graph, layer, x):
    erf = graph.add("Erf", graph.add("Mul", x, np.float32(0.5**0.5)))
    half = graph.add("Mul", x, np.float32(0.5))
    return graph.add("Mul", half, graph.add("Add", erf, np.float32(1)))


def _convolution(operator):
    def add(graph, layer, x):
        return graph.add(
            *(operator, x, layer.weight, layer.bias),
            kernel_shape=list(layer.kernel_size),
            strides=list(layer.stride),
            pads=[*layer.padding, *layer.padding],
        )

    return add


def _max_pool(graph, layer, x):
    size = [layer.kernel_size] * 2
    return graph.add("MaxPool", x, kernel_shape=size, strides=size, ceil_mode=1)


def _pad(graph, layer, x):
    left, right, top, bottom = layer.padding
    return graph.add("Pad", x, np.array([0, 0, top, left, 0, 0, bottom, right]))


def _upsample(graph, layer, x):
    # Where the rows are many or few is not known, the size is.
    rows = graph.add("Slice", graph.add("Shape", x), np.array([0]), np.array([2]))
    shape = graph.add("Concat", rows, np.array(layer.size), axis=0)
    how = {"mode": "nearest", "nearest_mode": "floor"}
    how["coordinate_transformation_mode"] = "asymmetric"
    if layer.mode == "bilinear":
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    return graph.add("Resize", x, "", "", shape, **how)


def _unflatten(graph, layer, x):
    return graph.add("Reshape", x, np.array([0, *layer.unflattened_size]))


def _flatten(graph, layer, x):
    return graph.add("Flatten", x, axis=1)


LAYERS = {
    nn.Identity: _same,
    nn.Dropout: _same,
    nn.Linear: _linear,
    nn.ReLU: _activation("Relu"),
    nn.Tanh: _activation("Tanh"),
    nn.Sigmoid: _activation("Sigmoid"),
    nn.SiLU: _silu,
    nn.GELU: _gelu,
    nn.ELU: _activation("Elu"),
    nn.Conv2d: _convolution("Conv"),
    nn.ConvTranspose2d: _convolution("ConvTranspose"),
    nn.MaxPool2d: _max_pool,
    nn.ZeroPad2d: _pad,
    nn.Upsample: _upsample,
    nn.Unflatten: _unflatten,
    nn.Flatten: _flatten,
}
SEQUENCES = {DenseNetwork}


# Output activations and their inverses: (graph, x) -> name.


def _logit(graph, x):
    x = graph.add("Clip", x, np.float32(1e-3), np.float32(1 - 1e-3))
    odds = graph.add("Div", x, graph.add("Sub", np.float32(1), x))
    return graph.add("Log", odds)


def _atanh(graph, x):
    return graph.add(
        "Atanh", graph.add("Clip", x, np.float32(-0.998), np.float32(0.998))
    )


LINKS = {
    OUTPUTS["identity"].link: lambda graph, x: x,
    OUTPUTS["tanh"].link: _atanh,
    OUTPUTS["logistic"].link: _logit,
}
ACTIVATIONS = {
    OUTPUTS["identity"].activation: lambda graph, x: x,
    OUTPUTS["tanh"].activation: lambda graph, x: graph.add("Tanh", x),
    OUTPUTS["logistic"].activation: lambda graph, x: graph.add("Sigmoid", x),
    SHARES["exp"].activation: lambda graph, x: graph.add("Exp", x),
    SHARES["softmax"].activation: lambda graph, x: graph.add("Softmax", x, axis=1),
}


# Modules: (graph, module, part, x) -> name, where part is "encode" or "decode".


def _pca_start(graph, module, part, x):
    linear = _linear(graph, getattr(module, f"{part}_linear"), x)
    if part == "decode":
        fitted = isinstance(module.link, RateLink)
        link = partial(rate_link, module.link) if fitted else LINKS[module.link]
        linear = link(graph, linear)
    if module.unit != 1:
        x = graph.add("Mul", x, np.float32(1 / module.unit))
    added = convert(graph, module.network, part, x)
    gate = getattr(module, f"{part}_gate")
    if isinstance(gate, torch.Tensor) or gate != 1:
        added = graph.add(
            "Mul", added, gate if isinstance(gate, torch.Tensor) else np.float32(gate)
        )
    return graph.add("Add", linear, added)


def _counts(graph, module, part, x):
    if part == "decode":
        x = convert(graph, module.network, part, x)
        return graph.add("Add", x, module.log_shares)
    return convert(graph, module.network, part, roots_of(graph, module, x))


def _filled(graph, module, part, x):
    return convert(graph, module.network, part, _fill(graph, module, x, part))


def _fill(graph, module, x, part):
    """Add what fills missing cells: see `Filled.fill`."""
    if part == "decode":
        return x
    loadings, n_factors = module.loadings, module.loadings.shape[1]
    products = (loadings[:, :, None] * loadings[:, None]).flatten(1)
    missing = graph.add("IsNaN", x)
    zero = np.float32(0)
    weights = graph.add("Where", missing, zero, 1 / module.noise)
    centred = graph.add("Where", missing, zero, graph.add("Sub", x, module.mean))
    known = graph.add("MatMul", graph.add("Mul", centred, weights), loadings)
    precisions = graph.add("MatMul", weights, products)
    shape = np.array([-1, n_factors, n_factors])
    precisions = graph.add("Reshape", precisions, shape)
    precisions = graph.add("Add", precisions, np.eye(n_factors, dtype=np.float32))
    means = _solve(graph, precisions, known, n_factors)  # (n_samples, n_factors)
    said = graph.add("Add", graph.add("MatMul", means, loadings.T), module.mean)
    return graph.add("Where", missing, said, x)


def _solve(graph, matrices, vectors, size):
    """Add Gauss and Jordan's elimination, since ONNX solves no equations.

    It wants no pivots: these matrices are the identity and something positive.
    """
    vectors = graph.add("Unsqueeze", vectors, np.array([2]))
    both = graph.add("Concat", matrices, vectors, axis=2)  # (n_samples, size, size + 1)
    for i in range(size):
        row = graph.add("Slice", both, *(np.array([at]) for at in (i, i + 1, 1)))
        pivot = graph.add("Slice", row, *(np.array([at]) for at in (i, i + 1, 2)))
        row = graph.add("Div", row, pivot)
        column = graph.add("Slice", both, *(np.array([at]) for at in (i, i + 1, 2)))
        # Row i becomes the row over its pivot; the others lose what they have of it.
        unit = np.eye(size, dtype=np.float32)[:, i : i + 1]
        factor = graph.add("Sub", column, unit)
        both = graph.add("Sub", both, graph.add("MatMul", factor, row))
    last = (np.array([at]) for at in (size, size + 1, 2))
    return graph.add("Squeeze", graph.add("Slice", both, *last), np.array([2]))


def _k_sparse(graph, module, part, x):
    x = convert(graph, module.network, part, x)
    if part == "decode":
        return x
    n_active = np.array([module.n_active])
    _, kept = graph.add("TopK", graph.add("Abs", x), n_active, axis=1, n_outputs=2)
    values = graph.add("GatherElements", x, kept, axis=1)
    zeros = graph.add("Mul", x, np.float32(0))
    return graph.add("ScatterElements", zeros, kept, values, axis=1)


def _ordered(graph, module, part, x):
    if part == "decode" and module.flags:
        ones = np.ones((1, module.n_components), np.float32)
        ones = graph.add("Expand", ones, graph.add("Shape", x))
        x = graph.add("Concat", x, ones, axis=1)
    return convert(graph, module.network, part, x)


def _variational(graph, module, part, x):
    x = convert(graph, module.network, part, x)
    if part == "encode":  # the means come first
        bounds = [0], [module.draws.shape[1]], [1]
        x = graph.add("Slice", x, *(np.array(bound) for bound in bounds))
    return x


WRAPPERS = {
    Counts: _counts,
    Filled: _filled,
    PCAStart: _pca_start,
    KSparse: _k_sparse,
    Ordered: _ordered,
    VariationalNetwork: _variational,
}


def convert(graph, module, part, x):
    """Add a module's `encode` or `decode` to a graph.

    Parameters
    ----------
    graph : Graph
    module : Module
        Keeps the network contract; on the CPU, in inference mode.
    part : {"encode", "decode"}
    x : str
        The name of what it reads.

    Returns
    -------
    str
        The name of what it gives.
    """
    if type(module) in WRAPPERS:
        return WRAPPERS[type(module)](graph, module, part, x)
    if type(module) in SEQUENCES:
        for layer in getattr(module, part):
            x = LAYERS[type(layer)](graph, layer, x)
        return x
    return _traced(graph, module, part, x)


class _Part(nn.Module):
    """A module whose forward is a part of another's."""

    def __init__(self, module, part):
        super().__init__()
        self.module = module
        self.part = part

    def forward(self, x):
        return getattr(self.module, self.part)(x)


def _traced(graph, module, part, x):
    """Add what `torch.onnx.export` makes of a network of the user's."""
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise missing("onnxscript") from error
    width = graph.widths[part]
    with warnings.catch_warnings():  # of torch's, about torch's own
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Part(module, part).eval(),
            (torch.zeros(2, width),),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("rows")},),
            opset_version=OPSET,
            optimize=True,
            verbose=False,
        )
    traced = program.model_proto.graph
    names = {traced.input[0].name: x, "": ""}
    for tensor in traced.initializer:
        names[tensor.name] = tensor.name = graph.unique("constant")
        graph.constants.append(tensor)
    for node in traced.node:
        for name in node.output:
            names[name] = name and graph.unique(node.op_type.lower())
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
        node.name = f"sklearn_ae_{node.output[0]}"
        graph.nodes.append(node)
    return names[traced.output[0].name]


def missing(package):
    """Return the error that says how to get a package."""
    return ImportError(f"ONNX needs {package}: {how_to_install('onnx')}")


def add_codec(graph, codec, part, x, dtype, output):
    """Add a fitted model to a graph.

    Parameters
    ----------
    graph : Graph
    codec : Codec
    part : {"encoder", "decoder", "autoencoder"}
    x : str
        The name of the rows, or codes, whatever their type.
    dtype : dtype
        Of the output. In between the network computes in float32.
    output : str
        The name that the output shall have.
    """
    module = copy.deepcopy(codec.net.module_).cpu().eval()
    widths, scaling = codec.blueprint.widths, codec.scaling
    graph.widths = {"encode": widths.n_features, "decode": widths.n_decoded}
    if part == "decoder":
        x = graph.add("Div", graph.cast(x, "f8"), np.float64(codec.unit))
    elif not scaling.bounded:
        x = graph.add("Sub", graph.cast(x, "f8"), scaling.mean)
        x = graph.add("Div", x, np.float64(scaling.scale))
    x = rows = graph.cast(x, "f4")
    if part != "decoder":
        x = convert(graph, module, "encode", x)
    if part == "encoder":
        x = graph.add("Mul", graph.cast(x, "f8"), np.float64(codec.unit))
    else:
        x = convert(graph, module, "decode", x)
        x = ACTIVATIONS[codec.objective.output.activation](graph, x)
        if codec.objective.loss.counts:
            mean_total = np.float32([[scaling.mean.sum()]])
            total = mean_total if part == "decoder" else total_of(graph, rows)
            x = graph.add("Mul", x, total)
        if not scaling.bounded:
            x = graph.add("Mul", graph.cast(x, "f8"), np.float64(scaling.scale))
            x = graph.add("Add", x, scaling.mean)
        if scaling.floor is not None:  # the operator Clip has no ends by column
            x = graph.add("Max", graph.cast(x, "f8"), scaling.floor)
            x = graph.add("Min", x, scaling.ceiling)
    graph.cast(x, dtype, output)
