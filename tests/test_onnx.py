"""ONNX: what onnxruntime computes is what we compute."""

import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import skl2onnx
import torch
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from torch import nn

import sklearn_ae
from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae._engine.losses import LOSSES, OUTPUTS, output_of
from sklearn_ae._engine.networks import ACTIVATIONS
from sklearn_ae._engine.onnx import PARTS
from sklearn_ae.persistence import to_onnx

DIGITS = load_digits().data[:150] + 100.0  # far from the centre
IRIS, SPECIES = load_iris(return_X_y=True)
FAST = {
    "max_iter": 1,
    "early_stopping": False,
    "hidden_layer_sizes": (8,),
    "random_state": 0,
}


def make(n_components=3, **params):
    return AutoencoderTransformer(n_components, **{**FAST, **params})


def convolutional(shape, n_components=3, **params):
    params = {**FAST, "filters": (2, 3), **params}
    return ConvolutionalAutoencoder(n_components, image_shape=shape, **params)


MODELS = [
    *(make(activation=name) for name in ACTIVATIONS),
    *(make(code_activation=name, init="random") for name in ACTIVATIONS),
    *(make(out_activation=name, dropout=0.3) for name in OUTPUTS),
    *(make(out_activation=name, init="random") for name in OUTPUTS),
    *(make(loss=name) for name in LOSSES),
    make(hidden_layer_sizes=()),
    make(9, penalty="k_sparse"),
    make(5, ordered=True),
    make(5, ordered=True, init="random", out_activation="logistic"),
    make(0.5),
    DenoisingAutoencoder(3, noise="swap", **FAST),
    VariationalAutoencoder(3, **FAST),
    VariationalAutoencoder(3, init="random", loss="binary_cross_entropy", **FAST),
    AdversarialAutoencoder(3, **FAST),
    *(
        convolutional((8, 8), upsampling=up, downsampling=down, kernel_size=size)
        for up in ("transposed", "nearest", "bilinear")
        for down, size in (("max_pool", 3), ("stride", 4))
    ),
    *(
        convolutional(shape, n_components, upsampling=up, ordered=n_components == 2)
        for up in ("transposed", "nearest", "bilinear")
        for shape, n_components in (
            *(((1, 33), 2), ((4, 3, 5), None), ((7, 9), 3)),
            *(((1, 64), None), ((64, 1), 2)),
        )
    ),
    AutoencoderTransformerCV((1, 3), estimator=make(), cv=2),
]


def data_for(model):
    own = getattr(model, "estimator", model)
    shape = getattr(own, "image_shape", None)
    X = DIGITS[:, : 64 if shape is None else int(np.prod(shape))]
    output = output_of(own.loss, own.out_activation)
    if output.bounds is None:
        return X
    low, high = output.bounds
    if high == np.inf:
        return X - 100  # counts
    return low + (X - 100) / 16 * (high - low)


def shaken(model):
    """Move all weights, so that no part of the network is at its silent start."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model._best().net_.module_.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=generator)
    return model


def session(model):
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def run(model, X):
    return session(model).run(None, {"X": X})[0]


def check(model, X, rtol=1e-5):
    """Compare all parts, for any number of rows."""
    sessions = {part: session(to_onnx(model, part)) for part in PARTS}
    for n_rows in (1, 2, len(X)):
        rows = X[:n_rows].astype(np.float32)
        codes = model.transform(rows)
        there_and_back = model.inverse_transform(codes)
        for part, x, y in (
            ("encoder", rows, codes),
            ("decoder", codes, there_and_back),
            ("autoencoder", rows, model._best().reconstruct(rows)),
        ):
            (result,) = sessions[part].run(["Y"], {"X": x})
            assert result.dtype == np.float32
            assert result.shape == y.shape
            assert abs(result - y).max() <= rtol * max(1, abs(y).max())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: repr(model)[:60])
def test_outputs_are_equal(model):
    X = data_for(model)
    check(shaken(clone(model).fit(X)), X)


def test_every_estimator_is_converted():
    public = (getattr(sklearn_ae, name) for name in sklearn_ae.__all__)
    estimators = {thing for thing in public if hasattr(thing, "onnx_converter")}
    assert estimators == {type(model) for model in MODELS}


def test_truncated_and_changed_models():
    model = make(5, ordered=True).fit(DIGITS)
    check(model.truncate(2), DIGITS)
    # What set_params changes counts at the next fit.
    check(model.set_params(out_activation="tanh", code_activation="tanh"), DIGITS)


class Network(nn.Module):
    """A user's, with layers that we have no row for."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.norm = nn.BatchNorm1d(n_features)
        self.encoder = nn.Linear(n_features, n_components)
        self.decoder = nn.Linear(n_components, n_features)

    def encode(self, x):
        return torch.sin(self.encoder(self.norm(x)))

    def decode(self, z):
        return nn.functional.softplus(self.decoder(z))

    def forward(self, x):
        return self.decode(self.encode(x))


