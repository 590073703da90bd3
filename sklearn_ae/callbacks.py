"""Callbacks: TensorBoard looks on, AverageGradients trains in many processes."""

import contextlib
from itertools import count
from numbers import Integral
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from sklearn.utils import check_array, check_consistent_length, check_scalar
from skorch.callbacks import Callback

from ._extras import how_to_install
from ._images import as_images, image_shape_of
from .plotting import ReconstructionDisplay

__all__ = ["AverageGradients", "TensorBoard"]

SCALARS = {"train_loss": "loss/train", "valid_loss": "loss/validation"}
MOST_UNITS = 32  # of a code that have a histogram each


class AverageGradients(Callback):
    """Train one model in many processes, each with rows of its own.

    Before each step the gradients of all processes of `torch.distributed` are averaged,
    so that all take the same step: that of one process with all their rows in its
    batch. Goes into the `callbacks` of an autoencoder that `partial_fit` trains.

    See Also
    --------
    AutoencoderTransformer.partial_fit : Trains on rows that come in parts.

    Notes
    -----
    The processes must begin with copies of one model, whose first call of
    `partial_fit`, in one process without this callback, has set centre and scale. In
    each call all must be given equally many rows: a ValueError says so. `fit` is not
    for this: its guard would judge by the rows of one process. Nor does PCA go on
    learning beneath the network, as it does in one process.

    A batch is `batch_size` rows of each process: a step is of that many times the
    number of processes. What a network of yours keeps besides weights, such as the
    means of batch normalisation, stays each process's own. `AdversarialAutoencoder`,
    which has two optimizers, can't be trained so.

    Examples
    --------
    In each process that ``torchrun`` starts, with its own rows:

    >>> from sklearn_ae import AutoencoderTransformer
    >>> from sklearn_ae.callbacks import AverageGradients
    >>> autoencoder = AutoencoderTransformer(8, callbacks=[AverageGradients()])
    """

    one_of_many = True  # no process judges by its rows alone

    def on_train_begin(self, net, X=None, **kwargs):
        """See that all processes will take equally many steps: else some would wait."""
        if net.train_split or net.max_epochs > 1:
            raise ValueError("AverageGradients is for partial_fit, not for fit.")
        if len(net.optimizer_names) > 1:
            raise ValueError("AverageGradients: the net has more than one optimizer.")
        if not dist.is_initialized():
            raise ValueError("AverageGradients: torch.distributed is not initialized.")
        sizes = [None] * dist.get_world_size()
        dist.all_gather_object(sizes, len(X))
        if len(set(sizes)) > 1:
            raise ValueError(
                f"Each process needs equally many rows. Theirs have {sizes}."
            )

    def on_grad_computed(self, net, named_parameters, **kwargs):
        """Average the gradients."""
        # Summed as one tensor: a message for each would take longer.
        grads = [p.grad for _, p in named_parameters if p.grad is not None]
        flat = torch.cat([grad.flatten() for grad in grads])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        parts = flat.split([grad.numel() for grad in grads])
        for grad, part in zip(grads, parts, strict=True):
            grad.copy_(part.view_as(grad))


