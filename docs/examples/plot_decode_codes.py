"""
From a code to an image
=======================

``inverse_transform`` takes any code, not only those that ``transform`` gave. A grid of
chosen codes shows what lies where in a two-number code.
"""

# %%

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer

X, y = load_digits(return_X_y=True)
reducers = {
    "PCA": PCA(2).fit(X),
    "autoencoder": AutoencoderTransformer(2, random_state=0).fit(X),
}

# %%
# Along each axis of the code the grid goes through 10 quantiles of the data's own
# codes, from 3% to 97%: evenly spaced codes would spend most images on empty corners.

n = 10
shares = np.linspace(0.03, 0.97, n)
fig, axes = plt.subplots(1, 2, figsize=(10, 5.3), layout="constrained")
for ax, (name, reducer) in zip(axes, reducers.items(), strict=True):
    first, second = np.quantile(reducer.transform(X), shares, axis=0).T
    codes = np.stack(np.meshgrid(first, second[::-1]), axis=-1)  # (n, n, 2)
    images = reducer.inverse_transform(codes.reshape(-1, 2))  # (n * n, 64)
    tiles = np.zeros((n, 11, n, 11))  # 3 white pixels between two images
    tiles[:, 2:-1, :, 2:-1] = images.reshape(n, n, 8, 8).swapaxes(1, 2)
    tiles = tiles.reshape(11 * n, 11 * n)
    ax.imshow(tiles, cmap="gray_r", vmin=0, vmax=16)
    shown = np.arange(0, n, 2)
    middles = 11 * shown + 5.5
    ax.set_xticks(middles, labels=[f"{value:.0f}" for value in first[shown]])
    ax.set_yticks(middles, labels=[f"{value:.0f}" for value in second[::-1][shown]])
    ax.tick_params(length=0)
    ax.set_title(name)
    ax.set_xlabel("first number of the code")
    ax.set_ylabel("second number of the code")
plt.show()

# %%
# PCA blends two patterns everywhere. The autoencoder has a region for most of the
# digits, with blends between them. Where no image had its code, in a corner or between
# two regions, a decoder makes something up: nothing was learnt there.
