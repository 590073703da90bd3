"""
A table as people have it
=========================

A spreadsheet's export, with everything that makes exports awkward: read, reduced to two
numbers a row, and taken back to the table.
"""

# %%
# The measurements of 569 tumours that come with scikit-learn, written as a German
# spreadsheet would write them: semicolons, decimal commas, a title, an id, a unit, text
# for the diagnosis, and 3 % of the cells empty or "n.a.".

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.datasets import read_table
from sklearn_ae.metrics import reconstruction_scorer

bundled = load_breast_cancer(as_frame=True)
frame = bundled.data.map(lambda x: f"{x:.5g}".replace(".", ","))
frame["mean radius"] += " mm"
holes = np.random.default_rng(0).random(frame.shape) < 0.03
frame = frame.mask(holes, "n.a.")
frame.insert(0, "patient_id", np.arange(len(frame)) + 870_001)
frame["diagnosis"] = bundled.target_names[bundled.target]
path = Path(tempfile.mkdtemp()) / "export.csv"
path.write_text("Tumours, all clinics\n\n" + frame.to_csv(index=False, sep=";"))
print(path.read_text()[:300], "...")

# %%
# Reading it
# ----------
# What was assumed is in the notes.

table = read_table(path, target="diagnosis")
for note in table.notes:
    print("-", note)
table.data.iloc[:5, :5]

# %%
# Two numbers for a tumour
# ------------------------
# The preprocessing that comes with the table has two steps: one makes standardized
# columns of it, the other fills missing cells by their means. Between them is the place
# to measure: columns count alike, and cells that were missing are not scored.

encode, fill = (step for _, step in table.preprocessing.steps)
train, test, y_train, y_test = train_test_split(
    table.data, table.target, random_state=0
)
Z_train, Z_test = encode.fit_transform(train), encode.transform(test)
reducers = {
    "PCA": PCA(2),
    "autoencoder": AutoencoderTransformer(2, random_state=0),
}
fig, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
for ax, (name, reducer) in zip(axes, reducers.items(), strict=True):
    pipeline = make_pipeline(fill, reducer).fit(Z_train)
    codes = pipeline.transform(Z_test)
    for diagnosis in np.unique(y_test):
        rows = y_test == diagnosis
        ax.scatter(*codes[rows].T, s=14, label=diagnosis)
    share = reconstruction_scorer(pipeline, Z_test)
    ax.set(title=f"{name}: {share:.0%} explained", xlabel="code 1", ylabel="code 2")
axes[0].legend()
plt.show()

# %%
# Where the two pictures are alike, the fit found no gain on these 426 rows that it
# could be sure of, and kept its start, which is PCA.

# %%
# Back in the table's own units
# -----------------------------
# ``inverse_transform`` goes all the way back to the table: here the cells that were
# missing, filled by what the code says of their rows, against what had been there.

Z = encode.transform(table.data)
back = encode.inverse_transform(pipeline.inverse_transform(pipeline.transform(Z)))
truth = bundled.data
spread = truth.std().to_numpy()
errors = {
    "autoencoder": (back.to_numpy() - truth.to_numpy()) / spread,
    "column mean": (truth.mean().to_numpy() - truth.to_numpy()) / spread,
}
for name, error in errors.items():
    print(f"{name}: {np.sqrt(np.mean(error[holes] ** 2)):.2f} standard deviations off")

# %%
# The same from a terminal:
#
# .. code-block:: console
#
#    $ sklearn-ae compare export.csv --target diagnosis
#    $ sklearn-ae fit export.csv --drop diagnosis --n-components 2 --output model
#    $ sklearn-ae transform model next_year.csv --output codes.csv
