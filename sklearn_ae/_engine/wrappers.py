"""Wrappers: modules around a network that keep the network contract too.

Each is called as ``Wrapper(network, widths, **parameters)``, with the `Widths` of the
whole.
"""

from dataclasses import dataclass

import torch
from torch import nn

from .networks import is_silent


@dataclass(frozen=True)
class Widths:
    """How wide a network is at its ends.

    Attributes
    ----------
    n_features, n_components : int
        Widths of the data and of the code.
    n_encoded : int
        Columns that the network's `encode` gives, the code's first.
    n_decoded : int
        Columns that its `decode` takes, the code's first.
    """

    n_features: int
    n_components: int
    n_encoded: int
    n_decoded: int


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
    widths : Widths
        Of the network.
    link : callable or class
        Turns data into what `decode` returns (the output activation's `link`). A class
        is called with the widths.
    unit : float, default=1.0
        What a network of ours counts in: it reads in it, and what it gives is
        multiplied by it. See `Blueprint`.
    """

    def __init__(self, network, widths, link, unit=1.0):
        super().__init__()
        self.network = network
        self.link = link(widths) if isinstance(link, type) else link
        self.unit = unit if hasattr(network, "silence") else 1.0
        self.encode_linear = nn.Linear(widths.n_features, widths.n_encoded)
        self.decode_linear = nn.Linear(widths.n_decoded, widths.n_features)
        self.encode_gate = self.decode_gate = self.unit
        if not hasattr(self.network, "silence"):
            self.encode_gate = nn.Parameter(torch.zeros(()))
            self.decode_gate = nn.Parameter(torch.zeros(()))
        self.silence()

    def silence(self):
        """Let the network add nothing, in a state that can learn."""
        if hasattr(self.network, "silence"):
            self.network.silence()
        else:
            nn.init.zeros_(self.encode_gate)
            nn.init.zeros_(self.decode_gate)

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
        codes = self.encode_linear(x)  # (n_samples, n_encoded)
        return codes + self._added("encode", self.encode_gate, x)

    def decode(self, z):
        """Return the data of code z, before the output activation."""
        # In bfloat16 the links' borders would be rounded to where they are infinite.
        linear = self.link(self.decode_linear(z).to(self.decode_linear.weight.dtype))
        return linear + self._added("decode", self.decode_gate, z)  # (…, n_features)

    def _added(self, name, gate, h):
        part = getattr(self.network, name)
        # Where PCA was kept, rows that come later need not wait for zeros.
        if torch.is_inference_mode_enabled() and is_silent(part):
            return 0.0
        return gate * part(h / self.unit)

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))


class Filled(nn.Module):
    """A network that reads rows with missing cells, filled by factor analysis.

    A missing cell, which is NaN, becomes its mean given the row's observed cells, by
    whatever mask. Rows without one pass as they are.

    Parameters
    ----------
    network : Module
        Keeps the network contract.
    widths : Widths
        Of the network.
    n_factors : int
        Those of the `Factors` that it starts at.
    """

    def __init__(self, network, widths, n_factors):
        super().__init__()
        self.network = network
        n_features = widths.n_features
        self.register_buffer("loadings", torch.zeros(n_features, n_factors))
        self.register_buffer("noise", torch.ones(n_features))
        self.register_buffer("mean", torch.zeros(n_features))

    def start(self, factors):
        """Take over a model of factors."""
        for name in ("loadings", "noise", "mean"):
            getattr(self, name).copy_(torch.from_numpy(getattr(factors, name)))

    def fill(self, x):
        """Return x with its missing cells at their conditional means."""
        there = ~x.isnan()
        # Not in bfloat16, in which nothing solves equations.
        with torch.autocast(x.device.type, enabled=False):
            loadings, n_factors = self.loadings, self.loadings.shape[1]
            products = (loadings[:, :, None] * loadings[:, None]).flatten(1)
            weights = there / self.noise  # (n_samples, n_features)
            centred = torch.where(there, x - self.mean, 0.0)
            precisions = (weights @ products).unflatten(1, (n_factors, n_factors))
            precisions = precisions + torch.eye(n_factors).to(precisions)
            known = (centred * weights) @ loadings  # (n_samples, n_factors)
            means = torch.linalg.solve(precisions, known)
            return torch.where(there, x, self.mean + means @ loadings.T)

    def encode(self, x):
        """Return the code of x."""
        return self.network.encode(self.fill(x))

    def decode(self, z, *lengths):
        """Return the data of code z, before the output activation."""
        return self.network.decode(z, *lengths)

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))


class KSparse(nn.Module):
    """A network of whose code units each row keeps the largest, others being zero.

    Parameters
    ----------
    network : Module
        Keeps the network contract.
    widths : Widths
        Of the network.
    n_active : int
        Units that a row keeps, those largest in absolute value.
    """

    def __init__(self, network, widths, n_active):
        super().__init__()
        self.network = network
        self.n_active = n_active

    def encode(self, x):
        """Return the code of x."""
        z = self.network.encode(x)  # (n_samples, n_components)
        kept = z.abs().topk(self.n_active, dim=1).indices  # (n_samples, n_active)
        return torch.zeros_like(z).scatter(1, kept, z.gather(1, kept))

    def decode(self, z):
        """Return the data of code z, before the output activation."""
        return self.network.decode(z)

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))


class Ordered(nn.Module):
    """A network that decodes any prefix of its code.

    ``decode`` takes codes of one column or more, up to the whole code, or whole codes
    and how many units of each row count. The others are zero to the network, which
    reads beside the code, if it can, a one for each unit that counts.

    Parameters
    ----------
    network : Module
        Keeps the network contract.
    widths : Widths
        Of the network, whose `decode` may take twice as many columns as the code has:
        code and ones.
    """

    def __init__(self, network, widths):
        super().__init__()
        self.network = network
        self.n_components = widths.n_components
        self.flags = widths.n_decoded > widths.n_components

    def encode(self, x):
        """Return the code of x."""
        return self.network.encode(x)

    def decode(self, z, lengths=None):
        """Return the data of code z, before the output activation."""
        if lengths is None:
            counts = z.new_ones(z.shape)
        else:
            units = torch.arange(z.shape[1], device=z.device)
            counts = (units < lengths[:, None]).to(z)  # (n_samples, n_components)
            z = z * counts
        if missing := self.n_components - z.shape[1]:
            z, counts = (nn.functional.pad(c, (0, missing)) for c in (z, counts))
        return self.network.decode(torch.cat([z, counts], 1) if self.flags else z)

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))
