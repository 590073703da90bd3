"""Replay: the gradients of a batch as a CUDA graph.

A GPU computes a small network's step sooner than Python can ask for its parts. A graph
is asked for once and played back as a whole.
"""

import torch

from .networks import has_hooks
from .objective import Objective, OrderedObjective


class Replay:
    """The loss of a batch and its gradients, captured once a training is under way.

    Batches before that, and those of another size, are left to autograd. What is
    captured is what autograd does.

    Parameters
    ----------
    net : AutoencoderNet
        In training, on a CUDA device.
    """

    PATIENCE = 20  # batches: a short training would not earn the capture
    WARM_UPS = 3  # libraries choose kernels and take memory at the first calls

    def __init__(self, net):
        self.net = net
        self.parameters = [p for p in net.module_.parameters() if p.requires_grad]
        self.graph = None
        self.n_batches = 0

    @classmethod
    def of(cls, net):
        """Return the replay of a net's steps, or None where they are left to autograd.

        Parameters
        ----------
        net : AutoencoderNet
        """
        module, objective = net.module_, net.criterion_
        if (
            torch.device(net.device).type != "cuda"
            or type(objective) not in (Objective, OrderedObjective)
            or objective.sees_codes
            or objective.missing  # picks cells, whose number the CPU would wait for
            or module._compiled_call_impl is not None
            or not all(_is_known(part) for part in module.modules())
            or [*module.buffers()]  # which would be as the last batch left them
        ):
            return None
        return cls(net)

    def __call__(self, inputs, targets):
        """Set the gradients; return the mean loss, and no prediction.

        Parameters
        ----------
        inputs, targets : Tensor of shape (n_rows, n_features)
        """
        self.n_batches += 1
        if self.graph is None and self.n_batches > self.PATIENCE:
            self._capture(inputs, targets)
        if self.graph is None or inputs.shape != self.inputs.shape:
            return self._gradients(inputs, targets), None
        self.inputs.copy_(inputs)
        if self.targets is not self.inputs:
            self.targets.copy_(targets)
        self.graph.replay()
        for parameter, grad in zip(self.parameters, self.grads, strict=True):
            parameter.grad = grad
        return self.loss, None

    def _capture(self, inputs, targets):
        self.inputs = inputs.clone()
        self.targets = self.inputs if targets is inputs else targets.clone()
        beside = torch.cuda.Stream(inputs.device)
        beside.wait_stream(torch.cuda.current_stream(inputs.device))
        with torch.cuda.stream(beside):
            for _ in range(self.WARM_UPS):
                self._gradients(self.inputs, self.targets)
        torch.cuda.current_stream(inputs.device).wait_stream(beside)
        for parameter in self.parameters:
            parameter.grad = None  # the graph has its own
        self.graph = torch.cuda.CUDAGraph()
        # Other threads may use the device meanwhile.
        capture = torch.cuda.graph(self.graph, capture_error_mode="thread_local")
        with torch.cuda.device(inputs.device), capture:
            self.loss = self._gradients(self.inputs, self.targets)
        self.grads = [parameter.grad for parameter in self.parameters]

    def _gradients(self, inputs, targets):
        """Set the gradients by autograd; return the mean loss."""
        for parameter in self.parameters:
            parameter.grad = None
        net = self.net
        y_pred = net.infer(inputs)
        turns = net.criterion_.turns(net.module_, y_pred, targets, inputs)
        ((loss, _),) = turns
        loss.backward()
        return loss.detach()


def _is_known(module):
    """Tell whether a module is torch's or ours: one of users may do anything."""
    package = type(module).__module__.partition(".")[0]
    return package in ("torch", "sklearn_ae") and not has_hooks(module)
