"""Rows as images: which shape they have, and arrays of it."""

import math
from numbers import Integral

import numpy as np

from ._reducers import innermost

_CHANNELS = {1, 3, 4}


def image_shape_of(image_shape, n_columns, reducers):
    """Return the given shape, one that a reducer knows, or a guess: without 1s.

    Parameters
    ----------
    image_shape : tuple of int or None
        The given one, with or without channels, these first or last.
    n_columns : int
        Of the rows.
    reducers : iterable of estimators
        Those that may have an `image_shape_`.

    Returns
    -------
    tuple of int
        (height, width), with 3 or 4 channels first or last where there are such.
        (1, n_columns) are no images but curves.

    Raises
    ------
    ValueError
        If `image_shape` is none, or has another number of cells.
    """
    if image_shape is None:
        shapes = [getattr(innermost(each)[0], "image_shape_", ()) for each in reducers]
        known = [shape for shape in shapes if math.prod(shape) == n_columns and shape]
        side = math.isqrt(n_columns)
        square = side >= 4 and side**2 == n_columns
        guess = (side, side) if square else (1, n_columns)
        image_shape = known[0] if known else guess
    shape = tuple(np.atleast_1d(image_shape).tolist())
    if not (
        all(isinstance(n, Integral) and n >= 1 for n in shape)
        and (len(shape) == 2 or (len(shape) == 3 and {shape[0], shape[2]} & _CHANNELS))
        and math.prod(shape) == n_columns
    ):
        raise ValueError(
            f"image_shape must be (height, width), (height, width, channels) or "
            f"(channels, height, width) with 1, 3 or 4 channels, for the {n_columns} "
            f"columns of X. Got {image_shape!r}."
        )
    if len(shape) == 3 and 1 in (shape[0], shape[2]):
        shape = shape[1:] if shape[0] == 1 else shape[:2]
    if len(shape) == 3 and shape[1] == 1:  # a signal
        shape = (1, n_columns)
    return shape


def height_and_width(image_shape):
    """Return the height and the width of an image.

    Parameters
    ----------
    image_shape : tuple of int
        What `image_shape_of` returned.

    Returns
    -------
    tuple of int
    """
    return image_shape[1:] if _channels_first(image_shape) else image_shape[:2]


def as_images(rows, image_shape):
    """Return rows as images, with the channels last.

    Parameters
    ----------
    rows : ndarray of shape (..., n_features)
        The rows.
    image_shape : tuple of int
        What `image_shape_of` returned.

    Returns
    -------
    ndarray of shape (..., height, width) or (..., height, width, channels)
    """
    images = rows.reshape(*rows.shape[:-1], *image_shape)
    return np.moveaxis(images, -3, -1) if _channels_first(image_shape) else images


def _channels_first(image_shape):
    return len(image_shape) == 3 and image_shape[-1] not in _CHANNELS
