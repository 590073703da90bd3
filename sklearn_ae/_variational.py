"""VariationalAutoencoder: a density of the data, and codes that fill a normal prior."""

import math
from numbers import Real

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from ._base import Interval, StrOptions, warn_caller
from ._generative import GenerativeAutoencoder
from ._losses import PENALTIES
from ._onnx import WRAPPERS, convert
from ._training import AutoencoderNet

N_DRAWS = 16  # of each row's code, wherever rows are compared
LEAST_NOISE = 1e-6  # variance, in units of `scale_` squared
COLLAPSED = 1e-3  # nats


class VariationalNetwork(nn.Module):
    """A network in which a row has not one code but a normal distribution of codes.

    Parameters
    ----------
    network : Module
        Keeps the network contract, but that `encode` gives ``2 * n_components``
        columns: means, then log variances.
    n_components : int
        Width of the code.
    gaussian : bool
        Whether the likelihood is Gaussian and has a variance, `noise_variance`: a
        buffer, else None.
    """

    def __init__(self, network, n_components, gaussian):
        super().__init__()
        self.network = network
        self.register_buffer("noise_variance", torch.ones(()) if gaussian else None)
        self.register_buffer("draws", prior_draws(n_components), persistent=False)

    def posterior(self, x):
        """Return means and log variances of the codes of x."""
        mean, log_variance = self.network.encode(x).chunk(2, dim=1)
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


def _to_onnx(graph, module, part, x):
    x = convert(graph, module.network, part, x)
    if part == "encode":  # the means come first
        bounds = [0], [module.draws.shape[1]], [1]
        x = graph.add("Slice", x, *(np.array(bound) for bound in bounds))
    return x


WRAPPERS[VariationalNetwork] = _to_onnx


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


class VariationalNet(AutoencoderNet):
    """A skorch net whose loss is minus the evidence lower bound, per cell, in nats.

    The noise variance is not learned by gradient. It is set to the mean squared error:
    that of the validation rows in the epoch before, or without such rows a running mean
    over the batches. The error of rows that train falls below that of others, and a
    noise variance that follows it makes the network overfit.

    Parameters
    ----------
    *args, **kwargs
        Those of `AutoencoderNet`.
    beta : float
        Weight of the Kullback-Leibler divergence.
    """

    state_names = (*AutoencoderNet.state_names, "n_held_out_", "held_out_")

    def __init__(self, *args, beta, **kwargs):
        super().__init__(*args, **kwargs)
        self.beta = beta

    def infer(self, x, **fit_params):
        """Return the reconstruction, and means and log variances of the codes."""
        return self.module_(x.to(self.device))

    def row_losses(self, y_pred, y_true, x):
        """Return the loss of each row; outside training by the same draws for all."""
        decoded, mean, log_variance = y_pred
        module = self.module_
        if module.training:
            errors = self.errors(decoded, y_true)
            if self.train_split is None and module.noise_variance is not None:
                module.noise_variance.lerp_(errors.detach().mean(), 0.05)
                module.noise_variance.clamp_(min=LEAST_NOISE)
        else:
            errors = self.expected_errors(module, mean, log_variance, y_true)
            self.n_held_out_ += len(errors)
            self.held_out_ += errors.sum().item()
        kl = kl_to_prior(mean, log_variance).sum(1)
        losses = module.nats(errors) + self.beta * kl / y_true[0].numel()
        if self.penalty is not None:
            losses = losses + self.penalty(module.encode, x, mean)
        return losses

    def errors(self, decoded, y_true):
        """Return the mean error of each row's cells."""
        if self.activation is not None:
            decoded = self.activation(decoded)
        return self.criterion_(decoded, y_true).flatten(1).mean(1)

    def expected_errors(self, module, mean, log_variance, y_true):
        """Return the same, as a mean over the codes of each row."""
        std = torch.exp(0.5 * log_variance)
        draws = (mean + std * draw for draw in module.draws)
        return sum(self.errors(module.decode(z), y_true) for z in draws) / N_DRAWS

    def on_train_begin(self, net, **kwargs):
        """Forget the errors of an earlier training."""
        super().on_train_begin(net, **kwargs)
        self.n_held_out_, self.held_out_ = 0, 0.0

    def on_epoch_begin(self, net, **kwargs):
        """Set the noise variance by the validation rows."""
        super().on_epoch_begin(net, **kwargs)
        noise = self.module_.noise_variance
        if self.train_split is not None and noise is not None:
            noise.fill_(self.held_out_ / self.n_held_out_).clamp_(min=LEAST_NOISE)
        self.n_held_out_, self.held_out_ = 0, 0.0


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


