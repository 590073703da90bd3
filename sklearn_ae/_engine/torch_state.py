"""What belongs to the process: torch's device, generators, modes and threads."""

import contextlib
import os
import threading

import numpy as np
import torch
from sklearn.utils import check_random_state


def resolve_device(device):
    """Return the torch device that a `device` parameter names.

    Parameters
    ----------
    device : str or torch.device
        "auto" is CUDA where present, else the CPU.

    Returns
    -------
    torch.device
    """
    if isinstance(device, str) and device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        tensor = torch.zeros(1, device=device)
        tensor.item()  # which "meta" has not
        return tensor.device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"The 'device' parameter must be 'auto' or a device that torch has here. "
            f"Got {device!r}: {str(error).splitlines()[0]}"
        ) from error


# torch's generator and default dtype belong to the process, not to the thread.
_ONE_FIT_AT_A_TIME = threading.RLock()


def _after_fork():
    """Let a forked process, as joblib's multiprocessing has them, fit too."""
    global _ONE_FIT_AT_A_TIME
    _ONE_FIT_AT_A_TIME = threading.RLock()  # the old one may be held for good
    # OpenMP's threads stay behind in a fork, and work handed to them waits forever.
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextlib.contextmanager
def torch_state(device, seed):
    """Seed torch and set its modes for a fit; put everything back afterwards.

    Fits in other threads wait meanwhile.

    Parameters
    ----------
    device : torch.device
        Whose generator is seeded too.
    seed : int
        For torch's generators.
    """
    devices = [device] if device.type == "cuda" else []
    with (
        _ONE_FIT_AT_A_TIME,
        torch.random.fork_rng(devices),
        torch.inference_mode(False),
        torch.enable_grad(),
    ):
        dtype = torch.get_default_dtype()
        flushed = _denormals_flushed()
        n_threads = torch.get_num_threads()
        try:
            torch.manual_seed(seed)
            torch.set_default_dtype(torch.float32)
            # SiLU and GELU make denormals, which slow some CPUs more than tenfold.
            torch.set_flush_denormal(True)
            yield
        finally:
            torch.set_flush_denormal(flushed)
            torch.set_default_dtype(dtype)
            torch.set_num_threads(n_threads)


def _denormals_flushed():
    # torch has no getter: see what becomes of a denormal number.
    return (torch.tensor(1e-310, dtype=torch.float64) * 1.0).item() == 0.0


def generator(random_state):
    """Return numpy's new kind of generator; None never touches the global one."""
    if random_state is None:
        return np.random.default_rng()
    return np.random.default_rng(check_random_state(random_state).randint(2**31))
