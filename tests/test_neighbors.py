"""Neighbours of rows, batches of pairs, and maps that keep them."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine import tables
from sklearn_ae._engine.batches import Batches, Rows
from sklearn_ae._engine.neighbours import Pairs, nearest_rows, pair_losses
from sklearn_ae._engine.plan import Plan
from sklearn_ae.persistence import load, save

X = np.random.default_rng(0).normal(size=(41, 4)).astype("float32")
DIGITS, Y = load_digits(return_X_y=True)
SHORT = {"neighbors": 1.0, "max_iter": 3, "random_state": 0}


def brute_force(rows, others):
    distances = ((others[:, None].astype(float) - rows[None]) ** 2).sum(2)
    if others.shape == rows.shape and (others == rows).all():
        np.fill_diagonal(distances, np.inf)
    return distances.argsort(1)[:, :15]


def test_graph_is_that_of_brute_force():
    own, others = nearest_rows(X[:30], X[30:])
    np.testing.assert_array_equal(own, brute_force(X[:30], X[:30]))
    np.testing.assert_array_equal(others, brute_force(X[:30], X[30:]))
    (few,) = nearest_rows(X[:4])
    assert few.shape == (4, 3)
    with pytest.raises(ValueError, match="at least 2 rows to train on, got 1"):
        nearest_rows(X[:1])


def test_graph_of_many_columns_is_that_of_their_axes():
    rows = DIGITS[:200]
    axes = PCA(50, svd_solver="full").fit_transform(rows)
    (own,) = nearest_rows(rows)
    np.testing.assert_array_equal(own, brute_force(axes, axes))


def test_batches_are_pairs_of_neighbours():
    (graph,) = nearest_rows(X)
    pairs = Pairs(Rows(X), Rows(X), graph)

    def numbers(shuffle):
        torch.manual_seed(0)
        loader = Batches(pairs, 8, shuffle)
        batches = [inputs.numpy() for inputs, _ in loader]
        assert len(batches) == len(loader)
        return [(b[:, None] == X).all(2).argmax(1) for b in batches]

    for shuffle in (True, False):
        seen = []
        for batch in numbers(shuffle):
            rows, others = np.split(batch, 2)
            seen.extend(rows)
            assert all(j in graph[i] for i, j in zip(rows, others, strict=True))
        assert sorted(seen) == list(range(len(X)))
        assert (seen == sorted(seen)) is not shuffle
    drawn = [tuple(np.split(batch, 2)[1]) for batch in numbers(False)]
    torch.manual_seed(1)  # rows that judge always come with the same
    again = [inputs.numpy() for inputs, _ in Batches(pairs, 8)]
    again = [(b[:, None] == X).all(2).argmax(1) for b in again]
    assert drawn == [tuple(np.split(batch, 2)[1]) for batch in again]


def numpy_pair_losses(z):
    rows, partners = np.split(z, 2)
    kernel = 1 / (1 + ((rows[:, None] - partners[None]) ** 2).sum(2))
    own = np.diag(kernel)
    return -np.log(np.concatenate([own / kernel.sum(1), own / kernel.sum(0)]))


def test_pair_losses_and_their_gradient_are_those_of_numpy():
    z = X[:12].astype(float)
    codes = torch.tensor(z, requires_grad=True)
    losses = pair_losses(codes)
    np.testing.assert_allclose(losses.detach(), numpy_pair_losses(z), rtol=1e-12)
    np.testing.assert_allclose(pair_losses(torch.zeros(12, 2)), np.log(6), rtol=1e-6)
    losses.mean().backward()
    for i, j in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[i, j] = 1e-6
        ends = (numpy_pair_losses(z + s).mean() for s in (step, -step))
        slope = np.subtract(*ends) / 2e-6
        assert float(codes.grad[i, j]) == pytest.approx(slope, abs=1e-8)


def test_epochs_are_judged_by_reconstruction_and_neighbours():
    rows = DIGITS[:400]
    model = AutoencoderTransformer(
        2, neighbors=0.5, max_iter=0, batch_size=64, random_state=0
    )
    model.fit(rows)
    assert model.best_iter_ == 0
    # PCA's sum, by hand: it is what an epoch must beat.
    from sklearn_ae._engine.aside import split

    aside, train, *_ = split(rows, 40, model._fitted.split_seed)
    scaled = (rows - model.mean_) / model.scale_
    error = (model.reconstruct(rows[aside]) - rows[aside]) ** 2 / model.scale_**2
    axes = PCA(50, svd_solver="full").fit(scaled[train])
    graph = brute_force(*(axes.transform(scaled[each]) for each in (train, aside)))
    codes = model.transform(rows) / model.scale_
    least, most = [], []  # over the neighbours that may have been drawn, roughly
    rng = np.random.default_rng(0)
    for _ in range(200):
        partners = train[graph[np.arange(40), rng.integers(15, size=40)]]
        z = codes[np.r_[aside, partners]]
        sums = error.mean(1) + 0.5 * numpy_pair_losses(z)[:40]
        least.append(sums.mean())
    least, most = min(least), max(least)
    assert least < model.best_loss_ / model.scale_**2 < most


@pytest.mark.parametrize("early_stopping", [True, False])
def test_history_has_the_loss_of_pairs(early_stopping):
    # A linear autoencoder that hardly learns: what is noted adds up.
    model = AutoencoderTransformer(
        2,
        neighbors=0.5,
        init="random",
        max_iter=2,
        batch_size=16,
        early_stopping=early_stopping,
        random_state=0,
    ).fit(DIGITS[:300])
    names = {"train_neighbors", "valid_neighbors"}
    there = names & set(model.net_.history[-1])
    assert there == (names if early_stopping else {"train_neighbors"})
    for epoch in model.net_.history:
        assert 0 < epoch["train_neighbors"] < np.log(16)
        assert epoch["train_loss"] > 0.5 * epoch["train_neighbors"]
    plain = AutoencoderTransformer(2, max_iter=2, random_state=0).fit(DIGITS[:300])
    assert not names & set(plain.net_.history[-1])


def test_maps_keep_more_neighbours_than_plain_codes():
    found = {}
    for weight in (None, 1.0):
        model = AutoencoderTransformer(
            2, neighbors=weight, max_iter=25, batch_size=64, random_state=0
        )
        codes = model.fit(DIGITS[:1000]).transform(DIGITS)
        classifier = KNeighborsClassifier(5).fit(codes[:1000], Y[:1000])
        found[weight] = classifier.score(codes[1000:], Y[1000:])
        assert model.best_iter_ > 0
        assert model.score(DIGITS[1000:]) > 0.4  # of variance; PCA has 0.28
    assert found[1.0] > found[None] + 0.02
    assert found[1.0] > 0.8  # PCA has 0.6


def test_noise_comes_with_it_in_training_and_not_to_judge():
    def curves(**params):
        model = AutoencoderTransformer(2, early_stopping=False, **SHORT, **params)
        return model.fit(DIGITS[:200]).loss_curve_

    assert curves() == curves(noise="gaussian") != curves(noise=None)
    start = {"max_iter": 0, "random_state": 0, "neighbors": 1.0}
    judged = [
        AutoencoderTransformer(2, noise=noise, **start).fit(DIGITS[:200]).best_loss_
        for noise in ("auto", None, "gaussian")
    ]
    assert judged[0] == judged[1] != judged[2]
    plain = AutoencoderTransformer(2, max_iter=2, random_state=0)
    curve = plain.fit(DIGITS[:200]).loss_curve_
    assert curve == plain.set_params(noise=None).fit(DIGITS[:200]).loss_curve_


def test_data_in_a_range_are_disturbed_by_a_share_of_it():
    rows = DIGITS[:200] / 20 + 0.1  # from 0.1 to 0.9
    curves = [
        AutoencoderTransformer(
            2, loss="binary_cross_entropy", early_stopping=False, **SHORT, **noise
        )
        .fit(rows)
        .loss_curve_
        for noise in ({}, {"noise": "gaussian", "noise_level": 0.15 * 0.8})
    ]
    np.testing.assert_allclose(*curves, rtol=1e-5)


def test_counts_are_hidden_rather_than_shifted_below_zero():
    rows = np.random.default_rng(0).poisson(3.0, size=(60, 8)).astype(float)
    curves = [
        AutoencoderTransformer(
            2, loss="poisson", noise=noise, early_stopping=False, **SHORT
        )
        .fit(rows)
        .loss_curve_
        for noise in ("auto", "masking")
    ]
    assert curves[0] == curves[1]
    assert np.isfinite(curves[0]).all()


def test_maps_have_wide_networks_large_batches_and_more_steps():
    wide = AutoencoderTransformer(2, neighbors=1.0, max_iter=0).fit(DIGITS[:300])
    assert 512 in {len(p) for p in wide.net_.module_.parameters()}
    assert wide.net_.batch_size == 270 // 3
    model = AutoencoderTransformer(2, neighbors=1.0)
    plan = Plan.of(model, 18_000, ordered=False, one_pass=False)
    assert plan.batch_size == 512
    plain = AutoencoderTransformer(2)
    assert plan.n_epochs > Plan.of(plain, 18_000, False, False).n_epochs
    # A pass of `partial_fit` would have no more than three steps.
    passes = [Plan.of(each, 100, False, True).batch_size for each in (model, plain)]
    assert passes == [16, 16]


def test_noise_is_no_reason_to_leave_pca():
    rows = np.random.default_rng(0).normal(size=(600, 10))
    model = AutoencoderTransformer(2, neighbors=1e-6, random_state=0).fit(rows)
    assert model.best_iter_ == 0
    pca = PCA(2, svd_solver="full").fit(rows)
    np.testing.assert_allclose(
        model.reconstruct(rows), pca.inverse_transform(pca.transform(rows)), atol=1e-5
    )


@pytest.mark.parametrize(
    "estimator",
    [
        AutoencoderTransformer(2, noise="gaussian", penalty="l1"),
        AutoencoderTransformer(2, loss="multinomial"),
        AutoencoderTransformer(2, precision="bfloat16", validation_rows="last"),
        ConvolutionalAutoencoder(2, filters=(4,)),
        VariationalAutoencoder(2),
        AdversarialAutoencoder(2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_all_estimators_take_it_and_equal_seeds_give_equal_fits(estimator):
    rows = DIGITS[:120] + 0.5
    models = [clone(estimator).set_params(**SHORT).fit(rows) for _ in range(2)]
    codes = [model.transform(rows) for model in models]
    np.testing.assert_array_equal(*codes)
    assert "train_neighbors" in models[0].net_.history[-1]
    without = clone(estimator).set_params(**{**SHORT, "neighbors": None}).fit(rows)
    assert without.loss_curve_ != models[0].loss_curve_
    models[0].set_params(warm_start=True).fit(rows)
    assert models[0].n_iter_ == 6


def test_counts_are_neighbours_by_what_is_read_of_them():
    rows = np.random.default_rng(0).poisson(3.0, size=(60, 8)).astype(float)
    model = AutoencoderTransformer(2, loss="poisson", early_stopping=False, **SHORT)
    seen = {}

    class Look:
        def on_train_begin(self, net, X=None, **kwargs):
            seen["graph"] = X.graph

    from skorch.callbacks import Callback

    look = type("Look", (Callback,), {"on_train_begin": Look.on_train_begin})()
    model.set_params(callbacks=[look]).fit(rows)
    roots = np.sqrt(rows / rows.sum(1, keepdims=True))
    np.testing.assert_array_equal(seen["graph"], brute_force(roots, roots))


def test_sparse_rows_have_the_neighbours_of_dense_ones():
    rows = DIGITS[:200]
    codes = [
        AutoencoderTransformer(2, **SHORT).fit(table).transform(rows)
        for table in (rows, sparse.csr_array(rows))
    ]
    np.testing.assert_allclose(*codes, rtol=1e-2, atol=0.05)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_chunks_have_neighbours_of_their_own(loss):
    model = AutoencoderTransformer(2, neighbors=1.0, loss=loss, random_state=0)
    for _ in range(3):
        for start in range(0, 400, 100):
            model.partial_fit(DIGITS[start : start + 100])
    losses = [epoch["train_neighbors"] for epoch in model.net_.history]
    assert 0 < losses[-1] < 0.9 * np.log(16)  # of 16 pairs in a batch
    after = AutoencoderTransformer(2, loss=loss, random_state=0)
    after.partial_fit(DIGITS[:100])
    assert len(model.loss_curve_) == 12
    assert model.loss_curve_[0] > after.loss_curve_[0]
    with pytest.raises(ValueError, match="at least 2 rows to train on, got 1"):
        model.partial_fit(DIGITS[:1])


def test_no_rows_aside():
    model = AutoencoderTransformer(2, noise=None, early_stopping=False, **SHORT)
    model.fit(DIGITS[:200])
    assert model.best_iter_ == 3
    assert not model.validation_loss_curve_


def test_saved_maps_and_searches(tmp_path):
    model = AutoencoderTransformer(2, **SHORT).fit(DIGITS[:200])
    save(model, tmp_path / "map")
    again = load(tmp_path / "map")
    assert again.neighbors == 1.0
    np.testing.assert_array_equal(
        again.transform(DIGITS[:9]), model.transform(DIGITS[:9])
    )
    again.set_params(warm_start=True).fit(DIGITS[:200])
    model.set_params(warm_start=True).fit(DIGITS[:200])
    np.testing.assert_array_equal(
        again.transform(DIGITS[:9]), model.transform(DIGITS[:9])
    )
    search = GridSearchCV(
        AutoencoderTransformer(2, max_iter=2, random_state=0),
        {"neighbors": [None, 0.1]},
        cv=2,
    )
    assert search.fit(DIGITS[:100]).best_params_.keys() == {"neighbors"}


def test_checkpoints_go_on(tmp_path):
    from skorch.callbacks import Callback

    class Stop(Callback):
        epochs_only = True

        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise RuntimeError("the power is gone")

    params = {**SHORT, "max_iter": 4}
    whole = AutoencoderTransformer(2, **params).fit(DIGITS[:200])
    model = AutoencoderTransformer(2, checkpoint=tmp_path, **params)
    # It hears of an epoch before the checkpoint does, so two are run again.
    with pytest.raises(RuntimeError, match="power"):
        clone(model).set_params(callbacks=[Stop()]).fit(DIGITS[:200])
    model.fit(DIGITS[:200])
    np.testing.assert_array_equal(
        model.transform(DIGITS[:9]), whole.transform(DIGITS[:9])
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"neighbors": 0}, "'neighbors' parameter"),
        ({"ordered": True}, "set ordered=False"),
        ({"n_components": 0.9}, "set ordered=False"),
        ({"missing": "expect"}, "neighbors= takes no missing cells"),
        ({"validation_rows": "cells"}, "neighbors= takes no missing cells"),
        ({"batch_size": 1}, "set batch_size to 2 or more"),
    ],
)
def test_what_does_not_go_together_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        AutoencoderTransformer(**{"neighbors": 1.0, **params}).fit(X)


def test_tables_it_can_not_use_are_refused(monkeypatch):
    model = AutoencoderTransformer(neighbors=1.0)
    with pytest.raises(ValueError, match=r"\(NaN\), and neighbors= takes none: fill"):
        model.fit(np.where(X > 2, np.nan, X))
    with pytest.raises(ValueError, match="at least 2 rows to train on, got 1"):
        model.fit(X[:2])
    with pytest.raises(ValueError, match="ordered"):
        AutoencoderTransformerCV(estimator=model, cv=2).fit(X)
    monkeypatch.setattr(tables, "HELD_CELLS", 100)
    with pytest.raises(ValueError, match="fit on a sample of the rows"):
        model.fit(X)


def test_weights_are_those_of_pairs():
    rows, weights = DIGITS[:60], np.random.default_rng(0).uniform(0.5, 2.0, 60)
    (graph,) = nearest_rows(rows)
    held = Rows(rows, weights=weights)
    batch = Pairs(held, held, graph)[torch.arange(10)]
    np.testing.assert_allclose(batch.weights, np.tile(weights[:10] / weights.mean(), 2))
    model = AutoencoderTransformer(2, **SHORT)
    plain = model.fit(rows).loss_curve_
    assert model.fit(rows, sample_weight=weights).loss_curve_ != plain
