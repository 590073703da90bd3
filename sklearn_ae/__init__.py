"""Autoencoders that drop into scikit-learn Pipelines next to PCA."""

from ._adversarial import AdversarialAutoencoder
from ._autoencoder import AutoencoderTransformer
from ._convolutional import ConvolutionalAutoencoder
from ._denoising import DenoisingAutoencoder
from ._search import AutoencoderTransformerCV
from ._variational import VariationalAutoencoder
from .persistence import load, save

__all__ = [
    "AdversarialAutoencoder",
    "AutoencoderTransformer",
    "AutoencoderTransformerCV",
    "ConvolutionalAutoencoder",
    "DenoisingAutoencoder",
    "VariationalAutoencoder",
    "load",
    "save",
]

__version__ = "0.1.0.dev0"
