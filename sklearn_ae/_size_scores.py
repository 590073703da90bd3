"""What a search over code sizes finds: a fold's scores, and the table of them all."""

from time import perf_counter

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone


def score_fold(model, predictor, scorer, sizes, X, y, groups, train, test):
    """Fit one ordered autoencoder; score each of its code sizes."""
    X_train, X_test = X[train], X[test]
    y_train, y_test = (None, None) if y is None else (y[train], y[test])
    start = perf_counter()
    model.fit(X_train, groups=None if groups is None else groups[train])
    fit_time = perf_counter() - start
    scores, times = [], []
    for size in sizes:
        start = perf_counter()
        short = model.truncate(size)
        if predictor is None:
            score = scorer(short, X_test, y_test)
        else:
            fitted = clone(predictor).fit(short.transform(X_train), y_train)
            score = scorer(fitted, short.transform(X_test), y_test)
        scores.append(score)
        times.append(perf_counter() - start)
    return scores, fit_time, times


def results_of(sizes, scores, fit_times, score_times):
    """Return scores of shape (n_sizes, n_folds) and times as GridSearchCV does."""
    n = len(sizes)
    means = scores.mean(axis=1)
    ranks = rankdata(-np.nan_to_num(means, nan=-np.inf), method="min")
    return {
        "mean_fit_time": np.full(n, fit_times.mean()),
        "std_fit_time": np.full(n, fit_times.std()),
        "mean_score_time": score_times.mean(axis=1),
        "std_score_time": score_times.std(axis=1),
        "param_n_components": np.ma.array(sizes),
        "params": [{"n_components": size} for size in sizes],
        **{f"split{i}_test_score": fold for i, fold in enumerate(scores.T)},
        "mean_test_score": means,
        "std_test_score": scores.std(axis=1),
        "rank_test_score": ranks.astype(np.int32),
    }
