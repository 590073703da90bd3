"""Files without pickle, and ONNX.

`save` writes one safetensors file: arrays as tensors, all else as JSON in its metadata,
a value of any type other than JSON's own as an object with one key, the tag that
`_Writer` and `_Reader` agree on. Nothing in a file is imported, called or run: a class
or a function is a name in `NAMED`, or must be given to `load`.

To let files hold another type: a tag in `_Writer.encode` and in `_Reader.decode`. To
let them hold another function or class of ours: a line in `NAMED`. `FORMAT` goes up
when files would be misread by older versions.
"""

import functools
import hashlib
import json
import math
import platform

import numpy as np
import sklearn
import torch

from ._adversarial import AdversarialAutoencoder, AdversarialNet
from ._autoencoder import AutoencoderTransformer
from ._checkpoint import replace_file
from ._convolutional import ConvolutionalAutoencoder, ConvolutionalNetwork
from ._denoising import DenoisingAutoencoder
from ._generative import PRIORS
from ._losses import LOSSES, OUTPUTS, PENALTIES, Loss, Output, weighted
from ._networks import DenseNetwork, KSparse, Ordered, PCAStart, build
from ._onnx import OPSET, PARTS, Graph, OnnxMixin, add_estimator, missing
from ._rows import Batches, Rows
from ._search import AutoencoderTransformerCV
from ._training import AutoencoderNet, OrderedNet
from ._variational import VariationalAutoencoder, VariationalNet, VariationalNetwork

__all__ = ["load", "save", "skops_types", "to_onnx"]

FORMAT = 1
MARK = b'{"__metadata__":{"sklearn_ae":"'  # how a file begins, after 8 bytes
DIGITS = 64  # of the checksum that follows
ESTIMATORS = {
    estimator.__name__: estimator
    for estimator in (
        AdversarialAutoencoder,
        AutoencoderTransformer,
        AutoencoderTransformerCV,
        ConvolutionalAutoencoder,
        DenoisingAutoencoder,
        VariationalAutoencoder,
    )
}
NETS = {
    net.__name__: net
    for net in (AutoencoderNet, OrderedNet, VariationalNet, AdversarialNet)
}
OPTIMIZERS = {
    name: thing
    for name, thing in vars(torch.optim).items()
    if isinstance(thing, type) and issubclass(thing, torch.optim.Optimizer)
}
NAMED = {
    **{
        thing.__name__: thing
        for thing in (
            *(build, weighted, Batches, Rows),
            *(DenseNetwork, ConvolutionalNetwork),
            *(KSparse, Ordered, PCAStart, VariationalNetwork),
        )
    },
    **{f"optimizer {name}": optimizer for name, optimizer in OPTIMIZERS.items()},
    **{f"loss {name}": loss for name, loss in LOSSES.items()},
    **{f"criterion {name}": loss.criterion for name, loss in LOSSES.items()},
    **{f"output {name}": output for name, output in OUTPUTS.items()},
    **{f"activation {name}": output.activation for name, output in OUTPUTS.items()},
    **{f"link {name}": output.link for name, output in OUTPUTS.items()},
    **{f"penalty {name}": penalty for name, penalty in PENALTIES.items()},
    **{f"prior {name}": prior for name, prior in PRIORS.items()},
}
NAMES = {thing: name for name, thing in NAMED.items()}
SCALARS = {
    np.dtype(kind).name: kind
    for kind in (
        *(np.bool_, np.int8, np.int16, np.int32, np.int64),
        *(np.uint8, np.uint16, np.uint32, np.uint64),
        *(np.float16, np.float32, np.float64),
    )
}
BIT_GENERATORS = {
    bits.__name__: bits
    for bits in (
        *(np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM),
        *(np.random.Philox, np.random.SFC64),
    )
}


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
        known by name.
    path : str or path-like
        Of the file, which is replaced if it exists.

    Raises
    ------
    TypeError
        If the estimator is of another class, or holds something that no file can.
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
    safetensors = _safetensors()
    if type(estimator) not in ESTIMATORS.values():
        raise TypeError(
            f"save takes estimators of {', '.join(ESTIMATORS)}. Got "
            f"{type(estimator).__name__}: a Pipeline or a class of your own is for "
            f"skops or joblib."
        )
    writer = _Writer()
    root = writer.encode(estimator)
    content = {
        "format": FORMAT,
        "versions": _versions(),
        "given": {name: type(thing).__name__ for name, thing in writer.given.items()},
        "root": root,
    }
    content = json.dumps(content, allow_nan=False)
    metadata = {"sklearn_ae": "0" * DIGITS + content}
    data = safetensors.torch.save(writer.tensors, metadata=metadata)
    start = 8 + len(MARK)
    digest = hashlib.sha256(data).hexdigest().encode()
    data = data[:start] + digest + data[start + DIGITS :]
    replace_file(path, lambda file: file.write(data))


