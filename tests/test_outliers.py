"""AutoencoderOutlierDetector: scores are the autoencoder's, the threshold its own."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    VariationalAutoencoder,
    load,
    save,
)

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 6)) + 5
X = NORMAL + 0.1 * RNG.normal(size=(300, 6))
STRANGE = 5 + 2 * RNG.normal(size=(40, 6))  # off the plane
PCA_ONLY = AutoencoderTransformer(2, max_iter=0)


def test_scores_are_the_errors_of_standardized_rows():
    model = make_pipeline(StandardScaler(), PCA_ONLY)
    detector = AutoencoderOutlierDetector(model, contamination=0.2).fit(X)
    scaled, rows = (StandardScaler().fit(X).transform(part) for part in (X, STRANGE))
    pca = PCA(2).fit(scaled)
    errors = np.square(rows - pca.inverse_transform(pca.transform(rows))).sum(axis=1)
    assert_allclose(detector.score_samples(STRANGE), -errors, rtol=1e-5)
    left = np.square(scaled - pca.inverse_transform(pca.transform(scaled))).sum(axis=1)
    assert detector.offset_ == pytest.approx(-np.quantile(left, 0.8), rel=1e-4)
    assert (detector.predict(X) == -1).sum() == 60
    assert_allclose(
        detector.decision_function(STRANGE), -errors - detector.offset_, rtol=1e-4
    )
    assert (detector.predict(STRANGE) == -1).mean() > 0.9


def test_default_scales_columns():
    units = 10.0 ** np.arange(-3, 3)
    one = AutoencoderOutlierDetector(random_state=0).fit(X)
    other = AutoencoderOutlierDetector(random_state=0).fit(X * units)
    # By rank: the networks see what differs in the last bit.
    first, second = one.score_samples(STRANGE), other.score_samples(STRANGE * units)
    assert np.corrcoef(first, second)[0, 1] > 0.99


def test_trimmed_rows_are_those_that_pca_misses():
    rows = np.vstack([X, STRANGE])
    detector = AutoencoderOutlierDetector(PCA_ONLY, contamination=0.2, trim=True)
    kept = rows
    for _ in range(2):
        pca = PCA(2).fit(kept)
        errors = np.square(rows - pca.inverse_transform(pca.transform(rows))).sum(1)
        kept = rows[errors <= np.quantile(errors, 0.8)]
    pca = PCA(2).fit(kept)
    errors = np.square(rows - pca.inverse_transform(pca.transform(rows))).sum(axis=1)
    for data in (rows, pd.DataFrame(rows), rows.tolist()):
        scores = detector.fit(data).score_samples(data)
        assert_allclose(scores, -errors, rtol=1e-4, atol=1e-8)
        assert (detector.predict(data) == -1).sum() == 68  # a fifth of all
    assert detector.estimator_.n_samples_ == 272


def test_a_threshold_from_other_rows():
    detector = AutoencoderOutlierDetector(random_state=0).fit(X[:150])
    detector.offset_ = np.quantile(detector.score_samples(X[150:250]), 0.05)
    assert (detector.predict(X[150:250]) == -1).sum() == 5


def test_random_state_reaches_the_steps_and_not_the_prototype():
    model = make_pipeline(StandardScaler(), AutoencoderTransformer(2, random_state=1))
    detector = AutoencoderOutlierDetector(model, random_state=7).fit(X)
    assert detector.estimator_[-1].random_state == 7
    assert model[-1].random_state == 1
    kept = AutoencoderOutlierDetector(model).fit(X)
    assert kept.estimator_[-1].random_state == 1
    again = clone(detector).fit(X)
    assert_array_equal(again.score_samples(X), detector.score_samples(X))


def test_a_variational_one_scores_by_its_bound():
    model = VariationalAutoencoder(2, max_iter=2, random_state=0)
    detector = AutoencoderOutlierDetector(model).fit(X)
    assert_array_equal(
        detector.score_samples(STRANGE), clone(model).fit(X).score_samples(STRANGE)
    )


def test_names_of_columns():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    detector = AutoencoderOutlierDetector(PCA_ONLY).fit(frame)
    assert list(detector.feature_names_in_) == list("abcdef")
    assert detector.n_features_in_ == 6
    with pytest.raises(ValueError, match="feature names should match"):
        detector.predict(frame.rename(columns={"a": "z"}))


def test_before_fit_and_after_a_fit_that_failed():
    detector = AutoencoderOutlierDetector(PCA_ONLY)
    with pytest.raises(NotFittedError, match="AutoencoderOutlierDetector"):
        detector.predict(X)
    with pytest.raises(AttributeError, match="n_features_in_ before fit"):
        _ = detector.n_features_in_
    detector.fit(X)
    before = detector.score_samples(X)
    with pytest.raises(ValueError, match="NaN"):
        detector.fit(np.full((5, 6), np.nan))
    assert_array_equal(detector.score_samples(X), before)


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="'contamination' parameter"):
        AutoencoderOutlierDetector(contamination=0.6).fit(X)
    with pytest.raises(ValueError, match="'estimator' parameter"):
        AutoencoderOutlierDetector(StandardScaler()).fit(X)


@pytest.mark.parametrize("estimator", [None, PCA_ONLY])
def test_files(estimator, tmp_path):
    detector = AutoencoderOutlierDetector(estimator, random_state=0).fit(X)
    save(detector, tmp_path / "detector")
    others = load(tmp_path / "detector"), pickle.loads(pickle.dumps(detector))
    for other in others:
        assert_array_equal(
            other.decision_function(STRANGE), detector.decision_function(STRANGE)
        )
