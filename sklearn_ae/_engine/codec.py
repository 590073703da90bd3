"""Codec: the fitted model, from the data's units to codes and back."""

from dataclasses import dataclass

import numpy as np
import torch

from .blueprint import Blueprint
from .counts import row_deviances, share_of_columns, totals
from .cut import cut
from .factor import Factors
from .net import AutoencoderNet
from .scaling import Scaling, finite
from .tables import chunks, has_missing

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

    @property
    def takes_missing(self):
        """Whether rows may have missing cells."""
        return self.blueprint.takes_missing

    @property
    def factors(self):
        """What fills missing cells, in the data's units."""
        module, unit = self.net.module_, self.scaling.scale
        parts = (module.loadings, module.noise, module.mean)
        loadings, noise, mean = (part.double().cpu().numpy() for part in parts)
        return Factors(loadings * unit, noise * unit**2, self.scaling.undo(mean))

    def fill(self, table):
        """Return rows whose missing cells are as the factors say."""
        n_columns = self.blueprint.widths.n_features

        def fill(X):
            rows = self.run(self.scaling.apply(X, X.dtype), "fill")
            return np.where(np.isnan(X), self.scaling.undo(rows), X)

        return self._in_chunks(table, fill, n_columns)

    def check(self, table):
        """Raise an error if cells are missing that must not be."""
        if not self.takes_missing and has_missing(table):
            raise ValueError(
                "X has missing cells (NaN), and the rows of fit had none: fit with "
                "missing='expect'."
            )

    def observed(self, residuals):
        """Return residuals that are zero where cells are missing."""
        return np.nan_to_num(residuals, copy=False) if self.takes_missing else residuals

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
        """Return the squared error of each row in units of the scale squared.

        Missing cells have none. Of counts it is the deviance.
        """
        errors = np.empty(len(table))
        for rows in self.chunks(table):
            part = table[rows]
            errors[rows] = _misfits(self, part, self._round_trip(part, n_components))
        return errors

    def error_and_shares(self, rows, weights=None):
        """Return how well rows are reconstructed, and which units have what part in it.

        Parameters
        ----------
        rows : Tensor or Stream of shape (n_samples, n_features)
            As the net reads them.
        weights : ndarray of shape (n_samples,), default=None
            Of the rows, with a mean of 1.

        Returns
        -------
        error : float
            Per observed cell, squared, in the data's units. Of counts the deviance.
        shares : ndarray of shape (n_components,)
            The share of variance that the code explains, divided among its units in
            proportion to their variances.
        """
        left = total = sums = squares = 0.0
        n_cells = 0
        for chunk in self.chunks(rows):
            part = rows[chunk].cpu().numpy()
            codes = self.run(part, "encode")  # (n_rows, n_components)
            own = 1.0 if weights is None else weights[chunk, None]
            left += _left(self, part, self.run(codes, "decode"), own)
            n_cells += (~np.isnan(part) * own).sum()
            total += _variance(self, part, own)
            sums += (codes * own).sum(axis=0, dtype=np.float64)
            squares += (np.square(codes, dtype=np.float64) * own).sum(axis=0)
        with np.errstate(invalid="ignore"):  # of codes that are not finite
            spread = np.maximum(squares - sums**2 / len(rows), 0)
        if not (np.isfinite(spread).all() and spread.any()):
            spread = np.ones_like(spread)
        share = 1 - left / total if total else 1.0
        error = left / (n_cells or 1) * self.scaling.scale**2
        return float(error), share * spread / spread.sum()

    def squared_errors(self, table):
        """Return the squared error of each row in the data's squared units.

        Of a row with missing cells it is the mean of the others, times the number of
        columns; 0 if there are none.
        """
        errors = self.row_errors(table)
        if self.takes_missing:
            parts = (~np.isnan(table[rows]) for rows in chunks(table))
            observed = np.concatenate([part.mean(axis=1) for part in parts])
            errors = errors / np.where(observed, observed, 1.0)
        return errors * self.scaling.scale**2

    def explained(self, table, n_components=None, weights=1.0):
        """Return the share of the observed cells' variance that is explained.

        Parameters
        ----------
        table : table of shape (n_samples, n_features)
        n_components : int, default=None
            The first units that count, by default all.
        weights : ndarray of shape (n_samples,), default=1.0
            Of the rows.

        Returns
        -------
        float
        """
        left = (self.row_errors(table, n_components) * weights).sum()
        total = 0.0
        for rows in chunks(table):
            own = weights[rows, None] if isinstance(weights, np.ndarray) else weights
            total += _spread(self, table[rows], own)
        if total == 0:  # left may hold a rounding error of float32
            scale = self.scaling.scale
            size = sum(
                np.nansum(np.square(table[rows] / scale, dtype=np.float64))
                for rows in chunks(table)
            )
            return 1.0 if left <= np.finfo(np.float32).eps ** 2 * size else 0.0
        return float(1 - left / total)

    def run(self, array, *parts):
        """Call parts of the network, one after the other, in inference mode."""
        tensor = self.tensor(array)
        module = self.net.module_as(tensor.dtype)
        with torch.inference_mode():
            for part in parts:
                tensor = getattr(module, part)(tensor)
            if part == "decode":
                tensor = self.objective.activate(tensor)
        return tensor.cpu().numpy()

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

    def tensor(self, array):
        if self.net.device.startswith("mps"):  # has no float64
            array = array.astype(np.float32)
        return torch.from_numpy(array).to(self.net.device)

    def _in_chunks(self, X, function, n_columns):
        result = np.empty((len(X), n_columns), dtype=X.dtype)
        for rows in self.chunks(X):
            result[rows] = function(X[rows])
        return result

    def _encode(self, X):
        return self.run(_read(self, X), "encode") * self.unit

    def _decode(self, Z):
        with np.errstate(over="ignore"):  # `finite` tells
            codes = Z / self.unit
        rows = self._undo(self.run(finite(codes, Z.dtype), "decode"))
        return self.scaling.mean.sum() * rows if _counts(self) else rows

    def _round_trip(self, X, n_components):
        read = _read(self, X)
        if n_components is None:
            rows = self._undo(self.run(read, "encode", "decode"))
        else:
            codes = self.run(read, "encode")[:, :n_components]
            rows = self._undo(self.run(codes, "decode"))
        return totals(X) * rows if _counts(self) else rows

    def _undo(self, X):
        X = self.scaling.undo(X)
        floor, ceiling = self.scaling.floor, self.scaling.ceiling
        if floor is not None:  # what was at an end shall be it exactly
            np.clip(X, floor.astype(X.dtype), ceiling.astype(X.dtype), out=X)
        return X


