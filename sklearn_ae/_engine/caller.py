"""Warnings that point at the user's line, not at ours."""

import inspect
import warnings

OWN = {"sklearn_ae", "sklearn", "skorch", "contextlib"}


def warn_caller(message, category):
    """Warn, pointing at the line that called scikit-learn or this package."""
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in OWN:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
