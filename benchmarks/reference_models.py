"""Systems of well-known autoencoder tutorials, rebuilt with the public estimators.

    python -m benchmarks.reference_models [NAME ...] [--data-dir DIR] [--output DIR]
                                          [--quick] [--list]

A line for each system: the loss that its source reports, if any; ours with the source's
own numbers (layers, epochs, batch, optimizer) on training and on test data; PCA's at
the same code size on test data; and, last, ours with our own best settings at the same
code size in at most as many epochs. Every loss is measured here, by numpy, on what the
fitted model makes of the images, and in the source's own unit:

- squared/pixel: mean over images and pixels, in [0, 1] (000: in [-1, 1]);
- squared/image: mean over images of the sum over pixels;
- cross-entropy: mean over images and pixels, in nats.

Where noise was learned, models read noisy images and are compared with the clean ones.
PCA's reconstructions leave [0, 1]; for cross-entropy they are clipped where that suits
PCA best on the test data. Lines go to DIR/reference_models.csv too, in which a run
replaces its own lines only, and pictures next to it. ``--quick`` writes to DIR/quick.

To add a system: a row in `SYSTEMS`. To tune ours: `BEST`.
"""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from skorch.callbacks import Callback
from torch import nn

from benchmarks.datasets import DATASETS
from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    ConvolutionalAutoencoder,
    VariationalAutoencoder,
)

# -- settings --

# The tutorials' way to train.
PLAIN = {
    "init": "random",
    "optimizer": "adam",
    "learning_rate": "constant",
    "learning_rate_init": 1e-3,
    "alpha": 0.0,
    "early_stopping": False,
    "random_state": 0,
}
# Ours. Loss, output activation, noise and code size are the source's.
OURS = {
    "init": "pca",
    "hidden_layer_sizes": (512, 256),
    "early_stopping": True,
    "max_iter": 20,  # or as many as the source has, where that is fewer
    "random_state": 0,
}
# What differs from that, row by row: parameters of AutoencoderTransformer.
BEST = {
    "000_dense": {},
    "000_conv": {},
    "001_dense": {},
    "001_conv": {},
    "001_denoising_dense": {},
    "001_denoising_conv": {},
    "002_sigmoid": {},
    "002_2d": {},
    "003_dense": {},
    "003_conv": {},
    "004_hinton": {},
    "004_dense": {},
    "004_denoising": {},
    "004_dropout": {},
    "004_adversarial": {},
    "004_variational": {},
}
# The source gives its layers only; it was trained layer by layer first.
HINTON = {
    "hidden_layer_sizes": (1000, 500, 250),
    "activation": "silu",
    "out_activation": "logistic",
    "early_stopping": False,
    "max_iter": 60,
    "random_state": 0,
}
LOGISTIC_PCA = {
    "hidden_layer_sizes": (),
    "loss": "binary_cross_entropy",
    "init": "random",  # PCA's start would add a path that is not logistic
    "alpha": 0.0,
    "max_iter": 30,
    "random_state": 0,
}
SIDE = 28  # pixels
CLIPS = (10**-1.5, 1e-2, 1e-3)  # PCA's reconstruction goes to [clip, 1 - clip]
CHUNK = 10_000  # images measured at a time


# -- units: (images, reconstructions) -> loss of each image --


def squared_error(X, back):
    return np.square(X - back, dtype=np.float64).mean(axis=1)


def squared_error_sum(X, back):
    return np.square(X - back, dtype=np.float64).sum(axis=1)


def cross_entropy(X, back, clip=1e-7):
    p = np.clip(back.astype(np.float64), clip, 1 - clip)
    return -(X * np.log(p) + (1 - X) * np.log1p(-p)).mean(axis=1)


UNITS = {
    "squared/pixel": squared_error,
    "squared/image": squared_error_sum,
    "cross-entropy": cross_entropy,
}


def round_trip(model, X):
    return model.inverse_transform(model.transform(X))


