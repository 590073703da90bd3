"""What a target is good for: said before the work, in the command's own words."""

import numpy as np
import pandas as pd

from .._measures import holds_classes


def check(source, options):
    """Return what the k-NN score measures, and what is to be said about the target.

    Parameters
    ----------
    source : Source
        The data.
    options : argparse.Namespace
        The command's.

    Returns
    -------
    measure : {"accuracy", "R²"} or None
        None without a target.
    notes : list of str

    Raises
    ------
    ValueError
        If there is nothing to predict, or the folds cannot be made.
    """
    y = source.y
    n = len(source.X)
    if n < options.cv:
        raise ValueError(
            f"{options.data} leaves {n} row{'s' * (n > 1)}, too few for {options.cv} "
            "folds (--cv)."
        )
    if y is None:
        return None, []
    option = f"--target {options.target}"
    values, counts = np.unique(y, return_counts=True)
    if len(values) == 1:
        raise ValueError(
            f"{option}: it holds a single value, {values[0]}: nothing to predict."
        )
    if not holds_classes(y):
        if _numbers_rows(y):
            raise ValueError(f"{option} numbers the rows: nothing to predict.")
        return "R²", []
    if counts.max() < options.cv:
        raise ValueError(
            f"{option}: none of its {len(values):,} values has {options.cv} rows, one "
            "for each fold (--cv); it may name the rows rather than classes."
        )
    if options.time or source.groups is not None:
        return "accuracy", []
    few = [
        f"{value} ({count})"
        for value, count in zip(values, counts, strict=True)
        if count < options.cv
    ]
    if not few:
        return "accuracy", []
    return "accuracy", [
        f"{option}: classes with fewer rows than the {options.cv} folds (--cv) are not "
        f"in all of them: {', '.join(few[:8])}{' ...' * (len(few) > 8)}."
    ]


def _numbers_rows(y):
    return pd.api.types.is_numeric_dtype(y) and bool((np.diff(y) == 1).all())


def in_words(y, measure):
    """Say what kind of target there is."""
    if measure == "accuracy":
        return f"{len(np.unique(y))} classes"
    return "a target of numbers"
