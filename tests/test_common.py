"""scikit-learn's own checks, over every public estimator."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import sklearn_ae
from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine.losses import LOSSES, PENALTIES
from sklearn_ae._engine.noise import NOISES


class Squashed(AutoencoderTransformer):
    """Brings the checks' data into [0, 1], where cross-entropy wants them."""

    def _inspect(self, X):
        table, columns = super()._inspect(X)
        return expit(table[:]), columns

    def _table(self, X):
        return expit(super()._table(X)[:])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = False  # expit and logit are for NumPy's
        return tags

    def inverse_transform(self, X):
        return logit(np.clip(super().inverse_transform(X), 1e-6, 1 - 1e-6))


# Without early stopping networks train on the checks' small tables too.
TRAINED = {"early_stopping": False, "max_iter": 5}
PLAIN = {"init": "random", **TRAINED}
ESTIMATORS = [
    AutoencoderTransformer(),
    AutoencoderTransformer(**TRAINED),
    AutoencoderTransformer(init="random", **TRAINED),
    AutoencoderTransformer(hidden_layer_sizes=(), dropout=0.0, **TRAINED),
    AutoencoderTransformer(hidden_layer_sizes=(8,), dropout=0.2, max_iter=5),
    *(
        (Squashed if row.activates else AutoencoderTransformer)(
            loss=loss, hidden_layer_sizes=(16,), **TRAINED
        )
        for loss, row in LOSSES.items()
    ),
    Squashed(out_activation="logistic", hidden_layer_sizes=(16,), **TRAINED),
    Squashed(out_activation="tanh", hidden_layer_sizes=(16,), **TRAINED),
    AutoencoderTransformer(out_activation="clip", **TRAINED),
    AutoencoderTransformer(neighbors=0.3, **TRAINED),
    AutoencoderTransformer(neighbors=1),
    VariationalAutoencoder(neighbors=0.3, **TRAINED),
    AutoencoderTransformer(noise="swap", code_activation="relu", **PLAIN),
    *(
        AutoencoderTransformer(
            penalty=penalty,
            **(PLAIN | {"code_activation": "logistic"} if penalty == "kl" else TRAINED),
        )
        for penalty in (*PENALTIES, "k_sparse")
    ),
    AutoencoderTransformer(2, ordered=True),
    AutoencoderTransformer(3, ordered=True, **TRAINED),
    AutoencoderTransformer(0.9, **TRAINED),
    AutoencoderTransformer(0.5, hidden_layer_sizes=(16,), **PLAIN),
    AutoencoderTransformerCV((1, 3), estimator=AutoencoderTransformer(**TRAINED), cv=2),
    AutoencoderTransformerCV(
        2, estimator=DenoisingAutoencoder(max_iter=0), rule="one_standard_error"
    ),
    AutoencoderOutlierDetector(random_state=0),
    AutoencoderOutlierDetector(VariationalAutoencoder(random_state=0, **TRAINED)),
    DenoisingAutoencoder(),
    DenoisingAutoencoder(loss="absolute_error", init="random", **TRAINED),
    *(
        DenoisingAutoencoder(
            noise=noise, noise_level=0.3, hidden_layer_sizes=(16,), **TRAINED
        )
        for noise in NOISES
    ),
    ConvolutionalAutoencoder(),
    ConvolutionalAutoencoder(
        n_components=None, filters=(4,), upsampling="nearest", dropout=0.2, **TRAINED
    ),
    ConvolutionalAutoencoder(2, filters=(4,), ordered=True, penalty="l1", **TRAINED),
    ConvolutionalAutoencoder(
        downsampling="stride", upsampling="bilinear", noise="gaussian", **PLAIN
    ),
    VariationalAutoencoder(),
    VariationalAutoencoder(hidden_layer_sizes=(16,), beta=0.5, **TRAINED),
    VariationalAutoencoder(hidden_layer_sizes=(16,), noise="masking", **PLAIN),
    AdversarialAutoencoder(),
    AdversarialAutoencoder(hidden_layer_sizes=(16,), **TRAINED),
    AdversarialAutoencoder(prior="uniform", noise="gaussian", **PLAIN),
]
IMPUTERS = [
    AutoencoderImputer(max_iter=2),
    AutoencoderImputer(max_iter=1, add_indicator=True, keep_empty_features=True),
    AutoencoderImputer(-1, max_iter=1),
]


@parametrize_with_checks(ESTIMATORS + IMPUTERS)
def test_estimator_checks(estimator, check):
    check(estimator)


def test_every_public_estimator_is_checked():
    public = {getattr(sklearn_ae, name) for name in sklearn_ae.__all__}
    estimators = {thing for thing in public if hasattr(thing, "fit")}
    assert estimators <= {type(estimator) for estimator in ESTIMATORS + IMPUTERS}


@pytest.mark.parametrize("estimator", ESTIMATORS[-9:] + ESTIMATORS[:2])
def test_chosen_codes_are_decoded(estimator):
    X = np.random.default_rng(0).random((30, 16))
    model = clone(estimator)
    if model.n_components is not None:
        model.set_params(n_components=3)
    model.fit(X)
    codes = np.zeros((2, model.n_components_))
    codes[0, -1] = 5.0
    rows = model.inverse_transform(codes)
    assert rows.shape == (2, 16)
    assert np.isfinite(rows).all()
    assert not np.allclose(rows[0], rows[1])


@pytest.mark.parametrize("estimator", ESTIMATORS + IMPUTERS)
def test_signature_shows_every_parameter(estimator):
    own = estimator.get_params(deep=False)
    assert set(own) == set(estimator._get_param_names())
    assert set(own) <= set(estimator._parameter_constraints)
