"""Checkpoints: the whole state of a fit, written after every epoch."""

import io
import os
import shutil
import uuid
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback

FORMAT = 3
FILE = "checkpoint.pt"


def replace_file(path, write):
    """Write a file so that at any moment there is the old one or the whole new one.

    Parameters
    ----------
    path : path-like
        Of the file.
    write : callable
        Called with a file opened for writing bytes.
    """
    path = os.path.realpath(path)
    temporary = f"{path}.{uuid.uuid4().hex}.tmp"
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def mapped(function, state):
    """Return a state, of dicts, lists and tuples, with a function of all it holds.

    Parameters
    ----------
    function : callable
        Called with each value that is no dict, list or tuple.
    state : object
        The state.

    Returns
    -------
    object
        Of the same structure.
    """
    if isinstance(state, dict):
        return {key: mapped(function, value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return type(state)(mapped(function, value) for value in state)
    return function(state)


class Checkpoint(Callback):
    """Write the state of a fit after every epoch, or take it up again.

    In the file are weights, optimizers, random generators, schedule, history and what
    the judge knows: with them a fit goes on bit by bit as if it had not ended. Nothing
    in it is executed: it is read by ``torch.load(weights_only=True)``.

    Parameters
    ----------
    folder : path-like
        Where the file is, or will be. It is made if missing.
    generator : numpy.random.Generator
        The fit's, which has not drawn yet. It is set to what it was.
    """

    epochs_only = True

    def __init__(self, folder, generator):
        self.path = Path(folder) / FILE
        self.saved = self._read()
        if self.saved is not None:
            generator.bit_generator.state = self.saved["generator"]
        self.generator = generator.bit_generator.state

    def open(self, fit, keeper):
        """Begin, or go on if the file is of the same fit.

        Parameters
        ----------
        fit : dict of str to str
            What the fit is of: the same for the same call with the same data.
        keeper : KeepBest
            The callback that keeps weights.

        Raises
        ------
        ValueError
            If the file is of another fit.
        """
        self.fit, self.keeper = fit, keeper
        saved = {} if self.saved is None else self.saved["fit"]
        for name, now in fit.items() if saved else ():
            if saved.get(name) != now:
                raise ValueError(
                    f"{self.path} is the checkpoint of another fit: its {name} was "
                    f"{saved.get(name)}, now it is {now}. Set it back to go on, or "
                    f"take another folder as 'checkpoint'."
                )

    def _read(self):
        try:
            data = io.BytesIO(self.path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            saved = torch.load(data, map_location="cpu", weights_only=True)
        except Exception as error:  # of zip files, of unpickling, of torch
            raise ValueError(
                f"{self.path} is damaged, or no checkpoint: delete it to begin anew."
            ) from error
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise ValueError(
                f"{self.path} is no checkpoint of this version of sklearn_ae: delete "
                f"it to begin anew."
            )
        return saved

    def on_train_begin(self, net, **kwargs):
        """Set everything to what it was after the last epoch."""
        self.max_epochs_ = net.max_epochs
        if self.saved is None:
            self._write(net)  # a folder that can't be written shall say so now
            return
        net.set_weights(self.saved["weights"])
        for name, state in self.saved["optimizers"].items():
            getattr(net, name).load_state_dict(state)
        net.history.extend(self.saved["history"])
        vars(net).update(self.saved["net"])
        if net.average_ is not None:
            net.average_.load_state_dict(self.saved["average"])
        for name, value in self.saved["objective"].items():
            setattr(net.criterion_, name, value)
        self.keeper.load_state_dict(self.saved["keeper"])
        torch.set_rng_state(self.saved["torch"])
        if "cuda" in self.saved:
            torch.cuda.set_rng_state(self.saved["cuda"], net.device)
        net.max_epochs = 0 if net.over_ else net.max_epochs - len(net.history)

    def on_epoch_end(self, net, **kwargs):
        """Write all that the next epoch depends on."""
        self._write(net)

    def on_train_end(self, net, **kwargs):
        """Give the net its number of epochs back."""
        net.max_epochs = self.max_epochs_

    def remove(self):
        """Delete the file of a fit that is done."""
        self.path.unlink(missing_ok=True)

    def _write(self, net):
        objective = net.criterion_
        state = {
            "format": FORMAT,
            "fit": self.fit,
            "generator": self.generator,
            "weights": net.weights(),
            "optimizers": {
                name: getattr(net, name).state_dict() for name in net.optimizer_names
            },
            "history": [{**epoch, "batches": []} for epoch in net.history],
            "net": {name: getattr(net, name) for name in net.memory},
            "objective": {name: getattr(objective, name) for name in objective.memory},
            "average": net.average_ and net.average_.state_dict(),
            "keeper": self.keeper.state_dict(),
            "torch": torch.get_rng_state(),
        }
        if torch.device(net.device).type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(net.device)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(
                self.path, lambda file: torch.save(mapped(_plain, state), file)
            )
        except (OSError, RuntimeError) as error:  # torch's own word for a full disk
            raise OSError(
                f"The checkpoint {self.path} can't be written: {error}. What was "
                f"written before is still there: the same call goes on from it."
            ) from error


def _plain(value):
    # Python's numbers, which are safe to read, for numpy's.
    return value.item() if isinstance(value, np.generic) else value
