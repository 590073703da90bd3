"""PCA of chunks, and who is the model of a stream."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from sklearn_ae import AutoencoderTransformer
from sklearn_ae._engine.trial import RunningPCA

DIGITS = load_digits().data


def share(model, X):
    """Return the share of variance about X's own mean, not the first chunk's."""
    left = np.square(X - model.reconstruct(X)).sum()
    return 1 - left / np.square(X - X.mean(axis=0)).sum()


def running(parts, n_kept):
    pca = RunningPCA.of_nothing(parts[0].shape[1])
    for part in parts:
        pca = pca.add(part, n_kept)
    return pca


@pytest.mark.parametrize("shape", [(300, 12), (30, 80)])  # tall chunks, wide ones
def test_running_pca_that_keeps_all_is_pca(shape):
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) * np.arange(1, shape[1] + 1) + 5
    cuts = [1, 2, shape[0] // 2]  # the first of a single row
    axes = running(np.split(X, cuts), 100).axes(6)
    pca = PCA(6).fit(X)
    assert_allclose(axes.mean, pca.mean_)
    assert_allclose(axes.variances, pca.explained_variance_)
    assert_allclose(axes.shares, pca.explained_variance_ratio_.cumsum())
    assert_allclose(axes.components, pca.components_, atol=1e-8)
    all_variance = X.var(axis=0, ddof=1).sum()
    assert axes.left == pytest.approx(all_variance - pca.explained_variance_.sum())


def test_running_pca_of_equal_rows():
    axes = running([np.ones((3, 4)), np.ones((2, 4))], 10).axes(2)
    assert_array_equal(axes.variances, 0)
    assert axes.left == 0
    assert np.isfinite(axes.shares).all()


def make(**params):
    return AutoencoderTransformer(8, random_state=0, **params)


def sorted_parts(n_parts=10):
    X, y = load_digits(return_X_y=True)
    return np.array_split(X[np.argsort(y, kind="stable")], n_parts)


@pytest.mark.parametrize("ordered", [False, True])
def test_sorted_chunks_are_read_no_worse_than_by_incremental_pca(ordered):
    model, pca = make(ordered=ordered), IncrementalPCA(8)
    for part in sorted_parts():
        pca.partial_fit(part)
        model.partial_fit(part)
    left = np.square(DIGITS - pca.inverse_transform(pca.transform(DIGITS))).sum()
    assert share(model, DIGITS) > 1 - left / np.square(DIGITS - DIGITS.mean(0)).sum()
    # It is PCA of all rows, and its codes are, but for the sign.
    exact = PCA(8).fit(DIGITS)
    wanted = exact.explained_variance_ratio_.sum()
    assert share(model, DIGITS) == pytest.approx(wanted, abs=1e-3)
    first, wanted = model.transform(DIGITS)[:, 0], exact.transform(DIGITS)[:, 0]
    assert abs(np.corrcoef(first, wanted)[0, 1]) > 0.999


def test_the_network_wins_in_the_end():
    model, shares = make(), []
    for _ in range(12):
        for part in sorted_parts():
            model.partial_fit(part)
        shares.append(share(model, DIGITS))
    assert min(shares) > 0.66
    assert shares[-1] > 0.72


@pytest.mark.parametrize(("ordered", "least"), [(False, 0.75), (True, 0.715)])
def test_the_network_is_the_model_of_shuffled_chunks(ordered, least):
    X = np.random.default_rng(0).permutation(DIGITS)
    model = make(ordered=ordered)
    for part in np.array_split(X, 10):
        model.partial_fit(part)
    assert share(model, X) > least


def test_a_wanted_share_and_a_shorter_code_go_on():
    X, y = load_digits(return_X_y=True)
    model = AutoencoderTransformer(0.5, random_state=0).partial_fit(X[y == 0])
    for label in range(1, 4):
        model.partial_fit(X[y == label])
    assert model._fitted.trial.weights is not None
    model = model.truncate(1)
    assert model.partial_fit(X).transform(X).shape == (len(X), 1)


class Plain(nn.Module):
    """A user's network, which can't be silenced but by a factor."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.encode = nn.Linear(n_features, n_components)
        self.decode = nn.Linear(n_components, n_features)

    def forward(self, x):
        return self.decode(self.encode(x))


def test_pca_is_the_model_of_a_users_network_that_loses():
    X, y = load_digits(return_X_y=True)
    model = AutoencoderTransformer(
        8, module=Plain, random_state=0, learning_rate_init=0.01
    )
    for label in range(10):
        model.partial_fit(X[y == label])
    assert model._fitted.trial.weights is not None
    exact = PCA(8).fit(X).explained_variance_ratio_.sum()
    assert share(model, X) == pytest.approx(exact, abs=1e-3)


def test_a_pass_that_diverges_is_undone_while_pca_is_the_model():
    X, y = load_digits(return_X_y=True)
    model = AutoencoderTransformer(8, random_state=0, optimizer="sgd")
    model.set_params(learning_rate_init=0.05)
    for label in range(3):
        model.partial_fit(X[y == label])
    before, trial = model.transform(X), model._fitted.trial
    assert trial.weights is not None
    model.set_params(learning_rate_init=1e9)
    with pytest.warns(ConvergenceWarning):
        model.partial_fit(X[y == 3])
    assert_array_equal(model.transform(X), before)
    assert model._fitted.trial is trial


def test_without_a_start_at_pca_there_is_no_trial():
    model = AutoencoderTransformer(2, init="random", random_state=0)
    assert model.partial_fit(DIGITS[:100]).partial_fit(DIGITS)._fitted.trial is None


def test_bounded_data_and_codes_wider_than_the_first_chunk():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    model = AutoencoderTransformer(12, out_activation="logistic", random_state=0)
    model.partial_fit(X[y == 0][:5])
    for label in range(10):
        model.partial_fit(X[y == label])
    assert share(model, X) > 0.6