def mean_loss(model, X, read, measure):
    """Return the loss of X against what the model makes of what it read."""
    chunks = [slice(start, start + CHUNK) for start in range(0, len(X), CHUNK)]
    losses = [measure(X[rows], round_trip(model, read[rows])) for rows in chunks]
    return np.concatenate(losses).mean()


def pca_loss(pca, X, read, measure):
    if measure is not cross_entropy:
        return mean_loss(pca, X, read, measure)
    measures = [partial(measure, clip=clip) for clip in CLIPS]
    return min(mean_loss(pca, X, read, clipped) for clipped in measures)


# -- networks that no parameters express --


class ImageNetwork(nn.Module):
    """What both convolutional networks share: `encode` and `decode` are layers."""

    def forward(self, x):
        """Return the reconstruction of x, before the output activation."""
        return self.decode(self.encode(x))


class StridedNetwork(ImageNetwork):
    """Network 000: strides and pools to 2 × 2 × 8, transposed convolutions back."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Unflatten(1, (1, SIDE, SIDE)),
            nn.Conv2d(1, 16, 3, stride=3, padding=1),  # 10 × 10
            nn.ReLU(),
            nn.MaxPool2d(2),  # 5 × 5
            nn.Conv2d(16, 8, 3, stride=2, padding=1),  # 3 × 3
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),  # 2 × 2
            nn.Flatten(),
        )
        self.decode = nn.Sequential(
            nn.Unflatten(1, (8, 2, 2)),
            nn.ConvTranspose2d(8, 16, 3, stride=2),  # 5 × 5
            nn.ReLU(),
            nn.ConvTranspose2d(16, 8, 5, stride=3, padding=1),  # 15 × 15
            nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1),  # 30²
            nn.Upsample((SIDE, SIDE), mode="bilinear"),
            nn.Flatten(),
        )


class UpsamplingNetwork(ImageNetwork):
    """Network 001: pools to 4 × 4 × 8, nearest up-sampling back."""

    def __init__(self, n_features, n_components):
        super().__init__()
        convolution = partial(nn.Conv2d, kernel_size=3, padding=1)
        down = partial(nn.MaxPool2d, 2, ceil_mode=True)
        self.encode = nn.Sequential(  # ReLU after the pool: the same, and cheaper
            nn.Unflatten(1, (1, SIDE, SIDE)),
            *(convolution(1, 16), down(), nn.ReLU()),  # 14 × 14
            *(convolution(16, 8), down(), nn.ReLU()),  # 7 × 7
            *(convolution(8, 8), down(), nn.ReLU()),  # 4 × 4
            nn.Flatten(),
        )
        self.decode = nn.Sequential(
            nn.Unflatten(1, (8, 4, 4)),
            *(nn.Upsample((7, 7)), convolution(8, 16), nn.ReLU()),
            *(nn.Upsample((14, 14)), convolution(16, 8), nn.ReLU()),
            *(nn.Upsample((SIDE, SIDE)), convolution(8, 16), nn.ReLU()),
            convolution(16, 1),
            nn.Flatten(),
        )
        self.to(memory_format=torch.channels_last)  # a quarter faster on a CPU


# -- pictures: each is given the fitted models of a row --


class Fits(NamedTuple):
    """A row's fitted models, and the images they are shown with."""

    name: str
    system: "System"
    source: BaseEstimator
    best: BaseEstimator
    pca: PCA
    train: np.ndarray
    test: np.ndarray
    read: np.ndarray  # test images as the models read them, with noise or without
    labels: np.ndarray  # of the test images
    output: Path

    def models(self):
        """Return the models by the name that pictures give them."""
        return {"source": self.source, "ours, best": self.best, "PCA": self.pca}

    def save(self, rows, what):
        """Draw rows of images into a file that is named by row and content."""
        draw(rows, self.output / f"{self.name}_{what}.png", self.system.low)


