"""Parameters: what every autoencoder is told, and the checks that need no data."""

import inspect
from numbers import Integral, Real
from os import PathLike

import numpy as np
import torch
from sklearn.base import BaseEstimator
from skorch.callbacks import InputShapeSetter, LRScheduler

from ._engine.losses import LOSSES, OUTPUTS, PENALTIES
from ._engine.networks import ACTIVATIONS
from ._engine.noise import NOISES
from ._engine.plan import OPTIMIZERS
from ._sklearn import Interval, Options, RealNotInt, StrOptions

# Parameters with these prefixes go where skorch would take them.
PREFIXES = ("module__", "criterion__", "optimizer__")


class Parameters(BaseEstimator):
    """The parameters that all autoencoders share.

    A variant's ``__init__`` names only the parameters that it adds and hands the others
    on as ``**params``.
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            None,
        ],
        "ordered": ["boolean"],
        "loss": [StrOptions(set(LOSSES))],
        "out_activation": [StrOptions({"auto", *OUTPUTS})],
        "code_activation": [StrOptions(set(ACTIVATIONS))],
        "noise": [StrOptions({"auto", *NOISES}), None],
        "noise_level": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "penalty": [StrOptions({*PENALTIES, "k_sparse"}), None],
        "penalty_weight": [Interval(Real, 0, None, closed="left")],
        "sparsity": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
        ],
        "neighbors": [Interval(Real, 0, None, closed="neither"), None],
        "init": [StrOptions({"pca", "random"})],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "learning_rate": [StrOptions({"one_cycle", "constant"})],
        "learning_rate_init": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [
            Interval(Real, 0, 1, closed="neither"),
            StrOptions({"auto"}),
        ],
        "validation_rows": [StrOptions({"random", "last", "cells"})],
        "missing": [StrOptions({"auto", "expect", "error"})],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
            None,
        ],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "device": [str, torch.device],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "callbacks": [list, tuple, None],
        "checkpoint": [str, PathLike, None],
        "compile": ["boolean"],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=2,
        *,
        ordered=False,
        loss="squared_error",
        out_activation="auto",
        code_activation="identity",
        noise="auto",
        noise_level="auto",
        penalty=None,
        penalty_weight=0.01,
        sparsity="auto",
        neighbors=None,
        init="pca",
        alpha="auto",
        batch_size="auto",
        learning_rate="one_cycle",
        learning_rate_init="auto",
        max_iter="auto",
        tol=1e-3,
        early_stopping=True,
        validation_fraction="auto",
        validation_rows="random",
        missing="auto",
        n_iter_no_change=20,
        optimizer="adamw",
        device="auto",
        precision="auto",
        callbacks=None,
        checkpoint=None,
        compile=False,
        warm_start=False,
        random_state=None,
        verbose=0,
        **params,
    ):
        self.n_components = n_components
        self.ordered = ordered
        self.loss = loss
        self.out_activation = out_activation
        self.code_activation = code_activation
        self.noise = noise
        self.noise_level = noise_level
        self.penalty = penalty
        self.penalty_weight = penalty_weight
        self.sparsity = sparsity
        self.neighbors = neighbors
        self.init = init
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_rows = validation_rows
        self.missing = missing
        self.n_iter_no_change = n_iter_no_change
        self.optimizer = optimizer
        self.device = device
        self.precision = precision
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.compile = compile
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        for name, value in params.items():
            if not name.startswith(PREFIXES):
                raise TypeError(
                    f"{type(self).__name__} got an unknown parameter {name!r}. Its "
                    f"parameters are {', '.join(self._get_param_names())}, and names "
                    f"that begin with {', '.join(PREFIXES)}."
                )
            setattr(self, name, value)

    def __init_subclass__(cls, **kwargs):
        """Complete the signature of a variant's ``__init__`` by its parents'.

        scikit-learn reads parameter names off the signature; this lets a variant
        restate none of them.
        """
        super().__init_subclass__(**kwargs)
        if "__init__" not in vars(cls):
            return
        own = inspect.signature(cls.__init__).parameters
        if all(p.kind is not p.VAR_KEYWORD for p in own.values()):
            return  # it takes no other parameters
        inherited = inspect.signature(super(cls, cls).__init__).parameters
        merged = {**own, **{k: p for k, p in inherited.items() if k not in own}}
        named = [p for p in merged.values() if p.kind is not p.VAR_KEYWORD]
        cls.__init__.__signature__ = inspect.Signature(
            sorted(named, key=lambda parameter: parameter.kind)
        )

    def get_params(self, deep=True):
        """Get the parameters, those with a skorch prefix too.

        Parameters
        ----------
        deep : bool, default=True
            Accepted for scikit-learn; no parameter here is an estimator.

        Returns
        -------
        dict
            Names and values.
        """
        return {**super().get_params(deep=deep), **self._prefixed(PREFIXES)}

    def set_params(self, **params):
        """Set parameters, those with a skorch prefix too.

        Parameters
        ----------
        **params : dict
            Names and values; names that begin with ``module__``, ``optimizer__`` or
            ``criterion__`` reach the network, the optimizer or the loss, and
            ``callbacks__NAME__PARAMETER`` a callback, named as in its tuple or by its
            class.

        Returns
        -------
        self : object
            This estimator.
        """
        prefixed = {k: v for k, v in params.items() if k.startswith(PREFIXES)}
        inner = {k: v for k, v in params.items() if k.startswith("callbacks__")}
        own = {k: v for k, v in params.items() if k not in {**prefixed, **inner}}
        super().set_params(**own)
        if inner:
            self._set_callbacks(inner)
        vars(self).update(prefixed)
        return self

    def _prefixed(self, prefixes):
        return {k: v for k, v in vars(self).items() if k.startswith(prefixes)}

    @property
    def _is_ordered(self):
        """Whether every prefix of the code shall be a code."""
        return bool(self.ordered) or isinstance(self.n_components, float)

    @property
    def _noise(self):
        """What corrupts the rows that the network reads, or None."""
        if self.noise != "auto":
            return self.noise
        if self.neighbors is None:
            return None
        return "masking" if self._has_counts else "gaussian"

    @property
    def _has_counts(self):
        """Whether rows are counts."""
        loss = self.loss  # may be anything, before it is checked
        return isinstance(loss, str) and loss in LOSSES and LOSSES[loss].counts

    @property
    def _refuses_missing(self):
        """What goes with no missing cells, or None."""
        if not self._takes_missing:
            return type(self).__name__
        if self.missing == "error":
            return "missing='error'"
        if self._has_counts:
            return f"loss={self.loss!r}"
        return None if self.neighbors is None else "neighbors="

    def _check_parameters(self):
        """Raise an error if parameters don't go together."""
        if self.penalty == "kl" and self.code_activation != "logistic":
            raise ValueError(
                f"penalty='kl' holds the mean of each code unit, which must lie in "
                f"(0, 1): set code_activation='logistic' and init='random'. Got "
                f"code_activation={self.code_activation!r}."
            )
        expected = self.missing == "expect" or self.validation_rows == "cells"
        if expected and not self._takes_missing:
            raise ValueError(
                f"{type(self).__name__} takes no missing cells: set missing='auto' and "
                f"validation_rows='random' or 'last'. Got missing={self.missing!r}, "
                f"validation_rows={self.validation_rows!r}."
            )
        if self._has_counts:
            self._check_counts(expected)
        if self.init == "pca" and self.code_activation != "identity":
            raise ValueError(
                f"init='pca' starts at a linear code: with "
                f"code_activation={self.code_activation!r} set init='random'."
            )
        if self.neighbors is not None:
            self._check_neighbors(expected)
        self._check_callbacks()
        if self._is_ordered and self.penalty == "k_sparse":
            raise ValueError(
                "penalty='k_sparse' chooses code units by their size, an ordered code "
                "by their place: set ordered=False and a whole number as n_components, "
                "or another penalty."
            )

    def _check_counts(self, missing):
        """Raise an error if something doesn't go with counts."""
        if missing:
            raise ValueError(
                f"loss={self.loss!r} takes no missing cells: set missing='auto' and "
                f"validation_rows='random' or 'last'."
            )
        if self.penalty == "contractive":
            raise ValueError(
                f"penalty='contractive' needs gradients of the code, which loss="
                f"{self.loss!r} has none of: it reads roots of shares, whose slope at "
                f"0 is infinite. Choose another penalty."
            )

    def _check_neighbors(self, missing):
        """Raise an error if something doesn't go with neighbours."""
        if self._is_ordered:
            raise ValueError(
                "neighbors= makes one map of the whole code, and an ordered code would "
                "need one for each of its sizes: set ordered=False and a whole number "
                "as n_components, or neighbors=None."
            )
        if missing:
            raise ValueError(
                f"neighbors= takes no missing cells: set missing='auto' and "
                f"validation_rows='random' or 'last'. Got missing={self.missing!r}, "
                f"validation_rows={self.validation_rows!r}."
            )
        if self.batch_size == 1:
            raise ValueError(
                "neighbors= tells a row's neighbour from those of the other rows of a "
                "batch: set batch_size to 2 or more. Got batch_size=1."
            )

    def _named_callbacks(self):
        """Return the callbacks by name, as skorch names those without one."""
        named, found = [], {}
        for callback in self.callbacks or ():
            is_pair = isinstance(callback, tuple) and len(callback) == 2
            name = callback[0] if is_pair else type(callback).__name__
            named.append((name, callback[1] if is_pair else callback))
        names = [name for name, _ in named]
        for i, (name, callback) in enumerate(named):
            if names.count(name) > 1:
                name = f"{name}_{names[: i + 1].count(name)}"
            found[name] = callback
        return found

    def _set_callbacks(self, params):
        """Set parameters of callbacks, by ``name__param``."""
        named = self._named_callbacks()
        for key, value in params.items():
            name, _, param = key.removeprefix("callbacks__").partition("__")
            if name not in named or not param:
                raise ValueError(
                    f"{key!r} is no parameter of a callback: names are "
                    f"callbacks__NAME__PARAMETER, with NAME one of {list(named)}."
                )
            named[name].set_params(**{param: value})

    def _check_callbacks(self):
        """Raise an error if a callback can't do here what it is for."""
        for callback in self.callbacks or ():
            one = callback[-1] if isinstance(callback, tuple) and callback else callback
            if not hasattr(one, "on_train_begin"):
                raise TypeError(
                    f"callbacks must hold skorch callbacks, or tuples of a name and a "
                    f"callback. Got {callback!r}."
                )
            if isinstance(one, LRScheduler) and self.learning_rate != "constant":
                raise ValueError(
                    f"callbacks has an LRScheduler, and learning_rate="
                    f"{self.learning_rate!r} is a schedule too, which would undo its "
                    f"steps: set learning_rate='constant'."
                )
            if isinstance(one, InputShapeSetter):
                raise ValueError(
                    "callbacks has an InputShapeSetter, which is not needed: the "
                    "network is built with n_features, the number of columns of X. "
                    "Leave it out."
                )


def layer_sizes(sizes, name, otherwise=""):
    """Return widths of layers as a tuple, or raise an error that names them."""
    widths = np.atleast_1d(sizes).tolist()
    if not all(isinstance(width, Integral) and width > 0 for width in widths):
        raise ValueError(
            f"{name} must hold whole numbers of at least 1{otherwise}. Got {sizes!r}."
        )
    return tuple(widths)
