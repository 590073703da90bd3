"""Backward passes of dense networks beside a linear path, written by hand.

autograd books every operation, which in small networks takes as long as the arithmetic.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from .networks import DenseNetwork, has_hooks
from .objective import Objective, OrderedObjective, weighed
from .wrappers import Ordered, PCAStart

aten = torch.ops.aten


class Curve(NamedTuple):
    """An activation and its backward pass.

    Attributes
    ----------
    function : callable
        Turns what a layer gives into what the next one reads.
    slope : callable
        ``(gradient, given, read) -> gradient``: from the gradient of what is read to
        that of what was given.
    """

    function: Callable
    slope: Callable


CURVES = {
    nn.Identity: Curve(lambda h: h, lambda g, h, a: g),
    nn.ReLU: Curve(torch.relu, lambda g, h, a: aten.threshold_backward(g, a, 0)),
    nn.Tanh: Curve(torch.tanh, lambda g, h, a: aten.tanh_backward(g, a)),
    nn.Sigmoid: Curve(torch.sigmoid, lambda g, h, a: aten.sigmoid_backward(g, a)),
    nn.SiLU: Curve(nn.functional.silu, lambda g, h, a: aten.silu_backward(g, h)),
    nn.GELU: Curve(nn.functional.gelu, lambda g, h, a: aten.gelu_backward(g, h)),
    nn.ELU: Curve(
        nn.functional.elu, lambda g, h, a: aten.elu_backward(g, 1.0, 1.0, 1.0, False, h)
    ),
}

# Of losses that are functions of a cell's error: (criterion, error) -> derivative.
SLOPES = {
    nn.MSELoss: lambda criterion, error: 2 * error,
    nn.L1Loss: lambda criterion, error: error.sign(),
    nn.HuberLoss: lambda criterion, error: error.clamp(
        -criterion.delta, criterion.delta
    ),
}


class Passes:
    """Passes through autoencoders of one shape, side by side.

    What `DenseNetwork` in `PCAStart` is. All tensors have a first axis for the members;
    parameters come in pairs, weight (n_members, n_out, n_in) and bias (n_members, 1,
    n_out): the encoder's layers, the decoder's, then the linear path in and out. Where
    these and the rows are bfloat16, codes and what is decoded are float32 all the same.

    Parameters
    ----------
    n_layers : int
        Of the encoder, and of the decoder.
    activation : class
        A key of `CURVES`: between two layers.
    unit : float, default=1.0
        What the perceptrons count in.
    """

    def __init__(self, n_layers, activation, unit=1.0):
        self.n_layers = n_layers
        self.unit = unit
        self.curve = CURVES[activation]

    def forward(self, x, parameters):
        """Return what is decoded of x (n_members, n_rows, n_features)."""
        encoder, decoder, (w_in, b_in, w_out, b_out) = self._parts(parameters)
        added = self._perceptron(x, encoder)[2]
        z = self._sum(torch.baddbmm(b_in, x, w_in.mT), added).to(x.dtype)
        added = self._perceptron(z, decoder)[2]
        return self._sum(torch.baddbmm(b_out, z, w_out.mT), added)

    def backward(self, x, parameters, gradients, slope, counts=None, flags=False):
        """Set the gradients of a loss; return what was decoded, and the codes.

        Parameters
        ----------
        x : Tensor of shape (n_members, n_rows, n_features)
            What is read.
        parameters, gradients : list of Tensor
        slope : callable
            Returns the loss's gradient by the decoded. It may change it.
        counts : Tensor of shape (n_members, n_rows, n_components), default=None
            Ones for the code units that count in a row; None for all.
        flags : bool, default=False
            Whether they are decoded beside the code.
        """
        encoder, decoder, (w_in, b_in, w_out, b_out) = self._parts(parameters)
        g_encoder, g_decoder, g_linear = self._parts(gradients)
        *x_read, added = self._perceptron(x, encoder)
        # (n_members, n_rows, n_components)
        codes = self._sum(torch.baddbmm(b_in, x, w_in.mT), added)
        z = codes.to(x.dtype)
        if counts is not None:
            z = z * counts
            z = torch.cat([z, counts], 2) if flags else z
        *z_read, added = self._perceptron(z, decoder)
        y = self._sum(torch.baddbmm(b_out, z, w_out.mT), added)
        g = slope(y).to(x.dtype)  # (n_members, n_rows, n_features)
        _set_gradient(g, z, *g_linear[2:])
        g_z = torch.bmm(g, w_out).add_(self._back(g, *z_read, decoder, g_decoder))
        if counts is not None:
            g_z = g_z[..., : codes.shape[2]] * counts
        _set_gradient(g_z, x, *g_linear[:2])
        self._back(g_z, *x_read, encoder, g_encoder, need_input=False)
        return y, codes

    def _sum(self, linear, added):
        wide = torch.promote_types(linear.dtype, torch.float32)
        return linear.to(wide).add_(added, alpha=self.unit)

    def _parts(self, parameters):
        n = 2 * self.n_layers
        return parameters[:n], parameters[n : 2 * n], parameters[2 * n :]

    def _perceptron(self, h, parameters):
        """Return what each layer reads, what each gives, and what the last one does."""
        read, given = [], []
        h = h if self.unit == 1 else h / self.unit
        for i in range(self.n_layers):
            read.append(h)
            h = torch.baddbmm(parameters[2 * i + 1], h, parameters[2 * i].mT)
            if i < self.n_layers - 1:
                given.append(h)
                h = self.curve.function(h)
        return read, given, h

    def _back(self, g, read, given, parameters, gradients, need_input=True):
        """Set a perceptron's gradients; return that of its input, if needed."""
        g = g if self.unit == 1 else g * self.unit
        for i in reversed(range(self.n_layers)):
            _set_gradient(g, read[i], *gradients[2 * i : 2 * i + 2])
            if i or need_input:
                g = torch.bmm(g, parameters[2 * i])
            if i:
                g = self.curve.slope(g, given[i - 1], read[i])
        return g if self.unit == 1 else g / self.unit


