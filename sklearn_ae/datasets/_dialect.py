"""How a text table is written: told from its first 100 kB."""

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass, replace

from ._cells import is_number, number, shows_decimal
from ._names import are_names

HEAD = 100_000  # bytes
SPACES = r"\s+"
SEPARATORS = {  # the first that fits as well as any other
    **{"\t": "tabs", ";": "semicolons", "|": "pipes", ",": "commas"},
    SPACES: "spaces",
}
COMMENTS = "#%!"
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Dialect:
    """How a text table is written."""

    encoding: str
    sep: str
    decimal: str
    comment: str | None  # what starts a line that is none of the table's
    skip: int  # lines before the first row
    names: list | None  # of the columns, or None where no line has them
    assumed: list  # what was not plain to see, in words


@dataclass(frozen=True)
class _Line:
    number: int  # from 1; one with a line break within quotes counts once
    fields: list


def sniff(head, *, encoding=None, sep=None, decimal=None, header=None, comment=None):
    """Tell how a text table is written.

    Parameters
    ----------
    head : bytes
        The first `HEAD` bytes, or all.
    encoding, sep, decimal, comment : str, default=None
        What is known already.
    header : bool, default=None
        Whether a line has the columns' names, if that is known.

    Returns
    -------
    Dialect

    Raises
    ------
    ValueError
        If it is no text.
    """
    known = encoding or _encoding(head)
    lines = _lines(head, known)
    told = re.fullmatch(r'"?sep=(.)"?', lines[0].strip(), re.I) if lines else None
    skip = 0
    if told:  # Excel's
        sep, skip = sep or told[1], 1
    if sep in ("space", "spaces", " "):
        sep = SPACES
    start, remark = _after_comments(lines, skip, comment)
    sep = sep or _separator(lines[start:], comment)
    table = _split(lines[start:], sep, comment)
    dialect = Dialect(known, sep, ".", comment, start, None, [])
    if not table:
        return dialect
    width = Counter(len(line.fields) for line in table).most_common(1)[0][0]
    first = _first_full(table, width)
    decimal = decimal or shows_decimal(
        [cell for line in table[first:] for cell in line.fields], sep
    )
    dialect = replace(dialect, decimal=decimal)
    above = table[first - 1] if first else _in_comment(remark, sep)
    dialect = _with_names(dialect, table[first:], above, width, start, header)
    return replace(dialect, assumed=_assumed(dialect))


def _first_full(table, width):
    """Return the first line that is as wide as the table and no title."""
    wide = [i for i, line in enumerate(table) if len(line.fields) == width]
    full = [i for i in wide if 2 * sum(map(bool, table[i].fields)) >= width]
    return (full or wide)[0]


def _encoding(head):
    for mark, name in BOMS.items():
        if head.startswith(mark):
            return name
    if head.count(b"\0"):
        for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if zeros.count(b"\0") > 0.7 * len(zeros):
                return name
        raise ValueError("it is no text")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the end may be cut
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _lines(head, encoding):
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    lines = re.split(r"\r\n|\r|\n", text.lstrip("\ufeff"))
    if not lines[-1]:
        lines.pop()
    if len(head) >= HEAD and len(lines) > 1:
        lines.pop()  # it may be cut
    return lines


def _after_comments(lines, start, comment):
    """Return the first line after those of comments, and the last one of these."""
    marks = comment or COMMENTS
    remark = None
    while start < len(lines) and (
        not lines[start].strip() or lines[start].lstrip()[0] in marks
    ):
        remark = lines[start].strip() or remark
        start += 1
    if start == len(lines):  # nothing but comments: then they are none
        return 0, None
    return start, remark


def _in_comment(remark, sep):
    """Return the fields of a comment, which may be the names (numpy writes so)."""
    if remark is None:
        return None
    lines = _split([remark.lstrip(COMMENTS + " ")], sep, None)
    return lines[0] if lines else None


