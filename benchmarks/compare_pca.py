"""How much better than PCA? Held-out unexplained variance of the default estimator.

    python -m benchmarks.compare_pca [--quick] [--data-dir DIR]

Tables: five folds (stratified where there are classes), through
`sklearn_ae.compare.compare_reducers`. Images: trained on the 60,000, measured on the
10,000. NMF runs where no value is negative and KernelPCA (rbf, gamma one over the
median squared distance) where rows are few enough for its n × n matrix.
"""

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.decomposition import NMF, PCA, KernelPCA
from sklearn.preprocessing import scale

from benchmarks.datasets import DATASETS
from sklearn_ae import AutoencoderTransformer
from sklearn_ae.compare import compare_reducers

TABLES = ("digits", "breast_cancer", "wine", "diabetes")
SIZES = (2, 4, 8, 16, 32)


def reducers_for(X):
    sample = X[np.random.default_rng(0).permutation(len(X))[:200]]
    distance = np.median(((sample[:, None] - sample[None]) ** 2).sum(-1))
    reducers = {"PCA": PCA()}
    if X.min() >= 0:
        reducers["NMF"] = NMF(init="nndsvda", max_iter=2000, tol=1e-3)
    reducers["KernelPCA"] = KernelPCA(
        kernel="rbf", gamma=1 / distance, alpha=1e-3, fit_inverse_transform=True
    )
    reducers["ours"] = AutoencoderTransformer()
    return reducers


def compare_table(label, X, y, sizes, n_jobs):
    sizes = [size for size in sizes if size < X.shape[1]]
    results = compare_reducers(
        reducers_for(X),
        X,
        y,
        n_components=sizes,
        metrics=["explained_variance"],
        n_jobs=n_jobs,
        random_state=0,
    )
    results["unexplained"] = 1 - results["explained_variance"]
    means = results.groupby(["n_components", "reducer"])[["unexplained", "fit_seconds"]]
    for size, line in means.mean().unstack().groupby(level=0):
        yield row(label, size, line["unexplained"].iloc[0], line["fit_seconds"].iloc[0])


def compare_images(label, data, sizes):
    train, test = data.X[: data.n_train], data.X[data.n_train :]
    total = np.square(test - train.mean(axis=0)).sum(dtype=float)
    for size in sizes:
        unexplained, seconds = {}, {}
        for name, reducer in {
            "PCA": PCA(size, random_state=0),
            "ours": AutoencoderTransformer(size, random_state=0),
        }.items():
            start = time.perf_counter()
            reducer.fit(train)
            seconds[name] = time.perf_counter() - start
            back = reducer.inverse_transform(reducer.transform(test))
            unexplained[name] = np.square(test - back).sum(dtype=float) / total
        yield row(label, size, unexplained, seconds)


def row(label, size, unexplained, seconds):
    shown = {name: 100 * value for name, value in dict(unexplained).items()}
    return {
        "data": label,
        "code size": size,
        **shown,
        "ours / PCA": shown["ours"] / shown["PCA"],
        "PCA s": seconds["PCA"],
        "ours s": seconds["ours"],
    }


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="wine only, two sizes")
    parser.add_argument("--data-dir", help="folder of mnist/ and fashion-mnist/")
    parser.add_argument("--n-jobs", type=int, default=2, help="for the tables")
    arguments = parser.parse_args(argv)
    sizes = SIZES[:2] if arguments.quick else SIZES
    rows = []
    for name in TABLES[2:3] if arguments.quick else TABLES:
        X, y, *_ = DATASETS[name](arguments.data_dir)
        for label, table in ((name, X), (f"{name}, scaled", scale(X))):
            rows += compare_table(label, table, y, sizes, arguments.n_jobs)
    for name in () if arguments.quick else ("mnist", "fashion-mnist"):
        rows += compare_images(name, DATASETS[name](arguments.data_dir), sizes)
    columns = ["data", "code size", "PCA", "NMF", "KernelPCA", "ours"]
    table = pd.DataFrame(rows).reindex(
        columns=[*columns, "ours / PCA", "PCA s", "ours s"]
    )
    print("Unexplained variance of held-out rows, %, and seconds of a fit")
    print(table.to_string(index=False, float_format="{:.2f}".format, na_rep="–"))


if __name__ == "__main__":
    main()
