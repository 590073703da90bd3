"""Are missing cells filled well? Ours beside means, neighbours, regressions and PCA.

Real tables, columns standardised, at most 600 rows of most. Cells are missing at
random, or where values are large, or in blocks: half of the columns of a part of the
rows. Root mean squared error of the missing cells, in standard deviations, and CPU
seconds; of ours also the share of the true values within the 90 % interval of 100
draws. EM-PCA is given the rank that is best on these very cells. Needs statsmodels
and mlxtend for most tables.

    python -m benchmarks.imputation --csv imputation.csv
    python -m benchmarks.imputation --read imputation.csv
    python -m benchmarks.imputation --downstream

The last asks what codes of rows with 30 % missing are worth to classifiers.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.small_tables import tables as small_tables
from sklearn_ae import AutoencoderImputer, AutoencoderTransformer

MADE = ("swiss roll", "low rank", "normal", "heavy tails", "digits")
MOST_ROWS = 1500


def tables():
    """Yield names and standardised real tables of three columns or more."""
    for name, X in small_tables():
        X = X[np.random.default_rng(0).permutation(len(X))[:MOST_ROWS]]
        X = X[:, X.std(axis=0) > 0]
        if name not in MADE and X.shape[1] > 2 and len(X) > 40:
            yield name, StandardScaler().fit_transform(X)


def _at_random(share):
    return lambda X, rng: rng.random(X.shape) < share


def _large(X, rng):
    """Tell where cells are missing: 30%, the larger the likelier."""
    order = X.argsort(axis=0).argsort(axis=0) / len(X)
    return rng.random(X.shape) < 0.6 * order


def _blocks(X, rng):
    """Tell where cells are missing: half of the columns in 60% of the rows."""
    half = rng.random(X.shape[1]).argsort() < X.shape[1] // 2
    return (rng.random(len(X)) < 0.6)[:, None] & half


PATTERNS = {
    "30%": _at_random(0.3),
    "blocks": _blocks,
    "10%": _at_random(0.1),
    "large ones": _large,
    "50%": _at_random(0.5),
}


def imputers(seed):
    """Return what fills, by name."""
    trees = ExtraTreesRegressor(20, random_state=seed)
    return {
        "means": SimpleImputer(),
        "KNNImputer": KNNImputer(),
        "BayesianRidge": IterativeImputer(random_state=seed),
        "ExtraTrees": IterativeImputer(trees, random_state=seed),
        "factors": AutoencoderImputer(max_iter=0, random_state=seed),
        "ours": AutoencoderImputer(random_state=seed),
    }


def em_pca(X, rank, n_rounds=100):
    """Return X filled by PCA of what the round before filled."""
    gone = np.isnan(X)
    filled = np.where(gone, np.nanmean(X, axis=0), X)
    for _ in range(n_rounds):
        mean = filled.mean(axis=0)
        centred = filled - mean
        axes = np.linalg.eigh(centred.T @ centred)[1][:, -rank:]
        filled = np.where(gone, mean + centred @ axes @ axes.T, X)
    return filled


def errors(X, pattern, seed):
    """Yield names, errors of the missing cells, seconds and coverage."""
    gone = PATTERNS[pattern](X, np.random.default_rng([seed, 5]))
    gone[0, gone.all(axis=0)] = False
    holes = np.where(gone, np.nan, X)

    def error(filled):
        return np.sqrt(np.square(filled - X)[gone].mean())

    for name, imputer in imputers(seed).items():
        start = time.process_time()
        filled = imputer.fit_transform(holes)
        seconds, inside = time.process_time() - start, np.nan
        if name == "ours":
            draws = imputer.draw(holes, 100, random_state=seed)
            low, high = np.quantile(draws, [0.05, 0.95], axis=0)
            inside = ((low < X) & (high > X))[gone].mean()
        yield name, error(filled), seconds, inside
    start, ranks = time.process_time(), range(1, min(X.shape[1], 11))
    best = min(error(em_pca(holes, rank)) for rank in ranks)
    yield "EM-PCA", best, time.process_time() - start, np.nan


def summary(lines):
    """Return what the lines come to."""
    order = ["pattern", "table"]
    table = lines.pivot_table("rmse", order, "name", sort=False)
    ratios = np.log(table["ours"].to_numpy()[:, None] / table.drop(columns="ours"))
    means = np.exp(ratios.groupby("pattern", sort=False).mean())
    means.loc["all"] = np.exp(ratios.mean())
    rivals = table.drop(columns=["ours", "factors"])
    rank = table.drop(columns="factors").rank(axis=1)["ours"]
    lost = (table["ours"] / rivals.min(axis=1)).sort_values()
    lost = [
        f"{' '.join(line)} {ratio:.2f} ({rivals.loc[line].idxmin()})"
        for line, ratio in lost[lost > 1.05].items()
    ]
    large = lines[lines["rows"] >= 500]
    inside = lines[lines["name"] == "ours"].groupby("pattern", sort=False)["inside"]
    return "\n\n".join(
        [
            table.round(3).to_string(),
            f"ours over …\n{means.round(3).to_string()}",
            f"{len(table)} lines: best on {(rank == 1).mean():.0%}, best or second on "
            f"{(rank <= 2).mean():.0%}, at worst "
            f"{np.exp(ratios['factors'].max()):.3f} of its start",
            f"CPU seconds\n{_seconds(lines, large)}",
            f"share of true values in the 90 % interval\n"
            f"{inside.agg(['mean', 'min', 'max']).round(3).to_string()}",
            f"above 1.05 of the best rival: {', '.join(lost)}",
        ]
    )


def _seconds(lines, large):
    """Return means by name: of all tables, and of those with 500 rows or more."""
    found = {"all tables": lines, "500 rows or more": large}
    found = {key: part.groupby("name")["seconds"].mean() for key, part in found.items()}
    return pd.DataFrame(found).round(2).to_string()


def labelled():
    """Yield names, standardised tables of at most 500 rows, and classes."""
    found = {
        load.__name__.removeprefix("load_"): load(return_X_y=True)
        for load in (load_iris, load_wine, load_breast_cancer)
    }
    try:
        import statsmodels.api as sm
    except ImportError:
        print("statsmodels is not installed: two tables fewer")
    else:
        anes = sm.datasets.anes96.load_pandas().data.drop(columns="PID")
        fair = sm.datasets.fair.load_pandas().data
        found["anes96"] = anes.drop(columns="vote").to_numpy(), anes["vote"]
        affairs = fair["affairs"].to_numpy() > 0
        found["fair"] = fair.drop(columns="affairs").to_numpy(), affairs
    for name, (X, y) in found.items():
        some = np.random.default_rng(0).permutation(len(X))[:500]
        X = X[some][:, X[some].std(axis=0) > 0]
        yield name, StandardScaler().fit_transform(X), np.asarray(y)[some]


def accuracies(X, y, seed):
    """Return accuracies on codes of rows with 30% of their cells missing."""
    gone = np.random.default_rng([seed, 5]).random(X.shape) < 0.3
    holes = np.where(gone, np.nan, X)
    train, test, y_train, y_test = train_test_split(
        holes, y, random_state=seed, stratify=y
    )
    k = min(8, X.shape[1] // 2)
    ways = {
        "KNNImputer + PCA": (KNNImputer(), PCA(k)),
        "KNNImputer + ours": (
            KNNImputer(),
            AutoencoderTransformer(k, random_state=seed),
        ),
        "our imputer + PCA": (AutoencoderImputer(random_state=seed), PCA(k)),
        "our imputer + ours": (
            AutoencoderImputer(random_state=seed),
            AutoencoderTransformer(k, random_state=seed),
        ),
        "ours, NaN as it is": (AutoencoderTransformer(k, random_state=seed),),
    }
    found = {}
    for name, steps in ways.items():
        reducer = make_pipeline(*steps).fit(train)
        codes = reducer.transform(train), reducer.transform(test)
        for judge in (KNeighborsClassifier(), LogisticRegression(max_iter=2000)):
            score = judge.fit(codes[0], y_train).score(codes[1], y_test)
            found[name, type(judge).__name__] = score
    return pd.Series(found)


def downstream(n_seeds):
    """Print what codes of rows with missing cells are worth."""
    rows = {}
    for name, X, y in labelled():
        found = [accuracies(X, y, seed) for seed in range(n_seeds)]
        rows[name] = sum(found) / n_seeds
        print(pd.DataFrame(rows).round(3).to_string(), flush=True)
    print(pd.DataFrame(rows).mean(axis=1).round(3).to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", nargs="+", default=list(PATTERNS))
    parser.add_argument("--rows", type=int, default=MOST_ROWS, help="at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", help="where to write the lines, as they come")
    parser.add_argument("--read", nargs="+", help="such files, to be summed up")
    parser.add_argument("--downstream", action="store_true")
    parser.add_argument("--seeds", type=int, default=2, help="of --downstream")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.downstream:
        downstream(options.seeds)
        return
    if options.read:
        print(summary(pd.concat(map(pd.read_csv, options.read))))
        return
    lines = []
    for name, X in tables():
        X = X[: options.rows]
        for pattern in options.patterns:
            for line in errors(X, pattern, options.seed):
                lines.append((pattern, name, len(X), *line))
            columns = ["pattern", "table", "rows", "name", "rmse", "seconds", "inside"]
            frame = pd.DataFrame(lines, columns=columns)
            if options.csv:
                frame.to_csv(options.csv, index=False)
    print(summary(frame))


if __name__ == "__main__":
    main()
