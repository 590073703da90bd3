"""Codec: the fitted model, from the data's units to codes and back."""

from dataclasses import dataclass

import numpy as np
import torch

from .blueprint import Blueprint
from .net import AutoencoderNet
from .scaling import Scaling, finite
from .tables import chunks
from .torch_state import torch_state

CLOSE = {"rtol": 1e-3, "atol": 1e-3}  # a shorter code, up to float32's rounding


# Float32 is computed in float32, float64 in float64: there a row's result does not
# depend on its neighbours in the batch, which scikit-learn checks to 1e-7.


@dataclass(frozen=True)
class Codec:
    """A trained net with what belongs to it. Parameters set since then don't matter.

    Attributes
    ----------
    net : AutoencoderNet
        The net.
    scaling : Scaling
        Of its training rows.
    blueprint : Blueprint
        Of its module.
    """

    net: AutoencoderNet
    scaling: Scaling
    blueprint: Blueprint

    @property
    def objective(self):
        """What the net was trained for."""
        return self.net.criterion_

    @property
    def n_components(self):
        """Width of the code."""
        return self.blueprint.n_components

    @property
    def unit(self):
        """What codes are multiplied by when they leave the network."""
        return self.objective.code_unit(self.scaling.scale)

    def in_units(self, loss):
        """Return a loss of the net in the data's units."""
        return self.objective.in_units(loss, self.scaling.scale)

    def chunks(self, X):
        """Yield slices of rows that the network takes at a time."""
        return chunks(X, self.net.row_cost()[0])

    def encode(self, table):
        """Return the codes of rows, in the rows' dtype."""
        return self._in_chunks(table, self._encode, self.n_components)

    def decode(self, codes):
        """Return the rows of codes, in the codes' dtype."""
        return self._in_chunks(codes, self._decode, self.blueprint.widths.n_features)

    def reconstruct(self, table, n_components=None):
        """Return rows of which the first code units are known, by default all."""

        def round_trip(X):
            return self._round_trip(X, n_components)

        return self._in_chunks(table, round_trip, self.blueprint.widths.n_features)

    def row_errors(self, table, n_components=None):
        """Return the squared error of each row in units of the scale squared."""
        errors = np.empty(len(table))
        for rows in self.chunks(table):
            part = table[rows]
            residuals = part - self._round_trip(part, n_components)
            residuals = residuals / self.scaling.scale
            errors[rows] = np.square(residuals, dtype=np.float64).sum(axis=1)
        return errors

    def mean_squared_error(self, rows):
        """Return the error per cell, in the data's units, of rows as the net reads."""
        squares = sum(
            np.square(part - self.run(part, "encode", "decode"), dtype=np.float64).sum()
            for part in (rows[chunk].cpu().numpy() for chunk in self.chunks(rows))
        )
        n_cells = len(rows) * rows.shape[1]
        return float(squares / n_cells * self.scaling.scale**2)

    def share_curve(self, rows):
        """Return the share of variance that every prefix of the code explains.

        Parameters
        ----------
        rows : Tensor of shape (n_samples, n_features)
            As the net reads them.

        Returns
        -------
        ndarray of shape (n_components,)
        """
        rows = rows.cpu().numpy()
        centred = rows.astype(np.float64)
        if self.scaling.bounded:
            centred -= self.scaling.mean
        total = np.square(centred).sum()
        codes = self.run(rows, "encode")  # (n_samples, n_components)
        curve = np.empty(self.n_components)
        for k in range(1, self.n_components + 1):
            residuals = rows - self.run(codes[:, :k], "decode")
            left = np.square(residuals, dtype=np.float64).sum()
            curve[k - 1] = 1 - left / total if total else 1.0
        return curve

    def run(self, array, *parts):
        """Call parts of the network, one after the other, in inference mode."""
        tensor = self._tensor(array)
        module = self.net.module_as(tensor.dtype)
        with torch.inference_mode():
            for part in parts:
                tensor = getattr(module, part)(tensor)
            if part == "decode":
                tensor = self.objective.activate(tensor)
        return tensor.cpu().numpy()

    def gradients(self, table):
        """Return the gradients of the code units of rows, in the rows' dtype.

        Parameters
        ----------
        table : table of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_components, n_features)
        """
        shape = len(table), self.n_components, table.shape[1]
        result = np.empty(shape, dtype=table.dtype)
        unit = self.unit / self.scaling.scale
        for rows in self.chunks(table):
            x = self._tensor(self.scaling.apply(table[rows], table.dtype))
            with torch.inference_mode(False), torch.enable_grad():
                x = x.clone().requires_grad_()
                codes = self.net.module_as(x.dtype).encode(x)  # (…, n_components)
                for k in range(self.n_components):
                    # Rows don't touch one another: a column's sum has each's gradient.
                    (of_unit,) = torch.autograd.grad(
                        codes[:, k].sum(), x, retain_graph=True
                    )
                    result[rows, k] = of_unit.cpu().numpy() * unit
        return result

    def prefix(self, n_components):
        """Return a codec whose code is the first units of this one's.

        Raises
        ------
        ValueError
            If the network can't be cut.
        """
        blueprint = self.blueprint.prefix(n_components)
        net = cut(self.net, blueprint)
        return Codec(net, self.scaling, blueprint)

    def _tensor(self, array):
        if self.net.device.startswith("mps"):  # has no float64
            array = array.astype(np.float32)
        return torch.from_numpy(array).to(self.net.device)

    def _in_chunks(self, X, function, n_columns):
        result = np.empty((len(X), n_columns), dtype=X.dtype)
        for rows in self.chunks(X):
            result[rows] = function(X[rows])
        return result

    def _encode(self, X):
        return self.run(self.scaling.apply(X, X.dtype), "encode") * self.unit

    def _decode(self, Z):
        with np.errstate(over="ignore"):  # `finite` tells
            codes = Z / self.unit
        return self._undo(self.run(finite(codes, Z.dtype), "decode"))

    def _round_trip(self, X, n_components):
        X = self.scaling.apply(X, X.dtype)
        if n_components is None:
            return self._undo(self.run(X, "encode", "decode"))
        codes = self.run(X, "encode")[:, :n_components]
        return self._undo(self.run(codes, "decode"))

    def _undo(self, X):
        X = self.scaling.undo(X)
        if self.objective.output.clips:  # what was at an end shall be it exactly
            np.clip(X, self.scaling.low, self.scaling.high, out=X)
        return X


