"""Values as JSON and tensors, and back.

What JSON has a type for stands for itself; anything else is an object with one key, its
tag in `TAGS`. Nothing that is read is imported, called or run: a class or a function is
a name in one of the tables of `Known`, or is given by the caller.

To let files hold another type: a row in `TAGS` and a sample in `tests/test_tags.py`.
"""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

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
    """

    estimators: dict
    nets: dict
    values: dict
    named: dict


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
    estimator = coder.known.estimators[name](**coder.decode_fields(parameters))
    state = coder.decode_fields(attributes)
    estimator.__setstate__({**vars(estimator), **state})
    return estimator


def _encode_net(coder, net):
    return [_name(coder.known.nets, type(net)), coder.encode(net.__getstate__())]


def _decode_net(coder, content):
    name, state = content
    net = coder.known.nets[name].__new__(coder.known.nets[name])
    net.__setstate__(coder.decode(state))
    return net


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
    return kind(**coder.decode_fields(fields))


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


def _decode_generator(coder, content):
    state = coder.decode(content)
    bits = BIT_GENERATORS[state["bit_generator"]]()
    bits.state = state
    return np.random.Generator(bits)


def _decode_random_state(coder, content):
    state = coder.decode(content)
    random_state = np.random.RandomState(BIT_GENERATORS[state["bit_generator"]]())
    random_state.set_state(state)
    return random_state


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
        lambda coder, content: np.array(
            content[1], {"O": object, "U": str}[content[0]]
        ),
    ),
    "array": Tag(
        _of(np.ndarray),
        _encode_array,
        lambda coder, content: (
            coder.tensors[content[0]].numpy().view(SCALARS[content[1]])
        ),
    ),
    "masked": Tag(
        lambda coder, value: isinstance(value, np.ma.MaskedArray),
        _encode_masked,
        _decode_masked,
    ),
    "tensor": Tag(
        lambda coder, value: isinstance(value, torch.Tensor),
        lambda coder, value: coder.keep(value.detach().cpu().clone().contiguous()),
        lambda coder, name: coder.tensors[name],
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
        _decode_generator,
    ),
    "random_state": Tag(
        _of(np.random.RandomState),
        lambda coder, value: coder.encode(value.get_state(legacy=False)),
        _decode_random_state,
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
