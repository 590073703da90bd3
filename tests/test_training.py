import os
import subprocess
import sys
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    ConvolutionalAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine.batches import Batches, Rows
from sklearn_ae._engine.judge import Judge
from sklearn_ae._engine.net import AutoencoderNet
from sklearn_ae._engine.torch_state import resolve_device, torch_state


def test_batches_hold_every_row_once_in_an_order_of_each_epoch():
    torch.manual_seed(0)
    rows = Rows(np.arange(10.0)[:, None])
    batches = Batches(rows, 4, shuffle=True)
    epochs = [[inputs[:, 0].tolist() for inputs, _ in batches] for _ in range(2)]
    assert [len(batch) for batch in epochs[0]] == [4, 4, 2]
    assert len(batches) == 3
    flat = [[row for batch in epoch for row in batch] for epoch in epochs]
    assert sorted(flat[0]) == sorted(flat[1]) == list(range(10))
    assert flat[0] != flat[1] != list(range(10))


def test_batches_are_in_order_without_shuffle():
    rows = Rows(np.arange(5.0)[:, None])
    assert torch.cat([x for x, _ in Batches(rows, 2)])[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_batches_corrupt_inputs_not_targets():
    rows = Rows(np.ones((5, 2)))
    for inputs, targets in Batches(rows, 2, corrupt=lambda x: x + 1):
        assert (inputs == 2).all()
        assert (targets == 1).all()
    assert (rows.inputs == 1).all()


def test_a_lone_last_row_joins_the_batch_before():
    rows = Rows(np.arange(9.0)[:, None])
    for size, expected in ((4, [4, 5]), (8, [9]), (1, [1] * 9), (20, [9]), (7, [7, 2])):
        batches = Batches(rows, size)
        assert [len(inputs) for inputs, _ in batches] == expected
        assert len(batches) == len(expected)
    assert [len(x) for x, _ in Batches(Rows(np.ones((1, 2))), 4)] == [1]


@pytest.mark.parametrize("shift", [-0.1, 0.1, 0.25, 0.4, 1.0])
def test_epochs_count_when_a_paired_t_test_says_so(shift):
    rng = np.random.default_rng(0)
    start = rng.random(20) + 1
    losses = start - shift + 0.5 * rng.normal(size=20)
    judge = Judge(safe_start=True, tol=0.0, patience=None)
    judge.start_losses = torch.from_numpy(start)
    test = stats.ttest_rel(start, losses, alternative="greater")
    beats = judge._beats_start(torch.from_numpy(losses))
    assert beats == (test.pvalue < 1 - judge.confidence)


def test_too_few_validation_rows_prove_nothing():
    judge = Judge(safe_start=True, tol=0.0, patience=None)
    for n_rows, expected in ((7, False), (8, True)):
        judge.start_losses = torch.linspace(1, 2, n_rows)
        assert bool(judge._beats_start(torch.zeros(n_rows))) is expected


@pytest.mark.parametrize("level", [3.0, -3.0])
def test_an_improvement_is_a_fall_by_more_than_a_share(level):
    judge = Judge(safe_start=False, tol=0.1, patience=5)
    judge.begin(torch.full((9,), level + 9), held_out=True)
    for loss, last_improvement in (
        (level, 1),
        (level + 0.2, 1),  # worse
        (level - 0.2, 1),  # better, but by less than a tenth
        (level - 0.4, 4),
    ):
        judge.see(0.0, torch.full((9,), loss))
        assert judge.mark[1] == last_improvement


@pytest.mark.parametrize("device", ["toaster", "cuda:99", "meta"])
def test_unknown_device(device):
    with pytest.raises(ValueError, match="The 'device' parameter must be 'auto' or"):
        resolve_device(device)


@pytest.mark.parametrize("flush", [True, False])
def test_torch_state_is_put_back(flush):
    tiny = torch.tensor(1e-310, dtype=torch.float64)
    torch.set_flush_denormal(flush)
    torch.set_default_dtype(torch.float64)
    state = torch.get_rng_state()
    try:
        with torch.no_grad(), torch_state(torch.device("cpu"), 0):
            assert torch.is_grad_enabled()
            assert torch.zeros(1).dtype == torch.float32
            assert (tiny * 1.0).item() == 0
            torch.rand(1)
        assert torch.get_default_dtype() == torch.float64
        assert ((tiny * 1.0).item() == 0) == flush
        assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_flush_denormal(False)


class Listener(Callback):
    """Counts batches, and gradients that are there."""

    def __init__(self):
        self.ended = self.graded = 0

    def on_batch_end(self, net, training=None, **kwargs):
        self.ended += training

    def on_grad_computed(self, net, named_parameters, **kwargs):
        self.graded += all(p.grad is not None for _, p in named_parameters)


@pytest.mark.parametrize(
    "make",
    [
        AutoencoderTransformer,
        ConvolutionalAutoencoder,
        VariationalAutoencoder,
        AdversarialAutoencoder,
    ],
)
def test_listeners_hear_every_batch_and_change_nothing(make):
    X = np.random.default_rng(0).random((90, 16))
    listener = Listener()
    params = {"max_iter": 4, "batch_size": 20, "random_state": 0}
    quick = make(**params).fit(X)
    told = make(callbacks=[listener], **params).fit(X)
    assert not told.net_.quick_
    assert listener.ended == listener.graded == 4 * 4  # 70 rows in 4 batches
    np.testing.assert_array_equal(quick.transform(X), told.transform(X))
    assert quick.loss_curve_ == told.loss_curve_
    assert quick.validation_loss_curve_ == told.validation_loss_curve_


def test_learning_rate_goes_through_one_cycle():
    rates = []

    class Rates(Callback):
        def on_batch_begin(self, net, training=None, **kwargs):
            if training:
                rates.append(net.optimizer_.param_groups[0]["lr"])

    X = np.random.default_rng(0).random((90, 4))
    make = partial(AutoencoderTransformer, max_iter=5, batch_size=20, random_state=0)
    make(learning_rate_init=0.01, callbacks=[Rates()]).fit(X)
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.01)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.01, total_steps=20, cycle_momentum=False
    )
    expected = []
    for _ in range(20):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        cycle.step()
    np.testing.assert_allclose(rates, expected)


