"""Which columns of a table are learned from, and what is said about the others."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from ._columns import Column, kind_of, useless

STAND_INS = (-99, -999, -9999, -99999)  # what instruments write for a missing value


@dataclass(frozen=True)
class Reading:
    r"""How a file was read: enough to read another one in the same way.

    `read_table` returns it as `reading` of a table, and takes it again, so that a new
    file has the columns and the kinds of the old one, whatever its own cells suggest.

    Parameters
    ----------
    kinds : dict of str to {"number", "category", "date"}
        The kind of each column that was taken.
    told : dict
        What `read_table` was told of the file: encoding, separator and the like.

    See Also
    --------
    read_table : Makes one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_ae.datasets import read_table
    >>> path = Path(tempfile.mkdtemp()) / "masses.csv"
    >>> _ = path.write_text("mass,age\n1.5,20\n2.5,31\n0.5,19\n")
    >>> read_table(path).reading.kinds
    {'mass': 'number', 'age': 'number'}
    """

    kinds: dict
    told: dict = field(default_factory=dict)


def some(names, most=8):
    """Name things, not too many of them."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def asked(names, columns, drop, path):
    """Return the columns that are asked for, and those that are named in full."""
    named = [x for x in columns or () if x in names]
    kept = names if columns is None else _matching(columns, names, "columns", path)
    dropped = _matching(drop, names, "drop", path)
    return [name for name in names if name in kept and name not in dropped], named


def _matching(wanted, names, option, path):
    found = set()
    for pattern in wanted:
        first, colon, last = pattern.partition(":")
        if pattern in names:
            found.add(pattern)
        elif colon and {first, last} <= {*names, ""}:
            start = names.index(first) if first else 0
            found |= {*names[start : names.index(last) + 1 if last else None]}
        else:
            matches = [name for name in names if fnmatchcase(name, pattern)]
            if not matches:
                raise ValueError(
                    f"{path} has no column {pattern!r} for {option}; it has "
                    f"{some(names)}."
                )
            found |= {*matches}
    return found


def look(found, names, categorical):
    """Look at columns of a file; what the options say of one goes first."""
    frame = found.frame[names]
    decimal = found.dialect.decimal if found.dialect else "."
    auto = categorical == "auto"
    named = [] if isinstance(categorical, str) else _as_list(categorical)
    if lacking := [name for name in named if name not in frame]:
        raise ValueError(
            f"There is no column {lacking[0]!r} to be categorical; there are "
            f"{some(frame)}."
        )
    usual = None if auto or named else False
    return {
        name: kind_of(
            frame[name], decimal=decimal, category=True if name in named else usual
        )
        for name in frame
    }


def _as_list(names):
    return list(names) if isinstance(names, Iterable) else [names]


def useful(looked, named, dates, asked):
    """Return the columns to learn from, and why the others are not."""
    kept, reasons = {}, {}
    for name, column in looked.items():
        reason = useless(name, column, named=named and name not in asked)
        if not reason and column.kind == "date" and not (dates or name in asked):
            reason = "dates"
        if reason == "no values" and name.startswith("Unnamed: "):
            continue  # lines that end in a separator
        if reason:
            reasons[name] = reason
        else:
            kept[name] = column
    return kept, reasons


def said(looked):
    """Say what was assumed of cells, and which columns are categories."""
    notes = [
        f"Column {x}: {', '.join(c.remarks)}." for x, c in looked.items() if c.remarks
    ]
    if len(notes) > 5:
        notes = [
            *notes[:4],
            f"The same kind of thing in {len(notes) - 4} more columns.",
        ]
    notes += _stand_ins(looked)
    categories = [
        f"{name} ({column.values.nunique()})"
        for name, column in looked.items()
        if column.kind == "category"
    ]
    if categories:
        notes.append(f"As categories, with so many values: {some(categories)}.")
    return notes


def _stand_ins(looked):
    """Say which columns seem to have a number for missing cells."""
    notes = []
    for name, column in looked.items():
        negative = column.values[column.values < 0] if column.kind == "number" else []
        if len(negative) > 1 and negative.nunique() == 1:
            value = negative.iloc[0]
            if value in STAND_INS:
                notes.append(
                    f"Column {name} has {len(negative):,} cells of {value:g} and none "
                    f"else below 0: --na {value:g} if they are missing ones."
                )
    return notes


def left_out(reasons):
    """Say which columns are left out, and why."""
    if not reasons:
        return []
    columns = f"{len(reasons)} column{'s' * (len(reasons) > 1)}"
    named = {reason: [] for reason in reasons.values()}
    for name, reason in reasons.items():
        named[reason].append(name)
    why = some([f"{some(names)} ({reason})" for reason, names in named.items()])
    return [f"Leaving out {columns}: {why}."]


def as_before(frame, reading, name):
    """Look at the columns that another file had."""
    lacking = [x for x in reading.kinds if x not in frame]
    if lacking:
        new = [x for x in frame if x not in reading.kinds]
        raise ValueError(
            f"{name} lacks {len(lacking)} of the model's columns: {some(lacking)}. It "
            f"has instead: {some(new) or 'nothing'}."
        )
    decimal, looked = reading.told.get("decimal", "."), {}
    for x, kind in reading.kinds.items():
        column = kind_of(frame[x], decimal=decimal, category=kind == "category")
        if column.values.isna().all():
            column = Column(kind, pd.Series(np.nan, frame.index), [])
        if column.kind != kind:
            raise ValueError(
                f"Column {x} of {name} was a {kind} in the model's file, here it is "
                f"{column.kind}, such as {column.values.dropna().iloc[0]!r}."
            )
        looked[x] = column
    return looked
