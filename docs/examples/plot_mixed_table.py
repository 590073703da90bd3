"""
Numbers and categories in one table
===================================

Eight columns of numbers and three of categories, and three numbers for a row. What
comes back of each column?
"""

# %%
# 2,000 days at weather stations, made by a little physics, so that we know what is in
# them: the day of the year, the height of the station and the pressure decide nearly
# all of the rest, through curves (the sun's), steps (rain, or snow) and names (the
# month).

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.datasets import TableEncoder
from sklearn_ae.metrics import reconstruction_scorer

rng = np.random.default_rng(0)
days = 2000
date = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(365, size=days), "D")
season = np.sin(2 * np.pi * (date.day_of_year.to_numpy() - 80) / 365)
height = rng.uniform(0, 2000, days)
front = rng.normal(size=days)
cloud = 1 / (1 + np.exp(2 * front + rng.normal(scale=0.4, size=days)))
light = 12 + 4 * season
celsius = 9 + 9 * season - 0.0065 * height - 3 * cloud * season + rng.normal(size=days)
rain = np.clip(25 * (cloud - 0.6), 0, None) * rng.gamma(4, 0.25, size=days)
wet = np.where(celsius < 0.5, "snow", "rain")
table = pd.DataFrame(
    {
        "month": date.month_name(),
        "weather": np.where(cloud < 0.35, "clear", np.where(rain < 0.5, "cloudy", wet)),
        "ground": np.select([height > 1400, height > 700], ["rock", "forest"], "field"),
        "pressure": 1013 + 9 * front + rng.normal(size=days),
        "cloud": cloud,
        "daylight": light,
        "sunshine": light * (1 - cloud) + rng.normal(scale=0.3, size=days),
        "celsius": celsius,
        "humidity": 55 + 35 * cloud - celsius / 2 + rng.normal(scale=3, size=days),
        "rain": rain,
        "height": height,
    }
)
train, test = table[:1500], table[1500:]
table.head()

# %%
# :class:`~sklearn_ae.datasets.TableEncoder` standardizes the numbers and makes
# columns of 0 and 1 of a category, which together count as much as one column of
# numbers. Both reducers get the same, and ``inverse_transform`` of the Pipeline gives
# a table back, names and all.

pipelines = {
    "PCA": make_pipeline(TableEncoder(), PCA(3)),
    "autoencoder": make_pipeline(
        TableEncoder(), AutoencoderTransformer(3, random_state=0)
    ),
}
kept = {}
for name, pipeline in pipelines.items():
    back = pipeline.fit(train).inverse_transform(pipeline.transform(test))
    kept[name] = {
        column: 1
        - ((back[column] - test[column].array) ** 2).mean() / test[column].var()
        if pd.api.types.is_numeric_dtype(test[column])
        else (back[column].array == test[column].array).mean()
        for column in table
    }
    print(f"{name}: {reconstruction_scorer(pipeline, test):.0%} of the variance")
back.head()

# %%
# Column by column, for days that neither was fitted to: the share of rows whose
# category came back right, and the share of variance of a number.

kept = pd.DataFrame(kept)[::-1]
place = np.arange(len(kept))
fig, ax = plt.subplots(figsize=(7, 4.4), layout="constrained")
ax.hlines(place, kept.min(axis=1), kept.max(axis=1), color="0.8", lw=3)
for (name, shares), marker in zip(kept.items(), "os", strict=True):
    ax.plot(shares, place, marker, ms=8, label=name)
ax.set_yticks(place, labels=kept.index)
ax.set(xlim=(0, 1.03), xlabel="share that came back: of rows, of variance")
ax.legend(loc="lower left")
plt.show()

# %%
# Three numbers are enough for the columns of numbers, for PCA too: rain apart, both
# keep the same. The categories make the difference. A month is a stretch of the year,
# and ground a stretch of heights; weighted sums can't say "from here to there", a
# network can.
#
# The same from a terminal, with a verdict for each code size:
#
# .. code-block:: console
#
#    $ sklearn-ae compare days.csv
