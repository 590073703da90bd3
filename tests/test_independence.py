import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
    make_blobs,
    make_swiss_roll,
)
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import scale

from sklearn_ae._independence import (
    apart,
    blocks,
    equal_rows,
    find_dependence,
    near_copies,
    serial_reach,
)

TABLES = {
    load.__name__: load().data
    for load in (
        *(load_iris, load_wine, load_breast_cancer, load_diabetes, load_digits),
        load_linnerud,
    )
}


def made(rng, n):
    """Tables of independent rows that look as if they were not."""
    low_rank = rng.normal(size=(n, 4)) @ rng.normal(size=(4, 30))
    yield low_rank + 0.1 * rng.normal(size=low_rank.shape)
    yield low_rank
    yield make_swiss_roll(n, random_state=rng.randint(100))[0]
    yield make_blobs(n, 10, centers=10, cluster_std=0.1, random_state=0)[0]
    sorted_classes = np.sort(rng.randint(5, size=n))[:, None]
    yield 10 * sorted_classes + rng.normal(size=(n, 8))
    yield rng.poisson(3, size=(n, 8)).astype(float)
    yield np.c_[rng.randint(4, size=(n, 3)), rng.normal(size=n)]
    yield np.exp(1.5 * rng.normal(size=(n, 6)))  # heavy tails
    yield np.c_[np.sort(rng.normal(size=n)), rng.normal(size=(n, 3))]
    yield np.round(rng.normal(size=(n, 4)), 1)
    yield rng.normal(size=(n, 1))


def test_equal_rows():
    X = np.array([[1.0, 0.0], [2.0, 1.0], [1.0, -0.0], [3.0, 1.0], [2.0, 1.0]])
    assert_array_equal(equal_rows(X), [0, 1, 0, 2, 1])
    assert_array_equal(equal_rows(X.astype(np.float32)[:, ::-1]), [0, 1, 0, 2, 1])
    assert equal_rows(X[[0, 1, 3]]) is None
    assert_array_equal(equal_rows(np.zeros((3, 2))), [0, 0, 0])


@pytest.mark.parametrize("name", TABLES)
def test_no_false_alarm_on_real_tables(name):
    X = TABLES[name]
    for table in (X, scale(X)):
        for n in (len(X), 100, 30):
            rows = np.random.RandomState(n).permutation(len(X))[:n]
            found = find_dependence(table[np.sort(rows)], 0)
            assert found is None or found.kind == "equal rows"


@pytest.mark.parametrize("n", [30, 100, 1000, 5000])
def test_no_false_alarm_on_made_tables(n):
    for X in made(np.random.RandomState(n), n):
        found = find_dependence(X, 0)
        assert found is None or found.kind == "equal rows"


@pytest.mark.parametrize(("noise", "likeness"), [(0.01, 0.98), (0.1, 0.9), (0.3, 0.8)])
@pytest.mark.parametrize("name", ["load_breast_cancer", "load_wine", "load_diabetes"])
def test_replicates_are_found(name, noise, likeness):
    rng = np.random.RandomState(0)
    rows = scale(TABLES[name])
    source = rng.permutation(np.repeat(np.arange(60), 20))
    X = rows[rng.permutation(len(rows))[:60]][source]
    X = X + noise * rng.normal(size=X.shape)
    found = find_dependence(X, 0)
    assert found.kind == "near-copies"
    assert adjusted_rand_score(source, found.labels) > likeness
    in_order = find_dependence(X[np.argsort(source, kind="stable")], 0)
    assert in_order.kind == "near-copies"  # not a series
    assert_array_equal(near_copies(X, 3), found.labels)  # whatever the sample


@pytest.mark.parametrize("name", ["load_breast_cancer", "load_wine", "load_diabetes"])
def test_resampled_rows_are_found(name):
    rng = np.random.RandomState(0)
    X = scale(TABLES[name])
    n = len(X)
    for rows in (
        rng.randint(n, size=n),
        np.repeat(np.arange(n), 2),
        np.arange(5 * n) % n,
    ):
        found = find_dependence(X[rows], 0)
        assert found.kind == "equal rows"
        assert adjusted_rand_score(rows, found.labels) == 1
        jittered = X[rows] + 0.02 * rng.normal(size=(len(rows), X.shape[1]))
        found = find_dependence(jittered, 0)
        assert found.kind == "near-copies"
        assert adjusted_rand_score(rows, found.labels) > 0.95


def test_equal_rows_among_near_copies_stay_together():
    rng = np.random.RandomState(0)
    X = np.repeat(rng.normal(size=(40, 6)), 5, axis=0)
    X += 0.01 * rng.normal(size=X.shape)
    X = np.r_[X, X[:100]]
    labels = near_copies(X, 0)
    assert_array_equal(labels[200:], labels[:100])
    assert len(np.unique(labels)) == 40


@pytest.mark.parametrize("n", [300, 2000])
@pytest.mark.parametrize("standardized", [False, True])
def test_windows_of_a_series_are_found(n, standardized):
    rng = np.random.RandomState(0)
    time = np.arange(n + 49)
    for series in (
        rng.normal(size=n + 49).cumsum(),
        np.sin(time / 3) + 0.1 * rng.normal(size=n + 49),
        np.sin(time / 16) + 0.3 * rng.normal(size=n + 49),
        rng.normal(size=n + 49),  # its windows are as far from the next as from any
    ):
        X = np.lib.stride_tricks.sliding_window_view(series, 50)
        X = scale(X) if standardized else X
        found = find_dependence(X, 0)
        assert found.kind == "rows in order"
        assert found.reach == min(n // 20, 50) or found.reach > 50
        assert_array_equal(found.labels, np.arange(n) * 10 // n)
        assert serial_reach(rng.permutation(X)) == 0


def test_rows_of_a_slow_process_are_found():
    rng = np.random.RandomState(0)
    X = np.zeros((1000, 4))
    for before, now in itertools.pairwise(X):
        now[:] = 0.9 * before + rng.normal(size=4)
    assert 10 <= serial_reach(X) <= 50  # 0.9 ** 22 is 0.1
    assert serial_reach(rng.permutation(X)) == 0


def test_rows_apart():
    rows = np.arange(20)
    assert_array_equal(apart(rows[10:], rows[:10], 3), np.arange(13, 20))
    test = np.array([12, 5, 6])
    kept = [i for i in rows if min(abs(i - test)) > 2]
    assert_array_equal(apart(rows, test, 2), kept)
    assert_array_equal(apart(rows[3:], test, 0), rows[3:])
    assert_array_equal(blocks(25)[[0, 2, 3, 24]], [0, 0, 1, 9])


def test_tables_too_small_or_constant():
    assert find_dependence(np.arange(6.0).reshape(3, 2)) is None
    assert find_dependence(np.zeros((1, 2))) is None
    assert find_dependence(np.zeros((50, 2))).kind == "equal rows"
