"""Values as JSON and tensors, and back.

What JSON has a type for stands for itself; anything else is an object with one key, its
tag in `TAGS`. Nothing that is read is imported, called or run: a class or a function is
a name in one of the tables of `Known`, or is given by the caller.

To let files hold another type: a row in `TAGS` and a sample in `tests/test_tags.py`.
"""

import dataclasses
import functools
import math
import os
import types
import typing
from collections.abc import Callable
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch

from ._randomness import generator, random_state

SCALARS = {
    np.dtype(kind).name: kind
    for kind in (
        *(np.bool_, np.int8, np.int16, np.int32, np.int64),
        *(np.uint8, np.uint16, np.uint32, np.uint64),
        *(np.float16, np.float32, np.float64),
    )
}
FREE = 32 * 2**20  # bytes that values may take beyond those of the file


@dataclasses.dataclass(frozen=True)
class Known:
    """What files may name. Each is a table from names to things.

    Attributes
    ----------
    estimators : dict of str to class
        Written as parameters and attributes.
    nets : dict of str to class
        Written as what ``__getstate__`` returns and ``__setstate__`` takes.
    values : dict of str to dataclass
        Written as the fields that their ``__init__`` takes.
    named : dict of str to object
        Functions, classes and constants, written as their names alone.
    attributes : dict of class to set of str
        What an estimator may have besides its parameters.
    paths : set of str
        Parameters that name files or folders, which are not taken from a file.
    checks : dict of class to callable
        Called with what was read; raise an error if it isn't whole.
    check_state : callable
        Called with a net's state and the number of cells of a file, before the net is
        built.
    """

    estimators: dict
    nets: dict
    values: dict
    named: dict
    attributes: dict = dataclasses.field(default_factory=dict)
    paths: frozenset = frozenset()
    checks: dict = dataclasses.field(default_factory=dict)
    check_state: Callable = lambda state, n_cells: None

    def checked(self, value):
        """Return a value that was read, or raise an error."""
        for kind, check in self.checks.items():
            if isinstance(value, kind):
                check(value)
        return value


class Unwritable(TypeError):
    """For something that a file can't hold.

    Attributes
    ----------
    path : list of str
        The fields that lead to it.
    """

    def __init__(self, what):
        super().__init__(what)
        self.path = []


class Coder:
    """Turns values into JSON and tensors, and back.

    Parameters
    ----------
    known : Known
        What files may name.
    tensors : dict of str to Tensor, default=None
        Those of a file that is read. One that is written gets them here.
    given : dict, default=None
        What the caller gave to `load`, by name; of a file that is written, what has to
        be given.
    """

    def __init__(self, known, tensors=None, given=None):
        self.known = known
        self.tensors = {} if tensors is None else tensors
        self.given = {} if given is None else given
        self.dropped = {}  # paths that were not taken from the file
        self.n_cells = sum(tensor.numel() for tensor in self.tensors.values())
        self.left = set(self.tensors)  # each is referred to once
        self.free = FREE

    def encode(self, value):
        """Return what stands for a value in JSON, or raise `Unwritable`."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float and math.isfinite(value):
            return value
        for tag, row in TAGS.items():
            if row.suits(self, value):
                return {tag: row.encode(self, value)}
        if kind is list:
            return [self.encode(item) for item in value]
        raise Unwritable(f"{value!r:.100}")

    def decode(self, node):
        """Return the value that `encode` was given."""
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        ((tag, content),) = node.items()
        if tag not in TAGS:
            raise ValueError(f"unknown tag {tag!r}")
        return TAGS[tag].decode(self, content)

    def encode_fields(self, fields):
        """Return a dict with its values encoded; an error tells which can't be."""
        encoded = {}
        for name, value in fields.items():
            try:
                encoded[name] = self.encode(value)
            except Unwritable as error:
                error.path.insert(0, name)
                raise
        return encoded

    def decode_fields(self, fields):
        """Return a dict with its values decoded."""
        return {name: self.decode(node) for name, node in fields.items()}

    def keep(self, tensor):
        """Put a tensor into the file and return its name there."""
        name = str(len(self.tensors))
        self.tensors[name] = tensor
        return name

    def take(self, name):
        """Return a tensor of the file, the only time that it is asked for."""
        self.left.remove(name)  # else a small file could stand for a large model
        return self.tensors[name]

    def spend(self, n_bytes):
        """Raise an error if values take much more than what the file has of them."""
        self.free -= n_bytes
        if self.free < 0:
            raise ValueError("it would take more memory than the file is worth")


