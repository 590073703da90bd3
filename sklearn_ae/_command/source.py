"""What the command reads: a data set known by name, or a file, ready to compare."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from .. import AutoencoderImputer
from .._catalogue import KNOWN
from ..datasets import imputer, load_images, read_table


@dataclass(frozen=True)
class Source:
    """What is compared on."""

    X: np.ndarray  # (n_samples, n_features), NaN where a cell is missing
    y: np.ndarray | None  # (n_samples,), numbers, bool or text
    notes: list  # what its reader should be told
    groups: np.ndarray | None = None  # (n_samples,)
    scaled: bool = False
    missing: float = 0.0  # share of the table's cells


def load(options):
    """Read the data; sample them down; standardize them if asked or needed."""
    if options.data in KNOWN:
        return _sampled(_known(options), options)
    table = read(options, target=options.target, groups=options.group)
    # The data themselves rather than a step of the reducers: what each of these
    # minimises and what is measured are then in the same units.
    X = table.preprocessing.named_steps["encode"].fit_transform(table.data)
    notes = _filled(table.missing, options, table.notes)
    return _sampled(
        Source(X, table.target, notes, table.groups, table.scaled, table.missing),
        options,
    )


def read(options, **more):
    """Read a file, as the options say."""
    told = ("sep", "decimal", "encoding", "header", "comment", "na", "sheet")
    kinds = options.categorical or ["auto"]
    return read_table(
        standard_input() if options.data == "-" else options.data,
        columns=options.columns,
        drop=options.drop or (),
        categorical=kinds[0] if kinds in (["auto"], ["none"]) else kinds,
        dates=options.dates,
        missing="impute" if options.missing == "mean" else options.missing,
        scale="auto" if options.scale is None else options.scale,
        **{key: value for key in told if (value := getattr(options, key)) is not None},
        **more,
    )


def standard_input():
    """Return the bytes that are piped in."""
    return sys.stdin.buffer


def name(options):
    """Return what the data are called."""
    return "standard input" if options.data == "-" else Path(options.data).name


def _known(options):
    for option in ("target", "group", "columns", "drop"):
        if getattr(options, option) is not None:
            raise ValueError(
                f"--{option} is for files; {options.data} comes with its own target. "
                f"The file's name goes before --{option}."
            )
    if options.data == "digits":
        X, y = load_digits(return_X_y=True)
    else:
        X, y = load_images(options.data, options.data_dir)
    X = StandardScaler().fit_transform(X) if options.scale else X
    return Source(X, y, [], scaled=bool(options.scale))


def filler(options):
    """Return what fills missing cells, unfitted."""
    if options.missing != "impute":
        return imputer()
    return AutoencoderImputer(
        keep_empty_features=True, random_state=options.random_state
    )


def _filled(missing, options, notes):
    if not missing:
        return notes
    filled = "by the means of its training rows"
    if options.missing == "impute":
        filled = "by AutoencoderImputer, fitted to its training rows"
    return [
        *notes,
        f"Missing cells are filled in each fold {filled}, and not measured.",
    ]


def _sampled(source, options):
    n = len(source.X)
    if not 0 < options.max_rows < n:
        return source
    rng = np.random.default_rng(options.random_state)
    rows = np.sort(rng.choice(n, options.max_rows, replace=False))
    return replace(
        source,
        X=source.X[rows],
        y=None if source.y is None else source.y[rows],
        groups=None if source.groups is None else source.groups[rows],
        notes=[
            *source.notes,
            f"Taking {options.max_rows:,} of {n:,} rows at random; --max-rows 0 "
            "takes all.",
        ],
    )
