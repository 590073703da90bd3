"""Faults that an order of calls once made, each by the case that showed it."""

import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback

from sklearn_ae import AutoencoderTransformer, VariationalAutoencoder
from sklearn_ae._engine import losses, pca, tables
from sklearn_ae._estimators import ESTIMATORS

DIGITS = load_digits().data[:600]
SMALL = {"hidden_layer_sizes": (16,), "max_iter": 1, "random_state": 0}


class Counted:
    """A table that counts the rows that are read of it."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.n_read = 0

    def __getitem__(self, rows):
        part = self.array[rows]
        self.n_read += len(part)
        return part


@pytest.fixture
def small_memory(monkeypatch):
    """Make digits a large table."""
    monkeypatch.setattr(tables, "HELD_CELLS", 64 * 100)
    monkeypatch.setattr(tables, "WINDOW_CELLS", 64 * 150)
    monkeypatch.setattr(tables, "CHUNK_CELLS", 64 * 90)


def test_a_share_of_variance_of_a_wide_stream_depends_on_its_own_seed(
    small_memory, monkeypatch
):
    monkeypatch.setattr(pca, "PCA_FEATURES", 63)
    monkeypatch.setattr(pca, "PCA_CELLS", 64 * 200)  # a sample of 200 rows
    fresh = AutoencoderTransformer(0.8, **SMALL).fit(Counted(DIGITS))
    assert fresh.n_components_ < 64
    again = AutoencoderTransformer(0.8, **SMALL | {"random_state": 5})
    again.fit(Counted(DIGITS)).set_params(random_state=0).fit(Counted(DIGITS))
    assert again.n_components_ == fresh.n_components_
    assert_array_equal(again.transform(DIGITS), fresh.transform(DIGITS))


class Stateful(Callback):
    """Has what a checkpoint once took for the mark of the judge."""

    state = ()

    def on_train_begin(self, net, **kwargs):
        self.best_epoch_, self.n_seen = -1, 0


def test_a_callback_with_a_state_is_not_taken_for_the_judge(tmp_path):
    class Killed(BaseException):
        pass

    class Kill(Stateful):
        def on_epoch_end(self, net, **kwargs):
            self.n_seen += 1
            if self.n_seen == 3:
                raise Killed

    params = SMALL | {"max_iter": 8}
    whole = AutoencoderTransformer(3, **params).fit(DIGITS)
    model = AutoencoderTransformer(3, checkpoint=tmp_path, **params)
    with pytest.raises(Killed):
        model.set_params(callbacks=[Kill()]).fit(DIGITS)
    model.set_params(callbacks=[Stateful()]).fit(DIGITS)
    assert model.best_iter_ == whole.best_iter_ > 2
    assert model.best_loss_ == whole.best_loss_
    assert_array_equal(model.transform(DIGITS), whole.transform(DIGITS))


@pytest.mark.parametrize("change", [{"module": torch.nn.Identity}, {"n_components": 9}])
def test_the_diagram_is_of_the_fitted_network(change):
    model = AutoencoderTransformer(2, **SMALL).fit(DIGITS)
    before = model._network_html()
    assert "DenseNetwork" in before
    assert model.set_params(**change)._network_html() == before


METHODS = [
    *("transform", "inverse_transform", "reconstruct", "score", "score_samples"),
    *("truncate", "sample", "get_feature_names_out"),
]


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_fitted_says_so(name, method):
    model = ESTIMATORS[name]()
    if not hasattr(model, method):
        pytest.skip("it has no such method")
    X = () if method in ("sample", "get_feature_names_out") else (DIGITS,)
    with pytest.raises(NotFittedError, match=f"This {name} instance is not fitted"):
        getattr(model, method)(*((1,) if method == "truncate" else X))


def test_a_new_loss_is_a_row(monkeypatch):
    """Parameters, fit and displays take it from there."""
    pytest.importorskip("matplotlib")
    from sklearn_ae.plotting import LossCurveDisplay

    row = losses.Loss(torch.nn.SmoothL1Loss, 1, "mean smooth error per cell")
    monkeypatch.setitem(losses.LOSSES, "smooth", row)
    constraints = AutoencoderTransformer._parameter_constraints
    monkeypatch.setitem(constraints, "loss", [str])
    model = AutoencoderTransformer(2, loss="smooth", **SMALL).fit(DIGITS)
    display = LossCurveDisplay.from_estimator(model)
    assert display.ax_.get_ylabel() == "mean smooth error per cell"
    # What set_params changes is for the next fit.
    model.set_params(loss="squared_error", penalty="l1")
    display = LossCurveDisplay.from_estimator(model)
    assert display.ax_.get_ylabel() == "mean smooth error per cell"
    with pytest.raises(ValueError, match="with loss='smooth'"):
        LossCurveDisplay.from_estimator(model, DIGITS)


@pytest.mark.parametrize(
    ("estimator", "most"),
    [
        (AutoencoderTransformer(3, **SMALL), 4),
        (AutoencoderTransformer(3, init="random", **SMALL), 3),
        (AutoencoderTransformer(3, loss="binary_cross_entropy", **SMALL), 4),
        (AutoencoderTransformer(3, ordered=True, noise="swap", **SMALL), 4),
        (AutoencoderTransformer(0.8, **SMALL), 4),
        (VariationalAutoencoder(3, **SMALL), 5),  # and the divergences
    ],
)
def test_a_lazy_table_is_read_as_seldom_as_can_be(estimator, most, small_memory):
    table = Counted(DIGITS / 16)
    clone(estimator).fit(table)
    assert table.n_read <= most * len(DIGITS)


def test_a_fit_writes_to_the_estimator_once(monkeypatch):
    """At its end: until then whoever looks sees what was there before."""
    seen = []

    class Look(Callback):
        epochs_only = True

        def on_epoch_end(self, net, **kwargs):
            seen.append(dict(vars(model)))

    model = AutoencoderTransformer(3, **SMALL | {"max_iter": 2}).fit(DIGITS)
    model.set_params(callbacks=[Look()], n_components=4, ordered=True)
    before = dict(vars(model))
    model.fit(DIGITS[:, :60])
    assert len(seen) == 2
    for state in seen:
        others = [name for name in state if "callback" not in name]  # scikit-learn's
        assert others == [name for name in before if "callback" not in name]
        assert all(state[name] is before[name] for name in before)
    assert model.n_features_in_ == 60
