"""What a file may hold, compared with what it says before anything is built.

A file from a stranger names widths, and a network is as large as they say. So a module
is built without memory first (on torch's "meta" device), and its shapes are those of
the weights that the file holds, or it is not built at all: loading takes no more than
the file is worth.
"""

import inspect
import math
from dataclasses import replace

import numpy as np
import torch
from skorch import NeuralNet
from torch import nn

from ._convolutional import ConvolutionalNetwork
from ._engine.adversarial import N_DRAWS, AdversarialObjective, Discriminator
from ._engine.batches import Batches, Rows
from ._engine.blueprint import Blueprint, build
from ._engine.counts import Counts
from ._engine.net import AutoencoderNet
from ._engine.networks import DenseNetwork, row_cost
from ._engine.objective import Objective
from ._engine.variational import VariationalNetwork
from ._engine.wrappers import Filled, KSparse, Ordered, PCAStart

NETWORKS = DenseNetwork, ConvolutionalNetwork
WRAPPERS = Counts, Filled, KSparse, Ordered, PCAStart, VariationalNetwork
STATE = {"params", "weights", "optimizers", "random_start", "history"}
# What a net's parameters always are in a file, since `build` and skorch are told so.
FIXED = {
    "module": build,
    "iterator_train": Batches,
    "iterator_valid": Batches,
    "dataset": Rows,
    "train_split": None,
    "callbacks": None,
    "predict_nonlinearity": "auto",
    "torch_load_kwargs": None,
}
PREFIXES = "criterion__", "optimizer__", "iterator_train__", "iterator_valid__"
# Of one row, whatever the file's size: cells of the widest layer, and products.
FREE_CELLS, FREE_PRODUCTS = 2**21, 2**27
TIMES = 64  # as many more for each number in the file
# States of optimizers that are one number; the others are as the weight is.
NUMBERS = {"step", "eta", "mu", "mu_product"}
SHAPELESS = torch.optim.LBFGS, torch.optim.Adafactor


def check_net(state, n_cells):
    """Raise an error unless a net's state is one that can be built, within bounds.

    Parameters
    ----------
    state : dict
        What ``__setstate__`` of the net would be given.
    n_cells : int
        Numbers that the file holds, all arrays together.

    Raises
    ------
    ValueError
        If something is not as it must be.
    """
    if not isinstance(state, dict) or not isinstance(state.get("params"), dict):
        raise ValueError("a net's state has no parameters")
    _known("a net's state", state, STATE)
    params = state["params"]
    _check_params(params)
    if "weights" not in state:
        return
    if missing := STATE - state.keys():
        raise ValueError(f"a net's state has no {', '.join(sorted(missing))}")
    weights, blueprint = state["weights"], params["module__blueprint"]
    own, n_features = blueprint.network in NETWORKS, blueprint.widths.n_features
    _check_sizes(blueprint, weights, n_cells)
    try:
        with torch.device("meta"), torch.no_grad():
            module = build(blueprint)
            cost = row_cost(build(_without_filling(blueprint)), n_features)
    except Exception:
        if own:
            raise
        module = None  # a network of the caller's own that needs real tensors
    if module is not None:
        bounds = FREE_CELLS + TIMES * n_cells, FREE_PRODUCTS + TIMES * n_cells
        if cost[0] > bounds[0] or cost[1] > bounds[1]:
            raise ValueError("its network is larger than the file is worth")
        _compare("module_", module, weights["module_"], own)
    _check_objective(params, blueprint, weights)
    _check_optimizers(state["optimizers"])


def _without_filling(blueprint):
    """Return a blueprint that runs on "meta", where nothing solves equations."""
    wrappers = (wrapper for wrapper in blueprint.wrappers if wrapper[0] is not Filled)
    return replace(blueprint, wrappers=tuple(wrappers))


def _known(what, given, known):
    if unknown := set(given) - set(known):
        raise ValueError(f"{what} has an unknown {min(map(str, unknown))!r}")


