"""Average: the mean of a training's last weights, which is judged and kept."""

import contextlib

import torch


class Average:
    """A running mean of a module's weights (Polyak and Juditsky 1992).

    Parameters
    ----------
    parameters : list of Parameter
        Of the module.
    memory_steps : float
        Steps that it looks back.
    """

    def __init__(self, parameters, memory_steps):
        self.own = [parameter.detach() for parameter in parameters]
        self.tensors = [tensor.clone() for tensor in self.own]
        self.memory_steps = memory_steps
        self.n_steps = 0

    def add(self):
        """Take the weights after a step in."""
        self.n_steps += 1
        # Short at first, or it would hold the start for long.
        memory = min(self.memory_steps, 2 + self.n_steps / 4)
        torch._foreach_lerp_(self.tensors, self.own, 1 / memory)

    def state_dict(self):
        """Return what it must know to go on."""
        return {"tensors": self.tensors, "n_steps": self.n_steps}

    def load_state_dict(self, state):
        """Take up what `state_dict` gave."""
        for own, tensor in zip(self.tensors, state["tensors"], strict=True):
            own.copy_(tensor)
        self.n_steps = state["n_steps"]


@contextlib.contextmanager
def averaged(net):
    """Have a net's module work with the average of its weights, if there is one."""
    if net.average_ is None:
        yield
        return
    parameters = list(net.module_.parameters())
    own = [parameter.data for parameter in parameters]
    for parameter, tensor in zip(parameters, net.average_.tensors, strict=True):
        parameter.data = tensor
    try:
        yield
    finally:
        for parameter, data in zip(parameters, own, strict=True):
            parameter.data = data
