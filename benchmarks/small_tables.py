"""Measure how much of what small tables have to give is found, and by luck never.

Real and made tables of 30 to 600 rows, raw and standardised, sizes 1, 2 and 4: three
quarters of the rows are fitted, the others measured. Beside the default fit stands the
rule of a tenth of the rows (``n_iter_no_change=21`` asks for it), and what no rule can
know: the round with the least error on the held-out rows. Needs statsmodels and mlxtend
for most of the real tables.

    python -m benchmarks.small_tables --seeds 0 1 2 --csv small_tables.csv
"""

import argparse
import contextlib
import time
import warnings

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale
from skorch.callbacks import Callback

from sklearn_ae import AutoencoderTransformer

STATSMODELS = (
    *("star98", "macrodata", "anes96", "fair", "elnino", "statecrime", "modechoice"),
    *("heart", "cancer", "randhie", "ccard", "scotland", "grunfeld", "copper"),
    *("strikes", "spector"),
)


def tables():
    """Yield names and tables."""
    rng = np.random.default_rng(0)
    for name in ("iris", "wine", "breast_cancer", "diabetes"):
        yield name, getattr(datasets, f"load_{name}")().data
    yield "digits", rng.permutation(datasets.load_digits().data)[:300]
    yield "swiss roll", datasets.make_swiss_roll(200, random_state=0)[0]
    noise = 0.5 * rng.normal(size=(120, 12))
    yield "low rank", rng.normal(size=(120, 3)) @ rng.normal(size=(3, 12)) + noise
    yield "normal", rng.normal(size=(80, 8)) * np.arange(1, 9)
    yield "heavy tails", rng.standard_t(3, size=(150, 8)) * np.arange(1, 9)
    try:
        from mlxtend.data import autompg_data, boston_housing_data

        mpg = autompg_data()[0]
        yield "autompg", mpg[:, np.isfinite(mpg).all(axis=0)]
        yield "boston", boston_housing_data()[0]
    except ImportError:
        print("mlxtend is not installed: two tables fewer")
    try:
        import statsmodels.api as sm
    except ImportError:
        print(f"statsmodels is not installed: {len(STATSMODELS)} tables fewer")
        return
    for name in STATSMODELS:
        data = getattr(sm.datasets, name).load_pandas().data
        X = data.select_dtypes("number").dropna().to_numpy(float)
        X = X[:, X.std(axis=0) > 0]
        if len(X) >= 30 and X.shape[1] >= 2:
            yield name, rng.permutation(X)[:600]


class Oracle(Callback):
    """Measures the model on held-out rows after every round."""

    epochs_only = True

    def __init__(self, X):
        self.X, self.errors = X, []

    def watch(self, codec, rows, goes_on=False):
        """Be given the model."""
        self.codec = codec
        return contextlib.nullcontext()

    def on_epoch_end(self, net, **kwargs):
        """Measure."""
        residuals = self.X - self.codec.reconstruct(self.X)
        self.errors.append(np.square(residuals).sum())


def line(X, size, seed):
    """Return errors on held-out rows, as shares of PCA's, and CPU seconds."""
    train, test = train_test_split(X, test_size=0.25, random_state=seed)
    pca = PCA(size, svd_solver="full").fit(train)
    error = np.square(test - pca.inverse_transform(pca.transform(test))).sum()
    if error < 1e-10 * np.square(test - train.mean(axis=0)).sum():
        return None  # nothing is left to explain
    found = {"n_train": len(train)}
    oracle = Oracle(test)
    ways = {
        "ours": {"callbacks": [oracle]},
        "timed": {},
        "a tenth": {"n_iter_no_change": 21},
    }
    for way, params in ways.items():
        start = time.process_time()
        model = AutoencoderTransformer(size, random_state=seed, **params).fit(train)
        found[f"{way} seconds"] = time.process_time() - start
        found[way] = np.square(test - model.reconstruct(test)).sum() / error
    found["oracle"] = min([1.0, *(np.array(oracle.errors) / error)])
    return found


def summary(lines):
    """Print what the lines come to."""
    log = np.log(lines[["ours", "a tenth", "oracle"]])
    print(f"{len(lines)} lines of {lines['table'].nunique()} tables")
    for way in ("ours", "a tenth"):
        share = log[way].sum() / log["oracle"].sum()
        above = lines[lines[way] > 1.02]
        print(
            f"{way}: geometric mean {np.exp(log[way].mean()):.3f}, "
            f"{share:.3f} of the oracle's log-gain, {len(above)} lines above 1.02, "
            f"worst {lines[way].max():.3f}, {(lines[way] < 1).sum()} gain"
        )
    ratio = lines["timed seconds"].sum() / lines["a tenth seconds"].sum()
    each = lines["timed seconds"] / lines["a tenth seconds"]
    print(f"oracle: geometric mean {np.exp(log['oracle'].mean()):.3f}")
    print(f"CPU seconds, ours ÷ a tenth: all {ratio:.2f}, median {each.median():.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--csv")
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # of tables that are in order
    lines = []
    for name, raw in tables():
        for standardised in (False, True):
            X = scale(raw) if standardised else raw
            for size in (1, 2, 4):
                for seed in options.seeds:
                    if size < X.shape[1] and (found := line(X, size, seed)):
                        about = {"table": name, "standardised": standardised}
                        lines.append({**about, "size": size, "seed": seed, **found})
    lines = pd.DataFrame(lines)
    if options.csv:
        lines.to_csv(options.csv, index=False)
    summary(lines)
    worst = lines[lines["ours"] > 1.02]
    if len(worst):
        print(worst.to_string(index=False))


if __name__ == "__main__":
    main()