def _check_params(params):
    known = {
        name
        for kind in (NeuralNet, AutoencoderNet)
        for name, each in inspect.signature(kind.__init__).parameters.items()
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    } - {"self"}
    for name, value in params.items():
        if not isinstance(name, str):
            raise ValueError("a net's parameters have names")
        if name not in known and not name.startswith(PREFIXES):
            _known("a net", [name], {"module__blueprint"})
        if name in FIXED and not _is(value, FIXED[name]):
            raise ValueError(f"a net's {name} is {value!r:.100}")
    kinds = {"module__blueprint": Blueprint, "device": str}
    for name, kind in kinds.items():
        if not isinstance(params.get(name), kind):
            raise ValueError(f"a net's {name} is no {kind.__name__}")
    objective = params.get("criterion")
    if not (isinstance(objective, type) and issubclass(objective, Objective)):
        raise ValueError("a net's criterion is no objective")


def _is(value, fixed):
    return value is fixed or (isinstance(fixed, str) and value == fixed)


def _check_sizes(blueprint, weights, n_cells):
    """Raise an error if more is to be built than there are weights for."""
    if not isinstance(weights.get("module_"), dict):
        raise ValueError("a net's weights are none")
    for state in weights.values():
        for value in state.values():
            if not isinstance(value, np.ndarray | torch.Tensor):
                raise ValueError("a net's weights are no arrays")
    network = blueprint.network
    if not (isinstance(network, type) and issubclass(network, nn.Module)):
        raise ValueError("a blueprint's network is no module")
    for item in blueprint.wrappers:
        kind, own = item
        if kind not in WRAPPERS or not isinstance(own, dict):
            raise ValueError("a blueprint has an unknown wrapper")
    if len(blueprint.wrappers) > len(WRAPPERS):
        raise ValueError("a blueprint has too many wrappers")
    n_arrays = len(weights["module_"])
    for name, value in vars(blueprint.widths).items():
        if not 1 <= value <= max(2 * n_cells, 2):
            raise ValueError(f"{name}={value} is more than the file holds")
    for name, value in blueprint.params.items():
        if isinstance(value, tuple | list) and len(value) > max(n_arrays, 3):
            raise ValueError(f"{name} has more layers than the file has weights")


def _compare(part, module, state, own):
    """Raise an error unless weights are a module's, and finite."""
    wanted = module.state_dict()
    if wanted.keys() != state.keys():
        raise ValueError(f"{part} has other weights than its blueprint says")
    trained = dict(module.named_parameters())
    for name, like in wanted.items():
        value = state[name]
        if tuple(value.shape) != tuple(like.shape):
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}, but its blueprint says "
                f"{tuple(like.shape)}"
            )
        if own or name in trained:  # what else the caller's network keeps is its own
            check_finite(name, value)


def check_finite(name, value):
    """Raise an error if an array has something that is no finite number."""
    value = torch.as_tensor(value)
    if not bool(value.isfinite().all()):
        raise ValueError(f"{name} is not finite")


def _check_objective(params, blueprint, weights):
    """Raise an error unless an objective goes with a blueprint and its weights."""
    own = weights.get("criterion_", {})
    for name, value in own.items():
        check_finite(name, value)
    n_components = blueprint.widths.n_components
    unexplained = params.get("criterion__unexplained")
    if unexplained is not None and np.shape(unexplained) != (n_components,):
        raise ValueError("an ordered objective is for a code of another width")
    kind = params["criterion"]
    if not issubclass(kind, AdversarialObjective):
        return
    sizes = params.get("criterion__discriminator_layer_sizes")
    if params.get("criterion__n_components") != n_components or len(sizes) > len(own):
        raise ValueError("a discriminator is for a code of another width")
    if np.shape(own.get("discriminator.draws")) != (N_DRAWS, n_components):
        raise ValueError("a discriminator's draws have another shape")
    with torch.device("meta"), torch.no_grad():
        module = nn.Module()
        module.discriminator = Discriminator(torch.empty(N_DRAWS, n_components), sizes)
    _compare("criterion_", module, own, True)


