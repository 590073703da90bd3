"""PCA beside a fitted model: its error and its shares on the same rows."""

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv

from .._reducers import dense, reconstruct
from ..metrics import explained_variance_share, reconstruction_mse


def pca_error(X, size):
    """Return the mean squared error per cell of PCA on the rows it is fitted to."""
    pca = PCA(min(size, *X.shape), random_state=0).fit(X)
    return reconstruction_mse(X, reconstruct(pca, X))


def rows_of_fit(model, X):
    """Return the rows to fit PCA to as an array."""
    X = dense(X, "X")
    if X.shape[1] != model.n_features_in_:
        raise ValueError(
            f"X must be the training rows, of {model.n_features_in_} columns. Got "
            f"{X.shape[1]}."
        )
    return X


def shares_of_pca(X, X_test, sizes):
    """Return the share of variance of X_test that PCA of X explains, by code size."""
    pca = PCA(min(max(sizes), *X.shape), random_state=0).fit(X)
    codes = pca.transform(X_test)
    return [
        explained_variance_share(
            X_test, codes[:, :k] @ pca.components_[:k] + pca.mean_, mean=pca.mean_
        )
        for k in sizes
        if k <= pca.n_components_
    ]


def fold_scores(search, X, y):
    """Return the search's scores and PCA's on the same folds, by fold and size."""
    scores = search.cv_results_
    sizes = np.asarray(scores["param_n_components"]).tolist()
    predictor = search.predictor
    classes = predictor is not None and is_classifier(predictor)
    splits = list(check_cv(search.cv, y, classifier=classes).split(X, y))
    if len(splits) != search.n_splits_:
        raise ValueError(
            f"X must be the rows of the search, of {search.n_splits_} folds. Got "
            f"{len(splits)} folds."
        )
    rows_of_pca, rows_of_ours = [], []
    for number, (train, test) in enumerate(splits):
        y_train, y_test = (None, None) if y is None else (y[train], y[test])
        kept = [k for k in sizes if k <= min(len(train), X.shape[1])]
        of_pca = _scores_of_pca(search, kept, X[train], y_train, X[test], y_test)
        counts = len(train), len(test)
        rows_of_pca += [
            ("PCA", k, *counts, value) for k, value in zip(kept, of_pca, strict=True)
        ]
        of_ours = scores[f"split{number}_test_score"]
        rows_of_ours += [
            (type(search).__name__, k, *counts, value)
            for k, value in zip(sizes, of_ours, strict=True)
        ]
    columns = ["reducer", "n_components", "n_train", "n_test", "score"]
    return pd.DataFrame(rows_of_pca + rows_of_ours, columns=columns)


def _scores_of_pca(search, sizes, X, y, X_test, y_test):
    """Return what the search would have scored had it fitted PCA, by code size."""
    predictor, scoring = search.predictor, search.scoring
    if predictor is None and scoring is None:
        return shares_of_pca(X, X_test, sizes)
    scores = []
    for k in sizes:
        pca = PCA(k, random_state=0).fit(X)
        if predictor is None:
            scores.append(scoring(pca, X_test, y_test))
        else:
            model = clone(predictor).fit(pca.transform(X), y)
            scorer = check_scoring(model, scoring=scoring)
            scores.append(scorer(model, pca.transform(X_test), y_test))
    return scores