def load(path, **given):
    """Read an estimator that `save` wrote.

    No code from the file is run, nor is anything imported that it names: a file from a
    stranger can be wrong, but not dangerous.

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
        If the file is damaged, not one of `save`, or of a newer format.
    TypeError
        If parameters are missing in `given`, or some are not wanted.
    ImportError
        If safetensors is not installed.

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
    safetensors = _safetensors()
    with open(path, "rb") as file:
        data = file.read()
    content = _content(path, data)
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
        tensors = safetensors.torch.load(data)
        return _Reader(tensors, given).estimator(content["root"])
    except Exception as error:  # whatever is wrong with a file that is not ours
        raise ValueError(
            f"{path} can't be made into an estimator: {type(error).__name__}: "
            f"{(str(error).splitlines() or [''])[0]}"
        ) from error


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
        *(*ESTIMATORS.values(), *NETS.values(), Loss, Output),
        *(thing for thing in NAMES if not isinstance(thing, Loss | Output)),
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
    add_estimator(graph, estimator, part, "X", np.float32, "Y")
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


def _safetensors():
    try:
        import safetensors.torch
    except ImportError as error:
        raise ImportError(
            "save and load need safetensors: pip install 'sklearn-ae[save]'"
        ) from error
    return safetensors


def _versions():
    from . import __version__

    return {
        "sklearn_ae": __version__,
        "scikit-learn": sklearn.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _content(path, data):
    """Return the JSON of a file, checked."""
    start = 8 + len(MARK)
    stop = 8 + int.from_bytes(data[:8], "little")
    try:
        if data[8:start] != MARK:
            raise ValueError
        text = json.loads(data[8:stop])["__metadata__"]["sklearn_ae"]
        content = json.loads(text[DIGITS:])
        newest = int(content["format"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} is not a file that sklearn_ae.save wrote, or it is damaged."
        ) from error
    if newest > FORMAT:
        raise ValueError(
            f"{path} has format {newest}, of a newer sklearn_ae than this, which reads "
            f"formats up to {FORMAT}: update sklearn_ae."
        )
    blank = data[:start] + b"0" * DIGITS + data[start + DIGITS :]
    if hashlib.sha256(blank).hexdigest().encode() != data[start : start + DIGITS]:
        raise ValueError(f"{path} is damaged: its checksum is not that of its content.")
    if not isinstance(content.get("given"), dict) or "root" not in content:
        raise ValueError(f"{path} is not a file that sklearn_ae.save wrote.")
    return content


class _Foreign(TypeError):
    """For something that a file can't hold."""


