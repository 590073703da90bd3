"""Files without pickle, and ONNX.

Files hold no code: what they name is looked up in the tables here. `_tags.py` turns
values into JSON and tensors, `_format.py` these into bytes. To let files hold another
function or class of ours: a line in `NAMED`; values of another dataclass: in `VALUES`.
"""

import functools
import platform
import warnings

import numpy as np
import sklearn
import torch
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ._checks import (
    check_built,
    check_codec,
    check_estimator,
    check_fitted,
    check_net,
)
from ._convolutional import ConvolutionalNetwork
from ._engine.adversarial import AdversarialObjective
from ._engine.batches import Batches, Rows
from ._engine.blueprint import Blueprint, build
from ._engine.checkpoint import replace_file
from ._engine.codec import Codec
from ._engine.counts import Counts
from ._engine.fitted import Fitted
from ._engine.history import History
from ._engine.losses import (
    LOSSES,
    OUTPUTS,
    PENALTIES,
    SHARES,
    Loss,
    Output,
    weighted,
)
from ._engine.net import AutoencoderNet
from ._engine.networks import DenseNetwork
from ._engine.objective import Objective, OrderedObjective
from ._engine.onnx import OPSET, PARTS, Graph, add_codec, missing
from ._engine.scaling import Scaling
from ._engine.trial import RunningPCA, Trial
from ._engine.variational import VariationalNetwork, VariationalObjective
from ._engine.wrappers import Filled, KSparse, Ordered, PCAStart, Widths
from ._estimators import ESTIMATORS
from ._format import pack, safetensors, unpack
from ._generative import PRIORS
from ._imputer import AutoencoderImputer
from ._onnx import OnnxMixin
from ._outliers import AutoencoderOutlierDetector
from ._search import AutoencoderTransformerCV
from ._tags import Coder, Known

__all__ = ["load", "save", "skops_types", "to_onnx"]

NETS = {AutoencoderNet.__name__: AutoencoderNet}
OPTIMIZERS = {
    name: thing
    for name, thing in vars(torch.optim).items()
    if isinstance(thing, type) and issubclass(thing, torch.optim.Optimizer)
}
RANGES = {**OUTPUTS, **SHARES}
NAMED = {
    **{
        thing.__name__: thing
        for thing in (
            *(build, weighted, Batches, Rows),
            *(DenseNetwork, ConvolutionalNetwork),
            *(Objective, OrderedObjective, VariationalObjective, AdversarialObjective),
            *(Counts, Filled, KSparse, Ordered, PCAStart, VariationalNetwork),
        )
    },
    **{f"optimizer {name}": optimizer for name, optimizer in OPTIMIZERS.items()},
    **{f"loss {name}": loss for name, loss in LOSSES.items()},
    **{f"criterion {name}": loss.criterion for name, loss in LOSSES.items()},
    **{f"output {name}": output for name, output in RANGES.items()},
    **{f"activation {name}": output.activation for name, output in RANGES.items()},
    **{f"link {name}": output.link for name, output in RANGES.items()},
    **{f"penalty {name}": penalty for name, penalty in PENALTIES.items()},
    **{f"prior {name}": prior for name, prior in PRIORS.items()},
}
VALUES = {
    value.__name__: value
    for value in (Fitted, Codec, Scaling, Blueprint, Widths, History, Trial, RunningPCA)
}
# What an outlier detector fits by default.
AROUND = {known.__name__: known for known in (Pipeline, StandardScaler)}
# What else than parameters an estimator may have, besides what any has.
ATTRIBUTES = {
    **{kind: {"_fitted"} for kind in ESTIMATORS.values()},
    AutoencoderImputer: {
        *("autoencoder_", "autoencoders_", "error_", "indicated_", "kept_", "mean_"),
        *("n_factors_", "n_iter_", "n_rounds_", "scale_", "spread_", "weight_"),
    },
    AutoencoderOutlierDetector: {"estimator_", "offset_"},
    AutoencoderTransformerCV: {
        *("best_estimator_", "best_index_", "best_score_", "cv_results_"),
        *("n_components_", "n_splits_"),
    },
    Pipeline: set(),
    StandardScaler: {"mean_", "n_samples_seen_", "scale_", "var_"},
}
ANY = {"n_features_in_", "feature_names_in_", "_sklearn_output_config"}
ANY |= {"_namespace", "_sklearn_version"}
# Parameters that name files, which a stranger could have written, or write over.
PATHS = frozenset({"checkpoint", "memory"})
KNOWN = Known(
    {**ESTIMATORS, **AROUND},
    NETS,
    VALUES,
    NAMED,
    {kind: names | ANY for kind, names in ATTRIBUTES.items()},
    PATHS,
    {
        AutoencoderNet: check_built,
        BaseEstimator: check_estimator,
        Codec: check_codec,
        Fitted: check_fitted,
    },
    check_net,
)


