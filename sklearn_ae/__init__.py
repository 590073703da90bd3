"""Autoencoders that drop into scikit-learn Pipelines next to PCA."""

__version__ = "0.1.0.dev0"