def sheet(rows):
    return np.vstack([np.hstack(row.reshape(-1, SIDE, SIDE)) for row in rows])


def draw(rows, path, low=0.0):
    """Draw rows of images, a dict of label to (n_images, n_pixels), into a file.

    Only a label that is a string is shown.
    """
    labels = [label if isinstance(label, str) else "" for label in rows]
    image = sheet(rows.values())
    height, width = np.divide(image.shape, 2 * SIDE)  # half an inch an image
    figure = Figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.imshow(image, cmap="gray", vmin=low, vmax=1)
    ax.set_xticks([])
    ax.set_yticks(SIDE * (np.arange(len(rows)) + 0.5), labels)
    ax.tick_params(length=0)
    figure.savefig(path, dpi=120, bbox_inches="tight")


def one_of_each(labels):
    return np.unique(labels, return_index=True)[1]


def reconstructions(fits):
    shown = one_of_each(fits.labels)
    rows = {"original": fits.test[shown]}
    if fits.read is not fits.test:
        rows["noisy"] = fits.read[shown]
    for label, model in fits.models().items():
        rows[label] = round_trip(model, fits.read[shown])
    fits.save(rows, "reconstructions")


def remove_noise(fits, level=0.08):
    """Add noise that was not trained on, and see what is left of it."""
    measure = UNITS[fits.system.unit]
    shown = one_of_each(fits.labels)
    read = add_noise(fits.test, level)
    losses = {"noisy": measure(fits.test, read).mean()}
    rows = {"original": fits.test[shown], "noisy": read[shown]}
    for label, model in fits.models().items():
        losses[label] = mean_loss(model, fits.test, read, measure)
        rows[label] = round_trip(model, read[shown])
    fits.save(rows, "noise_removed")
    losses = ", ".join(f"{label} {loss:.4g}" for label, loss in losses.items())
    print(f"  noise {level} on test images, {fits.system.unit}: {losses}", flush=True)


def codes(fits):
    """Draw the codes of the test images, of 2 or 3 numbers, coloured by class."""
    kind = {"projection": "3d"} if fits.system.code_size == 3 else {}
    figure = Figure(figsize=(15, 5), layout="constrained")
    axes = figure.subplots(1, 3, subplot_kw=kind)
    for ax, (label, model) in zip(axes, fits.models().items(), strict=True):
        points = model.transform(fits.read)
        for digit in np.unique(fits.labels):
            ax.scatter(*points[fits.labels == digit].T, s=2, label=digit)
        ax.set_title(label)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right", markerscale=4)
    figure.savefig(fits.output / f"{fits.name}_codes.png", dpi=120)


def class_means(fits):
    """Decode ten chosen codes: the mean code of each class."""
    points = fits.source.transform(fits.read)
    classes = np.unique(fits.labels)
    chosen = [points[fits.labels == label].mean(axis=0) for label in classes]
    decoded = fits.source.inverse_transform(np.array(chosen))
    fits.save({"mean codes": decoded}, "chosen_codes")


def grid(fits, n_steps=10):
    """Decode a grid over the two widest code units, at three values of the third."""
    points = fits.source.transform(fits.read)
    x, y, *others = np.argsort(points.std(axis=0))[::-1]
    steps = np.quantile(points, np.linspace(0.05, 0.95, n_steps), axis=0)
    panels = np.quantile(points, (0.1, 0.5, 0.9) if others else (0.5,), axis=0)
    chosen = np.empty((n_steps, len(panels), n_steps, len(steps.T)), points.dtype)
    chosen[:] = np.median(points, axis=0)
    chosen[..., others[:1]] = panels[None, :, None, others[:1]]
    chosen[..., x] = steps[:, x]
    chosen[..., y] = steps[:, None, None, y]
    images = fits.source.inverse_transform(chosen.reshape(-1, len(steps.T)))
    fits.save(dict(enumerate(images.reshape(n_steps, -1, SIDE**2))), "grid")


