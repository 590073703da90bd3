"""`sklearn-ae fit`, `transform`, `reconstruct` and `score`: a model in a folder.

`reading.json` has how the file was read, the scales and the means of the columns;
`autoencoder.safetensors` has the network, and `imputer.safetensors`, if there is one,
what fills missing cells instead of the means. None holds code.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from .. import AutoencoderImputer, AutoencoderTransformer, __version__, load, save
from ..datasets import Reading, TableEncoder, imputer, read_table
from .paths import FILES
from .source import filler, name, read, standard_input

FORMAT = 2  # 1 where there is no imputer: what older releases read


@dataclass(frozen=True)
class Model:
    """What `fit` writes and the other commands read."""

    reading: Reading
    encoder: TableEncoder
    fill: object  # the fitted imputer
    autoencoder: AutoencoderTransformer
    mean: np.ndarray  # (n_encoded,), of the rows that the model was fitted to

    def code(self, Z):
        """Return the codes of encoded rows."""
        return self.autoencoder.transform(self.fill.transform(Z))

    def round_trip(self, Z):
        """Return what is left of encoded rows."""
        return self.fill.inverse_transform(
            self.autoencoder.inverse_transform(self.code(Z))
        )


def fit(options, say):
    """Run `sklearn-ae fit`."""
    table = read(options)
    for note in table.notes:
        say(note)
    encode = table.preprocessing.named_steps["encode"]
    Z = encode.fit_transform(table.data)
    limit = min(Z.shape)
    if options.n_components > limit:
        raise ValueError(
            f"--n-components {options.n_components} is above the limit of {limit}, the "
            f"smaller of {len(Z)} rows and {Z.shape[1]} columns."
        )
    fill = filler(options)
    autoencoder = AutoencoderTransformer(
        options.n_components, random_state=options.random_state
    ).fit(fill.fit_transform(Z))
    mean = np.nanmean(Z, axis=0)
    model = Model(table.reading, encode, fill, autoencoder, mean)
    _write(model, options.output)
    share, _ = _explained(model, Z)
    print(
        f"{name(options)}: {len(Z):,} rows, {Z.shape[1]:,} columns in "
        f"{options.n_components} numbers, {share:.2%} of the variance of these rows "
        f"explained. Wrote {options.output}."
    )


def transform(options, say):
    """Run `sklearn-ae transform`."""
    model, _, Z = _applied(options, say)
    codes = model.code(Z)
    names = [f"code{i}" for i in range(codes.shape[1])]
    _write_csv(pd.DataFrame(codes, columns=names), options)


def reconstruct(options, say):
    """Run `sklearn-ae reconstruct`."""
    model, _, Z = _applied(options, say)
    table = model.encoder.inverse_transform(model.round_trip(Z))
    for column, kind in model.reading.kinds.items():
        if kind == "date":
            table[column] = pd.to_datetime(table[column], unit="D").dt.round("s")
    _write_csv(table, options)


def score(options, say):
    """Run `sklearn-ae score`."""
    model, _, Z = _applied(options, say)
    share, errors = _explained(model, Z)
    found = {"data": name(options), "rows": len(Z), "explained_variance": share}
    if options.output is not None:
        _write_csv(pd.DataFrame({"squared_error": errors}), options, options.json)
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"{found['data']}: {len(Z):,} rows, {share:.2%} of the variance explained."
        )


def _explained(model, Z):
    """Return the share of variance explained of the cells there, and rows' errors.

    The baseline is the mean of the rows that the model was fitted to.
    """
    there = ~np.isnan(Z)
    errors = np.sum((Z - model.round_trip(Z)) ** 2, axis=1, where=there)
    total = np.sum((Z - model.mean) ** 2, where=there)
    return float(1 - errors.sum() / total), errors


def _applied(options, say):
    """Read the model, and the table as the model's was read."""
    model = read_model(options.model)
    path = standard_input() if options.data == "-" else options.data
    table = read_table(path, reading=model.reading, **model.reading.told)
    for note in table.notes:
        say(note)
    return model, table, model.encoder.transform(table.data)


def _write_csv(frame, options, quiet=False):
    frame.to_csv(options.output, index=False)
    if not quiet:
        print(f"Wrote {options.output}: {len(frame):,} rows.")


def _write(model, folder):
    reading, autoencoder, fill = (folder / file for file in FILES["fit"])
    encoder = model.encoder
    learned = isinstance(model.fill, AutoencoderImputer)
    content = {
        "format": FORMAT if learned else 1,
        "sklearn_ae": __version__,
        "reading": asdict(model.reading),
        "encoder": {
            "scale": encoder.scale,
            "columns": encoder.feature_names_in_.tolist(),
            "categories": encoder.categories_,
            "mean": encoder.mean_.tolist(),
            "unit": encoder.scale_.tolist(),
        },
        "fill": model.mean.tolist(),
    }
    save(model.autoencoder, autoencoder)
    fill.unlink(missing_ok=True)  # of another model
    if learned:
        save(model.fill, fill)
    reading.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")


def read_model(folder):
    """Read what `fit` wrote.

    Parameters
    ----------
    folder : Path
        The model's.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        If it is not one, is damaged, or of a newer format.
    """
    reading, autoencoder, learned = (folder / file for file in FILES["fit"])
    if not (reading.is_file() and autoencoder.is_file()):
        raise ValueError(
            f"{folder} is no model, a folder with {reading.name} and "
            f"{autoencoder.name}: sklearn-ae fit --output writes one."
        )
    try:
        content = json.loads(reading.read_text("utf-8"))
        if content["format"] > FORMAT:
            raise ValueError("it was written by a newer sklearn-ae")
        encoder = _encoder(**content["encoder"])
        mean = np.array(content["fill"], dtype=np.float64)
        if content["format"] == 1:
            # The state of scikit-learn's is not ours to write: its means, as one row.
            fill = imputer().fit(mean[None])
        elif learned.is_file():
            fill = load(learned)
        else:
            raise ValueError(f"{learned.name} is not there")
        reading = Reading(**content["reading"])
        model = Model(reading, encoder, fill, load(autoencoder), mean)
        widths = {len(encoder.mean_), len(encoder.scale_), len(mean)}
        widths.add(fill.n_features_in_)
        if widths != {len(encoder.get_feature_names_out())}:
            raise ValueError("it is damaged: its parts do not fit together")
        return model
    except (KeyError, TypeError, ValueError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{folder} cannot be read: {reason}.") from error


def _encoder(scale, columns, categories, mean, unit):
    encoder = TableEncoder(scale)
    encoder.feature_names_in_ = np.array(columns, dtype=object)
    encoder.n_features_in_ = len(columns)
    encoder.categories_ = categories
    encoder.mean_, encoder.scale_ = np.array(mean), np.array(unit)
    return encoder
