"""Autoencoders that drop into scikit-learn Pipelines next to PCA."""

from ._autoencoder import AutoencoderTransformer
from ._denoising import DenoisingAutoencoder

__all__ = ["AutoencoderTransformer", "DenoisingAutoencoder"]

__version__ = "0.1.0.dev0"
