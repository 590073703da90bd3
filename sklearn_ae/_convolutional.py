"""ConvolutionalAutoencoder: for images and signals."""

import math
from numbers import Integral, Real

import torch
from torch import nn

from ._autoencoder import AutoencoderTransformer
from ._base import BaseAutoencoder
from ._docstrings import completed_by
from ._engine.blueprint import Blueprint
from ._engine.fitted import of_fit
from ._engine.networks import ACTIVATIONS, dense, glorot, join, silence
from ._engine.onnx import SEQUENCES
from ._params import layer_sizes
from ._sklearn import Interval, StrOptions

DOWNSAMPLINGS = {"max_pool", "stride"}
UPSAMPLINGS = {"transposed", "nearest", "bilinear"}


class ConvolutionalNetwork(nn.Module):
    """Stages that halve an image, dense layers to the code and, mirrored, all back.

    Parameters
    ----------
    n_features, n_components : int
        Widths of the data and of the code.
    image_shape : tuple of int
        Channels, height and width; `n_features` is their product.
    filters : sequence of int, default=(16, 32)
        Filters of the encoder's stages, each of which halves height and width, rounding
        up; the decoder has them in reverse.
    kernel_size : int, default=3
        Height and width of the kernels.
    downsampling : {"max_pool", "stride"}, default="max_pool"
        What halves.
    upsampling : {"transposed", "nearest", "bilinear"}, default="transposed"
        What doubles.
    hidden_layer_sizes : sequence of int, default=()
        Widths of the dense layers between the last feature map and the code.
    activation : str, default="relu"
        A key of `ACTIVATIONS`, applied after each stage and hidden layer.
    code_activation : str, default="identity"
        The same, for the code.
    dropout : float, default=0.0
        Share of hidden units dropped in training.
    dense_code : bool, default=True
        Whether dense layers make the code. If False the last feature map is the code,
        and must have `n_components` cells.
    n_encoded : int, default=None
        Columns that `encode` gives, where they are not the code alone.
    """

    def __init__(
        self,
        n_features,
        n_components,
        image_shape,
        filters=(16, 32),
        kernel_size=3,
        downsampling="max_pool",
        upsampling="transposed",
        hidden_layer_sizes=(),
        activation="relu",
        code_activation="identity",
        dropout=0.0,
        dense_code=True,
        n_encoded=None,
    ):
        super().__init__()
        n_encoded = n_encoded or n_components
        channels = [image_shape[0], *filters]
        *sizes, smallest = _sizes(image_shape, len(filters))
        feature_map = (channels[-1], *smallest)
        widths = [math.prod(feature_map), *hidden_layer_sizes]

        encoded = channels[1:]
        if not dense_code:  # columns beside the code are maps of their own
            encoded[-1] = encoded[-1] * n_encoded // n_components
        encoder = [
            _halve(n_in, n_out, size, kernel_size, downsampling)
            for n_in, n_out, size in zip(channels[:-1], encoded, sizes, strict=True)
        ]
        decoder = [
            _double(n_in, n_out, size, kernel_size, upsampling)
            for n_in, n_out, size in zip(filters, channels[:-1], sizes, strict=True)
        ][::-1]
        encoder[0].insert(0, nn.Unflatten(1, image_shape))
        encoder[-1].append(nn.Flatten())
        decoder[0].insert(0, nn.Unflatten(1, feature_map))
        decoder[-1].append(nn.Flatten())
        if dense_code:
            encoder += dense([*widths, n_encoded])
            decoder = dense([n_components, *widths[::-1]]) + decoder
        self.encode = join(encoder, ACTIVATIONS[activation], dropout)
        if code_activation != "identity":
            self.encode.append(ACTIVATIONS[code_activation]())
        self.decode = join(decoder, ACTIVATIONS[activation], dropout)
        self.to(memory_format=torch.channels_last)  # up to twice as fast on the CPU

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))

    def silence(self):
        """Make code and reconstruction zero, in a state that can learn."""
        for part in (self.encode, self.decode):
            silence(part)


