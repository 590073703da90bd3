"""BaseAutoencoder: everything that an autoencoder shares with scikit-learn.

The one room that uses names scikit-learn keeps private (`_fit_context`,
`_param_validation`); its other users import them from here.
"""

import contextlib
import copy
import hashlib
import html
import inspect
import warnings
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, metadata
from numbers import Integral, Real
from os import PathLike

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state, check_scalar
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
)
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch.helper import predefined_split

from ._checkpoint import Checkpoint
from ._losses import LOSSES, OUTPUTS, PENALTIES, weighted
from ._networks import (
    ACTIVATIONS,
    NOISES,
    KSparse,
    Ordered,
    PCAStart,
    build,
    layers,
    prefix_of,
    takes_n_encoded,
)
from ._onnx import OnnxMixin
from ._rows import (
    CHUNK_CELLS,
    WINDOW_CELLS,
    Batches,
    Lazy,
    Rows,
    Stream,
    chunks,
    is_large,
)
from ._training import (
    AutoencoderNet,
    KeepBest,
    KeepFinite,
    OrderedNet,
    TellCallbacks,
    one_cycle,
    resolve_device,
    torch_state,
)

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """Nothing to support."""

    def with_callbacks(method):
        return method


__all__ = [
    "BaseAutoencoder",
    "HasMethods",
    "Interval",
    "NetworkHTMLMixin",
    "StrOptions",
    "fit_context",
]

fit_context = _fit_context

OPTIMIZERS = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}
PCA_FEATURES = 4096  # above which PCA of a stream takes a sample of its rows,
PCA_CELLS = 2**28  # of this size: 1 GiB
WATCHED_ROWS = 1000  # of each kind that callbacks are given to look at
MOST = 1e150  # what can still be squared and added up in float64
JUDGED_ROWS = 2000  # rows on which an ordered code is judged, at many lengths
CLOSE = {"rtol": 1e-3, "atol": 1e-3}  # a shorter code, up to float32's rounding
# Parameters with these prefixes go where skorch would take them.
PREFIXES = ("module__", "criterion__", "optimizer__")


class NetworkHTMLMixin:
    """Show the fitted network below scikit-learn's diagram, and link to our pages."""

    def _get_doc_link(self):
        own = type(self).__module__.partition(".")[0] == "sklearn_ae"
        site = documentation() if own else None
        return f"{site}/api/sklearn_ae.{type(self).__name__}.html" if site else ""

    def _repr_html_inner(self):
        return super()._repr_html_inner() + self._network_html()

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += self._network_html()
        return bundle

    def _network_html(self):
        model = getattr(self, "best_estimator_", self)  # of a search
        if not hasattr(model, "net_"):
            return ""
        net, lines = model.net_, []
        for name, layer, shape in layers(net.module_, model.n_features_in_):
            own = _n_parameters(layer, recurse=False)
            # "network." is for what the network is wrapped in.
            name, kind = name.replace("network.", ""), type(layer).__name__
            lines.append([name, kind, " × ".join(map(str, shape)), f"{own:,}"])
        for name in net.part_names[1:]:
            part = getattr(net, name)
            own, kind = _n_parameters(part), type(part).__name__
            lines.append([name.rstrip("_"), kind, "", f"{own:,}"])
        header = ["layer", "kind", "output", "parameters"]
        rows = [
            "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in line)
            for tag, line in [("th", header), *(("td", line) for line in lines)]
        ]
        title = f"{model._network()[0].__name__}: {_n_parameters(net.module_):,}"
        return (
            f"<details open><summary>{html.escape(title)} parameters</summary><table>"
            f"{''.join(f'<tr>{row}</tr>' for row in rows)}</table></details>"
        )


