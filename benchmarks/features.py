"""Feature extraction: a small classifier on codes, on PCA's codes and on raw pixels.

    python -m benchmarks.features [--quick] [--data-dir DIR]

Reducers are fitted on the training images without their labels. The classifiers,
logistic regression and 5 nearest neighbours, are fitted on what the reducers make of
these images, standardized for the former; accuracy is that on test images.
"""

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks.datasets import DATASETS
from sklearn_ae import AutoencoderTransformer, ConvolutionalAutoencoder

# Data set: images to train on, to test on, code sizes.
SETTINGS = {
    "digits": (1297, 500, (4, 16)),
    "mnist": (10_000, 10_000, (8, 32)),
}
CLASSIFIERS = {
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
    ),
    "nearest neighbours": KNeighborsClassifier(5),
}


def reducers(size, image_shape):
    pixels = {"out_activation": "logistic", "random_state": 0}
    return {
        "PCA": PCA(size, random_state=0),
        "AutoencoderTransformer": AutoencoderTransformer(size, **pixels),
        "ConvolutionalAutoencoder": ConvolutionalAutoencoder(
            size, image_shape=image_shape, **pixels
        ),
    }


def split(name, data_dir):
    """Return training images, test images in [0, 1], and the labels of both."""
    data = DATASETS[name](data_dir)
    n_train, n_test, _ = SETTINGS[name]
    rng = np.random.default_rng(0)
    if data.n_train is None:
        rows = rng.permutation(len(data.X))
        train, test = rows[:n_train], rows[n_train:][:n_test]
    else:
        train = rng.permutation(data.n_train)[:n_train]
        test = np.arange(data.n_train, data.n_train + n_test)
    X = data.X / data.X.max()
    return X[train], X[test], data.y[train], data.y[test], data.image_shape


def run(name, data_dir, sizes=None):
    train, test, y_train, y_test, image_shape = split(name, data_dir)
    entries = [("raw pixels", train.shape[1], FunctionTransformer())]
    for size in sizes or SETTINGS[name][2]:
        for reducer, model in reducers(size, image_shape).items():
            entries.append((reducer, size, model))
    for reducer, size, model in entries:
        start = time.perf_counter()
        model.fit(train)
        line = {"data": name, "features": reducer, "number": size}
        line["fit s"] = time.perf_counter() - start
        codes = model.transform(train), model.transform(test)
        for kind, classifier in CLASSIFIERS.items():
            start = time.perf_counter()
            classifier.fit(codes[0], y_train)
            fitted = time.perf_counter() - start
            line[f"{kind}: accuracy"] = classifier.score(codes[1], y_test)
            line[f"{kind}: s"] = (
                fitted
                if kind == "logistic regression"
                else time.perf_counter() - start  # a lazy learner's time is at test
            )
        yield line


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="digits at one size")
    parser.add_argument("--data-dir", help="folder that holds mnist/")
    arguments = parser.parse_args(argv)
    names, sizes = (["digits"], (4,)) if arguments.quick else (SETTINGS, None)
    for name in names:
        table = pd.DataFrame(run(name, arguments.data_dir, sizes))
        print(table.to_string(index=False, float_format="{:.3f}".format), flush=True)


if __name__ == "__main__":
    main()
