"""AdversarialAutoencoder: a discriminator holds the code to a prior."""

from numbers import Real

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

from ._autoencoder import layer_sizes
from ._base import Interval, StrOptions, _generator
from ._generative import PRIORS, GenerativeAutoencoder
from ._networks import perceptron
from ._training import AutoencoderNet

N_DRAWS = 1000  # of the prior, for the energy distance
SLOPE_WEIGHT = 0.1  # of the penalty on the discriminator's slope


class Discriminator(nn.Module):
    """A perceptron that tells draws of the prior from codes, and their distance.

    Parameters
    ----------
    draws : array of shape (n_draws, n_components)
        Of the prior, to measure the distance.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers.
    """

    def __init__(self, draws, hidden_layer_sizes):
        super().__init__()
        draws = torch.as_tensor(draws, dtype=torch.float32)
        self.register_buffer("draws", draws)
        self.register_buffer("spread", _mean_distance(draws, draws, own=True).mean())
        sizes = [draws.shape[1], *hidden_layer_sizes, 1]
        self.logit = perceptron(sizes, nn.LeakyReLU, 0.0)

    def forward(self, z):
        """Return the log odds that each code was drawn from the prior."""
        return self.logit(z)[:, 0]

    def distance(self, z):
        """Return each code's part in the energy distance between codes and prior.

        The mean of the parts is that distance (Székely and Rizzo 2013), divided by the
        mean distance of two draws: 0 for equal distributions.
        """
        to_draws = _mean_distance(z, self.draws)
        to_codes = _mean_distance(z, z[:N_DRAWS], own=True)
        return (2 * to_draws - to_codes) / self.spread - 1


def _mean_distance(z, others, own=False):
    """Return each row's mean distance to the others, the first of its own if `own`."""
    # Not by matrix product, whose rounding errors would be distances.
    distances = torch.cdist(z, others, compute_mode="donot_use_mm_for_euclid_dist")
    n_others = torch.full((len(z),), float(len(others)), device=z.device)
    if own:  # a row is not among its others
        n_others[: len(others)] -= 1
    return distances.sum(1) / n_others.clamp(min=1)


