import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.decomposition import PCA, IncrementalPCA, KernelPCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import AutoencoderTransformer
from sklearn_ae._folds import usable_sizes
from sklearn_ae._measures import holds_classes
from sklearn_ae._verdict import corrected_interval, difference_in_words
from sklearn_ae.compare import (
    METRICS,
    compare_reducers,
    conclude,
    summarize,
)
from sklearn_ae.metrics import (
    continuity,
    explained_variance_share,
    trustworthiness,
)

IRIS, SPECIES = load_iris(return_X_y=True)
WINE, CULTIVAR = load_wine(return_X_y=True)
BARE = ["explained_variance"]  # the quick metric, where the others do not matter


def measured(results):
    """The comparison without its clocks, which never show the same time twice."""
    return results.drop(columns=["fit_seconds", "transform_seconds"])


class Broken(TransformerMixin, BaseEstimator):
    """A reducer that cannot take two components."""

    def __init__(self, n_components=1):
        self.n_components = n_components

    def fit(self, X, y=None):
        if self.n_components == 2:
            raise ArithmeticError("no way")
        return self

    def transform(self, X):
        return np.asarray(X)[:, : self.n_components]

    def inverse_transform(self, code):
        return np.zeros((len(code), 4)) + code[:, :1]


def test_columns_and_rows():
    reducers = {"first": PCA(), "second": IncrementalPCA()}
    results = compare_reducers(
        reducers, IRIS, SPECIES, n_components=[3, 1], cv=3, random_state=0
    )
    assert list(results.columns) == [
        *["reducer", "n_components", "fold", "n_train", "n_test"],
        *["explained_variance", "mse", "trustworthiness", "continuity"],
        *["knn_score", "linear_score", "fit_seconds", "transform_seconds"],
    ]
    keys = results[["reducer", "n_components", "fold"]].itertuples(index=False)
    assert [tuple(key) for key in keys] == [
        (name, size, fold)
        for name in ("first", "second")
        for size in (3, 1)
        for fold in range(3)
    ]
    assert set(results["n_train"]) == {100}
    assert set(results["n_test"]) == {50}
    assert (results[["fit_seconds", "transform_seconds"]] > 0).all(axis=None)


def test_numbers_against_a_loop_by_hand():
    cv = StratifiedKFold(3, shuffle=True, random_state=7)
    results = compare_reducers([PCA()], WINE, CULTIVAR, n_components=2, cv=cv)
    for fold, (train, test) in enumerate(cv.split(WINE, CULTIVAR)):
        row = results.loc[fold]
        mean = WINE[train].mean(axis=0)
        directions = np.linalg.svd(WINE[train] - mean)[2][:2]
        code_train, code = (WINE[train] - mean) @ directions.T, WINE[test] - mean
        residual = code - code @ directions.T @ directions
        total, code = (code**2).sum(), code @ directions.T
        assert row["explained_variance"] == pytest.approx(
            1 - (residual**2).sum() / total, abs=1e-9
        )
        assert row["mse"] == pytest.approx((residual**2).mean())
        assert row["trustworthiness"] == pytest.approx(
            trustworthiness(WINE[test], code)
        )
        assert row["continuity"] == pytest.approx(continuity(WINE[test], code))
        knn = KNeighborsClassifier().fit(code_train, CULTIVAR[train])
        assert row["knn_score"] == knn.score(code, CULTIVAR[test])
        linear = LogisticRegression(max_iter=1000).fit(
            code_train / code_train.std(axis=0), CULTIVAR[train]
        )
        assert row["linear_score"] == pytest.approx(
            linear.score(code / code_train.std(axis=0), CULTIVAR[test])
        )


def test_continuous_target_is_scored_by_r2():
    X, y = load_diabetes(return_X_y=True)  # whole numbers, but not classes
    cv = KFold(3, shuffle=True, random_state=0)
    results = compare_reducers([PCA()], X, y, n_components=4, cv=cv)
    for fold, (train, test) in enumerate(cv.split(X)):
        pca = PCA(4).fit(X[train])
        code_train, code = pca.transform(X[train]), pca.transform(X[test])
        knn = KNeighborsRegressor().fit(code_train, y[train])
        assert results["knn_score"][fold] == pytest.approx(knn.score(code, y[test]))
    assert results["linear_score"].between(0.3, 0.6).all()


