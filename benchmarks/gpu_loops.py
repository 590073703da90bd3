"""What `gpu` times: our fit, and training loops written by hand.

Each takes a `Run`, and returns the seconds of its epochs.
"""

import contextlib
import time

import torch
from skorch.callbacks import Callback
from torch import nn

from benchmarks.speed import RATE, perceptrons
from sklearn_ae import AutoencoderTransformer


class Clock(Callback):
    """Notes the seconds of each epoch."""

    epochs_only = True

    def __init__(self, wait):
        self.wait = wait

    def initialize(self):
        """Begin with none."""
        self.seconds = []
        return self

    def on_epoch_begin(self, net, **kwargs):
        """Start it."""
        self.wait()
        self.start = time.perf_counter()

    def on_epoch_end(self, net, **kwargs):
        """Stop it."""
        self.wait()
        self.seconds.append(time.perf_counter() - self.start)


def loop(run, X, hidden, n_components, batch_size, epochs, half=False, compiled=False):
    """Train as one would by hand; return the seconds of each epoch."""
    torch.manual_seed(0)
    X = torch.from_numpy(X).to(run.device)
    net = perceptrons(X.shape[1], hidden, n_components).to(run.device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, fused=True)
    called = torch.compile(net) if compiled else net
    seconds = []
    for _ in range(epochs):
        run.wait()
        start = time.perf_counter()
        order = torch.randperm(len(X), device=run.device)
        for first in range(0, len(X), batch_size):
            rows = X[order[first : first + batch_size]]
            optimizer.zero_grad()
            with torch.autocast(run.device.type, torch.bfloat16, half):
                loss = nn.functional.mse_loss(called(rows).float(), rows)
            loss.backward()
            optimizer.step()
        run.wait()
        seconds.append(time.perf_counter() - start)
    return seconds


def graph_loop(run, X, hidden, n_components, batch_size, epochs, half=False):
    """Do so with a step that is captured once as a CUDA graph, and replayed."""
    torch.manual_seed(0)
    X = torch.from_numpy(X).to(run.device)
    net = perceptrons(X.shape[1], hidden, n_components).to(run.device)
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=RATE, fused=True, capturable=True
    )
    rows = X[:batch_size].clone()

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16, half, cache_enabled=False):
            loss = nn.functional.mse_loss(net(rows).float(), rows)
        loss.backward()
        optimizer.step()

    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    seconds = []
    for _ in range(epochs):
        run.wait()
        start = time.perf_counter()
        order = torch.randperm(len(X), device=run.device)
        for first in range(0, len(X) - batch_size + 1, batch_size):
            torch.index_select(X, 0, order[first : first + batch_size], out=rows)
            graph.replay()
        run.wait()
        seconds.append(time.perf_counter() - start)
    return seconds


def ours(run, X, hidden, n_components, batch_size, epochs, half=False, compiled=False):
    """Fit ours; return the seconds of each epoch."""
    clock = Clock(run.wait)
    AutoencoderTransformer(
        n_components,
        hidden_layer_sizes=hidden,
        init="random",
        early_stopping=False,
        batch_size=batch_size,
        max_iter=epochs,
        precision="bfloat16" if half else "float32",
        compile=compiled,
        device=run.device,
        callbacks=[clock],
        random_state=0,
    ).fit(X)
    return clock.seconds


@contextlib.contextmanager
def tensor_floats(wanted):
    """Let products of float32 take TF32, or not."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if wanted else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
