"""Tables and parameters of every kind: they work, or a sentence names the culprit.

What is tried is drawn from the estimators' own `_parameter_constraints`, so that a new
parameter is tried too. `make test` tries a few hundred cases, always the same ones;
`make fuzz` tries 5,000 others.
"""

import re
import tempfile
from numbers import Integral, Real

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.utils._param_validation import HasMethods, Interval, Options
from sklearn.utils.validation import check_is_fitted
from torch import nn

import sklearn_ae
from sklearn_ae._base import BaseAutoencoder
from sklearn_ae._generative import PRIORS

ESTIMATORS = [
    thing
    for thing in (getattr(sklearn_ae, name) for name in sklearn_ae.__all__)
    if hasattr(thing, "onnx_converter")  # what has codes
]

# -- tables --


def _values(kind, rng, shape):
    if kind == "few rows, many times":
        return rng.normal(size=(3, shape[1]))[rng.integers(3, size=shape[0])]
    if kind == "columns in units of their own":
        return rng.normal(size=shape) * 10 ** rng.uniform(-30, 30, shape[1])
    if kind == "two columns' worth":
        return rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1]))
    return {
        "normal": rng.normal,
        "from 0 to 1": rng.random,
        "zero or one": lambda size: rng.integers(2, size=size).astype(float),
        "constant": lambda size: np.full(size, rng.normal()),
        "rows far out": lambda size: rng.standard_cauchy(size) ** 3,
    }[kind](size=shape)


KINDS = ["normal", "from 0 to 1", "zero or one", "constant", "rows far out"]
KINDS += [
    "few rows, many times",
    "columns in units of their own",
    "two columns' worth",
]


def _memmap(X):
    X = X.astype(float) if X.dtype == object else X  # which no file holds
    with tempfile.NamedTemporaryFile() as file:
        file.write(X.tobytes() or b" ")
        file.flush()
        return np.memmap(file.name, X.dtype, "r", shape=X.shape)


def _readonly(X):
    X = X.copy()
    X.flags.writeable = False
    return X


CONTAINERS = {
    "C order": np.ascontiguousarray,
    "Fortran order": np.asfortranarray,
    "read-only": _readonly,
    "memmap": _memmap,
    "every other": lambda X: np.repeat(np.repeat(X, 2, 0), 2, 1)[::2, ::2],
    "backwards": lambda X: X[::-1, ::-1],
    "other byte order": lambda X: X.astype(X.dtype.newbyteorder(">")),
    "lists": lambda X: X.tolist(),
    "DataFrame": lambda X: pd.DataFrame(
        X, columns=[f"c{i}" for i in range(X.shape[1])]
    ),
    "DataFrame, numbered": pd.DataFrame,
}
REFUSED = {
    "sparse rows": lambda X: csr_matrix(X, dtype=float),
    "sparse columns": lambda X: csc_array(X, dtype=float),
    "one column": lambda X: X[:, :1].ravel(),
    "three dimensions": lambda X: X[:, :, None],
    "a number": lambda X: 3.0,
    "nothing": lambda X: None,
    "a word": lambda X: "X",
    "words": lambda X: np.full(X.shape, "word"),
    "complex": lambda X: X.astype(complex),
    "objects": lambda X: np.full(X.shape, {}, dtype=object),
    "ragged": lambda X: [[1.0, 2.0], [3.0]],
}
DTYPES = ["float64", "float32", "float16", "longdouble"]
DTYPES += ["int64", "int8", "uint8", "bool", "object"]