def test_what_holds_classes():
    assert holds_classes(SPECIES)
    assert holds_classes(np.array(["a", "b", "c"]))
    assert holds_classes(np.array([True, False]))
    assert holds_classes(np.repeat([1.0, 2.0], 5))
    assert not holds_classes(np.repeat([1.5, 2.0], 5))
    assert not holds_classes(load_diabetes().target)
    with pytest.raises(ValueError, match="single value, 3: nothing to predict"):
        holds_classes(np.array([3, 3]))


def test_pipelines_are_measured_in_input_units_and_named_by_the_reducer():
    pipelines = [make_pipeline(StandardScaler(), PCA()), PCA(), KernelPCA()]
    pipelines[2].set_params(kernel="rbf", gamma=1e-5, fit_inverse_transform=True)
    cv = KFold(2, shuffle=True, random_state=1)
    results = compare_reducers(
        pipelines, WINE, n_components=1, cv=cv, metrics=["explained_variance", "mse"]
    )
    assert list(results["reducer"].unique()) == ["PCA", "PCA-2", "KernelPCA"]
    train, test = next(cv.split(WINE))
    pipeline = pipelines[0].set_params(pca__n_components=1).fit(WINE[train])
    error = (
        WINE[test] - pipeline.inverse_transform(pipeline.transform(WINE[test]))
    ) ** 2
    assert results["mse"][0] == pytest.approx(error.mean())
    # One denominator per fold, whatever the reducer.
    total = ((WINE[test] - WINE[train].mean(axis=0)) ** 2).mean()
    of_fold = results[results["fold"] == 0]
    totals = of_fold["mse"] / (1 - of_fold["explained_variance"])
    np.testing.assert_allclose(totals, total)


def test_the_last_step_with_n_components_is_varied():
    inner = make_pipeline(StandardScaler(), PCA(3))
    nested = Pipeline([("first", PCA(4)), ("inner", inner), ("last", "passthrough")])
    cv = KFold(2, shuffle=True, random_state=1)
    results = compare_reducers([nested], IRIS, n_components=1, metrics="mse", cv=cv)
    assert list(results["reducer"]) == ["PCA", "PCA"]
    assert inner[-1].n_components == 3  # cloned, never touched
    train, test = next(cv.split(IRIS))
    by_hand = make_pipeline(PCA(4), StandardScaler(), PCA(1)).fit(IRIS[train])
    error = IRIS[test] - by_hand.inverse_transform(by_hand.transform(IRIS[test]))
    assert results["mse"][0] == pytest.approx((error**2).mean())


def test_one_random_state_repeats_everything():
    reducers = [TruncatedSVD(), PCA(svd_solver="randomized", iterated_power=0)]
    X, y = load_breast_cancer(return_X_y=True)
    options = {"n_components": [2, 5], "cv": 2}
    first = compare_reducers(reducers, X, y, random_state=3, **options)
    again = compare_reducers(reducers, X, y, random_state=3, **options)
    other = compare_reducers(reducers, X, y, random_state=4, **options)
    alone = compare_reducers(reducers[1:], X, y, random_state=3, **options)
    pd.testing.assert_frame_equal(measured(first), measured(again), check_exact=True)
    assert not measured(first).equals(measured(other))
    # Seeds and folds do not depend on the company.
    pd.testing.assert_frame_equal(
        measured(first[first["reducer"] == "PCA"]).reset_index(drop=True),
        measured(alone),
    )
    assert reducers[0].random_state is None


def test_a_seed_of_the_user_is_kept():
    class Recorder(Broken):
        seen = []  # noqa: RUF012

        def __init__(self, n_components=1, random_state=None):
            super().__init__(n_components)
            self.random_state = random_state

        def fit(self, X, y=None):
            self.seen.append(self.random_state)
            return self

    compare_reducers([Recorder(random_state=5)], IRIS, n_components=1, metrics=BARE)
    assert Recorder.seen == [5] * 5
    Recorder.seen.clear()
    compare_reducers([Recorder()], IRIS, n_components=1, metrics=BARE)
    assert len(set(Recorder.seen)) == 5
    assert None not in Recorder.seen