class VariationalAutoencoder(GenerativeAutoencoder):
    """Variational autoencoder: a density of the data that starts at PCA's.

    A row is thought of as made from a code, drawn from a standard normal prior, by the
    decoder and noise. The encoder gives each row a normal distribution of codes.
    Both are trained to raise the evidence lower bound (ELBO) of the log density of the
    rows: `score_samples`. Codes fill the prior, so that new rows can be drawn
    (`sample`), and codes between those of two rows decode to something in between
    (``inverse_transform(np.linspace(z0, z1, 9))``).

    The start is probabilistic PCA, which is the best linear model of this kind (Lucas
    et al. 2019): its bound is `sklearn.decomposition.PCA.score_samples`. What training
    adds is kept only where rows set aside show a significantly higher bound.

    Parameters
    ----------
    n_components : int, default=2
        Code size. Units that would cost more than they tell stay at the prior: see
        `kl_`.
    beta : float, default=1.0
        Weight of the Kullback-Leibler divergence of codes from the prior, above 0. With
        1.0 training raises the bound itself. Less gives better reconstructions and
        codes that fill the prior less well, more the opposite (Higgins et al. 2017),
        up to codes that tell nothing.
    loss : {"squared_error", "binary_cross_entropy"}, default="squared_error"
        The likelihood: normal with one variance for all cells, `noise_variance_`; or
        Bernoulli, for data in [0, 1]. Either way losses are minus the bound, with the
        divergence times `beta`, per cell and in nats.
    code_activation : {"identity"}, default="identity"
        Codes are normal.
    penalty : {"l1", "contractive"} or None, default=None
        As in `AutoencoderTransformer`, on the mean code.
    module : class or None, default=None
        As in `AutoencoderTransformer`, but its ``encode(x)`` gives
        ``2 * n_components`` columns: the means of the codes, then the logarithms of
        their variances. Its ``forward`` is not called.
    **params : dict
        Those of `AutoencoderTransformer`, which has them all with the same defaults.

    Attributes
    ----------
    noise_variance_ : float
        Variance of a cell around its reconstruction, in the data's squared units, at
        least 1e-6 `scale_` squared. At the start it is that of
        `sklearn.decomposition.PCA`, afterwards the mean squared error of the validation
        rows (of the training rows, if there are none). Not there with
        ``loss="binary_cross_entropy"``.
    kl_ : ndarray of shape (n_components,), float64
        What each code unit tells of a row: the Kullback-Leibler divergence of its codes
        from the prior in nats, as a mean over the rows of the last fit. Units near 0
        are not used.

    Warns
    -----
    ConvergenceWarning
        If every code unit has collapsed to the prior (`kl_` below 0.001), besides the
        cases that `AutoencoderTransformer` has.

    See Also
    --------
    AutoencoderTransformer : Has all other parameters and attributes.
    AdversarialAutoencoder : Holds the code to any prior by a discriminator.
    sklearn.decomposition.PCA : What it starts from.

    Notes
    -----
    Codes are in units of the prior, not of the data. At the start a code is PCA's,
    divided by its standard deviation and shrunk towards zero. A unit that
    probabilistic PCA does not keep starts at zero.

    The log variances of codes are held within ±20.

    `sample` gives means of the likelihood. Add noise for rows as scattered as the data:
    ``rows + rng.normal(scale=vae.noise_variance_**0.5, size=rows.shape)``.

    References
    ----------
    I. Higgins et al. (2017). beta-VAE: learning basic visual concepts with a
    constrained variational framework. ICLR.

    D. P. Kingma and M. Welling (2014). Auto-encoding variational Bayes. ICLR.

    J. Lucas, G. Tucker, R. Grosse and M. Norouzi (2019). Don't blame the ELBO! A linear
    VAE perspective on posterior collapse. NeurIPS.

    O. Rybkin, K. Daniilidis and S. Levine (2021). Simple and effective VAE training
    with calibrated decoders. ICML.

    M. E. Tipping and C. M. Bishop (1999). Probabilistic principal component analysis.
    Journal of the Royal Statistical Society B 61(3), 611-622.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae import VariationalAutoencoder
    >>> X = load_digits().data
    >>> vae = VariationalAutoencoder(8, max_iter=20, random_state=0).fit(X[:1300])
    >>> pca = PCA(8).fit(X[:1300])
    >>> bool(vae.score_samples(X[1300:]).mean() > pca.score(X[1300:]) + 5)  # nats
    True
    >>> vae.sample(3, random_state=0).shape
    (3, 64)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **GenerativeAutoencoder._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="neither")],
        "loss": [StrOptions({"squared_error", "binary_cross_entropy"})],
        "code_activation": [StrOptions({"identity"})],
        "penalty": [StrOptions(set(PENALTIES) - {"kl"}), None],  # its codes are shares
    }
    _net_class = VariationalNet

    def __init__(self, n_components=2, *, beta=1.0, **params):
        super().__init__(n_components, **params)
        self.beta = beta

    def score_samples(self, X):
        """Return the evidence lower bound of each row: higher is more normal.

        It bounds the row's log density, which `sklearn.decomposition.PCA` gives, from
        below: the expected log likelihood over the row's codes, minus their divergence
        from the prior, whatever `beta` is. The expectation is a mean over 16 draws with
        exact first and second moments, always the same and the same for all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples,)
            Nats, float64; with squared error of a density in the data's units.
        """
        X = self._validate(X)
        dtype = torch.float32 if self.device_.startswith("mps") else torch.float64
        module = self.net_.module_as(dtype)
        scores = np.empty(len(X))
        for rows in self._chunks(X):
            x = torch.from_numpy(self._scaled(X[rows], np.float64))
            x = x.to(dtype).to(self.device_)
            with torch.inference_mode():
                posterior = module.posterior(x)
                errors = self.net_.expected_errors(module, *posterior, x)
                cells = x.shape[1] * module.nats(errors)
                scores[rows] = -(cells + kl_to_prior(*posterior).sum(1)).cpu().numpy()
        return scores - X.shape[1] * math.log(self.scale_)

    def _n_encoded(self):
        return 2 * self.n_components_

    def _wrappers(self):
        gaussian = not self._loss.activates
        params = {"n_components": self.n_components_, "gaussian": gaussian}
        return [*super()._wrappers(), (VariationalNetwork, params)]

    def _net_params(self):
        return {"beta": float(self.beta)}

    def _loss_in_units(self, loss):
        return loss + math.log(self.scale_)  # a density's unit is one over the data's

    def _start(self, module, linear, pca):
        variances = pca.explained_variance_.astype(np.float64)
        rank = min(pca.n_samples_, pca.n_features_in_)
        left = float(pca.noise_variance_) * (rank - len(variances))
        beta = max(self.beta, 1e-30)  # less, times the noise, would underflow
        n_kept, noise = probabilistic_pca(variances, left, self.n_features_in_, beta)
        kept = slice(n_kept)
        variance = beta * noise / variances[kept]  # of the codes
        spread = np.sqrt(variances[kept] * (1 - variance))
        linear.start(pca.components_[kept], pca.mean_, 1 - variance, spread)
        log_variance = linear.encode_linear.bias.detach()[self.n_components_ :]
        log_variance[kept] = torch.from_numpy(np.log(variance))
        if module.noise_variance is not None:
            module.noise_variance.fill_(noise)

    def _keep_more(self, net, rows):
        posterior, noise = net.module_.posterior, net.module_.noise_variance
        if noise is not None:
            self.noise_variance_ = noise.item() * self.scale_**2
        with torch.no_grad():
            kl = sum(
                kl_to_prior(*posterior(rows[chunk])).double().sum(0)
                for chunk in self._chunks(rows)
            )
        self.kl_ = kl.cpu().numpy() / len(rows)
        if self.kl_.max() < COLLAPSED and any(
            (rows[chunk] != rows[:1]).any() for chunk in self._chunks(rows)
        ):
            otherwise = "" if self.init == "pca" else ", or set init='pca'"
            warn_caller(
                f"Every code unit has collapsed to the prior, so that a code tells "
                f"nothing of its row: lower beta (now {self.beta:g}){otherwise}.",
                ConvergenceWarning,
            )
