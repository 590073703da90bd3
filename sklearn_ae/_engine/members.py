"""Members: dense networks of one shape that train side by side, as one batch.

For small networks most of a step is not arithmetic. Here all members' parameters are in
one tensor, one optimizer moves them, and their gradients are written by hand.
"""

import itertools
import math

import numpy as np
import torch
from torch import nn

from .backward import Passes
from .blueprint import unit_of


class Members:
    """Autoencoders of one shape: ReLU perceptrons beside a linear path that is PCA.

    They are what `DenseNetwork` in `PCAStart` is, and start at the same weights. How
    their parameters are laid out `Passes` says.

    Parameters
    ----------
    n_members, n_features, n_components : int
    hidden_layer_sizes : sequence of int
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    seed : int
        Of the weights.
    ends : tuple of ndarray of shape (n_features,), default=None
        What reconstructions are clipped to.
    """

    def __init__(
        self,
        n_members,
        n_features,
        n_components,
        hidden_layer_sizes,
        seed,
        ends=None,
    ):
        self.ends = None if ends is None else [torch.from_numpy(end) for end in ends]
        there = [n_features, *hidden_layer_sizes, n_components]
        self.n_layers = len(there) - 1  # of each perceptron
        self.passes = Passes(self.n_layers, nn.ReLU, unit_of(n_features))
        pairs = [*itertools.pairwise(there), *itertools.pairwise(there[::-1])]
        pairs += [(n_features, n_components), (n_components, n_features)]
        self.shapes = []
        for n_in, n_out in pairs:
            self.shapes += [(n_members, n_out, n_in), (n_members, 1, n_out)]
        size = sum(map(math.prod, self.shapes))
        self.flat = torch.zeros(size)
        self.flat.grad = torch.zeros(size)
        self.parameters = self.views(self.flat)
        self.gradients = self.views(self.flat.grad)
        generator = torch.Generator().manual_seed(seed)
        for i in range(2 * self.n_layers):
            if (i + 1) % self.n_layers:  # the last layer of each stays zero: PCA
                weight = self.parameters[2 * i]
                bound = math.sqrt(6 / sum(weight.shape[1:]))  # Glorot's
                drawn = torch.rand(weight.shape[1:], generator=generator)
                weight.copy_(bound * (2 * drawn - 1))  # the same in all members

    def views(self, flat):
        """Return a flat tensor as the parameters."""
        sizes = [math.prod(shape) for shape in self.shapes]
        parts = zip(flat.split(sizes), self.shapes, strict=True)
        return [part.view(shape) for part, shape in parts]

    def start(self, member, components, mean):
        """Set a member's linear path to PCA.

        Parameters
        ----------
        member : int
        components : ndarray of shape (n_rows, n_features)
            Code units beyond them start at zero.
        mean : ndarray of shape (n_features,)
        """
        components, mean = np.float64(components), np.float64(mean)
        w_in, b_in, w_out, b_out = (p[member] for p in self.parameters[-4:])
        rows = slice(len(components))
        w_in[rows] = torch.from_numpy(components)
        b_in[0, rows] = torch.from_numpy(-components @ mean)
        w_out[:, rows] = torch.from_numpy(components.T.copy())
        b_out[0] = torch.from_numpy(mean)

    def forward(self, x, parameters):
        """Return the reconstructions of x (n_members, n_rows, n_features)."""
        return self._clipped(self.passes.forward(x, parameters))

    def backward(self, x, weights=None):
        """Set each member's gradient of the mean squared error on its x.

        Parameters
        ----------
        x : Tensor of shape (n_members, n_rows, n_features)
        weights : Tensor of shape (n_members, n_rows), default=None
            Of the rows.
        """

        def slope(y):
            # The gradient passes the clip, as that of `Objective.activate` does.
            g = self._clipped(y).sub_(x).mul_(2 / x[0].numel())
            return g if weights is None else g.mul_(weights[..., None])

        self.passes.backward(x, self.parameters, self.gradients, slope)

    def state(self, flat, member):
        """Return a member's weights by the names of `DenseNetwork` in `PCAStart`."""
        names = [f"network.encode.{2 * i}" for i in range(self.n_layers)]
        names += [f"network.decode.{2 * i}" for i in range(self.n_layers)]
        names += ["encode_linear", "decode_linear"]
        parameters, state = self.views(flat), {}
        for i, name in enumerate(names):
            state[f"{name}.weight"] = parameters[2 * i][member].clone()
            state[f"{name}.bias"] = parameters[2 * i + 1][member, 0].clone()
        return state

    def _clipped(self, y):
        return y if self.ends is None else y.clamp_(*self.ends)
