"""The data sets that the command and the benchmarks know by name.

To add an image set: a row in `IMAGE_SETS`.
"""

from typing import NamedTuple


class ImageSet(NamedTuple):
    """A published set of grey images with ten classes."""

    openml: str  # its name at OpenML
    n_train: int  # images of the training set, which come first
    n_test: int
    shape: tuple  # (height, width)


IMAGE_SETS = {
    "mnist": ImageSet("mnist_784", 60_000, 10_000, (28, 28)),
    "fashion-mnist": ImageSet("Fashion-MNIST", 60_000, 10_000, (28, 28)),
}
KNOWN = ("digits", *IMAGE_SETS)
