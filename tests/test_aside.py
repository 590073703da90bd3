"""Rows set aside: none is a copy of a row that trains, and a group counts once."""

import itertools
import warnings

import numpy as np
import pytest
import sklearn
import torch
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_ae import AutoencoderTransformer, AutoencoderTransformerCV
from sklearn_ae._engine import aside, tables
from sklearn_ae._engine.aside import joined, neighbours, split
from sklearn_ae._engine.judge import Judge
from sklearn_ae._engine.plan import n_aside
from sklearn_ae._engine.survey import Job, look_through
from sklearn_ae._engine.torch_state import generator
from sklearn_ae._independence import Dependence
from sklearn_ae.compare import compare_reducers
from sklearn_ae.metrics import reconstruction_scorer

DIGITS = load_digits().data
SMALL = {"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0}


def survey(X, groups=None, random_state=0, **params):
    estimator = AutoencoderTransformer(2, max_iter=5, **params)
    device = torch.device("cpu")
    draws = generator(random_state)
    return look_through(
        Job(estimator, X, None, groups, False, device, draws, None, len(X))
    )


def sides(X, **kwargs):
    """Row numbers that judge, and those that train."""
    found = survey(X, **kwargs).split
    train = found.train
    if train is None:
        train = np.setdiff1d(np.arange(len(X)), found.without)
    return found.aside, train, found.labels


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("large", [False, True])
def test_equal_rows_never_stand_on_both_sides(seed, large, monkeypatch):
    rng = np.random.default_rng(seed)
    X = DIGITS[:300][rng.integers(0, 300, 600)]  # a bootstrap sample
    if large:
        monkeypatch.setattr(tables, "HELD_CELLS", 64 * 100)
        monkeypatch.setattr(tables, "WINDOW_CELLS", 64 * 150)
    aside, train, labels = sides(X, random_state=seed)
    assert 60 <= len(aside) <= 90
    assert not {x.tobytes() for x in X[aside]} & {x.tobytes() for x in X[train]}
    if not large:  # a large table loses copies of rows set aside
        assert len(aside) + len(train) == 600
        assert len(np.unique(labels)) == len(np.unique(X[aside], axis=0))


def test_without_copies_the_split_is_the_plain_one():
    aside, train, labels = sides(DIGITS)
    draws = generator(0)
    draws.integers(2**62)
    order = np.random.default_rng(survey(DIGITS).split_seed).permutation(1797)
    np.testing.assert_array_equal(np.concatenate([aside, train]), order)
    assert labels is None


@pytest.mark.parametrize("large", [False, True])
def test_groups_stand_on_one_side(large, monkeypatch):
    if large:
        monkeypatch.setattr(tables, "HELD_CELLS", 64 * 100)
    groups = np.random.default_rng(0).integers(0, 50, 1797)
    aside, train, labels = sides(DIGITS, groups=groups)
    assert not set(groups[aside]) & set(groups[train])
    assert len(aside) >= 180
    np.testing.assert_array_equal(
        np.unique(labels, return_inverse=True)[1],
        np.unique(groups[aside], return_inverse=True)[1],
    )


def test_few_or_unequal_groups_leave_rows_to_train_on():
    labels = np.repeat([0, 1, 2], [900, 50, 50])
    for seed in range(20):
        found = split(np.empty((1000, 2)), 100, seed, Dependence(labels, "groups"))
        assert 0 < len(found.aside) < 1000
        assert len(found.train) == 1000 - len(found.aside)
    one = split(np.empty((9, 2)), 2, 0, Dependence(np.zeros(9), "groups"))
    assert len(one.aside) == 2  # of the one group: they prove nothing
    np.testing.assert_array_equal(one.labels, [0, 0])


@pytest.mark.filterwarnings("ignore:Rows of X have near-copies:UserWarning")
def test_shuffled_copies_of_a_table_too_large_to_be_searched_prove_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(300, 20)), 20, axis=0)
    X += 0.05 * rng.normal(size=X.shape)
    monkeypatch.setattr(aside, "SEARCHED_CELLS", 2**16)
    model = AutoencoderTransformer(4, max_iter=12, random_state=0)
    assert len(np.unique(survey(X).split.labels)) >= 10  # copies next to one another
    assert model.fit(X).best_iter_ == 0
    assert model.fit(rng.permutation(X)).best_iter_ == 0
    assert model.n_iter_ == 1


def test_rows_of_a_single_group_prove_nothing():
    X = scale(load_wine().data)
    model = AutoencoderTransformer(2, random_state=0).fit(X, groups=np.zeros(178))
    assert (model.best_iter_, model.n_iter_) == (0, 1)


