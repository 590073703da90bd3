"""DenoisingAutoencoder: learns to undo noise."""

from ._autoencoder import AutoencoderTransformer
from ._docstrings import completed_by


@completed_by(AutoencoderTransformer)
class DenoisingAutoencoder(AutoencoderTransformer):
    """Autoencoder that learns to undo noise.

    In training the rows that the network reads are corrupted, afresh in each epoch, and
    its reconstruction is compared with the clean ones. `transform` and `reconstruct`
    add no noise: `transform` gives the code of a noisy row, `reconstruct` the cleaned
    row. Every other autoencoder does so when it is given `noise`; this one has it by
    default. Validation rows are corrupted once, so the epoch that is kept is the best
    denoiser, and PCA is kept only where none is significantly better at that.

    Parameters
    ----------
    n_components : int, default=2
        Code size. Noise is removed best by wide codes: try a quarter to all of the
        number of columns, or beyond.
    noise : {"gaussian", "masking", "salt_and_pepper", "swap"} or None, \
            default="gaussian"
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

    def __init__(
        self, n_components=2, *, noise="gaussian", noise_level="auto", **params
    ):
        super().__init__(n_components, noise=noise, noise_level=noise_level, **params)
