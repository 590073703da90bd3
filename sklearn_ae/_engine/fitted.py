"""Fitted: all that an estimator holds of a fit."""

from dataclasses import dataclass, field, replace

import numpy as np

from .codec import Codec
from .history import History
from .trial import Trial


@dataclass(frozen=True)
class Fitted:
    """What a fit comes to.

    Attributes
    ----------
    codec : Codec
        The model.
    history : History
        Its losses.
    split_seed : int
        Of the rows set aside: those of a warm start are the same.
    noise : str or None
        What the network read in training.
    generator : numpy.random.Generator or None
        For the next pass, after a pass.
    error : float or None
        Mean squared error per cell of the rows of the last fit.
    shares : ndarray of shape (n_components,) or None
        Of the variance of those rows, for each unit of a code without order.
    n_samples : int
        Rows of the fit, over all passes.
    curve : ndarray of shape (n_components,) or None
        Share of variance that each prefix of an ordered code explains.
    extras : dict
        Fitted attributes that only the variant has.
    trial : Trial or None
        After passes from a start at PCA: what the next one needs to know of them.
    """

    codec: Codec
    history: History
    split_seed: int
    noise: str | None
    generator: np.random.Generator | None = None
    error: float | None = None
    shares: np.ndarray | None = None
    n_samples: int = 0
    curve: np.ndarray | None = None
    extras: dict = field(default_factory=dict)
    trial: Trial | None = None

    @property
    def ratios(self):
        """Share of variance that each code unit adds, or None."""
        if self.curve is None:
            return self.shares
        # A unit that adds less than nothing takes it from those before it.
        shares = np.minimum.accumulate(self.curve[::-1])[::-1]
        return np.diff(np.maximum(shares, 0), prepend=0)

    @property
    def beyond_squared_error(self):
        """Names of what makes the loss another one than the mean squared error."""
        loss, objective = self.codec.blueprint.settings["loss"], self.codec.objective
        found = {
            f"loss={loss!r}": loss != "squared_error",
            f"noise={self.noise!r}": self.noise is not None,
            f"penalty={objective.penalty_name!r}": objective.penalty is not None,
            f"neighbors={objective.neighbors!r}": objective.neighbors is not None,
            "a prior": objective.has_prior,
            "an ordered code": self.curve is not None,
        }
        return [name for name, there in found.items() if there]

    def prefix(self, n_components):
        """Return what it is with the first code units alone."""
        codec = self.codec.prefix(n_components)
        curve = self.curve[:n_components]
        # The weights on trial and the shares are of a whole code.
        return replace(self, codec=codec, curve=curve, shares=None, trial=None)


def of_fit(read):
    """Return a read-only attribute of what the fit came to.

    Parameters
    ----------
    read : callable
        Takes a `Fitted` and returns the attribute's value, or None if it has none.

    Returns
    -------
    property
    """

    def get(estimator):
        fitted = vars(estimator).get("_fitted")
        value = None if fitted is None else read(fitted)
        if value is None:
            raise AttributeError(
                f"{type(estimator).__name__} has no such attribute"
                f"{' before fit' if fitted is None else ' with these parameters'}."
            )
        return value

    return property(get)