class BaseAutoencoder(
    OnnxMixin,
    CallbackSupportMixin,
    NetworkHTMLMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base class of the autoencoders.

    A variant overrides `_network` (which module, which sizes) and, if it must, the
    other hooks below "what a variant may override" and `_net_class`. Its ``__init__``
    names only the parameters that it adds and hands the others on as ``**params``.

    Noise and penalties are parameters here, not classes: noise changes a batch before
    any network sees it, a penalty sees nothing but the code, so each goes with every
    network.
    """

    _net_class = AutoencoderNet
    # `score` takes it from whoever calls, not from a meta-estimator.
    __metadata_request__score = {"n_components": UNUSED}  # noqa: RUF012

    _parameter_constraints: dict = {  # noqa: RUF012
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
        ],
        "ordered": ["boolean"],
        "loss": [StrOptions(set(LOSSES))],
        "out_activation": [StrOptions({"auto", *OUTPUTS})],
        "code_activation": [StrOptions(set(ACTIVATIONS))],
        "noise": [StrOptions(set(NOISES)), None],
        "noise_level": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "penalty": [StrOptions({*PENALTIES, "k_sparse"}), None],
        "penalty_weight": [Interval(Real, 0, None, closed="left")],
        "sparsity": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
        ],
        "init": [StrOptions({"pca", "random"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
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
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "device": [str, torch.device],
        "precision": [StrOptions({"float32", "bfloat16"})],
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
        noise=None,
        noise_level="auto",
        penalty=None,
        penalty_weight=0.01,
        sparsity="auto",
        init="pca",
        alpha=0.01,
        batch_size="auto",
        learning_rate="one_cycle",
        learning_rate_init="auto",
        max_iter="auto",
        tol=1e-3,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=20,
        optimizer="adamw",
        device="auto",
        precision="float32",
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
        self.init = init
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
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
            ``criterion__`` reach the network, the optimizer or the loss.

        Returns
        -------
        self : object
            This estimator.
        """
        prefixed = {k: v for k, v in params.items() if k.startswith(PREFIXES)}
        super().set_params(**{k: v for k, v in params.items() if k not in prefixed})
        vars(self).update(prefixed)
        return self

    def __setstate__(self, state):
        super().__setstate__(state)
        if "net_" in vars(self):
            self.device_ = self.net_.device  # which may not be where it was fitted

    def _prefixed(self, prefixes):
        return {k: v for k, v in vars(self).items() if k.startswith(prefixes)}

    # -- fit --

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the autoencoder to X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn: dense, finite, at least two.
        y : Ignored
            Present for scikit-learn's sake.

        Returns
        -------
        self : object
            The fitted estimator. A fit that fails leaves it as it was.

        Warns
        -----
        ConvergenceWarning
            If a loss was not finite; the best weights until then are kept.

        Raises
        ------
        ValueError
            If X or a parameter can't be used; the message names it.
        KeyboardInterrupt
            If Ctrl-C was pressed. Once training has begun the estimator is fitted with
            the best weights until then, and a `ConvergenceWarning` says so.
        """
        if hasattr(self, "_init_callback_context"):
            self._init_callback_context(max_subtasks=None)
        return self._fit(X, resume=self.warm_start and hasattr(self, "net_"))

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train for one pass over X, from where the last call stopped.

        The first call sets `mean_`, `scale_` and, with ``init="pca"``, the start from
        its rows: make that chunk a fair sample. The learning rate stays at
        `learning_rate_init`, and no rows are set aside for validation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The next rows; at least two in the first call.
        y : Ignored
            Present for scikit-learn's sake.

        Returns
        -------
        self : object
            The estimator after the pass. A pass that fails leaves it as it was.

        Warns
        -----
        ConvergenceWarning
            If the loss or a weight was not finite; the pass is undone.
        """
        return self._fit(X, resume=hasattr(self, "net_"), one_pass=True)

    def _fit(self, X, resume, one_pass=False):
        with all_or_nothing(self):
            X = self._validate(X, reset=not resume)
            self._check_bounds(X)
            self._check_code()
            if resume:
                self._check_resume()
            else:
                self._measure(X)
            interrupted = self._train(X, resume, one_pass)
        if interrupted:
            raise KeyboardInterrupt  # which skorch keeps to itself
        return self

    def _output(self):
        """Return what becomes of the decoded."""
        loss = LOSSES[self.loss]
        if self.out_activation in ("auto", loss.out_activation):
            return OUTPUTS[loss.out_activation]
        if loss.activates:
            raise ValueError(
                f"loss={self.loss!r} goes with out_activation='auto' or "
                f"{loss.out_activation!r}. Got {self.out_activation!r}."
            )
        return OUTPUTS[self.out_activation]

    def _check_bounds(self, X):
        if (bounds := self._output().bounds) is None:
            return
        slack = 1e-6  # MinMaxScaler overshoots by a rounding error
        low, high = _ends(X)
        low, high = low.min(), high.max()
        if low < bounds[0] - slack or high > bounds[1] + slack:
            name = "loss" if LOSSES[self.loss].activates else "out_activation"
            raise ValueError(
                f"{name}={getattr(self, name)!r} needs X in [{bounds[0]:g}, "
                f"{bounds[1]:g}]. Got values from {low:.9g} to {high:.9g}: "
                f"scale X first, for example by MinMaxScaler(), or choose another "
                f"{name}."
            )

    def _check_code(self):
        if self.penalty == "kl" and self.code_activation != "logistic":
            raise ValueError(
                f"penalty='kl' holds the mean of each code unit, which must lie in "
                f"(0, 1): set code_activation='logistic' and init='random'. Got "
                f"code_activation={self.code_activation!r}."
            )
        if self.init == "pca" and self.code_activation != "identity":
            raise ValueError(
                f"init='pca' starts at a linear code: with "
                f"code_activation={self.code_activation!r} set init='random'."
            )
        for callback in self.callbacks or ():
            one = callback[-1] if isinstance(callback, tuple) and callback else callback
            if not hasattr(one, "on_train_begin"):
                raise TypeError(
                    f"callbacks must hold skorch callbacks, or tuples of a name and a "
                    f"callback. Got {callback!r}."
                )
        if self._is_ordered() and self.penalty == "k_sparse":
            raise ValueError(
                "penalty='k_sparse' chooses code units by their size, an ordered code "
                "by their place: set ordered=False and a whole number as n_components, "
                "or another penalty."
            )

    def _is_ordered(self):
        """Tell whether every prefix of the code shall be a code."""
        return bool(self.ordered) or isinstance(self.n_components, float)

    def _structure(self):
        """Return what weights depend on."""
        network, params = self._network()
        return {
            **params,
            **self._prefixed("module__"),
            "module": network,
            "init": self.init,
            "loss": self.loss,
            "out_activation": self.out_activation,
            "n_components": self.n_components,
            "ordered": self._is_ordered(),
            "penalty": "k_sparse" if self.penalty == "k_sparse" else None,
        }

    def _check_resume(self):
        now = self._structure()
        for name in {**self._fitted_structure, **now}:
            if now.get(name) != self._fitted_structure.get(name):
                raise ValueError(
                    f"{name} has changed since the last fit, to {now.get(name)!r}, so "
                    f"its weights can't go on: set it back, or fit with "
                    f"warm_start=False."
                )

    def _measure(self, X):
        """Set the centre and the one scale of the data."""
        with np.errstate(over="ignore", invalid="ignore"):
            sums = (X[rows].sum(axis=0, dtype=np.float64) for rows in chunks(X))
            mean = sum(sums) / len(X)
            low, high = _ends(X)
            peak = max((high - mean).max(), (mean - low).max())
        if not peak < MOST:
            raise ValueError(
                f"X has values too large to be squared: up to "
                f"{max(-low.min(), high.max()):g}. Divide it by a constant first."
            )
        # set_params changes the next fit, not this
        self._loss, self._out = LOSSES[self.loss], self._output()
        tiny = np.finfo(X.dtype).tiny
        correction, squares = 0.0, 0.0
        for rows in chunks(X):
            residuals = X[rows] - mean
            correction = correction + residuals.sum(axis=0)
            if peak > tiny:  # divided, since squares of 1e200 would not fit a float64
                squares += np.square(residuals / peak).sum()
        # Constant columns lose the rounding error of their mean.
        self.mean_ = mean + correction / len(X)
        self.scale_ = 1.0
        spread = max((high - self.mean_).max(), (self.mean_ - low).max())
        if spread > tiny and self._out.bounds is None:
            self.scale_ = float(peak * np.sqrt(squares / X.size))
        self.data_range_ = low.min(), high.max()
        self._set_code_size(self._code_size(X))

    def _set_code_size(self, n_components):
        self.n_components_ = self._n_features_out = n_components
        self._code_unit = self._unit_of_code()
        self._fitted_structure = self._structure()

    def _train(self, X, resume, one_pass):
        device = resolve_device(self.device)
        # A copy: a pass that fails shall not have advanced it.
        rng = (
            copy.deepcopy(getattr(self, "_rng", None)) if resume and one_pass else None
        )
        rng = rng or _generator(self.random_state)
        checkpoints = []
        if self.checkpoint is not None and not one_pass:
            checkpoints = [Checkpoint(self.checkpoint, self._identity(X, resume), rng)]
        with torch_state(device, int(rng.integers(2**62))):
            n_valid = 0 if one_pass else self._n_validation(X)
            if not resume:
                self._split_seed = int(rng.integers(2**62))
            corrupt = self._corruption()
            rows, train, valid = self._split(X, n_valid, device)
            if n_valid:
                # Corrupted once, so that every epoch is judged on the same rows.
                valid = Rows(corrupt(valid) if corrupt else valid, valid)
            batch_size = self._batch_size(len(train))
            if one_pass:
                epochs, judge, rates = 1, KeepFinite(), None
            else:
                epochs = self._epochs(len(train), batch_size)
                judge = KeepBest(
                    safe_start=resume or self.init == "pca",
                    tol=self.tol,
                    patience=self.n_iter_no_change if n_valid else None,
                )
                n_steps = epochs * len(Batches(train, batch_size))
                rates = self._rates(batch_size, n_steps)
            if not resume and (self.init == "pca" or self._is_ordered()):
                pca = self._fit_pca(X, min(self.n_components_, *X.shape), rng)
                if self._is_ordered():
                    shares = _explained(pca)
                    missing = self.n_components_ - len(shares)
                    self._unexplained = 1 - np.pad(shares, (0, missing), "edge")
            told = []
            if not one_pass and getattr(self, "_skl_callbacks", None):
                self._callback_fit_ctx.max_subtasks = epochs
                told = [TellCallbacks(self, self._callback_fit_ctx, X)]
            net = self._make_net(
                device=str(device),
                max_epochs=epochs,
                batch_size=batch_size,
                train_split=predefined_split(valid) if n_valid else None,
                iterator_train__corrupt=corrupt,
                rates=rates,
                # The judge comes last: it sees what the user's callbacks did.
                callbacks=[*(self.callbacks or ()), *told, judge, *checkpoints],
            )
            net.initialize()
            if resume:
                net.go_on_from(self.net_, one_pass and hasattr(self, "_rng"))
            elif self.init == "pca":
                modules = net.module_.modules()
                linear = next(m for m in modules if isinstance(m, PCAStart))
                self._start(net.module_, linear, pca)
            if self._is_ordered() and not resume:
                self._cut(net, 1)  # fails now rather than after the training
            if self.compile:
                _compile(net, next(iter(Batches(train, batch_size)))[0])
            with self._watched(net, train, valid, resume and one_pass):
                net.partial_fit(train)
            interrupted = bool(net.history) and "train_loss" not in net.history[-1]
            self._keep(net, judge, rows, resume, interrupted)
            if self._is_ordered():
                self._keep_curve(valid.targets if n_valid else rows[:JUDGED_ROWS])
                if not resume and isinstance(self.n_components, float):
                    self._shorten(self._enough_units())
            self._keep_more(net, rows)
            self.reconstruction_error_ = self._mean_squared_error(rows)
        if checkpoints and not interrupted:
            checkpoints[0].remove()
        # A model that is shipped holds no rows, and little that only training needs.
        net = self.net_
        net.train_split = net.iterator_train__corrupt = net.rates = None
        if one_pass:
            self._rng = rng
        else:
            net.forget_momenta()
            vars(self).pop("_rng", None)
        return interrupted

    def _identity(self, X, resume):
        """Return what tells one fit from another: names and values."""
        # What does not change the result, or is not the same after a restart.
        params = self.get_params()
        for name in ("checkpoint", "callbacks", "device", "verbose", "warm_start"):
            params.pop(name)
        plain = {k: getattr(v, "__qualname__", repr(v)) for k, v in params.items()}
        first = np.ascontiguousarray(X[:1000])
        return {
            "class": type(self).__name__,
            "number of rows": str(len(X)),
            "number of columns": str(X.shape[1]),
            "data's mean": repr(float(self.mean_.mean())),
            "data's spread": repr(self.scale_),
            "checksum of the first rows": hashlib.sha256(first).hexdigest()[:16],
            "start": "warm" if resume else "cold",
            **plain,
        }

    @contextlib.contextmanager
    def _watched(self, net, train, valid, goes_on):
        """Let the callbacks that have `watch` look at the model while it is trained."""
        watchers = [each for _, each in net.callbacks_ if hasattr(each, "watch")]
        with contextlib.ExitStack() as stack:
            if watchers:
                model = copy.copy(self)
                model.net_, model.device_ = net, net.device
                rows = {"train": next(train.windows(False))[:WATCHED_ROWS][1]}
                if valid is not None and len(valid):
                    rows["validation"] = valid[:WATCHED_ROWS][1]
                rows = {
                    name: self._unscaled(part.cpu().numpy()).astype(np.float32)
                    for name, part in rows.items()
                }
            for watcher in watchers:
                stack.enter_context(watcher.watch(model, rows, goes_on))
            yield

    def _split(self, X, n_valid, device):
        """Return all rows as the network reads them, those to train on, and others.

        Returns
        -------
        rows : Tensor or Stream of shape (n_samples, n_features)
            In any order.
        train : Rows or Stream
        valid : Tensor of shape (n_valid, n_features)
            Rows that are set aside.
        """
        read = partial(self._scaled, dtype=np.float32)
        # A warm start judges by the rows that were set aside before.
        split = np.random.default_rng(self._split_seed)
        if is_large(X):
            rows = Stream(X, read, device)
            aside = np.sort(split.choice(len(X), n_valid, replace=False))
            valid = rows[aside] if n_valid else None
            return rows, Stream(X, read, device, without=aside), valid
        rows = read(X)
        if n_valid:
            rows = rows[split.permutation(len(X))]
        rows = torch.from_numpy(rows).to(device)
        return rows, Rows(rows[n_valid:]), rows[:n_valid]

    def _make_net(self, **params):
        """Return a skorch net with what does not depend on the rows filled in."""
        network, network_params = self._network()
        net_class, net_params = self._net_class, self._net_params()
        if self._is_ordered():
            net_class = OrderedNet
            net_params["unexplained"] = self._unexplained
        return net_class(
            build,
            module__network=network,
            module__wrappers=self._wrappers(),
            module__n_encoded=self._n_encoded(),
            module__n_decoded=self._n_decoded(),
            criterion=self._loss.criterion,
            activation=None if self._loss.activates else self._out.activation,
            penalty=self._penalty(),
            dataset=Rows,
            iterator_train=Batches,
            iterator_train__shuffle=True,
            iterator_valid=Batches,
            precision=self.precision,
            verbose=int(self.verbose),
            **net_params,
            **params,
            **{
                **{f"module__{k}": v for k, v in network_params.items()},
                **self._optimizer_params(params["batch_size"]),
                **self._prefixed(PREFIXES),
                "criterion__reduction": "none",
            },
        )

    def _fit_pca(self, X, n_components, rng=None):
        """Return PCA of what the network reads."""
        # The user's own seed: the randomized solver's result depends on it.
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = None if rng is None else int(rng.integers(2**31))
        pca = PCA(n_components, random_state=seed)
        with np.errstate(invalid="ignore"):  # constant data have no ratios
            pca.fit(self._pca_rows(X))
        # PCA saw centred data, the network sees them only where they are not bounded.
        pca.mean_ = (
            np.zeros_like(self.mean_) if self._out.bounds is None else self.mean_
        )
        return pca

    def _pca_rows(self, X):
        """Return rows that have the covariance of X, in units of `scale_`."""

        def centred(X):
            dtype = np.float64 if X.dtype == np.float64 else np.float32
            return (X - self.mean_.astype(dtype)) / dtype(self.scale_)

        if not is_large(X):
            return centred(X)
        n_rows, n_features = X.shape
        if n_features > PCA_FEATURES:  # whose covariances are too many
            n_some = min(n_rows, PCA_CELLS // n_features)
            some = np.random.default_rng(self._split_seed).choice(n_rows, n_some, False)
            return centred(X[np.sort(some)])
        squares = sum(
            (part.T @ part).astype(np.float64)
            for part in (centred(X[rows]) for rows in chunks(X))
        )
        variances, axes = np.linalg.eigh(squares)
        # Twice as many rows as columns, each with its opposite: their mean is zero.
        scale = (2 * n_features - 1) / (2 * (n_rows - 1))
        rows = np.sqrt(np.maximum(variances, 0) * scale)[:, None] * axes.T
        return np.concatenate([rows, -rows])

    def _rates(self, batch_size, n_steps):
        if self.learning_rate == "constant":
            return None
        rate = self._learning_rate(batch_size)
        return one_cycle(vars(self).get("optimizer__lr", rate), n_steps)

    def _optimizer_params(self, batch_size):
        optimizer = OPTIMIZERS.get(self.optimizer, self.optimizer)
        wanted = {"weight_decay": self.alpha, "fused": True}
        if self._is_ordered():  # whose gradients change more from batch to batch
            wanted["betas"] = (0.9, 0.98)
        taken = inspect.signature(optimizer).parameters
        return {
            "optimizer": optimizer,
            "optimizer__lr": self._learning_rate(batch_size),
            **{f"optimizer__{k}": v for k, v in wanted.items() if k in taken},
        }

    def _keep(self, net, judge, rows, resume, interrupted):
        """Set the fitted attributes from the trained net."""
        in_units = self._loss_in_units
        whole = [epoch for epoch in net.history if "train_loss" in epoch]
        curve = [in_units(float(e["train_loss"])) for e in whole]
        valid_curve = [
            in_units(float(e["valid_loss"])) for e in whole if "valid_loss" in e
        ]
        self.net_ = net
        self.device_ = net.device
        self.loss_curve_ = (self.loss_curve_ if resume else []) + curve
        self.validation_loss_curve_ = (
            self.validation_loss_curve_ if resume else []
        ) + valid_curve
        self.n_iter_ = len(self.loss_curve_)
        if judge.best_epoch_ or not resume:
            self.best_iter_ = self.n_iter_ - len(whole) + judge.best_epoch_
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else np.nan
        self.best_loss_ = in_units(judge.best_loss_)
        if judge.diverged_:
            rate = self._learning_rate(net.batch_size)
            warn_caller(
                f"The loss was not finite in epoch {len(whole)}; the best weights "
                f"until then (epoch {judge.best_epoch_}) were restored. Try a "
                f"smaller learning_rate_init (now {rate:g}) or data "
                f"without extreme rows.",
                ConvergenceWarning,
            )
        elif interrupted:
            warn_caller(
                f"The fit was interrupted in epoch {len(net.history)} of "
                f"{net.max_epochs}; the best weights until then (epoch "
                f"{judge.best_epoch_}) were kept.",
                ConvergenceWarning,
            )

    def _mean_squared_error(self, rows):
        """Return the error per cell, in the data's units, of rows as the net reads."""
        squares = sum(
            np.square(
                part - self._run(part, "encode", "decode"), dtype=np.float64
            ).sum()
            for part in (rows[chunk].cpu().numpy() for chunk in self._chunks(rows))
        )
        return float(squares / (len(rows) * rows.shape[1]) * self.scale_**2)

    # -- ordered codes --

    def _keep_curve(self, rows):
        """Measure every prefix of the code on rows as the net reads them."""
        rows = rows[:JUDGED_ROWS].cpu().numpy()
        centred = rows.astype(np.float64)
        if self._out.bounds is not None:
            centred -= self.mean_
        total = np.square(centred).sum()
        codes = self._run(rows, "encode")
        self.code_size_curve_ = np.empty(self.n_components_)
        for k in range(1, self.n_components_ + 1):
            residuals = rows - self._run(codes[:, :k], "decode")
            left = np.square(residuals, dtype=np.float64).sum()
            self.code_size_curve_[k - 1] = 1 - left / total if total else 1.0
        self._keep_ratios()

    def _keep_ratios(self):
        # A unit that adds less than nothing takes it from those before it.
        shares = np.minimum.accumulate(self.code_size_curve_[::-1])[::-1]
        shares = np.maximum(shares, 0)
        self.explained_variance_ratio_ = np.diff(shares, prepend=0)

    def _enough_units(self):
        """Return the smallest code that keeps the wanted share of variance."""
        shares = np.cumsum(self.explained_variance_ratio_)
        enough = np.searchsorted(shares, self.n_components) + 1
        return int(min(enough, self.n_components_))

    def _cut(self, net, n_components):
        """Return a net with the first code units of this one alone."""
        short = copy.copy(self)
        short.n_components_ = n_components
        short._unexplained = self._unexplained[:n_components]
        cut = short._make_net(
            device=net.device,
            max_epochs=net.max_epochs,
            batch_size=net.batch_size,
            train_split=None,
        )
        with torch_state(torch.device(net.device), 0):
            cut.initialize()
            x = torch.randn(8, self.n_features_in_, device=net.device)
        try:
            weights = net.weights()["module_"]
            like = cut.weights()["module_"]
            cut.set_weights({"module_": prefix_of(weights, like, self.n_components_)})
            with torch.inference_mode():
                z = net.module_.eval().encode(x)[:, :n_components]
                torch.testing.assert_close(cut.module_.eval().encode(x), z, **CLOSE)
                x = net.module_.decode(z)
                torch.testing.assert_close(cut.module_.decode(z), x, **CLOSE)
        except (AssertionError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"The network {self._network()[0].__name__} can't be cut to its first "
                f"{n_components} code units: "
                f"{str(error).splitlines()[0]}. Its layers other than the first of "
                f"decode and the last of encode must not depend on n_components."
            ) from error
        cut.history_ = net.history_
        return cut

    def _shorten(self, n_components):
        """Keep the first code units alone."""
        self.net_ = self._cut(self.net_, n_components)
        self._unexplained = self._unexplained[:n_components]
        self._set_code_size(n_components)
        self.code_size_curve_ = self.code_size_curve_[:n_components]
        self._keep_ratios()

    def truncate(self, n_components):
        """Return a fitted copy whose code is the first units of this one's.

        Its network is smaller: nothing of the other units is in it. Where PCA's first
        components are PCA, so is this.

        Parameters
        ----------
        n_components : int
            Code size, from 1 to `n_components_`.

        Returns
        -------
        estimator
            With `n_components` set. It has no `reconstruction_error_`: that would take
            the training data.

        Raises
        ------
        ValueError
            If the estimator was not fitted with ``ordered=True``, its code is shorter,
            its parameters are others now, or a network of your own can't be cut.
        """
        check_is_fitted(self)
        k = self._prefix_size(n_components)
        if not self._fitted_structure["ordered"]:
            raise ValueError(
                f"n_components={k} is no part of a code without order: only a model "
                f"fitted with ordered=True can be truncated."
            )
        self._check_resume()  # the shorter network is built from the parameters
        model = copy.copy(self)
        model.n_components = k
        model.ordered = True
        model._shorten(k)
        vars(model).pop("reconstruction_error_")
        return model

    def _prefix_size(self, n_components):
        """Return how many units are asked for, if a code may have as many."""
        check_scalar(n_components, "n_components", Integral, min_val=1)
        if n_components > self.n_components_:
            raise ValueError(
                f"n_components must be at most {self.n_components_}, the code size of "
                f"this {type(self).__name__}. Got {n_components}."
            )
        if n_components < self.n_components_ and not self._fitted_structure["ordered"]:
            raise ValueError(
                f"n_components={n_components} is a part of the code. Only a model "
                f"fitted with ordered=True can do without the other units."
            )
        return int(n_components)

    # -- what a variant may override --

    def _network(self):
        """Return the network's class and its parameters."""
        raise NotImplementedError

    def _code_size(self, X):
        """Return the number of code units."""
        if isinstance(self.n_components, float):
            # Some more than PCA needs: it is the held-out share that counts.
            share = self.n_components + (1 - self.n_components) / 4
            shares = _explained(self._fit_pca(X, None))
            return min(int(np.searchsorted(shares, share)) + 1, len(shares))
        return int(self.n_components)

    def _n_encoded(self):
        """Return how many columns the network encodes, the code's first."""
        return self.n_components_

    def _n_decoded(self):
        """Return how many columns the network decodes: the code's, then others."""
        flagged = self._is_ordered() and takes_n_encoded(self._network()[0])
        return (1 + flagged) * self.n_components_

    def _unit_of_code(self):
        """Return what codes are multiplied by when they leave the network."""
        return self.scale_ if self.code_activation in ("identity", "relu") else 1.0

    def _loss_in_units(self, loss):
        """Return a loss in the data's units."""
        return loss * self.scale_**self._loss.power

    def _wrappers(self):
        """Return what the network is wrapped in, inmost first: classes, parameters."""
        wrappers = []
        if self.init == "pca":
            widths = {
                "n_features": self.n_features_in_,
                "n_components": self._n_decoded(),
                "n_encoded": self._n_encoded(),
            }
            wrappers.append((PCAStart, {**widths, "link": self._out.link}))
        if self._is_ordered():
            params = {
                "n_components": self.n_components_,
                "flags": self._n_decoded() > self.n_components_,
            }
            wrappers.append((Ordered, params))
        if self.penalty == "k_sparse":
            wrappers.append((KSparse, {"n_active": self._n_active()}))
        return wrappers

    def _net_params(self):
        """Return what the net class takes besides the parameters of all."""
        return {}

    def _start(self, module, linear, pca):
        """Set the module's `PCAStart` to a fitted PCA of what the network reads."""
        linear.start(pca.components_, pca.mean_)

    def _keep_more(self, net, rows):
        """Set the fitted attributes that only the variant has."""

    # -- noise and penalties --

    def _corruption(self):
        """Return what corrupts a batch of inputs in training, or None."""
        if self.noise is None:
            return None
        level = self._noise_level()
        if self.noise == "gaussian":
            level /= self.scale_
        elif level > 1:
            raise ValueError(
                f"noise_level is the share of cells that noise={self.noise!r} changes: "
                f"a number from 0 to 1. Got {self.noise_level!r}."
            )
        # Zero and both ends of the data, as the network reads them.
        values = np.empty((3, self.n_features_in_))
        values[:] = np.array([[*self.data_range_, 0.0]]).T
        low, high, zero = torch.from_numpy(self._scaled(values, np.float32))
        return partial(NOISES[self.noise], level=level, low=low, high=high, zero=zero)

    def _noise_level(self):
        if self.noise_level == "auto":
            return 0.5 * self.scale_ if self.noise == "gaussian" else 0.2
        return self.noise_level

    def _penalty(self):
        """Return what the net adds to the loss of each row, or None."""
        if self.penalty not in PENALTIES:
            return None
        sparsity = 0.05 if self.sparsity == "auto" else self.sparsity
        if self.penalty == "kl" and not sparsity < 1:
            raise ValueError(
                f"sparsity is the mean activation that penalty='kl' holds: a number "
                f"between 0 and 1. Got {self.sparsity!r}."
            )
        return partial(
            weighted,
            penalty=PENALTIES[self.penalty],
            weight=float(self.penalty_weight),
            sparsity=sparsity,
        )

    def _n_active(self):
        """Return how many units a row keeps with ``penalty="k_sparse"``."""
        sparsity = 0.25 if self.sparsity == "auto" else self.sparsity
        if isinstance(sparsity, Integral):
            return min(int(sparsity), self.n_components_)
        return max(1, round(sparsity * self.n_components_))

    # -- sizes --

    def _n_validation(self, X):
        if not self.early_stopping:
            return 0
        n_samples = len(X)
        wanted = int(np.ceil(self.validation_fraction * n_samples))
        if self._is_ordered():  # each is decoded at many lengths
            wanted = min(wanted, JUDGED_ROWS)
        if is_large(X):  # they are held
            wanted = min(wanted, WINDOW_CELLS // X.shape[1])
        return min(max(wanted, min(20, n_samples // 4)), n_samples - 1)

    # Of an ordered code each length sees a part of the rows: it wants longer steps,
    # larger batches where there are enough of them, and more epochs.

    def _learning_rate(self, batch_size):
        if self.learning_rate_init != "auto":
            return self.learning_rate_init
        return min(batch_size**0.5 / 2000, 0.006) if self._is_ordered() else 0.002

    def _batch_size(self, n_samples):
        if self.batch_size == "auto":
            if self._is_ordered():
                return int(np.clip(3 * n_samples // 40, 24, 512))
            return int(np.clip(n_samples // 20, 16, 256))
        return min(int(self.batch_size), n_samples)

    def _epochs(self, n_samples, batch_size):
        if self.max_iter != "auto":
            return int(self.max_iter)
        if self._is_ordered():
            batch_size = min(batch_size / 1.5, 256)  # of a plain code
        epochs = np.clip(2000 // np.ceil(n_samples / batch_size), 8, 200)
        return int(np.ceil(1.4 * epochs)) if self._is_ordered() else int(epochs)

    # -- data to code and back --

    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Codes, in the data's units as PCA's are; float32 if X is, else
            float64.
        """
        check_is_fitted(self)
        X = self._validate(X)
        return self._in_chunks(X, self._encode, self.n_components_)

    def inverse_transform(self, X):
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes: `transform`'s, or chosen ones. A model with an ordered code takes
            its first columns too, from 1 on.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Rows in the units of the training data; float32 if the codes are, else
            float64.
        """
        check_is_fitted(self)
        Z = check_array(X, dtype=[np.float64, np.float32], input_name="X")
        shorter = self._fitted_structure["ordered"] and Z.shape[1] < self.n_components_
        if Z.shape[1] != self.n_components_ and not shorter:
            raise ValueError(
                f"X has {Z.shape[1]} columns, but the codes of this "
                f"{type(self).__name__} have {self.n_components_}."
            )
        return self._in_chunks(Z, self._decode, self.n_features_in_)

    def reconstruct(self, X, n_components=None):
        """Encode rows and decode their codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the units of the training data.
        n_components : int, default=None
            The first units of an ordered code that count, by default all.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            What the code keeps of them; float32 if X is, else float64.
        """
        check_is_fitted(self)
        X = self._validate(X)
        round_trip = partial(self._round_trip, n_components=n_components)
        return self._in_chunks(X, round_trip, self.n_features_in_)

    def score(self, X, y=None, n_components=None):
        """Return the share of variance explained.

        It is 1 − Σ(x − x̂)² / Σ(x − `mean_`)². For PCA the same share, on the training
        rows, is the sum of its `explained_variance_ratio_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to reconstruct.
        y : Ignored
            Present for scikit-learn's sake.
        n_components : int, default=None
            The first units of an ordered code that count, by default all.

        Returns
        -------
        float
            At most 1.0; below 0.0 where the mean would be a better guess.
        """
        check_is_fitted(self)
        X = self._validate(X)
        left = self._row_errors(X, n_components).sum()
        total = sum(
            np.square((X[rows] - self.mean_) / self.scale_).sum() for rows in chunks(X)
        )
        if total == 0:  # left may hold a rounding error of float32
            size = sum(
                np.square(X[rows] / self.scale_, dtype=np.float64).sum()
                for rows in chunks(X)
            )
            return 1.0 if left <= np.finfo(np.float32).eps ** 2 * size else 0.0
        return float(1 - left / total)

    def score_samples(self, X):
        """Return minus the squared error of each row: higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to reconstruct.

        Returns
        -------
        ndarray of shape (n_samples,)
            −Σ(x − x̂)² over the columns, float64, in the data's squared units.
        """
        check_is_fitted(self)
        return -self._row_errors(self._validate(X)) * self.scale_**2

    def _validate(self, X, reset=False):
        lazy = Lazy.suits(X)  # checked when it is read
        checked = validate_data(
            self,
            X[:2] if lazy else X,
            dtype=[np.float64, np.float32],
            reset=reset,
            ensure_min_samples=1 + reset,
        )
        return Lazy(X) if lazy else checked

    def _row_errors(self, X, n_components=None):
        """Return the squared error of each row in units of `scale_` squared."""
        errors = np.empty(len(X))
        for rows in self._chunks(X):
            part = X[rows]
            residuals = (part - self._round_trip(part, n_components)) / self.scale_
            errors[rows] = np.square(residuals, dtype=np.float64).sum(axis=1)
        return errors

    def _chunks(self, X):
        """Yield slices of rows that the network takes at a time."""
        return chunks(X, self.net_.row_cost()[0])

    def _in_chunks(self, X, function, n_columns):
        result = np.empty((len(X), n_columns), dtype=X.dtype)
        for rows in self._chunks(X):
            result[rows] = function(X[rows])
        return result

    # Float32 is computed in float32, float64 in float64: there a row's result does
    # not depend on its neighbours in the batch, which scikit-learn checks to 1e-7.

    def _encode(self, X):
        return self._run(self._scaled(X, X.dtype), "encode") * self._code_unit

    def _decode(self, Z):
        with np.errstate(over="ignore"):  # `_finite` tells
            codes = Z / self._code_unit
        return self._unscaled(self._run(_finite(codes, Z.dtype), "decode"))

    def _round_trip(self, X, n_components=None):
        X = self._scaled(X, X.dtype)
        if n_components is None:
            return self._unscaled(self._run(X, "encode", "decode"))
        k = self._prefix_size(n_components)
        return self._unscaled(self._run(self._run(X, "encode")[:, :k], "decode"))

    def _run(self, array, *parts):
        """Call parts of the network, one after the other, in inference mode."""
        if self.device_.startswith("mps"):  # has no float64
            array = array.astype(np.float32)
        tensor = torch.from_numpy(array).to(self.device_)
        module = self.net_.module_as(tensor.dtype)
        with torch.inference_mode():
            for part in parts:
                tensor = getattr(module, part)(tensor)
            if part == "decode":
                tensor = self._out.activation(tensor)
        return tensor.cpu().numpy()

    def _scaled(self, X, dtype):
        """Return a copy of X as the network reads it: centred, in units of `scale_`."""
        if self._out.bounds is not None:
            return X.astype(dtype)
        if X.size <= CHUNK_CELLS:
            return self._centred(X, dtype)
        scaled = np.empty(X.shape, dtype)
        for rows in chunks(X):
            scaled[rows] = self._centred(X[rows], dtype)
        return scaled

    # As exact in float32 as in float64, and faster, if the mean comes in two parts.

    def _in_float32(self, array):
        return array.dtype == np.float32 and 1e-30 < self.scale_ < 1e30

    def _centred(self, X, dtype):
        if self._in_float32(X):
            coarse = self.mean_.astype(np.float32)
            fine = torch.from_numpy((self.mean_ - coarse).astype(np.float32))
            with np.errstate(over="ignore"):
                centred = X - coarse
            torch.from_numpy(centred).sub_(fine).div_(self.scale_)
        else:
            with np.errstate(over="ignore"):
                centred = (X - self.mean_) / self.scale_
        return _finite(centred, dtype, self.scale_)

    def _unscaled(self, X):
        if self._out.bounds is not None:
            return X
        if self._in_float32(X):
            mean = torch.from_numpy(self.mean_.astype(np.float32))
            return torch.from_numpy(X).mul(self.scale_).add_(mean).numpy()
        return X * self.scale_ + self.mean_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


@cache
def documentation():
    """Return the address that pyproject.toml has under project.urls, or None."""
    with contextlib.suppress(PackageNotFoundError):
        for line in metadata("sklearn-ae").get_all("Project-URL", ()):
            name, _, address = line.partition(", ")
            if name.lower() == "documentation":
                return address.rstrip("/")
    return None


def _n_parameters(module, recurse=True):
    return sum(part.numel() for part in module.parameters(recurse=recurse))


def warn_caller(message, category):
    """Warn, pointing at the line that called scikit-learn or this package."""
    level, frame = 1, inspect.currentframe()
    own = {"sklearn_ae", "sklearn", "skorch", "contextlib"}
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in own:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


@contextlib.contextmanager
def all_or_nothing(estimator):
    """Leave an estimator as it was if something goes wrong."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _explained(pca):
    """Return the share of variance that PCA's first components explain, by number."""
    shares = np.cumsum(pca.explained_variance_ratio_, dtype=np.float64)
    return np.where(np.isnan(shares), 1.0, shares)  # constant data


def _finite(array, dtype, unit=1.0):
    """Return the array, in units of `unit`, in a dtype that it and its squares fit."""
    largest = float(np.finfo(dtype).max)
    if dtype == np.float64:  # the squares of float32 are float64
        largest = MOST / max(unit, 1.0)
        fits = float(max(array.max(), -array.min())) <= largest
    else:  # the sum is quick, and tells of nearly all arrays that they fit
        fits = array.dtype == dtype and np.isfinite(array.sum())
    if not fits and float(np.abs(array).max()) > largest:
        raise ValueError(
            f"X has values {np.abs(array).max():g} times as large as the training "
            f"data's spread: too large for {np.dtype(dtype).name}."
        )
    return array.astype(dtype, copy=False)


def _ends(X):
    """Return the least and the largest value of each column."""
    ends = [(X[rows].min(axis=0), X[rows].max(axis=0)) for rows in chunks(X)]
    return np.min([low for low, _ in ends], 0), np.max([high for _, high in ends], 0)


def _generator(random_state):
    """Return numpy's new kind of generator; None never touches the global one."""
    if random_state is None:
        return np.random.default_rng()
    return np.random.default_rng(check_random_state(random_state).randint(2**31))


def _compile(net, inputs):
    """Compile the network, or say why not and go on without."""
    module = net.module_
    module.compile()
    try:
        with torch.random.fork_rng(), torch.no_grad():
            module.eval()(inputs)
    except Exception as error:  # any of torch's many compilers may be missing
        module._compiled_call_impl = None
        warn_caller(
            f"compile=True has no effect here: {type(error).__name__}: "
            f"{str(error).splitlines()[0]}",
            UserWarning,
        )
