"""What transform costs: ours against PCA, a bare forward pass and the arithmetic.

    python -m benchmarks.transform [--quick] [--rounds N] [--chart PNG]

Float32 rows of 784 columns; encoder 784-256-128-64-20, ReLU, and its mirror. Ours
checks its input, centres and scales it, works in chunks and gives numpy arrays; the
bare pass is the same layers called once with all rows, in inference mode. Interleaved;
medians of rows per second, and of the rounds' ratios to the bare pass.
"""

import argparse
import itertools
import time

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA

from benchmarks.charts import bars
from benchmarks.speed import perceptrons
from sklearn_ae import AutoencoderTransformer

HIDDEN, N_COMPONENTS, N_FEATURES = (256, 128, 64), 20, 784


def ways(X):
    """Return what is timed: part and way -> a function of rows."""
    ours = AutoencoderTransformer(
        N_COMPONENTS,
        hidden_layer_sizes=HIDDEN,
        init="random",
        early_stopping=False,
        max_iter=1,
        random_state=0,
    ).fit(X[:2000])
    pca = PCA(N_COMPONENTS, random_state=0).fit(X[:2000])
    layers = perceptrons(N_FEATURES, HIDDEN, N_COMPONENTS).eval()
    half = len(layers) // 2
    encoder, decoder = layers[:half], layers[half:]

    def bare(network):
        def run(X):
            with torch.inference_mode():
                return network(torch.from_numpy(X)).numpy()

        return run

    def products(network):
        layers = [p.detach() for p in network.parameters() if p.ndim == 2]
        weights = [weight.T.contiguous() for weight in layers]

        def run(X):
            tensor = torch.from_numpy(X)
            for weight in weights:
                tensor = tensor @ weight
            return tensor

        return run

    return {
        ("transform", "products alone"): products(encoder),
        ("transform", "bare torch"): bare(encoder),
        ("transform", "ours"): ours.transform,
        ("transform", "PCA"): pca.transform,
        ("inverse_transform", "products alone"): products(decoder),
        ("inverse_transform", "bare torch"): bare(decoder),
        ("inverse_transform", "ours"): ours.inverse_transform,
        ("inverse_transform", "PCA"): pca.inverse_transform,
    }


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="at most 10,000 rows")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--chart", help="PNG to draw")
    arguments = parser.parse_args(argv)
    sizes = [1, 100, 10_000 if arguments.quick else 100_000]
    rng = np.random.default_rng(0)
    X = rng.random((sizes[-1], N_FEATURES), dtype=np.float32)
    timed = ways(X)
    given = {"transform": X, "inverse_transform": timed["transform", "PCA"](X)}
    tables = []
    for n_rows in sizes:
        repeats = max(1, 2000 // n_rows)
        seconds = {key: [] for key in timed}
        for round_, (key, run) in itertools.product(
            range(arguments.rounds + 1), timed.items()
        ):
            rows = given[key[0]][:n_rows]
            start = time.perf_counter()
            for _ in range(repeats):
                run(rows)
            if round_:  # the first warms up
                seconds[key].append((time.perf_counter() - start) / repeats)
        table = pd.DataFrame(seconds)
        shown = []
        for part in ("transform", "inverse_transform"):
            times = table[part]
            shown.append(
                pd.DataFrame(
                    {
                        "rows": n_rows,
                        "ms": 1000 * times.median(),
                        "rows / s": n_rows / times.median(),
                        "speed / bare torch": (
                            1 / times.div(times["bare torch"], axis=0)
                        ).median(),
                    }
                )
            )
        tables.append(pd.concat(shown, keys=["transform", "inverse_transform"]))
    result = pd.concat(tables)
    print(f"{torch.get_num_threads()} threads, {arguments.rounds} rounds\n")
    print(result.to_string(float_format="{:,.3f}".format))
    if arguments.chart:
        drawn = result.loc["transform"].pivot_table(
            "rows / s", result.loc["transform"].index, "rows", sort=False
        )
        titles = [f"transform, {n:,} rows at a time" for n in sizes]
        bars(drawn, arguments.chart, "rows per second", titles)


if __name__ == "__main__":
    main()
