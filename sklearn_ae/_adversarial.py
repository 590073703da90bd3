"""AdversarialAutoencoder: a discriminator holds the code to a prior."""

from numbers import Real

import numpy as np
import torch

from ._autoencoder import AutoencoderTransformer
from ._docstrings import completed_by
from ._engine.adversarial import N_DRAWS, AdversarialObjective
from ._engine.batches import mean_one
from ._engine.fitted import of_fit
from ._engine.torch_state import generator
from ._generative import PRIORS, GenerativeAutoencoder
from ._params import layer_sizes
from ._sklearn import Interval, StrOptions


@completed_by(AutoencoderTransformer)
class AdversarialAutoencoder(GenerativeAutoencoder):
    """Autoencoder whose codes follow a prior that you choose.

    A discriminator, a small network of its own, learns to tell codes from draws of the
    prior; the encoder learns to reconstruct and to be taken for the prior, both in
    turns at every batch. New rows are then made by decoding draws of the prior, and the
    codes fill it without holes.

    The start is PCA, whitened to the prior's spread. Epochs are judged by the
    reconstruction's loss plus the energy distance between codes and prior (see
    `prior_distance_`).

    Parameters
    ----------
    n_components : int, default=2
        Code size.
    prior : {"normal", "uniform"} or callable, default="normal"
        What the codes shall be like: standard normal, uniform on [-1, 1] in each unit,
        or a function of your own that is called as ``prior(n_samples, n_components,
        rng)`` with a `numpy.random.Generator` and returns an array of shape
        (n_samples, n_components). Let its units have a spread of about 1.
    adversarial_weight : float or "auto", default="auto"
        Weight of the discriminator's verdict, next to the mean loss of the cells. More
        brings the codes closer to the prior, less the reconstructions closer to the
        rows. "auto" is 0.8 / `n_components` ** 1.5: the wider the code, the easier it
        is told from the prior. Few code units stand far more, such as 1.0.
    discriminator_layer_sizes : array-like of int, default=(128, 128)
        Widths of the discriminator's hidden layers. It has `optimizer` too, an instance
        of its own, at a constant `learning_rate_init`.

    Attributes
    ----------
    prior_distance_ : float
        Energy distance between the codes of the last fit's rows and draws of the prior,
        as a share of the mean distance of two draws. 0.0 if both have one distribution,
        by chance even a little less. For a normal prior: 0.01 if codes are spread too
        far by a fifth, 0.12 if each unit is off by half a standard deviation, 0.41 if
        all codes are zero.
    net_ : skorch.NeuralNet
        ``net_.criterion_.discriminator`` is the discriminator.

    See Also
    --------
    AutoencoderTransformer : Has all other parameters and attributes.
    VariationalAutoencoder : Holds the code to a normal prior by a penalty.

    Notes
    -----
    Codes are in the units of the prior, not of the data: ``inverse_transform(zeros)``
    decodes the middle of a normal one.

    The discriminator's slope at draws of the prior is penalised (Mescheder et al.
    2018), without which the two players circle instead of settling.

    References
    ----------
    A. Makhzani, J. Shlens, N. Jaitly, I. Goodfellow and B. Frey (2016). Adversarial
    autoencoders. arXiv:1511.05644.

    L. Mescheder, A. Geiger and S. Nowozin (2018). Which training methods for GANs do
    actually converge? ICML, 3481-3490.

    G. J. Székely and M. L. Rizzo (2013). Energy statistics: a class of statistics based
    on distances. Journal of Statistical Planning and Inference 143(8), 1249-1272.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ae import AdversarialAutoencoder
    >>> X = load_digits().data
    >>> autoencoder = AdversarialAutoencoder(2, max_iter=20, random_state=0).fit(X)
    >>> codes = autoencoder.transform(X)
    >>> bool(abs(codes.mean(axis=0)).max() < 0.3)
    True
    >>> bool(abs(codes.std(axis=0) - 1).max() < 0.3)
    True
    >>> autoencoder.sample(3, random_state=0).shape
    (3, 64)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **GenerativeAutoencoder._parameter_constraints,
        "prior": [StrOptions(set(PRIORS)), callable],
        "adversarial_weight": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="left"),
        ],
        "discriminator_layer_sizes": ["array-like"],
    }
    prior_distance_ = of_fit(lambda fitted: fitted.extras.get("prior_distance_"))

    def __init__(
        self,
        n_components=2,
        *,
        prior="normal",
        adversarial_weight="auto",
        discriminator_layer_sizes=(128, 128),
        **params,
    ):
        super().__init__(n_components, **params)
        self.prior = prior
        self.adversarial_weight = adversarial_weight
        self.discriminator_layer_sizes = discriminator_layer_sizes

    def _objective(self, blueprint, unexplained):
        _, params = super()._objective(blueprint, unexplained)
        weight, n_components = self.adversarial_weight, blueprint.n_components
        if weight == "auto":
            weight = 0.8 / n_components**1.5
        return AdversarialObjective, {
            **params,
            "prior": self._chosen_prior(),
            "n_components": n_components,
            "adversarial_weight": float(weight),
            "discriminator_layer_sizes": layer_sizes(
                self.discriminator_layer_sizes, "discriminator_layer_sizes"
            ),
            "spread": self._draws(n_components).std(axis=0),
        }

    def _chosen_prior(self):
        return PRIORS[self.prior] if isinstance(self.prior, str) else self.prior

    def _fitted_prior(self):
        return self._fitted.codec.objective.prior

    def _draws(self, n_components):
        """Return draws of the prior, always the same."""
        shape = N_DRAWS, n_components
        draws = np.asarray(self._chosen_prior()(*shape, generator(0)))
        if draws.shape != shape or not np.isfinite(draws).all():
            raise ValueError(
                f"prior must return finite codes of shape (n_samples, n_components), "
                f"here {shape}. Got {draws.shape}"
                f"{'' if draws.shape != shape else ' with values that are not finite'}."
            )
        return draws

    def _extras(self, codec, rows, weights=None):
        net, distance = codec.net, codec.objective.discriminator.eval().distance
        with torch.no_grad():
            parts = []
            for chunk in codec.chunks(rows):
                own = None if weights is None else mean_one(weights[chunk], net.device)
                parts.append(distance(net.infer(rows[chunk])[1], own))
        distances = torch.cat(parts).double()
        if weights is not None:
            distances *= torch.from_numpy(weights).to(distances)
        return {"prior_distance_": distances.mean().item()}
