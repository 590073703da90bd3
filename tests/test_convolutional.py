"""ConvolutionalAutoencoder and its network."""

import itertools
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn
from torch.nn import functional as F

from sklearn_ae._convolutional import (
    DOWNSAMPLINGS,
    UPSAMPLINGS,
    ConvolutionalAutoencoder,
    ConvolutionalNetwork,
)
from sklearn_ae._engine.noise import NOISES
from sklearn_ae._engine.wrappers import PCAStart, Widths

DIGITS = load_digits().data
WAYS = [*itertools.product(sorted(DOWNSAMPLINGS), sorted(UPSAMPLINGS))]
every_way = pytest.mark.parametrize(("downsampling", "upsampling"), WAYS)


def make(n_components=2, **params):
    """Make a small, quick one."""
    small = {"filters": (4, 6), "hidden_layer_sizes": (), "max_iter": 3}
    return ConvolutionalAutoencoder(
        n_components, **{**small, "random_state": 0, **params}
    )


def network(image_shape, n_components=3, **params):
    return ConvolutionalNetwork(
        int(np.prod(image_shape)), n_components, image_shape, **params
    )


# -- sizes --


@every_way
def test_the_output_has_the_size_of_the_input(downsampling, upsampling):
    ways = {"downsampling": downsampling, "upsampling": upsampling}
    for height, width in itertools.product(range(1, 14), repeat=2):
        shape = (1 + (height + width) % 3, height, width)
        ours = network(shape, kernel_size=1 + height % 5, filters=(3, 2), **ways)
        x = torch.rand(2, height * width * shape[0])
        z = ours.encode(x)
        assert z.shape == (2, 3)
        assert ours.decode(z).shape == x.shape
        torch.testing.assert_close(ours(x), ours.decode(z))


@every_way
@pytest.mark.parametrize("shape", [(28, 28), (7, 11), (3, 5, 4), (1, 17), (1, 1)])
def test_the_last_feature_map_may_be_the_code(downsampling, upsampling, shape):
    size = np.array(shape[-2:])
    for _ in range(2):
        size = (size + 1) // 2
    X = np.random.default_rng(0).random((12, np.prod(shape)))
    model = make(
        None,
        image_shape=shape,
        downsampling=downsampling,
        upsampling=upsampling,
        early_stopping=False,
    ).fit(X)
    assert model.transform(X).shape == (12, 6 * size.prod())
    assert model.n_components_ == 6 * size.prod()
    assert model.reconstruct(X).shape == X.shape
    assert not any(isinstance(m, nn.Linear) for m in model.net_.module_.network.encode)


def test_more_stages_than_the_image_can_be_halved():
    model = make(2, filters=(2, 3, 4, 5, 6), image_shape=(3, 2)).fit(DIGITS[:, :6])
    assert model.transform(DIGITS[:, :6]).shape == (1797, 2)


def test_kernels_hold_no_weights_that_only_see_zeros():
    kernels = [
        tuple(m.kernel_size)
        for m in network((1, 1, 20), kernel_size=5, upsampling="nearest").modules()
        if isinstance(m, nn.Conv2d)
    ]
    assert kernels == [(1, 5)] * 4


def test_layers_of_a_network_of_the_literature():
    """conv 16, pool, conv 4, pool, and transposed convolutions back."""
    ours = network((1, 28, 28), 196, filters=(16, 4), dense_code=False)
    weights = [tuple(p.shape) for p in ours.parameters() if p.ndim > 1]
    assert weights == [(16, 1, 3, 3), (4, 16, 3, 3), (4, 16, 2, 2), (16, 1, 2, 2)]
    activations = [type(m) for m in ours.modules() if isinstance(m, nn.ReLU)]
    assert len(activations) == 2  # code_activation="relu" is the third
    ours = network((1, 28, 28), 10, filters=(16, 4), hidden_layer_sizes=(50,))
    widths = [m.weight.shape[::-1] for m in ours.modules() if isinstance(m, nn.Linear)]
    assert widths == [(196, 50), (50, 10), (10, 50), (50, 196)]


# -- what is computed --


