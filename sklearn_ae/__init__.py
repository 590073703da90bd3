"""Autoencoders that drop into scikit-learn Pipelines next to PCA."""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._adversarial import AdversarialAutoencoder
    from ._autoencoder import AutoencoderTransformer
    from ._convolutional import ConvolutionalAutoencoder
    from ._denoising import DenoisingAutoencoder
    from ._imputer import AutoencoderImputer
    from ._outliers import AutoencoderOutlierDetector
    from ._search import AutoencoderTransformerCV
    from ._variational import VariationalAutoencoder
    from .persistence import load, save

__all__ = [
    "AdversarialAutoencoder",
    "AutoencoderImputer",
    "AutoencoderOutlierDetector",
    "AutoencoderTransformer",
    "AutoencoderTransformerCV",
    "ConvolutionalAutoencoder",
    "DenoisingAutoencoder",
    "VariationalAutoencoder",
    "load",
    "save",
]

__version__ = "0.1.0.dev0"

# OpenMP's threads spin while they wait, and beside other busy processes they keep the
# ones they wait for from running: fits took five times as long. GNU's runtime reads
# this when PyTorch is loaded.
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "1000"

# Names are imported when they are first asked for: importing PyTorch takes seconds,
# and `sklearn-ae --help` needs none of it.
_ROOMS = {
    "AdversarialAutoencoder": "_adversarial",
    "AutoencoderImputer": "_imputer",
    "AutoencoderOutlierDetector": "_outliers",
    "AutoencoderTransformer": "_autoencoder",
    "AutoencoderTransformerCV": "_search",
    "ConvolutionalAutoencoder": "_convolutional",
    "DenoisingAutoencoder": "_denoising",
    "VariationalAutoencoder": "_variational",
    "load": "persistence",
    "save": "persistence",
}
_MODULES = {
    *("callbacks", "compare", "datasets", "inspection", "metrics", "persistence"),
    "plotting",
}


def __getattr__(name):
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    globals()[name] = value  # the next time it is simply there
    return value


def __dir__():
    return sorted({*globals(), *__all__, *_MODULES})
