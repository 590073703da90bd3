"""Layout: the network that a table gets, and the PCA that it starts at."""

from dataclasses import replace
from numbers import Integral

import numpy as np

from . import crossfit
from .pca import fit_pca

FEW_ROWS = 1000  # up to which a network is narrow


def layout(job, survey, filling, reading):
    """Return PCA, where it is wanted, and the blueprint of the module.

    Parameters
    ----------
    job : Job
    survey : Survey
    filling : Filling or None
        Of missing cells.
    reading : Reading or None
        Of counts.

    Returns
    -------
    axes : Axes or None
    blueprint : Blueprint
    """
    estimator, table, previous = job.estimator, job.table, job.previous
    n_features = table.shape[1]
    if previous is not None:
        blueprint = estimator._blueprint(n_features, previous.codec.n_components)
        if name := previous.codec.blueprint.difference(blueprint):
            raise ValueError(
                f"{name} has changed since the last fit, to "
                f"{blueprint.settings.get(name)!r}, so its weights can't go on: set it "
                f"back, or fit with warm_start=False."
            )
        return None, previous.codec.blueprint

    def pca(n_components):
        # The user's own seed: the randomized solver's result depends on it.
        seed = estimator.random_state
        if not isinstance(seed, Integral):
            seed = int(job.generator.integers(2**31))
        if filling is not None:
            return filling.axes(survey.scaling, n_components, seed)
        if reading is not None:
            return reading.axes(n_components, seed, survey.split_seed)
        seeds = seed, survey.split_seed
        return fit_pca(table, survey.scaling, n_components, *seeds, job.weights)

    def laid_out(n_components):
        blueprint = _suited(job, survey, estimator._blueprint(n_features, n_components))
        for outer in (filling, reading):
            blueprint = blueprint if outer is None else outer.wrapped(blueprint)
        return blueprint

    if isinstance(estimator.n_components, float):
        axes = pca(None)
        # Some more than PCA needs: it is the held-out share that counts.
        share = estimator.n_components + (1 - estimator.n_components) / 4
        enough = int(np.searchsorted(axes.shares, share)) + 1
        size = min(enough, len(axes.shares))
        return axes.first(size), laid_out(size)
    wanted = estimator.n_components
    if wanted is None:  # as many as PCA has
        wanted = min(table.shape)
    blueprint = laid_out(wanted)
    if estimator.init == "pca" or blueprint.ordered:
        return pca(min(blueprint.n_components, *table.shape)), blueprint
    return None, blueprint


def _suited(job, survey, blueprint):
    """Return the blueprint with what "auto" parameters are for this table."""
    own = {}
    if survey.cross_fitted:
        own = {"hidden_layer_sizes": crossfit.HIDDEN, "activation": "relu"}
    elif job.one_pass:  # the first of some chunks: ReLU learns more in few steps
        own = {"activation": "relu"}
    elif len(job.table) <= FEW_ROWS and job.estimator.neighbors is None:
        own = {"hidden_layer_sizes": crossfit.HIDDEN}
    free = {
        name
        for name, asked in blueprint.settings.items()
        if isinstance(asked, str) and asked == "auto"
    }
    own = {name: value for name, value in own.items() if name in free}
    return replace(blueprint, params={**blueprint.params, **own})
