"""Seconds until a model is as good as another.

    python -m benchmarks.time_to_quality [--quick] [--rounds N] [--data-dir DIR]
                                         [--chart PNG]

MNIST in float32, code size 30, held-out error (mean over the 10,000 test images of the
sum of squared pixel errors). First what each rival reaches and when: the tutorials'
loop (784-256-128-64-30 and back, ReLU, DataLoader, Adam, batches of 256) after ten
epochs, `MLPRegressor(X, X)` with these layers, and pyod's AutoEncoder with its own
defaults (if installed). Then the seconds of the shortest of our fits that is as good:
each of ours is a whole fit with default parameters but for `max_iter`; statistics, PCA
and judging are included.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPRegressor

from benchmarks.charts import bars
from benchmarks.datasets import DATASETS
from benchmarks.speed import data_loader
from sklearn_ae import AutoencoderTransformer

HIDDEN, SIZE, EPOCHS = (256, 128, 64), 30, 10


def pca(X):
    model = PCA(SIZE, random_state=0).fit(X)
    return lambda X: model.inverse_transform(model.transform(X))


def tutorial(X):
    net = data_loader(X, HIDDEN, SIZE, 256, EPOCHS)
    return lambda X: net(torch.from_numpy(X)).detach().numpy()


def mlp_regressor(X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPRegressor(
            hidden_layer_sizes=(*HIDDEN, SIZE, *HIDDEN[::-1]),
            max_iter=EPOCHS,
            random_state=0,
        ).fit(X, X)
    return model.predict


def pyod(X):
    from pyod.models.auto_encoder import AutoEncoder

    model = AutoEncoder(hidden_neuron_list=[*HIDDEN, SIZE], verbose=0).fit(X)

    def reconstruct(X):
        X = (X - model.X_mean) / (model.X_std + 1e-8)
        back = model.model(torch.from_numpy(X.astype(np.float32))).detach().numpy()
        return back * (model.X_std + 1e-8) + model.X_mean

    return reconstruct


RIVALS = {
    "PCA": pca,
    f"tutorial loop, {EPOCHS} epochs": tutorial,
    f"MLPRegressor, {EPOCHS} epochs": mlp_regressor,
    "pyod, defaults": pyod,
}


def ours(max_iter):
    def fit(X):
        model = AutoencoderTransformer(SIZE, max_iter=max_iter, random_state=0).fit(X)
        return model.reconstruct

    return fit


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="5,000 images, one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data-dir", help="folder that holds mnist/")
    parser.add_argument("--chart", help="PNG to draw")
    arguments = parser.parse_args(argv)
    data = DATASETS["mnist"](arguments.data_dir)
    train = data.X[: 5000 if arguments.quick else data.n_train]
    test = data.X[data.n_train :]
    train, test = train.astype(np.float32), test.astype(np.float32)
    ways = {
        **RIVALS,
        **{f"ours, max_iter={n}": ours(n) for n in (0, 1, 2, 3, 5)},
        "ours, defaults": ours("auto"),
    }
    try:
        import pyod.models.auto_encoder  # noqa: F401
    except ImportError:
        del ways["pyod, defaults"]
        print("pyod is not installed: left out")
    rows = []
    for round_ in range(1 if arguments.quick else arguments.rounds):
        for way, fit in ways.items():
            start = time.perf_counter()
            reconstruct = fit(train)
            seconds = time.perf_counter() - start
            error = np.square(test - reconstruct(test)).sum(axis=1).mean()
            rows.append((way, round_, seconds, error))
    results = pd.DataFrame(rows, columns=["way", "round", "seconds", "error"])
    table = results.groupby("way", sort=False)[["seconds", "error"]].median()
    print(f"{torch.get_num_threads()} threads, {round_ + 1} rounds, medians\n")
    print(table.to_string(float_format="{:,.2f}".format))
    is_ours = table.index.str.startswith("ours")
    seconds = results.pivot_table("seconds", "round", "way")
    print("\nTo the error of")
    for rival in table.index[~is_ours]:
        enough = table.index[is_ours & (table["error"] <= table["error"][rival])]
        if len(enough):
            ratio = (seconds[rival] / seconds[enough[0]]).median()
            print(f"  {rival:28s} {ratio:6.2f} times as fast with {enough[0]}")
        else:
            print(f"  {rival:28s} not reached")
    if arguments.chart:
        bars(table, arguments.chart, "", ["seconds of the fit", "held-out error"])


if __name__ == "__main__":
    main()
