"""What can be asked for: data sets by their names, files by their suffixes.

To add an image set: a row in `IMAGE_SETS`. Only the standard library is imported here,
so that the command can say at once that there is no such file.
"""

from pathlib import Path
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
SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".xlsx", ".ods", ".parquet", ".feather", ".json"),
    *(".npy", ".npz", ".arff", ".sav", ".dta", ".gz", ".zip"),
)


def check_path(path):
    """Refuse what is no file.

    Parameters
    ----------
    path : path-like
        What was given.

    Raises
    ------
    ValueError
        With a sentence on what could be given instead.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a directory; name a file ({', '.join(SUFFIXES)}).")
    if not path.exists():
        raise ValueError(
            f"{path} is neither a file nor a known data set ({', '.join(KNOWN)})."
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty.")