def _check_optimizers(optimizers):
    """Raise an error unless an optimizer's states say which weight they are for."""
    for optimizer in optimizers.values():
        groups = optimizer["param_groups"]
        indices = [index for group in groups for index in group["params"]]
        if indices != [*range(len(indices))]:
            raise ValueError("an optimizer's parameters are in no order")
        _known("an optimizer", optimizer["state"], indices)


def check_built(net):
    """Raise an error unless a net's optimizers have states of their weights' shapes.

    Torch doesn't look: one that runs fused would read and write beyond their ends.
    """
    for name in net.optimizer_names if net.initialized_ else ():
        optimizer = getattr(net, name)
        for group in optimizer.param_groups:
            if missing := optimizer.defaults.keys() - group.keys():
                raise ValueError(f"an optimizer has no {min(missing)}")
        if isinstance(optimizer, SHAPELESS):
            continue
        for parameter, values in optimizer.state.items():
            for name, value in values.items():
                if not isinstance(value, torch.Tensor) or name in NUMBERS:
                    continue
                if value.shape != parameter.shape:
                    raise ValueError("an optimizer's state has not its weight's shape")


def check_codec(codec):
    """Raise an error unless what belongs to a net is for rows as wide as it takes."""
    scaling, net = codec.scaling, codec.net
    widths = codec.blueprint.widths
    if not getattr(net, "initialized_", False):
        raise ValueError("a net has no weights")
    if widths != net.module__blueprint.widths:
        raise ValueError("a codec's blueprint is not its net's")
    for name in ("mean", "floor", "ceiling"):
        value = getattr(scaling, name)
        if value is not None and value.shape != (widths.n_features,):
            raise ValueError(f"a scaling's {name} has shape {value.shape}")
    check_finite("a scaling's mean", scaling.mean)
    if not (math.isfinite(scaling.scale) and scaling.scale > 0):
        raise ValueError(f"a scaling's scale is {scaling.scale}")


def check_fitted(fitted):
    """Raise an error unless all that a fit came to has the model's widths."""
    codec = fitted.codec
    n_features = codec.blueprint.widths.n_features
    for name in ("shares", "curve"):
        value = getattr(fitted, name)
        if value is not None and value.shape != (codec.n_components,):
            raise ValueError(f"a fit's {name} has shape {value.shape}")
    if fitted.trial is None:
        return
    pca = fitted.trial.pca
    if pca.mean.shape != (n_features,):
        raise ValueError(f"a trial's mean has shape {pca.mean.shape}")
    if pca.components.shape != (len(pca.lengths), n_features):
        raise ValueError(f"a trial's components have shape {pca.components.shape}")
    for name in ("mean", "components", "lengths"):
        check_finite(f"a trial's {name}", getattr(pca, name))
    if fitted.trial.weights is None:
        return
    weights = codec.net.weights()
    if weights.keys() != fitted.trial.weights.keys():
        raise ValueError("a trial's weights are not its net's")
    for part, state in fitted.trial.weights.items():
        if state.keys() != weights[part].keys():
            raise ValueError("a trial's weights are not its net's")
        for name, value in state.items():
            if tuple(value.shape) != tuple(weights[part][name].shape):
                raise ValueError(f"a trial's {name} has shape {tuple(value.shape)}")
            check_finite(f"a trial's {name}", value)


def check_estimator(estimator):
    """Raise an error unless an estimator's columns are its model's."""
    fitted = vars(estimator).get("_fitted")
    if fitted is None:
        return
    n_features = fitted.codec.blueprint.widths.n_features
    names = vars(estimator).get("feature_names_in_")
    if estimator.n_features_in_ != n_features or (
        names is not None and np.shape(names) != (n_features,)
    ):
        raise ValueError("its columns are not its model's")
