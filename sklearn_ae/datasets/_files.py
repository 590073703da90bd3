"""Files of every kind, as data frames.

To read another format: a function of a binary file and a sheet, and a row in `FORMATS`.
What is in none of them is read as text.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ._cells import MISSING
from ._dialect import HEAD, SPACES, Dialect, sniff

# Files are known by how they begin, whatever they are called; only then by suffix.
COMPRESSED = {
    b"\x1f\x8b": (".gz", gzip.decompress),
    b"BZh": (".bz2", bz2.decompress),
    b"\xfd7zXZ": (".xz", lzma.decompress),
}
MARKS = {b"PAR1": ".parquet", b"ARROW1": ".feather", b"\x93NUMPY": ".npy"}
BOOKS = {"xl/workbook.xml": ".xlsx", "content.xml": ".ods"}
FEW = 20  # lines, too few to tell names from rows
SEVERAL = "it holds {}: name one with --sheet (sheet=)"


@dataclass(frozen=True)
class File:
    """What a file holds, before its columns are looked at."""

    frame: pd.DataFrame
    dialect: Dialect | None  # None where the format says all
    named: bool = True  # whether its columns have names
    remarks: list = field(default_factory=list)


def read_file(path, *, sheet=None, na=(), **told):
    """Read a file, whatever its format.

    Parameters
    ----------
    path : path-like or binary file
        The file, perhaps compressed.
    sheet : str, default=None
        Of the sheets, arrays or files in it, the one to read.
    na : sequence of str, default=()
        Further words for a missing value.
    **told : dict
        What `sniff` need not find out.

    Returns
    -------
    File
    """
    name, content = _opened(path, sheet)
    suffix = Path(name).suffix.lower()
    if suffix not in FORMATS:
        found = _read_text(content, na, told)
    else:
        found = FORMATS[suffix](content, sheet)
    if isinstance(found, str):  # a sheet, as text: how that is written is no question
        told |= {"encoding": "utf-8", "sep": ",", "decimal": "."}
        found = _read_text(io.BytesIO(found.encode()), na, told)
    if not isinstance(found, File):
        found = File(found, None)
    frame = found.frame.rename(columns=lambda name: " ".join(str(name).split()))
    if found.dialect is None and na:
        frame = frame.mask(frame.isin([*na, *(float(x) for x in na if _is_float(x))]))
    return File(frame, found.dialect, found.named, found.remarks)


def _is_float(word):
    try:
        float(word)
    except ValueError:
        return False
    return True


def _opened(path, sheet):
    """Return a file's name without what says how it is compressed, and its content."""
    if hasattr(path, "read"):
        name, content = "", path.read()
    else:
        name, content = Path(path).name, Path(path).read_bytes()
    for mark, (suffix, decompress) in COMPRESSED.items():
        if content.startswith(mark):
            name, content = name.removesuffix(suffix), decompress(content)
    if content.startswith(b"PK") and Path(name).suffix.lower() not in FORMATS:
        name, content = _unzipped(name, content, sheet)
    for mark, suffix in MARKS.items():
        if content.startswith(mark):
            name = f"x{suffix}"
    return name, io.BytesIO(content)


