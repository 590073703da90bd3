"""Fits whose weights, codes and curves stay the same, bit by bit, as long as nobody
changes the arithmetic on purpose. ``python tests/test_golden.py`` records them anew.

Bits depend on the processor and on the versions of its libraries: on another machine
than that of the record numbers are compared, not bits.
"""

import contextlib
import hashlib
import json
import platform
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback
from threadpoolctl import threadpool_limits

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)

RECORD = Path(__file__).with_name("golden.json")
X = load_digits().data[:400]
SMALL = {"hidden_layer_sizes": (16,), "max_iter": 3, "random_state": 0}


class Listener(Callback):
    """Hears of batches, so that skorch's own loop runs."""

    def on_batch_end(self, net, **kwargs):
        pass


class Killed(BaseException):
    pass


class KillInThirdEpoch(Listener):
    def on_batch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise Killed


class Sliced:
    """A table that is read by slices only."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, rows):
        return self.array[rows]


def fitted(estimator, X=X):
    return lambda: estimator.fit(X)


def dense(k=3, X=X, **params):
    return fitted(AutoencoderTransformer(k, **SMALL | params), X)


def warm_start():
    model = dense(warm_start=True)().set_params(max_iter=2)
    return model.fit(X[::-1])


def passes(estimator):
    def run():
        for part in (X[:200], X[200:], X[:200]):
            estimator.partial_fit(part)
        return estimator

    return run


def streamed(**params):
    def run():
        from sklearn_ae._engine import tables

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tables, "HELD_CELLS", 64 * 100)
            patch.setattr(tables, "WINDOW_CELLS", 64 * 150)
            patch.setattr(tables, "CHUNK_CELLS", 64 * 90)
            return dense(X=Sliced(X.astype(np.float32)), **params)()

    return run


def resumed():
    with tempfile.TemporaryDirectory() as folder:
        model = AutoencoderTransformer(3, checkpoint=folder, **SMALL | {"max_iter": 5})
        with contextlib.suppress(Killed):
            model.set_params(callbacks=[KillInThirdEpoch()]).fit(X)
        return (
            model.set_params(callbacks=None, checkpoint=None)
            .set_params(checkpoint=folder)
            .fit(X)
        )


def search():
    estimator = AutoencoderTransformer(**SMALL)
    return AutoencoderTransformerCV((2, 4), estimator=estimator, cv=2).fit(X)


RANDOM = {"init": "random", "code_activation": "logistic"}
CASES = {
    "dense": dense(),
    "two hidden layers, float32": dense(
        X=X.astype(np.float32), hidden_layer_sizes=(32, 16), activation="gelu"
    ),
    "far from zero": dense(X=X * 3 + 1e4),
    "random": dense(init="random", random_state=np.random.RandomState(3)),
    "a callback listens": dense(callbacks=[Listener()]),
    "no validation rows": dense(early_stopping=False),
    "sgd": dense(optimizer="sgd", learning_rate="constant", learning_rate_init=0.05),
    "dropout": dense(dropout=0.2, activation="silu"),
    "cross-entropy": dense(X=X / 16, loss="binary_cross_entropy"),
    "logistic": dense(X=X / 16, out_activation="logistic"),
    "huber": dense(loss="huber", criterion__delta=0.5),
    "bfloat16": dense(precision="bfloat16"),
    "ordered": dense(5, ordered=True),
    "ordered, all rows": dense(5, ordered=True, early_stopping=False),
    "share of variance": dense(0.7),
    "truncated": lambda: dense(5, ordered=True)().truncate(2),
    "gaussian noise": fitted(DenoisingAutoencoder(3, **SMALL)),
    "swap noise": fitted(DenoisingAutoencoder(3, noise="swap", **SMALL)),
    "masking": dense(noise="masking", noise_level=0.3),
    "salt and pepper": dense(noise="salt_and_pepper"),
    "l1": dense(penalty="l1"),
    "kl": dense(penalty="kl", **RANDOM),
    "contractive": dense(penalty="contractive"),
    "k_sparse": dense(6, penalty="k_sparse"),
    "convolutional": fitted(
        ConvolutionalAutoencoder(3, filters=(4,), max_iter=2, random_state=0)
    ),
    "feature map": fitted(
        ConvolutionalAutoencoder(None, filters=(2, 2), max_iter=2, random_state=0)
    ),
    "convolutional, ordered": fitted(
        ConvolutionalAutoencoder(
            4, filters=(4,), ordered=True, max_iter=2, random_state=0
        )
    ),
    "variational": fitted(VariationalAutoencoder(3, **SMALL)),
    "variational, all rows": fitted(
        VariationalAutoencoder(3, beta=0.5, early_stopping=False, **SMALL)
    ),
    "variational, Bernoulli": fitted(
        VariationalAutoencoder(3, loss="binary_cross_entropy", **SMALL), X / 16
    ),
    "adversarial": fitted(AdversarialAutoencoder(3, **SMALL)),
    "adversarial, uniform, listened to": fitted(
        AdversarialAutoencoder(3, prior="uniform", callbacks=[Listener()], **SMALL)
    ),
    "warm start": warm_start,
    "passes": passes(AutoencoderTransformer(3, **SMALL)),
    "passes, ordered": passes(AutoencoderTransformer(4, ordered=True, **SMALL)),
    "passes, adversarial": passes(AdversarialAutoencoder(3, **SMALL)),
    "streamed": streamed(),
    "streamed, random": streamed(init="random"),
    "checkpoint resumed": resumed,
    "search": search,
}


def machine():
    """Return what bits depend on."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    kind = [
        line for line in lines if line.startswith(("model\t", "model name", "flags"))
    ]
    kind = hashlib.sha256("\n".join(sorted(set(kind))).encode()).hexdigest()[:16]
    return [
        platform.platform(terse=True),
        kind,
        torch.__version__,
        np.__version__,
        sklearn.__version__,
    ]


