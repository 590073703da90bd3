"""What many fits in one process leave behind: nothing.

Fits in threads are compared with fits one after the other in test_autoencoder.py.
"""

import gc
import os
import threading
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
import pytest
import torch

import sklearn_ae
from sklearn_ae._base import BaseAutoencoder

LINUX = Path("/proc/self/statm").exists()
X = np.random.default_rng(0).normal(size=(200, 20))
PUBLIC = [getattr(sklearn_ae, name) for name in sklearn_ae.__all__]
ESTIMATORS = [
    thing
    for thing in PUBLIC
    if isinstance(thing, type) and issubclass(thing, BaseAutoencoder)
]


def _fit(i):
    cls = ESTIMATORS[i % len(ESTIMATORS)]
    model = cls(2, max_iter=3, early_stopping=bool(i % 2), random_state=i)
    model.fit(X).score(X)
    model.partial_fit(X).inverse_transform(model.transform(X.astype(np.float32)))


def _memory():
    """Return the process's resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _left_over():
    """Return what a fit might forget to give back: numbers of each kind."""
    gc.collect()
    things = gc.get_objects()
    counts = {
        "tensors": sum(issubclass(type(thing), torch.Tensor) for thing in things),
        "networks": sum(issubclass(type(thing), torch.nn.Module) for thing in things),
        "threads": threading.active_count(),
        # Semaphores and shared memory; the tracker runs once there is one.
        "tracked": resource_tracker._resource_tracker._pid is not None,
        "global generator": torch.random.initial_seed(),
    }
    if LINUX:
        counts["all threads"] = len(os.listdir("/proc/self/task"))
        counts["open files"] = len(os.listdir("/proc/self/fd"))
        own = str(os.getpid())  # other processes share memory too
        counts["shared memory"] = sum(own in name for name in os.listdir("/dev/shm"))
    return counts


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_fits", [30, pytest.param(200, marks=pytest.mark.heavy)])
def test_fits_leave_nothing_behind(n_fits):
    for i in range(2 * len(ESTIMATORS)):  # pools and caches fill once
        _fit(i)
    before, memory = _left_over(), _memory() if LINUX else 0
    for i in range(n_fits):
        _fit(i)
    after = _left_over()
    assert after.pop("global generator") == before.pop("global generator")
    # Fewer there may be: what tests before this one left goes away meanwhile.
    assert not {kind: n for kind, n in after.items() if n > before[kind]}
    if LINUX:
        grown = _memory() - memory
        print(f"{n_fits} fits: {grown:.1f} MB more resident memory")
        assert grown < 50
