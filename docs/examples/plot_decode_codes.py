"""
From a code to an image
=======================

``inverse_transform`` takes any code, not only those that ``transform`` gave. A grid of
chosen codes shows what lies where in a two-number code.
"""

# %%

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.plotting import DecodedGridDisplay

X, y = load_digits(return_X_y=True)
reducers = {
    "PCA": PCA(2).fit(X),
    "autoencoder": AutoencoderTransformer(2, random_state=0).fit(X),
}

# %%
# Along each axis of the code the grid goes through 10 quantiles of the data's own
# codes, from 3% to 97%: evenly spaced codes would spend most images on empty corners.

fig, axes = plt.subplots(1, 2, figsize=(10, 5.3), layout="constrained")
for ax, (name, reducer) in zip(axes, reducers.items(), strict=True):
    DecodedGridDisplay.from_estimator(reducer, X, n_steps=10, ax=ax, cmap="gray_r")
    ax.set_title(name)
plt.show()

# %%
# PCA blends two patterns everywhere. The autoencoder has a region for most of the
# digits, with blends between them. Where no image had its code, in a corner or between
# two regions, a decoder makes something up: nothing was learnt there.
