"""Tables of one's own, read into numbers and categories; image sets."""

from ._choice import Reading
from ._image_sets import load_images, read_idx
from ._preprocessing import TableEncoder, imputer
from ._tables import read_table

__all__ = [
    "Reading",
    "TableEncoder",
    "imputer",
    "load_images",
    "read_idx",
    "read_table",
]