class _Writer:
    """Turns an estimator into what JSON can hold, and tensors.

    Attributes
    ----------
    tensors : dict of str to Tensor
        What the "array" and "tensor" tags refer to.
    given : dict
        Parameters that have to be given to `load`.
    """

    def __init__(self):
        self.tensors = {}
        self.given = {}

    def encode(self, value):
        for name, thing in self.given.items():
            if thing is value:
                return {"given": name}
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is list:
            return [self.encode(item) for item in value]
        if kind is tuple:
            return {"tuple": [self.encode(item) for item in value]}
        if kind is dict:
            items = value.items()
            return {"dict": [[self.encode(k), self.encode(v)] for k, v in items]}
        if kind in ESTIMATORS.values():
            return self.estimator(value)
        if kind in NETS.values():
            return {"net": [kind.__name__, self.encode(value.__getstate__())]}
        if isinstance(value, np.ma.MaskedArray):
            mask = None if value.mask is np.ma.nomask else value.mask
            return {"masked": [self.encode(value.data), self.encode(mask)]}
        if kind is np.ndarray:
            return self.array(value)
        if kind in SCALARS.values():
            return {"scalar": [value.dtype.name, self.encode(value.item())]}
        if isinstance(value, torch.Tensor):
            return {"tensor": self.keep(value.detach().cpu().clone().contiguous())}
        if kind is np.random.Generator:
            return {"generator": self.encode(value.bit_generator.state)}
        if kind is np.random.RandomState:
            return {"random_state": self.encode(value.get_state(legacy=False))}
        if kind is torch.device:
            return {"device": str(value)}
        if kind is functools.partial:
            parts = value.func, value.args, value.keywords
            return {"partial": [self.encode(part) for part in parts]}
        # Rows of our tables are equal, not identical, once they were pickled.
        if (callable(value) or kind in (Loss, Output)) and _hashable(value) in NAMES:
            return {"named": NAMES[value]}
        raise _Foreign(f"{value!r:.100}")

    def estimator(self, estimator):
        state = dict(estimator.__getstate__())
        parameters = {
            name: self.parameter(name, state.pop(name))
            for name in estimator.get_params(deep=False)
        }
        attributes = {}
        for name, value in state.items():
            try:
                attributes[name] = self.encode(value)
            except _Foreign as error:
                raise TypeError(
                    f"No file can hold what {name} of this {type(estimator).__name__} "
                    f"has: {error}. If it came from a parameter that has changed since "
                    f"the fit, set that back or fit again."
                ) from error
        return {"estimator": [type(estimator).__name__, parameters, attributes]}

    def parameter(self, name, value):
        before = dict(self.tensors)
        try:
            return self.encode(value)
        except _Foreign:
            self.tensors = before
            # Callbacks and the like may be copies; of classes there is but one.
            if callable(value) and self.given.get(name, value) is not value:
                raise TypeError(
                    f"Two different {name} are in this estimator, {value!r:.100} and "
                    f"{self.given[name]!r:.100}: fit again, so that they are one."
                ) from None
            self.given.setdefault(name, value)
            return {"given": name}

    def array(self, array):
        if array.dtype.kind in "OU":
            texts = array.tolist()
            if array.ndim == 1 and all(type(text) is str for text in texts):
                return {"texts": [array.dtype.kind, texts]}
        elif (name := array.dtype.name) in SCALARS:
            native = np.array(array, dtype=name, order="C")
            if name in ("uint16", "uint32", "uint64"):  # new to torch and safetensors
                native = native.view(name.removeprefix("u"))
            return {"array": [self.keep(torch.from_numpy(native)), name]}
        raise _Foreign(f"an array of {array.dtype}")

    def keep(self, tensor):
        name = str(len(self.tensors))
        self.tensors[name] = tensor
        return name


def _hashable(value):
    try:
        hash(value)
    except TypeError:
        return None
    return value


class _Reader:
    """Turns back what a `_Writer` made.

    Parameters
    ----------
    tensors : dict of str to Tensor
        The file's.
    given : dict
        The caller's parameters.
    """

    def __init__(self, tensors, given):
        self.tensors = tensors
        self.given = given

    def decode(self, node):
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        ((tag, content),) = node.items()
        match tag:
            case "given":
                return self.given[content]
            case "named":
                return NAMED[content]
            case "float":
                return float(content)
            case "tuple":
                return tuple(self.decode(content))
            case "dict":
                return {self.decode(k): self.decode(v) for k, v in content}
            case "estimator":
                return self.estimator(node)
            case "net":
                name, state = content
                net = NETS[name].__new__(NETS[name])
                net.__setstate__(self.decode(state))
                return net
            case "masked":
                data, mask = self.decode(content)
                return np.ma.array(data, mask=np.ma.nomask if mask is None else mask)
            case "texts":
                kind, texts = content
                return np.array(texts, dtype={"O": object, "U": str}[kind])
            case "array":
                key, name = content
                return self.tensors[key].numpy().view(SCALARS[name])
            case "tensor":
                return self.tensors[content]
            case "scalar":
                name, value = content
                return SCALARS[name](self.decode(value))
            case "generator":
                return np.random.Generator(_bits(self.decode(content)))
            case "random_state":
                state = self.decode(content)
                bits = BIT_GENERATORS[state["bit_generator"]]()
                random_state = np.random.RandomState(bits)
                random_state.set_state(state)
                return random_state
            case "device":
                return torch.device(content)
            case "partial":
                function, args, keywords = self.decode(content)
                return functools.partial(function, *args, **keywords)
        raise ValueError(f"unknown tag {tag!r}")

    def estimator(self, node):
        name, parameters, attributes = node["estimator"]
        estimator = ESTIMATORS[name](
            **{name: self.decode(value) for name, value in parameters.items()}
        )
        state = {name: self.decode(value) for name, value in attributes.items()}
        estimator.__setstate__({**vars(estimator), **state})
        return estimator


def _bits(state):
    bits = BIT_GENERATORS[state["bit_generator"]]()
    bits.state = state
    return bits
