"""What the autoencoders share whose codes follow a prior."""

from numbers import Integral

from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from ._autoencoder import AutoencoderTransformer
from ._engine.torch_state import generator


def _normal(n_samples, n_components, rng):
    return rng.standard_normal((n_samples, n_components))


def _uniform(n_samples, n_components, rng):
    return rng.uniform(-1, 1, (n_samples, n_components))


# Priors: (n_samples, n_components, rng) -> codes. A row here is a new prior.
PRIORS = {"normal": _normal, "uniform": _uniform}


class GenerativeAutoencoder(AutoencoderTransformer):
    """Base class of autoencoders whose codes are in the units of a prior.

    A variant whose prior is not normal overrides `_fitted_prior`.
    """

    _may_cross_fit = False
    _takes_missing = False

    def _blueprint(self, n_features, n_components):
        if self._is_ordered:
            raise ValueError(
                f"The codes of {type(self).__name__} follow a prior, which has no "
                f"order: set ordered=False and a whole number as n_components. Got "
                f"ordered={self.ordered!r}, n_components={self.n_components!r}."
            )
        return super()._blueprint(n_features, n_components)

    def _activation(self, n_features):
        # By the bound and by the prior ReLU was ahead of SiLU on digits.
        return "relu" if self.activation == "auto" else self.activation

    def _fitted_prior(self):
        """Return the prior that the codes follow, in the manner of `PRIORS`."""
        return PRIORS["normal"]

    def sample(self, n_samples=1, random_state=None):
        """Draw new rows: codes from the prior, decoded, without noise.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seeds the draw.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            Rows in the units of the training data.
        """
        check_is_fitted(self)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        codes = self._fitted_prior()(
            n_samples, self.n_components_, generator(random_state)
        )
        return self._fitted.codec.decode(codes)