class TensorBoard(Callback):
    """Show a fit in TensorBoard while it goes on.

    Logged are the losses in the units of the data, and the learning rate, after each
    epoch; reconstructions of training and validation rows beside the rows, and
    histograms of the code units, every few epochs; and in the end the same of the model
    that was kept, and its codes for the embedding projector.

    Goes into the `callbacks` of an autoencoder. Each fit writes to a folder of its own,
    ``fit-1``, ``fit-2``, …; further calls of ``partial_fit`` to that of the first.
    ``tensorboard --logdir runs`` shows them. The fit itself is the same as without.

    Parameters
    ----------
    log_dir : path-like, default="runs"
        Folder for the folders of the fits.
    X : array-like of shape (n_samples, n_features), default=None
        Rows whose codes are shown, as the estimator itself reads them; behind a scaler
        in a Pipeline, scaled ones. By default up to 1,000 validation rows of the fit,
        or training rows if none are set aside.
    y : array-like of shape (n_samples,), default=None
        Labels of X for the projector.
    n_samples : int, default=None
        Number of rows that are reconstructed, of each kind: by default 10 images or 4
        curves.
    image_shape : tuple of int, default=None
        What rows are pictures of, as in `ReconstructionDisplay`.
    every : int, default=10
        Epochs from one picture to the next.

    Attributes
    ----------
    run_ : pathlib.Path
        Folder of the last fit.

    See Also
    --------
    sklearn_ae.plotting.LossCurveDisplay : The losses, after the fit.
    sklearn_ae.plotting.ReconstructionDisplay : What the pictures are.

    Notes
    -----
    Needs the packages of ``pip install 'sklearn-ae[tensorboard]'``. No file stays open
    after the fit: the estimator can be cloned, copied and pickled.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ae import AutoencoderTransformer
    >>> from sklearn_ae.callbacks import TensorBoard
    >>> X, y = load_digits(return_X_y=True)
    >>> board = TensorBoard(tempfile.mkdtemp(), X=X[:500], y=y[:500])
    >>> autoencoder = AutoencoderTransformer(
    ...     3, max_iter=2, callbacks=[board], random_state=0
    ... ).fit(X)  # doctest: +SKIP
    """

    epochs_only = True  # batches need not be told of, which takes time

    def __init__(
        self,
        log_dir="runs",
        *,
        X=None,
        y=None,
        n_samples=None,
        image_shape=None,
        every=10,
    ):
        self.log_dir = log_dir
        self.X = X
        self.y = y
        self.n_samples = n_samples
        self.image_shape = image_shape
        self.every = every

    @contextlib.contextmanager
    def watch(self, codec, rows, goes_on=False):
        """Write while the model is trained. Called by the fit.

        Parameters
        ----------
        codec : Codec
            The autoencoder, as trained so far at any time.
        rows : dict of str to ndarray of shape (n_samples, n_features)
            Rows to reconstruct: "train" and, if some were set aside, "validation".
        goes_on : bool, default=False
            Whether it is the fit of the last call that goes on.

        Yields
        ------
        None
            Once, while the model is trained.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "The TensorBoard callback needs tensorboard: "
                + how_to_install("tensorboard")
            ) from error
        X, y = self._check(rows)
        if not (goes_on and hasattr(self, "run_")):
            self.run_, self.epoch_ = _new_folder(Path(self.log_dir)), 0
        with SummaryWriter(self.run_) as writer:
            self.watched_ = writer, codec, rows, X
            try:
                if self.epoch_ == 0:
                    self._look("")
                yield
                self._look("kept ")
                codes = codec.encode(X)
                if np.isfinite(codes).all():
                    sprites = _sprites(X, self._shape(X, codec))
                    writer.add_embedding(codes, y, sprites, self.epoch_, tag="codes")
            finally:
                del self.watched_

    def on_epoch_end(self, net, **kwargs):
        """Write what is known of the epoch."""
        writer, codec, *_ = self.watched_
        self.epoch_ += 1
        for name, value in net.history[-1].items():
            if name in SCALARS:
                value = codec.in_units(float(value))
                writer.add_scalar(SCALARS[name], value, self.epoch_)
        rate = net.optimizer_.param_groups[0]["lr"]
        writer.add_scalar("learning rate", rate, self.epoch_)
        if self.epoch_ % self.every == 0:
            self._look("")

    def _check(self, rows):
        """Return the rows whose codes are shown, and their labels."""
        check_scalar(self.every, "every", Integral, min_val=1)
        if self.n_samples is not None:
            check_scalar(self.n_samples, "n_samples", Integral, min_val=1)
        image_shape_of(self.image_shape, rows["train"].shape[1], ())
        if self.X is None:
            if self.y is not None:
                raise ValueError("y labels the rows of X: give X too. Got X=None.")
            return rows.get("validation", rows["train"]), None
        X = check_array(self.X, dtype=[np.float64, np.float32], input_name="X")
        if X.shape[1] != rows["train"].shape[1]:
            raise ValueError(
                f"X of TensorBoard must have the {rows['train'].shape[1]} columns that "
                f"the autoencoder is fitted to. Got {X.shape[1]}."
            )
        if self.y is not None:
            check_consistent_length(X, self.y)
        return X.astype(np.float32), None if self.y is None else list(self.y)

    def _shape(self, X, codec):
        """Return what rows are pictures of; a height of 1 is none."""
        shape = self.image_shape
        if shape is None:
            shape = codec.blueprint.params.get("image_shape")
        return image_shape_of(shape, X.shape[1], ())

    def _look(self, prefix):
        """Write reconstructions and histograms of the model as it is."""
        from matplotlib.figure import Figure

        writer, codec, rows, X = self.watched_
        codes = codec.encode(X)
        if not np.isfinite(codes).all():
            return  # the fit will tell of it
        for unit, values in enumerate(codes.T[:MOST_UNITS]):
            writer.add_histogram(f"{prefix}code/unit {unit}", values, self.epoch_)
        for name, part in rows.items():
            part = part[: self.n_samples or 10]
            figure = Figure(figsize=(9, 2.4), layout="constrained")
            ReconstructionDisplay.from_predictions(
                part,
                codec.reconstruct(part),
                n_samples=self.n_samples,
                image_shape=self._shape(part, codec),
                ax=figure.subplots(),
            )
            writer.add_figure(f"{prefix}reconstructions/{name}", figure, self.epoch_)


def _sprites(X, image_shape):
    """Return rows as the small pictures of the projector, or None: it takes squares."""
    if image_shape[0] == 1:
        return None
    images = as_images(X, image_shape)
    if images.ndim == 3:
        images = np.stack([images] * 3, axis=-1)
    if images.shape[1] != images.shape[2] or images.shape[3] != 3:
        return None
    low, high = X.min(), X.max()
    images = (images - low) / ((high - low) or 1)
    return torch.from_numpy(np.moveaxis(images, -1, 1).copy())


def _new_folder(log_dir):
    """Make and return the first folder that is not there yet."""
    log_dir.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        with contextlib.suppress(FileExistsError):  # fits go on side by side
            (log_dir / f"fit-{number}").mkdir()
            return log_dir / f"fit-{number}"
