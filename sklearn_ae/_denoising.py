"""DenoisingAutoencoder: learns to undo noise."""

from functools import partial
from numbers import Real

import numpy as np
import torch

from ._autoencoder import AutoencoderTransformer
from ._base import Interval, StrOptions
from ._networks import NOISES


class DenoisingAutoencoder(AutoencoderTransformer):
    """Autoencoder that learns to undo noise.

    In training the rows that the network reads are corrupted, afresh in each epoch, and
    its reconstruction is compared with the clean ones. `transform` and `reconstruct`
    add no noise: `transform` gives the code of a noisy row, `reconstruct` the cleaned
    row. Validation rows are corrupted once, so the epoch that is kept is the best
    denoiser, and PCA is kept only where none is significantly better at that.

    Parameters
    ----------
    n_components : int, default=2
        Code size. Noise is removed best by wide codes: try a quarter to all of the
        number of columns, or beyond.
    noise : {"gaussian", "masking", "salt_and_pepper", "swap"}, default="gaussian"
        What happens to a cell:

        - "gaussian": a normal number is added;
        - "masking": it becomes 0 (Vincent et al. 2008);
        - "salt_and_pepper": it becomes the smallest or the largest value in the
          training data, for images;
        - "swap": it takes the same column's value from another row of the batch, for
          tables, whose columns it leaves within their own values.
    noise_level : float or "auto", default="auto"
        For "gaussian" the standard deviation in the data's own units; for the others
        the share of cells, from 0 to 1. "auto" is half of `scale_`, or 0.2.
    **params : dict
        Those of `AutoencoderTransformer`, which has them all with the same defaults.

    Attributes
    ----------
    data_range_ : tuple of float
        Smallest and largest value of the training data.

    See Also
    --------
    AutoencoderTransformer : Has all other parameters and attributes.

    References
    ----------
    P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol (2008). Extracting and
    composing robust features with denoising autoencoders. ICML, 1096-1103.

    P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio and P.-A. Manzagol (2010). Stacked
    denoising autoencoders. Journal of Machine Learning Research 11, 3371-3408.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ae import DenoisingAutoencoder
    >>> X = load_digits().data
    >>> noisy = X + np.random.default_rng(0).normal(scale=4, size=X.shape)
    >>> denoiser = DenoisingAutoencoder(
    ...     32, noise="gaussian", noise_level=4, max_iter=20, random_state=0
    ... ).fit(X[:1500])
    >>> cleaned = denoiser.reconstruct(noisy[1500:])
    >>> bool(np.square(cleaned - X[1500:]).mean() < 8)  # of 16
    True
    """

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
