"""The skorch net: the loop over epochs, weights in and out, and a state to keep."""

import contextlib
import copy
import inspect
import warnings

import joblib
import numpy as np
import torch
from skorch.callbacks import PrintLog
from skorch.exceptions import DeviceWarning

from . import tables
from .average import Average, averaged
from .backward import Step
from .batches import Batches
from .checkpoint import mapped
from .networks import row_cost
from .replay import Replay
from .steps import SteppingNet
from .torch_state import resolve_device, torch_state

THREAD_PRODUCTS = 20_000_000  # of a batch, below which one more thread is no gain
HALF_PRODUCTS = 100_000_000  # of a batch, below which bfloat16 is no gain on a CPU

BFLOAT16 = ("avx512_bf16", "amx_tile")  # sets of instructions


class AutoencoderNet(SteppingNet):
    """A skorch net whose criterion is an `Objective`.

    Parameters
    ----------
    *args, **kwargs
        Those of `skorch.NeuralNet`.
    rates : ndarray of shape (n_steps,), default=None
        Learning rate of each step (see `one_cycle`). None is a constant rate.
    precision : {"auto", "float32", "bfloat16"}, default="float32"
        Of the products in training steps; weights and all else are float32. "auto" is
        bfloat16 on a CPU that has it, where batches are large enough to gain.
    memory_steps : float, default=None
        Steps that an average of the weights looks back, which is what is judged and
        kept (Polyak and Juditsky 1992). None judges the weights as they are.
    """

    # Numbers that the next epoch depends on, besides.
    memory = ("over_", "step_")
    # Whether gradients are, where that is known how, rather than by autograd.
    takes_by_hand = True
    by_hand_ = None

    def __init__(
        self, *args, rates=None, precision="float32", memory_steps=None, **kwargs
    ):
        super().__init__(*args, **kwargs)
        self.rates = rates
        self.precision = precision
        self.memory_steps = memory_steps

    def get_default_callbacks(self):
        """Return the callback that prints the losses, if verbose."""
        return [("print_log", PrintLog())] if self.verbose else []

    def weights(self):
        """Return all weights, as they are now, by the name of what has them."""
        parts = [part for part, _ in self.criterion.players]
        return {name: getattr(self, name).state_dict() for name in parts}

    def set_weights(self, weights):
        """Copy weights, as `weights` gives them, into this net."""
        for name, state in weights.items():
            getattr(self, name).load_state_dict(state)

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
        self.average_ = None
        self._go_on()
        # What a network keeps besides weights belongs to those that train.
        if self.memory_steps is not None and not [*self.module_.buffers()]:
            self.average_ = Average(self.module_.parameters(), self.memory_steps)
        self.criterion_.begin(held_out=self.train_split is not None)
        single = self.quick_ and len(self.criterion.players) == 1
        self.replay_ = Replay.of(self) if single else None
        n_products = self.batch_size * self.row_cost()[1]
        self.half_ = self.precision == "bfloat16"
        if self.precision == "auto" and n_products > HALF_PRODUCTS:
            self.half_ = has_bfloat16(self.device)
        # No more threads than pay, or than there are processors for: those of one fit
        # wait for one another. `torch_state` puts them back.
        wanted = max(1, n_products // THREAD_PRODUCTS)
        n_threads = min(wanted, torch.get_num_threads(), joblib.cpu_count())
        torch.set_num_threads(n_threads)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Go through the batches once, and note their mean loss."""
        if iterator is None:
            return
        self.by_hand_ = self.replay_ if training else None
        if training and self.takes_by_hand and self.by_hand_ is None:
            self.by_hand_ = Step.of(self.module_, self.criterion_, self.half_)
        cast = training and self.half_ and not isinstance(self.by_hand_, Step)
        device, noted = torch.device(self.device).type, self.criterion_.noted
        noted.clear()
        with (
            contextlib.nullcontext() if training else averaged(self),
            # Its cache of weights would outlive the step that changes them.
            torch.autocast(device, torch.bfloat16, cast, cache_enabled=False),
        ):
            losses, sizes = self._go_through(
                iterator, training, prefix, step_fn, **fit_params
            )
        self.epoch_losses_[f"{prefix}_loss"] = np.average(losses, weights=sizes)
        if noted:
            self.epoch_losses_[f"{prefix}_neighbors"] = torch.cat(noted).mean().item()
            noted.clear()

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
                self._go_on()
        return losses.double().cpu().numpy(), sizes

    def on_train_end(self, net, **kwargs):
        """Let go of what only training needs."""
        super().on_train_end(net, **kwargs)
        self.by_hand_ = self.replay_ = None

    def on_batch_end(self, net, training=False, **kwargs):
        """Go on in the schedule."""
        super().on_batch_end(net, training=training, **kwargs)
        if training:
            self._go_on()

    def _go_on(self):
        """Take a step into the average, and set the learning rate of the next one."""
        if self.average_ is not None:
            self.average_.add()
        if self.rates is not None and self.step_ < len(self.rates):
            for group in self.optimizer_.param_groups:
                group["lr"] = self.rates[self.step_]
            self.step_ += 1

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

    def on_epoch_begin(self, net, **kwargs):
        """Start with no losses, unless the fit is over."""
        if self.over_:
            raise KeyboardInterrupt  # skorch's way to end a fit
        super().on_epoch_begin(net, **kwargs)
        self.criterion_.begin_epoch(self.module_)
        self.valid_losses_ = []
        self.epoch_losses_ = {}

    def evaluate(self, rows):
        """Return the judged losses in inference mode, as float64 on the CPU.

        Where rows have weights, times these.
        """
        self.module_.eval()
        chunk = max(1, tables.CHUNK_CELLS // self.row_cost()[0])
        if self.criterion_.neighbors is not None:  # a batch's rows judge one another
            chunk = self.batch_size
        with torch.no_grad():
            losses = [
                self.judged(self.infer(batch[0]), batch)
                for batch in Batches(rows, chunk)
            ]
        self.criterion_.noted.clear()
        return torch.cat(losses).double().cpu()

    def row_cost(self):
        """Return the cells of the module's widest layer and its products for a row."""
        if not hasattr(self, "row_cost_"):
            n_features = self.module__blueprint.widths.n_features
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

    def plain_params(self):
        """Return the parameters, from which another net can be made like this one."""
        params = self.get_params(deep=False).items()
        params = {name: value for name, value in params if not name.startswith("_")}
        # Those that were at the fit; the next fit has a net and callbacks of its own.
        return {**params, "callbacks": None}

    # Skorch's own state has a pickle within. This one is parameters and arrays, from
    # which the net is built anew: on the device that is there, and by any reader.

    def __getstate__(self):
        state = {"params": self.plain_params()}
        if getattr(self, "initialized_", False):
            optimizers = {
                name: getattr(self, name).state_dict() for name in self.optimizer_names
            }
            state["weights"] = mapped(_as_array, self.weights())
            state["optimizers"] = mapped(_as_array, optimizers)
            state["random_start"] = self.random_start_
            state["history"] = list(self.history_)
        return state

    def __setstate__(self, state):
        device = _device_here(state["params"]["device"])
        self.__init__(**{**state["params"], "device": device})
        if "weights" not in state:
            return
        with torch_state(torch.device(device), 0):
            # A network may have drawn what it keeps neither as weight nor as buffer.
            torch.set_rng_state(_as_tensor(state["random_start"]))
            self.initialize()
            self.set_weights(mapped(_as_tensor, state["weights"]))
            for name, optimizer in mapped(_as_tensor, state["optimizers"]).items():
                getattr(self, name).load_state_dict(optimizer)
        self.random_start_ = state["random_start"]
        self.history_.extend(state["history"])
        self.module_.eval()


def has_bfloat16(device):
    """Tell whether the CPU, if it is the device, has products of bfloat16."""
    has = (getattr(torch.cpu, f"_is_{name}_supported", bool) for name in BFLOAT16)
    return torch.device(device).type == "cpu" and any(each() for each in has)


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