class Watch(Callback):
    def on_batch_begin(self, net, training=None, **kwargs):
        if training:
            self.threads = torch.get_num_threads()
            self.half = torch.is_autocast_enabled("cpu")


def test_small_networks_take_one_thread():
    n_threads = torch.get_num_threads()
    X = np.random.default_rng(0).random((600, 64))
    try:
        for wanted in (1, 3):
            torch.set_num_threads(wanted)
            most = min(wanted, joblib.cpu_count())
            for width, expected in ((4, 1), (10_000, most)):
                watch = Watch()
                AutoencoderTransformer(
                    2,
                    hidden_layer_sizes=(width,),
                    batch_size=64,
                    max_iter=1,
                    callbacks=[watch],
                ).fit(X)
                assert watch.threads == expected
                assert torch.get_num_threads() == wanted
    finally:
        torch.set_num_threads(n_threads)


@pytest.mark.parametrize(
    "make", [AutoencoderTransformer, AdversarialAutoencoder, VariationalAutoencoder]
)
def test_bfloat16_is_for_training_steps_alone(make):
    X = np.random.default_rng(0).normal(size=(400, 3)) @ np.ones((3, 8))
    X += 0.1 * np.random.default_rng(1).normal(size=X.shape)
    watch = Watch()
    params = {"max_iter": 20, "random_state": 0, "init": "random"}
    whole = make(2, **params).fit(X)
    half = make(2, precision="bfloat16", callbacks=[watch], **params).fit(X)
    quick = make(2, precision="bfloat16", **params).fit(X)
    assert watch.half
    assert not torch.is_autocast_enabled("cpu")
    np.testing.assert_array_equal(quick.transform(X), half.transform(X))
    assert {p.dtype for p in half.net_.module_.parameters()} == {torch.float32}
    assert half.loss_curve_ != whole.loss_curve_
    assert half.score(X) == pytest.approx(whole.score(X), abs=0.03)


