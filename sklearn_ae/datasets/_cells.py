"""What cells of text say: numbers, with all that people write around them."""

import re

import numpy as np
import pandas as pd

# What stands for a missing value, besides what pandas knows (NA, N/A, null, "" ...).
MISSING = [
    *("?", "-", "--", "–", "—", ".", "*", "n.a.", "N.A.", "na", "n.d.", "nd", "ND"),
    *("missing", "Missing", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!"),
]
_PANDAS = ["", "NA", "N/A", "n/a", "nan", "NaN", "-nan", "null", "NULL", "None", "<NA>"]
MULTIPLES = {"k", "K", "M", "B", "G", "bn", "Mio", "Mrd"}  # 1.2k beside 950
ENOUGH = 0.9  # of a column's cells make it numbers; the others then count as missing

_POINT = re.compile(r"[-+−]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?")
_COMMA = re.compile(r"[-+−]?(\d+,?\d*|,\d+)([eEdD][-+]?\d+)?")
_GROUPS = {  # thousands in groups of three, then decimals; 0,123 is none of them
    ".": re.compile(r"[-+−]?[1-9]\d{0,2}(?:([,'’ ])\d{3})(?:\1\d{3})*(\.\d+)?"),
    ",": re.compile(r"[-+−]?[1-9]\d{0,2}(?:([.'’ ])\d{3})(?:\1\d{3})*(,\d+)?"),
}
_LIMIT = re.compile(r"[<>≤≥]=?\s*[-+]?[\d.,]+.{0,12}")
_DRESSED = re.compile(
    r"(?P<open>\(?)(?P<sign>[-+−]?)\s*"
    r"(?P<before>[$€£¥₹]|USD|EUR|GBP|CHF)?\s*(?P<minus>[-−]?)"
    r"(?P<number>[\d.,][\d.,'’ ]*(?:[eEdD][-+]?\d+)?)\s*"
    r"(?P<after>[*†‡%‰°µμΩ€$£¥₹A-Za-z][A-Za-z/°µμ·.^²³ %-]*(?:(?<=[A-Za-z])[23])?)?\)?"
)
_YES = {"true": 1.0, "t": 1.0, "yes": 1.0, "y": 1.0}
_YES |= {"false": 0.0, "f": 0.0, "no": 0.0, "n": 0.0}


def is_missing(cell):
    """Tell whether a cell stands for a missing value."""
    return cell in _PANDAS or cell in MISSING


def number(cell, decimal="."):
    """Return the number that a bare cell is, or None."""
    if grouped := _GROUPS[decimal].fullmatch(cell):
        cell = cell.replace(grouped[1], "")
    if not (_POINT if decimal == "." else _COMMA).fullmatch(cell):
        return None
    return float(re.sub("[dD]", "e", cell.replace(",", ".").replace("−", "-")))


def is_number(cell):
    """Tell whether a cell is a number in either convention, or missing."""
    if _POINT.fullmatch(cell) or _COMMA.fullmatch(cell) or is_missing(cell):
        return True
    if match := _DRESSED.fullmatch(cell):
        text = match["number"].strip()  # spaces may be between cells rather than digits
        return " " not in text and any(
            _undressed(match, sign) is not None for sign in ".,"
        )
    return False


def shows_decimal(cells, sep):
    """Tell the decimal sign of a table.

    Parameters
    ----------
    cells : list of str
        Its cells.
    sep : str
        What stands between them.

    Returns
    -------
    str
        ``","`` where more cells have it as decimal sign than have a point.
    """
    commas = [
        c for c in cells if "," in c and (_COMMA.fullmatch(c) or _grouped(c, ","))
    ]
    points = [
        c for c in cells if "." in c and (_POINT.fullmatch(c) or _grouped(c, "."))
    ]
    # 1,234 and 1.234 may be thousands, and say nothing where others are plain.
    plain = sum(not _grouped(cell, ".") for cell in commas)
    if n_plain_points := sum(not _grouped(cell, ",") for cell in points):
        return "," if plain > n_plain_points else "."
    if plain or sep != ";":
        return "," if plain else "."
    return "," if len(commas) > len(points) else "."


def _grouped(cell, decimal):
    return bool(_GROUPS[decimal].fullmatch(cell))


def numbers(text, decimal="."):
    """Read a column of text as numbers.

    Currency signs, percent signs and one unit are left out, thousands separators too.

    Parameters
    ----------
    text : Series of str
        The column, with missing values.
    decimal : str, default="."
        The decimal sign of the table. A column in which the other sign makes more
        numbers has the other one.

    Returns
    -------
    numbers : Series of float64 or None
        None where fewer than `ENOUGH` of the cells are numbers.
    remarks : list of str
        What was left out or taken as missing, after the column's name.
    """
    codes, cells = pd.factorize(text)
    cells = [_tidy(cell) for cell in cells]
    counts = np.bincount(codes[codes >= 0], minlength=len(cells))
    asked = [not is_missing(c) and not _LIMIT.fullmatch(c) for c in cells]
    other = "," if decimal == "." else "."
    read = max(
        (_read(cells, sign) for sign in (decimal, other)),
        key=lambda read: counts[~np.isnan(read[0])].sum(),
    )
    values, left_out = read
    found = ~np.isnan(values)
    n_cells, n_found = counts[asked].sum(), counts[found].sum()
    if n_found == 0 or n_found < ENOUGH * n_cells:
        return None, []
    remarks = [f"without {left_out}"] if left_out else []
    odd = [i for i in np.flatnonzero(~found) if asked[i] or _LIMIT.fullmatch(cells[i])]
    if odd:
        n_odd = int(counts[odd].sum())
        remarks.append(
            f"{n_odd:,} cell{'s' * (n_odd > 1)} such as {cells[odd[0]]!r} as missing"
        )
    column = np.append(values, np.nan)[codes]  # the code of a missing cell is -1
    return pd.Series(column, index=text.index, name=text.name), remarks


def _tidy(cell):
    return re.sub(r"[\u00a0\u2007\u2009\u202f]", " ", str(cell)).strip(" '\x1a")


def _read(cells, decimal):
    """Return the cells as numbers, and what stood around these."""
    values, around, bare = np.full(len(cells), np.nan), set(), False
    for i, cell in enumerate(cells):
        value = number(cell, decimal)
        if match := _DRESSED.fullmatch(cell):
            value = _undressed(match, decimal)
            if value is not None:
                around |= {match["before"], match["after"], _group_sign(match, decimal)}
                bare |= value != 0 and not match["after"]
        if value is not None:
            values[i] = value
    around = sorted(x.strip() or "spaces" for x in around - {None, ""})
    several = len(set(around) - {*",.'’", "spaces"}) > 1
    if several or (bare and MULTIPLES & {*around}):  # two units are not one number
        return np.full(len(cells), np.nan), ""
    return values, ", ".join(f"{x!r}" if x != "spaces" else x for x in around)


def _group_sign(match, decimal):
    grouped = _GROUPS[decimal].fullmatch(match["number"].strip())
    return grouped[1] if grouped else None


def _undressed(match, decimal):
    """Return the number within what is written around it, or None."""
    text = match["number"].strip()
    value = number(text, decimal)
    if value is None:
        return None
    negative = match["sign"] in ("-", "−") or match["minus"]
    if match["open"]:
        negative = match[0].endswith(")")  # as accountants write it
    return -value if negative else value


def booleans(text):
    """Read a column of yes and no as 1 and 0, or return None."""
    words = text.dropna().astype(str).str.strip().str.lower()
    if words.empty or words.nunique() > 2 or not set(words.unique()) <= set(_YES):
        return None
    return words.map(_YES).reindex(text.index)


def dates(text):
    """Read a column of dates as days since 1970, or return None."""
    codes, cells = pd.factorize(text)
    cells = pd.Series(cells, dtype=object).astype(str).str.strip()
    pattern = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{4}-\d{2}$|[A-Za-z]{3,9}\.? \d"
    if cells.empty or cells.str.match(pattern).mean() < ENOUGH:
        return None
    times = pd.to_datetime(cells, errors="coerce", format="mixed", utc=True)
    if times.notna().mean() < ENOUGH:
        return None
    found = days(times).to_numpy()
    return pd.Series(np.append(found, np.nan)[codes], index=text.index, name=text.name)


def days(times):
    """Return times as days since 1970."""
    times = pd.to_datetime(times, utc=True)
    return (times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