def _sizes(image_shape, n_stages):
    """Return height and width before and after each stage."""
    sizes = [tuple(image_shape[1:])]
    for _ in range(n_stages):
        sizes.append(tuple(-(-n // 2) for n in sizes[-1]))
    return sizes


def _halve(n_in, n_out, size, kernel_size, downsampling):
    """Return layers whose output has half of the size, rounded up."""
    if downsampling == "stride":
        return _convolve(n_in, n_out, size, kernel_size, stride=2)
    # The activation comes after the pool: the same (but for SiLU and GELU, which are
    # not monotone), on a quarter of the cells.
    pool = nn.MaxPool2d(2, ceil_mode=True)
    return [*_convolve(n_in, n_out, size, kernel_size), pool]


def _double(n_in, n_out, size, kernel_size, upsampling):
    """Return layers whose output has the size, and whose input half of it."""
    if upsampling != "transposed":
        resize = nn.Upsample(size, mode=upsampling)
        return [resize, *_convolve(n_in, n_out, size, kernel_size)]
    step = [min(n, 2) for n in size]
    layers = [glorot(nn.ConvTranspose2d(n_in, n_out, step, step))]
    if any(surplus := [n % k for n, k in zip(size, step, strict=True)]):
        layers.append(nn.ZeroPad2d((0, -surplus[1], 0, -surplus[0])))  # crops
    return layers


def _convolve(n_in, n_out, size, kernel_size, stride=1):
    """Return a convolution with zeros around the image, so that it keeps its size."""
    # What reaches beyond the image from everywhere would only see zeros.
    kernel = [min(kernel_size, 2 * n - 1) for n in size]
    before = [(k - 1) // 2 for k in kernel]
    if all(k % 2 for k in kernel):
        return [glorot(nn.Conv2d(n_in, n_out, kernel, stride, padding=before))]
    after = [k // 2 for k in kernel]
    around = (before[1], after[1], before[0], after[0])
    return [nn.ZeroPad2d(around), glorot(nn.Conv2d(n_in, n_out, kernel, stride))]


SEQUENCES.add(ConvolutionalNetwork)


@completed_by(AutoencoderTransformer)
class ConvolutionalAutoencoder(BaseAutoencoder):
    """Dimensionality reduction of images by convolutions that start at PCA.

    Rows are flattened images, or signals. The encoder's stages convolve and halve them,
    dense layers turn the last feature map into the code, and the decoder mirrors both.
    As in `AutoencoderTransformer` the network stands beside a linear path that is set
    to PCA, adds nothing before the first step, and what training adds is kept only
    where rows set aside show a significant gain.

    Parameters
    ----------
    n_components : int or None, default=2
        Code size. With None the last feature map, flattened, is the code: there are no
        dense layers.
    image_shape : tuple of int or None, default=None
        (height, width) or (channels, height, width) of the image that a row of X holds,
        flattened in C order: ``images.reshape(len(images), -1)``. (1, length) is a
        signal, such as a spectrum. None is a square with one channel, or, where the
        number of columns is no square, a signal; `image_shape_` says which.
    filters : array-like of int, default=(16, 32)
        Filters of the encoder's stages, each of which halves height and width, rounding
        up; the decoder has them in reverse.
    kernel_size : int, default=3
        Height and width of the kernels.
    downsampling : {"max_pool", "stride"}, default="max_pool"
        What halves: the largest of 2 × 2 cells, or a convolution that steps over every
        other cell, which takes half the time.
    upsampling : {"transposed", "nearest", "bilinear"}, default="transposed"
        What doubles: a transposed convolution with kernel and stride 2, or a resize and
        then a convolution.
    hidden_layer_sizes : int or array-like of int, default=(128,)
        Widths of the dense layers between the last feature map and the code, an int for
        a single one; the decoder has them in reverse. Not used with
        ``n_components=None``.
    activation : {"relu", "identity", "tanh", "logistic", "silu", "gelu", "elu"}, \
            default="relu"
        Of the stages and the dense layers. The last stage of the decoder is linear,
        and so is the layer that gives the code, but for `code_activation`.
    dropout : float, default=0.0
        Share of hidden units dropped in training, in [0, 1).

    Attributes
    ----------
    image_shape_ : tuple of int
        Channels, height and width of the images.

    See Also
    --------
    AutoencoderTransformer : Has all other parameters and attributes.

    Notes
    -----
    Transposed convolutions whose kernels don't overlap are the fastest; their 2 × 2
    tiles may show. "nearest" and "bilinear" are smoother (Odena et al. 2016) and take
    up to twice as long.

    References
    ----------
    J. Masci, U. Meier, D. Cireşan and J. Schmidhuber (2011). Stacked convolutional
    auto-encoders for hierarchical feature extraction. ICANN, 52-59.

    A. Odena, V. Dumoulin and C. Olah (2016). Deconvolution and checkerboard artifacts.
    Distill 1(10).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae import ConvolutionalAutoencoder
    >>> X = load_digits().data  # 8 × 8 pixels
    >>> autoencoder = ConvolutionalAutoencoder(
    ...     2, image_shape=(8, 8), max_iter=20, random_state=0
    ... ).fit(X)
    >>> autoencoder.transform(X).shape
    (1797, 2)
    >>> pca = PCA(2).fit(X)
    >>> bool(autoencoder.score(X) > pca.explained_variance_ratio_.sum() + 0.1)
    True
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseAutoencoder._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "image_shape": ["array-like", None],
        "filters": ["array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "downsampling": [StrOptions(DOWNSAMPLINGS)],
        "upsampling": [StrOptions(UPSAMPLINGS)],
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        n_components=2,
        *,
        image_shape=None,
        filters=(16, 32),
        kernel_size=3,
        downsampling="max_pool",
        upsampling="transposed",
        hidden_layer_sizes=(128,),
        activation="relu",
        dropout=0.0,
        **params,
    ):
        super().__init__(n_components, **params)
        self.image_shape = image_shape
        self.filters = filters
        self.kernel_size = kernel_size
        self.downsampling = downsampling
        self.upsampling = upsampling
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout

    image_shape_ = of_fit(lambda f: f.codec.blueprint.params["image_shape"])

    def _blueprint(self, n_features, n_components):
        image_shape, filters = self._image_shape(n_features), self._filters()
        hidden = layer_sizes(self.hidden_layer_sizes, "hidden_layer_sizes")
        dense_code = self.n_components is not None
        if not dense_code:
            smallest = _sizes(image_shape, len(filters))[-1]
            n_components = filters[-1] * math.prod(smallest)
        params = {
            "image_shape": image_shape,
            "filters": filters,
            "kernel_size": int(self.kernel_size),
            "downsampling": self.downsampling,
            "upsampling": self.upsampling,
            "hidden_layer_sizes": hidden if dense_code else (),
            "activation": self.activation,
            "code_activation": self.code_activation,
            "dropout": self.dropout,
            "dense_code": dense_code,
        }
        return Blueprint.of(
            self, ConvolutionalNetwork, params, n_features, n_components
        )

    def _image_shape(self, n_features):
        """Return channels, height and width."""
        if self.image_shape is None:
            side = math.isqrt(n_features)
            return (1, side, side) if side**2 == n_features else (1, 1, n_features)
        shape = layer_sizes(self.image_shape, "image_shape")
        if len(shape) not in (2, 3):
            raise ValueError(
                f"image_shape must be (height, width) or (channels, height, width). "
                f"Got {self.image_shape!r}."
            )
        if (n_pixels := math.prod(shape)) != n_features:
            raise ValueError(
                f"image_shape={self.image_shape!r} has {n_pixels} pixels, but X has "
                f"{n_features} columns."
            )
        return shape if len(shape) == 3 else (1, *shape)

    def _filters(self):
        filters = layer_sizes(self.filters, "filters")
        if not filters:
            raise ValueError("filters must hold a number for at least one stage.")
        return filters
