"""The variational objective, and the wrapper that gives a row many codes."""

import math

import numpy as np
import torch
from torch import nn

from .objective import Objective, weighed

N_DRAWS = 16  # of each row's code, wherever rows are compared
LEAST_NOISE = 1e-6  # variance, in units of the scale squared


class VariationalNetwork(nn.Module):
    """A network in which a row has not one code but a normal distribution of codes.

    Parameters
    ----------
    network : Module
        Keeps the network contract, but that `encode` gives ``2 * n_components``
        columns: means, then log variances.
    widths : Widths
        Of the network.
    gaussian : bool
        Whether the likelihood is Gaussian and has a variance, `noise_variance`: a
        buffer, else None.
    """

    def __init__(self, network, widths, gaussian):
        super().__init__()
        self.network = network
        self.register_buffer("noise_variance", torch.ones(()) if gaussian else None)
        draws = prior_draws(widths.n_components)
        self.register_buffer("draws", draws, persistent=False)

    def posterior(self, x):
        """Return means and log variances of the codes of x."""
        mean, log_variance = self.network.encode(x).chunk(2, dim=1)  # (…, n_components)
        # Rows far outside the training data shall not overflow.
        return mean, log_variance.clamp(-20, 20)

    def encode(self, x):
        """Return the means of the codes of x."""
        return self.posterior(x)[0]

    def decode(self, z):
        """Return the data of code z, before the output activation."""
        return self.network.decode(z)

    def forward(self, x):
        """Return the reconstruction, and means and log variances of the codes.

        In training the reconstruction is that of a code drawn at random, a draw for
        each row, through which gradients flow (Kingma and Welling 2014).
        """
        mean, log_variance = self.posterior(x)
        z = mean
        if self.training:
            z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decode(z), mean, log_variance

    def nats(self, errors):
        """Return minus the log likelihood per cell of rows with these mean errors."""
        if self.noise_variance is None:
            return errors
        noise = self.noise_variance
        return 0.5 * (errors / noise + torch.log(2 * torch.pi * noise))