@pytest.mark.parametrize("n_distinct", [1, 8])
def test_a_large_table_of_few_distinct_rows(n_distinct, monkeypatch):
    monkeypatch.setattr(tables, "HELD_CELLS", 1000)
    monkeypatch.setattr(tables, "WINDOW_CELLS", 2000)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_distinct, 3))[rng.integers(0, n_distinct, 2000)]
    found = survey(X).split
    assert len(found.aside) == len(found.labels) == 200
    assert 0 < len(found.without) < 2000
    train = np.delete(X, found.without, axis=0)
    if n_distinct > 1:
        assert not {x.tobytes() for x in X[found.aside]} & {x.tobytes() for x in train}
    assert AutoencoderTransformer(2, **SMALL).fit(X).best_iter_ == 0


def test_of_large_groups_of_a_large_table_some_rows_judge(monkeypatch):
    monkeypatch.setattr(tables, "HELD_CELLS", 1000)
    groups = np.arange(1797) // 450
    found = survey(DIGITS, groups=groups).split
    assert len(found.aside) == 180
    assert set(groups[found.aside]) == set(groups[found.without])
    assert len(found.without) in (450, 447)


def test_equal_rows_of_a_series_do_not_train():
    X = np.sin(np.arange(1000) / 9)[:, None].round(2) * [1, 2]
    for params in ({}, {"validation_rows": "last"}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            aside, train, _ = sides(X, **params)
        np.testing.assert_array_equal(aside, np.arange(900, 1000))
        assert len(train) > 1
        assert not set(X[aside, 0]) & set(X[train, 0])


def test_equal_rows_join_groups():
    groups = np.array(["a", "a", "b", "c", "c", "d"])
    equal = np.array([0, 1, 1, 2, 3, 3])  # a and b share a row, c and d too
    labels = joined(groups, equal)
    assert labels[0] == labels[1] == labels[2] != labels[3]
    assert labels[3] == labels[4] == labels[5]


def test_a_group_counts_once():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(12), 10)
    start = torch.from_numpy(rng.random(120) + 5)
    for shift in (0.1, 0.3, 0.45, 0.6, 1.0):
        gains = shift + rng.normal(size=12)[labels] + 0.01 * rng.normal(size=120)
        judge = Judge(True, 0.0, None, labels=labels)
        judge.begin(start, held_out=True)
        means = [gains[labels == label].mean() for label in range(12)]
        test = stats.ttest_1samp(means, 0, alternative="greater")
        assert judge.see(0.0, start - torch.from_numpy(gains)) == (test.pvalue < 0.005)


def test_few_groups_prove_nothing():
    labels = np.repeat(np.arange(7), 100)
    judge = Judge(True, 0.0, None, labels=labels)
    judge.begin(torch.full((700,), 2.0), held_out=True)
    assert judge.is_over
    assert not judge.see(0.0, torch.ones(700))


def copies(kind, seed):
    """Rows that are no evidence of one another, and new ones."""
    rng = np.random.default_rng(seed)
    name, _, how = kind.partition(", ")
    if name == "replicates":
        rows = rng.normal(size=(120, 20)) * np.linspace(2, 0.5, 20)
        X = np.repeat(rows[:60], 20, axis=0)
        return X + float(how) * X.std() * rng.normal(size=X.shape), rows[60:]
    if name in ("walk", "sine"):
        steps = rng.normal(size=2000)
        series = np.cumsum(steps)
        if name == "sine":
            series = np.sin(np.arange(2000) / 7) + 0.3 * steps
        windows = np.lib.stride_tricks.sliding_window_view(series, 50)
        return windows[:900], windows[1000:]
    load = {
        "cancer": load_breast_cancer,
        "diabetes": load_diabetes,
        "wine": load_wine,
    }[name]
    X = rng.permutation(StandardScaler().fit_transform(load().data))
    half = len(X) // 2
    old, new = X[:half], X[half:]
    if how == "bootstrap":
        return old[rng.integers(0, half, half)], new
    return rng.permutation(np.repeat(old, int(how), axis=0)), new


KINDS = [
    *(f"replicates, {level}" for level in (0.01, 0.1, 0.3)),
    *(f"{n}, {h}" for n in ("cancer", "diabetes", "wine") for h in ("bootstrap", 2, 5)),
    *("walk", "sine"),
]