def _unzipped(name, content, sheet):
    """Return the file in an archive, or the archive if it is a book of sheets."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        for part, suffix in BOOKS.items():
            if part in names:
                return f"x{suffix}", content
        names = [x for x in names if x[-1] != "/" and "__MACOSX" not in x]
        name = _one(names, sheet, "files")
        return name, archive.read(name)


def _one(names, wanted, kind):
    """Return the one that is there, or the one that is wanted."""
    if wanted in names:
        return wanted
    if len(names) != 1:
        raise ValueError(
            SEVERAL.format(f"{len(names)} {kind} ({', '.join(names[:8])})")
        )
    return names[0]


def _read_text(content, na, told):
    dialect = sniff(_head(content), **told)
    try:
        frame = _parsed(content, dialect, na)
    except UnicodeDecodeError:  # further down than what was looked at
        if "encoding" in told:
            raise
        dialect = replace(
            dialect, encoding="latin-1", assumed=[*dialect.assumed, "latin-1"]
        )
        frame = _parsed(content, dialect, na)
    return File(frame, dialect, dialect.names is not None)


def _head(content):
    """Return the first `HEAD` bytes, or more where these are few lines."""
    head = content.read(HEAD)
    while head.count(b"\n") + head.count(b"\r") < FEW and (more := content.read(HEAD)):
        head += more
    return head


def _parsed(content, dialect, na):
    content.seek(0)
    return pd.read_csv(
        content,
        sep=dialect.sep,
        decimal=dialect.decimal,
        encoding=dialect.encoding,
        comment=dialect.comment,
        header=None,
        names=dialect.names,
        index_col=False if dialect.names and dialect.sep == SPACES else None,
        skiprows=dialect.skip,
        na_values=[*MISSING, *na],
        skipinitialspace=True,
        low_memory=False,
    )


def _read_sheet(content, sheet):
    """Return a sheet as csv text: titles, names and units are then found as there."""
    book = pd.read_excel(content, sheet_name=None, header=None, engine=_engine())
    full = [name for name, frame in book.items() if not frame.empty]
    frame = book[_one(full or [*book][:1], sheet, "sheets")]
    frame = frame.dropna(how="all").dropna(how="all", axis=1)
    return frame.to_csv(index=False, header=False, quoting=csv.QUOTE_MINIMAL)


def _engine():
    try:
        import python_calamine  # noqa: F401
    except ImportError:
        return None  # then pandas takes openpyxl for .xlsx, odfpy for .ods
    return "calamine"


def _read_json(content, sheet):
    start = content.read(HEAD).lstrip()
    content.seek(0)
    first = start.partition(b"\n")[0].rstrip()
    lines = first.startswith(b"{") and first.endswith(b"}") and b"\n" in start.strip()
    if lines or start.startswith(b"["):
        return pd.read_json(content, lines=lines)
    whole = json.load(content)
    if {"columns", "data"} <= {*whole}:  # as pandas' orient="split" writes it
        return pd.DataFrame(whole["data"], columns=whole["columns"])
    records = [
        name
        for name, inner in whole.items()
        if isinstance(inner, list) and inner and isinstance(inner[0], dict)
    ]
    if records:  # with something about them around
        return pd.DataFrame(whole[_one(records, sheet, "lists")])
    content.seek(0)
    try:
        return pd.read_json(content)
    except ValueError as error:
        raise ValueError(f"it must hold a list of records ({error})") from error


def _read_pickle(content, sheet):
    raise ValueError("it is a pickle, and reading one runs code: save it as parquet")


def _read_npy(content, sheet):
    return _array(np.load(content, allow_pickle=False))


def _read_npz(content, sheet):
    with np.load(content, allow_pickle=False) as arrays:
        names = [name for name in arrays.files if arrays[name].ndim == 2]
        return _array(arrays[_one(names or arrays.files, sheet, "arrays")])


def _array(array):
    fields = getattr(array.dtype, "names", None) if hasattr(array, "dtype") else None
    if not isinstance(array, np.ndarray) or array.ndim != (1 if fields else 2):
        raise ValueError(
            f"it must hold one array of rows and columns, not shape "
            f"{getattr(array, 'shape', 'unknown')}"
        )
    return File(pd.DataFrame(array), None, named=bool(fields))


def _read_arff(content, sheet):
    from scipy.io import arff

    try:
        rows, _ = arff.loadarff(io.StringIO(content.read().decode("utf-8", "replace")))
    except NotImplementedError as error:  # text and relations
        raise ValueError(f"{error}; save it as csv") from error
    frame = pd.DataFrame(rows)
    for name in frame.select_dtypes(object):
        frame[name] = frame[name].str.decode("utf-8").replace("?", np.nan)
    return frame


def _read_spss(content, sheet):
    with tempfile.NamedTemporaryFile(suffix=".sav") as file:  # it wants a path
        file.write(content.read())
        file.flush()
        return pd.read_spss(file.name)


def _read_stata(content, sheet):
    return pd.read_stata(content)


def _read_sas(format):
    return lambda content, sheet: pd.read_sas(
        content, format=format, encoding="latin-1"
    )


def _of_frame(read):
    """Let a reader's row labels be a column where they have a name."""

    def reader(content, sheet):
        frame = read(content)
        return frame.reset_index() if any(frame.index.names) else frame

    return reader


FORMATS = {
    **{
        ".parquet": _of_frame(lambda content: pd.read_parquet(content)),
        ".feather": _of_frame(lambda content: pd.read_feather(content)),
    },
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), _read_sheet),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), _read_json),
    **{".npy": _read_npy, ".npz": _read_npz, ".arff": _read_arff},
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), _read_pickle),
    **{".sav": _read_spss, ".dta": _read_stata},
    **{".sas7bdat": _read_sas("sas7bdat"), ".xpt": _read_sas("xport")},
}
EXTRAS = {  # what a format needs besides pandas
    **dict.fromkeys((".parquet", ".feather"), ("pyarrow", "cli")),
    **dict.fromkeys(
        (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), ("python-calamine", "excel")
    ),
    ".sav": ("pyreadstat", "spss"),
}
