"""What the command and the benchmarks read: image sets, and files of one's own."""

from ._images import load_images, read_idx
from ._tables import Table, read_table

__all__ = ["Table", "load_images", "read_idx", "read_table"]
