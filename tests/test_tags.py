"""What a file makes of values: every tag, and what may be named."""

from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import skops.io
import torch
from numpy.testing import assert_array_equal

from sklearn_ae import AutoencoderTransformer, load, persistence, save
from sklearn_ae._format import pack, unpack
from sklearn_ae._tags import SCALARS, TAGS, Coder, Known, Unwritable


@dataclass(frozen=True)
class Scaling:
    mean: np.ndarray
    scale: float
    bounds: tuple | None = None


@dataclass(frozen=True)
class Fitted:
    scaling: Scaling
    weights: torch.Tensor
    losses: list
    kind: type
    n_losses: int = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "n_losses", len(self.losses))


@dataclass(frozen=True)
class Unknown(Scaling):
    pass


class Estimator:
    def __init__(self, size=1):
        self.size = size

    def get_params(self, deep):
        return {"size": self.size}

    def __getstate__(self):
        return vars(self)

    def __setstate__(self, state):
        vars(self).update(state)


class Net:
    def __init__(self, weights):
        self.weights = weights

    def __getstate__(self):
        return {"weights": self.weights.numpy()}

    def __setstate__(self, state):
        self.weights = torch.from_numpy(state["weights"])


KNOWN = Known(
    estimators={"Estimator": Estimator},
    nets={"Net": Net},
    values={"Scaling": Scaling, "Fitted": Fitted},
    named={"tanh": torch.tanh, "Linear": torch.nn.Linear},
    attributes={Estimator: {"fitted_"}},
)
MINE = object()


def scaling(bounds=(0, np.inf)):
    return Scaling(np.array([0.1, np.nan]), 0.3, bounds)


def fitted(**changes):
    return Fitted(
        scaling(**changes), torch.ones(2, 2), [0.5, 0.25], kind=torch.nn.Linear
    )


def through(value):
    """Return the JSON and the value that a file makes of a value."""
    writer = Coder(KNOWN, given={"mine": MINE})
    data = pack({"given": {}, "root": writer.encode(value)}, writer.tensors)
    root = unpack(data, "file")["root"]
    return root, Coder(KNOWN, writer.tensors, writer.given).decode(root)


def draws(generator):
    return [generator.normal() for _ in range(3)]


# Of each tag a value, and what must be equal before and after.
SAMPLES = {
    "given": (MINE, id),
    "float": (-np.inf, float),
    "tuple": ((1, "a", (None, 0.5)), list),
    "dict": ({1: {"b": [True]}, (2, 3): "c"}, lambda d: list(d.items())),
    "scalar": (np.float16(np.nan), lambda x: x.tobytes()),
    "texts": (np.array(["a", "bc"]), np.ndarray.tolist),
    "array": (np.arange(6.0).reshape(2, 3).T, np.ndarray.tolist),
    "masked": (np.ma.array([1, 2], mask=[0, 1]), np.ma.MaskedArray.tolist),
    "tensor": (torch.arange(3).double()[::2], torch.Tensor.tolist),
    "value": (scaling(), repr),
    "estimator": (Estimator(size=2), vars),
    "net": (Net(torch.arange(3.0)), lambda net: net.weights.tolist()),
    "generator": (np.random.Generator(np.random.SFC64(1)), draws),
    "random_state": (np.random.RandomState(1), draws),
    "device": (torch.device("cuda", 1), str),
    "partial": (
        partial(torch.tanh, 1, out=None),
        lambda p: (p.func, p.args, p.keywords),
    ),
    "named": (torch.nn.Linear, id),
}


def test_every_tag_has_a_sample():
    assert SAMPLES.keys() == TAGS.keys()


@pytest.mark.parametrize("tag", TAGS)
def test_every_tag_returns_what_it_was_given(tag):
    value, content = SAMPLES[tag]
    root, other = through(value)
    assert list(root) == [tag]
    assert type(other) is type(value)
    assert content(other) == content(value)


@pytest.mark.parametrize("value", [None, True, 3, 2**70, -0.1, "ü", [1, [None]]])
def test_json_stands_for_itself(value):
    root, other = through(value)
    assert root == other == value
    assert type(other) is type(value)