def _counts(codec):
    """Tell whether rows are counts, whose errors are deviances."""
    return codec.objective.loss.counts


def _read(codec, X):
    """Return rows as the net reads them, if they can be read."""
    if _counts(codec) and (least := X.min(initial=0)) < 0:
        raise ValueError(
            f"X has negative values, the least {least:g}, and loss="
            f"{codec.blueprint.settings['loss']!r} takes counts: numbers from 0 on."
        )
    return codec.scaling.apply(X, X.dtype)


def _misfits(codec, X, back):
    """Return the squared error of rows in units of the scale, or the deviance."""
    if _counts(codec):
        return row_deviances(X, back)
    residuals = codec.observed(X - back) / codec.scaling.scale
    return np.square(residuals, dtype=np.float64).sum(axis=1)


def _spread(codec, X, weights=1.0):
    """Return the sum of that where the model is the mean, or the columns' shares."""
    mean, scale = codec.scaling.mean, codec.scaling.scale
    if _counts(codec):
        deviances = row_deviances(X, totals(X) * share_of_columns(mean))
        return (deviances[:, None] * weights).sum()
    return np.nansum(np.square((X - mean) / scale) * weights)


def share_curve(codec, rows, weights=None):
    """Return the share of variance that every prefix of the code explains.

    Parameters
    ----------
    rows : Tensor of shape (n_samples, n_features)
        As the net reads them.
    weights : ndarray of shape (n_samples,), default=None
        Of the rows.

    Returns
    -------
    ndarray of shape (n_components,)
    """
    rows, own = rows.cpu().numpy(), 1.0 if weights is None else weights[:, None]
    total = _variance(codec, rows, own)
    codes = codec.run(rows, "encode")  # (n_samples, n_components)
    curve = np.empty(codec.n_components)
    for k in range(1, codec.n_components + 1):
        left = _left(codec, rows, codec.run(codes[:, :k], "decode"), own)
        curve[k - 1] = 1 - left / total if total else 1.0
    return curve


def gradients(codec, table):
    """Return the gradients of the code units of rows, in the rows' dtype.

    Parameters
    ----------
    table : table of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples, n_components, n_features)
    """
    shape = len(table), codec.n_components, table.shape[1]
    result = np.empty(shape, dtype=table.dtype)
    if _counts(codec):
        raise ValueError(
            "Codes of counts have no gradients: they turn on the roots of shares, "
            "whose slope at 0 is infinite."
        )
    unit = codec.unit / codec.scaling.scale
    for rows in codec.chunks(table):
        x = codec.tensor(codec.scaling.apply(table[rows], table.dtype))
        with torch.inference_mode(False), torch.enable_grad():
            x = x.clone().requires_grad_()
            codes = codec.net.module_as(x.dtype).encode(x)  # (…, n_components)
            for k in range(codec.n_components):
                # Rows don't touch one another: a column's sum has each's gradient.
                (of_unit,) = torch.autograd.grad(
                    codes[:, k].sum(), x, retain_graph=True
                )
                result[rows, k] = of_unit.cpu().numpy() * unit
    return result


def _left(codec, rows, back, weights):
    """Return the squared errors, or deviances, of rows as the net reads and gives."""
    if _counts(codec):
        deviances = row_deviances(rows, totals(rows) * back)
        return (deviances[:, None] * weights).sum()
    residuals = codec.observed(rows - back)
    return (np.square(residuals, dtype=np.float64) * weights).sum()


def _variance(codec, rows, weights):
    """Return the squared distances from the mean of rows as the net reads."""
    if _counts(codec):
        return _spread(codec, rows, weights)
    centred = rows.astype(np.float64)
    if codec.scaling.bounded:
        centred -= codec.scaling.mean
    return (np.square(codec.observed(centred)) * weights).sum()
