"""AutoencoderTransformerCV: the code size, found from one fit a fold."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
    is_classifier,
)
from sklearn.metrics import check_scoring
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from ._arrays import as_numpy
from ._autoencoder import AutoencoderTransformer
from ._base import CHECKS, BaseAutoencoder
from ._engine.aside import find
from ._engine.tables import Sparse, refuse_missing
from ._generative import GenerativeAutoencoder
from ._html import NetworkHTMLMixin
from ._independence import checked_groups, splits_in_order
from ._onnx import OnnxMixin
from ._size_scores import results_of, score_fold
from ._sklearn import HasMethods, StrOptions, fit_context, inspected

RULES = ("best", "one_standard_error")


class AutoencoderTransformerCV(
    OnnxMixin,
    NetworkHTMLMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Autoencoder whose code size is found by cross-validation, with one fit a fold.

    In each fold one autoencoder with an ordered code is fitted, whose prefixes are the
    codes of every size. The autoencoder that it becomes in the end is a plain one of
    the chosen size, fitted to all rows.

    Parameters
    ----------
    n_components : int or array-like of int, default=(2, 4, 8, 16, 32)
        Code sizes to choose from.
    estimator : AutoencoderTransformer, DenoisingAutoencoder, ConvolutionalAutoencoder \
            or None, default=None
        What is fitted, whose own `n_components` does not count. With ``ordered=True``
        the last fit is ordered too. None is ``AutoencoderTransformer()``.
    predictor : classifier or regressor, default=None
        Model that shall work well on the codes. In each fold and for each size it is
        fitted to the codes of the training rows and `y`, and scored on the others.
    cv : int, cross-validation splitter or iterable of splits, default=5
        As in `sklearn.model_selection.GridSearchCV`: a number stands for that many
        folds, not shuffled, stratified if `predictor` is a classifier.
    rule : {"best", "one_standard_error"}, default="best"
        "best" is the size with the highest mean score. "one_standard_error" is the
        smallest size whose mean score is at most one standard error below (Breiman et
        al. 1984).
    scoring : str, callable or None, default=None
        With a `predictor` a scorer for it, by default its ``score``. Without, a
        callable ``(estimator, X, y) -> float`` that is given the fitted autoencoder of
        one size and the rows left out; by default the share of variance explained,
        its ``score``.
    n_jobs : int or None, default=None
        Folds to fit at a time, as in joblib.
    refit : bool, default=True
        Whether an autoencoder of the chosen size is fitted to all rows. Without it
        there is no `best_estimator_`, and nothing can be transformed.
    callbacks : list of skorch.callbacks.Callback or None, default=None
        Added to those of the `estimator`. Each fit has copies of its own: those of the
        folds are gone with the folds, those of the last fit are parameters of
        `best_estimator_`.
    random_state : int, RandomState instance or None, default=None
        Draws one seed for all fits, if the `estimator` has none of its own.

    Attributes
    ----------
    n_components_ : int
        The chosen code size.
    best_estimator_ : estimator
        Fitted autoencoder of that size.
    best_score_ : float
        Mean score of that size over the folds, with an ordered code.
    best_index_ : int
        Its place in `cv_results_`.
    cv_results_ : dict of str to ndarray
        In the layout of `GridSearchCV`, for ``pandas.DataFrame(cv_results_)``: one
        place for each size. The fit of a fold is the same for all sizes, and so is its
        time.
    n_splits_ : int
        Number of folds.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X had names that are all strings.

    See Also
    --------
    AutoencoderTransformer : Its ``ordered`` code, and ``n_components=0.95``.
    sklearn.model_selection.GridSearchCV : One fit for each size and fold.

    Notes
    -----
    A prefix of an ordered code keeps somewhat less than a code made for that size
    alone, which is why the last fit is a plain one: its score may be above
    `best_score_`. The share of variance explained grows with the code size, so that
    the "best" size for it is commonly the largest; ``rule="one_standard_error"`` or a
    `predictor` make a choice that means more.

    References
    ----------
    L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone (1984). Classification and
    regression trees. Wadsworth.

    O. Rippel, M. A. Gelbart and R. P. Adams (2014). Learning ordered representations
    with nested dropout. ICML, 1746-1754.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ae import AutoencoderTransformer, AutoencoderTransformerCV
    >>> X, y = load_digits(return_X_y=True)
    >>> search = AutoencoderTransformerCV(
    ...     n_components=(2, 4, 8),
    ...     estimator=AutoencoderTransformer(max_iter=5, random_state=0),
    ...     predictor=make_pipeline(StandardScaler(), LogisticRegression()),
    ...     cv=3,
    ... ).fit(X, y)
    >>> search.n_components_
    8
    >>> search.transform(X).shape
    (1797, 8)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "n_components": "no_validation",  # `_sizes` has more to say
        "estimator": [BaseAutoencoder, None],
        "predictor": [HasMethods(["fit", "predict"]), None],
        "cv": ["cv_object"],
        "rule": [StrOptions(set(RULES))],
        "scoring": [str, callable, None],
        "n_jobs": [Integral, None],
        "refit": ["boolean"],
        "callbacks": [list, tuple, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=(2, 4, 8, 16, 32),
        *,
        estimator=None,
        predictor=None,
        cv=5,
        rule="best",
        scoring=None,
        n_jobs=None,
        refit=True,
        callbacks=None,
        random_state=None,
    ):
        self.n_components = n_components
        self.estimator = estimator
        self.predictor = predictor
        self.cv = cv
        self.rule = rule
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.callbacks = callbacks
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, groups=None):
        """Choose the code size and fit an autoencoder of that size.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to learn: finite.
        y : array-like of shape (n_samples,), default=None
            Target of `predictor`, or of a scorer of yours.
        groups : array-like of shape (n_samples,), default=None
            Which rows belong together: no fold has rows of one group on both sides. It
            goes to `cv`, if that is a splitter, and to the fits. Without it equal rows
            are a group, and so are rows that look like near-copies, with a warning;
            and rows in order, as of a time series, are left out in stretches, with
            gaps.

        Returns
        -------
        self : object
            The fitted estimator. A fit that fails leaves it as it was.

        Raises
        ------
        ValueError
            If X or a parameter can't be used; the message names it.
        TypeError
            If the `estimator` has no ordered code.
        """
        sizes, estimator = self._sizes(), self._estimator()
        scorer = self._scorer(estimator, y)
        groups, y = as_numpy(groups), as_numpy(y)
        rows = as_numpy(X)
        rows, columns = inspected(self, rows, ensure_min_samples=2, **CHECKS)
        refuse_missing(rows, "a search")
        target = None if y is None else np.asarray(y)
        check_consistent_length(rows, target)
        table = Sparse(rows) if issparse(rows) else rows
        found = self._dependence(table, groups, estimator)
        splits = self._splits(table, target, found)
        groups = None  # rows in order: the fits see it themselves
        if found is not None and found.kind != "rows in order":
            groups = found.labels
        ordered = clone(estimator).set_params(n_components=max(sizes), ordered=True)
        folds = Parallel(n_jobs=self.n_jobs)(
            delayed(score_fold)(
                *(clone(ordered), self.predictor, scorer, sizes),
                *(rows, target, groups, *split),
            )
            for split in splits
        )
        scores, fit_times, score_times = (
            np.array(part) for part in zip(*folds, strict=True)
        )
        results = results_of(sizes, scores.T, fit_times, score_times.T)
        best = self._choose(sizes, scores)
        fitted = {
            **columns,
            "n_splits_": len(splits),
            "cv_results_": results,
            "best_index_": best,
            "best_score_": float(results["mean_test_score"][best]),
            "n_components_": sizes[best],
        }
        if self.refit:
            plain = clone(estimator).set_params(n_components=sizes[best])
            fitted["best_estimator_"] = plain.fit(X, y, groups=groups)
        # All at once: a fit that fails has left the estimator as it was.
        for name in ("feature_names_in_", "best_estimator_"):
            vars(self).pop(name, None)
        vars(self).update(fitted)
        return self

    def _dependence(self, table, groups, estimator):
        """Return which rows belong together, or None if each stands for itself."""
        if groups is not None:
            groups = checked_groups(groups, table)
        elif not isinstance(self.cv, Integral):
            return None  # the caller's own folds
        in_order = groups is None and estimator.validation_rows == "last"
        return find(table, groups, seed=0, in_order=in_order)

    def _splits(self, table, target, found):
        """Return training and left out rows of each fold."""
        classes = self.predictor is not None and is_classifier(self.predictor)
        cv, groups = self.cv, None if found is None else found.labels
        if groups is not None and isinstance(cv, Integral):
            if found.kind == "rows in order":
                return splits_in_order(cv, table, found.reach)
            if (n_groups := len(np.unique(groups))) < cv:
                raise ValueError(
                    f"X has {n_groups} groups of rows that belong together or are "
                    f"equal, too few for cv={cv} folds: lower cv."
                )
            cv = (StratifiedGroupKFold if classes else GroupKFold)(cv)
        cv = check_cv(cv, target, classifier=classes)
        rows = table.matrix if isinstance(table, Sparse) else table
        return list(cv.split(rows, target, groups))

    def _estimator(self):
        """Return what is fitted, as a prototype."""
        estimator = (
            AutoencoderTransformer() if self.estimator is None else self.estimator
        )
        if estimator.random_state is None and self.random_state is not None:
            seed = check_random_state(self.random_state).randint(2**31)
            estimator = clone(estimator).set_params(random_state=int(seed))
        if self.callbacks:
            both = [*(estimator.callbacks or ()), *self.callbacks]
            estimator = clone(estimator).set_params(callbacks=both)
        if isinstance(estimator, GenerativeAutoencoder):
            raise TypeError(
                f"estimator must have an ordered code. Got "
                f"{type(estimator).__name__}, whose codes follow a prior: search its "
                f"n_components by GridSearchCV."
            )
        return estimator

    def _scorer(self, estimator, y):
        """Return what scores a fold: a predictor on the codes, or the autoencoder."""
        if self.predictor is not None:
            if y is None:
                raise ValueError(
                    f"predictor={self.predictor} needs a target: give y to fit."
                )
            return check_scoring(self.predictor, scoring=self.scoring)
        if isinstance(self.scoring, str):  # scikit-learn's names all want one
            raise ValueError(
                f"scoring={self.scoring!r} scores a predictor: give predictor, or "
                f"a callable (estimator, X, y) -> float as scoring."
            )
        return check_scoring(estimator, scoring=self.scoring)

    def _sizes(self):
        if isinstance(self.n_components, BaseEstimator):
            raise TypeError(
                f"n_components must be whole numbers. Got "
                f"{type(self.n_components).__name__}, which belongs into estimator=."
            )
        sizes = np.atleast_1d(np.asarray(self.n_components, dtype=object)).tolist()
        if not sizes or not all(isinstance(k, Integral) and k >= 1 for k in sizes):
            raise ValueError(
                f"n_components must hold one or more whole numbers of at least 1. Got "
                f"{self.n_components!r}."
            )
        return list(dict.fromkeys(sizes))

    def _choose(self, sizes, scores):
        """Return the place of the size that the rule says."""
        means = scores.mean(axis=0)
        if not np.isfinite(means).any():
            raise ValueError(
                f"scoring={self.scoring!r} gave no finite mean score: {means}."
            )
        means = np.where(np.isfinite(means), means, -np.inf)
        limit = means.max()
        if self.rule == "one_standard_error" and len(scores) > 1:
            best = scores[:, means.argmax()]
            limit -= best.std(ddof=1) / np.sqrt(len(scores))
        return min(np.flatnonzero(means >= limit), key=lambda i: sizes[i])

    def _best(self):
        check_is_fitted(self)
        if not hasattr(self, "best_estimator_"):
            raise AttributeError(
                f"This {type(self).__name__} was fitted with refit=False: it chose "
                f"n_components_={self.n_components_} and fitted nothing with it."
            )
        return self.best_estimator_

    def transform(self, X):
        """Encode rows by the best estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Codes.
        """
        return self._best().transform(X)

    def inverse_transform(self, X):
        """Decode codes by the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Rows in the units of the training data.
        """
        return self._best().inverse_transform(X)

    def score(self, X, y=None):
        """Return the share of variance that the best estimator explains.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to reconstruct.
        y : Ignored
            Present for scikit-learn's sake.

        Returns
        -------
        float
            At most 1.0.
        """
        return self._best().score(X)

    def score_samples(self, X):
        """Return minus the squared error of each row: higher is more normal.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to reconstruct.

        Returns
        -------
        ndarray of shape (n_samples,)
            In the data's squared units.
        """
        return self._best().score_samples(X)

    @property
    def _n_features_out(self):
        return self.n_components_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
