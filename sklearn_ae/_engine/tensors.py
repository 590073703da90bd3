"""TensorCodec: the fitted model for tensors, which stay on their device."""

import numpy as np
import torch

from .tables import chunks

FAR = 1e15  # scales from the mean up to which float32 and its squares are safe


class TensorCodec:
    """What a `Codec` does with arrays, done with tensors on the device of the net.

    Parameters
    ----------
    codec : Codec
        Neither of counts nor one that takes missing cells.
    """

    def __init__(self, codec):
        self.codec = codec

    @staticmethod
    def suits(codec, X, kind):
        """Tell whether a tensor can be read where it is.

        What can't be is read by way of NumPy, where there are words for what is wrong.

        Parameters
        ----------
        codec : Codec
        X : Tensor
        kind : {"rows", "codes"}

        Returns
        -------
        bool
        """
        device = torch.empty(0, device=codec.net.device).device
        if not (
            X.dtype in (torch.float32, torch.float64)
            and (X.layout == torch.strided and X.ndim == 2 and X.numel() > 0)
            and X.device == device
            and not (codec.takes_missing or codec.objective.loss.counts)
            and 1e-30 < codec.scaling.scale < 1e30
        ):
            return False
        X = X.detach()
        if kind == "codes":
            return bool(X.abs().max() <= FAR * np.min(codec.unit))
        if X.shape[1] != codec.blueprint.widths.n_features:
            return False
        distance = (X - _tensor(codec.scaling.mean, X)).abs().max()
        return bool(distance <= FAR * codec.scaling.scale)  # not of NaN

    def encode(self, X):
        """Return the codes of rows, in the rows' dtype."""
        return self._in_chunks(X, lambda part: self._encode(part) * self.codec.unit)

    def decode(self, Z):
        """Return the rows of codes, in the codes' dtype."""
        return self._in_chunks(Z, lambda part: self._decode(part / self.codec.unit))

    def reconstruct(self, X, n_components=None):
        """Return rows of which the first code units are known, by default all."""
        return self._in_chunks(X, lambda part: self._round_trip(part, n_components))

    def squared_errors(self, X, n_components=None):
        """Return the squared error of each row in the data's squared units."""

        def errors(part):
            left = part - self._round_trip(part, n_components)
            return left.double().square().sum(1)

        return self._in_chunks(X, errors)

    def explained(self, X, n_components=None, weights=1.0):
        """Return the share of variance that is explained."""
        weights = torch.as_tensor(weights, dtype=torch.float64, device=X.device)
        left = (self.squared_errors(X, n_components) * weights).sum()
        mean = torch.from_numpy(self.codec.scaling.mean).to(X.device)
        total = self._in_chunks(X, lambda part: (part - mean).square().sum(1))
        total = (total * weights).sum()
        if total == 0:
            least = torch.finfo(torch.float32).eps ** 2
            return 1.0 if left <= least * X.double().square().sum() else 0.0
        return float(1 - left / total)

    def _in_chunks(self, X, function):
        with torch.inference_mode():
            width = self.codec.net.row_cost()[0]
            parts = [function(X[rows]) for rows in chunks(X, width)]
            result = torch.cat(parts)
        return result.clone()  # one that autograd may go on from

    def _encode(self, X):
        scaling = self.codec.scaling
        if not scaling.bounded:
            mean = torch.from_numpy(scaling.mean)
            coarse, fine = mean.to(X), (mean - mean.to(X.dtype)).to(X)  # see `Scaling`
            X = (X - coarse).sub_(fine).div_(scaling.scale)
        return self.codec.net.module_as(X.dtype).encode(X)

    def _decode(self, Z):
        scaling = self.codec.scaling
        rows = self.codec.net.module_as(Z.dtype).decode(Z)
        rows = self.codec.objective.activate(rows)
        if not scaling.bounded:
            rows = rows * scaling.scale + _tensor(scaling.mean, Z)
        if scaling.floor is not None:
            ends = _tensor(scaling.floor, Z), _tensor(scaling.ceiling, Z)
            rows = torch.clamp(rows, *ends)
        return rows

    def _round_trip(self, X, n_components):
        return self._decode(self._encode(X)[:, :n_components])


def _tensor(array, like):
    """Return an array as a tensor of the dtype, and on the device, of another."""
    return torch.as_tensor(array).to(dtype=like.dtype, device=like.device)