def test_two_processes_and_progress():
    seen = []
    options = {"n_components": [1, 2], "cv": 2, "random_state": 0}
    expected = compare_reducers([PCA()], IRIS, SPECIES, **options)
    results = compare_reducers(
        [PCA()], IRIS, SPECIES, n_jobs=2, progress=lambda *n: seen.append(n), **options
    )
    pd.testing.assert_frame_equal(measured(results), measured(expected))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_autoencoder_in_two_processes_as_in_one():
    autoencoder = AutoencoderTransformer(hidden_layer_sizes=(8,), max_iter=2)
    options = {"n_components": [1, 2], "cv": 2, "random_state": 0}
    one = compare_reducers([PCA(), autoencoder], WINE, CULTIVAR, **options)
    two = compare_reducers([PCA(), autoencoder], WINE, CULTIVAR, n_jobs=2, **options)
    assert list(one["reducer"].unique()) == ["PCA", "AutoencoderTransformer"]
    pd.testing.assert_frame_equal(measured(one), measured(two), rtol=1e-4)


def test_containers_give_the_same():
    options = {"n_components": 2, "cv": 3, "random_state": 0, "metrics": BARE}
    expected = compare_reducers([TruncatedSVD()], IRIS, SPECIES, **options)
    frame = pd.DataFrame(IRIS, index=np.arange(150)[::-1] * 7, columns=list("abcd"))
    names = pd.Series(np.array(["x", "y", "z"])[SPECIES], index=frame.index)
    polars = pytest.importorskip("polars")
    for X, y in (
        (frame, names),
        (frame, names.astype("category")),
        (polars.DataFrame(IRIS), polars.Series(SPECIES)),
        (csr_matrix(IRIS).tocoo(), SPECIES.tolist()),
        (IRIS.tolist(), SPECIES),
        (np.asfortranarray(IRIS), SPECIES),
    ):
        results = compare_reducers([TruncatedSVD()], X, y, **options)
        np.testing.assert_allclose(
            results["explained_variance"], expected["explained_variance"]
        )


def test_set_output_does_no_harm():
    options = {"n_components": 2, "cv": 2, "random_state": 0}
    X = pd.DataFrame(WINE, columns=load_wine().feature_names)
    framed = make_pipeline(StandardScaler(), PCA()).set_output(transform="pandas")
    plain = make_pipeline(StandardScaler(), PCA())
    pd.testing.assert_frame_equal(
        measured(compare_reducers([framed], X, CULTIVAR, **options)),
        measured(compare_reducers([plain], WINE, CULTIVAR, **options)),
    )


def test_neighborhoods_of_many_rows_take_a_sample():
    X = np.random.default_rng(0).normal(size=(3000, 3))
    split = [(np.arange(1500), np.arange(1500, 3000))]
    results = compare_reducers(
        [PCA()], X, n_components=2, cv=split, metrics=["trustworthiness", "continuity"]
    )
    rows = np.linspace(1500, 2999, 1000).astype(int)
    code = PCA(2).fit(X[:1500]).transform(X[rows])
    assert results["trustworthiness"][0] == pytest.approx(
        trustworthiness(X[rows], code)
    )
    assert results["continuity"][0] == pytest.approx(continuity(X[rows], code))
    assert "mse" not in results


def test_tiny_tables():
    results = compare_reducers([PCA()], IRIS[::30], n_components=1, cv=5)
    assert results["trustworthiness"].isna().all()  # of one row: nobody's neighbour
    assert results["explained_variance"].notna().all()
    y = np.array([0.1, 0.7, 0.3, 0.2, 0.5])
    results = compare_reducers([PCA()], IRIS[::30], y, n_components=1, cv=5)
    assert results["knn_score"].isna().all()


def test_sizes_above_the_limit():
    with pytest.warns(UserWarning, match=r"Dropping n_components 8, 16: .* limit of 4"):
        results = compare_reducers([PCA()], IRIS, metrics=BARE)
    assert list(results["n_components"].unique()) == [2, 4]
    with pytest.raises(ValueError, match=r"\(8, 16\) is above the limit of 4, the sm"):
        compare_reducers([PCA()], IRIS, n_components=(8, 16))
    assert usable_sizes(3, 10, 3) == [3]
    assert usable_sizes(np.array([2, 2, 1]), 10, 3) == [2, 1]
    for bad in (0, [1.5], [], ["2"]):
        with pytest.raises(ValueError, match="whole numbers of at least 1"):
            usable_sizes(bad, 10, 3)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failing_fit_names_itself(n_jobs):
    with pytest.raises(
        RuntimeError,
        match=r"Broken with n_components=2 failed in fold \d: ArithmeticError: no way",
    ):
        compare_reducers([Broken()], IRIS, n_components=[1, 2], n_jobs=n_jobs)