def save(estimator, path):
    """Write an estimator to a file that holds no code.

    The file is in safetensors' format and has everything: parameters, fitted
    attributes, weights, and what `partial_fit` and warm starts need to go on as if
    nothing had happened. It holds no rows of the data.

    It is written beside `path` first and then put in its place: a crash leaves the old
    file as it was, and perhaps one beside it that ends in ``.tmp``.

    Parameters
    ----------
    estimator : estimator
        Of a class of this package, fitted or not. Parameters that are code of your own
        or another library's, such as a `module` class, `callbacks` or a `predictor`,
        are not written, and have to be given to `load`. Classes of `torch.optim` are
        known by name. A `checkpoint` is written, but `load` takes no paths.
    path : str or path-like
        Of the file, which is replaced if it exists.

    Raises
    ------
    TypeError
        If the estimator is of another class, or holds something that no file can, such
        as an attribute of your own.
    ImportError
        If safetensors is not installed.

    See Also
    --------
    load : Reads the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ae import AutoencoderTransformer, load, save
    >>> X = load_iris().data
    >>> autoencoder = AutoencoderTransformer(2, max_iter=2).fit(X)
    >>> path = Path(tempfile.mkdtemp()) / "iris.safetensors"
    >>> save(autoencoder, path)
    >>> bool((load(path).transform(X) == autoencoder.transform(X)).all())
    True
    """
    if type(estimator) not in ESTIMATORS.values():
        raise TypeError(
            f"save takes estimators of {', '.join(ESTIMATORS)}. Got "
            f"{type(estimator).__name__}: a Pipeline or a class of your own is for "
            f"skops or joblib."
        )
    coder = Coder(KNOWN)
    root = coder.encode(estimator)
    given = {name: type(thing).__name__ for name, thing in coder.given.items()}
    content = {"versions": _versions(), "given": given, "root": root}
    data = pack(content, coder.tensors)
    replace_file(path, lambda file: file.write(data))


def load(path, **given):
    """Read an estimator that `save` wrote.

    No code from the file is run, nor is anything imported that it names. What it holds
    is compared with what it says before anything is built: a small file takes little
    memory, whatever it claims. So a file from a stranger can be wrong, but not
    dangerous.

    Parameters
    ----------
    path : str or path-like
        Of the file.
    **given : dict
        The parameters that are code of your own, by their names:
        ``load(path, module=MyNetwork)``. The error that comes without them names them.
        The parameters of an estimator within another have their own name, such as
        `module`, not ``estimator__module``.

    Returns
    -------
    estimator
        Like the one that was saved: same parameters, same outputs bit for bit, and it
        goes on training as that one would have. A model from a device that is not here
        is on the CPU.

    Raises
    ------
    ValueError
        If the file is damaged, not one of `save`, of another format, or holds what does
        not go together, such as weights that are not finite.
    TypeError
        If parameters are missing in `given`, or some are not wanted.
    ImportError
        If safetensors is not installed.

    Warns
    -----
    UserWarning
        If the file names a path, as `checkpoint` does: the parameter is None then.

    See Also
    --------
    save : Writes the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_ae import AutoencoderTransformer, load, save
    >>> path = Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> save(AutoencoderTransformer(3), path)
    >>> load(path)
    AutoencoderTransformer(n_components=3)
    """
    library = safetensors()
    with open(path, "rb") as file:
        data = file.read()
    content = unpack(data, path)
    wanted = content["given"]
    if missing := wanted.keys() - given.keys():
        raise TypeError(
            f"{path} was saved with parameters that no file can hold: pass "
            + ", ".join(f"{name}=… (a {wanted[name]})" for name in sorted(missing))
            + " to load, as they were."
        )
    if unwanted := given.keys() - wanted.keys():
        raise TypeError(
            f"{path} holds all its parameters but {sorted(wanted)}: don't pass "
            f"{', '.join(sorted(unwanted))} to load."
        )
    try:
        coder = Coder(KNOWN, library.load(data), given)
        estimator = coder.decode(content["root"])
        if type(estimator) not in ESTIMATORS.values():
            raise TypeError(f"it holds a {type(estimator).__name__}")
    except Exception as error:  # whatever is wrong with a file that is not ours
        raise ValueError(
            f"{path} can't be made into an estimator: {type(error).__name__}: "
            f"{(str(error).splitlines() or [''])[0]}"
        ) from error
    for name, value in coder.dropped.items():
        warnings.warn(
            f"{path} has {name}={value!r:.200}. load takes no paths from files: set "
            f"{name} yourself, if you want it.",
            stacklevel=2,
        )
    return estimator


