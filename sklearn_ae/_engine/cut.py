"""Cutting a net to the first units of its code."""

import torch

from .net import AutoencoderNet
from .torch_state import torch_state

CLOSE = {"rtol": 1e-3, "atol": 1e-3}  # a shorter code, up to float32's rounding


def cut(net, blueprint):
    """Return a net with the first code units of another alone.

    Parameters
    ----------
    net : AutoencoderNet
        Whose code is ordered.
    blueprint : Blueprint
        Of the shorter module.

    Returns
    -------
    AutoencoderNet

    Raises
    ------
    ValueError
        If the network can't be cut.
    """
    k, n_units = blueprint.n_components, net.module__blueprint.n_components
    objective = net.get_params_for("criterion")
    objective = net.criterion.prefix_params(objective, k)
    params = {
        **net.plain_params(),
        **{f"criterion__{name}": value for name, value in objective.items()},
        "module__blueprint": blueprint,
        "train_split": None,
    }
    short = AutoencoderNet(**params)
    with torch_state(torch.device(net.device), 0):
        short.initialize()
        x = torch.randn(8, blueprint.widths.n_features, device=net.device)
    try:
        weights = net.weights()["module_"]
        like = short.weights()["module_"]
        short.set_weights({"module_": prefix_of(weights, like, n_units)})
        with torch.inference_mode():
            z = net.module_.eval().encode(x)[:, :k]
            torch.testing.assert_close(short.module_.eval().encode(x), z, **CLOSE)
            x = net.module_.decode(z)
            torch.testing.assert_close(short.module_.decode(z), x, **CLOSE)
    except (AssertionError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"The network {blueprint.network.__name__} can't be cut to its first "
            f"{k} code units: "
            f"{str(error).splitlines()[0]}. Its layers other than the first of "
            f"decode and the last of encode must not depend on n_components."
        ) from error
    short.history_ = net.history_
    return short


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
