"""What reconstructions within the data's range are worth: `out_activation="clip"`.

    python -m benchmarks.bounded [--quick] [--data-dir DIR]

Error of held-out rows: their squared error, summed over the cells of a row.
"""

import argparse
import time

import numpy as np
from sklearn.model_selection import train_test_split

from benchmarks.datasets import DATASETS
from sklearn_ae import AutoencoderTransformer

CASES = [
    *(("digits", 2), ("digits", 8), ("digits", 16)),
    *(("mnist", 30), ("fashion-mnist", 8), ("mnist", 8)),
]
SETTINGS = [
    {"out_activation": "identity", "precision": "float32"},
    {"out_activation": "clip", "precision": "float32"},
    {"out_activation": "clip", "precision": "bfloat16"},
]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="digits alone")
    parser.add_argument("--data-dir", help="folder that holds mnist/, fashion-mnist/")
    arguments = parser.parse_args(argv)
    print(f"{'':14s} size  {'':56s} error  seconds  epochs")
    for name, size in CASES[: 3 if arguments.quick else None]:
        data = DATASETS[name](arguments.data_dir)
        if data.n_train is None:
            train, test = train_test_split(data.X, test_size=0.2, random_state=0)
        else:
            train, test = data.X[: data.n_train], data.X[data.n_train :]
        for params in SETTINGS:
            model = AutoencoderTransformer(size, random_state=0, **params)
            start = time.perf_counter()
            model.fit(train)
            seconds = time.perf_counter() - start
            residuals = test - model.reconstruct(test)
            error = np.square(residuals, dtype=np.float64).sum(axis=1).mean()
            print(
                f"{name:14s} {size:4d}  {params or 'defaults'!s:52s} "
                f"{error:9.3f} {seconds:8.1f} {model.n_iter_:7d}",
                flush=True,
            )


if __name__ == "__main__":
    main()