def cut(net, blueprint):
    """Return a net with the first code units of another alone.

    Parameters
    ----------
    net : AutoencoderNet
        Whose code is ordered.
    blueprint : Blueprint
        Of the shorter module.

    Returns
    -------
    AutoencoderNet

    Raises
    ------
    ValueError
        If the network can't be cut.
    """
    k, n_units = blueprint.n_components, net.module__blueprint.n_components
    objective = net.get_params_for("criterion")
    objective = net.criterion.prefix_params(objective, k)
    params = {
        **net.plain_params(),
        **{f"criterion__{name}": value for name, value in objective.items()},
        "module__blueprint": blueprint,
        "train_split": None,
    }
    short = AutoencoderNet(**params)
    with torch_state(torch.device(net.device), 0):
        short.initialize()
        x = torch.randn(8, blueprint.widths.n_features, device=net.device)
    try:
        weights = net.weights()["module_"]
        like = short.weights()["module_"]
        short.set_weights({"module_": prefix_of(weights, like, n_units)})
        with torch.inference_mode():
            z = net.module_.eval().encode(x)[:, :k]
            torch.testing.assert_close(short.module_.eval().encode(x), z, **CLOSE)
            x = net.module_.decode(z)
            torch.testing.assert_close(short.module_.decode(z), x, **CLOSE)
    except (AssertionError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"The network {blueprint.network.__name__} can't be cut to its first "
            f"{k} code units: "
            f"{str(error).splitlines()[0]}. Its layers other than the first of "
            f"decode and the last of encode must not depend on n_components."
        ) from error
    short.history_ = net.history_
    return short


def prefix_of(weights, like, n_components):
    """Cut the weights of an `Ordered` network to fit one with a shorter code.

    Parameters
    ----------
    weights, like : dict of str to Tensor
        State of the network, and of the shorter one.
    n_components : int
        Code units of the network.

    Returns
    -------
    dict of str to Tensor
        In the shapes of `like`.
    """
    cut = {}
    for name, tensor in weights.items():
        for dim, (size, wanted) in enumerate(
            zip(tensor.shape, like[name].shape, strict=True)
        ):
            if size == wanted:
                continue
            # One column for each unit, or two: code and ones.
            blocks, left = divmod(size, n_components)
            if left:
                raise ValueError(f"{name} has shape {tuple(tensor.shape)}")
            tensor = torch.cat(
                [
                    part.narrow(dim, 0, wanted // blocks)
                    for part in tensor.chunk(blocks, dim)
                ],
                dim,
            )
        cut[name] = tensor
    return cut
