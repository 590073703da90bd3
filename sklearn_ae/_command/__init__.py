"""The command `sklearn-ae`, which tells whether an autoencoder is worth it."""

import shlex
import sys
import warnings

from .parser import parser

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
            _run(options)
    except KeyboardInterrupt:
        print("sklearn-ae: interrupted.", file=sys.stderr)
        return 130
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        say(f"error: {_one_line(error)}")
        return 2
    return 0


def _run(options):
    try:
        import matplotlib  # noqa: F401
        import rich  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{error.name.partition('.')[0]} is not installed: "
            "pip install 'sklearn-ae[cli]'"
        ) from error
    from .compare import compare  # PyTorch takes seconds: after the arguments are right

    compare(options, say)


def say(note):
    """Say something beside the results: on stderr."""
    print(f"sklearn-ae: {note}", file=sys.stderr)


def _show_warning(message, *where, **more):
    say(_one_line(message))


def _one_line(message):
    return " ".join(str(message).split())
