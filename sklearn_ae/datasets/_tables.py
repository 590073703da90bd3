"""Files of one's own: csv, parquet and npy, read into numbers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .._catalogue import KNOWN


@dataclass(frozen=True)
class Table:
    """A table read from a file, and what its reader should be told about it."""

    X: np.ndarray  # (n_samples, n_features), float64
    y: np.ndarray | None  # (n_samples,), numbers, bool or text
    notes: list


def read_table(path, target=None):
    """Read the numeric columns of a csv, parquet or npy file.

    Parameters
    ----------
    path : path-like
        The file. A csv file may be separated by commas, semicolons or tabs, and lack
        a header; the columns of an npy file are named 0, 1, ...
    target : str, default=None
        The column to set apart.

    Returns
    -------
    Table
        Its rows without missing values.

    Raises
    ------
    ValueError
        If the file cannot be read, or holds nothing to learn from.
    """
    path = Path(path)
    known = ", ".join(_READERS)
    if path.is_dir():
        raise ValueError(f"{path} is a directory; name a file ({known}).")
    if not path.exists():
        raise ValueError(
            f"{path} is neither a file nor a known data set ({', '.join(KNOWN)})."
        )
    if path.suffix.lower() not in _READERS:
        raise ValueError(f"{path} has an unknown extension; give one of {known}.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty.")
    try:
        frame = _READERS[path.suffix.lower()](path)
    except ImportError as error:
        raise ImportError(
            f"{path} needs pyarrow to be read: pip install 'sklearn-ae[cli]'"
        ) from error
    except (EOFError, OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise ValueError(f"{path} cannot be read: {reason}.") from error
    if frame.empty:
        raise ValueError(f"{path} holds no rows.")
    frame.columns = frame.columns.astype(str)

    y = None
    if target is not None:
        if target not in frame:
            raise ValueError(
                f"{path} has no column {target!r} to be the target; it has "
                f"{_some(frame.columns)}."
            )
        y = frame.pop(target)
    notes = []
    left_out = {name: reason for name in frame if (reason := _unfit(frame[name]))}
    if left_out:
        columns = f"{len(left_out)} column{'s' * (len(left_out) > 1)}"
        reasons = _some([f"{name} ({reason})" for name, reason in left_out.items()])
        notes.append(f"Leaving out {columns}: {reasons}.")
    frame = frame.drop(columns=left_out)
    if frame.shape[1] == 0:
        besides = "" if target is None else f" besides the target {target!r}"
        raise ValueError(
            f"{path} has no numeric column{besides}. {' '.join(notes)}".rstrip()
        )
    X = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    whole = ~np.isnan(X).any(axis=1)
    if y is not None:
        whole &= y.notna().to_numpy()
    if not whole.any():
        raise ValueError(f"Each of the {len(X)} rows of {path} has a missing value.")
    if not whole.all():
        dropped = int(np.sum(~whole))
        rows = f"{dropped:,} row{'s' * (dropped > 1)}"
        notes.append(f"Dropping {rows} of {len(X):,} for missing values.")
        X = X[whole]
    infinite = np.isinf(X).any(axis=0)
    if infinite.any():
        raise ValueError(
            f"{path} holds infinite values in {_some(frame.columns[infinite])}; "
            "replace them."
        )
    if len(X) == 1:
        raise ValueError(f"{path} leaves a single row: nothing to compare on.")
    if not np.ptp(X, axis=0).any():
        raise ValueError(f"{path} is constant in every column: nothing to learn.")
    if y is not None:
        y = y[whole]
        y = y.to_numpy() if pd.api.types.is_numeric_dtype(y) else _as_text(y)
    return Table(X, y, notes)


def _as_text(y):
    return y.astype(str).to_numpy(dtype=str)


def _read_csv(path):
    with open(path, encoding="utf-8-sig") as file:
        header = file.readline()
    separator = max(",;\t", key=header.count)
    try:
        [float(cell) for cell in header.split(separator)]
    except ValueError:
        frame = pd.read_csv(path, sep=separator)
        # What DataFrame.to_csv writes unless told not to: the row labels.
        return frame.drop(columns="Unnamed: 0", errors="ignore")
    return pd.read_csv(path, sep=separator, header=None)


def _read_npy(path):
    array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        raise ValueError(
            f"it must hold one array of rows and columns, not shape "
            f"{getattr(array, 'shape', 'unknown')}"
        )
    return pd.DataFrame(array)


_READERS = {".csv": _read_csv, ".parquet": pd.read_parquet, ".npy": _read_npy}


def _unfit(column):
    """Say why a column cannot be used, or nothing."""
    if column.isna().all():
        return "no values"
    types = pd.api.types
    if types.is_complex_dtype(column):
        return "complex numbers"
    if types.is_numeric_dtype(column):
        return ""
    if types.is_datetime64_any_dtype(column):
        return "dates"
    text = column.dropna().astype(str)
    odd = text[pd.to_numeric(text, errors="coerce").isna()]
    return f"not numeric: {odd.iloc[0]!r}" if len(odd) else "not numeric"


def _some(names, most=8):
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