def prior_draws(n_components):
    """Return `N_DRAWS` draws of N(0, I) that stand for it, always the same.

    They come in pairs of opposite sign, and blocks of 8 units are orthogonal: mean and
    second moments are exact, so a linear decoder's expected error is too.
    """
    half = N_DRAWS // 2
    rng = np.random.default_rng(0)
    blocks = rng.standard_normal((-(-n_components // half), half, half))
    draws = half**0.5 * np.hstack(np.linalg.qr(blocks)[0])[:, :n_components]
    return torch.from_numpy(np.concatenate([draws, -draws])).float()


def kl_to_prior(mean, log_variance):
    """Return each code unit's Kullback-Leibler divergence from N(0, 1), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


class VariationalObjective(Objective):
    """Minus the evidence lower bound, per cell, in nats.

    The noise variance is not learned by gradient. It is set to the mean squared error:
    that of the validation rows in the epoch before, or without such rows a running mean
    over the batches. The error of rows that train falls below that of others, and a
    noise variance that follows it makes the network overfit.

    Parameters
    ----------
    *args, **kwargs
        Those of `Objective`.
    beta : float
        Weight of the Kullback-Leibler divergence.
    """

    memory = ("n_held_out", "held_out")
    has_prior = True
    label = "minus the evidence lower bound, nats per cell"

    def __init__(self, *args, beta, **kwargs):
        super().__init__(*args, **kwargs)
        self.beta = beta

    def begin(self, held_out):
        """Forget the errors of an earlier training."""
        self.has_held_out = held_out
        self.n_held_out, self.held_out = 0, 0.0

    def begin_epoch(self, module):
        """Set the noise variance by the validation rows."""
        noise = module.noise_variance
        if self.has_held_out and noise is not None:
            noise.fill_(self.held_out / self.n_held_out).clamp_(min=LEAST_NOISE)
        self.n_held_out, self.held_out = 0, 0.0

    def predict(self, module, x):
        """Return the reconstruction, and means and log variances of the codes."""
        return module(x)

    def row_losses(self, module, y_pred, y_true, x, weights=None):
        """Return the loss of each row, by one draw of its code."""
        decoded, *posterior = y_pred
        errors = self.cell_losses(decoded, y_true)
        if not self.has_held_out and module.noise_variance is not None:
            mean = weighed(errors.detach(), weights).mean()
            module.noise_variance.lerp_(mean, 0.05)
            module.noise_variance.clamp_(min=LEAST_NOISE)
        losses = self._bounds(module, errors, *posterior, y_true, x)
        return weighed(losses, weights)

    def judged_losses(self, module, y_pred, y_true, x, weights=None):
        """Return the loss of each row, by the same draws for all."""
        _, *posterior = y_pred
        errors = self.expected_errors(module, *posterior, y_true)
        own = self.own(weighed(errors, weights))
        self.n_held_out += len(own)
        self.held_out += own.sum().item()
        losses = self._bounds(module, errors, *posterior, y_true, x)
        return weighed(losses, weights)

    def _bounds(self, module, errors, mean, log_variance, y_true, x):
        kl = kl_to_prior(mean, log_variance).sum(1)  # (n_samples,)
        losses = module.nats(errors) + self.beta * kl / y_true[0].numel()
        return self.penalised(losses, module, x, mean)

    def expected_errors(self, module, mean, log_variance, y_true):
        """Return the mean error of each row's cells, over the codes of the row."""
        std = torch.exp(0.5 * log_variance)  # (n_samples, n_components)
        draws = (mean + std * draw for draw in module.draws)
        return sum(self.cell_losses(module.decode(z), y_true) for z in draws) / N_DRAWS

    def log_density_bounds(self, module, x):
        """Return the evidence lower bound of each row, in nats, whatever `beta` is."""
        posterior = module.posterior(x)
        cells = x.shape[1] * module.nats(self.expected_errors(module, *posterior, x))
        return -(cells + kl_to_prior(*posterior).sum(1))  # (n_samples,)

    def start(self, module, linear, axes):
        """Set a module to probabilistic PCA."""
        variances = axes.variances.astype(np.float64)
        n_features = axes.components.shape[1]
        beta = max(self.beta, 1e-30)  # less, times the noise, would underflow
        n_kept, noise = probabilistic_pca(variances, axes.left, n_features, beta)
        kept = slice(n_kept)
        variance = beta * noise / variances[kept]  # of the codes
        spread = np.sqrt(variances[kept] * (1 - variance))
        linear.start(axes.components[kept], axes.mean, 1 - variance, spread)
        # The biases of the means come first.
        log_variance = linear.encode_linear.bias.detach()[module.draws.shape[1] :]
        log_variance[kept] = torch.from_numpy(np.log(variance))
        if module.noise_variance is not None:
            module.noise_variance.fill_(noise)

    def code_unit(self, scale):
        """Codes are in the prior's units."""
        return 1.0

    def in_units(self, loss, scale):
        """Return a loss in the data's units."""
        return loss + math.log(scale)  # a density's unit is one over the data's


def probabilistic_pca(variances, left, n_features, beta):
    """Return how many of PCA's components the best linear model keeps, and its noise.

    The optimum of a linear variational autoencoder is known: with noise variance σ² it
    keeps components of variance λ > βσ². The decoder multiplies such a unit by
    w = √(λ − βσ²), its posterior has mean w / λ times PCA's code and variance βσ² / λ.
    Given q of them, σ² is what all others leave, divided by n_features − βq. With β = 1
    this is probabilistic PCA.

    Parameters
    ----------
    variances : ndarray of shape (n_components,), float64
        Those of PCA's components, largest first.
    left : float
        Sum of the variances of all other components.
    n_features : int
        Number of columns.
    beta : float
        Weight of the Kullback-Leibler divergence.

    Returns
    -------
    n_kept : int
        Components that are kept: those of the highest bound.
    noise : float
        Noise variance, at least `LEAST_NOISE`.
    """
    n_kept = np.arange(len(variances) + 1)
    least = np.append(np.inf, variances)  # of the variances kept
    left = left + np.append(variances[::-1].cumsum()[::-1], 0)
    degrees = n_features - beta * n_kept
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where no degree is left to it any noise below the least variance is as good.
        noise = np.where(degrees > 0, left / degrees, least / (2 * beta))
        noise = np.maximum(noise, LEAST_NOISE)
        logs = np.append(0, np.log(variances).cumsum()) - n_kept * np.log(beta * noise)
        loss = n_features * np.log(noise) + left / noise + beta * (n_kept + logs)
    loss[~(least > beta * noise)] = np.inf
    best = np.flatnonzero(loss <= loss.min() + 1e-9)[-1]  # of equals the widest code
    return best, noise[best]