def skops_types():
    """Return the types that `skops.io.load` must trust to read our estimators.

    They are classes and functions of this package, optimizers and losses of PyTorch,
    `torch.device` and `functools.partial`. None of them runs code that a file brings.

    Returns
    -------
    list of str
        Names, for ``skops.io.load(path, trusted=skops_types())``.

    Examples
    --------
    >>> from sklearn_ae.persistence import skops_types
    >>> "sklearn_ae._autoencoder.AutoencoderTransformer" in skops_types()
    True
    """
    things = {
        *(*ESTIMATORS.values(), *NETS.values(), *VALUES.values(), Loss, Output),
        *(thing for thing in NAMED.values() if not isinstance(thing, Loss | Output)),
        *(functools.partial, torch.device),
    }
    # PyTorch's own functions don't say where they are.
    return sorted(f"{thing.__module__ or 'torch'}.{thing.__name__}" for thing in things)


def to_onnx(estimator, part="encoder"):
    """Turn a fitted estimator into an ONNX model, which needs no Python to run.

    Parameters
    ----------
    estimator : estimator
        Fitted, of a class of this package.
    part : {"encoder", "decoder", "autoencoder"}, default="encoder"
        What the model shall do: `transform`, `inverse_transform` (of whole codes) or
        `reconstruct`.

    Returns
    -------
    onnx.ModelProto
        Its input "X" and output "Y" are float32, of any number of rows. Centring,
        scales and the output activation are in it. For a file:
        ``onnx.save(model, path)``.

    Raises
    ------
    ValueError
        If there is no such part.
    TypeError
        If the estimator is not one of ours.
    ImportError
        If onnx is not installed or, for a `module` of your own, onnxscript.

    See Also
    --------
    skl2onnx.to_onnx : Converts Pipelines, those with our estimators too.

    Notes
    -----
    A Pipeline needs nothing but `skl2onnx.to_onnx`, which finds our converters by
    itself. A `module` of your own goes through `torch.onnx.export`, and must be such as
    that can trace.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ae import AutoencoderTransformer
    >>> from sklearn_ae.persistence import to_onnx
    >>> autoencoder = AutoencoderTransformer(2, max_iter=2).fit(load_iris().data)
    >>> model = to_onnx(autoencoder, part="autoencoder")
    >>> [output.name for output in model.graph.output]
    ['Y']
    """
    try:
        from onnx import TensorProto, helper
    except ImportError as error:
        raise missing("onnx") from error
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}. Got {part!r}.")
    if not isinstance(estimator, OnnxMixin):
        raise TypeError(
            f"to_onnx takes our estimators. Got {type(estimator).__name__}: a Pipeline "
            f"is for skl2onnx.to_onnx, which knows our estimators."
        )
    estimator = estimator._best()
    graph = Graph()
    add_codec(graph, estimator._fitted.codec, part, "X", np.float32, "Y")
    width = {True: estimator.n_components_, False: estimator.n_features_in_}
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width[code]])]
        for name, code in (("X", part == "decoder"), ("Y", part == "encoder"))
    ]
    name = type(estimator).__name__
    return helper.make_model(
        helper.make_graph(graph.nodes, name, *ends, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
        producer_name="sklearn_ae",
        producer_version=_versions()["sklearn_ae"],
    )


def _versions():
    from . import __version__

    return {
        "sklearn_ae": __version__,
        "scikit-learn": sklearn.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
