"""History: the losses of a fit, in the data's units."""

from dataclasses import dataclass


@dataclass(frozen=True)
class History:
    """Losses of the epochs, over all calls that went on from one another.

    Attributes
    ----------
    losses, valid_losses : list of float
        Training and validation loss of each epoch.
    best_iter : int
        The epoch whose weights were kept; 0 is the start.
    best_loss : float
        Their loss.
    """

    losses: list
    valid_losses: list
    best_iter: int
    best_loss: float

    @classmethod
    def of(cls, epochs, verdict, in_units, previous=None):
        """Read the history of a training.

        Parameters
        ----------
        epochs : list of dict
            Skorch's, those that came to their end.
        verdict : Verdict
            What became of it.
        in_units : callable
            Turns a loss into one in the data's units.
        previous : History, default=None
            Of the fit that this one went on from.

        Returns
        -------
        History
        """
        losses = [in_units(float(epoch["train_loss"])) for epoch in epochs]
        valid_losses = [
            in_units(float(epoch["valid_loss"]))
            for epoch in epochs
            if "valid_loss" in epoch
        ]
        if previous is not None:
            losses = previous.losses + losses
            valid_losses = previous.valid_losses + valid_losses
        best_iter = len(losses) - len(epochs) + verdict.best_epoch
        if previous is not None and not verdict.best_epoch:
            best_iter = previous.best_iter
        return cls(losses, valid_losses, best_iter, in_units(verdict.best_loss))

    @property
    def n_iter(self):
        """Number of epochs."""
        return len(self.losses)

    @property
    def last_loss(self):
        """Training loss of the last epoch; NaN if there was none."""
        return self.losses[-1] if self.losses else float("nan")