def test_bad_arguments():
    with pytest.raises(TypeError, match="must be a dict of names"):
        compare_reducers(PCA(), IRIS)
    with pytest.raises(ValueError, match="at least one"):
        compare_reducers([], IRIS)
    with pytest.raises(TypeError, match=r"n_components.*Got StandardScaler"):
        compare_reducers([StandardScaler()], IRIS)
    with pytest.raises(ValueError, match="metrics must be among"):
        compare_reducers([PCA()], IRIS, metrics=["accuracy"])
    with pytest.raises(ValueError, match="'knn_score' needs a target"):
        compare_reducers([PCA()], IRIS, metrics="knn_score")
    with pytest.raises(ValueError, match="rows and columns"):
        compare_reducers([PCA()], IRIS[0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        compare_reducers([PCA()], IRIS, SPECIES[:-1])
    with pytest.raises(ValueError, match="No class of y has 5 rows"):
        compare_reducers([PCA()], IRIS, [f"iris {i}" for i in range(150)])
    with pytest.raises(
        RuntimeError, match=r"KernelPCA.*set fit_inverse_transform=True"
    ):
        compare_reducers([KernelPCA()], IRIS, n_components=1)


def test_no_way_back_is_no_matter_without_reconstruction():
    class OneWay(TransformerMixin, BaseEstimator):
        def __init__(self, n_components=2):
            self.n_components = n_components

        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X[:, : self.n_components]

    with pytest.raises(TypeError, match="OneWay has no inverse_transform"):
        compare_reducers([OneWay()], IRIS, n_components=2)
    X = np.random.default_rng(0).normal(size=(50, 4))
    results = compare_reducers([OneWay()], X, n_components=4, metrics="continuity")
    assert (results["continuity"] == 1).all()


# ---------------------------------------------------------------- summarize


def two_reducers(ours, pca, n_train=80, n_test=20, metric="explained_variance"):
    n = len(pca)
    columns = {
        "reducer": ["PCA"] * n + ["ours"] * n,
        "n_components": 2,
        "fold": [*range(n), *range(n)],
        "n_train": n_train,
        "n_test": n_test,
        "fit_seconds": [0.5] * n + [2.0] * n,
    }
    return pd.DataFrame({**columns, metric: [*pca, *ours]})


def test_interval_by_hand():
    # Differences 0.1, 0.2, 0.3: mean 0.2, variance 0.01; t(0.975, 2) = 4.302653;
    # half width = t * sqrt((1/3 + 50/100) * 0.01)
    line = summarize(two_reducers([0.1, 0.3, 0.5], [0, 0.1, 0.2], 100, 50)).loc[0]
    assert line["mean"] == pytest.approx(0.3)
    assert line["baseline_mean"] == pytest.approx(0.1)
    assert line["difference"] == pytest.approx(0.2)
    half = 0.430265273 * np.sqrt(5 / 6)
    assert line["low"] == pytest.approx(0.2 - half)
    assert line["high"] == pytest.approx(0.2 + half)
    assert line["verdict"] == "no clear difference"
    # t(0.75, 2) = 0.816497
    results = two_reducers([0.1, 0.3, 0.5], [0, 0.1, 0.2], 100, 50)
    line = summarize(results, confidence=0.5).loc[0]
    assert line["low"] == pytest.approx(0.2 - 0.081649658 * np.sqrt(5 / 6))
    assert line["verdict"] == "better"


def test_verdicts():
    pca = np.array([0.5, 0.6, 0.7, 0.6, 0.5])
    wobble = np.array([0, 0.01, 0, -0.01, 0])
    for gain, higher_is_better, lower_is_better in (
        (0.1, "better", "worse"),
        (-0.1, "worse", "better"),
        (0.001, "no clear difference", "no clear difference"),
    ):
        ours = pca + gain + wobble
        verdict = summarize(two_reducers(ours, pca))["verdict"][0]
        assert verdict == higher_is_better
        for metric in ("mse", "fit_seconds"):
            results = two_reducers(ours, pca, metric=metric)
            assert summarize(results, metric=metric)["verdict"][0] == lower_is_better


def test_no_variance_between_folds():
    pca = [0.5, 0.6, 0.7]
    line = summarize(two_reducers(pca, pca)).loc[0]
    assert (line["difference"], line["low"], line["high"]) == (0, 0, 0)
    assert line["verdict"] == "no clear difference"
    assert summarize(two_reducers([1.0] * 3, [0.5] * 3))["verdict"][0] == "better"
    # An autoencoder that falls back to PCA differs from it by float32's rounding.
    line = summarize(two_reducers(np.array(pca) - 1e-8, pca)).loc[0]
    assert line["high"] < 0
    assert line["verdict"] == "no clear difference"


def test_a_single_fold_has_no_interval():
    line = summarize(two_reducers([0.9], [0.1])).loc[0]
    assert line["difference"] == pytest.approx(0.8)
    assert np.isnan(line["low"])
    assert np.isnan(line["high"])
    assert line["verdict"] == "no clear difference"


def test_folds_are_paired_not_just_averaged():
    # Huge differences between folds, a small steady gain: only pairing sees it.
    pca = np.array([0.1, 0.5, 0.9, 0.3, 0.7])
    results = two_reducers(pca + np.array([0.01, 0.011, 0.009, 0.01, 0.01]), pca)
    assert summarize(results)["verdict"][0] == "better"
    shuffled = results.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(summarize(shuffled), summarize(results))


def test_missing_folds_are_left_out():
    results = two_reducers([0.6, 0.7, np.nan, 0.9], [0.5, 0.6, 0.7, 0.8])
    line = summarize(results).loc[0]
    assert line["difference"] == pytest.approx(0.1)
    assert line["baseline_mean"] == pytest.approx((0.5 + 0.6 + 0.8) / 3)


def test_coverage_of_the_interval():
    """On pure noise, 95 % intervals leave out zero about one time in twenty."""
    rng = np.random.default_rng(0)
    pair = pd.DataFrame({"n_train": [80] * 5, "n_test": [20] * 5})
    wrong = 0
    for _ in range(1000):
        # Folds share training rows: correlation n_test / (n_test + n_train)
        values = rng.normal() * np.sqrt(0.2) + rng.normal(size=5) * np.sqrt(0.8)
        _, low, high = corrected_interval(
            pd.Series(values), pair["n_train"], pair["n_test"], 0.95
        )
        wrong += low > 0 or high < 0
    assert 30 < wrong < 70


def test_summary_errors():
    results = two_reducers([1.0, 1.0], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"baseline must be one of \['PCA', 'ours'\]"):
        summarize(results, baseline="NMF")
    with pytest.raises(ValueError, match="metric must be among"):
        summarize(results, metric="mse")
    with pytest.raises(ValueError, match="between 0 and 1"):
        summarize(results, confidence=95)
    only = summarize(results[results["reducer"] == "PCA"])
    assert only.empty
    assert "verdict" in only


def test_summary_of_every_metric():
    results = compare_reducers(
        [PCA(), TruncatedSVD()], IRIS, SPECIES, n_components=[1, 2], random_state=0
    )
    for metric in METRICS:
        summary = summarize(results, metric=metric)
        assert list(summary["n_components"]) == [1, 2]
        by_hand = results.groupby(["reducer", "n_components"])[metric].mean()
        np.testing.assert_allclose(summary["mean"], by_hand["TruncatedSVD"])
        np.testing.assert_allclose(summary["baseline_mean"], by_hand["PCA"])


def test_conclusion():
    better = two_reducers([0.8, 0.8, 0.8], [0.5, 0.5, 0.5])
    unclear = two_reducers([0.8, 0.2, 0.5], [0.5] * 3).assign(n_components=4)
    worse = two_reducers([0.1] * 3, [0.5] * 3).assign(n_components=8)
    also_better = better.assign(n_components=16)
    also_better.loc[3:, "explained_variance"] = 0.75
    assert conclude(pd.concat([better, unclear, worse, also_better])) == (
        "ours is better than PCA at code sizes 2 and 16, where it removes 50% to 60% "
        "of the variance that PCA leaves unexplained; it shows no clear difference "
        "from PCA at code size 4; it is worse than PCA at code size 8. "
        "A fit takes 2 s, PCA's 0.5 s."
    )
    assert conclude(unclear).endswith("Without a clear gain, keep PCA.")


def test_other_splitters():
    options = {"n_components": 2, "metrics": BARE}
    results = compare_reducers(
        [PCA()], IRIS, cv=ShuffleSplit(7, test_size=30), **options
    )
    assert len(results) == 7
    assert set(results["n_train"]) == {120}
    groups = np.repeat(np.arange(5), 30)
    splits = list(GroupKFold(5).split(IRIS, groups=groups))
    assert len(compare_reducers([PCA()], IRIS, cv=iter(splits), **options)) == 5
    with pytest.raises(ValueError, match="n_splits=200"):
        compare_reducers([PCA()], WINE, cv=200, **options)


def test_stratified_folds_for_classes():
    y = np.repeat(["rare", "common"], [5, 145])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = compare_reducers([PCA()], IRIS, y, n_components=2, random_state=0)
    assert results["linear_score"].notna().all()
    with pytest.warns(UserWarning, match="least populated class"):
        compare_reducers([PCA()], IRIS, y, n_components=2, cv=7)


@pytest.mark.parametrize("pipeline", [False, True])
def test_an_ordered_autoencoder_is_fitted_once_a_fold(monkeypatch, pipeline):
    fitted = []
    fit = AutoencoderTransformer.fit

    def counted(self, X, y=None):
        fitted.append(self)
        return fit(self, X, y)

    monkeypatch.setattr(AutoencoderTransformer, "fit", counted)
    X = load_iris().data
    ours = AutoencoderTransformer(
        ordered=True, hidden_layer_sizes=(8,), max_iter=5, early_stopping=False
    )
    reducers = {"PCA": PCA(), "ours": make_pipeline(StandardScaler(), ours)}
    if not pipeline:
        reducers["ours"] = ours
    calls = []
    results = compare_reducers(
        reducers,
        X,
        n_components=[2, 1, 3],
        cv=KFold(3, shuffle=True, random_state=0),
        metrics=["explained_variance", "continuity"],
        random_state=0,
        progress=lambda *done: calls.append(done),
    )
    assert len(fitted) == 3
    assert calls[-1] == (12, 12)  # nine of PCA, three of ours
    assert list(results["n_components"][:9]) == [2] * 3 + [1] * 3 + [3] * 3
    splits = KFold(3, shuffle=True, random_state=0).split(X)
    for model, (fold, (train, test)) in zip(fitted, enumerate(splits), strict=True):
        scaler = StandardScaler().fit(X[train])
        table = scaler.transform(X) if pipeline else X
        lines = results[results["fold"] == fold]
        for _, line in lines[lines["reducer"] == "ours"].iterrows():
            back = model.reconstruct(table[test], n_components=line["n_components"])
            if pipeline:
                back = scaler.inverse_transform(back)
            share = explained_variance_share(X[test], back, mean=X[train].mean(axis=0))
            assert_allclose(line["explained_variance"], share)
    seconds = results.query("reducer == 'ours'").groupby("fold")["fit_seconds"]
    assert (seconds.nunique() == 1).all()


def test_differences_in_words():
    line = {"difference": 0.0123, "low": 0.005, "high": 0.0196, "verdict": "better"}
    assert difference_in_words(line) == "+1.23 [+0.50, +1.96]"
    line = {"difference": -1e-8, "low": -2e-8, "high": 3e-8}
    line["verdict"] = "no clear difference"
    assert difference_in_words(line) == "0.00 [0.00, 0.00]"
    line = {"difference": -5e-5, "low": -7e-5, "high": -3e-5, "verdict": "worse"}
    assert difference_in_words(line) == "-0.005 [-0.007, -0.003]"
    line = {"difference": 0.5, "low": np.nan, "high": np.nan, "verdict": "worse"}
    assert difference_in_words(line) == "+50.00"


def test_intervals_are_clipped_to_what_is_possible():
    ours, pca = [0.999, 0.95, 0.999], [0.9, 0.94, 0.98]
    line = summarize(two_reducers(ours, pca, 100, 50)).loc[0]
    by_hand = np.subtract(ours, pca)
    half = 4.3026527 * np.sqrt((1 / 3 + 0.5) * by_hand.var(ddof=1))
    assert by_hand.mean() + half > 1 - np.mean(pca)
    assert line["high"] == pytest.approx(1 - np.mean(pca))  # no more is left
    assert line["low"] == pytest.approx(by_hand.mean() - half)
    line = summarize(two_reducers([0.1, 0.4], [0.3, 0.2], metric="mse"), metric="mse")
    assert line["low"][0] == pytest.approx(-0.25)  # no error is below zero


def test_conclusion_says_where_the_start_was_kept():
    results = pd.concat(
        two_reducers([0.5] * 3, [0.5] * 3).assign(
            n_components=size, kept_start=[False] * 3 + kept
        )
        for size, kept in ((1, [True] * 3), (2, [True, False, True]), (4, [True] * 3))
    )
    said = conclude(results)
    assert (
        "Training gained nothing and its start, PCA, was kept in 2 of 3 folds at code "
        "size 2 and in 3 of 3 folds at code sizes 1 and 4. A fit takes" in said
    )
    assert said.endswith("Without a clear gain, keep PCA.")
    results.attrs["ordered"] = ["ours"]
    assert "--separate" in conclude(results)
    assert conclude(results).endswith("If that gains nothing either, keep PCA.")


def test_kept_starts_are_in_the_results():
    rng = np.random.default_rng(0)
    reducers = {"PCA": PCA(), "ours": AutoencoderTransformer(max_iter=3, ordered=True)}
    results = compare_reducers(
        reducers, rng.normal(size=(60, 3)), n_components=[1, 2], cv=2, metrics=BARE
    )
    assert results.attrs["ordered"] == ["ours"]
    assert results["kept_start"].dtype == bool
    assert not results.loc[results["reducer"] == "PCA", "kept_start"].any()
    assert results.loc[results["reducer"] == "ours", "kept_start"].all()  # pure noise


class Grouped(PCA):
    """A reducer whose fit takes groups, and notes them."""

    def fit(self, X, y=None, groups=None):
        seen.append((np.asarray(X), groups))
        return super().fit(X)

    fit_transform = None


seen = []


def test_groups_stay_on_one_side_and_reach_fit():
    groups = np.repeat(np.arange(15), 10)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3)) + groups[:, None]
    for y in (None, np.tile([0, 1], 75)):
        for reducer in (Grouped(), make_pipeline(StandardScaler(), Grouped())):
            seen.clear()
            compare_reducers(
                [reducer], X, y, groups=groups, n_components=1, cv=3, metrics=BARE
            )
            assert len(seen) == 3
            trained = [set(of_train) for _, of_train in seen]
            assert set.intersection(*trained) == set()  # each is held out once
            for rows, of_train in seen:
                assert len(rows) == len(of_train) == 10 * len(set(of_train))
    seen.clear()
    options = {"n_components": 1, "metrics": BARE, "groups": groups}
    compare_reducers([Grouped()], X, cv=GroupKFold(5), **options)
    assert [len(set(of_train)) for _, of_train in seen] == [12] * 5
    with pytest.raises(
        ValueError, match=r"groups must name 20 groups or more.* Got 15"
    ):
        compare_reducers([PCA()], X, cv=20, **options)
    with pytest.raises(ValueError, match=r"groups must .* the 149 rows of X"):
        compare_reducers([PCA()], X[1:], **options)


