"""AutoencoderOutlierDetector: rows that an autoencoder misses."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ._arrays import NUMPY, as_numpy, in_callers_arrays, name_of_namespace
from ._autoencoder import AutoencoderTransformer
from ._html import NetworkHTMLMixin
from ._sklearn import HasMethods, Interval, fit_context, safe_indexing

N_TRIMS = 2  # rounds, of which the second knows a start without the worst rows


class AutoencoderOutlierDetector(NetworkHTMLMixin, OutlierMixin, BaseEstimator):
    """Outlier detection by the error of an autoencoder's reconstruction.

    What a narrow code keeps is what most rows have in common; a row that it can't give
    back is unlike them. Fit it to normal rows where you have them: strange ones among
    many are learned like the others, unless `trim` leaves them out.

    Parameters
    ----------
    estimator : estimator or None, default=None
        What is fitted and scores rows, by `score_samples`: an autoencoder, or a
        Pipeline that ends in one. None is
        ``make_pipeline(StandardScaler(), AutoencoderTransformer(2))``.
    contamination : float, default=0.1
        Share of the rows of the fit that are called outliers, above 0 and up to 0.5.
        It sets the threshold and, but for `trim`, not the scores.
    trim : bool, default=False
        Whether the share `contamination` of the rows that the start misses most (PCA,
        ``max_iter=0``) is left out of the fit. For rows among which are strange ones,
        which a network learns sooner than PCA does; where all are normal it loses the
        rarer of them.
    random_state : int, RandomState instance or None, default=None
        Given to `estimator`, or to the step of a Pipeline that has it. None leaves
        those as they are.

    Attributes
    ----------
    estimator_ : estimator
        Fitted.
    offset_ : float
        The score below which a row is an outlier. May be set: the errors of rows that
        an autoencoder was trained on are smaller than those of others like them, so
        that with other normal rows at hand ``np.quantile(score_samples(rows), 0.05)``
        is the threshold that calls 5 % of normal rows outliers.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X had names that are all strings.

    See Also
    --------
    sklearn.ensemble.IsolationForest : Needs no scaling, no code size, and less time.
    sklearn_ae.plotting.ReconstructionErrorDisplay : Shows the scores.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ae import AutoencoderOutlierDetector, AutoencoderTransformer
    >>> X, y = load_digits(return_X_y=True)
    >>> pixels = AutoencoderTransformer(8, max_iter=20)  # of one unit: not scaled
    >>> detector = AutoencoderOutlierDetector(pixels, random_state=0).fit(X[y != 3])
    >>> scores = detector.score_samples(X)
    >>> bool(scores[y == 3].mean() < scores[y != 3].mean())
    True
    >>> detector.predict(X[:2]).shape
    (2,)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "estimator": [HasMethods(["fit", "score_samples"]), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "trim": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self, estimator=None, *, contamination=0.1, trim=False, random_state=None
    ):
        self.estimator = estimator
        self.contamination = contamination
        self.trim = trim
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the autoencoder, and find the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, most or all of them normal.
        y : Ignored
            Present for scikit-learn's sake.

        Returns
        -------
        self : object
            The fitted estimator. A fit that fails leaves it as it was.
        """
        namespace, X = name_of_namespace(X), as_numpy(X)
        model = self._estimator()
        model.fit(self._without_worst(model, X) if self.trim else X)
        scores = model.score_samples(X)
        self.offset_ = float(np.quantile(scores, self.contamination))
        self.estimator_ = model
        vars(self).pop("_namespace", None)
        if namespace != NUMPY:
            self._namespace = namespace
        return self

    def _without_worst(self, model, X):
        """Return the rows that the start of a model reconstructs best."""
        start = _set_everywhere(clone(model), "max_iter", 0)
        rows = X
        for _ in range(N_TRIMS):
            scores = start.fit(rows).score_samples(X)
            kept = np.flatnonzero(scores >= np.quantile(scores, self.contamination))
            rows = safe_indexing(X, kept)
        return rows

    def _estimator(self):
        """Return what is to be fitted."""
        if self.estimator is None:
            model = make_pipeline(StandardScaler(), AutoencoderTransformer(2))
        else:
            model = clone(self.estimator)
        if self.random_state is not None:
            _set_everywhere(model, "random_state", self.random_state)
        return model

    @in_callers_arrays
    def score_samples(self, X):
        """Return the estimator's score of each row: lower is stranger.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples,)
            Minus the squared error of the reconstruction, summed over the columns (for
            a VariationalAutoencoder a bound of the log density), in the units that the
            autoencoder reads: standard deviations by default.
        """
        return self._scores(X)

    def _scores(self, X):
        check_is_fitted(self)
        return self.estimator_.score_samples(X)

    @in_callers_arrays
    def decision_function(self, X):
        """Return how far each row's score is above the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``score_samples(X) - offset_``: negative for outliers.
        """
        return self._scores(X) - self.offset_

    @in_callers_arrays
    def predict(self, X):
        """Tell outliers from the others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            -1 for outliers, 1 for the others.
        """
        return np.where(self._scores(X) < self.offset_, -1, 1)

    @property
    def n_features_in_(self):
        """Number of columns."""
        return self._of_estimator("n_features_in_")

    @property
    def feature_names_in_(self):
        """Names of the columns."""
        return self._of_estimator("feature_names_in_")

    def _of_estimator(self, name):
        if "estimator_" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no {name} before fit.")
        return getattr(self.estimator_, name)

    def __sklearn_is_fitted__(self):
        return "estimator_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        model = self._estimator()
        steps = getattr(model, "steps", [("", model)])
        own = [get_tags(step).input_tags for _, step in steps]
        tags.input_tags.allow_nan = all(each.allow_nan for each in own)
        tags.array_api_support = True
        tags.input_tags.sparse = all(each.sparse for each in own)
        return tags


def _set_everywhere(model, name, value):
    """Set a parameter of a model, and of all models in it that have one of its name."""
    names = [each for each in model.get_params() if each.split("__")[-1] == name]
    return model.set_params(**dict.fromkeys(names, value))
