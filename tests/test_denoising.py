import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer, DenoisingAutoencoder
from sklearn_ae._engine.noise import NOISES, corruption

X = load_digits().data
TRAIN, TEST = X[:1300], X[1300:]


def make(n_components=32, **params):
    return DenoisingAutoencoder(n_components, **{"random_state": 0, **params})


def corrupt(X, noise, rng):
    """Corrupt by an independent hand."""
    hit = rng.random(X.shape) < 0.3
    return {
        "gaussian": X + rng.normal(scale=4, size=X.shape),
        "masking": np.where(hit, 0, X),
        "salt_and_pepper": np.where(hit, 16 * rng.integers(0, 2, X.shape), X),
        "swap": np.where(hit, rng.permuted(X, axis=0), X),
    }[noise]


@pytest.mark.parametrize("noise", NOISES)
def test_it_removes_noise_from_rows_it_never_saw(noise):
    noisy = corrupt(TEST, noise, np.random.default_rng(0))
    level = 4.0 if noise == "gaussian" else 0.3
    denoiser = make(noise=noise, noise_level=level, max_iter=40).fit(TRAIN)
    error = np.square(denoiser.reconstruct(noisy) - TEST).mean()
    others = [noisy]
    for size in (8, 16, 32):
        pca = PCA(size).fit(TRAIN)
        others.append(pca.inverse_transform(pca.transform(noisy)))
    assert error < 0.9 * min(np.square(other - TEST).mean() for other in others)


def test_no_noise_after_training():
    denoiser = make(max_iter=3).fit(TRAIN)
    assert_array_equal(denoiser.transform(TEST), denoiser.transform(TEST))
    assert_array_equal(denoiser.reconstruct(TEST), denoiser.reconstruct(TEST))
    assert_allclose(
        denoiser.reconstruct(TEST),
        denoiser.inverse_transform(denoiser.transform(TEST)),
        rtol=1e-6,
    )


def test_without_noise_it_is_the_transformer():
    ours = make(4, noise_level=0.0, max_iter=3, noise="masking").fit(TRAIN)
    plain = AutoencoderTransformer(4, max_iter=3, random_state=0).fit(TRAIN)
    # The draws of noise that never hits shift the generator: alike, not the same.
    assert ours.score(TEST) == pytest.approx(plain.score(TEST), abs=0.05)
    start = make(4, max_iter=0).fit(TRAIN)
    assert_allclose(start.transform(TEST), PCA(4).fit(TRAIN).transform(TEST), atol=1e-4)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_noise_is_in_the_units_of_the_data(noise, loss):
    """What the network reads, put back into the data's units, by hand."""
    data = TRAIN / 16
    denoiser = make(noise=noise, noise_level=0.25, loss=loss, max_iter=0).fit(data)
    scaling = denoiser._fitted.codec.scaling
    corrupt = corruption(noise, 0.25, scaling)
    rows = torch.from_numpy(scaling.apply(data, np.float32))
    torch.manual_seed(0)
    noisy = scaling.undo(corrupt(rows).numpy())
    hit = np.abs(noisy - data) > 1e-5
    if noise == "gaussian":
        assert (noisy - data).std() == pytest.approx(0.25, rel=0.02)
    elif noise == "masking":
        assert_allclose(noisy[hit], 0, atol=1e-5)
        assert hit[data != 0].mean() == pytest.approx(0.25, abs=0.01)
    elif noise == "salt_and_pepper":
        assert set(noisy[hit].round(4)) <= {0.0, 1.0}
    else:
        for column in range(64):
            gaps = np.abs(noisy[:, [column]] - np.unique(data[:, column])).min(axis=1)
            assert gaps.max() < 1e-5


def test_validation_rows_are_noisy_too():
    """Else a wide code would look perfect to the judge from the start."""
    denoiser = make(64, noise_level=4.0, max_iter=15).fit(TRAIN)
    assert denoiser.best_iter_ > 0
    assert min(denoiser.validation_loss_curve_) > 1.0  # PCA of clean rows: 0


@pytest.mark.parametrize("noise", sorted(set(NOISES) - {"gaussian"}))
def test_a_share_above_one_is_refused(noise):
    with pytest.raises(ValueError, match="noise_level is the share of cells"):
        make(noise=noise, noise_level=1.5).fit(TRAIN)


def test_bad_noise_is_refused():
    with pytest.raises(ValueError, match="The 'noise' parameter of DenoisingAuto"):
        make(noise="speckle").fit(TRAIN)


def test_auto_level():
    scaling = make(max_iter=0).fit(TRAIN)._fitted.codec.scaling
    rows = torch.zeros(2000, 64)
    torch.manual_seed(0)
    noisy = corruption("gaussian", "auto", scaling)(rows) * scaling.scale
    spread = np.sqrt(np.square(TRAIN - TRAIN.mean(axis=0)).mean())
    assert noisy.std().item() == pytest.approx(spread / 2, rel=0.01)
    rows = torch.arange(2000.0)[:, None].expand(2000, 64)
    changed = corruption("swap", "auto", scaling)(rows) != rows
    assert changed.float().mean().item() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("noise", NOISES)
def test_one_seed_one_fit_and_pickle(noise):
    first, second = (make(4, noise=noise, max_iter=3).fit(TRAIN) for _ in range(2))
    assert_array_equal(first.transform(TEST), second.transform(TEST))
    again = pickle.loads(pickle.dumps(first))
    assert_array_equal(first.transform(TEST), again.transform(TEST))
    assert again.partial_fit(TRAIN).n_iter_ == first.n_iter_ + 1