def samples(fits):
    drawn = fits.source.sample(100, random_state=0).reshape(10, 10, -1)
    fits.save(dict(enumerate(drawn)), "samples")


def logistic_pca(fits):
    """Put logistic PCA between the autoencoder and PCA, in a number and a picture."""
    model = limited(
        AutoencoderTransformer(fits.system.code_size, **LOGISTIC_PCA),
        fits.source.max_iter,
    ).fit(fits.train)
    loss = mean_loss(model, fits.test, fits.read, UNITS[fits.system.unit])
    print(f"  logistic PCA on test images: {loss:.4g} (reported 8.01)", flush=True)
    shown = fits.test[one_of_each(fits.labels)]
    rows = {"original": shown, "autoencoder": round_trip(fits.source, shown)}
    rows["logistic PCA"] = round_trip(model, shown)
    rows["PCA"] = round_trip(fits.pca, shown)
    fits.save(rows, "logistic_pca")


# -- what is seen of a fit while it lasts --


class Watch(Callback):
    """Reconstruct some images after some epochs.

    Parameters
    ----------
    images : array of shape (n_images, n_pixels)
        As the network reads them.
    epochs : container of int
        After which of them.
    output : callable
        The output activation.
    show : callable
        Given the epoch and the reconstructions.
    """

    def __init__(self, images, epochs, output, show):
        self.images = images
        self.epochs = epochs
        self.output = output
        self.show = show

    def on_epoch_end(self, net, **kwargs):
        """Reconstruct the images, if it is time."""
        epoch = len(net.history)
        if epoch not in self.epochs:
            return
        module = net.module_.eval()
        with torch.no_grad():
            code = module.encode(torch.from_numpy(self.images).to(net.device))
            images = self.output(module.decode(code))
        self.show(epoch, images.cpu().numpy())


def watch_nothing(name, train, test, output):
    return nullcontext([])


@contextmanager
def watch_epochs(name, train, test, output):
    """Draw reconstructions of eight test images, epoch by epoch."""
    rows = {"original": test[:8]}

    def show(epoch, images):
        rows[f"epoch {epoch}"] = images

    yield [Watch(test[:8], (1, 2, 5, 10, 20, 50, 100), torch.sigmoid, show)]
    draw(rows, output / f"{name}_epochs.png")


@contextmanager
def watch_tensorboard(name, train, test, output):
    """Log pairs of original and reconstruction to TensorBoard."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print(
            "Pictures for TensorBoard were skipped: pip install tensorboard", flush=True
        )
        yield []
        return

    def show(part, originals, epoch, images):
        pairs = (sheet([originals, images]) + 1) / 2  # from [-1, 1] to [0, 1]
        writer.add_image(f"{name}/{part}", pairs, epoch, dataformats="HW")

    epochs = (1, *range(10, 1000, 10))
    parts = {"train": train[:8], "validation": test[:8]}
    with SummaryWriter(output / "tensorboard") as writer:
        yield [
            Watch(images, epochs, torch.tanh, partial(show, part, images))
            for part, images in parts.items()
        ]


# -- the systems --


class System(NamedTuple):
    """A source's system, and what is to be seen of it."""

    about: str
    data: str  # a key of DATASETS
    unit: str  # a key of UNITS
    code_size: int
    source: BaseEstimator  # with the source's own numbers; unfitted
    reported: tuple = (np.nan, np.nan)  # lowest and highest
    reported_on: str = "training"  # or "test"
    low: float = 0.0  # black; white is 1.0
    pictures: tuple[Callable, ...] = ()  # beside the reconstructions
    watch: Callable = watch_nothing


