"""`read_table`: any table that a person has, ready to learn from."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._catalogue import check_path
from .._extras import how_to_install
from ._choice import Reading, as_before, asked, left_out, look, said, some, useful
from ._columns import kind_of
from ._files import EXTRAS, File, read_file
from ._preprocessing import needs_scale, preprocessing


def read_table(
    path,
    *,
    target=None,
    groups=None,
    columns=None,
    drop=(),
    categorical="auto",
    dates=False,
    missing="impute",
    scale="auto",
    reading=None,
    **file,
):
    r"""Read a table from a file, whatever wrote it, and say what was assumed.

    Names, separators, decimal signs, encodings, units and words for missing cells are
    told from the file. Row numbers and ids, constant and nearly empty columns, dates
    and free text are left out; yes and no become 1 and 0; text with few values is a
    category.

    Parameters
    ----------
    path : path-like, binary file or DataFrame
        A text table (csv, tsv, txt ...), a sheet (xlsx, ods), parquet, feather, json,
        npy, npz, arff, sav, dta, sas7bdat or xpt; .gz, .bz2, .xz or .zip of one.
    target, groups : str, default=None
        A column to set apart: what is to be predicted; what says which rows belong
        together.
    columns : sequence of str, default=None
        The columns to take: names, ranges such as ``"a:f"``, patterns such as
        ``"pixel*"``. Those named in full are taken even if they look like ids.
    drop : sequence of str, default=()
        Columns to leave out, said in the same ways.
    categorical : {"auto", "none"} or sequence of str, default="auto"
        "auto" takes text with at most 20 values, each in 5 rows or more on average. A
        sequence names columns that are categories besides, whole numbers too.
    dates : bool, default=False
        Whether dates are taken, as days since 1970.
    missing : {"impute", "rows", "error"}, default="impute"
        Columns with more than half of their cells missing are left out. Other missing
        cells are kept as NaN, to be filled by `preprocessing`; or their rows are left
        out; or they are an error.
    scale : {"auto"} or bool, default="auto"
        Whether `preprocessing` standardizes columns. "auto" does so where numbers and
        categories are mixed, and where the spread of a column is more than 100 times
        the median one.
    reading : Reading, default=None
        That of another file, whose columns this one must have.
    **file : dict
        What is known of the file: `sep`, `decimal`, `encoding`, `comment`; `header`,
        whether a line has the names; `na`, further words for a missing cell; `sheet`,
        the one to read of several.

    Returns
    -------
    Bunch
        With ``data``, a DataFrame of numbers and text; ``target`` and ``groups``,
        arrays or None; ``feature_names``; ``preprocessing``, an unfitted Pipeline that
        makes a matrix without missing cells of it and has ``inverse_transform``;
        ``scaled``, whether that standardizes; ``missing``, the share of cells that are
        missing; ``notes``, sentences about what was assumed and left out; ``reading``.

    Raises
    ------
    ValueError
        If the file cannot be read, or holds nothing to learn from.
    ImportError
        If a package is needed that is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_ae.datasets import read_table
    >>> path = Path(tempfile.mkdtemp()) / "fish.csv"
    >>> lines = ["id;mass;age;kind", "1;1,5;3 y;cod", "2;2,5;5 y;eel", "3;?;4 y;eel"]
    >>> _ = path.write_text("\n".join(lines))
    >>> table = read_table(path, target="kind")
    >>> table.data["mass"].tolist()
    [1.5, 2.5, nan]
    >>> table.target.tolist()
    ['cod', 'eel', 'eel']
    >>> for note in table.notes:
    ...     print(note)
    Reading fish.csv with cells between semicolons, decimal commas.
    Column age: without 'y'.
    Leaving out 1 column: id (rises from row to row).
    1 of 6 cells (16.7%) in mass is missing.
    """
    found, name = _read(path, file), _name(path)
    if reading is None and len(found.frame) == 1:
        raise ValueError(f"{name} leaves a single row: nothing to learn from.")
    notes = _about_file(name, found)
    apart = {
        role: _column(found.frame, column, role, name)
        for role, column in (("target", target), ("groups", groups))
        if column is not None
    }
    if reading is not None:
        looked = as_before(found.frame, reading, name)
    else:
        rest = [x for x in found.frame if x not in (target, groups)]
        rest, wanted = asked(rest, columns, drop, name)
        looked = look(found, rest, categorical)
        looked, reasons = useful(looked, found.named, dates, wanted)
        notes += said(looked) + left_out(reasons)
    if not looked:
        raise ValueError(_nothing_left(name, found, target, notes))
    data = pd.DataFrame({x: column.values for x, column in looked.items()})
    if reading is not None:  # each row is wanted, and the scale is known
        missing, scale = "keep", False
    data, kept, more = _rows(data, apart.get("target"), missing, name)
    _check(data, name)
    if scale == "auto":
        scale, remark = needs_scale(data)
        more += [remark] if remark else []
    apart = {role: column[kept] for role, column in apart.items()}
    return Bunch(
        data=data,
        target=_target(apart["target"], found) if "target" in apart else None,
        groups=_groups(apart["groups"]) if "groups" in apart else None,
        feature_names=list(data),
        preprocessing=preprocessing(bool(scale)),
        scaled=bool(scale),
        missing=float(data.isna().to_numpy().mean()),
        notes=notes + more,
        reading=Reading(
            {x: column.kind for x, column in looked.items()}, _told(found, file)
        ),
    )


def _name(path):
    if isinstance(path, pd.DataFrame):
        return "The table"
    return "standard input" if hasattr(path, "read") else str(path)


def _read(path, told):
    """Read a file, or say in one sentence why not."""
    if isinstance(path, pd.DataFrame):
        frame = path.rename(columns=str)
        if not frame.columns.is_unique:
            again = frame.columns[frame.columns.duplicated()][0]
            raise ValueError(
                f"The table has several columns {again!r}: give each its own name."
            )
        return File(frame, None)
    name = _name(path)
    suffix = ""
    if not hasattr(path, "read"):
        check_path(path)
        suffix = Path(path).suffix.lower()
    try:
        found = read_file(path, **told)
    except ImportError as error:
        package, extra = EXTRAS.get(suffix, ("another package", "cli"))
        raise ImportError(
            f"{name} needs {package} to be read: {how_to_install(extra)}"
        ) from error
    except Exception as error:  # each reader has errors of its own
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        if isinstance(error, pd.errors.ParserError):
            reason += "; if it is a table, say what stands between its cells (--sep)"
        raise ValueError(f"{name} cannot be read: {reason}.") from error
    if found.frame.empty:
        raise ValueError(f"{name} holds no rows.")
    return found


def _about_file(name, found):
    assumed = found.dialect.assumed if found.dialect else []
    notes = [f"Reading {Path(name).name} with {', '.join(assumed)}."] if assumed else []
    return notes + found.remarks


def _column(frame, name, role, path):
    if name not in frame:
        use = "the target" if role == "target" else "the groups"
        raise ValueError(
            f"{path} has no column {name!r} to be {use}; it has {some(frame)}."
        )
    return frame[name]


def _nothing_left(name, found, target, notes):
    """Say that there is no column, and why."""
    besides = "" if target is None else f" besides the target {target!r}"
    words = [f"{name} has no column to learn from{besides}.", *notes]
    if found.frame.shape[1] == 1 and found.dialect:
        words.append("If there are more, say what stands between them (--sep).")
    elif found.named and found.frame.shape[1] > 1:
        words.append("One that is named in full by --columns is taken all the same.")
    return " ".join(words)


def _told(found, file):
    """Return what another file of the same kind is to be read by."""
    told = {key: value for key, value in file.items() if value is not None}
    if found.dialect is not None:
        told |= {"sep": found.dialect.sep, "decimal": found.dialect.decimal}
        told |= {"header": found.named}
    return told


def _rows(data, target, missing, name):
    """Choose the rows; say which were left out, and what is missing in the others."""
    notes, n = [], len(data)
    present = data.notna()
    if missing == "error" and not present.all(axis=None):
        culprits = data.columns[~present.all()]
        raise ValueError(f"{name} has missing cells, in {some(culprits)}.")
    kept = present.any(axis=1) | (missing == "keep")
    notes += _dropped((~kept).sum(), n, "without any value")
    if missing == "rows":
        whole = present.all(axis=1)
        notes += _dropped((kept & ~whole).sum(), n, "with a missing value")
        if not whole.any():
            raise ValueError(f"Each of the {n} rows of {name} has a missing value.")
        kept &= whole
    if target is not None:
        known = target.notna()
        notes += _dropped((kept & ~known).sum(), n, "without a target")
        kept &= known
    data = data[kept].reset_index(drop=True)
    n_missing = data.isna().sum()
    total = n_missing.sum()
    if total:
        names = some(data.columns[n_missing > 0])
        share = total / data.size
        notes.append(
            f"{total:,} of {data.size:,} cells ({share:.1%}) in {names} "
            f"{'is' if total == 1 else 'are'} missing."
        )
    return data, kept.to_numpy(), notes


def _dropped(n_dropped, n, why):
    if not n_dropped:
        return []
    return [f"Leaving out {n_dropped:,} of {n:,} row{'s' * (n > 1)}: {why}."]


def _check(data, name):
    X = data.select_dtypes("number")
    infinite = np.isinf(X.to_numpy()).any(axis=0)
    if infinite.any():
        raise ValueError(
            f"{name} holds infinite values in {some(X.columns[infinite])}; leave the "
            "columns out (--drop), or take these cells as missing (--na inf)."
        )
    if data.empty:
        raise ValueError(f"{name} leaves no row to learn from.")


def _target(column, found):
    """Return a target as numbers where it is, else as text."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.to_numpy()
    decimal = found.dialect.decimal if found.dialect else "."
    looked = kind_of(column, decimal=decimal)
    if looked.kind == "number" and looked.values.notna().all():
        return looked.values.to_numpy()
    return column.astype(str).to_numpy(dtype=str)


def _groups(column):
    """Return groups as whole numbers; a row without one is a group of its own."""
    codes, names = pd.factorize(column)
    alone = codes < 0
    codes[alone] = len(names) + np.arange(alone.sum())
    return codes
