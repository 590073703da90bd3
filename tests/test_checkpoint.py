import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine import checkpoint, fit

DIGITS = load_digits().data[:500]
PARAMS = {"max_iter": 6, "hidden_layer_sizes": (16,), "random_state": 0}
MODELS = [
    AutoencoderTransformer(3, **PARAMS),
    AutoencoderTransformer(3, **PARAMS | {"random_state": None}, dropout=0.3),
    AutoencoderTransformer(4, ordered=True, early_stopping=False, **PARAMS),
    AutoencoderTransformer(3, learning_rate="constant", optimizer="sgd", **PARAMS),
    AutoencoderTransformer(3, init="random", n_iter_no_change=1, tol=0.5, **PARAMS),
    DenoisingAutoencoder(3, noise="swap", **PARAMS),
    ConvolutionalAutoencoder(3, filters=(4, 8), max_iter=6, random_state=0),
    VariationalAutoencoder(3, **PARAMS),
    AdversarialAutoencoder(3, **PARAMS),
]


class Killed(BaseException):
    pass


class KillIn(Callback):
    """End the process, as far as the package can tell, in an epoch's training."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, net, training=None, **kwargs):
        if len(net.history) == self.epoch and len(net.history[-1, "batches"]) == 3:
            raise Killed


def results(model):
    weights = model.net_.weights().values()
    return [
        model.transform(DIGITS),
        model.inverse_transform(model.transform(DIGITS)),
        *(tensor.numpy() for state in weights for tensor in state.values()),
        *(model.loss_curve_, model.validation_loss_curve_),
        *(model.best_iter_, model.n_iter_, model.best_loss_),
        model.reconstruction_error_,
    ]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_fit_that_ended_goes_on_bit_by_bit(model, tmp_path):
    model = clone(model).set_params(checkpoint=tmp_path / "new" / "folder")
    if model.random_state is None:  # the file knows what was drawn
        model.set_params(callbacks=[KillIn(1)])
        with pytest.raises(Killed):
            model.fit(DIGITS)
        saved = (tmp_path / "new" / "folder" / checkpoint.FILE).read_bytes()
        whole = clone(model).set_params(callbacks=None).fit(DIGITS)
        (tmp_path / "new" / "folder" / checkpoint.FILE).write_bytes(saved)
    else:
        whole = clone(model).set_params(checkpoint=None).fit(DIGITS)
    for epoch in (1, 2, 5):
        model.set_params(callbacks=[KillIn(epoch)])
        if epoch <= whole.n_iter_:
            with pytest.raises(Killed):
                model.fit(DIGITS)
            assert not hasattr(model, "net_")
    torch.manual_seed(epoch)  # what else the process does, doesn't matter
    model.set_params(callbacks=None).fit(DIGITS)
    for ours, theirs in zip(results(model), results(whole), strict=True):
        assert_array_equal(ours, theirs)
    assert model.net_.max_epochs == whole.net_.max_epochs
    assert list((tmp_path / "new" / "folder").iterdir()) == []  # it is done


def test_a_fit_that_was_killed_after_its_last_epoch_is_not_trained_again(
    tmp_path, monkeypatch
):
    model = AutoencoderTransformer(3, checkpoint=str(tmp_path), **PARAMS)

    def die(*args):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(fit, "finish", die)
        with pytest.raises(Killed):
            model.fit(DIGITS)
    epochs = []

    class Count(Callback):
        def on_epoch_begin(self, net, **kwargs):
            epochs.append(len(net.history))

    model.set_params(callbacks=[Count()]).fit(DIGITS)
    whole = AutoencoderTransformer(3, **PARAMS).fit(DIGITS)
    assert epochs == []
    for ours, theirs in zip(results(model), results(whole), strict=True):
        assert_array_equal(ours, theirs)


def test_ctrl_c_leaves_the_checkpoint(tmp_path):
    class CtrlC(Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 3:
                raise KeyboardInterrupt

    model = AutoencoderTransformer(3, checkpoint=tmp_path, **PARAMS)
    model.set_params(callbacks=[CtrlC()])
    with pytest.warns(ConvergenceWarning), pytest.raises(KeyboardInterrupt):
        model.fit(DIGITS)
    assert np.isfinite(model.transform(DIGITS)).all()
    model.set_params(callbacks=None).fit(DIGITS)
    whole = AutoencoderTransformer(3, **PARAMS).fit(DIGITS)
    assert_array_equal(model.transform(DIGITS), whole.transform(DIGITS))


def interrupted(tmp_path, **params):
    """Return a model that is not fitted, and has a checkpoint of two epochs."""
    model = AutoencoderTransformer(3, checkpoint=tmp_path, **PARAMS | params)
    model.set_params(callbacks=[KillIn(3)])
    with pytest.raises(Killed):
        model.fit(DIGITS)
    return model.set_params(callbacks=None)


@pytest.mark.parametrize(
    ("change", "X", "message"),
    [
        ({"n_components": 2}, DIGITS, "its n_components was 3, now it is 2"),
        ({"random_state": 1}, DIGITS, "its random_state was 0, now it is 1"),
        ({}, DIGITS[:400], "its number of rows was 500, now it is 400"),
        ({}, DIGITS[:, :60], "its number of columns was 64, now it is 60"),
        ({}, DIGITS * 2, "its data's mean was"),
        ({}, DIGITS[::-1], "its checksum of the first rows was"),
    ],
)
def test_another_fit_is_refused_and_the_checkpoint_kept(change, X, message, tmp_path):
    model = interrupted(tmp_path).set_params(**change)
    before = (tmp_path / checkpoint.FILE).read_bytes()
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    assert (tmp_path / checkpoint.FILE).read_bytes() == before
    assert not hasattr(model, "mean_")


def test_a_small_table_leaves_the_checkpoint_of_another_fit(tmp_path):
    interrupted(tmp_path)
    before = (tmp_path / checkpoint.FILE).read_bytes()
    small = AutoencoderTransformer(2, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="the checkpoint of another fit"):
        small.fit(DIGITS[:100])  # which is cross-fitted
    assert (tmp_path / checkpoint.FILE).read_bytes() == before


def test_a_damaged_checkpoint_is_named(tmp_path):
    model = interrupted(tmp_path)
    path = tmp_path / checkpoint.FILE
    whole = path.read_bytes()
    for damaged in (b"", b"text", whole[: len(whole) // 2], whole[:-10]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"checkpoint\.pt is"):
            model.fit(DIGITS)
    torch.save({"format": 99}, path)
    with pytest.raises(ValueError, match="no checkpoint of this version"):
        model.fit(DIGITS)


class Boom:
    def __reduce__(self):
        return os.system, ("echo executed",)


def test_nothing_in_a_checkpoint_is_executed(tmp_path, capfd):
    torch.save({"format": checkpoint.FORMAT, "fit": Boom()}, tmp_path / checkpoint.FILE)
    model = AutoencoderTransformer(3, checkpoint=tmp_path, **PARAMS)
    with pytest.raises(ValueError, match="no checkpoint"):
        model.fit(DIGITS)
    assert "executed" not in capfd.readouterr().out


def test_a_folder_that_cant_be_written(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    model = AutoencoderTransformer(3, checkpoint=tmp_path / "file" / "in", **PARAMS)
    with pytest.raises(OSError, match=r"checkpoint\.pt can't be written"):
        model.fit(DIGITS)
    assert not hasattr(model, "net_")


def test_a_disk_that_fills_up_loses_no_epoch_that_was_written(tmp_path, monkeypatch):
    model = AutoencoderTransformer(3, checkpoint=tmp_path, **PARAMS)
    replace, calls = os.replace, []

    def full(source, target):
        calls.append(source)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space left on device"):
            model.fit(DIGITS)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.FILE]
    model.fit(DIGITS)
    whole = AutoencoderTransformer(3, **PARAMS).fit(DIGITS)
    assert_array_equal(model.transform(DIGITS), whole.transform(DIGITS))


KILLS = """
import os, random, signal, sys, time
import numpy as np
from sklearn.datasets import load_digits
from sklearn_ae import AutoencoderTransformer

