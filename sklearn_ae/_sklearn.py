"""The names that scikit-learn keeps private, and its callbacks of 1.9: one room."""

import contextlib
from functools import partial

from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._array_api import _convert_to_numpy, get_namespace
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    RealNotInt,
    StrOptions,
)
from sklearn.utils.validation import validate_data
from skorch.callbacks import Callback

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """Nothing to support."""

    def with_callbacks(method):
        return method


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "Options",
    "RealNotInt",
    "StrOptions",
    "TellCallbacks",
    "convert_to_numpy",
    "fit_context",
    "fit_unseen",
    "get_namespace",
    "inspected",
    "safe_indexing",
    "with_callbacks",
]

convert_to_numpy = _convert_to_numpy
fit_context = _fit_context
safe_indexing = _safe_indexing


def fit_unseen(pca, X):
    """Fit a PCA by what its `fit` calls.

    Tools that watch `fit`, as mlflow's autolog does, shall see the user's estimator,
    not what it is made of.

    Parameters
    ----------
    pca : PCA
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)

    Returns
    -------
    PCA
        The same, fitted.
    """
    pca._fit(X)
    return pca


def inspected(estimator, X, **checks):
    """Check X for a fit that starts anew, without a mark on the estimator.

    Parameters
    ----------
    estimator : estimator
        For the words of errors.
    X : array-like of shape (n_samples, n_features)
    **checks : dict
        Those of `sklearn.utils.check_array`.

    Returns
    -------
    X : ndarray
        Checked.
    columns : dict
        The attributes that tell of its columns: `n_features_in_`, and
        `feature_names_in_` where they have names.
    """
    blank = BaseEstimator()
    X = validate_data(blank, X, estimator=estimator, **checks)
    return X, vars(blank)


class TellCallbacks(Callback):
    """Tell the callbacks of scikit-learn's own kind (1.9) of every epoch.

    Parameters
    ----------
    estimator : estimator
        Whose callbacks they are.
    fit : sklearn.callback.CallbackContext
        Of the fit, with which the callbacks are told.
    X : array-like of shape (n_samples, n_features)
        Rows of the fit.
    attributes : callable
        Returns the attributes of an estimator with a codec.
    """

    epochs_only = True

    def __init__(self, estimator, fit, X, attributes):
        self.told_ = {"estimator": estimator, "X": X, "y": X}  # X is its own target
        self.fit_ = fit
        self.attributes_ = attributes

    @contextlib.contextmanager
    def watch(self, codec, rows, goes_on):
        """Tell of the whole fit, and forget it."""
        self.fit_.call_on_fit_task_begin(**self.told_)
        self.told_["reconstruction_attributes"] = partial(self.attributes_, codec)
        try:
            yield
            self.fit_.call_on_fit_task_end(**self.told_)
        finally:
            vars(self).clear()  # the net, which is pickled, keeps its callbacks

    def on_epoch_begin(self, net, **kwargs):
        """Tell of the beginning of an epoch."""
        self.epoch_ = self.fit_.subcontext("epoch")
        self.epoch_.call_on_fit_task_begin(**self.told_)

    def on_epoch_end(self, net, **kwargs):
        """Tell of the end of an epoch; end the fit if one asks for it."""
        if self.epoch_.call_on_fit_task_end(**self.told_):
            net.over_ = True
