"""What reads and gives counts, as ONNX operators: see `counts.py`."""

import numpy as np

from .counts import TINY


def rate_link(link, graph, x):
    """Add a `RateLink`; return the name of what it gives."""
    x = graph.add("Add", graph.add("Mul", x, link.scale), link.mean)
    x = graph.add("Relu", x)
    x = graph.add("Mul", graph.add("Mul", x, x), (1 - link.floor) * link.factor)
    return graph.add("Log", graph.add("Add", x, link.floor))


def total_of(graph, x):
    """Add the total of each row, as a column."""
    return graph.add("ReduceSum", x, np.array([1]), keepdims=1)


def roots_of(graph, module, x):
    """Add what `Counts.read` does."""
    x = graph.add("Relu", x)
    total = total_of(graph, x)
    shares = graph.add("Div", x, graph.add("Max", total, np.float32(TINY)))
    centred = graph.add("Sub", graph.add("Sqrt", shares), module.mean)
    centred = graph.add("Mul", centred, graph.add("Sign", total))
    return graph.add("Div", centred, module.scale)