def _name(table, thing):
    """Return the name of a thing in a table, or None."""
    # Constants are equal, not identical, once they were pickled.
    for name, known in table.items():
        if type(known) is type(thing) and known == thing:
            return name
    return None


def _encode_estimator(coder, estimator):
    kind = type(estimator)
    state = dict(estimator.__getstate__())
    parameters = {
        name: _encode_parameter(coder, name, state.pop(name))
        for name in estimator.get_params(deep=False)
    }
    if unknown := state.keys() - coder.known.attributes.get(kind, ()):
        raise TypeError(
            f"No file can hold what {min(unknown)} of this {kind.__name__} has: it is "
            f"no attribute of that class. Delete it, or use pickle or skops."
        )
    try:
        attributes = coder.encode_fields(state)
    except Unwritable as error:
        raise TypeError(
            f"No file can hold what {'.'.join(error.path)} of this {kind.__name__} "
            f"has: {error}. If it came from a parameter that has changed since the "
            f"fit, set that back or fit again."
        ) from error
    return [_name(coder.known.estimators, kind), parameters, attributes]


def _encode_parameter(coder, name, value):
    if name in coder.known.paths and isinstance(value, str | os.PathLike):
        return os.fspath(value)
    before = dict(coder.tensors)
    try:
        return coder.encode(value)
    except Unwritable:
        coder.tensors = before
    # Callbacks and the like may be copies; of classes there is but one.
    if callable(value) and coder.given.get(name, value) is not value:
        raise TypeError(
            f"Two different {name} are in this estimator, {value!r:.100} and "
            f"{coder.given[name]!r:.100}: fit again, so that they are one."
        )
    coder.given.setdefault(name, value)
    return {"given": name}


def _decode_estimator(coder, content):
    name, parameters, attributes = content
    kind = coder.known.estimators[name]
    if unknown := attributes.keys() - coder.known.attributes.get(kind, ()):
        raise ValueError(f"{name} has no attribute {min(unknown)!r}")
    parameters = coder.decode_fields(parameters)
    for path in coder.known.paths & parameters.keys():
        if isinstance(parameters[path], str | list):
            coder.dropped[path] = parameters[path]
            parameters[path] = None
    estimator = kind(**parameters)
    state = coder.decode_fields(attributes)
    estimator.__setstate__({**vars(estimator), **state})
    return coder.known.checked(estimator)


def _encode_net(coder, net):
    return [_name(coder.known.nets, type(net)), coder.encode(net.__getstate__())]


def _decode_net(coder, content):
    name, state = content
    net = coder.known.nets[name].__new__(coder.known.nets[name])
    state = coder.decode(state)
    coder.known.check_state(state, coder.n_cells)
    net.__setstate__(state)
    return coder.known.checked(net)


def _field_names(kind):
    return [field.name for field in dataclasses.fields(kind) if field.init]


def _encode_value(coder, value):
    kind = type(value)
    fields = {name: getattr(value, name) for name in _field_names(kind)}
    return [_name(coder.known.values, kind), coder.encode_fields(fields)]


def _decode_value(coder, content):
    name, fields = content
    kind = coder.known.values[name]
    if fields.keys() != set(_field_names(kind)):
        raise ValueError(
            f"{name} has the fields {', '.join(_field_names(kind))}, but in the file "
            f"it has {', '.join(fields) or 'none'}"
        )
    fields = coder.decode_fields(fields)
    hints = typing.get_type_hints(kind)
    for field, value in fields.items():
        if not isinstance(value, _kinds(hints[field])):
            raise ValueError(f"{name} has a {type(value).__name__} as {field}")
    return coder.known.checked(kind(**fields))


def _kinds(hint):
    """Return the classes that a field's type stands for; numbers may be NumPy's."""
    if isinstance(hint, types.UnionType):
        return tuple(kind for each in hint.__args__ for kind in _kinds(each))
    return {float: (Real,), int: (Integral,), bool: (bool, np.bool_)}.get(hint, (hint,))


def _is_texts(coder, value):
    return (
        type(value) is np.ndarray
        and (value.dtype.kind in "OU" and value.ndim == 1)
        and all(type(text) is str for text in value.tolist())
    )


def _encode_array(coder, array):
    name = array.dtype.name
    if name not in SCALARS:
        raise Unwritable(f"an array of {array.dtype}")
    native = np.array(array, dtype=name, order="C")
    if name in ("uint16", "uint32", "uint64"):  # new to torch and safetensors
        native = native.view(name.removeprefix("u"))
    return [coder.keep(torch.from_numpy(native)), name]


