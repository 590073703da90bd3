"""
Filling missing cells
=====================

:class:`~sklearn_ae.AutoencoderImputer` fills what is missing by what the rest of a row
tells, says how far off that is, and draws what else the cells may have been.
"""

# %%
# Three tenths of the cells of the wine data are taken away, so that we know what they
# were. Columns are standardized, so that neighbours below count them alike;
# ``AutoencoderImputer`` does so itself.
# :class:`~sklearn_ae.plotting.MissingCellsDisplay` shows which cells are missing.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.impute import KNNImputer, SimpleImputer

from sklearn_ae import AutoencoderImputer, AutoencoderTransformer
from sklearn_ae.plotting import MissingCellsDisplay

wine = load_wine(as_frame=True).data
gone = np.random.default_rng(0).random(wine.shape) < 0.3
holes = wine.mask(gone)
truth = ((wine - holes.mean()) / holes.std()).to_numpy()
holes = (holes - holes.mean()) / holes.std()
fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
MissingCellsDisplay.from_data(holes, ax=ax)
plt.show()

# %%
# How well are cells filled?
# --------------------------
# At home nobody knows what the missing cells were. So a tenth of the observed ones are
# hidden, an imputer is fitted to the others, and what it fills is drawn against what
# was there. Any imputer will do, and all are asked for the same cells.

imputers = {
    "means": SimpleImputer(),
    "KNNImputer": KNNImputer(),
    "AutoencoderImputer": AutoencoderImputer(random_state=0),
}
fig, axes = plt.subplots(1, 3, figsize=(11, 3.9), layout="constrained")
for ax, (name, imputer) in zip(axes, imputers.items(), strict=True):
    MissingCellsDisplay.from_estimator(imputer, holes, random_state=0, ax=ax)
    ax.set_title(f"{name}\n{ax.get_title()}")
plt.show()

# %%
# Means are one number for a column: a horizontal line here.
#
# How far off?
# ------------
# ``error_`` is what the imputer expects to err, by cells that it hid from itself; here
# we can look at the missing ones themselves.

imputer = AutoencoderImputer(random_state=0).fit(holes)
off = (imputer.transform(holes) - truth)[gone]
print(f"expected {imputer.error_:.2f}, found {np.sqrt(np.mean(off**2)):.2f}")

# %%
# One filling hides that nobody knows: what is computed from it looks more certain than
# it is. ``draw`` gives many; their spread is that of the errors. Below are the missing
# cells of one column, with the interval that holds nine of ten draws.

draws = imputer.draw(holes, n_draws=200, random_state=0)
low, high = np.quantile(draws, [0.05, 0.95], axis=0)
inside = ((low < truth) & (truth < high))[gone].mean()
print(f"{inside:.0%} of the true values lie in their interval")

column = wine.columns.get_loc("flavanoids")
rows = np.flatnonzero(gone[:, column])
rows = rows[np.argsort(truth[rows, column])]
place = np.arange(len(rows))
fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
ax.vlines(place, low[rows, column], high[rows, column], color="0.8", lw=4)
ax.plot(place, imputer.transform(holes)[rows, column], "o", ms=4, label="filled")
ax.plot(place, truth[rows, column], "k_", ms=8, label="true")
ax.set(xlabel="rows without the cell, sorted by what it was", ylabel="flavanoids")
ax.legend()
plt.show()

# %%
# Codes need no imputer
# ---------------------
# An autoencoder takes the holes as they are: the fill is a part of its network.

codes = AutoencoderTransformer(2, random_state=0).fit_transform(holes)
print(codes.shape, np.isnan(codes).any())

# %%
# :doc:`/user_guide/missing` says how, and what does not work.