@pytest.mark.cuda
@pytest.mark.parametrize("ordered", [False, True])
def test_an_epoch_on_cuda_waits_for_the_device_once(ordered, monkeypatch):
    go_through = AutoencoderNet._go_through

    class Strict(Batches):
        def __iter__(self):
            steps = super().__iter__()
            first = next(steps)  # what is made once may wait
            torch.cuda.set_sync_debug_mode("error")
            yield first
            yield from steps
            torch.cuda.set_sync_debug_mode("default")

    def strict(net, batches, *args, **kwargs):
        batches.__class__ = Strict
        return go_through(net, batches, *args, **kwargs)

    monkeypatch.setattr(AutoencoderNet, "_go_through", strict)
    X = np.random.default_rng(0).random((600, 16))
    params = {"max_iter": 3, "device": "cuda", "noise": "gaussian"}
    try:
        model = AutoencoderTransformer(4, ordered=ordered, **params).fit(X)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert model.n_iter_ == 3


def test_optimizers_that_evaluate_the_loss_themselves():
    X = np.random.default_rng(0).random((60, 4))
    model = AutoencoderTransformer(
        2,
        optimizer=torch.optim.LBFGS,
        learning_rate_init=0.01,
        max_iter=3,
        random_state=0,  # a seed in thirty diverges
    ).fit(X)
    assert not model.net_.quick_
    assert model.n_iter_ == 3
    assert np.isfinite(model.loss_curve_).all()


def test_ctrl_c_between_training_and_validation_ends_the_fit(monkeypatch):
    def interrupt(self, batch, **fit_params):
        raise KeyboardInterrupt

    monkeypatch.setattr(AutoencoderNet, "validation_step", interrupt)
    X = np.random.default_rng(0).random((60, 4))
    model = AutoencoderTransformer(2, max_iter=3)
    with (
        pytest.warns(ConvergenceWarning, match="interrupted in epoch 1"),
        pytest.raises(KeyboardInterrupt),
    ):
        model.fit(X)
    assert model.best_iter_ == 0


FORK = """
import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn_ae import AutoencoderTransformer

X = np.random.default_rng(0).random((3000, 300))
estimator = AutoencoderTransformer(max_iter=2, random_state=0)
estimator.fit(X).transform(X)  # OpenMP's threads are up
with joblib.parallel_config("multiprocessing", n_jobs=2):
    search = GridSearchCV(estimator, {"n_components": [1, 2]}, cv=2).fit(X[:200])
print(np.isfinite(search.cv_results_["mean_test_score"]).all())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_workers_do_not_wait_forever():
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize(
    ("own", "spins"),
    [
        ({}, "1000"),
        ({"GOMP_SPINCOUNT": "70"}, "70"),
        ({"OMP_WAIT_POLICY": "active"}, None),
    ],
)
def test_threads_that_wait_do_not_spin_for_long(own, spins):
    neither = {"OMP_WAIT_POLICY": None, "GOMP_SPINCOUNT": None}
    environment = {**os.environ, **neither, **own, "OMP_DISPLAY_ENV": "VERBOSE"}
    code = (
        "import sklearn_ae, os; print(os.environ.get('GOMP_SPINCOUNT')); import torch"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in environment.items() if value is not None},
    )
    assert done.stdout == f"{spins}\n"
    shown = [line for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]
    if shown and spins:  # GNU's runtime says what it has read
        assert f"'{spins}'" in shown[-1]


@pytest.mark.parametrize("settings", [{}, {"neighbors": 5}, {"ordered": True}])
def test_a_tool_that_watches_fit_sees_no_inner_pca(monkeypatch, settings):
    seen = []
    for kind in (PCA, AutoencoderTransformer):
        plain = kind.fit

        def fit(self, *args, _plain=plain, **kwargs):
            seen.append(type(self).__name__)
            return _plain(self, *args, **kwargs)

        monkeypatch.setattr(kind, "fit", fit)
    X = np.random.default_rng(0).normal(size=(60, 5))
    AutoencoderTransformer(2, max_iter=1, **settings).fit(X)
    assert seen == ["AutoencoderTransformer"]
