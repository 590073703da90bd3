"""Blueprint: all that the weights of a module depend on, and the module built of it."""

import inspect
from dataclasses import dataclass, replace
from numbers import Integral

import torch
from torch import nn

from .losses import LOSSES, output_of
from .wrappers import Filled, KSparse, Ordered, PCAStart, Widths

WIDTH = 50


@dataclass(frozen=True)
class Blueprint:
    """A network, what it is wrapped in, and their widths.

    Attributes
    ----------
    network : class
        Of the network.
    params : dict
        Its parameters, but the widths.
    widths : Widths
        Of the network.
    wrappers : tuple of (class, dict)
        Inmost first, each with its parameters.
    settings : dict
        The parameters of the estimator that weights depend on, as they were.
    ordered : bool
        Whether every prefix of the code is a code.
    """

    network: type
    params: dict
    widths: Widths
    wrappers: tuple
    settings: dict
    ordered: bool

    @classmethod
    def of(cls, params, network, network_params, n_features, n_components, **asked):
        """Return the blueprint that parameters ask for.

        Parameters
        ----------
        params : BaseAutoencoder
            Has the parameters of an estimator as attributes.
        network : class
            Of the network.
        network_params : dict
            Its parameters, but the widths.
        n_features, n_components : int
            Widths of the data and of the code.
        **asked : dict
            Network parameters that may come out otherwise, as they were asked for.

        Returns
        -------
        Blueprint
        """
        prefix = "module__"
        own = {k: v for k, v in vars(params).items() if k.startswith(prefix)}
        ordered = params._is_ordered
        # Beside its code an ordered network reads, if it can, which units count.
        flagged = ordered and takes_n_encoded(network)
        n_decoded = (1 + flagged) * n_components
        settings = {
            **network_params,
            **asked,
            **own,
            "module": network,
            "init": params.init,
            "loss": params.loss,
            "out_activation": params.out_activation,
            "n_components": params.n_components,
            "ordered": ordered,
            "penalty": "k_sparse" if params.penalty == "k_sparse" else None,
        }
        own = {name.removeprefix(prefix): value for name, value in own.items()}
        return cls(
            network,
            {**network_params, **own},
            Widths(n_features, n_components, n_components, n_decoded),
            tuple(_wrappers(params, n_features, n_components)),
            settings,
            ordered,
        )

    @property
    def n_components(self):
        """Width of the code."""
        return self.widths.n_components

    @property
    def takes_missing(self):
        """Whether rows may have missing cells."""
        return any(wrapper is Filled for wrapper, _ in self.wrappers)

    def prefix(self, n_components):
        """Return the blueprint of a module with the first code units alone."""
        old = self.widths
        widths = replace(
            old,
            n_components=n_components,
            n_encoded=old.n_encoded * n_components // old.n_components,
            n_decoded=old.n_decoded * n_components // old.n_components,
        )
        return replace(self, widths=widths)

    def difference(self, other):
        """Return the name of a setting that another blueprint has otherwise, or None.

        Parameters
        ----------
        other : Blueprint

        Returns
        -------
        str or None
        """
        for name in {**self.settings, **other.settings}:
            if self.settings.get(name) != other.settings.get(name):
                return name
        return None


def _wrappers(params, n_features, n_components):
    """Yield what the network is wrapped in, inmost first: classes, parameters."""
    if params.init == "pca":
        output = output_of(params.loss, params.out_activation)
        scaled = output.is_linear or LOSSES[params.loss].counts
        unit = unit_of(n_features) if scaled else 1.0
        yield PCAStart, {"link": output.link, "unit": unit}
    if params._is_ordered:
        yield Ordered, {}
    if params.penalty == "k_sparse":
        wanted = 0.25 if params.sparsity == "auto" else params.sparsity
        if not isinstance(wanted, Integral):  # a share of the units
            wanted = max(1, round(wanted * n_components))
        yield KSparse, {"n_active": min(int(wanted), n_components)}


def unit_of(n_features):
    """Return the unit that networks beside PCA count in, for rows of some width.

    The longer the rows, the rougher the function that a network starts from, and the
    sooner it learns single rows by heart. In this unit none is longer than those of
    `WIDTH` columns.
    """
    return max(1.0, (n_features / WIDTH) ** 0.5)


def build(blueprint):
    """Build a module: a network that keeps the contract, in its wrappers.

    Parameters
    ----------
    blueprint : Blueprint

    Returns
    -------
    Module
    """
    widths, params = blueprint.widths, dict(blueprint.params)
    if takes_n_encoded(blueprint.network):
        params["n_encoded"] = widths.n_encoded
    module = blueprint.network(
        n_features=widths.n_features, n_components=widths.n_decoded, **params
    )
    check_contract(module, widths)
    for wrapper, own in blueprint.wrappers:
        module = wrapper(module, widths, **own)
    return module


def takes_n_encoded(network):
    """Tell whether a network's class lets code and encoding differ in width."""
    return "n_encoded" in inspect.signature(network).parameters


def check_contract(network, widths):
    """Raise an error that says where a network breaks the contract.

    Parameters
    ----------
    network : Module
        As its class built it.
    widths : Widths
        What it shall have.

    Raises
    ------
    TypeError
        If a method is missing.
    ValueError
        If code or reconstruction have another width.
    """
    n_features, n_components = widths.n_features, widths.n_components
    n_encoded, n_decoded = widths.n_encoded, widths.n_decoded
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