def test_a_network_of_the_user():
    check(shaken(make(module=Network).fit(DIGITS)), DIGITS)


def test_a_network_of_the_user_in_a_pipeline():
    pipeline = make_pipeline(
        StandardScaler(), make(2, module=Network, ordered=True), StandardScaler()
    ).fit(IRIS)
    X = IRIS.astype("f")
    result = run(skl2onnx.to_onnx(pipeline, X[:1]), X)
    np.testing.assert_allclose(result, pipeline.transform(X), atol=1e-5)


# -- skl2onnx --


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("opset", [None, 19])
def test_a_pipeline_with_a_classifier(dtype, opset):
    pipeline = make_pipeline(StandardScaler(), make(2), LogisticRegression())
    pipeline.fit(IRIS, SPECIES)
    X = IRIS.astype(dtype)
    model = skl2onnx.to_onnx(
        pipeline, X[:1], target_opset=opset, options={"zipmap": False}
    )
    labels, shares = session(model).run(None, {"X": X})
    np.testing.assert_array_equal(labels, pipeline.predict(X))
    np.testing.assert_allclose(shares, pipeline.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(make(2)),
        make_pipeline(make(3), make(2)),
        make_union(PCA(2), make(2), VariationalAutoencoder(2, **FAST)),
        make_pipeline(
            ConvolutionalAutoencoder(2, **FAST), DenoisingAutoencoder(2, **FAST)
        ),
        make_pipeline(AdversarialAutoencoder(2, **FAST), StandardScaler()),
        make_pipeline(AutoencoderTransformerCV((1, 2), estimator=make(), cv=2)),
        AutoencoderTransformerCV((1, 2), estimator=make(), cv=2),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_our_estimators_anywhere_in_a_pipeline(model, dtype):
    X = IRIS.astype(dtype)
    model = clone(model).fit(X)
    result = run(skl2onnx.to_onnx(model, X[:1]), X[:9])
    assert result.dtype == dtype
    np.testing.assert_allclose(result, model.transform(X[:9]), atol=1e-5)


def test_columns_as_inputs():
    frame = load_iris(as_frame=True).data
    columns = make_column_transformer(
        (make(2), list(frame.columns[:3])), ("passthrough", [frame.columns[3]])
    )
    for model in (columns, make_pipeline(make(2))):
        model.fit(frame)
        converted = session(skl2onnx.to_onnx(model, frame[:1]))
        inputs = zip(converted.get_inputs(), frame.columns, strict=True)
        inputs = {i.name: frame[[column]].to_numpy() for i, column in inputs}
        (result,) = converted.run(None, inputs)
        np.testing.assert_allclose(result, model.transform(frame), atol=1e-5)


def test_whole_numbers_as_input():
    X = (10 * IRIS).astype(np.int64)
    model = make(2).fit(X)
    result = run(skl2onnx.to_onnx(model, X[:1]), X)
    np.testing.assert_allclose(result, model.transform(X), rtol=1e-5, atol=1e-4)


# -- errors --


def test_errors():
    model = make(2).fit(IRIS)
    with pytest.raises(ValueError, match=r"part must be one of encoder, .* Got 'code'"):
        to_onnx(model, "code")
    with pytest.raises(TypeError, match=r"Got Pipeline: .* skl2onnx\.to_onnx"):
        to_onnx(make_pipeline(model))
    with pytest.raises(NotFittedError):
        to_onnx(make(2))
    unrefitted = AutoencoderTransformerCV((1, 2), estimator=make(), refit=False, cv=2)
    with pytest.raises(AttributeError, match="refit=False"):
        to_onnx(unrefitted.fit(IRIS))


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_named(package, monkeypatch):
    model = make(2, module=Network).fit(IRIS)
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"needs {package}: pip install .*\[onnx\]"
    with pytest.raises(ImportError, match=message):
        to_onnx(model)


def test_converting_changes_nothing():
    model = make(2, module=Network).fit(IRIS)
    before = model.transform(IRIS)
    filters = list(warnings.filters)
    to_onnx(model)
    assert warnings.filters == filters
    assert not model.net_.module_.training
    np.testing.assert_array_equal(model.transform(IRIS), before)