@pytest.mark.parametrize("name", SCALARS)
def test_every_dtype_comes_back(name):
    most = {"b": True, "f": np.inf}.get(np.dtype(name).kind) or np.iinfo(name).max
    array = np.array([0, 1, 1, most], name)
    swapped = array.astype(array.dtype.newbyteorder())
    for value in (array, array[::-2], array.reshape(2, 2).T, swapped, array[3]):
        _, other = through(value)
        assert type(other) is type(value)
        assert other.dtype == np.dtype(name)
        assert_array_equal(other, value)


@pytest.mark.parametrize(
    "array", [np.array([1j]), np.array([None, "a"]), np.array([["a"]])]
)
def test_other_arrays_are_refused(array):
    with pytest.raises(Unwritable, match=f"^an array of {array.dtype}$"):
        Coder(KNOWN).encode(array)


# -- values --


def test_values_are_written_field_by_field():
    root, other = through(fitted())
    assert root == {
        "value": [
            "Fitted",
            {
                "scaling": {
                    "value": [
                        "Scaling",
                        {
                            "mean": {"array": ["0", "float64"]},
                            "scale": 0.3,
                            "bounds": {"tuple": [0, {"float": "inf"}]},
                        },
                    ]
                },
                "weights": {"tensor": "1"},
                "losses": [0.5, 0.25],
                "kind": {"named": "Linear"},
            },
        ]
    }
    assert repr(other) == repr(fitted())
    assert type(other) is Fitted
    assert type(other.scaling) is Scaling
    assert other.n_losses == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mean": 0, "scale": 1}, "Scaling has .* bounds, but .* it has mean, scale$"),
        ({"mean": 0, "scale": 1, "bounds": 2, "x": 3}, "it has mean, .*, x$"),
        ({}, "Scaling has the fields mean, scale, bounds, but .* it has none$"),
    ],
)
def test_values_need_exactly_their_fields(fields, message):
    with pytest.raises(ValueError, match=message):
        Coder(KNOWN).decode({"value": ["Scaling", fields]})


def test_only_known_classes_are_values():
    with pytest.raises(Unwritable, match="Unknown"):
        Coder(KNOWN).encode(Unknown(1, 2))
    with pytest.raises(KeyError, match="Unknown"):
        Coder(KNOWN).decode({"value": ["Unknown", {}]})
    with pytest.raises(ValueError, match="unknown tag 'class'"):
        Coder(KNOWN).decode({"class": "Unknown"})


def test_the_field_that_can_not_be_written_is_named():
    estimator = Estimator()
    estimator.fitted_ = fitted(bounds=[(1, SimpleNamespace(a=1))])
    message = r"what fitted_\.scaling\.bounds of this Estimator has: namespace\(a=1\)"
    with pytest.raises(TypeError, match=message):
        Coder(KNOWN).encode(estimator)


def test_a_value_in_an_estimator_is_saved(tmp_path, monkeypatch):
    monkeypatch.setitem(persistence.VALUES, "Scaling", Scaling)
    known = persistence.KNOWN.attributes[AutoencoderTransformer]
    names = {AutoencoderTransformer: known | {"scaling_"}}
    monkeypatch.setattr(
        persistence, "KNOWN", replace(persistence.KNOWN, attributes=names)
    )
    model = AutoencoderTransformer(3)
    model.scaling_ = scaling()
    save(model, tmp_path / "model")
    other = load(tmp_path / "model")
    assert repr(other.scaling_) == repr(model.scaling_)
    assert other.n_components == 3
    trusted = persistence.skops_types()
    other = skops.io.loads(skops.io.dumps(model), trusted=trusted)
    assert repr(other.scaling_) == repr(model.scaling_)
    monkeypatch.delitem(persistence.VALUES, "Scaling")
    with pytest.raises(ValueError, match=r"model can't be made .* KeyError: 'Scaling'"):
        load(tmp_path / "model")
    with pytest.raises(TypeError, match=r"what scaling_ of this .* has: Scaling\("):
        save(model, tmp_path / "model")
