"""Whether the first line of a table has the columns' names."""

from itertools import pairwise

from ._cells import is_missing, number

FEW = 5  # columns; with fewer, an order among numbers may be chance


def are_names(first, below, decimal="."):
    """Tell whether a line has names, and say so if that is not plain to see.

    Parameters
    ----------
    first : list of str
        The line.
    below : list of list of str
        Lines below it.
    decimal : str, default="."
        The decimal sign.

    Returns
    -------
    names : bool
    remark : str or None
        What was assumed, where the line has numbers.
    """
    numbers = [number(cell, decimal) for cell in first]
    columns = list(zip(*(row for row in below if len(row) == len(first)), strict=True))
    text = [i for i, value in enumerate(numbers) if value is None]
    if not columns:
        return bool(text), None
    of_numbers = [
        i
        for i, column in enumerate(columns)
        if any(number(cell, decimal) is not None for cell in column)
    ]
    in_text = [i for i in text if i not in of_numbers]
    if any(i in text and not is_missing(first[i]) for i in of_numbers):
        return True, None
    again = [first[i] != "" and first[i] in columns[i] for i in in_text]
    if again and sum(again) > len(again) / 2:
        return False, "no line of names (the first has cells that come again)"
    if len(text) == len(first):
        return True, None
    pairs = [i for i in of_numbers if numbers[i] is not None]
    values = [numbers[i] for i in pairs]
    rows = [
        [number(columns[i][row], decimal) for i in pairs]
        for row in range(len(columns[0]))
    ]
    reason = _unlike(values, rows)
    if reason:
        return True, f"the first line as names ({reason})"
    return False, "no line of names"


def _unlike(values, rows):
    """Say what makes numbers the names of the columns below, or nothing."""
    d = len(values)
    rows = [row for row in rows if None not in row]
    if not d or len(set(values)) < d or not rows:
        return ""
    whole = all(value == int(value) for value in values)
    broken = sum(any(value != int(value) for value in row) for row in rows)
    if whole and broken > 0.9 * len(rows):
        if d == 1 and values != [0]:
            return ""
        return "whole numbers over others"
    if d < 2:
        return ""
    counting = whole and values in ([*range(d)], [*range(1, d + 1)])
    if counting and not any(sorted(row) == values for row in rows):
        return "0, 1, 2 …" if values[0] == 0 else "1, 2, 3 …"
    if d >= FEW and _monotone(values):
        alike = _even if _even(values) else _monotone
        if not any(map(alike, rows)):
            return "numbers in order"
    if d > 2 and len(rows) >= 10 and _far(values, rows) > 0.9 * d:
        return "numbers unlike those below"
    return ""


def _monotone(values):
    pairs = list(pairwise(values))
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)


def _even(values):
    steps = [b - a for a, b in pairwise(values)]
    return _monotone(values) and max(steps) - min(steps) <= 1e-6 * abs(
        max(steps, key=abs)
    )


def _far(values, rows):
    """Count the values that are far from those below."""
    n_far = 0
    for value, column in zip(values, zip(*rows, strict=True), strict=True):
        low, high = min(column), max(column)
        n_far += max(low - value, value - high) > 3 * (high - low)
    return n_far
