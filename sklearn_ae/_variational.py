"""VariationalAutoencoder: a density of the data, and codes that fill a normal prior."""

import math
from dataclasses import replace
from numbers import Real

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from ._arrays import in_callers_arrays
from ._autoencoder import AutoencoderTransformer
from ._docstrings import completed_by
from ._engine.caller import warn_caller
from ._engine.fitted import of_fit
from ._engine.losses import LOSSES, PENALTIES
from ._engine.variational import (
    VariationalNetwork,
    VariationalObjective,
    kl_to_prior,
)
from ._generative import GenerativeAutoencoder
from ._sklearn import Interval, StrOptions

COLLAPSED = 1e-3  # nats


@completed_by(AutoencoderTransformer)
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

    kl_ = of_fit(lambda fitted: fitted.extras.get("kl_"))
    noise_variance_ = of_fit(lambda fitted: fitted.extras.get("noise_variance_"))

    def __init__(self, n_components=2, *, beta=1.0, **params):
        super().__init__(n_components, **params)
        self.beta = beta

    @in_callers_arrays
    def score_samples(self, X):
        """Return the evidence lower bound of each row: higher is more normal.

        It bounds the row's log density, which `sklearn.decomposition.PCA` gives, from
        below: the expected log likelihood over the row's codes, minus their divergence
        from the prior, whatever `beta` is. The expectation is a mean over 16 draws with
        exact first and second moments, always the same and the same for all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples,)
            Nats, float64; with squared error of a density in the data's units.
        """
        X, codec = self._table(X), self._fitted.codec
        device, scale = codec.net.device, codec.scaling.scale
        dtype = torch.float32 if device.startswith("mps") else torch.float64
        module = codec.net.module_as(dtype)
        scores = np.empty(len(X))
        for rows in codec.chunks(X):
            x = torch.from_numpy(codec.scaling.apply(X[rows], np.float64))
            with torch.inference_mode():
                bounds = codec.objective.log_density_bounds(
                    module, x.to(dtype).to(device)
                )
            scores[rows] = bounds.cpu().numpy()
        return scores - X.shape[1] * math.log(scale)

    def _blueprint(self, n_features, n_components):
        blueprint = super()._blueprint(n_features, n_components)
        own = VariationalNetwork, {"gaussian": not LOSSES[self.loss].activates}
        return replace(
            blueprint,
            widths=replace(blueprint.widths, n_encoded=2 * n_components),
            wrappers=(*blueprint.wrappers, own),
        )

    def _objective(self, blueprint, unexplained):
        _, params = super()._objective(blueprint, unexplained)
        return VariationalObjective, {**params, "beta": float(self.beta)}

    def _extras(self, codec, rows, weights=None):
        module, extras = codec.net.module_, {}
        if module.noise_variance is not None:
            noise = module.noise_variance.item()
            extras["noise_variance_"] = noise * codec.scaling.scale**2
        with torch.no_grad():
            kl = 0.0
            for chunk in codec.chunks(rows):
                part = kl_to_prior(*module.posterior(rows[chunk])).double()
                if weights is not None:
                    part *= torch.from_numpy(weights[chunk, None]).to(part.device)
                kl = kl + part.sum(0)
        extras["kl_"] = kl.cpu().numpy() / len(rows)
        if extras["kl_"].max() < COLLAPSED and any(
            (rows[chunk] != rows[:1]).any() for chunk in codec.chunks(rows)
        ):
            otherwise = "" if self.init == "pca" else ", or set init='pca'"
            warn_caller(
                f"Every code unit has collapsed to the prior, so that a code tells "
                f"nothing of its row: lower beta (now {self.beta:g}){otherwise}.",
                ConvergenceWarning,
            )
        return extras
