"""What a net does with a batch: predict, take a step, judge."""

import numpy as np
import torch
from skorch import NeuralNet
from skorch.utils import to_numpy, to_tensor

from .batches import weights_of


class SteppingNet(NeuralNet):
    """A skorch net whose criterion is an `Objective`: what it does with a batch.

    Its heirs say, before they train, whether only our own callbacks listen (`quick_`)
    and what finds gradients in autograd's place, if anything (`by_hand_`).
    """

    def predict_proba(self, X):
        """Return reconstructions of rows, as the network reads rows.

        Parameters
        ----------
        X : array-like, Tensor or Dataset of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        parts = []
        for found in self.forward_iter(X):
            decoded = found[0] if isinstance(found, (tuple, list)) else found
            with torch.no_grad():
                parts.append(to_numpy(self.criterion_.activate(decoded).float()))
        predicted = np.concatenate(parts)
        if self.criterion_.loss.counts:  # which are shares of the rows' totals
            batches = self.get_iterator(self.get_dataset(X), training=False)
            predicted *= np.concatenate(
                [to_numpy(inputs.sum(1, keepdim=True)) for inputs, _ in batches]
            )
        return predicted

    @property
    def optimizer_names(self):
        """Names of their optimizers."""
        return tuple(optimizer for _, optimizer in self.criterion.players)

    def initialize_optimizer(self, triggered_directly=None):
        """Give each part that trains an optimizer of its own."""
        if len(self.criterion.players) == 1:
            return super().initialize_optimizer(triggered_directly)
        for part, optimizer in self.criterion.players:
            args, kwargs = self.get_params_for_optimizer(
                "optimizer", getattr(self, part).named_parameters()
            )
            setattr(self, optimizer, self.optimizer(*args, **kwargs))
        return self

    def infer(self, x, **fit_params):
        """Return what the objective's losses need."""
        x = to_tensor(x, device=self.device)
        return self.criterion_.predict(self.module_, x)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the mean loss of the rows."""
        y_true = to_tensor(y_true, device=self.device)
        return self.criterion_.row_losses(self.module_, y_pred, y_true, X).mean()

    def train_step(self, batch, **fit_params):
        """Let each part take a step, in turn."""
        if len(self.criterion.players) == 1 and not self.quick_:
            return super().train_step(batch, **fit_params)
        if self.by_hand_ is not None:
            step = self.train_step_single(batch)
            self.optimizer_.step()
            return step
        if not self.quick_:
            self._set_training(True)
        inputs, targets = batch
        y_pred = self.infer(inputs, **fit_params)
        weights = weights_of(batch)
        turns = self.criterion_.turns(self.module_, y_pred, targets, inputs, weights)
        noted = []
        for (part, optimizer), (loss, note) in zip(
            self.criterion.players, turns, strict=True
        ):
            optimizer = getattr(self, optimizer)
            optimizer.zero_grad()
            loss.backward()
            if not self.quick_ and part == "module_":
                named = list(getattr(self, part).named_parameters())
                self.notify(
                    "on_grad_computed",
                    named_parameters=named,
                    batch=batch,
                    training=True,
                )
            optimizer.step()
            noted.append(note)
        return {"loss": sum(noted[1:], noted[0]), "y_pred": y_pred}

    def train_step_single(self, batch, **fit_params):
        """Set the gradients, by hand where that is known how."""
        weights = weights_of(batch)
        if self.by_hand_ is not None:
            loss, y_pred = self.by_hand_(*batch, weights)
        elif weights is None:
            return super().train_step_single(batch, **fit_params)
        else:  # which skorch's step would not see
            inputs, targets = batch
            self._set_training(True)
            y_pred = self.infer(inputs, **fit_params)
            losses = self.criterion_.row_losses(
                self.module_, y_pred, targets, inputs, weights
            )
            loss = losses.mean()
            loss.backward()
        return {"loss": loss, "y_pred": y_pred}

    def judged(self, y_pred, batch):
        """Return the losses that judge an epoch, for each row that judges."""
        inputs, targets = batch
        losses = self.criterion_.judged_losses(
            self.module_, y_pred, targets, inputs, weights_of(batch)
        )
        return self.criterion_.own(losses)

    def validation_step(self, batch, **fit_params):
        """Keep each row's loss too: what `KeepBest` judges by."""
        inputs, _ = batch
        self._set_training(False)
        with torch.no_grad():
            y_pred = self.infer(inputs, **fit_params)
            losses = self.judged(y_pred, batch)
        self.valid_losses_.append(losses)
        return {"loss": losses.mean(), "y_pred": y_pred}