@pytest.mark.filterwarnings("ignore:Rows of X:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_copies_do_not_fool_the_guard(kind):
    X, new = copies(kind, seed=0)
    model = AutoencoderTransformer(4, random_state=0, max_iter=60).fit(X)
    pca = PCA(4, svd_solver="full").fit(X)
    error = np.square(new - pca.inverse_transform(pca.transform(new))).sum()
    assert np.square(new - model.reconstruct(new)).sum() <= 1.02 * error


def test_near_copies_that_nobody_names_are_told():
    X, _ = copies("replicates, 0.1", seed=0)
    with pytest.warns(UserWarning, match=r"near-copies .* groups") as caught:
        AutoencoderTransformer(2, **SMALL).fit(X)
    assert caught[0].filename == __file__  # the line that called fit
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoencoderTransformer(2, **SMALL).fit(X, groups=np.repeat(range(60), 20))


def test_a_large_table_is_searched_in_part(monkeypatch):
    X, _ = copies("replicates, 0.01", seed=0)
    monkeypatch.setattr(tables, "HELD_CELLS", 20 * 100)
    monkeypatch.setattr(tables, "WINDOW_CELLS", 20 * 150)
    rows = neighbours(len(X))
    assert rows == slice(0, 1200)
    with pytest.warns(UserWarning, match="near-copies"):
        found = survey(X)
    runs = np.arange(1200) // 20
    aside = found.split.aside
    train = np.setdiff1d(np.arange(1200), found.split.without)
    assert not set(runs[aside]) & set(runs[train])


def test_a_wrong_number_of_groups_is_refused():
    with pytest.raises(ValueError, match=r"groups must .* 1797 rows .* shape \(3,\)"):
        AutoencoderTransformer(2, **SMALL).fit(DIGITS, groups=[1, 2, 3])


@pytest.mark.parametrize("groups", [[None, "a"], [1.0, np.nan], [1, "a"]])
def test_groups_that_are_missing_or_mixed_are_refused(groups):
    groups = np.resize(np.array(groups, dtype=object), 100)
    if groups[0] == 1.0 and groups[1] != "a":
        groups = groups.astype(float)
    with pytest.raises(ValueError, match="groups must hold labels of one kind"):
        AutoencoderTransformer(2, **SMALL).fit(DIGITS[:100], groups=groups)


def test_the_search_keeps_groups_together():
    groups = np.random.default_rng(0).integers(0, 40, 600)
    seen = []

    class Spy(GroupKFold):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                seen.append((set(groups[train]), set(groups[test])))
                yield train, test

    estimator = AutoencoderTransformer(**SMALL)
    X = DIGITS[:600]
    by_splitter = AutoencoderTransformerCV((2, 4), estimator=estimator, cv=Spy(3))
    by_splitter.fit(X, groups=groups)
    assert len(seen) == 3
    assert not any(train & test for train, test in seen)
    by_number = AutoencoderTransformerCV((2, 4), estimator=estimator, cv=3)
    by_number.fit(X, groups=groups)
    np.testing.assert_array_equal(
        by_number.cv_results_["mean_test_score"],
        by_splitter.cv_results_["mean_test_score"],
    )
    with pytest.raises(ValueError, match="too few for cv=3 folds"):
        by_number.fit(X, groups=groups % 2)


def test_the_search_lets_no_equal_rows_into_two_folds():
    X = np.repeat(DIGITS[:60], 5, axis=0)
    search = AutoencoderTransformerCV(
        (1, 2), estimator=AutoencoderTransformer(**SMALL), cv=3
    )
    splits = search._splits(X, None, search._dependence(X, None, search.estimator))
    for train, test in splits:
        assert not {x.tobytes() for x in X[train]} & {x.tobytes() for x in X[test]}


def slow_process(n_samples=1500):
    """Rows of a series, on a curved surface that a code of two keeps and PCA not."""
    rng = np.random.default_rng(0)
    z = np.zeros((n_samples, 2))
    for before, now in itertools.pairwise(z):
        now[:] = 0.8 * before + 0.6 * rng.normal(size=2)
    X = np.c_[np.sin(2 * z), np.cos(2 * z), z**2]
    return X + 0.02 * rng.normal(size=X.shape)


@pytest.mark.filterwarnings("ignore:Rows of X:UserWarning")
def test_rows_in_order_can_show_a_gain():
    X = slow_process()
    model = AutoencoderTransformer(2, max_iter=40, random_state=0)
    with pytest.warns(UserWarning, match="are in order") as caught:
        results = compare_reducers([model], X, n_components=2, cv=2, metrics=["mse"])
    assert len(caught) == 1  # for all fits
    assert not results["kept_start"].any()
    search = AutoencoderTransformerCV(2, estimator=model, cv=2).fit(X)
    assert search.best_estimator_.best_iter_ > 0
    splits = search._splits(X, None, search._dependence(X, None, search.estimator))
    for train, test in splits:
        assert np.abs(train[:, None] - test).min() > 5  # a gap


def test_the_search_is_told_that_rows_are_in_order():
    X = slow_process(300)
    model = AutoencoderTransformer(validation_rows="last", **SMALL)
    AutoencoderTransformerCV((1, 2), estimator=model, cv=3).fit(X)  # no warning


def test_groups_are_routed_through_searches():
    X = DIGITS[:200]
    groups = np.repeat(np.arange(40), 5)
    seen = []

    class Noting(AutoencoderTransformer):
        def fit(self, X, y=None, groups=None):
            seen.append(groups)
            return super().fit(X, y, groups=groups)

    with sklearn.config_context(enable_metadata_routing=True):
        model = Noting(2, max_iter=1).set_fit_request(groups=True)
        grid = {"noting__n_components": [1, 2]}
        search = GridSearchCV(
            make_pipeline(StandardScaler(), model),
            grid,
            cv=GroupKFold(2),
            scoring=reconstruction_scorer,
        )
        search.fit(X, groups=groups)
    assert len(seen) == 5  # two folds of two sizes, and the best on all rows
    assert not set(seen[0]) & set(seen[1])
    np.testing.assert_array_equal(seen[-1], groups)


def test_an_ordered_fit_is_not_vetoed_by_a_size_that_gains_nothing():
    """Four equally strong latent variables: one unit can't gain, four gain much."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(50, 4)))[0].T * 50**0.5
    X = np.tanh(0.4 * rng.normal(size=(4000, 4)) @ axes)
    X += 0.1 * rng.normal(size=X.shape)
    for seed in range(2):
        X_train, X_test = X[: 3000 + seed], X[3000 + seed :]
        model = AutoencoderTransformer(8, ordered=True, random_state=seed).fit(X_train)
        assert model.best_iter_ > 0
        pca = PCA(8, svd_solver="full").fit(X_train)
        for k in (1, 2, 4, 8):
            axes = pca.components_[:k]
            back = (X_test - pca.mean_) @ axes.T @ axes + pca.mean_
            error = np.square(X_test - back).sum()
            ours = np.square(X_test - model.reconstruct(X_test, n_components=k)).sum()
            assert ours <= 1.02 * error


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mean", [1e5, 1e8])
def test_the_start_is_sound_far_from_zero(mean, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3)) @ rng.normal(size=(3, 8)) * 40
    X = (mean + X + 10 * rng.normal(size=X.shape)).astype(dtype)
    centred = X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)
    values = np.linalg.svd(centred, compute_uv=False) ** 2
    model = AutoencoderTransformer(2, max_iter=0, random_state=0).fit(X)
    back = model.reconstruct(X.astype(np.float64))
    left = np.square(X - back).sum() / values.sum()
    assert left == pytest.approx(1 - values[:2].sum() / values.sum(), rel=1e-3)


@pytest.mark.parametrize("large", [False, True])
def test_the_last_rows_judge_if_the_rows_are_in_order(large, monkeypatch):
    if large:
        monkeypatch.setattr(tables, "HELD_CELLS", 50 * 100)
    X, _ = copies("walk", seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it was said
        found = survey(X, validation_rows="last").split
    np.testing.assert_array_equal(found.aside, np.arange(810, 900))
    assert 765 <= found.without[0] <= 785  # windows of 50, but a twentieth at most
    np.testing.assert_array_equal(found.without, np.arange(found.without[0], 900))
    reach = 810 - found.without[0]
    assert len(np.unique(found.labels)) == -(-90 // reach)
    # Rows without memory: no gap, and each counts.
    plain = survey(
        np.random.default_rng(0).normal(size=(900, 5)), validation_rows="last"
    )
    np.testing.assert_array_equal(plain.split.without, np.arange(810, 900))
    assert len(np.unique(plain.split.labels)) == 90


def test_of_large_tables_2000_rows_judge():
    """A tenth of more rows says no more, and the rest can train."""
    X = np.zeros((30_000, 2))
    assert n_aside(AutoencoderTransformer(), X[:15_000], ordered=False) == 1500
    assert n_aside(AutoencoderTransformer(), X, ordered=False) == 2000
    asked = AutoencoderTransformer(validation_fraction=0.1)
    assert n_aside(asked, X, ordered=False) == 3000
    assert n_aside(asked, X, ordered=True) == 2000