def _set_gradient(g, read, weight, bias):
    torch.bmm(g.mT, read, out=weight)
    torch.sum(g, 1, keepdim=True, out=bias)


class Step:
    """The loss of a batch and its gradients, for a module and an objective of ours.

    It is what autograd finds, to rounding.

    Parameters
    ----------
    layers : list of Linear
        The encoder's, the decoder's, and the linear path's.
    activation : class
        A key of `CURVES`.
    objective : Objective
    flags : bool
        Whether an ordered network decodes which units count.
    unit : float
        What the network counts in.
    half : bool
        Whether products are of bfloat16. Weights and their gradients are not.
    """

    def __init__(self, layers, activation, objective, flags, unit, half):
        self.passes = Passes(len(layers) // 2 - 1, activation, unit)
        self.objective = objective
        self.flags = flags
        self.half = half
        self.own = [p for layer in layers for p in (layer.weight, layer.bias)]
        self.grads = [torch.empty_like(p) for p in self.own]
        # What the passes read and set: these, or copies of lower precision.
        self.read = [p.detach() for p in self.own]
        self.set = self.grads
        if half:
            self.read = [p.bfloat16() for p in self.read]
            self.set = [torch.empty_like(p) for p in self.read]
        self.parameters = [_beside(p) for p in self.read]
        self.gradients = [_beside(grad) for grad in self.set]

    @classmethod
    def of(cls, module, objective, half=False):
        """Return the step of a module, or None where it is left to autograd.

        Parameters
        ----------
        module : Module
        objective : Objective
        half : bool, default=False
            Whether products shall be of bfloat16.
        """
        ordered = type(module) is Ordered
        start = module.network if ordered else module
        if (
            type(objective) is not (OrderedObjective if ordered else Objective)
            or type(objective.criterion) not in SLOPES
            or objective.sees_codes
            or objective.missing
            or not objective.output.is_linear
            or type(start) is not PCAStart
            or type(start.network) is not DenseNetwork
            or module._compiled_call_impl is not None
        ):
            return None
        network = start.network
        linear = [*network.encode[::2], *network.decode[::2]]
        linear += [start.encode_linear, start.decode_linear]
        between = [*network.encode[1::2], *network.decode[1::2]]
        kinds = {type(layer) for layer in between} or {nn.Identity}
        parts = [*linear, *between]
        plain = (
            {type(layer) for layer in linear} == {nn.Linear}
            and len(kinds) == 1
            and kinds <= CURVES.keys()
            and all(p.requires_grad and p.is_cpu for p in module.parameters())
            # Of users: they shall run.
            and not any(has_hooks(part) for part in (*module.modules(), *parts))
        )
        if not plain:
            return None
        flags = ordered and module.flags
        return cls(linear, kinds.pop(), objective, flags, start.unit, half)

    def __call__(self, inputs, targets, weights=None):
        """Set the gradients; return the mean loss and what predicts it.

        Parameters
        ----------
        inputs, targets : Tensor of shape (n_rows, n_features)
        weights : Tensor of shape (n_rows,), default=None
            Of the rows.

        Returns
        -------
        loss : Tensor
        y_pred : Tensor or tuple
            As the objective predicts it.
        """
        objective, n_rows = self.objective, len(inputs)
        criterion = objective.criterion
        counts = None
        if isinstance(objective, OrderedObjective):
            lengths = objective.draw_lengths(n_rows)
            weights = weighed(objective.length_weights[lengths - 1], weights)
            units = torch.arange(self.own[-2].shape[1] // (1 + self.flags))
            counts = (units < lengths[:, None]).to(self.read[0])[None]
        loss = None

        def slope(decoded):
            nonlocal loss
            y = objective.activate(decoded[0])
            losses = criterion(y, targets).mean(1)
            loss = (losses if weights is None else weights * losses).mean()
            g = SLOPES[type(criterion)](criterion, y - targets)
            g.mul_(1 / targets.numel())
            return (g if weights is None else g.mul_(weights[:, None]))[None]

        with torch.no_grad():
            if self.half:
                torch._foreach_copy_(self.read, self.own)
            x = inputs.to(self.read[0])[None]
            y, codes = self.passes.backward(
                x, self.parameters, self.gradients, slope, counts, self.flags
            )
            if self.half:
                torch._foreach_copy_(self.grads, self.set)
        for parameter, grad in zip(self.own, self.grads, strict=True):
            parameter.grad = grad
        return loss, y[0] if counts is None else (y[0], codes[0], lengths)


def _beside(tensor):
    """Return a weight or a bias as that of one member."""
    return tensor[None] if tensor.ndim == 2 else tensor[None, None]
