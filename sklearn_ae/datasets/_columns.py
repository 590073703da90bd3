"""What each column of a table is: numbers, categories, dates, or nothing to learn from.

A column's kind is told by `kind_of`; what is left out, by `useless`.
"""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ._cells import booleans, dates, days, numbers

MOST_LEVELS = 20  # of a category, each with
ROWS_A_LEVEL = 5  # so many rows on average
MOSTLY = 0.5  # a column with more missing cells than this is left out
_ID = re.compile(
    r"(.*[\s_.-])?(id|ids|uid|uuid|guid)|index|idx|no\.?|nr\.?|rownames?|row|"
    r"row_?(id|no|nr|num(ber)?)|Unnamed: 0",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"[A-Za-z0-9]*[a-z](Id|ID)")


AGAIN = "an id that comes again: --group keeps its rows together"


@dataclass(frozen=True)
class Column:
    """A column that was looked at."""

    kind: str  # "number", "category", "date" or, of no use, why: "free text" ...
    values: pd.Series  # float64; text for categories
    remarks: list  # what was assumed of its cells


KINDS = ("number", "category", "date")


def kind_of(column, *, decimal=".", category=None):
    """Tell what a column is, and read its cells.

    Parameters
    ----------
    column : Series
        As a file's reader gave it.
    decimal : str, default="."
        The decimal sign of the table.
    category : bool, default=None
        True: whatever it looks like. False: never.

    Returns
    -------
    Column
    """
    types = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if category:
        return Column("category", _as_text(column), [])
    if types.is_complex_dtype(column):
        return Column("complex numbers", column, [])
    if types.is_bool_dtype(column) or types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return Column("number", pd.Series(values, column.index, name=column.name), [])
    if types.is_datetime64_any_dtype(column):
        return Column("date", days(column), [])
    if types.is_timedelta64_dtype(column):
        return Column("number", column / pd.Timedelta(days=1), ["in days"])
    if not types.is_string_dtype(column) and _holds_things(column):
        return Column("neither numbers nor text", _as_text(column), [])
    return _of_text(_as_text(column), decimal, category)


def _of_text(text, decimal, category):
    if (values := booleans(text)) is not None:
        return Column("number", values, [])
    if (values := dates(text)) is not None:
        return Column("date", values, [])
    values, remarks = numbers(text, decimal)
    if values is not None:
        return Column("number", values, remarks)
    n, n_levels = text.notna().sum(), text.nunique()
    if category is False:
        return Column("text", text, [])
    if n_levels <= min(MOST_LEVELS, max(n / ROWS_A_LEVEL, 2)):
        return Column("category", text, [])
    return Column(f"text with {n_levels:,} different values", text, [])


def _as_text(column):
    """Return a column as text, whole numbers without a point."""
    kept = column.dropna()
    if pd.api.types.is_float_dtype(kept) and (kept % 1 == 0).all():
        kept = kept.astype(np.int64)
    text = kept.astype(str).str.strip().astype(object)
    return text.reindex(column.index)


def _holds_things(column):
    things = (list, dict, tuple, set, np.ndarray)
    return column.dropna().map(lambda x: isinstance(x, things)).any()


def useless(name, column, *, named=True):
    """Say why there is nothing to learn from a column, or nothing.

    Parameters
    ----------
    name : str
        Its name.
    column : Column
        The column.
    named : bool, default=True
        Whether the file has names: a plain array's columns are no row numbers.

    Returns
    -------
    str
    """
    values = column.values.dropna()
    if values.empty:
        return "no values"
    comes_again = values.nunique() < len(values)
    if column.kind not in KINDS:
        return AGAIN if comes_again and _is_id_name(name) else column.kind
    if values.nunique() == 1:
        return "constant"
    share = column.values.isna().mean()
    if share > MOSTLY:
        return f"{share:.0%} missing"
    if column.kind == "number" and named and is_id(name, column.values):
        if comes_again:
            return AGAIN
        return "rises from row to row" if _counts(values) else "an id"
    return ""


def is_id(name, values):
    """Tell whether numbers say which row it is rather than anything about it.

    Parameters
    ----------
    name : str
        The column's name.
    values : Series of float64
        The column.

    Returns
    -------
    bool
        True for whole numbers that count up from row to row, and for whole numbers
        with a name such as id, customer_id or "Unnamed: 0".
    """
    present = values.dropna()
    if (present % 1 != 0).any():
        return False
    return _counts(values) or _is_id_name(name)


def _is_id_name(name):
    return bool(_ID.fullmatch(name) or _CAMEL.fullmatch(name))


def _counts(values):
    steps = np.diff(values.to_numpy())
    if len(steps) < 2 or not np.isfinite(steps).all():
        return False
    return bool(
        (steps == 1).all()
        or (len(steps) > 50 and (steps > 0).all() and (values % 1 == 0).all())
    )
