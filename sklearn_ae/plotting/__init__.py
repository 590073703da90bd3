"""Display classes, in scikit-learn's manner: computed once, drawn by ``plot``.

All take any fitted reducer that has ``transform`` and ``inverse_transform``, PCA and
Pipelines too, unless they say otherwise. matplotlib is imported only to draw.
"""

from ._codes import CodeDisplay
from ._curves import LossCurveDisplay
from ._errors import ReconstructionErrorDisplay
from ._grid import DecodedGridDisplay
from ._hover import hover_page
from ._loadings import LoadingsDisplay
from ._missing import MissingCellsDisplay
from ._sizes import CodeSizeDisplay, ComparisonDisplay
from ._strips import DenoisingDisplay, ReconstructionDisplay

__all__ = [
    "CodeDisplay",
    "CodeSizeDisplay",
    "ComparisonDisplay",
    "DecodedGridDisplay",
    "DenoisingDisplay",
    "LoadingsDisplay",
    "LossCurveDisplay",
    "MissingCellsDisplay",
    "ReconstructionDisplay",
    "ReconstructionErrorDisplay",
    "hover_page",
]
