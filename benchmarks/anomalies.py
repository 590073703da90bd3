"""Which rows are unlike those of the fit? Errors of reconstruction, and a forest.

    python -m benchmarks.anomalies

Reducers see normal rows only, three quarters of them. The area under the ROC curve
says how well their squared errors tell the other normal rows from the abnormal ones: 1
is perfect, 0.5 is chance. Of digits each class in turn is the abnormal one; of
breast_cancer, standardized, the malignant rows are, for ten splits.
"""

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sklearn_ae import AutoencoderTransformer


def digits(case):
    X, y = load_digits(return_X_y=True)
    return X, y == case


def breast_cancer(case):
    X, y = load_breast_cancer(return_X_y=True)
    return X, y == 0


def squared_errors(reducer, X):
    back = reducer.inverse_transform(reducer.transform(X))
    return np.square(X - back).sum(axis=1)


def line(X, abnormal, case, standardized):
    """Return the areas of one case."""
    train, test = train_test_split(X[~abnormal], random_state=case)
    scaler = StandardScaler(with_mean=standardized, with_std=standardized).fit(train)
    train = scaler.transform(train)
    rows = scaler.transform(np.vstack([test, X[abnormal]]))
    truth = np.repeat([0, 1], [len(test), abnormal.sum()])
    areas = {
        "IsolationForest": -IsolationForest(random_state=case)
        .fit(train)
        .score_samples(rows)
    }
    for k in (2, 8, 16):
        areas[f"PCA {k}"] = squared_errors(PCA(k).fit(train), rows)
        model = AutoencoderTransformer(k, max_iter=20, random_state=case).fit(train)
        areas[f"autoencoder {k}"] = -model.score_samples(rows)
    return {name: roc_auc_score(truth, errors) for name, errors in areas.items()}


def main():
    for data, standardized in ((digits, False), (breast_cancer, True)):
        lines = [line(*data(case), case, standardized) for case in range(10)]
        table = pd.DataFrame(lines).agg(["mean", "min", "max"]).T
        print(f"{data.__name__}\n{table.round(3).to_string()}\n", flush=True)


if __name__ == "__main__":
    main()