class AdversarialNet(AutoencoderNet):
    """A skorch net with a discriminator that tells codes from draws of the prior.

    Parameters
    ----------
    *args, **kwargs
        Those of `AutoencoderNet`.
    prior : callable
        ``(n_samples, n_components, rng)`` to codes.
    adversarial_weight : float
        Weight of the discriminator's verdict in the autoencoder's loss.
    discriminator_layer_sizes : tuple of int
        Widths of the discriminator's hidden layers.
    """

    part_names = ("module_", "discriminator_")
    optimizer_names = ("optimizer_", "discriminator_optimizer_")

    def __init__(
        self, *args, prior, adversarial_weight, discriminator_layer_sizes, **kwargs
    ):
        super().__init__(*args, **kwargs)
        self.prior = prior
        self.adversarial_weight = adversarial_weight
        self.discriminator_layer_sizes = discriminator_layer_sizes

    def initialize_module(self):
        """Build the discriminator too."""
        super().initialize_module()
        self.rng_ = np.random.default_rng(torch.randint(2**62, ()).item())
        self.discriminator_ = Discriminator(
            self.draw(N_DRAWS), self.discriminator_layer_sizes
        )
        return self

    def initialize_optimizer(self, triggered_directly=None):
        """Give network and discriminator an optimizer each."""
        for part, optimizer in zip(self.part_names, self.optimizer_names, strict=True):
            args, kwargs = self.get_params_for_optimizer(
                "optimizer", getattr(self, part).named_parameters()
            )
            setattr(self, optimizer, self.optimizer(*args, **kwargs))
        return self

    def draw(self, n_samples):
        """Draw codes from the prior."""
        codes = self.prior(n_samples, self.module__n_components, self.rng_)
        return torch.as_tensor(codes, dtype=torch.float32).to(self.device)

    def infer(self, x, **fit_params):
        """Return the reconstruction and the code."""
        z = self.module_.encode(x.to(self.device))
        return self.module_.decode(z), z

    def row_losses(self, y_pred, y_true, x):
        """Return what an epoch is judged by: the loss, and the code's distance."""
        losses = super().row_losses(y_pred, y_true, x)
        return losses + self.discriminator_.distance(y_pred[1].detach())

    def train_step(self, batch, **fit_params):
        """Train the autoencoder against the discriminator, then that against it."""
        inputs, targets = batch
        self.module_.train()
        y_pred = self.infer(inputs)
        loss = super().row_losses(y_pred, targets, inputs).mean()
        z = y_pred[1]
        fooled = softplus(-self.discriminator_(z)).mean()
        self.optimizer_.zero_grad()
        (loss + self.adversarial_weight * fooled).backward()
        self.notify(
            "on_grad_computed",
            named_parameters=list(self.module_.named_parameters()),
            batch=batch,
            training=True,
        )
        self.optimizer_.step()

        z, draws = z.detach(), self.draw(len(z)).requires_grad_()
        odds = self.discriminator_(draws)
        # Without a penalty on its slope at the prior the two would circle.
        (slope,) = torch.autograd.grad(odds.sum(), draws, create_graph=True)
        told = softplus(-odds).mean() + softplus(self.discriminator_(z)).mean()
        self.discriminator_optimizer_.zero_grad()
        (told + 0.5 * SLOPE_WEIGHT * slope.square().sum(1).mean()).backward()
        self.discriminator_optimizer_.step()
        with torch.no_grad():
            loss = loss.detach() + self.discriminator_.distance(z).mean()
        return {"loss": loss, "y_pred": y_pred[0]}


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
    **params : dict
        Those of `AutoencoderTransformer`, which has them all with the same defaults.

    Attributes
    ----------
    prior_distance_ : float
        Energy distance between the codes of the last fit's rows and draws of the prior,
        as a share of the mean distance of two draws. 0.0 if both have one distribution,
        by chance even a little less. For a normal prior: 0.01 if codes are spread too
        far by a fifth, 0.12 if each unit is off by half a standard deviation, 0.41 if
        all codes are zero.
    net_ : skorch.NeuralNet
        ``net_.discriminator_`` is the discriminator.

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
    _net_class = AdversarialNet

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

    def _measure(self, X):
        super()._measure(X)
        # Kept, since set_params may change `prior`.
        named = isinstance(self.prior, str)
        self._prior = PRIORS[self.prior] if named else self.prior
        shape = N_DRAWS, self.n_components_
        draws = np.asarray(self._prior(*shape, _generator(0)))
        if draws.shape != shape or not np.isfinite(draws).all():
            raise ValueError(
                f"prior must return finite codes of shape (n_samples, n_components), "
                f"here {shape}. Got {draws.shape}"
                f"{'' if draws.shape != shape else ' with values that are not finite'}."
            )
        self._prior_spread = draws.std(axis=0)

    def _net_params(self):
        sizes = self.discriminator_layer_sizes
        weight = self.adversarial_weight
        if weight == "auto":
            weight = 0.8 / self.n_components_**1.5
        return {
            "prior": self._prior,
            "adversarial_weight": float(weight),
            "discriminator_layer_sizes": layer_sizes(
                sizes, "discriminator_layer_sizes"
            ),
        }

    def _start(self, module, linear, pca):
        spread = np.sqrt(pca.explained_variance_)
        # Rounding errors are not whitened.
        spread = np.where(spread > 1e-5 * spread[0], spread, 1.0)
        linear.start(
            pca.components_,
            pca.mean_,
            spread=spread / self._prior_spread[: len(spread)],
        )

    def _keep_more(self, net, rows):
        distance = net.discriminator_.eval().distance
        with torch.no_grad():
            parts = [
                distance(net.infer(rows[chunk])[1]) for chunk in self._chunks(rows)
            ]
        self.prior_distance_ = torch.cat(parts).double().mean().item()
