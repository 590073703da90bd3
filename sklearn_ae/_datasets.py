"""What the command and the benchmarks read: two image sets, and files of one's own."""

import gzip
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import fetch_openml

IMAGE_SETS = {"mnist": "mnist_784", "fashion-mnist": "Fashion-MNIST"}  # OpenML's names


def load_images(name, data_dir=None):
    """Load MNIST or Fashion-MNIST whole.

    Parameters
    ----------
    name : {"mnist", "fashion-mnist"}
        Which.
    data_dir : path-like, default=None
        The folder that holds a folder of that name with the four published ``.gz``
        files. By default the one that the environment variable ``SKLEARN_AE_DATA``
        names; without either, :func:`sklearn.datasets.fetch_openml` downloads.

    Returns
    -------
    X : ndarray of shape (70000, 784), float32
        Pixels in [0, 1]; the 60,000 training images, then the 10,000 test images.
    y : ndarray of shape (70000,), int64
        Classes, 0 to 9.

    Raises
    ------
    OSError
        If a file is missing, or the download fails.
    ValueError
        If a file is damaged.
    """
    data_dir = data_dir or os.environ.get("SKLEARN_AE_DATA")
    if data_dir:
        folder = Path(data_dir) / name
        images, labels = (
            np.concatenate([read_idx(folder / f"{part}-{kind}") for part in parts])
            for parts, kind in (
                (("train", "t10k"), "images-idx3-ubyte.gz"),
                (("train", "t10k"), "labels-idx1-ubyte.gz"),
            )
        )
        if len(images) != len(labels):
            raise ValueError(
                f"{folder} holds {len(images)} images but {len(labels)} labels: get "
                "its files again."
            )
        images = images.reshape(len(images), -1)
    else:
        try:
            images, labels = fetch_openml(
                IMAGE_SETS[name], version=1, return_X_y=True, as_frame=False
            )
        except OSError as error:
            raise OSError(
                f"{name} could not be downloaded from OpenML ({error}); name a folder "
                f"that holds {name}/ with --data-dir or SKLEARN_AE_DATA."
            ) from error
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def read_idx(path):
    """Read a gzipped idx file of unsigned bytes.

    The format: two zero bytes, 8 for "unsigned byte", the number of dimensions; each
    dimension's size as a big-endian 32-bit number; the bytes.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    ndarray of uint8
        In the shape that the file states.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not a whole idx file of unsigned bytes.
    """
    try:
        with gzip.open(path) as file:
            content = file.read()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist.") from error
    except (gzip.BadGzipFile, EOFError, gzip.zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): get it again.") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is not an idx file of unsigned bytes.")
    n_dimensions = content[3]
    start = 4 + 4 * n_dimensions
    shape = ()
    if len(content) >= start:
        shape = struct.unpack(f">{n_dimensions}I", content[4:start])
    n_bytes = int(np.prod(shape, dtype=np.int64))
    if not shape or len(content) - start != n_bytes:
        raise ValueError(
            f"{path} is damaged: {len(content)} bytes do not make an array of shape "
            f"{shape}; get it again."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


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
            f"{path} is neither a file nor a known data set (digits, "
            f"{', '.join(IMAGE_SETS)})."
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