DENSE_001 = AutoencoderTransformer(
    32,
    hidden_layer_sizes=(),
    code_activation="relu",
    loss="binary_cross_entropy",
    max_iter=20,
    batch_size=200,
    **PLAIN,
)
CONV_001 = AutoencoderTransformer(
    128,
    module=UpsamplingNetwork,
    loss="binary_cross_entropy",
    max_iter=20,
    batch_size=200,
    **PLAIN,
)
NOISE_001 = {"noise": "gaussian", "noise_level": 0.5}
DEEP_004 = {
    "hidden_layer_sizes": (256, 128, 64),
    "loss": "binary_cross_entropy",
    "max_iter": 100,
    "batch_size": 512,
    **PLAIN,
}

SYSTEMS = {
    "000_dense": System(
        "784-128-64-12-3 and back, tanh output",
        "mnist",
        "squared/pixel",
        3,
        AutoencoderTransformer(
            3,
            hidden_layer_sizes=(128, 64, 12),
            out_activation="tanh",
            max_iter=100,
            batch_size=128,
            **PLAIN,
        ),
        low=-1.0,
        pictures=(codes, class_means, grid),
        watch=watch_tensorboard,
    ),
    "000_conv": System(
        "strided and transposed convolutions, code 2 × 2 × 8",
        "mnist",
        "squared/pixel",
        32,
        AutoencoderTransformer(
            32,
            module=StridedNetwork,
            out_activation="tanh",
            max_iter=40,
            batch_size=128,
            **PLAIN,
        ),
        low=-1.0,
    ),
    "001_dense": System(
        "784-32-784, ReLU code",
        "mnist",
        "cross-entropy",
        32,
        DENSE_001,
        reported=(0.088, 0.099),
    ),
    "001_conv": System(
        "max-pool and nearest up-sampling, code 4 × 4 × 8",
        "mnist",
        "cross-entropy",
        128,
        CONV_001,
        reported=(0.093, 0.105),
    ),
    "001_denoising_dense": System(
        "001_dense, Gaussian noise 0.5 on the input",
        "mnist",
        "cross-entropy",
        32,
        clone(DENSE_001).set_params(**NOISE_001),
    ),
    "001_denoising_conv": System(
        "001_conv, Gaussian noise 0.5 on the input",
        "mnist",
        "cross-entropy",
        128,
        clone(CONV_001).set_params(**NOISE_001),
    ),
    "002_sigmoid": System(
        "784-256-128 and back, all sigmoid",
        "mnist",
        "squared/pixel",
        128,
        AutoencoderTransformer(
            128,
            hidden_layer_sizes=(256,),
            activation="logistic",
            code_activation="logistic",
            out_activation="logistic",
            max_iter=5,
            batch_size=256,
            **{**PLAIN, "learning_rate_init": 0.01},
        ),
    ),
    "002_2d": System(
        "784-128-64-10-2 and back, sigmoid, linear code",
        "mnist",
        "squared/pixel",
        2,
        AutoencoderTransformer(
            2,
            hidden_layer_sizes=(128, 64, 10),
            activation="logistic",
            out_activation="logistic",
            max_iter=10,
            batch_size=256,
            **{**PLAIN, "learning_rate_init": 0.01},
        ),
        pictures=(codes, grid),
    ),
    "003_dense": System(
        "784-128-784, ReLU code, sigmoid output",
        "mnist",
        "squared/pixel",
        128,
        AutoencoderTransformer(
            128,
            hidden_layer_sizes=(),
            code_activation="relu",
            out_activation="logistic",
            max_iter=20,
            batch_size=20,
            **PLAIN,
        ),
        reported=(0.00189, 0.00189),  # as 0.037874, the sum over a batch of 20
        pictures=(remove_noise,),
    ),
    "003_conv": System(
        "16 and 4 filters, max-pool, transposed convolutions, code 7 × 7 × 4",
        "mnist",
        "squared/pixel",
        196,
        ConvolutionalAutoencoder(
            None,
            image_shape=(SIDE, SIDE),
            filters=(16, 4),
            code_activation="relu",
            out_activation="logistic",
            max_iter=15,
            batch_size=20,
            **PLAIN,
        ),
        reported=(0.00918, 0.00918),  # as 0.183579
    ),
    "004_hinton": System(
        "784-1000-500-250-30 and back (Hinton and Salakhutdinov 2006)",
        "mnist",
        "squared/image",
        30,
        AutoencoderTransformer(30, **HINTON),
        reported=(3.00, 3.00),  # and 13.87 for PCA
        reported_on="test",
        pictures=(logistic_pca,),
    ),
    "004_dense": System(
        "784-256-128-64-20 and back",
        "fashion-mnist",
        "cross-entropy",
        20,
        AutoencoderTransformer(20, **DEEP_004),
        reported=(0.26, 0.30),
        watch=watch_epochs,
    ),
    "004_denoising": System(
        "004_dense, Gaussian noise 0.3 on the input",
        "fashion-mnist",
        "cross-entropy",
        20,
        AutoencoderTransformer(20, noise="gaussian", noise_level=0.3, **DEEP_004),
    ),
    "004_dropout": System(
        "004_dense, dropout 0.2 between layers",
        "fashion-mnist",
        "cross-entropy",
        20,
        AutoencoderTransformer(20, dropout=0.2, **DEEP_004),
    ),
    "004_adversarial": System(
        "004_dense, a discriminator holds the code to a normal prior",
        "fashion-mnist",
        "cross-entropy",
        20,
        AdversarialAutoencoder(20, prior="normal", **DEEP_004),
        pictures=(samples, grid),
    ),
    "004_variational": System(
        "004_dense, a KL term holds the Gaussian code to a normal prior",
        "fashion-mnist",
        "cross-entropy",
        20,
        VariationalAutoencoder(20, beta=1.0, **DEEP_004),
        pictures=(samples, grid),
    ),
}


