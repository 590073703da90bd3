"""MNIST at code size 30: error and seconds with default parameters.

    python -m benchmarks.mnist30 [--quick] [--data-dir DIR]

Trained on the 60,000 images, pixels in [0, 1]; the error is the mean over the 10,000
test images of the sum of squared pixel errors. Hinton and Salakhutdinov (2006) report
13.87 for PCA and 3.00 for a deep autoencoder with pretraining.
"""

import argparse
import time

import numpy as np
from sklearn.decomposition import PCA

from benchmarks.datasets import DATASETS
from sklearn_ae import AutoencoderTransformer


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="2,000 images")
    parser.add_argument("--data-dir", help="folder that holds mnist/")
    arguments = parser.parse_args(argv)
    data = DATASETS["mnist"](arguments.data_dir)
    train, test = data.X[: data.n_train], data.X[data.n_train :]
    if arguments.quick:
        train = train[:2000]
    tutorial = {"init": "random", "learning_rate_init": 1e-3, "optimizer": "adam"}
    models = {
        "PCA": PCA(30, random_state=0),
        "ours, defaults": AutoencoderTransformer(30, random_state=0),
        "ours, defaults, float64 data": AutoencoderTransformer(30, random_state=0),
        "plain: init='random', 784-512-256-30, adam": AutoencoderTransformer(
            30, random_state=0, alpha=0.0, **tutorial
        ),
    }
    print(f"{'':44s} test error  seconds  epochs")
    for name, model in models.items():
        X = train.astype(np.float64) if "float64" in name else train
        start = time.perf_counter()
        model.fit(X)
        seconds = time.perf_counter() - start
        back = model.inverse_transform(model.transform(test))
        error = np.square(test - back).sum(axis=1).mean()
        epochs = getattr(model, "n_iter_", "–")
        print(f"{name:44s} {error:10.2f} {seconds:8.1f} {epochs:>7}", flush=True)


if __name__ == "__main__":
    main()
