"""The adversarial objective, and the discriminator that it trains against."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

from .networks import perceptron
from .objective import Objective, weighed

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

    def distance(self, z, weights=None):
        """Return each code's part in the energy distance between codes and prior.

        The mean of the parts is that distance (Székely and Rizzo 2013), divided by the
        mean distance of two draws: 0 for equal distributions.
        """
        to_draws = _mean_distance(z, self.draws)
        to_codes = _mean_distance(z, z[:N_DRAWS], own=True, weights=weights)
        return (2 * to_draws - to_codes) / self.spread - 1


def _mean_distance(z, others, own=False, weights=None):
    """Return each row's mean distance to the others, the first of its own if `own`."""
    # Not by matrix product, whose rounding errors would be distances.
    distances = torch.cdist(z, others, compute_mode="donot_use_mm_for_euclid_dist")
    if weights is not None:
        weights = weights[: len(others)]
        beside = weights.sum().repeat(len(z))
        beside[: len(others)] -= weights
        return distances @ weights / beside.clamp(min=1e-6)
    n_others = torch.full((len(z),), float(len(others)), device=z.device)
    if own:  # a row is not among its others
        n_others[: len(others)] -= 1
    return distances.sum(1) / n_others.clamp(min=1)


class AdversarialObjective(Objective):
    """The loss, and the verdict of a discriminator that tells codes from the prior.

    Parameters
    ----------
    *args, **kwargs
        Those of `Objective`.
    prior : callable
        ``(n_samples, n_components, rng)`` to codes.
    n_components : int
        Width of the code.
    adversarial_weight : float
        Weight of the discriminator's verdict in the autoencoder's loss.
    discriminator_layer_sizes : tuple of int
        Widths of the discriminator's hidden layers.
    spread : ndarray of shape (n_components,)
        Standard deviations of the prior's units.
    """

    players = (("module_", "optimizer_"), ("criterion_", "discriminator_optimizer_"))
    memory = ("rng_state",)
    has_prior = True
    label_suffix = ";\nvalidation with the distance to the prior"

    def __init__(
        self,
        *args,
        prior,
        n_components,
        adversarial_weight,
        discriminator_layer_sizes,
        spread,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.prior = prior
        self.n_components = n_components
        self.adversarial_weight = adversarial_weight
        self.spread = spread
        self._rng = np.random.default_rng(torch.randint(2**62, ()).item())
        self.discriminator = Discriminator(
            self.draw(N_DRAWS), discriminator_layer_sizes
        )

    @property
    def rng_state(self):
        """State of the generator of the prior's draws."""
        return self._rng.bit_generator.state

    @rng_state.setter
    def rng_state(self, state):
        self._rng.bit_generator.state = state

    def draw(self, n_samples):
        """Draw codes from the prior."""
        codes = self.prior(n_samples, self.n_components, self._rng)
        return torch.as_tensor(codes, dtype=torch.float32)

    def predict(self, module, x):
        """Return the reconstruction and the code."""
        z = module.encode(x)
        return module.decode(z), z

    def judged_losses(self, module, y_pred, y_true, x, weights=None):
        """Return what an epoch is judged by: the loss, and the code's distance."""
        losses = self.row_losses(module, y_pred, y_true, x, weights)
        distance = self.discriminator.distance(y_pred[1].detach(), weights)
        return losses + weighed(distance, weights)

    def turns(self, module, y_pred, y_true, x, weights=None):
        """Train the autoencoder against the discriminator, then that against it."""
        loss = self.row_losses(module, y_pred, y_true, x, weights).mean()
        z = y_pred[1]
        fooled = weighed(softplus(-self.discriminator(z)), weights).mean()
        yield loss + self.adversarial_weight * fooled, loss.detach()

        z = z.detach()
        draws = self.draw(len(z)).to(z.device).requires_grad_()
        odds = self.discriminator(draws)  # (n_samples,)
        # Without a penalty on its slope at the prior the two would circle.
        (slope,) = torch.autograd.grad(odds.sum(), draws, create_graph=True)
        of_codes = weighed(softplus(self.discriminator(z)), weights).mean()
        told = softplus(-odds).mean() + of_codes
        told = told + 0.5 * SLOPE_WEIGHT * slope.square().sum(1).mean()
        with torch.no_grad():
            distance = self.discriminator.distance(z, weights)
            distance = weighed(distance, weights).mean()
        yield told, distance

    def start(self, module, linear, axes):
        """Set a module's linear path to PCA, whitened to the prior's spread."""
        spread = np.sqrt(axes.variances)
        # Rounding errors are not whitened.
        spread = np.where(spread > 1e-5 * spread[0], spread, 1.0)
        spread = spread / self.spread[: len(spread)]
        linear.start(axes.components, axes.mean, spread=spread)

    def code_unit(self, scale):
        """Codes are in the prior's units."""
        return 1.0