@st.composite
def tables(draw, n_columns=None):
    """Draw what a caller might give as X."""
    n_rows = draw(st.integers(2, 40) | st.integers(0, 3))
    if n_columns is None or draw(st.integers(0, 9)) == 9:
        n_columns = draw(st.integers(1, 12) | st.integers(0, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = _values(draw(st.sampled_from(KINDS)), rng, (n_rows, n_columns))
    if draw(st.booleans()):
        X = X * 10.0 ** draw(st.integers(-30, 30))
    if draw(st.integers(0, 3)) == 3:
        X = X + 10.0 ** draw(st.integers(-30, 30))
    if draw(st.integers(0, 3)) == 3:
        X[:, rng.random(n_columns) < 0.4] = draw(st.sampled_from([0.0, 0.1, -1e30]))
    if X.size and draw(st.integers(0, 15)) == 15:
        place = rng.integers(n_rows), rng.integers(n_columns)
        X[place] = draw(st.sampled_from([np.nan, np.inf, -np.inf, 1e200, -1e308]))
    if draw(st.booleans()):
        with np.errstate(all="ignore"):
            X = X.astype(draw(st.sampled_from(DTYPES)))
    containers = REFUSED if draw(st.integers(0, 15)) == 15 else CONTAINERS
    return containers[draw(st.sampled_from(sorted(containers)))](X)


def _n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X) if hasattr(X, "__len__") else 0


def _copy(X):
    return X.copy() if hasattr(X, "copy") else X


def _same(X, before):
    if isinstance(X, np.ndarray):
        return X.dtype == before.dtype and X.tobytes() == before.tobytes()
    if hasattr(X, "toarray"):
        return _same(X.toarray(), before.toarray())
    return X.equals(before) if hasattr(X, "equals") else repr(X) == repr(before)


def _dtype(X):
    """Return the dtype that results have."""
    dtypes = set(X.dtypes) if hasattr(X, "dtypes") else {getattr(X, "dtype", None)}
    return np.dtype(np.float32 if dtypes == {np.dtype(np.float32)} else np.float64)


# -- parameters --


def _estimators():
    return st.sampled_from([None, *ESTIMATORS]).flatmap(
        lambda cls: (
            st.none()
            if cls is None or not issubclass(cls, BaseAutoencoder)
            else parameters(cls).map(lambda params: cls(**params))
        )
    )


# What would take long, or is called in a way that no constraint tells.
SPECIAL = {
    "max_iter": st.integers(0, 3),
    "compile": st.just(False),
    "n_jobs": st.none(),
    "refit": st.just(True),  # else there is no transform
    "prior": st.sampled_from([*PRIORS, *PRIORS.values()]),
    "scoring": st.none() | st.just("r2"),
    "callbacks": st.sampled_from([None, [], ()]),
    "module": st.none(),
    "checkpoint": st.none(),
    "device": st.sampled_from(["auto", "cpu", torch.device("cpu")]),
    "cv": st.sampled_from([2, 3, None]),
    "optimizer": st.sampled_from(["adamw", "adam", "sgd", torch.optim.RMSprop]),
    "estimator": st.deferred(_estimators),
}
JUNK = st.sampled_from(
    [
        *(None, True, -1, 0, 1.5, np.nan, np.inf, -np.inf, "", "nonsense", b"x"),
        *((), [], [0], {}, {"a": 1}, [-3], [2.5], ["a"], [None], [[2, 2]], [1, [2]]),
        *(np.float32(0.5), np.int8(3), np.array([1.5]), np.array(2), 1j, 1e-300, 1e300),
        *(torch.optim.Adam, nn.Linear, nn.Linear(1, 1), LinearRegression(), object()),
    ]
)


def _of(constraint):
    """Return a strategy of what a constraint lets through."""
    if isinstance(constraint, Options):
        return st.sampled_from(sorted(constraint.options))
    if isinstance(constraint, Interval):
        low, high, closed = constraint.left, constraint.right, constraint.closed
        if issubclass(constraint.type, Integral):
            return st.integers(low, low + 8)
        exclude_min = closed in ("neither", "right")
        top = 10.0 if high is None else float(high)
        usual = st.floats(float(low), top, exclude_min=exclude_min, exclude_max=True)
        return usual if high is not None else usual | st.floats(1e-30, 1e30)
    if isinstance(constraint, HasMethods):
        return st.just(LinearRegression())
    return {
        "boolean": st.booleans(),
        "verbose": st.just(0),
        "random_state": st.integers(0, 9)
        | st.builds(np.random.RandomState, st.just(0)),
        "array-like": st.lists(st.integers(1, 8), max_size=3).map(tuple)
        | st.lists(st.integers(1, 8), min_size=1, max_size=3).map(np.array),
        None: st.none(),
        Real: st.sampled_from([np.nan, -1.0, 0]),
    }[constraint]


@st.composite
def parameters(draw, cls):
    """Draw parameters, most of them within their constraints."""
    params = {
        "max_iter": draw(SPECIAL["max_iter"]),
        "hidden_layer_sizes": (4,),
        "early_stopping": draw(st.booleans()),
        "random_state": 0,
        "estimator": sklearn_ae.AutoencoderTransformer(
            hidden_layer_sizes=(4,), max_iter=1, early_stopping=False
        ),
        "cv": 2,
        "n_components": draw(st.integers(1, 12)),
    }
    constraints = cls._parameter_constraints
    params = {name: value for name, value in params.items() if name in constraints}
    names = st.lists(st.sampled_from(sorted(constraints)), max_size=4, unique=True)
    for name in draw(names):
        one_of = SPECIAL.get(name)
        if one_of is None and constraints[name] == "no_validation":
            one_of = st.integers(1, 12)
        elif one_of is None:
            one_of = st.one_of([_of(constraint) for constraint in constraints[name]])
        # What is wrong with a list of splits shows when they are used; a folder may
        # have any name.
        junk = name not in ("cv", "checkpoint") and draw(st.integers(0, 15)) == 15
        params[name] = draw(JUNK if junk else one_of)
    return params


# -- what must hold --

# Torch's, numpy's or Python's words for what went wrong within.
INNER = re.compile(
    r"mat1|[Tt]ensor|cannot be multiplied|size mismatch|operand|no attribute|broadcast"
    r"|positional|unexpected keyword|'NoneType'|subscript|not iterable|\w__\(\)"
    r"|to unpack"
)


def _check_message(error, model):
    message = str(error)
    names = [*model.get_params(), "X", "y", "array", "data", "n_samples"]
    # Words of numpy and scikit-learn for X and its columns, as in PCA.
    names += ["string to float", "real number", "feature names"]
    names += (
        getattr(model.estimator, "get_params", dict)() if "estimator" in names else []
    )
    assert re.search(rf"\b({'|'.join(names)})\b", message), message
    assert len(message.split()) > 3, message
    assert not INNER.search(message), message


def _state(model):
    """Return what a failed call must leave as it was: the very same objects."""
    return {name: id(value) for name, value in vars(model).items()}


METHODS = ["fit", "partial_fit", "transform", "reconstruct", "score", "score_samples"]
METHODS += ["inverse_transform", "sample", "truncate"]


def _call(model, method, X, *args):
    """Call a method, and return what it gives, or None if it refuses."""
    before, state = _copy(X), _state(model)
    try:
        result = getattr(model, method)(X, *args)
    except (ValueError, TypeError) as error:
        event(f"{method} refuses")
        _check_message(error, model)
        assert _state(model) == state
        return None
    finally:
        assert _same(X, before)
    event(f"{method} works")
    if method in ("fit", "partial_fit"):
        assert result is model
    elif method == "truncate":
        assert result.n_components_ == X
    else:
        wide = method in ("reconstruct", "inverse_transform", "sample")
        n_rows = X if method == "sample" else np.shape(X)[0]
        n_columns = model.n_features_in_ if wide else model.n_components_
        shape = {"score": (), "score_samples": (n_rows,)}.get(
            method, (n_rows, n_columns)
        )
        numbers = method in ("sample", "score", "score_samples")
        assert np.shape(result) == shape
        assert np.isfinite(result).all()
        assert np.asarray(result).dtype == (np.float64 if numbers else _dtype(X))
    return result


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
# scikit-learn adds X up to see whether it is finite, both infinities too.
@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:R.2 score is not well-defined")
@pytest.mark.parametrize("cls", ESTIMATORS)
@given(data=st.data())
def test_it_works_or_says_why_not(cls, data):
    draw = data.draw
    model = cls(**draw(parameters(cls), "parameters"))
    X = draw(tables(), "X")
    target = np.arange(_n_rows(X)) * 0.5  # for searches that are scored by it
    if _call(model, "fit", X, target) is None:
        with pytest.raises(NotFittedError):
            check_is_fitted(model)
        return
    codes = _call(model, "transform", X)
    assert codes is not None
    for method in ("reconstruct", "score", "score_samples"):
        if hasattr(model, method):
            assert _call(model, method, X) is not None
    assert _call(model, "inverse_transform", codes) is not None
    methods = st.sampled_from([name for name in METHODS if hasattr(model, name)])
    for _ in range(draw(st.integers(0, 2))):
        method = draw(methods, "method")
        if method in ("sample", "truncate"):
            other = draw(st.integers(-1, 12) | JUNK, "its argument")
        else:
            width = (
                model.n_components_ if method == "inverse_transform" else np.shape(X)[1]
            )
            other = draw(tables(width), "X")
        if _call(model, method, other) is None:  # it is as useful as before
            assert np.array_equal(model.transform(X), codes)
        elif method in ("fit", "partial_fit"):
            X = other
            codes = _call(model, "transform", X)
            assert codes is not None
