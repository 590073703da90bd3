"""
Which columns drive a code unit
===============================

PCA has ``components_``. What an autoencoder has in their place are gradients, whose
means over rows are PCA's components where the model is PCA, and whose spread says how
far from linear it is.
"""

# %%
# 30 measurements of the cell nuclei of 569 tumours. The columns keep their names and
# units: the Pipeline, scaling and all, is what is inspected.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.inspection import integrated_gradients, permutation_shares
from sklearn_ae.plotting import LoadingsDisplay

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
pca = make_pipeline(StandardScaler(), PCA(2)).fit(X)
autoencoder = make_pipeline(
    StandardScaler(), AutoencoderTransformer(2, random_state=0)
).fit(X)

# %%
# Loadings
# --------
# What one standard deviation of a column does to each code unit. PCA does the same to
# every tumour. The whiskers of the autoencoder are standard deviations over tumours:
# where one is longer than its bar the column does one thing to some tumours and another
# to others.

fig, axes = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
for ax, (name, model) in zip(
    axes, {"PCA": pca, "autoencoder": autoencoder}.items(), strict=True
):
    LoadingsDisplay.from_estimator(model, X, ax=ax, max_columns=12)
    ax.set_title(name)
plt.show()

# %%
# Who tells of whom
# -----------------
# A column that is shuffled tells nothing of its tumour. By how much does the
# reconstruction of each column get worse, as a share of its variance? On the diagonal
# stands what a column tells of itself.

shares = permutation_shares(autoencoder, X, random_state=0)
fig, ax = plt.subplots(figsize=(9, 8), layout="constrained")
image = ax.imshow(shares, cmap="Blues", vmin=0)
ax.set_xticks(range(30), X.columns, rotation=90)
ax.set_yticks(range(30), X.columns)
ax.set(xlabel="column reconstructed", ylabel="column shuffled")
fig.colorbar(image, label="share of variance lost")
plt.show()

told = shares.sum(axis=1)
for column in np.argsort(-told)[:3]:
    print(f"{X.columns[column]:30s} {told[column]:.2f} columns' worth")

# %%
# One tumour
# ----------
# The code of a single tumour, shared out among its columns: the parts add up to the
# difference from the code of the mean tumour, but for the error of a sum of 50 points.

mean = X.mean()
parts = integrated_gradients(autoencoder, X[:1], baseline=mean)[0]
for column in np.argsort(-np.abs(parts[0]))[:5]:
    print(f"{X.columns[column]:30s} {parts[0, column]:+.2f}")
here, there = autoencoder.transform(X[:1])[0], autoencoder.transform(mean.to_frame().T)
print(f"{'all 30':30s} {parts[0].sum():+.2f}, of {here[0] - there[0, 0]:+.2f}")
