"""BaseAutoencoder: the methods that every autoencoder has."""

from functools import partial

import numpy as np
from sklearn import config_context
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted, validate_data

from ._arrays import NUMPY, ArraysMixin, as_numpy, in_callers_arrays, name_of_namespace
from ._engine.fit import fit
from ._engine.fitted import Fitted, of_fit
from ._engine.history import History
from ._engine.losses import LOSSES, output_of, penalty_of
from ._engine.objective import Objective, OrderedObjective
from ._engine.tables import Sparse, as_table, check_observed, refuse_missing
from ._engine.weights import Weighted, checked_weights, weighted
from ._gradients import GradientsMixin
from ._html import NetworkHTMLMixin
from ._independence import checked_groups
from ._onnx import OnnxMixin
from ._params import Parameters
from ._sklearn import (
    CallbackSupportMixin,
    TellCallbacks,
    fit_context,
    inspected,
    with_callbacks,
)
from ._truncation import TruncationMixin

# Of scikit-learn. NaN is refused in words of our own, where it is.
CHECKS = {
    "dtype": [np.float64, np.float32],
    "accept_sparse": "csr",
    "ensure_all_finite": "allow-nan",
}


class BaseAutoencoder(
    ArraysMixin,
    GradientsMixin,
    TruncationMixin,
    OnnxMixin,
    CallbackSupportMixin,
    NetworkHTMLMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    Parameters,
):
    """Base class of the autoencoders.

    A variant overrides `_blueprint` (which module), if it must `_objective` (what it is
    trained for) and `_extras` (further fitted attributes).

    Noise and penalties are parameters here, not classes: noise changes a batch before
    any network sees it, a penalty sees nothing but the code, so each goes with every
    network.
    """

    # `score` takes it from whoever calls, not from a meta-estimator.
    __metadata_request__score = {"n_components": UNUSED}  # noqa: RUF012

    # All that a fit comes to is in `_fitted`, which is written once, at its end.
    n_components_ = of_fit(lambda fitted: fitted.codec.n_components)
    net_ = of_fit(lambda fitted: fitted.codec.net)
    device_ = of_fit(lambda fitted: fitted.codec.net.device)
    mean_ = of_fit(lambda fitted: fitted.codec.scaling.mean)
    scale_ = of_fit(lambda fitted: fitted.codec.scaling.scale)
    data_range_ = of_fit(lambda fitted: fitted.codec.scaling.range)
    loss_ = of_fit(lambda fitted: fitted.history.last_loss)
    best_loss_ = of_fit(lambda fitted: fitted.history.best_loss)
    loss_curve_ = of_fit(lambda fitted: fitted.history.losses)
    validation_loss_curve_ = of_fit(lambda fitted: fitted.history.valid_losses)
    n_iter_ = of_fit(lambda fitted: fitted.history.n_iter)
    best_iter_ = of_fit(lambda fitted: fitted.history.best_iter)
    reconstruction_error_ = of_fit(lambda fitted: fitted.error)
    n_samples_ = of_fit(lambda fitted: fitted.n_samples or None)
    code_size_curve_ = of_fit(lambda fitted: fitted.curve)
    explained_variance_ratio_ = of_fit(lambda fitted: fitted.ratios)
    _n_features_out = n_components_
    # For the display of losses.
    _loss_label = of_fit(lambda fitted: fitted.codec.objective.label)
    _loss_terms = of_fit(lambda fitted: fitted.beyond_squared_error)

    # -- fit --

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, groups=None, sample_weight=False):
        """Fit the autoencoder to X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            At least two rows; NaN where a cell is missing. Sparse ones stay sparse.
        y : Ignored
            Present for scikit-learn's sake.
        groups : array-like of shape (n_samples,), default=None
            Which rows belong together, such as the measurements of one patient: they
            are set aside together, and count as one when an epoch is judged. Without
            it each row stands for itself; equal rows, which never stand on both sides,
            count as one; and rows that look like near-copies, or a series, are treated
            so with a warning. With ``validation_rows="last"`` the order alone counts.
        sample_weight : array-like of shape (n_samples,), float, None or False, \
                default=False
            How much each row counts: in centre, scale and PCA, in the loss, and in the
            judgment of an epoch. A row of weight 2 is that row twice: equal rows are
            joined first, unless they are in order. None is a weight of 1 for all; False
            takes rows one by one.

        Returns
        -------
        self : object
            The fitted estimator. A fit that fails leaves it as it was.

        Raises
        ------
        ValueError
            If X or a parameter can't be used; the message names it.
        KeyboardInterrupt
            If Ctrl-C was pressed. Once training has begun the estimator is fitted with
            the best weights until then, and a `ConvergenceWarning` says so.

        Warns
        -----
        ConvergenceWarning
            If a loss was not finite; the best weights until then are kept.
        UserWarning
            If rows look like copies of one another and no `groups` are given.
        """
        if hasattr(self, "_init_callback_context"):
            self._init_callback_context(max_subtasks=None)
        return self._fit(X, self.warm_start, groups, sample_weight)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=False):
        """Train for one pass over X, from where the last call stopped.

        The first call sets `mean_`, `scale_` and, with ``init="pca"``, the start from
        its rows: make that chunk a fair sample. The learning rate stays at
        `learning_rate_init`, and no rows are set aside for validation.

        With ``init="pca"`` PCA goes on learning with the chunks, and each chunk judges
        before it trains: as long as the network reads new rows worse than PCA of all
        rows so far, as where chunks are sorted, that PCA is the model, and the network
        is trained beside it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The next rows; at least two in the first call.
        y : Ignored
            Present for scikit-learn's sake.
        sample_weight : array-like of shape (n_samples,), float, None or False, \
                default=False
            How much each row counts beside the others of this call. See `fit`.

        Returns
        -------
        self : object
            The estimator after the pass. A pass that fails leaves it as it was.

        Warns
        -----
        ConvergenceWarning
            If the loss or a weight was not finite; the pass is undone.
        """
        return self._fit(X, True, sample_weight=sample_weight, one_pass=True)

    def _fit(self, X, goes_on, groups=None, sample_weight=False, one_pass=False):
        previous = vars(self).get("_fitted") if goes_on else None
        namespace, X = name_of_namespace(X), as_numpy(X)
        if previous is None:
            table, columns = self._inspect(X)
        else:
            columns = ("n_features_in_", "feature_names_in_")
            columns = {k: v for k, v in vars(self).items() if k in columns}
            table = self._table(X)
        self._check_parameters()
        if groups is not None:
            groups = as_numpy(groups)
            groups = np.unique(checked_groups(groups, table), return_inverse=True)[1]
        listeners = None if one_pass else partial(self._listeners, table, columns)
        rows = Weighted(table, None, groups, len(table))
        if sample_weight is not False:
            weights = checked_weights(as_numpy(sample_weight), len(table))
            in_order = {"last": True}.get(self.validation_rows)
            in_order, least = (False, 1) if one_pass and previous else (in_order, 2)
            rows = weighted(table, weights, groups, in_order, least)
        with config_context(array_api_dispatch=False):  # PCA rounds differently
            fitted, interrupted = fit(self, rows, previous, one_pass, listeners)
        if namespace != NUMPY:
            columns = {**columns, "_namespace": namespace}
        for name in ("feature_names_in_", "_namespace"):
            vars(self).pop(name, None)
        vars(self).update(columns)
        self._fitted = fitted
        if interrupted:
            raise KeyboardInterrupt  # which skorch keeps to itself
        return self

    def _inspect(self, X):
        """Return X as a table, and attributes that tell of its columns."""
        columns = {}

        def check(X):
            X, found = inspected(self, X, ensure_min_samples=2, **CHECKS)
            if self._refuses_missing:
                refuse_missing(X, self._refuses_missing)
            check_observed(X, found.get("feature_names_in_"))
            columns.update(found)
            return X

        return as_table(X, check), columns

    def _listeners(self, table, columns, n_epochs):
        """Return what tells scikit-learn's own callbacks of the epochs."""
        if not getattr(self, "_skl_callbacks", None):
            return []
        self._callback_fit_ctx.max_subtasks = n_epochs

        def attributes(codec):
            history = History([], [], 0, np.nan)
            fitted = Fitted(codec, history, split_seed=0, noise=self._noise)
            return {**columns, "_fitted": fitted}

        rows = table.matrix if isinstance(table, Sparse) else table
        return [TellCallbacks(self, self._callback_fit_ctx, rows, attributes)]

    def _table(self, X):
        """Return X as a table with the columns of the fit."""
        check_is_fitted(self)
        if self._codec(X) is not self._fitted.codec:
            return X  # a tensor

        def check(X):
            X = validate_data(self, X, reset=False, **CHECKS)
            if self._refuses_missing:
                refuse_missing(X, self._refuses_missing)
            return X

        table = as_table(X, check)
        self._fitted.codec.check(table)
        return table

    def __sklearn_is_fitted__(self):
        return "_fitted" in vars(self)

    # -- what a variant may override --

    _may_cross_fit = False  # whether small tables are
    _takes_missing = True  # whether cells may be

    def _blueprint(self, n_features, n_components):
        """Return the blueprint of the module.

        Parameters
        ----------
        n_features : int
            Number of columns.
        n_components : int or None
            Code size, None if it is for the network to say.

        Returns
        -------
        Blueprint
        """
        raise NotImplementedError

    def _objective(self, blueprint, unexplained):
        """Return the class of the objective and its parameters.

        Parameters
        ----------
        blueprint : Blueprint
            Of the module.
        unexplained : ndarray of shape (n_components,) or None
            Share of variance that PCA leaves to each prefix of an ordered code.

        Returns
        -------
        class, dict
        """
        params = {
            "loss": LOSSES[self.loss],
            "output": output_of(self.loss, self.out_activation),
            "penalty": penalty_of(self.penalty, self.penalty_weight, self.sparsity),
            "linear_code": self.code_activation in ("identity", "relu"),
        }
        if blueprint.ordered:
            return OrderedObjective, {**params, "unexplained": unexplained}
        return Objective, params

    def _extras(self, codec, rows, weights=None):
        """Return the fitted attributes that only the variant has.

        Parameters
        ----------
        codec : Codec
            The fitted model.
        rows : Tensor or Stream of shape (n_samples, n_features)
            Those of the fit, as the network reads them.
        weights : ndarray of shape (n_samples,), default=None
            Of these rows, with a mean of 1.

        Returns
        -------
        dict
        """
        return {}

    # -- data to code and back --

    @in_callers_arrays(tensors="rows")
    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Codes, in the data's units as PCA's are, or in those of a prior where codes
            follow one; float32 if X is, else float64.
        """
        X = self._table(X)
        return self._codec(X).encode(X)

    @in_callers_arrays(tensors="codes")
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
            float64. With a `loss` for counts: what a row of mean total would hold.
        """
        check_is_fitted(self)
        codec, Z = self._codec(X), X
        if codec is self._fitted.codec:
            Z = check_array(X, dtype=[np.float64, np.float32], input_name="X")
        ordered, width = self._fitted.codec.blueprint.ordered, self.n_components_
        if Z.shape[1] != width and not (ordered and Z.shape[1] < width):
            raise ValueError(
                f"X has {Z.shape[1]} columns, but the codes of this "
                f"{type(self).__name__} have {width}. Only a model fitted "
                f"with ordered=True decodes a part of its code."
            )
        return codec.decode(Z)

    @in_callers_arrays(tensors="rows")
    def reconstruct(self, X, n_components=None):
        """Encode rows and decode their codes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in the units of the training data.
        n_components : int, default=None
            The first units of an ordered code that count, by default all.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            What the code keeps of them; float32 if X is, else float64.
        """
        X = self._table(X)
        return self._codec(X).reconstruct(X, self._prefix_size(n_components))

    @in_callers_arrays(tensors="rows")
    def score(self, X, y=None, n_components=None, sample_weight=None):
        """Return the share of variance explained.

        It is 1 − Σ(x − x̂)² / Σ(x − `mean_`)² over the cells that are there. For PCA
        the same share, on the training rows, is the sum of its
        `explained_variance_ratio_`. With a `loss` for counts it is the share of
        deviance explained.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to reconstruct.
        y : Ignored
            Present for scikit-learn's sake.
        n_components : int, default=None
            The first units of an ordered code that count, by default all.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            How much each row counts in both sums.

        Returns
        -------
        float
            At most 1.0; below 0.0 where the mean would be a better guess.
        """
        X = self._table(X)
        weights = checked_weights(as_numpy(sample_weight), len(X))
        return self._codec(X).explained(X, self._prefix_size(n_components), weights)

    @in_callers_arrays(tensors="rows")
    def score_samples(self, X):
        """Return minus the squared error of each row: higher is more normal.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to reconstruct.

        Returns
        -------
        ndarray of shape (n_samples,)
            −Σ(x − x̂)² over the columns, float64, in the data's squared units. Of a row
            with missing cells: the mean of the others, times the number of columns.
            With a `loss` for counts: minus the deviance.
        """
        X = self._table(X)
        return -self._codec(X).squared_errors(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.array_api_support = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = not self._refuses_missing
        return tags