def padded(x, conv, stride=1):
    """Convolve: output (i, j) sees a window that has (i, j) at its middle."""
    weight = conv.weight
    (above, left), (below, right) = (
        [(k - 1) // 2 for k in weight.shape[2:]],
        [k // 2 for k in weight.shape[2:]],
    )
    x = F.pad(x, (left, right, above, below))
    return F.conv2d(x, weight, conv.bias)[:, :, ::stride, ::stride]


def by_hand(ours, images, downsampling, upsampling):
    """Encode and decode by an independent hand."""
    first, second, *dense = (m for m in ours.encode if hasattr(m, "weight"))
    x, sizes = images, []
    for conv in (first, second):
        sizes.append(x.shape[2:])
        if downsampling == "stride":
            x = padded(x, conv, stride=2).relu()
        else:
            x = F.max_pool2d(padded(x, conv).relu(), 2, ceil_mode=True)
    feature_map = x.shape[1:]
    z = dense[1](dense[0](x.reshape(len(x), -1)).relu())
    *dense, third, fourth = (m for m in ours.decode if hasattr(m, "weight"))
    x = dense[1](dense[0](z).relu()).relu().reshape(len(x), *feature_map)
    for layer, (height, width) in zip((third, fourth), sizes[::-1], strict=True):
        if upsampling == "transposed":
            tiles = torch.einsum("ncij,cdkl->ndikjl", x, layer.weight)
            x = tiles.flatten(4, 5).flatten(2, 3)[:, :, :height, :width]
            x = x + layer.bias[:, None, None]
        else:
            x = F.interpolate(x, (height, width), mode=upsampling)
            x = padded(x, layer)
        x = x.relu() if layer is third else x
    return z, x


@every_way
@pytest.mark.parametrize("kernel_size", [3, 4])
def test_rows_are_images_in_c_order_and_layers_do_as_they_say(
    downsampling, upsampling, kernel_size
):
    torch.manual_seed(0)
    ours = network(
        (3, 7, 10),
        filters=(4, 5),
        kernel_size=kernel_size,
        downsampling=downsampling,
        upsampling=upsampling,
        hidden_layer_sizes=(6,),
    ).double()
    for parameter in ours.parameters():
        nn.init.normal_(parameter, std=0.5)
    images = torch.randn(4, 3, 7, 10, dtype=torch.float64)
    z, back = by_hand(ours, images, downsampling, upsampling)
    rows = torch.from_numpy(images.numpy().reshape(4, -1))
    torch.testing.assert_close(ours.encode(rows), z)
    torch.testing.assert_close(
        ours.decode(z), torch.from_numpy(back.detach().numpy().reshape(4, -1))
    )


@every_way
@pytest.mark.parametrize("dense_code", [True, False])
def test_pca_start_is_pca_and_all_of_it_can_learn(downsampling, upsampling, dense_code):
    torch.manual_seed(0)
    inner = network(
        (2, 5, 6),
        12,
        filters=(4, 3),
        downsampling=downsampling,
        upsampling=upsampling,
        dense_code=dense_code,
    )
    assert hasattr(inner, "silence")
    module = PCAStart(inner, Widths(60, 12, 12, 12), nn.Identity()).double()
    components = torch.linalg.qr(torch.randn(60, 12, dtype=torch.float64))[0].T
    module.start(components.numpy(), np.zeros(60))
    x = torch.randn(50, 60, dtype=torch.float64)
    torch.testing.assert_close(module.encode(x), x @ components.T)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    before = [p.detach().clone() for p in module.parameters()]
    for _ in range(4):  # zero layers wake one another up, a step after the other
        optimizer.zero_grad()
        (module(x) - x).square().mean().backward()
        optimizer.step()
    after = module.parameters()
    assert all(not torch.equal(b, p) for b, p in zip(before, after, strict=True))


@pytest.mark.parametrize("dense_code", [True, False])
@pytest.mark.parametrize("code_activation", ["identity", "logistic"])
def test_it_encodes_more_than_the_code_on_request(dense_code, code_activation):
    """As a variational network needs: the code comes first."""
    torch.manual_seed(0)
    shape = (1, 6, 5)
    ours = network(
        shape,
        8,
        filters=(3, 2),
        n_encoded=16,
        dense_code=False,
        code_activation=code_activation,
    )
    if dense_code:
        ours = network(shape, 8, n_encoded=16, code_activation=code_activation)
    x = torch.randn(3, 30)
    z = ours.encode(x)
    assert z.shape == (3, 16)
    assert ours.decode(z[:, :8]).shape == x.shape
    assert (code_activation == "identity") == bool(z.min() < 0)


def test_code_activation_is_that_of_the_feature_map():
    model = make(None, init="random", code_activation="relu", penalty="l1")
    codes = model.fit(DIGITS).transform(DIGITS)
    assert codes.min() == 0
    assert codes.max() > 0
    signed = make(None, init="random").fit(DIGITS).transform(DIGITS)
    assert signed.min() < 0


# -- beside PCA --


@pytest.mark.parametrize("n_components", [1, 8, None])
@pytest.mark.parametrize("image_shape", [None, (2, 4, 8), (1, 64), (64, 1)])
def test_before_the_first_step_it_is_pca(n_components, image_shape):
    params = {"image_shape": image_shape, "out_activation": "identity"}
    model = make(n_components, max_iter=0, **params).fit(DIGITS)
    pca = PCA(min(model.n_components_, 64), random_state=0).fit(DIGITS)
    size = pca.n_components_
    assert_allclose(model.transform(DIGITS)[:, :size], pca.transform(DIGITS), atol=1e-4)
    share = pca.explained_variance_ratio_.sum()
    assert model.score(DIGITS) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize(("n_components", "at_most"), [(2, 0.9), (8, 0.8)])
def test_held_out_digits_are_explained_far_better_than_by_pca(n_components, at_most):
    train, test = DIGITS[:1300], DIGITS[1300:]
    pca = PCA(n_components).fit(train)
    model = ConvolutionalAutoencoder(n_components, max_iter=15, random_state=0)
    ours = np.square(test - model.fit(train).reconstruct(test)).sum()
    theirs = np.square(test - pca.inverse_transform(pca.transform(test))).sum()
    assert ours < at_most * theirs


def test_nothing_is_found_in_noise():
    X = np.random.default_rng(0).normal(size=(300, 9)) * np.arange(1, 10)
    model = make(3).fit(X)
    assert model.best_iter_ == 0
    assert_allclose(model.transform(X), PCA(3).fit(X).transform(X), atol=1e-4)


def test_signals_without_an_image_shape():
    """Bumps that move along a line."""
    rng = np.random.default_rng(0)
    centre = rng.uniform(5, 25, size=(600, 1))
    X = np.exp(-np.square(np.arange(31) - centre) / 8)
    model = ConvolutionalAutoencoder(2, max_iter=10, random_state=0).fit(X[:500])
    assert model.image_shape_ == (1, 1, 31)
    share = PCA(2).fit(X).explained_variance_ratio_.sum()
    assert model.score(X[500:]) > share + 0.2


# -- parameters --


@pytest.mark.parametrize(
    ("n_columns", "image_shape", "expected"),
    [
        (64, None, (1, 8, 8)),
        (64, (8, 8), (1, 8, 8)),
        (64, [4, 16], (1, 4, 16)),
        (64, np.array([4, 2, 8]), (4, 2, 8)),
        (63, None, (1, 1, 63)),
        (63, (7, 3, 3), (7, 3, 3)),
        (1, None, (1, 1, 1)),
    ],
)
def test_image_shape(n_columns, image_shape, expected):
    model = make(1, image_shape=image_shape).fit(DIGITS[:40, :n_columns])
    assert model.image_shape_ == expected


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"image_shape": (28, 28)},
            r"image_shape=\(28, 28\) has 784 pixels, but X has 64 columns",
        ),
        ({"image_shape": (3, 8, 8)}, "has 192 pixels, but X has 64 columns"),
        ({"image_shape": (-8, -8)}, "image_shape must hold whole numbers of at least"),
        ({"image_shape": (0, 64)}, "image_shape must hold whole numbers of at least"),
        ({"image_shape": (8.0, 8.0)}, "image_shape must hold whole numbers"),
        ({"image_shape": (64,)}, r"image_shape must be \(height, width\) or .*\(64,\)"),
        ({"image_shape": (1, 1, 8, 8)}, r"image_shape must be \(height, width\) or"),
        ({"image_shape": 8}, "The 'image_shape' parameter of ConvolutionalAuto"),
        ({"image_shape": "square"}, "The 'image_shape' parameter"),
        ({"filters": ()}, "filters must hold a number for at least one stage"),
        ({"filters": (8, 0)}, "filters must hold whole numbers of at least 1"),
        ({"filters": 8}, "The 'filters' parameter"),
        ({"hidden_layer_sizes": (0.5,)}, "hidden_layer_sizes must hold whole numbers"),
        ({"kernel_size": 0}, "The 'kernel_size' parameter"),
        ({"kernel_size": (3, 3)}, "The 'kernel_size' parameter"),
        ({"downsampling": "average"}, "The 'downsampling' parameter"),
        ({"upsampling": "bicubic"}, "The 'upsampling' parameter"),
        ({"dropout": 1.0}, "The 'dropout' parameter"),
        ({"n_components": 0}, "The 'n_components' parameter"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        make().set_params(**params).fit(DIGITS)


def test_a_fit_goes_on_only_with_the_same_network():
    model = make(warm_start=True).fit(DIGITS)
    model.set_params(image_shape=(8, 8)).fit(DIGITS)  # says what was inferred
    assert model.n_iter_ > 3
    with pytest.raises(ValueError, match="image_shape has changed since the last fit"):
        model.set_params(image_shape=(4, 16)).fit(DIGITS)
    assert model.image_shape_ == (1, 8, 8)
    assert model.transform(DIGITS[:2]).shape == (2, 2)


def test_parameters_set_after_a_fit_wait_for_the_next():
    model = make().fit(DIGITS)
    codes = model.transform(DIGITS)
    model.set_params(filters="none", image_shape=(1, 2))
    assert_array_equal(model.transform(DIGITS), codes)


@pytest.mark.parametrize("n_components", [2, None])
def test_dropout_is_only_for_training(n_components):
    model = make(n_components, dropout=0.5, init="random").fit(DIGITS)
    module = model.net_.module_
    assert any(isinstance(layer, nn.Dropout) for layer in module.modules())
    assert_array_equal(model.transform(DIGITS), model.transform(DIGITS))
    x = torch.rand(5, 64)
    module.train()
    assert not torch.equal(module(x), module(x))
    module.eval()
    assert torch.equal(module(x), module(x))


@pytest.mark.parametrize("noise", NOISES)
def test_noise(noise):
    noisy = DIGITS + np.random.default_rng(0).normal(scale=4, size=DIGITS.shape)
    model = ConvolutionalAutoencoder(
        16, noise=noise, noise_level=0.3, max_iter=2, random_state=0
    )
    if noise == "gaussian":
        model.set_params(noise_level=4.0, max_iter=10)
    back = model.fit(DIGITS[:1300]).reconstruct(noisy[1300:])
    assert np.isfinite(back).all()
    if noise == "gaussian":
        pca = PCA(16).fit(DIGITS[:1300])
        theirs = pca.inverse_transform(pca.transform(noisy[1300:]))
        error = np.square(back - DIGITS[1300:]).mean()
        assert error < 0.9 * np.square(theirs - DIGITS[1300:]).mean()


@pytest.mark.parametrize("downsampling", sorted(DOWNSAMPLINGS))
@pytest.mark.parametrize("n_components", [3, None])
def test_contractive_penalty_against_the_jacobian(downsampling, n_components):
    model = make(
        n_components,
        penalty="contractive",
        penalty_weight=0.5,
        filters=(2, 1),
        downsampling=downsampling,
        max_iter=1,
        early_stopping=False,
    ).fit(DIGITS[:100])
    encode = model.net_.module_.encode
    x = torch.randn(4, 64)
    added = model.net_.criterion_.penalty(encode, x, encode(x))
    jacobians = [
        torch.autograd.functional.jacobian(lambda row: encode(row[None])[0], row)
        for row in x
    ]
    expected = torch.stack([0.5 * j.square().sum() for j in jacobians])
    torch.testing.assert_close(added, expected)
    added.sum().backward()  # training needs second derivatives
    assert all(
        torch.isfinite(p.grad).all()
        for p in model.net_.module_.parameters()
        if p.grad is not None
    )


def test_other_penalties():
    plain = make(16, init="random", code_activation="relu", max_iter=6)
    sparse = clone(plain).set_params(penalty="l1", penalty_weight=0.1)
    zeros = [np.mean(m.fit(DIGITS).transform(DIGITS) == 0) for m in (plain, sparse)]
    assert zeros[1] > zeros[0] + 0.1
    codes = make(None, penalty="k_sparse", sparsity=3).fit(DIGITS).transform(DIGITS)
    assert ((codes != 0).sum(axis=1) == 3).all()
    held = make(None, penalty="kl", code_activation="logistic", init="random")
    held.set_params(sparsity=0.2, penalty_weight=1.0, learning_rate_init=0.02)
    held.fit(DIGITS)
    assert_allclose(held.transform(DIGITS).mean(axis=0), 0.2, atol=0.1)


def test_bounded_output():
    X = DIGITS / 16
    for loss in ("squared_error", "binary_cross_entropy"):
        model = make(4, loss=loss, out_activation="logistic").fit(X)
        back = model.reconstruct(X)
        assert 0 <= back.min() < back.max() <= 1


# -- among scikit-learn's tools --


@pytest.mark.parametrize(("downsampling", "upsampling"), [WAYS[0], WAYS[-1]])
@pytest.mark.parametrize("n_components", [3, None])
def test_one_seed_one_fit_clone_and_pickle(downsampling, upsampling, n_components):
    X = DIGITS[:500]
    ways = {"downsampling": downsampling, "upsampling": upsampling, "init": "random"}
    model = make(n_components, dropout=0.1, noise="masking", **ways).fit(X)
    codes = model.transform(X)
    assert_array_equal(clone(model).fit(X).transform(X), codes)
    other = clone(model).set_params(random_state=1)
    assert not np.allclose(other.fit(X).transform(X), codes)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.transform(X), codes)
    assert_array_equal(
        again.partial_fit(X).transform(X),
        model.partial_fit(X).transform(X),
    )


