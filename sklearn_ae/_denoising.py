"""DenoisingAutoencoder: learns to undo noise."""

from functools import partial
from numbers import Real

import numpy as np
import torch

from ._autoencoder import AutoencoderTransformer
from ._base import Interval, StrOptions
from ._networks import NOISES


class DenoisingAutoencoder(AutoencoderTransformer):
    """doc"""

    _parameter_constraints: dict = {  # noqa: RUF012
        **AutoencoderTransformer._parameter_constraints,
        "noise": [StrOptions(set(NOISES))],
        "noise_level": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self, n_components=2, *, noise="gaussian", noise_level="auto", **params
    ):
        super().__init__(n_components, **params)
        self.noise = noise
        self.noise_level = noise_level

    def _measure(self, X):
        super()._measure(X)
        self.data_range_ = X.min(), X.max()

    def _corruption(self):
        level = self._noise_level()
        if self.noise == "gaussian":
            level /= self.scale_
        elif level > 1:
            raise ValueError(
                f"noise_level is the share of cells that noise={self.noise!r} changes: "
                f"a number from 0 to 1. Got {self.noise_level!r}."
            )
        # Zero and both ends of the data, as the network reads them.
        values = np.empty((3, self.n_features_in_))
        values[:] = np.array([[*self.data_range_, 0.0]]).T
        low, high, zero = torch.from_numpy(self._scaled(values, np.float32))
        return partial(NOISES[self.noise], level=level, low=low, high=high, zero=zero)

    def _noise_level(self):
        if self.noise_level == "auto":
            return 0.5 * self.scale_ if self.noise == "gaussian" else 0.2
        return self.noise_level