# -- a row --


@lru_cache(maxsize=1)
def load(data, data_dir):
    return DATASETS[data](data_dir)


def images(system, data_dir, quick):
    """Return training images, test images and the labels of these."""
    X, y, _, n_train = load(system.data, data_dir)
    n_rows = (2000, 1000) if quick else (n_train, len(X) - n_train)
    test = slice(n_train, n_train + n_rows[1])
    parts = (X[: n_rows[0]], X[test])
    return *(system.low + (1 - system.low) * part for part in parts), y[test]


def add_noise(X, level, seed=0):
    noise = np.random.default_rng(seed).standard_normal(X.shape, dtype=np.float32)
    return X + level * noise


def limited(model, n_epochs):
    return clone(model).set_params(max_iter=min(model.max_iter, n_epochs))


def our_best(name, system):
    shared = ("loss", "out_activation", "noise", "noise_level")
    given = {parameter: getattr(system.source, parameter) for parameter in shared}
    best = AutoencoderTransformer(system.code_size, **{**given, **OURS, **BEST[name]})
    return limited(best, system.source.max_iter)


def timed_fit(model, X):
    start = time.perf_counter()
    model.fit(X)
    return time.perf_counter() - start


FITTED = {}  # best models, which rows may share


def fitted_once(model, X, key):
    if key not in FITTED:
        FITTED[key] = model, timed_fit(model, X)
    return FITTED[key]


def run(name, system, data_dir, output, quick):
    """Fit the models of a row; return its line of the table, and the models."""
    train, test, labels = images(system, data_dir, quick)
    read_train, read = train, test
    if system.source.noise is not None:
        read_train = add_noise(train, system.source.noise_level, seed=1)
        read = add_noise(test, system.source.noise_level)
    n_epochs = 2 if quick else sys.maxsize
    source = limited(system.source, n_epochs)
    best = limited(our_best(name, system), n_epochs)
    with system.watch(name, train, test, output) as callbacks:
        seconds = timed_fit(source.set_params(callbacks=callbacks), train)
    best, best_seconds = fitted_once(best, train, f"{system.data} {system.low} {best}")
    pca = PCA(system.code_size, random_state=0).fit(train)
    measure = UNITS[system.unit]
    line = {
        "name": name,
        "unit": system.unit,
        "code size": system.code_size,
        "epochs": source.n_iter_,
        "reported low": system.reported[0],
        "reported high": system.reported[1],
        "reported on": system.reported_on,
        "training": mean_loss(source, train, read_train, measure),
        "test": mean_loss(source, test, read, measure),
        "PCA": pca_loss(pca, test, read, measure),
        "seconds": seconds,
        "best": mean_loss(best, test, read, measure),
        "best epochs": best.n_iter_,
        "best seconds": best_seconds,
    }
    return line, Fits(
        name, system, source, best, pca, train, test, read, labels, output
    )