def results(model):
    """Return what a fit came to, as JSON holds it to the last bit."""
    model = getattr(model, "best_estimator_", model)
    tensors = [
        tensor.detach().numpy()
        for state in model.net_.weights().values()
        for _, tensor in sorted(state.items())
    ]
    digest = hashlib.sha256(b"".join(tensor.tobytes() for tensor in tensors))
    rows = X[:3] / 16 if model.data_range_[1] <= 1 else X[:3]
    codes = model.transform(rows)
    best = model.best_loss_
    return {
        "weights": digest.hexdigest(),
        "norms": [float(np.linalg.norm(tensor)) for tensor in tensors],
        "codes": codes.tolist(),
        "codes of float32": model.transform(rows.astype(np.float32)).tolist(),
        "rows": model.inverse_transform(codes).tolist(),
        "curves": [model.loss_curve_, model.validation_loss_curve_],
        "best": [model.best_iter_, None if best != best else best],
        "error": getattr(model, "reconstruction_error_", None),
    }


# Their mean and scale are measured in one reading now, not in two: float64 results may
# differ in the last bit.
READ_ONCE = {"streamed", "streamed, random"}


def run(case):
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # of so few epochs
        n_threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return results(CASES[case]())
        finally:
            torch.set_num_threads(n_threads)


def numbers(value):
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value) if key != "weights"]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [np.nan if value is None else float(value)]


@pytest.mark.parametrize("case", CASES)
def test_a_fit_is_what_it_was(case):
    record = json.loads(RECORD.read_text())
    got = json.loads(json.dumps(run(case)))
    expected = record["cases"][case]
    if record["machine"] != machine():
        # A column that hardly varies has rounding errors for a reconstruction.
        for name in expected:
            wanted = numbers({name: expected[name]})
            size = np.nanmax(np.abs([1.0, *wanted]))
            np.testing.assert_allclose(
                numbers({name: got[name]}), wanted, rtol=0.05, atol=0.02 * size
            )
        return
    if case in READ_ONCE:
        for name in ("codes", "rows"):
            np.testing.assert_allclose(
                numbers(got.pop(name)), numbers(expected.pop(name)), rtol=1e-12
            )
    assert got == expected


if __name__ == "__main__":
    cases = {case: run(case) for case in CASES}
    RECORD.write_text(json.dumps({"machine": machine(), "cases": cases}) + "\n")
