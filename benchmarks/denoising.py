"""Noise removal: noisy data as they are, PCA, KernelPCA, and both autoencoders.

    python -m benchmarks.denoising [--quick] [--data-dir DIR]

Held-out rows are corrupted (by code of this file, not the package's), and each method
reconstructs them. All methods are trained on clean rows. PCA, KernelPCA and
AutoencoderTransformer get the code size (KernelPCA the kernel width and ridge too) that
is best *on the held-out rows*; DenoisingAutoencoder gets one code size for all lines.
"""

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA, KernelPCA

from benchmarks.datasets import DATASETS
from sklearn_ae import AutoencoderTransformer, DenoisingAutoencoder

# Per data set: rows to train on, held-out rows, code sizes to try, the denoiser's.
SETTINGS = {
    "digits": (1347, 450, (4, 8, 12, 16, 24, 32, 48), 64),
    "fashion-mnist": (10_000, 2_000, (8, 16, 32, 64, 128, 256), 256),
}
QUICK = {"digits": (400, 200, (8, 16), 32)}
# Standard deviations are shares of the data's range, the others shares of the cells.
LEVELS = {
    "gaussian": (0.2, 0.5),
    "masking": (0.2, 0.5),
    "salt_and_pepper": (0.1, 0.3),
    "swap": (0.2, 0.5),
}


def corrupt(X, noise, level, low, high, rng):
    hit = rng.random(X.shape) < level
    if noise == "gaussian":
        return X + rng.normal(scale=level, size=X.shape)
    if noise == "masking":
        return np.where(hit, 0, X)
    if noise == "salt_and_pepper":
        return np.where(hit, np.where(rng.random(X.shape) < 0.5, low, high), X)
    others = (np.arange(len(X))[:, None] + rng.integers(1, len(X), X.shape)) % len(X)
    return np.where(hit, np.take_along_axis(X, others, axis=0), X)


def round_trip(model, X):
    return model.inverse_transform(model.transform(X))


def kernel_pcas(X, sizes, rng):
    """Fit KernelPCA on 1,000 rows: it takes time and memory in their square."""
    X = X[rng.permutation(len(X))[:1000]]
    distance = np.median(((X[:200, None] - X[None, :200]) ** 2).sum(-1))
    for size in sizes:
        for width in (0.1, 0.3, 1.0):
            for alpha in (1e-3, 1e-1):
                yield KernelPCA(
                    size,
                    kernel="rbf",
                    gamma=width / distance,
                    alpha=alpha,
                    fit_inverse_transform=True,
                    random_state=0,
                ).fit(X)


def run(name, settings, data_dir):
    n_train, n_test, sizes, denoiser_size = settings
    data = DATASETS[name](data_dir)
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(data.X))[: n_train + n_test]
    train, test = data.X[rows[:n_train]], data.X[rows[n_train:]]
    low, high = train.min(), train.max()
    models = {
        "PCA": [PCA(size, random_state=0).fit(train) for size in sizes],
        "KernelPCA": list(kernel_pcas(train, sizes, rng)),
        "AutoencoderTransformer": [
            AutoencoderTransformer(size, random_state=0).fit(train) for size in sizes
        ],
    }
    for noise, levels in LEVELS.items():
        for level in levels:
            used = level * (high - low) if noise == "gaussian" else level
            noisy = corrupt(test, noise, used, low, high, rng).astype(train.dtype)
            start = time.perf_counter()
            denoiser = DenoisingAutoencoder(
                denoiser_size, noise=noise, noise_level=float(used), random_state=0
            ).fit(train)
            seconds = time.perf_counter() - start
            cleaned = {"noisy": [noisy]}
            for kind, fitted in models.items():
                cleaned[kind] = [round_trip(model, noisy) for model in fitted]
            cleaned["DenoisingAutoencoder"] = [denoiser.reconstruct(noisy)]
            line = {"data": name, "noise": noise, "level": level}
            for kind, results in cleaned.items():
                mse = min(np.mean((test - result) ** 2) for result in results)
                line[f"{kind} MSE"] = mse
                line[f"{kind} PSNR"] = 10 * np.log10((high - low) ** 2 / mse)
            best = min(line[f"{kind} MSE"] for kind in models)
            line["ratio to the best other"] = line["DenoisingAutoencoder MSE"] / best
            line["seconds"] = seconds
            yield line


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="digits only, small")
    parser.add_argument("--data-dir", help="folder that holds fashion-mnist/")
    arguments = parser.parse_args(argv)
    lines = []
    for name, settings in (QUICK if arguments.quick else SETTINGS).items():
        for line in run(name, settings, arguments.data_dir):
            lines.append(line)
            print(".", end="", flush=True)
    table = pd.DataFrame(lines)
    print()
    for measure in ("MSE", "PSNR"):
        shown = table[[c for c in table if measure in c]]
        shown.columns = [c.removesuffix(f" {measure}") for c in shown]
        print(f"\n{measure}" + (" (dB)" if measure == "PSNR" else ""))
        shown = pd.concat([table[["data", "noise", "level"]], shown], axis=1)
        print(shown.to_string(index=False, float_format="{:.4g}".format))
    print("\nDenoisingAutoencoder: MSE / that of the best other, seconds to fit")
    columns = ["data", "noise", "level", "ratio to the best other", "seconds"]
    print(table[columns].to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