def test_partial_fit_learns():
    model = make(8, learning_rate_init=0.005)
    scores = [model.partial_fit(DIGITS).score(DIGITS) for _ in range(8)]
    assert model.n_iter_ == 8
    assert scores[-1] > scores[0] + 0.01
    share = PCA(8).fit(DIGITS).explained_variance_ratio_.sum()
    assert scores[-1] > share


def test_grid_search_in_a_pipeline():
    steps = [("scale", FunctionTransformer(np.sqrt)), ("reduce", make(4))]
    grid = {
        "reduce__image_shape": [None, (1, 64)],
        "reduce__upsampling": ["nearest"],
    }
    search = GridSearchCV(Pipeline(steps), grid, cv=2).fit(DIGITS)
    assert len(search.cv_results_["params"]) == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_["reduce"].image_shape_[0] == 1


def test_names_of_features_out():
    model = make(None, image_shape=(8, 8)).fit(DIGITS)
    names = model.get_feature_names_out()
    assert len(names) == 6 * 2 * 2
    assert names[1] == "convolutionalautoencoder1"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    X = DIGITS.astype(dtype)
    model = make().fit(X)
    codes = model.transform(X)
    assert codes.dtype == model.reconstruct(X).dtype == dtype
    assert model.inverse_transform(codes).dtype == dtype
    wide = model.transform(DIGITS)
    assert_allclose(codes, wide, rtol=1e-4, atol=1e-3 * np.abs(wide).max())


@every_way
def test_a_row_does_not_depend_on_its_neighbours(downsampling, upsampling, monkeypatch):
    ways = {"downsampling": downsampling, "upsampling": upsampling}
    model = make(5, early_stopping=False, **ways).fit(DIGITS)
    together = model.transform(DIGITS)
    alone = np.vstack([model.transform(row[None]) for row in DIGITS[:50]])
    assert_allclose(together[:50], alone, rtol=1e-9, atol=1e-9)
    monkeypatch.setattr("sklearn_ae._engine.tables.CHUNK_CELLS", 64 * 6 * 100)
    assert_allclose(model.transform(DIGITS), together, rtol=1e-9, atol=1e-9)


def test_chosen_codes_are_decoded():
    model = make(2, early_stopping=False).fit(DIGITS)
    images = model.inverse_transform([[0.0, 0.0], [20.0, -10.0]])
    assert images.shape == (2, 64)
    assert not np.allclose(images[0], images[1])
    codes = model.transform(DIGITS)
    assert_allclose(
        model.inverse_transform(codes), model.reconstruct(DIGITS), rtol=1e-6, atol=1e-6
    )
    with pytest.raises(ValueError, match="X has 3 columns, but the codes"):
        model.inverse_transform(np.zeros((1, 3)))