def test_equal_rows_stay_on_one_side():
    X = np.random.default_rng(0).permutation(np.repeat(WINE, 3, axis=0))
    seen.clear()
    results = compare_reducers([Grouped()], X, n_components=1, cv=4, metrics=BARE)
    for rows, _ in seen:
        assert len(rows) == 3 * len(np.unique(rows, axis=0))
    assert results["n_test"].sum() == len(X)
    assert np.ptp(results["n_test"]) <= 3  # folds as equal as groups allow
    with pytest.warns(UserWarning, match="Held-out rows have their equals among the"):
        compare_reducers(
            [PCA()], X, n_components=1, cv=KFold(3, shuffle=True), metrics=BARE
        )
    few = np.repeat(np.eye(3), 10, axis=0)
    with pytest.raises(ValueError, match="distinct rows of X, 3, are too few for 5"):
        compare_reducers([PCA()], few, n_components=1, metrics=BARE)
    assert len(compare_reducers([PCA()], few, n_components=1, cv=3, metrics=BARE)) == 3


def test_folds_of_distinct_rows_are_the_ones_of_scikit_learn():
    y = np.repeat([0, 1], [100, 78])
    for target, folds in ((None, KFold), (y, StratifiedKFold)):
        seen.clear()
        compare_reducers(
            [Grouped()], WINE, target, n_components=1, metrics=BARE, random_state=3
        )
        rng = np.random.RandomState(3)
        splits = folds(5, shuffle=True, random_state=rng).split(WINE, target)
        for (rows, groups), (train, _) in zip(seen, splits, strict=True):
            np.testing.assert_array_equal(rows, WINE[train])
            assert groups is None


