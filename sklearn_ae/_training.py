"""Training: the skorch net, its batches, the judge of its epochs, device and seed."""

import contextlib
import copy
import inspect
import math
import os
import threading
import warnings
from functools import partial

import numpy as np
import torch
from scipy import stats
from skorch import NeuralNet
from skorch.callbacks import Callback, PrintLog
from skorch.exceptions import DeviceWarning
from skorch.utils import to_tensor

from ._checkpoint import mapped
from ._networks import row_cost
from ._rows import CHUNK_CELLS, Batches

ENOUGH_ROWS = 8  # validation rows below which chance rules
THREAD_PRODUCTS = 500_000  # of a batch, below which one more thread is no gain


class AutoencoderNet(NeuralNet):
    """A skorch net whose criterion gives the loss of each cell.

    Parameters
    ----------
    *args, **kwargs
        Those of `skorch.NeuralNet`.
    activation : callable, default=None
        Applied to what the network decodes before the criterion compares it.
    penalty : callable, default=None
        Called with the module's `encode`, a batch and its codes; what it gives for each
        row is added to the row's loss.
    rates : ndarray of shape (n_steps,), default=None
        Learning rate of each step (see `one_cycle`). None is a constant rate.
    precision : {"float32", "bfloat16"}, default="float32"
        Of the products in training steps; weights and all else are float32.
    """

    # A subclass that trains more than the module names it here.
    part_names = ("module_",)
    optimizer_names = ("optimizer_",)
    # Numbers that the next epoch depends on, besides.
    state_names = ("over_", "step_")

    def __init__(
        self,
        *args,
        activation=None,
        penalty=None,
        rates=None,
        precision="float32",
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.activation = activation
        self.penalty = penalty
        self.rates = rates
        self.precision = precision

    def get_default_callbacks(self):
        """Return the callback that prints the losses, if verbose."""
        return [("print_log", PrintLog())] if self.verbose else []

    def infer(self, x, **fit_params):
        """Return what `row_losses` needs: the reconstruction, first if not alone."""
        if self.penalty is None:
            return super().infer(x, **fit_params)
        z = self.module_.encode(to_tensor(x, device=self.device))
        return self.module_.decode(z), z

    def row_losses(self, y_pred, y_true, x):
        """Return the loss of each row: the mean over its cells, and the penalty."""
        alone = not isinstance(y_pred, (tuple, list))
        losses = self.cell_losses(y_pred if alone else y_pred[0], y_true)
        if self.penalty is not None:
            losses = losses + self.penalty(self.module_.encode, x, y_pred[1])
        return losses

    def cell_losses(self, decoded, y_true):
        """Return the mean loss of each row's cells."""
        if self.activation is not None:
            decoded = self.activation(decoded)
        y_true = to_tensor(y_true, device=self.device)
        return self.criterion_(decoded, y_true).flatten(1).mean(1)

    def judged_losses(self, y_pred, y_true, x):
        """Return the losses that judge an epoch: one for each row, or a row of them."""
        return self.row_losses(y_pred, y_true, x)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the mean loss of the rows."""
        return self.row_losses(y_pred, y_true, X).mean()

    def weights(self):
        """Return all weights, as they are now, by the name of what has them."""
        return {name: getattr(self, name).state_dict() for name in self.part_names}

    def set_weights(self, weights):
        """Copy weights, as `weights` gives them, into this net."""
        for name, state in weights.items():
            getattr(self, name).load_state_dict(state)

    def go_on_from(self, net, optimizer):
        """Take the weights of another net and, if `optimizer`, its momenta.

        Parameters
        ----------
        net : AutoencoderNet
            Of the same structure.
        optimizer : bool
            Whether momenta go on. Learning rate and the like are this net's own.
        """
        self.set_weights(net.weights())
        for name in self.optimizer_names:
            own, old = getattr(self, name), getattr(net, name)
            if optimizer and type(own) is type(old):
                state = old.state_dict()
                # What set_params changed since then counts.
                state["param_groups"] = own.state_dict()["param_groups"]
                own.load_state_dict(state)

    def forget_momenta(self):
        """Let go of what only the next training step would need."""
        for name in self.optimizer_names:
            getattr(self, name).state.clear()

    # Skorch tells every callback of every batch and fetches every loss. Where all
    # that listen are `epochs_only`, as ours are, that is left out: on small networks it
    # takes longer than the arithmetic.

    def on_train_begin(self, net, **kwargs):
        """Set up the schedule; see who listens to batches."""
        super().on_train_begin(net, **kwargs)
        closure = inspect.signature(self.optimizer_.step).parameters.get("closure")
        self.quick_ = (closure is None or closure.default is not closure.empty) and all(
            getattr(callback, "epochs_only", isinstance(callback, PrintLog))
            for _, callback in self.callbacks_
        )
        self.over_ = False
        self.step_ = 0
        self._set_rate()
        # No more threads than pay; `torch_state` puts them back.
        wanted = self.batch_size * self.row_cost()[1] // THREAD_PRODUCTS
        torch.set_num_threads(min(max(1, wanted), torch.get_num_threads()))

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Go through the batches once, and note their mean loss."""
        if iterator is None:
            return
        half = training and self.precision == "bfloat16"
        device = torch.device(self.device).type
        # Its cache of weights would outlive the step that changes them.
        with torch.autocast(device, torch.bfloat16, half, cache_enabled=False):
            losses, sizes = self._go_through(
                iterator, training, prefix, step_fn, **fit_params
            )
        self.epoch_losses_[f"{prefix}_loss"] = np.average(losses, weights=sizes)

    def _go_through(self, iterator, training, prefix, step_fn, **fit_params):
        """Return the losses and the sizes of the batches."""
        if not self.quick_:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            columns = [f"{prefix}_loss", f"{prefix}_batch_size"]
            return zip(*self.history[-1, "batches", :, columns], strict=True)
        self._set_training(training)
        # Fetched from the device once. Small tensors that stay would fragment memory.
        losses, sizes = torch.empty(len(iterator), device=self.device), []
        for i, batch in enumerate(iterator):
            losses[i] = step_fn(batch, **fit_params)["loss"].detach()
            sizes.append(len(batch[0]))
            if training:
                self._set_rate()
        return losses.double().cpu().numpy(), sizes

    def on_batch_end(self, net, training=False, **kwargs):
        """Go on in the schedule."""
        super().on_batch_end(net, training=training, **kwargs)
        if training:
            self._set_rate()

    def _set_rate(self):
        """Set the learning rate of the next step."""
        if self.rates is not None and self.step_ < len(self.rates):
            for group in self.optimizer_.param_groups:
                group["lr"] = self.rates[self.step_]
            self.step_ += 1

    def train_step(self, batch, **fit_params):
        """Train on a batch."""
        if not self.quick_:
            return super().train_step(batch, **fit_params)
        inputs, targets = batch
        self.optimizer_.zero_grad()
        y_pred = self.infer(inputs, **fit_params)
        loss = self.get_loss(y_pred, targets, X=inputs, training=True)
        loss.backward()
        self.optimizer_.step()
        return {"loss": loss, "y_pred": y_pred}

    def on_epoch_end(self, net, **kwargs):
        """Record the losses, before any callback looks at them."""
        super().on_epoch_end(net, **kwargs)
        vars(self).pop("twin_", None)  # fused steps leave no mark on the weights
        for name, loss in self.epoch_losses_.items():
            before = [epoch[name] for epoch in self.history[:-1] if name in epoch]
            self.history.record(name, loss)
            self.history.record(
                f"{name}_best", bool(loss < min(before, default=np.inf))
            )

    def validation_step(self, batch, **fit_params):
        """Keep each row's loss too: what `KeepBest` judges by."""
        inputs, targets = batch
        self._set_training(False)
        with torch.no_grad():
            y_pred = self.infer(inputs, **fit_params)
            losses = self.judged_losses(y_pred, targets, inputs)
        self.valid_losses_.append(losses)
        return {"loss": losses.mean(), "y_pred": y_pred}

    def on_epoch_begin(self, net, **kwargs):
        """Start with no losses, unless the fit is over."""
        if self.over_:
            raise KeyboardInterrupt  # skorch's way to end a fit
        super().on_epoch_begin(net, **kwargs)
        self.valid_losses_ = []
        self.epoch_losses_ = {}

    def evaluate(self, rows):
        """Return the judged losses in inference mode, as float64 on the CPU."""
        self.module_.eval()
        chunk = max(1, CHUNK_CELLS // self.row_cost()[0])
        with torch.no_grad():
            losses = [
                self.judged_losses(self.infer(inputs), targets, inputs)
                for inputs, targets in Batches(rows, chunk)
            ]
        return torch.cat(losses).double().cpu()

    def row_cost(self):
        """Return the cells of the module's widest layer and its products for a row."""
        if not hasattr(self, "row_cost_"):
            n_features = self.get_params_for("module")["n_features"]
            self.row_cost_ = row_cost(self.module_, n_features)
        return self.row_cost_

    def module_as(self, dtype):
        """Return the module in a precision, for inference.

        Parameters
        ----------
        dtype : torch.dtype
            Of its parameters and of what it shall be given.
        """
        own = next(self.module_.parameters()).dtype
        if dtype == own:
            return self.module_.eval()
        # Remade when a weight was replaced or changed in place. In a tuple, since
        # skorch keeps track of every module that it is given as an attribute.
        tensors = [*self.module_.parameters(), *self.module_.buffers()]
        mark = [dtype, *((id(tensor), tensor._version) for tensor in tensors)]
        if getattr(self, "twin_", [None])[0] != mark:
            self.twin_ = mark, copy.deepcopy(self.module_).eval().to(dtype), tensors
        return self.twin_[1]

    def initialize(self):
        """Initialize the net, and remember what its start was drawn from."""
        self.random_start_ = torch.get_rng_state().numpy()
        return super().initialize()

    # Skorch's own state has a pickle within. This one is parameters and arrays, from
    # which the net is built anew: on the device that is there, and by any reader.

    def __getstate__(self):
        params = self.get_params(deep=False).items()
        params = {name: value for name, value in params if not name.startswith("_")}
        # Those that were at the fit; the next fit has a net and callbacks of its own.
        state = {"params": {**params, "callbacks": None}}
        if getattr(self, "initialized_", False):
            optimizers = {
                name: getattr(self, name).state_dict() for name in self.optimizer_names
            }
            state["weights"] = mapped(_as_array, self.weights())
            state["optimizers"] = mapped(_as_array, optimizers)
            state["attributes"] = {
                name: getattr(self, name)
                for name in ("random_start_", "rng_")
                if hasattr(self, name)
            }
            state["history"] = list(self.history_)
        return state

    def __setstate__(self, state):
        device = _device_here(state["params"]["device"])
        self.__init__(**{**state["params"], "device": device})
        if "weights" not in state:
            return
        attributes = state["attributes"]
        with torch_state(torch.device(device), 0):
            # A network may have drawn what it keeps neither as weight nor as buffer.
            torch.set_rng_state(_as_tensor(attributes["random_start_"]))
            self.initialize()
            self.set_weights(mapped(_as_tensor, state["weights"]))
            for name, optimizer in mapped(_as_tensor, state["optimizers"]).items():
                getattr(self, name).load_state_dict(optimizer)
        vars(self).update(attributes)
        self.history_.extend(state["history"])
        self.module_.eval()


class OrderedNet(AutoencoderNet):
    """A net that trains every prefix of the code, not the whole code alone.

    Nested dropout (Rippel, Gelbart and Adams 2014): of each row in a training step only
    the first units of the code are kept. How many is drawn: a share `WHOLE` of the rows
    keep all, for the others short prefixes and long ones are equally frequent on a
    logarithmic scale (a single unit half as frequent). A row's loss is divided by what
    PCA leaves unexplained at its length, to the power `BALANCE`: otherwise the short
    prefixes, whose errors are large, would be all that counts.

    Parameters
    ----------
    *args, **kwargs
        Those of `AutoencoderNet`.
    unexplained : ndarray of shape (n_components,)
        Share of variance that PCA leaves unexplained, for each length.
    """

    WHOLE = 0.25
    BALANCE = 0.85
    FLOOR = 1e-4  # of the share: a lossless length is not worth infinitely much

    def __init__(self, *args, unexplained, **kwargs):
        super().__init__(*args, **kwargs)
        self.unexplained = unexplained

    def initialize(self):
        """Initialize the net, and what it draws and weighs lengths by."""
        super().initialize()
        n_units = len(self.unexplained)
        weights = np.maximum(self.unexplained, self.FLOOR) ** -self.BALANCE
        # Judged are powers of two and the whole code, but for what PCA does losslessly.
        lengths = {min(2**i, n_units) for i in range(n_units.bit_length() + 1)}
        judged = [k for k in sorted(lengths) if self.unexplained[k - 1] > 1e-10]
        self.judged_ = judged or [n_units]
        # So that a loss is a weighted mean of losses.
        weights /= weights[np.array(self.judged_) - 1].mean()
        self.length_weights_ = torch.tensor(
            weights, dtype=torch.float32, device=self.device
        )
        # A number drawn from [0, 1) stands for the length before the first end above.
        ends = np.log(np.arange(2, n_units + 1) / 1.5) / np.log((n_units + 1) / 1.5)
        self.length_ends_ = torch.from_numpy((1 - self.WHOLE) * ends).to(self.device)
        return self

    def infer(self, x, **fit_params):
        """Return the reconstruction, the codes and, in training, their lengths."""
        z = self.module_.encode(to_tensor(x, device=self.device))
        if not self.module_.training:
            return self.module_.decode(z), z
        lengths = self._draw_lengths(len(z))
        return self.module_.decode(z, lengths), z, lengths

    def row_losses(self, y_pred, y_true, x):
        """Return the loss of each row in training, weighted by its length."""
        decoded, z, lengths = y_pred
        losses = self.length_weights_[lengths - 1] * self.cell_losses(decoded, y_true)
        if self.penalty is not None:
            losses = losses + self.penalty(self.module_.encode, x, z)
        return losses

    def judged_losses(self, y_pred, y_true, x):
        """Return the weighted loss of each row (lines) at each judged length."""
        whole, z = y_pred
        columns = []
        for k in self.judged_:
            decoded = whole if k == z.shape[1] else self.module_.decode(z[:, :k])
            weight = self.length_weights_[k - 1]
            columns.append(weight * self.cell_losses(decoded, y_true))
        losses = torch.stack(columns, dim=1)
        if self.penalty is not None:
            losses = losses + self.penalty(self.module_.encode, x, z)[:, None]
        return losses

    def _draw_lengths(self, n_rows):
        # Evenly spaced, from a random start: each batch has its share of every length.
        ends = self.length_ends_
        start = torch.rand(1, device=ends.device)
        u = (torch.arange(n_rows, device=ends.device) + start).to(ends) / n_rows
        return torch.bucketize(u, ends, right=True) + 1


class KeepBest(Callback):
    """Keep the best weights, the start's among them, and end a fit that is over.

    With validation rows each epoch is judged by their loss. When the start is a
    `safe_start` (PCA, or the weights of the fit before) an epoch counts only if it
    gains on the start beyond doubt: a one-sided paired t-test over the validation
    rows, since "the best epoch" is easily found by chance among many. Fewer than
    `ENOUGH_ROWS` rows prove nothing: the start is kept, after one epoch.

    Without validation rows the training loss of the epoch judges, and the weights kept
    are compared with the start's on all training rows at the end.

    A net that has a loss for each of several code sizes is judged by their mean, and
    from a safe start by each: none may lose.

    Parameters
    ----------
    safe_start : bool
        Whether the start must be beaten significantly.
    tol : float
        An epoch improves when the loss falls by more than this share.
    patience : int or None
        Epochs without improvement after which the fit ends; None for no end.
    confidence : float, default=0.995
        Of the t-test.

    Attributes
    ----------
    best_epoch_ : int
        The epoch whose weights were kept; 0 is the start.
    best_loss_ : float
        Their loss.
    diverged_ : bool
        Whether a loss was not finite.
    """

    epochs_only = True
    # What it must know to go on.
    state = ("best_", "best_epoch_", "best_loss_", "diverged_", "epoch_", "mark_")

    def __init__(self, safe_start, tol, patience, confidence=0.995):
        self.safe_start = safe_start
        self.tol = tol
        self.patience = patience
        self.confidence = confidence

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Measure the start."""
        self.valid_ = net.get_split_datasets(X)[1] if net.train_split else None
        self.has_validation_ = self.valid_ is not None
        self.start_losses_ = net.evaluate(self.valid_ or X)
        self.start_ = self.best_ = copy.deepcopy(net.weights())
        self.best_loss_ = (
            self.start_losses_.mean().item() if self.has_validation_ else np.inf
        )
        self.best_epoch_ = 0
        self.epoch_ = 0
        self.mark_ = np.inf, 0  # loss and epoch of the last improvement
        self.diverged_ = False

    def on_epoch_end(self, net, **kwargs):
        """Judge the epoch."""
        self.epoch_ += 1
        loss = net.history[-1, "train_loss"]
        if np.isfinite(loss) and self.has_validation_:
            losses = torch.cat(net.valid_losses_).double().cpu()
            loss = self._judge(net, losses)
        elif loss < self.best_loss_:
            self._remember(net, loss)
        if not np.isfinite(loss):
            self.diverged_ = net.over_ = True
            return
        # A share of a loss below zero, as a log density may give, is below it too.
        if loss < self.mark_[0] * (1 - math.copysign(self.tol, self.mark_[0])):
            self.mark_ = loss, self.epoch_
        hopeless = (
            self.safe_start
            and self.has_validation_
            and len(self.start_losses_) < ENOUGH_ROWS
        )
        tired = self.patience and self.epoch_ - self.mark_[1] >= self.patience
        if hopeless or tired:  # not at once: others have yet to hear of this epoch
            net.over_ = True

    def on_train_end(self, net, X=None, **kwargs):
        """Put the best weights back."""
        if len(net.history) > self.epoch_ and "train_loss" in net.history[-1]:
            self.epoch_ += 1  # a callback ended the fit before this epoch was judged
            if self.has_validation_:
                self._judge(net, net.evaluate(self.valid_))
            elif net.history[-1, "train_loss"] < self.best_loss_:
                self._remember(net, net.history[-1, "train_loss"])
        net.set_weights(self.best_)
        if not self.has_validation_:
            losses, loss = net.evaluate(X), self.start_losses_.mean()
            lost = (losses.mean(0) > self.start_losses_.mean(0)).any()
            if losses.mean() < loss and not (lost and self.safe_start):
                loss = losses.mean()
            else:  # nor are losses kept that are not finite
                net.set_weights(self.start_)
                self.best_epoch_ = 0
            self.best_loss_ = loss.item()
        net.module_.eval()
        del self.start_, self.best_, self.start_losses_, self.valid_
        net.valid_losses_ = []

    def _judge(self, net, losses):
        """Keep the weights if their validation losses are the best; return the mean."""
        loss = losses.mean().item()
        accepted = not self.safe_start or self._beats_start(losses)
        if accepted and loss < self.best_loss_:
            self._remember(net, loss)
        return loss

    def _remember(self, net, loss):
        self.best_loss_ = loss
        self.best_epoch_ = self.epoch_
        self.best_ = copy.deepcopy(net.weights())

    def _beats_start(self, losses):
        gains = self.start_losses_ - losses
        if len(gains) < ENOUGH_ROWS:
            return False
        if gains.ndim == 2:  # a column for each code size: none may lose
            errors = gains.std(0) / len(gains) ** 0.5
            if (gains.mean(0) < errors).any():
                return False
            gains = gains.mean(1)
        error = gains.std().item() / len(gains) ** 0.5
        quantile = stats.t.ppf(self.confidence, len(gains) - 1)
        return gains.mean().item() > quantile * error


class KeepFinite(Callback):
    """Go back to the start if a pass made the loss or a weight not finite.

    `KeepBest` for `partial_fit`, which has too few rows at a time to judge more.
    """

    epochs_only = True
    best_epoch_ = 1

    def on_train_begin(self, net, **kwargs):
        """Note the start."""
        self.start_ = copy.deepcopy(net.weights())

    def on_train_end(self, net, **kwargs):
        """Check what the pass made of it."""
        # Interrupted passes have no loss; the weights tell of them.
        self.best_loss_ = net.history[-1].get("train_loss", np.nan)
        numbers = [t for state in net.weights().values() for t in state.values()]
        if "train_loss" in net.history[-1]:
            numbers.append(torch.tensor(self.best_loss_))
        self.diverged_ = not all(torch.isfinite(number).all() for number in numbers)
        if self.diverged_:
            net.set_weights(self.start_)
            net.forget_momenta()
            self.best_epoch_ = 0
        net.module_.eval()
        del self.start_


def _as_array(value):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        with contextlib.suppress(TypeError):  # numpy lacks some of torch's dtypes
            return value.numpy().copy()
    return value


def _as_tensor(value):
    # Of memory of its own.
    return torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray) else value


def _device_here(device):
    """Return a net's device, or, where torch hasn't it, the CPU and a warning."""
    try:
        return str(resolve_device(device))
    except ValueError:
        warnings.warn(
            f"The model was fitted on {device!r}, which torch hasn't here: it is on "
            f"the CPU now.",
            DeviceWarning,
            stacklevel=2,
        )
        return "cpu"


class TellCallbacks(Callback):
    """Tell the callbacks of scikit-learn's own kind (1.9) of every epoch.

    Parameters
    ----------
    estimator : estimator
        Whose callbacks they are.
    fit : sklearn.callback.CallbackContext
        Of the fit, with which the callbacks are told.
    X : array-like of shape (n_samples, n_features)
        Rows of the fit.
    """

    epochs_only = True

    def __init__(self, estimator, fit, X):
        self.told_ = {"estimator": estimator, "X": X, "y": X}  # X is its own target
        self.fit_ = fit

    @contextlib.contextmanager
    def watch(self, model, rows, goes_on):
        """Tell of the whole fit, and forget it."""
        self.fit_.call_on_fit_task_begin(**self.told_)
        self.told_["reconstruction_attributes"] = partial(vars, model)
        try:
            yield
            self.fit_.call_on_fit_task_end(**self.told_)
        finally:
            vars(self).clear()  # the net, which is pickled, keeps its callbacks

    def on_epoch_begin(self, net, **kwargs):
        """Tell of the beginning of an epoch."""
        self.epoch_ = self.fit_.subcontext("epoch")
        self.epoch_.call_on_fit_task_begin(**self.told_)

    def on_epoch_end(self, net, **kwargs):
        """Tell of the end of an epoch; end the fit if one asks for it."""
        if self.epoch_.call_on_fit_task_end(**self.told_):
            net.over_ = True


def resolve_device(device):
    """Return the torch device that a `device` parameter names.

    Parameters
    ----------
    device : str or torch.device
        "auto" is CUDA where present, else the CPU.

    Returns
    -------
    torch.device
    """
    if isinstance(device, str) and device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        tensor = torch.zeros(1, device=device)
        tensor.item()  # which "meta" has not
        return tensor.device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"The 'device' parameter must be 'auto' or a device that torch has here. "
            f"Got {device!r}: {str(error).splitlines()[0]}"
        ) from error


def one_cycle(rate, n_steps):
    """Return the learning rates of one cycle (Smith and Topin 2019).

    Up along a cosine from 1/25 of the highest rate in three tenths of the steps, then
    down along another nearly to zero.

    Parameters
    ----------
    rate : float
        The highest.
    n_steps : int
        Number of rates.

    Returns
    -------
    list of float
    """
    top = 0.3 * n_steps - 1
    rising = np.arange(n_steps) <= top
    way = np.where(
        rising,
        np.arange(n_steps) / max(top, 1),
        (n_steps - 1 - np.arange(n_steps)) / max(n_steps - 1 - top, 1),
    )
    low = rate / 25 * np.where(rising, 1, 1e-4)
    return (low + (rate - low) * (1 - np.cos(np.pi * way)) / 2).tolist()


# torch's generator and default dtype belong to the process, not to the thread.
_ONE_FIT_AT_A_TIME = threading.RLock()


def _after_fork():
    """Let a forked process, as joblib's multiprocessing has them, fit too."""
    global _ONE_FIT_AT_A_TIME
    _ONE_FIT_AT_A_TIME = threading.RLock()  # the old one may be held for good
    # OpenMP's threads stay behind in a fork, and work handed to them waits forever.
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextlib.contextmanager
def torch_state(device, seed):
    """Seed torch and set its modes for a fit; put everything back afterwards.

    Fits in other threads wait meanwhile.

    Parameters
    ----------
    device : torch.device
        Whose generator is seeded too.
    seed : int
        For torch's generators.
    """
    devices = [device] if device.type == "cuda" else []
    with (
        _ONE_FIT_AT_A_TIME,
        torch.random.fork_rng(devices),
        torch.inference_mode(False),
        torch.enable_grad(),
    ):
        dtype = torch.get_default_dtype()
        flushed = _denormals_flushed()
        n_threads = torch.get_num_threads()
        try:
            torch.manual_seed(seed)
            torch.set_default_dtype(torch.float32)
            # SiLU and GELU make denormals, which slow some CPUs more than tenfold.
            torch.set_flush_denormal(True)
            yield
        finally:
            torch.set_flush_denormal(flushed)
            torch.set_default_dtype(dtype)
            torch.set_num_threads(n_threads)


def _denormals_flushed():
    # torch has no getter: see what becomes of a denormal number.
    return (torch.tensor(1e-310, dtype=torch.float64) * 1.0).item() == 0.0
