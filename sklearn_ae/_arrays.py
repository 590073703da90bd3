"""Arrays of other libraries: taken as NumPy's, and given back as what came.

scikit-learn's array API dispatch decides. Without it all results are NumPy's, as those
of PCA are; with it they are arrays of the caller's library, on the caller's device.
"""

import functools

import numpy as np
import torch
from sklearn import get_config
from sklearn.utils.validation import check_is_fitted

from ._engine.tensors import TensorCodec
from ._sklearn import convert_to_numpy, get_namespace

NUMPY = "numpy"


def as_numpy(X):
    """Return an array of another library as one of NumPy's, if it can be not a copy.

    Parameters
    ----------
    X : object
        What the user gave.

    Returns
    -------
    object
        X itself, unless it is a tensor, or dispatch is on and it is an array that is
        not NumPy's. Tensors of half precision become float32.
    """
    if isinstance(X, torch.Tensor):
        return _tensor_as_numpy(X)
    namespace = _namespace(X)
    if namespace is None:
        return X
    return convert_to_numpy(X, namespace)


def _tensor_as_numpy(X):
    dispatched = get_config()["array_api_dispatch"]
    if X.device.type == "meta" or (X.device.type != "cpu" and not dispatched):
        raise TypeError(
            f"X is a tensor on device {str(X.device)!r}, and NumPy's arrays, which are "
            f"computed with here, are on the CPU: pass X.cpu(), or use "
            f"sklearn.config_context(array_api_dispatch=True)."
        )
    if X.layout != torch.strided:
        raise TypeError(
            f"X is a tensor of layout {X.layout}: pass a dense one (X.to_dense()), or "
            f"a matrix of scipy.sparse."
        )
    X = X.detach()
    if X.is_floating_point() and X.dtype not in (torch.float32, torch.float64):
        X = X.float()
    return X.cpu().resolve_neg().numpy()


def _namespace(X):
    """Return the namespace of an array that is not NumPy's; None without dispatch."""
    if not get_config()["array_api_dispatch"] or isinstance(X, np.ndarray):
        return None
    if not isinstance(X, torch.Tensor) and not hasattr(X, "__dlpack__"):
        return None
    return get_namespace(X)[0]


def name_of_namespace(X):
    """Return the name of an array's namespace: "numpy" for all that has none."""
    namespace = _namespace(X)
    return NUMPY if namespace is None else namespace.__name__.split(".")[-1]


def like(X, result):
    """Return a NumPy array or tensor as an array like X, on its device.

    Parameters
    ----------
    X : object
        What the user gave.
    result : ndarray or Tensor

    Returns
    -------
    array
    """
    namespace = _namespace(X)
    if namespace is None:
        return result
    if isinstance(X, torch.Tensor):
        return torch.as_tensor(result).to(X.device)
    return namespace.asarray(result, device=X.device)


def in_callers_arrays(method=None, *, tensors=None):
    """Let a method of an estimator take, and give back, arrays of any library.

    Parameters
    ----------
    method : callable
        Its first argument is X. It is called with a NumPy array, or whatever else
        scikit-learn can check.
    tensors : {"rows", "codes"} or None, default=None
        What X is, of a method that is called with a tensor where the estimator, an
        `ArraysMixin`, can compute with it where it is.

    Returns
    -------
    callable
    """
    if method is None:
        return functools.partial(in_callers_arrays, tensors=tensors)

    @functools.wraps(method)
    def for_any_array(self, X, *args, **kwargs):
        _check_same_namespace(self, X, method.__name__)
        if tensors and _namespace(X) is not None and self._reads(X, tensors):
            return method(self, X.detach(), *args, **kwargs)
        result = method(self, as_numpy(X), *args, **kwargs)
        return like(X, result) if isinstance(result, np.ndarray) else result

    return for_any_array


def _check_same_namespace(estimator, X, method):
    """Raise what scikit-learn raises where fit was given arrays of another library.

    One that was fitted on NumPy's arrays takes all.
    """
    fitted = vars(estimator).get("_namespace", NUMPY)
    if fitted == NUMPY or not get_config()["array_api_dispatch"]:
        return
    own = name_of_namespace(X)
    if own != fitted:
        raise ValueError(
            f"Inputs passed to {type(estimator).__name__}.{method}() must use the same "
            f"namespace as those passed to fit(), under array_api_dispatch: {fitted}. "
            f"Got {own}."
        )


class ArraysMixin:
    """Lets an autoencoder compute with tensors where they are."""

    def _reads(self, X, kind):
        """Tell whether X, rows or codes, is a tensor that need not become an array."""
        check_is_fitted(self)
        codec = self._fitted.codec
        return isinstance(X, torch.Tensor) and TensorCodec.suits(codec, X, kind)

    def _codec(self, X):
        """Return what encodes and decodes arrays like X."""
        codec = self._fitted.codec
        return TensorCodec(codec) if isinstance(X, torch.Tensor) else codec
