"""Docstrings are whole: numpydoc's own validation, with scikit-learn's exceptions."""

import inspect
from importlib import import_module

import numpy as np
import pytest
from skorch.callbacks import Callback

import sklearn_ae
from sklearn_ae._estimators import ESTIMATORS

validate = pytest.importorskip("numpydoc.validate").validate

MODULES = (
    *("callbacks", "compare", "datasets", "inspection", "metrics", "persistence"),
    "plotting",
)
# What scikit-learn's test of its docstrings leaves out: types on the first line of
# Returns and the place of the first line everywhere; of a method or function an
# extended summary, See Also and Examples; of a property what a signature would say.
EVERYWHERE = {"RT02", "GL01", "GL02"}
OF_CLASSES = {"EX01", "SA01", "ES01"}
OF_SIGNATURES = {"PR02", "GL08"}


def public():
    """Yield each public class and function once, by where it is defined."""
    found = {}
    for module in (sklearn_ae, *(import_module(f"sklearn_ae.{m}") for m in MODULES)):
        for name in module.__all__:
            value = getattr(module, name)
            if getattr(value, "__module__", "").startswith("sklearn_ae"):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


def documented():
    """Yield paths of all public names, and of the methods of classes."""
    for path, value in public().items():
        yield path
        if inspect.isclass(value):
            yield from (f"{path}.{name}" for name in members(value))


def members(cls):
    """Yield the names of methods and properties; skorch documents a callback's."""
    for name in dir(cls):
        is_hook = issubclass(cls, Callback) and hasattr(Callback, name)
        is_property = isinstance(inspect.getattr_static(cls, name), property)
        if name.startswith("_") or is_hook:
            continue
        if is_property or callable(getattr(cls, name)):
            yield name


def faults(path):
    """Return what numpydoc finds, but for the exceptions."""
    owner, _, name = path.rpartition(".")
    of_class = public().get(owner)
    ignored = set(EVERYWHERE)
    if not inspect.isclass(public().get(path)):
        ignored |= OF_CLASSES
    if of_class is not None and isinstance(
        inspect.getattr_static(of_class, name), property
    ):
        ignored |= OF_SIGNATURES
    return [error for error in validate(path)["errors"] if error[0] not in ignored]


@pytest.mark.parametrize("path", list(documented()))
def test_docstring_passes_numpydoc(path):
    assert faults(path) == []


@pytest.mark.parametrize("name", ESTIMATORS)
def test_documented_defaults_are_those_of_the_signature(name):
    cls = ESTIMATORS[name]
    text = " ".join(inspect.cleandoc(cls.__doc__).split())
    for parameter in inspect.signature(cls).parameters.values():
        after = text.partition(f" {parameter.name} : ")[2].partition("default=")[2]
        said = "" if parameter.default is parameter.empty else str(parameter.default)
        if isinstance(parameter.default, float):  # 1e-3 is 0.001
            number = float(after.split()[0].removeprefix("np."))
            np.testing.assert_equal(number, parameter.default, str(parameter))
        else:
            assert after.strip('"').startswith(said), parameter
