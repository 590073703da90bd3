"""What an epoch costs: ours against the loops that users would write instead.

    python -m benchmarks.speed [--quick] [--only CASE] [--rounds N] [--data-dir DIR]
                               [--chart PNG]

The same network (multilayer perceptrons with ReLU, no linear path, squared error), the
same rows in float32, the same batch size, AdamW or Adam; each way timed for one epoch
and for several, interleaved over rounds, and the difference divided by the epochs
between, so that neither set-up nor what follows the training counts. Shown are rows per
second, and the time of an epoch relative to the hand-written loop: the median of the
rounds' ratios.

floor        the matrix products of one epoch alone, forward and backward
ours         AutoencoderTransformer(init="random", early_stopping=False)
tensor loop  written by hand, slices of one tensor, fused AdamW
DataLoader   written by hand as in the tutorials, TensorDataset, Adam
skorch       NeuralNetRegressor as it comes, without its validation split
MLPRegressor scikit-learn's, fitted to X, X
pyod         its AutoEncoder, if installed (batch normalisation and dropout off)
"""

import argparse
import itertools
import time
import warnings

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPRegressor
from skorch import NeuralNetRegressor
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.charts import bars
from sklearn_ae import AutoencoderTransformer
from sklearn_ae._catalogue import IMAGE_SETS
from sklearn_ae.datasets import load_images

RATE = 1e-3


def perceptrons(n_features, hidden, n_components):
    encoder = [n_features, *hidden, n_components]
    layers = []
    for sizes in (encoder, encoder[::-1]):
        for i, (wide, narrow) in enumerate(itertools.pairwise(sizes)):
            layers.append(nn.Linear(wide, narrow))
            if i < len(sizes) - 2:
                layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def floor(X, hidden, n_components, batch_size, epochs):
    widths = [X.shape[1], *hidden, n_components]
    widths = [*widths, *widths[-2::-1]]
    arrays = [torch.randn(batch_size, width) for width in widths]
    weights = [torch.randn(b, a) for a, b in itertools.pairwise(widths)]
    for _ in range(epochs * -(-len(X) // batch_size)):
        for i, weight in enumerate(weights):
            arrays[i] @ weight.T
            arrays[i + 1].T @ arrays[i]
            if i:
                arrays[i + 1] @ weight


def ours(X, hidden, n_components, batch_size, epochs):
    AutoencoderTransformer(
        n_components,
        hidden_layer_sizes=hidden,
        init="random",
        early_stopping=False,
        batch_size=batch_size,
        max_iter=epochs,
        random_state=0,
    ).fit(X)


def tensor_loop(X, hidden, n_components, batch_size, epochs):
    torch.manual_seed(0)
    X = torch.from_numpy(X)
    net = perceptrons(X.shape[1], hidden, n_components)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, fused=True)
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch_size):
            rows = X[order[start : start + batch_size]]
            optimizer.zero_grad()
            nn.functional.mse_loss(net(rows), rows).backward()
            optimizer.step()


def data_loader(X, hidden, n_components, batch_size, epochs):
    torch.manual_seed(0)
    X = torch.from_numpy(X)
    net = perceptrons(X.shape[1], hidden, n_components)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    loader = DataLoader(TensorDataset(X), batch_size=batch_size, shuffle=True)
    for _ in range(epochs):
        total = 0.0
        for (rows,) in loader:
            loss = nn.functional.mse_loss(net(rows), rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
    return net


def skorch(X, hidden, n_components, batch_size, epochs):
    NeuralNetRegressor(
        perceptrons(X.shape[1], hidden, n_components),
        max_epochs=epochs,
        lr=RATE,
        optimizer=torch.optim.Adam,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X, X)


def mlp_regressor(X, hidden, n_components, batch_size, epochs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        MLPRegressor(
            hidden_layer_sizes=(*hidden, n_components, *hidden[::-1]),
            batch_size=batch_size,
            max_iter=epochs,
            n_iter_no_change=epochs + 1,
            random_state=0,
        ).fit(X, X)


def pyod(X, hidden, n_components, batch_size, epochs):
    from pyod.models.auto_encoder import AutoEncoder

    AutoEncoder(
        hidden_neuron_list=[*hidden, n_components],
        epoch_num=epochs,
        batch_size=batch_size,
        lr=RATE,
        batch_norm=False,
        dropout_rate=0,
        preprocessing=False,
        verbose=0,
    ).fit(X)


WAYS = {
    "floor": floor,
    "ours": ours,
    "tensor loop": tensor_loop,
    "DataLoader": data_loader,
    "skorch": skorch,
    "MLPRegressor": mlp_regressor,
    "pyod": pyod,
}


def digits(data_dir):
    return np.ascontiguousarray(load_digits().data, dtype=np.float32) / 16


def mnist(data_dir):
    return load_images("mnist", data_dir)[0][: IMAGE_SETS["mnist"].n_train].astype(
        np.float32
    )


def wide(data_dir):
    return np.random.default_rng(0).normal(size=(5000, 5000)).astype(np.float32)


# Rows, hidden layers, code size, batch size, epochs between.
CASES = {
    "digits": (digits, (32,), 8, 32, 20),
    "mnist": (mnist, (256, 128, 64), 20, 256, 2),
    "wide": (wide, (256,), 32, 128, 3),
}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="digits, one round")
    parser.add_argument("--only", choices=CASES, help="one of the cases")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data-dir", help="folder of mnist/ and fashion-mnist/")
    parser.add_argument("--chart", help="PNG to draw")
    arguments = parser.parse_args(argv)
    rounds = 1 if arguments.quick else arguments.rounds
    ways = dict(WAYS)
    try:
        import pyod as installed  # noqa: F401
    except ImportError:
        del ways["pyod"]
        print("pyod is not installed: left out\n")
    print(f"{torch.get_num_threads()} threads, {rounds} rounds\n")
    only = "digits" if arguments.quick else arguments.only
    drawn = {}
    for case in [only] if only else CASES:
        load, hidden, n_components, batch_size, epochs = CASES[case]
        X = load(arguments.data_dir)
        name = (
            f"{case}: {len(X):,} x {X.shape[1]}, "
            f"{'-'.join(map(str, (X.shape[1], *hidden, n_components)))}, "
            f"batches of {batch_size}"
        )
        seconds = {way: [] for way in ways}
        for round_ in range(rounds + 1):
            for way, run in ways.items():
                times = []
                for n in (1, 1 + epochs):
                    start = time.perf_counter()
                    run(X, hidden, n_components, batch_size, n)
                    times.append(time.perf_counter() - start)
                if round_:  # the first warms up
                    seconds[way].append((times[1] - times[0]) / epochs)
        table = pd.DataFrame(seconds)
        ratios = table.div(table["tensor loop"], axis=0)
        shown = pd.DataFrame(
            {
                "s / epoch": table.median(),
                "rows / s": (len(X) / table.median()).round(),
                "time / tensor loop": ratios.median(),
                "from": ratios.min(),
                "to": ratios.max(),
            }
        )
        drawn[name] = shown["rows / s"]
        print(name)
        print(shown.to_string(float_format="{:,.3f}".format))
        print(flush=True)
    if arguments.chart:
        bars(pd.DataFrame(drawn), arguments.chart, "rows per second, one epoch")


if __name__ == "__main__":
    main()
