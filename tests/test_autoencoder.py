"""AutoencoderTransformer, and through it BaseAutoencoder."""

import copy
import inspect
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import subspace_angles
from sklearn import datasets
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_validate
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from skorch.callbacks import Callback, Checkpoint, EarlyStopping
from torch import nn

from sklearn_ae import AutoencoderTransformer
from sklearn_ae._engine.losses import LOSSES
from sklearn_ae._engine.plan import Plan, n_aside
from sklearn_ae.metrics import reconstruction_scorer

DIGITS = datasets.load_digits().data
IRIS = datasets.load_iris().data
CUDA = pytest.param("cuda", marks=pytest.mark.cuda)


def make(n_components=2, **params):
    """Make a small, quick one."""
    return AutoencoderTransformer(
        n_components,
        **{"hidden_layer_sizes": (32,), "max_iter": 5, "random_state": 0, **params},
    )


def unexplained(X, X_reconstructed, mean):
    return np.square(X - X_reconstructed).sum() / np.square(X - mean).sum()


# -- the start is PCA --


TABLES = {
    "digits": DIGITS,
    "iris": IRIS,
    "breast_cancer": datasets.load_breast_cancer().data,
    "wine": StandardScaler().fit_transform(datasets.load_wine().data),
    "wide": np.random.default_rng(0).normal(size=(30, 100)) + 5,
    # Where scikit-learn's PCA takes its randomized solver:
    "large": np.random.default_rng(0).normal(size=(600, 1200)),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("n_components", [1, 3])
@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_before_the_first_step_it_is_pca(table, n_components, device):
    X = TABLES[table]
    pca = PCA(n_components, random_state=0).fit(X)
    autoencoder = make(
        n_components, max_iter=0, device=device, out_activation="identity"
    ).fit(X)
    codes = pca.transform(X)
    unit = np.abs(X - X.mean(axis=0)).max()
    assert_allclose(autoencoder.transform(X), codes, atol=2e-6 * unit)
    assert_allclose(
        autoencoder.inverse_transform(codes),
        pca.inverse_transform(codes),
        atol=2e-6 * unit,
    )
    share = pca.explained_variance_ratio_.sum()
    assert autoencoder.score(X) == pytest.approx(share, abs=1e-6)
    assert autoencoder.n_iter_ == autoencoder.best_iter_ == 0


def test_binary_cross_entropy_starts_at_pca_within_its_range():
    X = DIGITS / 16
    pca = PCA(4, random_state=0).fit(X)
    autoencoder = make(4, max_iter=0, loss="binary_cross_entropy").fit(X)
    assert_allclose(autoencoder.transform(X), pca.transform(X), atol=1e-5)
    expected = pca.inverse_transform(pca.transform(X)).clip(1e-3, 1 - 1e-3)
    assert_allclose(autoencoder.reconstruct(X), expected, atol=1e-5)


def test_more_code_units_than_columns():
    autoencoder = make(7, max_iter=0).fit(IRIS)
    codes = autoencoder.transform(IRIS)
    assert_allclose(codes[:, :4], PCA().fit_transform(IRIS), atol=1e-5)
    assert (codes[:, 4:] == 0).all()
    assert_allclose(autoencoder.reconstruct(IRIS), IRIS, atol=1e-5)
    trained = make(7, max_iter=3, early_stopping=False, dropout=0.5).fit(IRIS)
    assert np.isfinite(trained.transform(IRIS)).all()


@pytest.mark.parametrize("n_rows", [2, 3, 5])
def test_a_handful_of_rows(n_rows):
    X = IRIS[:: 150 // n_rows][:n_rows]
    pca = PCA(1).fit(X)
    assert_allclose(make(1).fit(X).transform(X), pca.transform(X), atol=1e-5)


def test_more_code_units_than_rows():
    X = np.random.default_rng(0).normal(size=(8, 20))
    assert make(15).fit(X).transform(X).shape == (8, 15)


# -- never worse, and better where there is something to find --


def test_nothing_is_found_in_noise():
    X = np.random.default_rng(0).normal(size=(300, 10)) * np.arange(1, 11)
    autoencoder = AutoencoderTransformer(3, random_state=0).fit(X)
    assert autoencoder.best_iter_ == 0
    assert autoencoder.n_iter_ > 0
    pca = PCA(3).fit(X)
    assert_allclose(autoencoder.transform(X), pca.transform(X), atol=1e-4)


@pytest.mark.parametrize(("n_components", "at_most"), [(2, 0.75), (8, 0.6)])
def test_held_out_digits_are_explained_far_better_than_by_pca(n_components, at_most):
    train, test = DIGITS[:1300], DIGITS[1300:]
    pca = PCA(n_components).fit(train)
    autoencoder = AutoencoderTransformer(n_components, random_state=0).fit(train)
    ours = np.square(test - autoencoder.reconstruct(test)).sum()
    theirs = np.square(test - pca.inverse_transform(pca.transform(test))).sum()
    assert ours < at_most * theirs


@pytest.mark.parametrize("seed", range(3))
def test_a_small_table_does_not_fool_it(seed):
    """Without the t-test this ends at up to 1.5 times PCA's error."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(560, 3)) @ rng.normal(size=(3, 10))
    X += rng.normal(size=X.shape)
    train, test = X[:60], X[60:]
    params = {"n_iter_no_change": None, "learning_rate_init": 0.01}
    autoencoder = AutoencoderTransformer(2, random_state=seed, **params).fit(train)
    pca = PCA(2).fit(train)
    ours = np.square(test - autoencoder.reconstruct(test)).sum()
    theirs = np.square(test - pca.inverse_transform(pca.transform(test))).sum()
    assert ours < 1.02 * theirs


@pytest.mark.parametrize(("n_rows", "n_iter"), [(20, 1), (31, 1), (32, 5)])
def test_tables_too_small_to_judge_stay_at_pca(n_rows, n_iter):
    X = datasets.make_swiss_roll(n_rows, random_state=0)[0]
    autoencoder = make(1).fit(X)
    assert autoencoder.n_iter_ == n_iter
    if n_iter == 1:
        assert_allclose(autoencoder.transform(X), PCA(1).fit_transform(X), atol=1e-5)


@pytest.mark.parametrize("early_stopping", [True, False])
def test_losses_of_the_kept_weights(early_stopping):
    autoencoder = make(4, early_stopping=early_stopping, max_iter=30).fit(DIGITS)
    curve, valid = autoencoder.loss_curve_, autoencoder.validation_loss_curve_
    assert len(curve) == autoencoder.n_iter_ == 30
    assert autoencoder.loss_ == curve[-1]
    assert autoencoder.best_iter_ > 0
    if early_stopping:
        assert len(valid) == 30
        assert valid[autoencoder.best_iter_ - 1] == min(valid)
        assert autoencoder.best_loss_ == pytest.approx(min(valid), rel=1e-6)
    else:
        assert valid == []
        # The kept weights' loss on the training rows, which are all rows.
        assert autoencoder.best_loss_ == pytest.approx(
            autoencoder.reconstruction_error_, rel=1e-5
        )
    error = np.square(DIGITS - autoencoder.reconstruct(DIGITS)).mean()
    assert autoencoder.reconstruction_error_ == pytest.approx(error)


def test_it_stops_when_nothing_improves():
    X = np.random.default_rng(0).normal(size=(200, 5))
    assert make(n_iter_no_change=3, max_iter=100).fit(X).n_iter_ < 20
    assert make(n_iter_no_change=None, max_iter=40).fit(X).n_iter_ == 40
    # The first epoch is an improvement; none after it is by 99 %.
    assert make(n_iter_no_change=3, max_iter=40, tol=0.99).fit(DIGITS).n_iter_ == 4


@pytest.mark.parametrize("init", ["pca", "random"])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_divergence_restores_the_best_weights_and_warns(init, early_stopping):
    autoencoder = make(
        init=init,
        early_stopping=early_stopping,
        optimizer="sgd",
        learning_rate_init=1e9,
        max_iter=20,
    )
    with pytest.warns(ConvergenceWarning, match="Try a smaller learning_rate_init"):
        autoencoder.fit(DIGITS)
    assert np.isfinite(autoencoder.reconstruct(DIGITS)).all()
    assert np.isfinite(autoencoder.best_loss_)
    if init == "pca":
        assert autoencoder.score(DIGITS) >= 0.285  # PCA's


# -- special cases with known answers --


def test_a_linear_autoencoder_spans_the_subspace_of_pca():
    """Baldi and Hornik (1989)."""
    X = IRIS
    pca = PCA(2).fit(X)
    autoencoder = AutoencoderTransformer(
        2,
        hidden_layer_sizes=(),
        init="random",
        early_stopping=False,
        alpha=0.0,
        learning_rate_init=0.05,
        max_iter=600,
        random_state=0,
    ).fit(X)
    assert autoencoder.score(X) == pytest.approx(
        pca.explained_variance_ratio_.sum(), abs=1e-4
    )
    decoder = autoencoder.net_.module_.decode[0].weight.detach().numpy()
    assert subspace_angles(decoder, pca.components_.T).max() < 0.1


LOSS_BY_HAND = {
    "squared_error": lambda d, unit: d**2,
    "absolute_error": lambda d, unit: np.abs(d),
    "huber": lambda d, unit: np.where(
        np.abs(d) < unit, d**2 / 2, unit * (np.abs(d) - unit / 2)
    ),
}


@pytest.mark.parametrize("loss", LOSS_BY_HAND)
def test_losses_are_in_the_units_of_the_data(loss):
    X = 100 * DIGITS
    autoencoder = make(
        4,
        loss=loss,
        max_iter=0,
        early_stopping=False,
        out_activation="identity",
    ).fit(X)
    difference = X - PCA(4).fit(X).inverse_transform(PCA(4).fit_transform(X))
    by_hand = LOSS_BY_HAND[loss](difference, autoencoder.scale_).mean()
    assert autoencoder.best_loss_ == pytest.approx(by_hand, rel=1e-4)


def test_binary_cross_entropy_by_hand():
    X = DIGITS / 16
    autoencoder = make(4, loss="binary_cross_entropy", max_iter=5, early_stopping=False)
    p = autoencoder.fit(X).reconstruct(X)
    assert p.min() >= 0
    assert p.max() <= 1
    by_hand = -(X * np.log(p) + (1 - X) * np.log(1 - p)).mean()
    assert autoencoder.best_loss_ == pytest.approx(by_hand, rel=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_is_lowest_where_it_is_minimised(loss):
    X = DIGITS / 16
    errors = {}
    for trained in (loss, "squared_error"):
        params = {"out_activation": "auto", "max_iter": 40, "random_state": 0}
        if trained == "squared_error":  # whose clip would help by other means
            params["out_activation"] = "identity"
        model = AutoencoderTransformer(4, loss=trained, **params)
        p = model.fit(X).reconstruct(X)
        if loss == "binary_cross_entropy":
            p = p.clip(1e-3, 1 - 1e-3)
            errors[trained] = -(X * np.log(p) + (1 - X) * np.log(1 - p)).mean()
        elif LOSSES[loss].counts:
            errors[trained] = mean_poisson_deviance(X.ravel(), p.ravel().clip(1e-3))
        else:
            errors[trained] = LOSS_BY_HAND[loss](X - p, 0.35).mean()
    assert errors[loss] <= 1.02 * errors["squared_error"]


def test_min_max_scaled_data_overshoot_by_rounding():
    X = MinMaxScaler().fit_transform(TABLES["breast_cancer"].astype(np.float32))
    assert X.max() > 1
    assert make(loss="binary_cross_entropy").fit(X).score(X) > 0.5


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_binary_cross_entropy_refuses_other_data(bad):
    X = DIGITS / 16
    X[3, 4] = bad
    with pytest.raises(ValueError, match=r"needs X in \[0, 1\].*scale X first"):
        make(loss="binary_cross_entropy").fit(X)


# -- units, types, containers --


@pytest.mark.parametrize("unit", [1e-150, 1e-30, 1e-12, 1e12, 1e30])
def test_the_unit_of_the_data_does_not_matter(unit):
    one = make(max_iter=10).fit(DIGITS)
    other = make(max_iter=10).fit(DIGITS * unit)
    assert other.score(DIGITS * unit) == pytest.approx(one.score(DIGITS), abs=1e-3)
    assert_allclose(
        other.transform(DIGITS * unit) / unit, one.transform(DIGITS), atol=0.5
    )


def test_mixed_units_keep_the_objective_of_pca():
    X = IRIS * [1e-12, 1.0, 1e6, 1e12]
    pca = PCA(1).fit(X)
    autoencoder = make(1).fit(X)
    left = unexplained(X, autoencoder.reconstruct(X), X.mean(axis=0))
    assert left <= 1.02 * (1 - pca.explained_variance_ratio_.sum()) + 1e-12
    assert np.isfinite(autoencoder.transform(X)).all()


def test_a_large_mean_beside_a_small_spread():
    X = IRIS + 1e6
    share = PCA(2).fit(IRIS).explained_variance_ratio_.sum()
    assert make(max_iter=0).fit(X).score(X) == pytest.approx(share, abs=1e-5)


@pytest.mark.parametrize("value", [3.0, 0.1, 1e12 / 3, 1e-310])
@pytest.mark.parametrize("n_rows", [10, 50])
def test_constant_data(value, n_rows):
    X = np.full((n_rows, 4), value)
    autoencoder = make().fit(X)
    assert_array_equal(autoencoder.reconstruct(X), X)
    assert autoencoder.score(X) == 1.0
    assert autoencoder.scale_ == 1.0
    assert autoencoder.score(X + np.array([1, 2, 3, 4])) < 1


def test_values_too_large_to_square():
    with pytest.raises(ValueError, match="too large to be squared"):
        make().fit(IRIS * 1e200)


@pytest.mark.parametrize("method", ["transform", "score", "score_samples"])
@pytest.mark.parametrize("unit", [1e-100, 1.0, 1e100])
def test_rows_too_large_to_square(method, unit):
    autoencoder = make(max_iter=0).fit(IRIS * unit)
    with pytest.raises(ValueError, match="times as large as the training data's"):
        getattr(autoencoder, method)(IRIS * 1e200)


def test_codes_too_large_for_float32():
    autoencoder = make(max_iter=0).fit(IRIS * 1e-20)
    with pytest.raises(ValueError, match="too large for float32"):
        autoencoder.inverse_transform(np.full((1, 2), 1e28, np.float32))


def test_float32_rows_whose_squares_are_no_float32():
    autoencoder = make(max_iter=0).fit(IRIS)
    far = IRIS.astype(np.float32) * np.float32(1e25)
    assert -1e300 < autoencoder.score_samples(far).min() < -1e45
    assert np.isfinite(autoencoder.score(far))
    constant = np.full((5, 3), 1e26, np.float32)
    assert make(max_iter=0).fit(constant).score(constant) == 1.0


@pytest.mark.parametrize("callbacks", [["nonsense"], [1, [2]], [None], [()]])
def test_callbacks_that_are_none(callbacks):
    with pytest.raises(TypeError, match="callbacks must hold skorch callbacks"):
        make(callbacks=callbacks).fit(IRIS)


@pytest.mark.parametrize("method", ["transform", "reconstruct"])
def test_rows_too_far_out_for_float32(method):
    X = IRIS.astype(np.float32)
    autoencoder = make(max_iter=0).fit(X * np.float32(1e-6))
    with pytest.raises(ValueError, match="times as large as the training data's"):
        getattr(autoencoder, method)(X * np.float32(1e37))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float16, np.float64),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.int64, np.float64),
        (np.uint8, np.float64),
        (bool, np.float64),
    ],
)
def test_dtypes(dtype, expected):
    X = (DIGITS > 5 if dtype is bool else DIGITS).astype(dtype)
    autoencoder = make().fit(X)
    codes = autoencoder.transform(X)
    assert codes.dtype == expected
    assert autoencoder.inverse_transform(codes).dtype == expected
    assert autoencoder.reconstruct(X).dtype == expected
    X = X.astype(float)
    assert autoencoder.score(X) == pytest.approx(make().fit(X).score(X), abs=1e-3)


@pytest.fixture
def readonly_memmap(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, DIGITS)
    return np.load(path, mmap_mode="r")


def test_containers_give_the_same_fit(readonly_memmap):
    pl = pytest.importorskip("polars")
    expected = make().fit(DIGITS).transform(DIGITS)
    names = [f"pixel{i}" for i in range(64)]
    for X in (
        readonly_memmap,
        np.asfortranarray(DIGITS),
        DIGITS.tolist(),
        pd.DataFrame(DIGITS, columns=names),
        pl.DataFrame(DIGITS, schema=names),
    ):
        assert_allclose(make().fit(X).transform(X), expected, rtol=1e-9)


def test_the_data_are_not_written_to():
    X = DIGITS.copy()
    make(3).fit(X).reconstruct(X)
    assert_array_equal(X, DIGITS)


@pytest.mark.parametrize("y", [["a", "b"] * 75, list(range(150)), None, "nonsense"])
def test_y_is_ignored(y):
    expected = make().fit(IRIS).transform(IRIS)
    assert_array_equal(make().fit(IRIS, y).transform(IRIS), expected)
    assert_array_equal(make().fit_transform(IRIS, y), expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(container):
    frame = pytest.importorskip(container).DataFrame
    autoencoder = make(3).set_output(transform=container).fit(IRIS)
    codes = autoencoder.transform(IRIS)
    assert isinstance(codes, frame)
    expected = [f"autoencodertransformer{i}" for i in range(3)]
    assert list(codes.columns) == expected
    assert autoencoder.get_feature_names_out().tolist() == expected
    X = autoencoder.inverse_transform(codes)  # takes what transform gave
    assert_allclose(X, autoencoder.reconstruct(IRIS), rtol=1e-6)


# -- code and back --


def test_the_methods_agree():
    train, test = DIGITS[:1000], DIGITS[1000:]
    autoencoder = make(5).fit(train)
    reconstruction = autoencoder.inverse_transform(autoencoder.transform(test))
    assert_allclose(autoencoder.reconstruct(test), reconstruction, rtol=1e-6)
    squares = np.square(test - reconstruction)
    assert_allclose(autoencoder.score_samples(test), -squares.sum(axis=1), rtol=1e-6)
    total = np.square(test - train.mean(axis=0)).sum()
    assert autoencoder.score(test) == pytest.approx(1 - squares.sum() / total)


def test_chunks_change_nothing(monkeypatch):
    autoencoder = make(5).fit(DIGITS)
    whole = autoencoder.transform(DIGITS), autoencoder.score_samples(DIGITS)
    monkeypatch.setattr("sklearn_ae._engine.tables.CHUNK_CELLS", 64 * 100)
    assert_allclose(autoencoder.transform(DIGITS), whole[0], rtol=1e-12)
    assert_allclose(autoencoder.score_samples(DIGITS), whole[1], rtol=1e-9)


def test_dropout_is_off_in_transform():
    autoencoder = make(dropout=0.5, early_stopping=False).fit(DIGITS)
    assert autoencoder.net_.module_.training is False
    assert_array_equal(autoencoder.transform(DIGITS), autoencoder.transform(DIGITS))
    without = make(early_stopping=False).fit(DIGITS)
    assert autoencoder.loss_ > without.loss_  # dropout was on in training


def test_codes_of_another_width_are_refused():
    autoencoder = make(3).fit(IRIS)
    with pytest.raises(ValueError, match=r"X has 2 columns, but the codes .* have 3"):
        autoencoder.inverse_transform(np.zeros((5, 2)))


@pytest.mark.parametrize(
    "method",
    ["transform", "inverse_transform", "reconstruct", "score_samples", "score"],
)
def test_before_fit(method):
    with pytest.raises(NotFittedError):
        getattr(make(), method)(IRIS)


# -- determinism and manners --


def weights(autoencoder):
    return [p.detach().cpu().numpy() for p in autoencoder.net_.module_.parameters()]


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_one_seed_one_fit(device):
    params = {"dropout": 0.1, "max_iter": 10, "device": device}
    first, second = (make(**params).fit(DIGITS) for _ in range(2))
    for a, b in zip(weights(first), weights(second), strict=True):
        assert_array_equal(a, b)
    assert first.loss_curve_ == second.loss_curve_
    other = make(**{**params, "random_state": 1}).fit(DIGITS)
    assert other.loss_curve_ != first.loss_curve_


def test_random_state_may_be_a_generator():
    first = make(random_state=np.random.RandomState(3)).fit(IRIS)
    second = make(random_state=np.random.RandomState(3)).fit(IRIS)
    assert_array_equal(first.transform(IRIS), second.transform(IRIS))


def test_without_a_random_state_numpys_global_generator_is_read_once():
    first, second, third = (make(random_state=None) for _ in range(3))
    np.random.seed(3)  # noqa: NPY002
    first.fit(IRIS)
    second.fit(IRIS)
    position = np.random.get_state()[2]  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    third.fit(IRIS)
    assert_array_equal(third.transform(IRIS), first.transform(IRIS))
    assert second.loss_curve_ != first.loss_curve_
    np.random.randint(2**31)  # noqa: NPY002
    assert np.random.get_state()[2] == position  # noqa: NPY002
    other = np.random.RandomState(3)
    fitted = make(random_state=other).fit(IRIS)
    assert_array_equal(fitted.transform(IRIS), first.transform(IRIS))


class Raise(Callback):
    def __init__(self, error):
        self.error = error

    def on_batch_end(self, net, **kwargs):
        raise self.error


@pytest.mark.parametrize("random_state", [None, 0])
@pytest.mark.parametrize("error", [None, ValueError("mine"), KeyboardInterrupt()])
def test_global_state_is_as_before(random_state, error):
    def state():
        numpys = np.random.get_state()[1:3]  # noqa: NPY002
        denormal = torch.tensor(1e-310, dtype=torch.float64) * 1.0
        return (
            torch.get_rng_state().tolist(),
            # None reads it, as in scikit-learn.
            (numpys[0].tolist(), numpys[1]) if random_state == 0 else None,
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            denormal.item(),
        )

    torch.set_default_dtype(torch.float64)
    before = state()
    autoencoder = make(random_state=random_state, callbacks=error and [Raise(error)])
    try:
        if isinstance(error, ValueError):
            with pytest.raises(ValueError, match="mine"):
                autoencoder.fit(IRIS)
        elif error:
            with (
                pytest.warns(ConvergenceWarning, match="interrupted in epoch 1 of 5"),
                pytest.raises(KeyboardInterrupt),
            ):
                autoencoder.fit(IRIS)
            assert autoencoder.best_iter_ == 0  # fitted, all the same
            assert np.isfinite(autoencoder.transform(IRIS)).all()
        else:
            autoencoder.fit(IRIS).reconstruct(IRIS)
        assert state() == before
    finally:
        torch.set_default_dtype(torch.float32)


def test_ctrl_c_ends_a_search_too():
    grid = {"n_components": [1, 2]}
    search = GridSearchCV(make(callbacks=[Raise(KeyboardInterrupt())]), grid, cv=2)
    with (
        pytest.warns(ConvergenceWarning, match="interrupted"),
        pytest.raises(KeyboardInterrupt),
    ):
        search.fit(IRIS)


class End(Callback):
    """Ends training after some epochs, as EarlyStopping does."""

    def __init__(self, after):
        self.after = after

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("after", [1, 3])
def test_the_epoch_that_a_callback_ends_is_judged(early_stopping, after):
    params = {"early_stopping": early_stopping, "hidden_layer_sizes": (128,)}
    autoencoder = make(4, callbacks=[End(after)], max_iter=50, **params).fit(DIGITS)
    assert autoencoder.n_iter_ == autoencoder.best_iter_ == after
    if early_stopping:
        best = autoencoder.validation_loss_curve_[-1]
        assert autoencoder.best_loss_ == pytest.approx(best, rel=1e-6)
    start = make(4, max_iter=0, **params).fit(DIGITS)
    assert autoencoder.score(DIGITS) > start.score(DIGITS)


def test_fits_in_threads_are_those_of_one_after_the_other():
    def score(seed):
        params = {"early_stopping": False, "random_state": seed}
        return make(4, dropout=0.1, **params).fit(DIGITS).score(DIGITS)

    torch.set_default_dtype(torch.float64)
    try:
        before = torch.get_rng_state()
        alone = [score(seed) for seed in (0, 1)]
        threads = joblib.Parallel(n_jobs=3, backend="threading")
        assert threads(joblib.delayed(score)(i) for i in (0, 1, 0, 1)) == alone * 2
        assert torch.get_default_dtype() == torch.float64
        assert torch.equal(torch.get_rng_state(), before)
    finally:
        torch.set_default_dtype(torch.float32)


def test_fit_inside_inference_mode():
    with torch.inference_mode():
        codes = make().fit(IRIS).transform(IRIS)
    assert_array_equal(codes, make().fit(IRIS).transform(IRIS))


def test_warnings_point_at_the_caller():
    with pytest.warns(ConvergenceWarning) as caught:
        make(optimizer="sgd", learning_rate_init=1e9).fit(DIGITS)
    assert caught[0].filename == __file__


def test_weights_changed_by_hand_count_for_float64_too():
    autoencoder = make().fit(IRIS)
    codes = autoencoder.transform(IRIS)
    with torch.no_grad():
        autoencoder.net_.module_.encode_linear.bias.add_(1.0)
    moved = autoencoder.transform(IRIS)
    assert_allclose(moved, codes + autoencoder.scale_, rtol=1e-6)


def test_a_subclass_that_takes_no_other_parameters():
    class Three(AutoencoderTransformer):
        def __init__(self, k=3):
            super().__init__(k)
            self.k = k

    assert clone(Three(2)).k == 2


def test_a_failed_fit_changes_nothing():
    autoencoder = make().fit(IRIS)
    codes = autoencoder.transform(IRIS)
    autoencoder.set_params(callbacks=[Raise(RuntimeError("mine"))])
    for method in (autoencoder.fit, autoencoder.partial_fit):
        with pytest.raises(RuntimeError, match="mine"):
            method(DIGITS if method == autoencoder.fit else IRIS)
        assert autoencoder.n_features_in_ == 4
        assert_array_equal(autoencoder.transform(IRIS), codes)
    fresh = make(callbacks=[Raise(RuntimeError("mine"))])
    with pytest.raises(RuntimeError, match="mine"):
        fresh.fit(IRIS)
    with pytest.raises(NotFittedError):
        fresh.transform(IRIS)


@pytest.mark.parametrize("verbose", [0, 1])
def test_output_only_when_asked_for(verbose, capsys):
    make(verbose=verbose).fit(DIGITS)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert ("train_loss" in printed.out) == bool(verbose)
    assert printed.out.count("\n") == (7 if verbose else 0)  # two of heading


def test_pickle_joblib_clone_deepcopy(tmp_path):
    unfitted = make(3, optimizer__betas=(0.8, 0.9))
    fitted = clone(unfitted).fit(IRIS)
    codes = fitted.transform(IRIS)
    path = tmp_path / "autoencoder.joblib"

    def through_joblib(estimator):
        joblib.dump(estimator, path)
        return joblib.load(path)

    ways = [
        lambda e: pickle.loads(pickle.dumps(e)),
        through_joblib,
        copy.deepcopy,
    ]
    for way in ways:
        assert way(unfitted).get_params() == unfitted.get_params()
        other = way(fitted)
        assert_array_equal(other.transform(IRIS), codes)
        assert_array_equal(
            other.transform(IRIS.astype("f")), fitted.transform(IRIS.astype("f"))
        )
        other.partial_fit(IRIS)  # goes on
    assert clone(fitted).get_params() == unfitted.get_params()


@pytest.mark.cuda
def test_a_model_from_cuda_works_without(monkeypatch):
    fitted = make(device="cuda").fit(IRIS)
    dumped = pickle.dumps(fitted)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    other = pickle.loads(dumped)
    assert_allclose(other.transform(IRIS), fitted.transform(IRIS), atol=1e-5)


def test_a_pickle_holds_no_rows():
    X = np.random.default_rng(0).normal(size=(20_000, 16))
    assert len(pickle.dumps(make().fit(X))) < X.nbytes / 20


# -- going on --


def test_partial_fit_goes_on():
    chunks = np.array_split(np.random.default_rng(0).permutation(DIGITS), 4)
    autoencoder = make(4, hidden_layer_sizes=(128,))
    scores = []
    for _ in range(10):
        for chunk in chunks:
            autoencoder.partial_fit(chunk)
        scores.append(autoencoder.score(DIGITS))
    assert autoencoder.n_iter_ == len(autoencoder.loss_curve_) == 40
    assert scores[-1] > scores[0] + 0.02
    assert scores[-1] > PCA(4).fit(DIGITS).explained_variance_ratio_.sum() + 0.1
    assert_allclose(autoencoder.mean_, chunks[0].mean(axis=0))
    again = make(4, hidden_layer_sizes=(128,))
    for _ in range(2):
        for chunk in chunks:
            again.partial_fit(chunk)
    assert again.score(DIGITS) == scores[1]


def test_partial_fit_after_fit_keeps_what_was_learnt():
    autoencoder = make(4, max_iter=20).fit(DIGITS)
    before, n_iter = autoencoder.score(DIGITS), autoencoder.n_iter_
    autoencoder.set_params(learning_rate_init=1e-5).partial_fit(DIGITS)
    assert autoencoder.n_iter_ == n_iter + 1
    assert autoencoder.score(DIGITS) == pytest.approx(before, abs=0.01)


def test_partial_fit_takes_a_single_row_once_started():
    autoencoder = make().partial_fit(IRIS)
    assert autoencoder.partial_fit(IRIS[:1]).n_iter_ == 2


def test_partial_fit_keeps_momenta_and_takes_a_new_optimizer():
    def n_steps(autoencoder):
        state = autoencoder.net_.optimizer_.state_dict()["state"]
        return int(state[0]["step"])

    autoencoder = make(batch_size=50).partial_fit(IRIS).partial_fit(IRIS)
    assert n_steps(autoencoder) == 6
    autoencoder.set_params(optimizer="sgd", optimizer__momentum=0.9).partial_fit(IRIS)
    autoencoder = clone(autoencoder).set_params(optimizer="adam")
    del autoencoder.optimizer__momentum
    assert n_steps(autoencoder.partial_fit(IRIS)) == 3


def test_partial_fit_survives_divergence():
    autoencoder = make(optimizer="sgd").partial_fit(DIGITS)
    codes = autoencoder.transform(DIGITS)
    autoencoder.set_params(learning_rate_init=1e9)
    with pytest.warns(ConvergenceWarning, match="Try a smaller learning_rate_init"):
        autoencoder.partial_fit(DIGITS)
    assert_array_equal(autoencoder.transform(DIGITS), codes)


def test_warm_start_goes_on():
    autoencoder = make(4, warm_start=True, max_iter=5).fit(DIGITS)
    first = autoencoder.score(DIGITS)
    assert autoencoder.best_iter_ == 5
    autoencoder.fit(DIGITS)
    assert autoencoder.n_iter_ == len(autoencoder.loss_curve_) == 10
    assert autoencoder.score(DIGITS) > first + 0.01
    cold = make(4, max_iter=5).fit(DIGITS).fit(DIGITS)
    assert cold.score(DIGITS) == first


def test_going_on_with_other_parameters_is_refused():
    autoencoder = make(warm_start=True).fit(IRIS / 10)
    codes = autoencoder.transform(IRIS)
    for params, message in (
        ({"n_components": 3}, "n_components has changed since the last fit, to 3"),
        ({"loss": "binary_cross_entropy"}, "loss has changed since the last fit"),
        ({"hidden_layer_sizes": (7,)}, r"hidden_layer_sizes has changed .* to \(7,\)"),
        ({"activation": "tanh"}, "activation has changed since the last fit"),
        ({"init": "random"}, "has changed since the last fit"),
    ):
        changed = copy.deepcopy(autoencoder).set_params(**params)
        for method in (changed.fit, changed.partial_fit):
            with pytest.raises(ValueError, match=message):
                method(IRIS / 10)
        # set_params is for the next fit: what was fitted stays what it was.
        assert_array_equal(changed.transform(IRIS), codes)
        assert changed.set_params(warm_start=False).fit(IRIS / 10).n_iter_ == 5


def test_a_warm_start_that_finds_nothing_stays():
    X = np.random.default_rng(0).normal(size=(300, 5))
    autoencoder = make(warm_start=True, learning_rate_init=0.5, max_iter=3).fit(X)
    assert autoencoder.best_iter_ == 0
    codes = autoencoder.transform(X)
    assert autoencoder.fit(X).best_iter_ == 0
    assert autoencoder.n_iter_ == 6
    assert_array_equal(autoencoder.transform(X), codes)
    assert autoencoder.fit(X[:1]).n_iter_ > 6  # a single row will do


# -- parameters --


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 0}, "The 'n_components' parameter of AutoencoderTransformer"),
        ({"loss": "mse"}, "The 'loss' parameter .* Got 'mse' instead"),
        ({"activation": "sigmoid"}, "The 'activation' parameter .* Got 'sigmoid'"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must hold whole numbers"),
        ({"hidden_layer_sizes": (2.5,)}, "hidden_layer_sizes must hold whole numbers"),
        ({"hidden_layer_sizes": "big"}, "The 'hidden_layer_sizes' parameter"),
        ({"dropout": 1.0}, "The 'dropout' parameter"),
        ({"alpha": -1}, "The 'alpha' parameter"),
        ({"batch_size": 0}, "The 'batch_size' parameter"),
        ({"max_iter": -1}, "The 'max_iter' parameter"),
        ({"validation_fraction": 1.0}, "The 'validation_fraction' parameter"),
        ({"optimizer": "adamax"}, "The 'optimizer' parameter"),
        ({"device": "toaster"}, "The 'device' parameter must be 'auto' or a device"),
        ({"init": "zeros"}, "The 'init' parameter"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(IRIS)


def test_unknown_parameters_are_refused():
    with pytest.raises(TypeError, match="unknown parameter 'n_component'"):
        AutoencoderTransformer(n_component=3)
    with pytest.raises(ValueError, match="Invalid parameter 'n_component'"):
        AutoencoderTransformer().set_params(n_component=3)


@pytest.mark.parametrize(
    ("params", "decay"),
    [
        ({}, 0.1),
        ({"optimizer": torch.optim.AdamW}, 0.1),
        ({"optimizer": "adam"}, 0.01),
        ({"optimizer": "sgd"}, 0.01),
        ({"alpha": 0.0}, 0.0),
        ({"optimizer": "sgd", "alpha": 0.2}, 0.2),
    ],
)
def test_weight_decay_is_larger_apart_from_the_gradient(params, decay):
    model = make(early_stopping=False, max_iter=1, **params).fit(IRIS)
    assert model.net_.optimizer_.param_groups[0]["weight_decay"] == decay


def test_parameters_with_a_prefix_reach_skorch():
    scores = [
        make(early_stopping=False, **params).fit(DIGITS).score(DIGITS)
        for params in ({"optimizer__lr": 0.01}, {"learning_rate_init": 0.01}, {})
    ]
    assert scores[0] == scores[1] != scores[2]
    autoencoder = make(optimizer="sgd", optimizer__momentum=0.7, loss="huber")
    autoencoder.set_params(criterion__delta=0.3).fit(IRIS)
    assert autoencoder.net_.optimizer_.param_groups[0]["momentum"] == 0.7
    assert autoencoder.net_.criterion_.criterion.delta == 0.3
    assert clone(autoencoder).get_params()["criterion__delta"] == 0.3
    grid = {"optimizer__momentum": [0.0, 0.9]}
    model = make(optimizer="sgd", learning_rate_init=0.1, early_stopping=False)
    search = GridSearchCV(model, grid, cv=2).fit(DIGITS)
    assert search.best_params_ == {"optimizer__momentum": 0.9}


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", torch.optim.RMSprop])
def test_optimizers_learn(optimizer):
    lr = 0.1 if optimizer == "sgd" else 1e-3
    autoencoder = make(
        4, optimizer=optimizer, learning_rate_init=lr, alpha=0.003, max_iter=10
    ).fit(DIGITS)
    assert autoencoder.best_iter_ > 0
    group = autoencoder.net_.optimizer_.param_groups[0]
    assert group["weight_decay"] == 0.003
    cls = optimizer if inspect.isclass(optimizer) else torch.optim.Optimizer
    assert isinstance(autoencoder.net_.optimizer_, cls)


def test_auto_sizes():
    autoencoder = AutoencoderTransformer(max_iter=0, random_state=0)
    for rows, columns, widths in (
        (1001, 200, (256, 128)),
        (1001, 201, (512, 256)),
        (1000, 201, (128, 64)),
    ):
        module = autoencoder.fit(np.eye(rows, columns)).net_.module_
        encoder = module.network.encode
        assert (encoder[0].out_features, encoder[2].out_features) == widths


@pytest.mark.parametrize("n_rows", [2, 3, 10, 50])
def test_validation_takes_all_rows_but_one_at_most(n_rows):
    autoencoder = make(1, validation_fraction=0.99).fit(IRIS[:n_rows])
    assert np.isfinite(autoencoder.loss_)
    assert n_aside(autoencoder, IRIS[:n_rows], ordered=False) <= n_rows - 1


@pytest.mark.parametrize(
    ("n_samples", "batch_size", "epochs"),
    [(100, 16, 143), (1000, 50, 50), (54_000, 512, 13), (10**6, 512, 13)],
)
def test_auto_batches_and_epochs(n_samples, batch_size, epochs):
    plan = Plan.of(AutoencoderTransformer(), n_samples, ordered=False, one_pass=False)
    assert plan.batch_size == batch_size
    assert plan.n_epochs == epochs


# -- a user's own network and callbacks --


class Skip(nn.Module):
    """A user's network, with a connection around its hidden layer."""

    def __init__(self, n_features, n_components, width=16):
        super().__init__()
        self.a = nn.Linear(n_features, width)
        self.b = nn.Linear(width, n_components)
        self.skip = nn.Linear(n_features, n_components)
        self.c = nn.Sequential(
            nn.Linear(n_components, 64), nn.Tanh(), nn.Linear(64, n_features)
        )

    def encode(self, x):
        return self.skip(x) + self.b(torch.relu(self.a(x)))

    def decode(self, z):
        return self.c(z)

    def forward(self, x):
        return self.decode(self.encode(x)), "a second output is ignored"


@pytest.mark.parametrize("init", ["pca", "random"])
def test_a_users_network(init):
    autoencoder = make(
        4,
        module=Skip,
        module__width=24,
        init=init,
        early_stopping=False,
        max_iter=30,
        learning_rate_init=0.01,
    ).fit(DIGITS)
    module = autoencoder.net_.module_
    network = module if init == "random" else module.network
    assert isinstance(network, Skip)
    assert network.a.out_features == 24
    share = PCA(4).fit(DIGITS).explained_variance_ratio_.sum()
    assert autoencoder.score(DIGITS) > share + 0.05
    again = pickle.loads(pickle.dumps(autoencoder))
    assert_array_equal(again.transform(DIGITS), autoencoder.transform(DIGITS))


class Wide(nn.Module):
    def __init__(self, n_features, n_components):
        super().__init__()
        self.encode = nn.Linear(n_features, n_components + 1)
        self.decode = nn.Linear(n_components + 1, n_features)

    def forward(self, x):
        return self.decode(self.encode(x))


class Headless(Wide):
    forward = nn.Module.forward


class Narrow(Wide):
    """Its forward gives too few columns."""

    def __init__(self, n_features, n_components):
        super().__init__(n_features, n_components - 1)

    def forward(self, x):
        return super().forward(x)[:, :1]


class Attributes(Wide):
    """Its parts are made in __init__: not to be seen on the class."""

    def __init__(self, n_features, n_components):
        super().__init__(n_features, n_components - 1)


class Normalised(Attributes):
    def __init__(self, n_features, n_components):
        super().__init__(n_features, n_components)
        self.encode = nn.Sequential(nn.BatchNorm1d(n_features), self.encode)


@pytest.mark.parametrize("init", ["pca", "random"])
@pytest.mark.parametrize(
    ("module", "error", "message"),
    [
        (nn.Identity, TypeError, "The network Identity has no encode, no decode. It"),
        (Headless, TypeError, "The network Headless has no forward"),
        (Wide, ValueError, r"Wide.encode must give codes .* \(2, 2\). Got \(2, 3\)"),
        (Narrow, ValueError, r"Narrow.forward must give rows .* Got \(2, 1\)"),
        (int, TypeError, "module must be a subclass of torch.nn.Module"),
        (Wide(4, 2), TypeError, "module must be a class.* pass module=Wide"),
    ],
)
def test_a_network_without_the_contract_is_refused(module, error, message, init):
    with pytest.raises(error, match=message):
        make(module=module, init=init).fit(IRIS)


@pytest.mark.parametrize("module", [Attributes, Normalised])
def test_networks_made_in_init_and_a_lone_last_row(module):
    autoencoder = make(module=module, batch_size=149, early_stopping=False)
    share = PCA(2).fit(IRIS).explained_variance_ratio_.sum()
    assert autoencoder.fit(IRIS).score(IRIS) >= share - 1e-6


def test_callbacks(tmp_path):
    checkpoint = Checkpoint(dirname=tmp_path, monitor="valid_loss_best")
    stop = EarlyStopping(monitor="valid_loss", patience=2, threshold=0.5, sink=str)
    autoencoder = make(4, callbacks=[checkpoint, stop], max_iter=50).fit(DIGITS)
    assert 2 <= autoencoder.n_iter_ < 50  # no warning: a callback may end a fit
    assert autoencoder.best_loss_ <= min(autoencoder.validation_loss_curve_) * 1.000001
    saved = torch.load(tmp_path / "params.pt", weights_only=True)
    assert saved.keys() == autoencoder.net_.module_.state_dict().keys()
    assert clone(autoencoder).callbacks is not None


def test_compile_falls_back_with_a_warning(monkeypatch):
    def no_compiler(self, *args, **kwargs):
        def fail(*args, **kwargs):
            raise RuntimeError("no C++ compiler")

        self._compiled_call_impl = fail

    expected = make().fit(IRIS).transform(IRIS)
    monkeypatch.setattr(nn.Module, "compile", no_compiler)
    with pytest.warns(UserWarning, match="compile=True has no effect .* no C\\+\\+"):
        autoencoder = make(compile=True).fit(IRIS)
    assert_array_equal(autoencoder.transform(IRIS), expected)


# -- among scikit-learn's tools --


def test_code_size_by_grid_search_beside_pca():
    pipe = Pipeline([("scale", StandardScaler()), ("reduce", PCA())])
    grid = {"reduce": [PCA(), make()], "reduce__n_components": [2, 4]}
    search = GridSearchCV(pipe, grid, scoring=reconstruction_scorer, cv=2, n_jobs=2)
    search.fit(DIGITS, [str(i) for i in range(len(DIGITS))])
    assert len(search.cv_results_["params"]) == 4
    assert search.best_params_["reduce__n_components"] == 4
    assert isinstance(search.best_params_["reduce"], AutoencoderTransformer)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_cross_validate_and_halving():
    results = cross_validate(make(), DIGITS, scoring=reconstruction_scorer, cv=3)
    assert (results["test_score"] > 0.25).all()
    search = HalvingGridSearchCV(
        make(), {"n_components": [1, 2, 4]}, scoring=reconstruction_scorer, cv=2
    ).fit(DIGITS)
    assert search.best_params_ == {"n_components": 4}


def test_pipeline_with_memory_and_a_classifier(tmp_path):
    X, y = datasets.load_digits(return_X_y=True)
    pipe = make_pipeline(
        StandardScaler(),
        make(8),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
        memory=str(tmp_path),
    )
    first = pipe.fit(X, y).score(X, y)
    assert first > 0.85
    assert pipe.fit(X, y).score(X, y) == first
    assert any(tmp_path.rglob("output.pkl"))


def test_column_transformer_and_feature_union():
    frame = pd.DataFrame(IRIS, columns=list("abcd"))
    columns = ColumnTransformer(
        [("codes", make(1), ["a", "b", "c"])], remainder="passthrough"
    )
    assert columns.fit_transform(frame).shape == (150, 2)
    assert columns.get_feature_names_out().tolist() == [
        "codes__autoencodertransformer0",
        "remainder__d",
    ]
    union = FeatureUnion([("pca", PCA(2)), ("ours", make(2, max_iter=0))])
    both = union.fit_transform(IRIS)
    assert_allclose(both[:, :2], both[:, 2:], atol=1e-5)
