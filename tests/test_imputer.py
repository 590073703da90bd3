"""AutoencoderImputer."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_diabetes, load_wine
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_ae import AutoencoderImputer, AutoencoderTransformer, load, save
from sklearn_ae._engine.factor import held_out, own_generator
from sklearn_ae._imputer import _blend, _squares

WINE, KIND = load_wine(return_X_y=True)


def holes(X, share=0.3, seed=0):
    gone = np.random.default_rng(seed).random(X.shape) < share
    return np.where(gone, np.nan, X), gone


def error(filled, X, gone):
    """Mean squared error of the cells, in variances of their columns."""
    return np.square((filled - X) / X.std(axis=0))[gone].mean()


@pytest.fixture(scope="module")
def imputer():
    return AutoencoderImputer(random_state=0).fit(holes(WINE)[0])


def test_only_what_was_missing_is_filled(imputer):
    X, gone = holes(WINE)
    filled = imputer.transform(X)
    np.testing.assert_array_equal(filled[~gone], WINE[~gone])
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(imputer.transform(WINE), WINE)


def test_it_fills_better_than_means_and_not_worse_than_its_start(imputer):
    X, gone = holes(WINE)
    start = AutoencoderImputer(max_iter=0, random_state=0).fit(X)
    assert start.n_rounds_ == 0
    assert error(imputer.transform(X), WINE, gone) < 0.7
    ratio = error(imputer.transform(X), WINE, gone) / error(
        start.transform(X), WINE, gone
    )
    assert ratio < 1.04
    assert imputer.error_ <= start.error_


def test_new_rows_may_lack_other_cells():
    X = WINE[::2].copy()
    X[3, 2] = np.nan  # the only hole
    imputer = AutoencoderImputer(random_state=0).fit(X)
    rows, gone = holes(WINE[1::2], 0.3, seed=4)
    assert error(imputer.transform(rows), WINE[1::2], gone) < 0.7
    np.testing.assert_allclose(
        imputer.transform(np.full((1, 13), np.nan)), [imputer.mean_], rtol=0.1
    )


def test_units_do_not_matter(imputer):
    X, _ = holes(WINE)
    units = np.geomspace(1e-4, 1e4, 13)
    other = AutoencoderImputer(random_state=0).fit(X * units)
    np.testing.assert_allclose(
        other.transform(X * units) / units, imputer.transform(X), rtol=1e-3
    )


def by_hand(imputer, X):
    """Held-out truth, and what each fit fills at the start and at the end."""
    rows = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    truth, starts, ends = [], [], []
    for i, own in enumerate(imputer.autoencoders_):
        draws = own_generator(own._fitted.split_seed, "judge")
        hidden = held_out(~np.isnan(X), 0.1, draws)
        known = np.where(hidden, np.nan, rows)
        truth.append(rows[hidden])
        others = [each for j, each in enumerate(imputer.autoencoders_) if j != i]
        for found, n in ((starts, 0), (ends, imputer.n_rounds_)):
            fills = []
            for each in (own, *others):
                filled = known
                for _ in range(n):
                    reads = each.reconstruct(filled)
                    filled = np.where(np.isnan(known), reads, known)
                fills.append((filled if n else each._fitted.codec.fill(known))[hidden])
            found.append(fills)
    return np.concatenate(truth), np.hstack(starts), np.hstack(ends)


def test_error_and_weight_are_those_of_cells_no_fit_was_shown(imputer):
    truth, starts, ends = by_hand(imputer, holes(WINE)[0])

    def squares(weight):
        fills = (1 - weight) * starts + weight * ends
        return (truth - fills[0]) ** 2 - ((fills - fills.mean(axis=0)) ** 2).mean(0)

    assert len(imputer.autoencoders_) == 3
    assert imputer.n_rounds_
    grid = np.linspace(0, 1, 1001)
    best = grid[np.argmin([squares(weight).sum() for weight in grid])]
    assert imputer.weight_ == pytest.approx(best, abs=1e-3)
    error = np.sqrt(squares(imputer.weight_).mean())
    assert imputer.error_ == pytest.approx(error, rel=1e-3)


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_the_fill_is_a_blend_of_means(imputer, weight):
    X, gone = holes(WINE)
    rows = (X - imputer.mean_) / imputer.scale_
    starts = [each._fitted.codec.fill(rows) for each in imputer.autoencoders_]
    ends = [np.where(gone, a.reconstruct(rows), rows) for a in imputer.autoencoders_]
    other = copy.copy(imputer)
    other.weight_, other.n_rounds_ = weight, 1
    filled = (other.transform(X) - imputer.mean_) / imputer.scale_
    expected = (1 - weight) * sum(starts) / 3 + weight * sum(ends) / 3
    np.testing.assert_allclose(filled, expected, atol=1e-5)


def test_a_blend_counts_only_if_it_gains_for_sure():
    rng = np.random.default_rng(0)
    truth, noise = rng.normal(size=(2, 2000))
    start = np.zeros((3, 2000))

    def blend(step):
        return _blend(truth, start, np.tile(step, (3, 1)))

    assert blend(2 * truth) == pytest.approx(0.5)
    assert blend(0.5 * truth) == 1.0
    assert blend(-truth) == blend(0 * truth) == blend(noise) == 0.0
    # Of fits that err apart the mean errs less: each alone would be gone half way.
    ends = truth + rng.normal(size=(3, 2000))
    assert _blend(truth, start, ends) == pytest.approx(0.75, abs=0.03)
    assert blend(ends[0]) == pytest.approx(0.5, abs=0.03)


def test_what_the_mean_errs_is_known_from_single_fits():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=40_000)
    fills = truth + rng.normal(size=40_000) / 2 + rng.normal(size=(3, 40_000))
    expected = np.square(truth - fills.mean(axis=0)).mean()
    assert _squares(truth, fills).mean() == pytest.approx(expected, rel=0.03)


def test_what_stands_for_missing():
    X, gone = holes(WINE)
    coded = AutoencoderImputer(-7, max_iter=0, random_state=0)
    plain = AutoencoderImputer(max_iter=0, random_state=0)
    np.testing.assert_array_equal(
        coded.fit_transform(np.where(gone, -7, X)), plain.fit_transform(X)
    )
    with pytest.raises(ValueError, match="NaN"):
        coded.transform(X)
    with pytest.raises(ValueError, match="infinity"):
        plain.fit(np.where(gone, np.inf, X))


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("indicate", [False, True])
def test_columns(keep, indicate):
    pd = pytest.importorskip("pandas")
    X = WINE[:, :5].copy()
    X[:, 2] = np.nan
    X[::3, 4] = np.nan
    frame = pd.DataFrame(X, columns=list("abcde"))
    imputer = AutoencoderImputer(
        max_iter=0, keep_empty_features=keep, add_indicator=indicate
    ).set_output(transform="pandas")
    filled = imputer.fit_transform(frame)
    flags = ["missingindicator_c", "missingindicator_e"] * indicate
    assert filled.columns.tolist() == list("abcde" if keep else "abde") + flags
    assert filled.notna().all(axis=None)
    if keep:
        assert (filled["c"] == 0).all()
    if indicate:
        assert (filled["missingindicator_e"] == np.isnan(X[:, 4])).all()
    assert imputer.get_feature_names_out().tolist() == filled.columns.tolist()
    with pytest.raises(ValueError, match="no observed cell"):
        imputer.fit(frame * np.nan)


def test_draws_are_as_wide_as_errors():
    X = load_diabetes().data
    given, gone = holes(X)
    imputer = AutoencoderImputer(random_state=0).fit(given)
    draws = imputer.draw(given, 200, random_state=0)
    assert draws.shape == (200, *X.shape)
    np.testing.assert_array_equal(draws[:, ~gone], np.tile(X[~gone], (200, 1)))
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    inside = ((low < X) & (high > X))[gone].mean()
    assert 0.86 < inside < 0.94
    np.testing.assert_allclose(
        draws.mean(axis=0)[gone], imputer.transform(given)[gone], atol=0.02
    )
    again = imputer.draw(given, 200, random_state=0)
    np.testing.assert_array_equal(draws, again)


def test_files_and_pipelines(imputer, tmp_path):
    X, _ = holes(WINE)
    expected = imputer.transform(X)
    save(imputer, tmp_path / "imputer")
    for again in (load(tmp_path / "imputer"), pickle.loads(pickle.dumps(imputer))):
        np.testing.assert_array_equal(again.transform(X), expected)
    steps = AutoencoderImputer(max_iter=2), AutoencoderTransformer(3, max_iter=2)
    pipeline = make_pipeline(*steps, LogisticRegression(max_iter=5000)).fit(X, KIND)
    assert pipeline.score(X, KIND) > 0.6


@pytest.mark.parametrize("keep", [False, True])
def test_the_way_back(keep):
    X = holes(WINE[:, :5])[0]
    X[:, 2] = np.nan
    imputer = AutoencoderImputer(
        max_iter=0, keep_empty_features=keep, add_indicator=True
    )
    filled = imputer.fit_transform(X)
    back = imputer.inverse_transform(filled)
    assert back.shape == X.shape
    kept = [0, 1, 3, 4]
    np.testing.assert_array_equal(back[:, kept], filled[:, kept if keep else range(4)])
    assert (back[:, 2] == 0).all() if keep else np.isnan(back[:, 2]).all()
    with pytest.raises(ValueError, match=r"X has 4 columns, but .* returns"):
        imputer.inverse_transform(X[:, :4])
    pipeline = make_pipeline(AutoencoderImputer(max_iter=0), PCA(4)).fit(X[:, kept])
    codes = pipeline.transform(WINE[:, kept])
    np.testing.assert_allclose(pipeline.inverse_transform(codes), WINE[:, kept])


masks = arrays(bool, (20, 4))


@settings(max_examples=25, deadline=None)
@given(fitted=masks, new=masks, max_iter=st.sampled_from([0, 1]))
@example(np.arange(80).reshape(20, 4) > 0, np.zeros((20, 4), bool), 1)  # one cell
@example(np.arange(80).reshape(20, 4) > 3, np.zeros((20, 4), bool), 1)  # one row
@example(np.arange(80).reshape(20, 4) % 4 > 0, np.ones((20, 4), bool), 1)  # a column
def test_any_mask_is_filled(fitted, new, max_iter):
    """Rows and columns without a cell, single cells, other masks than in fit."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 2)) @ rng.standard_normal((2, 4))
    fitted[0, 0] = False  # one cell there is
    imputer = AutoencoderImputer(
        max_iter=max_iter, keep_empty_features=True, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of rows that look like copies
        imputer.fit(np.where(fitted, np.nan, X))
    rows = np.where(new, np.nan, X)
    filled = imputer.transform(rows)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[~new], X[~new])
    alone = imputer.transform(rows[3:4])
    np.testing.assert_allclose(alone, filled[3:4], rtol=1e-3, atol=1e-4)
    bare = fitted.all(axis=0)
    assert (filled[:, bare] == np.where(new, 0.0, X)[:, bare]).all()


@pytest.mark.parametrize("worst", [1e200, np.inf])
def test_a_fit_that_is_refused_leaves_no_mark(worst):
    X = pd.DataFrame({"a": [worst, 1.0, np.nan, 2.0]})
    model = AutoencoderImputer(max_iter=0)
    with pytest.raises(ValueError, match="too large"):
        model.fit(X)
    assert not hasattr(model, "feature_names_in_")
    assert not hasattr(model, "n_features_in_")
