"""The command `sklearn-ae`, which tells whether an autoencoder is worth it."""

import shlex
import sys
import warnings

from .._catalogue import KNOWN, check_path
from .parser import parser
from .paths import check_output

__all__ = ["main"]


def main(argv=None):
    """Run the command.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; by default those of the process.

    Returns
    -------
    int
        The exit status: 0, or 2 after a sentence on stderr about what was wrong.
    """
    argv = sys.argv[1:] if argv is None else argv
    options = parser().parse_args(argv)
    options.command = shlex.join(["sklearn-ae", *argv])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _show_warning
            _check(options)
            _run(options)
    except KeyboardInterrupt:
        print("sklearn-ae: interrupted.", file=sys.stderr)
        return 130
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        say(f"error: {_one_line(error)}")
        return 2
    return 0


def _check(options):
    """Refuse paths before anything heavy is imported."""
    if options.verb != "compare" and options.data in KNOWN:
        raise ValueError(f"{options.verb} is for files; {options.data} is for compare.")
    if options.data not in ("-", *KNOWN):
        check_path(options.data)
    if options.output is not None:
        check_output(options)


def _run(options):
    _check_extras(options)
    # PyTorch takes seconds to import: only after the arguments are right.
    if options.verb == "compare":
        from .compare import compare as command
    elif options.verb == "impute":
        from .impute import impute as command
    else:
        from . import model

        command = getattr(model, options.verb)
    command(options, say)


def _check_extras(options):
    try:
        if options.verb == "compare":
            import matplotlib  # noqa: F401
            import rich  # noqa: F401
        else:
            import safetensors  # noqa: F401
    except ImportError as error:
        from .._extras import how_to_install

        raise ImportError(
            f"{error.name.partition('.')[0]} is not installed: {how_to_install('cli')}"
        ) from error


def say(note):
    """Say something beside the results: on stderr."""
    print(f"sklearn-ae: {note}", file=sys.stderr)


# What warnings advise, as it is said to the command.
ADVICE = {
    "by groups": "by --group",
    "give cv=TimeSeriesSplit(gap=...)": "say --time",
    "The rows of X": "The rows",
    "rows of X": "rows",
}


def _show_warning(message, *where, **more):
    text = _one_line(message)
    for python, command in ADVICE.items():
        text = text.replace(python, command)
    say(text)


def _one_line(message):
    return " ".join(str(message).split())