def test_a_pipeline_is_given_groups_under_routing_too():
    groups = np.repeat(np.arange(30), 6)[: len(WINE)]
    options = {"n_components": 1, "metrics": BARE, "groups": groups, "random_state": 0}
    seen.clear()
    with config_context(enable_metadata_routing=True):
        compare_reducers([make_pipeline(StandardScaler(), Grouped())], WINE, **options)
    assert all(groups is not None for _, groups in seen)


def test_near_copies_are_split_by_cluster_with_a_warning():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 8))
    order = rng.permutation(400)
    X = (np.repeat(centres, 10, axis=0) + 0.02 * rng.normal(size=(400, 8)))[order]
    source = np.repeat(np.arange(40), 10)[order]
    options = {"n_components": 1, "metrics": BARE, "random_state": 0}
    seen.clear()
    with pytest.warns(UserWarning, match=r"they look like 40 groups.*by groups which"):
        compare_reducers([Grouped()], X, **options)
    places = {row.tobytes(): i for i, row in enumerate(X)}
    for rows, _ in seen:
        sources = source[[places[row.tobytes()] for row in rows]]
        assert set(np.bincount(sources)) <= {0, 10}
    with pytest.warns(UserWarning, match="have near-copies of themselves among"):
        compare_reducers([PCA()], X, cv=KFold(5, shuffle=True), **options)
    compare_reducers([PCA()], X, groups=source, **options)  # told: no warning