def _encode_masked(coder, array):
    mask = None if array.mask is np.ma.nomask else array.mask
    return [coder.encode(array.data), coder.encode(mask)]


def _decode_masked(coder, content):
    data, mask = coder.decode(content)
    return np.ma.array(data, mask=np.ma.nomask if mask is None else mask)


def _decode_array(coder, content):
    name, dtype = content
    array = coder.take(name).numpy()
    if array.dtype.name not in (dtype, dtype.removeprefix("u")):
        raise ValueError(f"an array is of {array.dtype}, not {dtype}")
    return array.view(SCALARS[dtype])


def _decode_texts(coder, content):
    kind, texts = content
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a text is none")
    # An array of texts gives each the room of the longest.
    coder.spend(4 * len(texts) * max(map(len, texts), default=0) if kind == "U" else 0)
    return np.array(texts, {"O": object, "U": str}[kind])


def _decode_partial(coder, content):
    function, args, keywords = coder.decode(content)
    return functools.partial(function, *args, **keywords)


def _of(*kinds):
    return lambda coder, value: type(value) in kinds


class Tag(NamedTuple):
    """How values of one type are written and read.

    Attributes
    ----------
    suits : callable
        Tells, of a `Coder` and a value, whether the tag is for that value.
    encode : callable
        Takes a `Coder` and the value, and returns what JSON can hold.
    decode : callable
        Takes a `Coder` and what JSON held, and returns the value.
    """

    suits: Callable
    encode: Callable
    decode: Callable


TAGS = {  # the first that suits is taken
    "given": Tag(
        lambda coder, value: any(value is thing for thing in coder.given.values()),
        lambda coder, value: next(k for k, v in coder.given.items() if v is value),
        lambda coder, name: coder.given[name],
    ),
    "float": Tag(  # nan and infinities
        _of(float),
        lambda coder, value: repr(value),
        lambda coder, text: float(text),
    ),
    "tuple": Tag(
        _of(tuple),
        lambda coder, value: [coder.encode(item) for item in value],
        lambda coder, items: tuple(coder.decode(items)),
    ),
    "dict": Tag(
        _of(dict),
        lambda coder, value: [
            [coder.encode(x) for x in item] for item in value.items()
        ],
        lambda coder, items: dict(coder.decode(items)),
    ),
    "scalar": Tag(
        _of(*SCALARS.values()),
        lambda coder, value: [value.dtype.name, coder.encode(value.item())],
        lambda coder, content: SCALARS[content[0]](coder.decode(content[1])),
    ),
    "texts": Tag(
        _is_texts,
        lambda coder, array: [array.dtype.kind, array.tolist()],
        _decode_texts,
    ),
    "array": Tag(
        _of(np.ndarray),
        _encode_array,
        _decode_array,
    ),
    "masked": Tag(
        lambda coder, value: isinstance(value, np.ma.MaskedArray),
        _encode_masked,
        _decode_masked,
    ),
    "tensor": Tag(
        lambda coder, value: isinstance(value, torch.Tensor),
        lambda coder, value: coder.keep(value.detach().cpu().clone().contiguous()),
        lambda coder, name: coder.take(name),
    ),
    "value": Tag(
        lambda coder, value: _name(coder.known.values, type(value)),
        _encode_value,
        _decode_value,
    ),
    "estimator": Tag(
        lambda coder, value: _name(coder.known.estimators, type(value)),
        _encode_estimator,
        _decode_estimator,
    ),
    "net": Tag(
        lambda coder, value: _name(coder.known.nets, type(value)),
        _encode_net,
        _decode_net,
    ),
    "generator": Tag(
        _of(np.random.Generator),
        lambda coder, value: coder.encode(value.bit_generator.state),
        lambda coder, content: generator(coder.decode(content)),
    ),
    "random_state": Tag(
        _of(np.random.RandomState),
        lambda coder, value: coder.encode(value.get_state(legacy=False)),
        lambda coder, content: random_state(coder.decode(content)),
    ),
    "device": Tag(
        _of(torch.device),
        lambda coder, value: str(value),
        lambda coder, text: torch.device(text),
    ),
    "partial": Tag(
        _of(functools.partial),
        lambda coder, value: coder.encode([value.func, value.args, value.keywords]),
        _decode_partial,
    ),
    "named": Tag(
        lambda coder, value: _name(coder.known.named, value),
        lambda coder, value: _name(coder.known.named, value),
        lambda coder, name: coder.known.named[name],
    ),
}
