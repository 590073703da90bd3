"""Write the types of the public names: `python tests/make_stubs.py`.

An inherited ``**params`` hides an estimator's parameters from type checkers and
editors. So `sklearn_ae/__init__.pyi` names them all, with the types that their
constraints allow. `tests/test_types.py` keeps the file equal to the signatures.
"""

import inspect
import re
from numbers import Integral, Real
from pathlib import Path

import sklearn_ae

FILE = Path(sklearn_ae.__file__).parent / "__init__.pyi"
HEAD = '''"""Types of the public names. Written by tests/make_stubs.py; do not edit."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, BinaryIO, Literal, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin

from . import callbacks as callbacks
from . import compare as compare
from . import datasets as datasets
from . import inspection as inspection
from . import metrics as metrics
from . import persistence as persistence
from . import plotting as plotting

__all__: list[str]
__version__: str

def load(path: str | PathLike[str] | BinaryIO, **given: Any) -> Any: ...
def save(estimator: BaseEstimator, path: str | PathLike[str] | BinaryIO) -> None: ...
'''
WORDS = {
    "boolean": "bool",
    "verbose": "int",
    "random_state": "int | np.random.RandomState | None",
    "array-like": "Sequence[int] | np.ndarray",
    "cv_object": "int | Any",
    "no_validation": "Any",
}
# What is not to be read off the constraints.
TOLD = {("AutoencoderTransformerCV", "n_components"): "Sequence[int] | np.ndarray"}


def type_of(constraint):
    """Return the type that a constraint of scikit-learn's allows."""
    if constraint is None:
        return "None"
    if isinstance(constraint, str):
        return WORDS[constraint]
    if isinstance(constraint, type):
        return {
            Integral: "int",
            Real: "float",
            type: "type[Any]",
            list: "list[Any]",
            tuple: "tuple[Any, ...]",
        }.get(constraint) or named(constraint)
    if constraint is callable:
        return "Callable[..., Any]"
    kind = type(constraint).__name__
    if kind == "StrOptions":
        return f"Literal[{', '.join(map(repr, sorted(constraint.options)))}]"
    if kind in {"Interval", "Options"}:
        return "int" if constraint.type is Integral else "float"
    return "Any"  # HasMethods


def named(cls):
    """Return how the stubs call a class."""
    if cls.__module__.startswith("sklearn_ae"):
        return "BaseEstimator"
    name = {"PathLike": "PathLike[str]", "Module": "torch.nn.Module"}.get(cls.__name__)
    return name or f"{cls.__module__}.{cls.__name__}".removeprefix("builtins.")


def types_of(cls, name):
    """Return the type of a parameter of an estimator."""
    if (cls.__name__, name) in TOLD:
        return TOLD[cls.__name__, name]
    constraints = cls._parameter_constraints[name]
    if isinstance(constraints, str):
        return WORDS[constraints]
    found = " | ".join(type_of(constraint) for constraint in constraints)
    return " | ".join(dict.fromkeys(found.split(" | ")))


def default(value):
    """Return a default as it is written."""
    plain = isinstance(value, bool | int | float | str | tuple | None)
    return repr(value) if plain and value == value else "..."


def parameters(function, types):
    """Yield the parameters of a function as they are written, self first."""
    yield "self"
    starred = False
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self":
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            yield f"**{name}: Any"
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            yield "*"
            starred = True
        text = f"{name}: {types(name)}"
        if parameter.default is not parameter.empty:
            text += f" = {default(parameter.default)}"
        yield text


def returned(name):
    """Return the type of what a method gives."""
    if re.fullmatch(r"fit|partial_fit|truncate|set_\w+", name):
        return "Self"
    return "float" if name == "score" else "Any"


def attributes(cls):
    """Return the fitted attributes that docstrings name, with their types."""
    found = {}
    for base in cls.__mro__:
        if base.__module__.startswith("sklearn_ae") and base.__doc__:
            text = inspect.cleandoc(base.__doc__)
            _, _, text = text.partition("\nAttributes\n----------\n")
            section = re.split(r"^\w[\w ]*\n-+$", text, flags=re.M)[0]
            for names, kind in re.findall(r"^(\w[\w, ]*) : (.*)$", section, re.M):
                word = re.match(r"(int|float|bool|str|ndarray)\b(?!.* or )", kind)
                kind = word[1].replace("ndarray", "np.ndarray") if word else "Any"
                for name in names.split(", "):
                    found.setdefault(name, f"    {name}: {kind}")
    return found.values()


def estimator(cls):
    """Return the stub of an estimator."""
    bases = [
        base.__name__
        for base in cls.__mro__
        if base.__name__ in {"OutlierMixin", "TransformerMixin", "BaseEstimator"}
    ]
    lines = [f"class {cls.__name__}({', '.join(bases)}):", *attributes(cls)]
    init = ", ".join(parameters(cls, lambda name: types_of(cls, name)))
    lines.append(f"    def __init__({init}) -> None: ...")
    for name in sorted(dir(cls)):
        method = getattr(cls, name)
        if re.fullmatch(r"set_\w+_request", name):  # made by scikit-learn
            lines.append(f"    def {name}(self, **requests: Any) -> Self: ...")
            continue
        # Others that are scikit-learn's are inherited from its classes.
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        if not method.__module__.startswith("sklearn_ae"):
            continue
        given = ", ".join(parameters(method, lambda name: "Any"))
        lines.append(f"    def {name}({given}) -> {returned(name)}: ...")
    return "\n".join(lines)


def stubs():
    """Return the text of the file."""
    names = (getattr(sklearn_ae, name) for name in sklearn_ae.__all__)
    classes = [estimator(each) for each in names if inspect.isclass(each)]
    return "\n\n".join([HEAD.rstrip(), *classes]) + "\n"


if __name__ == "__main__":
    FILE.write_text(stubs(), encoding="utf-8")