def _split(lines, sep, comment):
    """Return the lines as fields, without empty ones and comments."""
    if sep == SPACES:
        lines = [line.replace("\t", " ").strip() for line in lines]
    reader = csv.reader(
        (line + "\n" for line in lines),
        delimiter=" " if sep == SPACES else sep,
        skipinitialspace=True,
    )
    found = []
    try:
        for number, fields in enumerate(reader, 1):
            empty = not any(field.strip() for field in fields)
            if not empty and not (comment and fields[0].startswith(comment)):
                fields = [field.strip() for field in fields]
                found.append(_Line(number, fields))
    except csv.Error as error:  # an unclosed quote, for example
        raise ValueError(f"it cannot be split into cells: {error}") from error
    return found


def _separator(lines, comment):
    """Return what splits lines into equally many cells, most of them numbers."""
    if _is_column_of_commas(lines, comment):
        return ";"
    best, choice = None, ","
    for rank, sep in enumerate(SEPARATORS):
        table = _split(lines[:300], sep, comment)
        widths = Counter(len(line.fields) for line in table)
        if not widths:
            continue
        width, n_lines = widths.most_common(1)[0]
        cells = [x for line in table[1:] for x in line.fields if len(line.fields) > 1]
        numbers = sum(map(is_number, cells)) / max(len(cells), 1)
        if width < 2 or (sep == SPACES and numbers < 0.5):  # else it is prose
            continue
        even = n_lines / len(table)
        mark = (even >= 0.9, round(numbers, 3), even, -rank)
        if best is None or mark > best:
            best, choice = mark, sep
    return choice


def _is_column_of_commas(lines, comment):
    """Tell whether lines are one column of numbers with decimal commas."""
    table = _split(lines[:300], "\t", comment)
    if len(table) < 3 or "," in table[0].fields[0]:
        return False  # two names make two columns
    if any(len(line.fields) > 1 for line in table):
        return False
    cells = [line.fields[0] for line in table[1:]]
    if any(number(cell, ",") is None for cell in cells):
        return False
    before = [cell.partition(",")[0] for cell in cells]
    counts = before == [str(i) for i in range(1, len(cells) + 1)]  # R's row names
    return any("," in cell for cell in cells) and not counts


def _with_names(dialect, table, above, width, start, header):
    """Find the line of names: the first of the table, or the one above it."""
    first, below = table[0], [line.fields for line in table[1:]]
    rows = [first.fields, *below]
    skip, names, remark = start + first.number, first.fields, None
    hanging = all(not row[-1] for row in rows if len(row) == width)
    if above is not None and len(above.fields) == width + 1 and not above.fields[-1]:
        above = _Line(above.number, above.fields[:-1])  # a separator at its end only
    if above is not None and not any(map(is_number, above.fields)):
        if len(above.fields) == width and header is not False:
            names, header, skip = above.fields, True, start + first.number - 1
        elif len(above.fields) == width - 1 and header is not False:
            # R writes no name over the row names; others end lines by a separator.
            names = [*above.fields, ""] if hanging else ["", *above.fields]
            header, skip = True, start + first.number - 1
    if header is None:
        header, remark = are_names(first.fields, below, dialect.decimal)
    if not header:
        skip = start + first.number - 1
    assumed = [remark] if remark else []
    return replace(
        dialect, skip=skip, names=_distinct(names) if header else None, assumed=assumed
    )


def _distinct(names):
    seen, different = Counter(), []
    for i, name in enumerate(names):
        quoted = len(name) > 1 and name[0] == name[-1] == "'"
        name = (name[1:-1] if quoted else name) or f"Unnamed: {i}"
        original = name
        while name in different:
            seen[original] += 1
            name = f"{original}.{seen[original]}"
        different.append(name)
    return different


def _assumed(dialect):
    """Say what is not as in a plain csv file."""
    words = []
    if dialect.sep != ",":
        words.append(f"cells between {SEPARATORS.get(dialect.sep, repr(dialect.sep))}")
    if dialect.decimal == ",":
        words.append("decimal commas")
    if dialect.encoding not in ("utf-8", "utf-8-sig"):
        words.append(dialect.encoding)
    lead = dialect.skip - (dialect.names is not None)
    if lead > 0:
        words.append(f"{lead} line{'s' * (lead != 1)} before the table")
    return words + dialect.assumed
