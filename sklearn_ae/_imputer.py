"""AutoencoderImputer: fills missing cells."""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array, check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data

from ._arrays import as_numpy, in_callers_arrays
from ._autoencoder import AutoencoderTransformer
from ._engine.factor import held_out, moments, own_generator
from ._sklearn import Interval, StrOptions, fit_context, inspected

JUDGING = 0.1  # share of the observed cells that choose what fills the others
ROUNDS = 2  # of the network at most, each reading what the one before filled
N_FITS = 3  # whose mean fills: their errors differ in part
SURE = 1.64  # standard errors by which the networks must gain to count


class AutoencoderImputer(TransformerMixin, BaseEstimator):
    """Fill missing cells by factor analysis and an autoencoder that starts at it.

    Columns are standardized by their observed cells. Factor analysis, whose number of
    factors is chosen by cells held out, fills each row by what its observed cells tell.
    An autoencoder whose code is as wide as the rows begins there and learns, from cells
    that are hidden in training, what is not linear. This is done three times, each time
    without a tenth of the observed cells, which are drawn anew, and the mean of the
    three fills. The cells that a fit was not shown judge it: they say how much of the
    way from factor analysis to the autoencoders is gone, and where that gains nothing
    for sure, factor analysis fills.

    Parameters
    ----------
    missing_values : number, default=np.nan
        What stands in missing cells.
    add_indicator : bool, default=False
        Whether columns are added that say which cells were missing, one for each column
        that lacked some in `fit`.
    keep_empty_features : bool, default=False
        Whether columns without one observed cell in `fit` are kept, filled with 0,
        rather than left out.
    max_iter : int or "auto", default="auto"
        Epochs of each autoencoder; 0 is factor analysis alone.
    device : str or torch.device, default="auto"
        Of the autoencoders.
    random_state : int, RandomState instance or None, default=None
        An int makes fits on one machine identical.

    Attributes
    ----------
    autoencoders_ : list of AutoencoderTransformer
        Three, of the standardized columns that have observed cells.
    autoencoder_ : AutoencoderTransformer
        The first of them.
    weight_ : float
        Of the autoencoders' mean fill, from 0, the mean of the factor analyses alone,
        to 1: what errs least on the cells held out; 0 where that gains nothing for
        sure.
    n_factors_ : int
        Number of factors of the first; 0 if the columns' means fill best.
    n_rounds_ : int
        How often the networks read what they filled; 0 is factor analysis alone.
    error_ : float
        Root mean squared error of the fill, in standard deviations of the columns, by
        the cells held out: the error of single fits, less what their mean gains.
        NaN if there were none.
    spread_ : float
        By how much the errors of the cells held out are larger than factor analysis
        says: what `draw` draws is as much wider.
    mean_, scale_ : ndarray of shape (n_features,)
        Mean and standard deviation of the columns' observed cells.
    kept_ : ndarray of int
        Columns that have an observed cell.
    indicated_ : ndarray of int
        Columns that lacked cells in `fit`.
    n_iter_ : int
        Epochs of the autoencoder that was trained longest.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had names that are all strings.

    See Also
    --------
    AutoencoderTransformer : Takes missing cells itself, to make codes of rows.
    sklearn.impute.IterativeImputer : Predicts each column by the others.

    Notes
    -----
    Values that are missing for a reason, such as the large ones, are filled as if there
    were none.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ae import AutoencoderImputer
    >>> X = load_iris().data
    >>> gone = np.random.default_rng(0).random(X.shape) < 0.2
    >>> filled = AutoencoderImputer(random_state=0).fit_transform(
    ...     np.where(gone, np.nan, X)
    ... )
    >>> error = np.abs(filled - X)[gone].mean()
    >>> bool(error < 0.5 * np.abs(X - X.mean(axis=0))[gone].mean())
    True
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "missing_values": [Real],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "device": [str, torch.device],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        missing_values=np.nan,
        *,
        add_indicator=False,
        keep_empty_features=False,
        max_iter="auto",
        device="auto",
        random_state=None,
    ):
        self.missing_values = missing_values
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.max_iter = max_iter
        self.device = device
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn how the columns hang together.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, some of whose cells are missing.
        y : Ignored
            Present for scikit-learn's sake.

        Returns
        -------
        self : object
            The fitted imputer.
        """
        X, columns = self._inspected(X)
        gone = np.isnan(X)
        kept = np.flatnonzero(~gone.all(axis=0))
        if not len(kept):
            raise ValueError("X has no observed cell: there is nothing to learn from.")
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = moments(X[:, kept])
        if not (np.isfinite(mean) & np.isfinite(scale)).all():
            raise ValueError(
                f"X has values too large to be squared: up to "
                f"{np.nanmax(np.abs(X)):g}. Divide the columns by a number first."
            )
        # A column of one value has a rounding error for a spread.
        scale[scale <= 1e-12 * np.abs(mean)] = 1.0
        rows = (X[:, kept] - mean) / scale
        seeds = check_random_state(self.random_state).randint(2**31, size=N_FITS)
        autoencoders = [self._learned(rows, int(seed)) for seed in seeds]
        vars(self).pop("feature_names_in_", None)
        vars(self).update(columns)
        self.autoencoders_ = autoencoders
        self.autoencoder_ = autoencoders[0]
        self.mean_, self.scale_, self.kept_ = mean, scale, kept
        self.indicated_ = np.flatnonzero(gone.any(axis=0))
        self.n_iter_ = max(each.n_iter_ for each in autoencoders)
        factors = self.autoencoder_._fitted.codec.factors
        self.n_factors_ = int(factors.loadings.any(axis=0).sum())
        self._judge(rows)
        return self

    def _learned(self, rows, seed):
        """Return one autoencoder of standardized rows."""
        return AutoencoderTransformer(
            rows.shape[1],
            validation_rows="cells",
            validation_fraction=JUDGING,
            max_iter=self.max_iter,
            device=self.device,
            random_state=seed,
        ).fit(rows)

    def _judge(self, rows):
        """Choose rounds and weight by the cells that each fit was not shown."""
        self.n_rounds_, self.weight_, self.error_, self.spread_ = 0, 0.0, np.nan, 1.0
        parts = [self._held_out(rows, i) for i in range(N_FITS)]
        truth, expected, starts, *ends = map(_joined, zip(*parts, strict=True))
        if not len(truth):
            return
        errors = _squares(truth, starts)
        if any(each.best_iter_ for each in self.autoencoders_):
            own = [_squares(truth, end).sum() for end in ends]
            n = int(np.argmin(own))
            weight = _blend(truth, starts, ends[n])
            if weight:
                self.n_rounds_, self.weight_ = n + 1, weight
                errors = _squares(truth, starts + weight * (ends[n] - starts))
        # Of few cells the correction may take off more than there is.
        self.error_ = float(np.sqrt(max(errors.mean(), 0.0)))
        self.spread_ = float(self.error_ / np.sqrt(expected.mean()))

    def _held_out(self, rows, i):
        """Return cells that one fit was not shown, and what all say, its word first.

        Cells, their variances by its factors, and of shape (N_FITS, n_cells) what
        factor analysis and the rounds of the network fill.
        """
        order = [self.autoencoders_[i - j] for j in range(N_FITS)]
        draws = own_generator(order[0]._fitted.split_seed, "judge")
        hidden = held_out(~np.isnan(rows), JUDGING, draws)
        known = np.where(hidden, np.nan, rows)
        fills = [_fills(each, known, ROUNDS) for each in order]
        fills = [np.stack(fill)[:, hidden] for fill in zip(*fills, strict=True)]
        expected = order[0]._fitted.codec.factors.variances(known)
        return rows[hidden], expected[hidden], *fills

    def _fill(self, rows):
        """Return standardized rows without holes."""
        fills = [_fills(each, rows, self.n_rounds_) for each in self.autoencoders_]
        start = np.mean([fill[0] for fill in fills], axis=0)
        if not self.weight_:
            return start
        return start + self.weight_ * (np.mean([f[-1] for f in fills], axis=0) - start)

    @in_callers_arrays
    def transform(self, X):
        """Fill the missing cells of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; any cells may be missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            The rows: what was observed is as it was.
        """
        check_is_fitted(self)
        X = self._checked(X)
        return self._completed(X, self._fill(self._standardized(X)))

    def inverse_transform(self, X):
        """Return rows as they were filled, without indicators: nothing is undone.

        So that a Pipeline of an imputer and a reducer has a way back.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_out)
            Rows as `transform` returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Columns that `fit` left out are missing.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite=False)
        n_out = len(self.get_feature_names_out())
        if X.shape[1] != n_out:
            raise ValueError(
                f"X has {X.shape[1]} columns, but this imputer returns {n_out}."
            )
        if self.keep_empty_features:
            return X[:, : self.n_features_in_]
        whole = np.full((len(X), self.n_features_in_), self.missing_values, X.dtype)
        whole[:, self.kept_] = X[:, : len(self.kept_)]
        return whole

    def draw(self, X, n_draws=5, random_state=None):
        """Fill the missing cells of rows many times, by draws of what they may be.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; any cells may be missing.
        n_draws : int, default=5
            How many times.
        random_state : int, RandomState instance or None, default=None
            Of the draws.

        Returns
        -------
        ndarray of shape (n_draws, n_samples, n_features_out)
            Around what `transform` fills, as factor analysis says how the missing
            cells of a row vary together, and as widely as cells held out show.
        """
        check_is_fitted(self)
        check_scalar(n_draws, "n_draws", Integral, min_val=1)
        X = self._checked(X)
        rows = self._standardized(X)
        filled, gone = self._fill(rows), np.isnan(rows)
        seed = check_random_state(random_state).randint(2**31)
        factors = self.autoencoder_._fitted.codec.factors
        rng = np.random.default_rng(seed)
        draws = (factors.deviations(rows, rng) for _ in range(n_draws))
        return np.stack(
            [self._completed(X, filled + self.spread_ * gone * away) for away in draws]
        )

    def _inspected(self, X):
        """Return X, as `_checked` does, and attributes that tell of its columns."""
        checks = {**self._checks(), "ensure_min_samples": 2}
        X, columns = inspected(self, as_numpy(X), **checks)
        return self._with_nan(X), columns

    def _checked(self, X):
        """Return X with the columns of the fit, NaN where cells are missing."""
        X = validate_data(self, as_numpy(X), reset=False, **self._checks())
        return self._with_nan(X)

    def _checks(self):
        finite = "allow-nan" if np.isnan(self.missing_values) else True
        return {"dtype": [np.float64, np.float32], "ensure_all_finite": finite}

    def _with_nan(self, X):
        if np.isnan(self.missing_values):
            return X
        return np.where(np.equal(X, self.missing_values), np.nan, X)

    def _standardized(self, X):
        """Return the columns that are filled, in float64."""
        return (X[:, self.kept_] - self.mean_) / self.scale_

    def _completed(self, X, filled):
        """Return X with its missing cells from standardized rows."""
        gone = np.isnan(X)
        whole = np.zeros_like(X)
        whole[:, self.kept_] = filled * self.scale_ + self.mean_
        whole = np.where(gone, whole, X)
        if not self.keep_empty_features:
            whole = whole[:, self.kept_]
        if self.add_indicator:
            whole = np.hstack([whole, gone[:, self.indicated_].astype(X.dtype)])
        return whole

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns that `transform` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X, by default those of `fit`, or ``x0``,
            ``x1``, and so on.

        Returns
        -------
        ndarray of str
            A name for each column, those of indicators last.
        """
        check_is_fitted(self)
        own = getattr(self, "feature_names_in_", None)
        names = own if input_features is None else np.asarray(input_features, object)
        if names is None:
            names = np.array([f"x{i}" for i in range(self.n_features_in_)], object)
        if len(names) != self.n_features_in_:
            raise ValueError(
                f"input_features should have length equal to number of features "
                f"({self.n_features_in_}), got {len(names)}."
            )
        if own is not None and not np.array_equal(names, own):
            raise ValueError("input_features is not equal to feature_names_in_")
        kept = slice(None) if self.keep_empty_features else self.kept_
        added = self.indicated_ if self.add_indicator else []
        flags = [f"missingindicator_{names[i]}" for i in added]
        return np.array([*names[kept], *flags], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = bool(np.isnan(self.missing_values))
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _fills(autoencoder, rows, n_rounds):
    """Return rows filled by factor analysis, then by each round of the network.

    The first round reads the holes, the second what the first filled.
    """
    gone, filled = np.isnan(rows), rows
    fills = [autoencoder._fitted.codec.fill(rows)]
    for _ in range(n_rounds):
        filled = np.where(gone, autoencoder.reconstruct(filled), rows)
        fills.append(filled)
    return fills


def _joined(parts):
    """Return what was found of the fits' cells as one."""
    return np.concatenate(parts, axis=-1)


def _squares(truth, fills):
    """Return what squared errors of the mean of fills come to, cell by cell.

    Only the first of the fills was not shown the cell. Its error is what one of them
    errs, and their mean errs less by the fills' variance (Krogh and Vedelsby 1995).
    """
    return np.square(truth - fills[0]) - fills.var(axis=0)


def _blend(truth, starts, ends):
    """Return the share of the step from start to end that errs least, 0 if not surely.

    Parameters
    ----------
    truth : ndarray of shape (n_cells,)
    starts, ends : ndarray of shape (n_fits, n_cells)
        What fits fill, one that was not shown the cell first.
    """
    steps = ends - starts
    away, deviations = truth - starts[0], steps - steps.mean(axis=0)
    shared = (deviations * starts).mean(axis=0).sum()  # covariances
    size = np.square(steps[0]).sum() - steps.var(axis=0).sum()
    if size <= 0:
        return 0.0
    weight = float(np.clip((steps[0] @ away + shared) / size, 0, 1))
    gain = _squares(truth, starts) - _squares(truth, starts + weight * steps)
    return weight if gain.mean() > SURE * gain.std() / np.sqrt(len(gain)) else 0.0