def test_rows_in_order_are_held_out_in_stretches():
    walk = np.random.default_rng(0).normal(size=649).cumsum()
    X = np.lib.stride_tricks.sliding_window_view(walk, 50).copy()  # 600 rows
    options = {"n_components": 2, "metrics": BARE}
    with pytest.warns(UserWarning, match="a gap of 30 rows .*groups.*TimeSeriesSplit"):
        results = compare_reducers([PCA()], X, **options)
    assert results["n_test"].tolist() == [120] * 5
    assert results["n_train"].tolist() == [450, 420, 420, 420, 450]
    with pytest.warns(UserWarning, match="have the rows next to them in a series"):
        compare_reducers([PCA()], X, cv=KFold(5, shuffle=True), **options)
    compare_reducers([PCA()], X, cv=TimeSeriesSplit(3, gap=50), **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mean", [0, 1e5, 1e8])
def test_pca_far_from_zero(mean, dtype):
    rng = np.random.default_rng(0)
    near = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 12))
    near = 60 * (near + 0.3 * rng.normal(size=near.shape))
    X = (mean + near).astype(dtype)
    options = {"n_components": 2, "metrics": BARE, "random_state": 0}
    found = compare_reducers([PCA()], X, **options)["explained_variance"]
    kept = near if dtype == np.float64 else X - np.float64(mean)  # float32 rounds
    expected = compare_reducers([PCA(svd_solver="full")], kept, **options)
    assert_allclose(found, expected["explained_variance"], atol=1e-5)


def test_a_pca_that_has_cancelled_is_no_baseline():
    rng = np.random.default_rng(0)
    X = 1e11 + 60 * rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6))
    X += rng.normal(size=X.shape)
    reducers = [PCA(svd_solver="covariance_eigh")]
    with pytest.raises(
        RuntimeError, match="it has too few digits: the columns lie too far"
    ):
        compare_reducers(reducers, X, n_components=2, metrics=BARE)
