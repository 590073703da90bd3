"""Docstrings of variants, completed by those of the parameters that they hand on."""

import inspect
import re

PARAMETER = re.compile(r"^(\w+) : ", re.MULTILINE)


def completed_by(source):
    """Return a decorator that says of a variant's parameters what `source` says.

    A variant documents the parameters of its own, in the order of its signature;
    ``help`` and editors show all of them.

    Parameters
    ----------
    source : class
        Documents every parameter that is not the variant's own.

    Returns
    -------
    callable
        Takes a class and returns it.
    """

    def complete(cls):
        if cls.__doc__ and source.__doc__:  # python -OO has none
            before, own, after = _sections(cls)
            known = _parameters(own)
            others = _parameters(_sections(source)[1])
            names = inspect.signature(cls).parameters
            known = {**others, **known}
            lines = (known.get(name, "") for name in names)
            cls.__doc__ = before + "".join(lines) + after
        return cls

    return complete


def _sections(cls):
    """Return what stands before, in and after the parameters of a docstring."""
    text = inspect.cleandoc(cls.__doc__)
    start = text.index("\n", text.index("Parameters\n-")) + 1
    start = text.index("\n", start) + 1
    end = re.compile(r"^\n(?=[A-Z][\w ]+\n-{3,}\n)", re.MULTILINE).search(text, start)
    return text[:start], text[start : end.start()], text[end.start() :]


def _parameters(section):
    """Return the lines of each parameter by its name."""
    starts = [match.start() for match in PARAMETER.finditer(section)]
    pieces = [
        section[start:end].rstrip("\n") + "\n"
        for start, end in zip(starts, [*starts[1:], len(section)], strict=True)
    ]
    return {PARAMETER.match(piece)[1]: piece for piece in pieces}