X = load_digits().data
folder, n_kills = sys.argv[1], int(sys.argv[2])
random.seed(int(sys.argv[3]))

def child(name, checkpoint):
    pid = os.fork()
    if pid == 0:
        model = AutoencoderTransformer(
            4, max_iter=40, dropout=0.1, random_state=0, checkpoint=checkpoint
        ).fit(X)
        state = model.net_.module_.state_dict().values()
        curves = np.array([model.loss_curve_, model.validation_loss_curve_])
        arrays = [model.transform(X), curves, *(tensor.numpy() for tensor in state)]
        np.savez(os.path.join(folder, name), *arrays)
        os._exit(0)
    return pid

start = time.perf_counter()
os.waitpid(child("whole", os.path.join(folder, "a")), 0)
seconds = time.perf_counter() - start
kills = 0
while True:
    pid = child("again", os.path.join(folder, "b"))
    if kills < n_kills:
        time.sleep(random.uniform(0.02, 2 * seconds / n_kills))
        os.kill(pid, signal.SIGKILL)
    if os.waitpid(pid, 0)[1] == 0:
        break
    kills += 1
one, other = (np.load(os.path.join(folder, f"{n}.npz")) for n in ("whole", "again"))
print(kills, all(np.array_equal(one[name], other[name]) for name in one.files))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fit_killed_ten_times_ends_as_if_it_were_not(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path), "10", "0"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    kills, same = done.stdout.split()
    assert same == "True", done.stderr
    assert int(kills) >= 5, done.stderr  # some children may have been done before


def test_that_a_fit_diverged_is_told_after_a_kill_too(tmp_path, monkeypatch):
    params = PARAMS | {"optimizer": "sgd", "learning_rate_init": 1e20}
    model = AutoencoderTransformer(3, checkpoint=tmp_path, **params)

    def die(*args):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(fit, "finish", die)
        with pytest.raises(Killed):
            model.fit(DIGITS)
    with pytest.warns(ConvergenceWarning, match="The loss was not finite"):
        model.fit(DIGITS)