# -- the table --

HEADER = (
    f"{'name':20s} {'unit':13s} {'code':>4s} {'epochs':>6s} {'reported':>16s} "
    f"{'training':>9s} {'test':>9s} {'PCA':>9s} {'seconds':>8s} | "
    f"{'best':>9s} {'epochs':>6s} {'seconds':>8s}"
)


def show(line):
    low, high = line["reported low"], line["reported high"]
    reported = f"{low:#.3g}" if low == high else f"{low:#.3g} to {high:#.3g}"
    print(
        f"{line['name']:20s} {line['unit']:13s} {line['code size']:4d} "
        f"{line['epochs']:6d} {'–' if np.isnan(low) else reported:>16s} "
        f"{line['training']:9.4g} {line['test']:9.4g} {line['PCA']:9.4g} "
        f"{line['seconds']:8.1f} | {line['best']:9.4g} {line['best epochs']:6d} "
        f"{line['best seconds']:8.1f}",
        flush=True,
    )


def store(line, path):
    """Put the line in the place of the last one of its name; return all lines."""
    lines = pd.read_csv(path).to_dict("records") if path.exists() else []
    lines = {**{old["name"]: old for old in lines}, line["name"]: line}
    table = pd.DataFrame([lines[name] for name in SYSTEMS if name in lines])
    table.to_csv(path, index=False)
    return table


def count(met, names):
    missed = ", ".join(names[~met])
    return f"{met.sum()} of {len(met)} rows" + (f" (not {missed})" if missed else "")


def summarize(table):
    known = table[table["reported high"].notna()]
    ours = known["training"].where(known["reported on"] == "training", known["test"])
    ranges = known["reported low"] < known["reported high"]
    lowest = (ours <= known["reported low"])[ranges]
    print(
        f"\nWith the source's numbers at or below the reported loss: "
        f"{count(ours <= known['reported high'], known['name'])}"
        f"\n  where a range is reported, at or below its lower end: "
        f"{count(lowest, known['name'][ranges])}"
        f"\nBest below PCA: {count(table['best'] < table['PCA'], table['name'])}"
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--list", action="store_true", help="list the names and end")
    parser.add_argument("--quick", action="store_true", help="2,000 images, 2 epochs")
    parser.add_argument("--data-dir", help="folder that holds mnist/, fashion-mnist/")
    parser.add_argument("--output", type=Path, default=Path("reference_models"))
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.names) - set(SYSTEMS):
        parser.error(f"no such NAME: {', '.join(sorted(unknown))}; see --list")
    if arguments.list:
        print(*(f"{name:20s} {row.about}" for name, row in SYSTEMS.items()), sep="\n")
        return
    output = arguments.output / "quick" if arguments.quick else arguments.output
    output.mkdir(parents=True, exist_ok=True)
    print(HEADER, flush=True)
    for name in arguments.names or SYSTEMS:
        system = SYSTEMS[name]
        line, fits = run(name, system, arguments.data_dir, output, arguments.quick)
        show(line)
        table = store(line, output / "reference_models.csv")
        for picture in (reconstructions, *system.pictures):
            picture(fits)
    summarize(table)


if __name__ == "__main__":
    main()
