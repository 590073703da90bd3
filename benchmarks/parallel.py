"""What a second process brings to a search.

    python -m benchmarks.parallel [--quick] [--rounds N]

GridSearchCV over four code sizes and three folds of digits (twelve fits, and the last),
with `n_jobs=1` and `n_jobs=2` under joblib's backends, interleaved over rounds; workers
are started before. The ratio is the median of the rounds'. Threads of one process take
turns at fitting, since PyTorch's random generator is the process's: no gain is expected
of them.
"""

import argparse
import time

import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sklearn_ae import AutoencoderTransformer

WAYS = {
    "n_jobs=1": ("loky", 1),
    "loky, n_jobs=2": ("loky", 2),
    "multiprocessing, n_jobs=2": ("multiprocessing", 2),
    "threading, n_jobs=2": ("threading", 2),
}


def search(X, backend, n_jobs, max_iter):
    estimator = AutoencoderTransformer(max_iter=max_iter, random_state=0)
    with joblib.parallel_config(backend):
        grid = {"n_components": [2, 4, 8, 16]}
        return GridSearchCV(estimator, grid, cv=3, n_jobs=n_jobs).fit(X)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round, two epochs")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    X = load_digits().data
    max_iter = 2 if arguments.quick else 40
    seconds = {way: [] for way in WAYS}
    scores = {}
    for backend, n_jobs in WAYS.values():
        search(X[:200], backend, n_jobs, 1)
    for _ in range(1 if arguments.quick else arguments.rounds):
        for way, (backend, n_jobs) in WAYS.items():
            start = time.perf_counter()
            found = search(X, backend, n_jobs, max_iter)
            seconds[way].append(time.perf_counter() - start)
            scores[way] = found.cv_results_["mean_test_score"]
    table = pd.DataFrame(seconds)
    faster = (1 / table.div(table["n_jobs=1"], axis=0)).median()
    same = {way: np.allclose(s, scores["n_jobs=1"]) for way, s in scores.items()}
    shown = {"seconds": table.median(), "times as fast": faster, "same scores": same}
    print(pd.DataFrame(shown).to_string(float_format="{:,.2f}".format))


if __name__ == "__main__":
    main()
