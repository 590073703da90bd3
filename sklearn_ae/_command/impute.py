"""`sklearn-ae impute`: a table with its missing cells filled."""

import pandas as pd

from .. import AutoencoderImputer
from ..datasets import TableEncoder
from .source import name, read


def impute(options, say):
    """Run `sklearn-ae impute`."""
    table = read(options)
    for note in table.notes:
        say(note)
    gone = table.data.isna()
    encoder = TableEncoder()
    Z = encoder.fit_transform(table.data)
    fill = AutoencoderImputer(random_state=options.random_state).fit(Z)
    # Of a category the most probable value; what was observed is as it was.
    filled = encoder.inverse_transform(fill.transform(Z))[list(table.data)]
    whole = table.data.where(~gone, filled)
    for column, kind in table.reading.kinds.items():
        if kind == "date":
            whole[column] = pd.to_datetime(whole[column], unit="D").dt.round("s")
    whole.to_csv(options.output, index=False)
    counts = gone.sum()
    each = [f"{column} ({n:,})" for column, n in counts[counts > 0].items()]
    print(
        f"{name(options)}: filled {counts.sum():,} of {gone.size:,} cells"
        f"{': ' * bool(each)}{', '.join(each)}. Wrote {options.output}: "
        f"{len(whole):,} rows."
    )
