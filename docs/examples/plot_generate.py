"""
New rows from chosen codes
==========================

A variational and an adversarial autoencoder hold the code to a standard normal prior.
Codes that are drawn from it, or chosen on a grid, decode to digits that nobody wrote.
"""

# %%

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.datasets import load_digits

from sklearn_ae import AdversarialAutoencoder, VariationalAutoencoder

X, y = load_digits(return_X_y=True)
models = {
    "variational": VariationalAutoencoder(2, max_iter=40, random_state=0).fit(X),
    "adversarial": AdversarialAutoencoder(2, max_iter=40, random_state=0).fit(X),
}

# %%
# The codes of all digits. The circles hold 50% and 95% of the prior.

angles = np.linspace(0, 2 * np.pi, 200)
circle = np.stack([np.cos(angles), np.sin(angles)])
fig, axes = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    codes = model.transform(X)
    for digit in range(10):
        ax.scatter(*codes[y == digit].T, s=6, label=digit, color=plt.cm.tab10(digit))
    for share in (0.5, 0.95):
        ax.plot(*np.sqrt(-2 * np.log(1 - share)) * circle, color="black", lw=1)
    ax.set_title(name)
    ax.set_aspect("equal")
fig.legend(*ax.get_legend_handles_labels(), loc="outside right", markerscale=3)
plt.show()

# %%
# A grid of codes at the quantiles of the prior from 3% to 97%, decoded:

n = 12
steps = norm.ppf(np.linspace(0.03, 0.97, n))
grid = np.stack(np.meshgrid(steps, steps[::-1]), axis=-1).reshape(-1, 2)
fig, axes = plt.subplots(1, 2, figsize=(10, 5.2), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    images = model.inverse_transform(grid).reshape(-1, 8, 8)
    tiles = np.pad(images, ((0, 0), (2, 1), (2, 1))).reshape(n, n, 11, 11)
    tiles = tiles.swapaxes(1, 2).reshape(11 * n, 11 * n)
    ax.imshow(tiles, cmap="gray_r", vmin=0, vmax=16)
    ax.set_title(name)
    ax.set_xticks([])
    ax.set_yticks([])
plt.show()

# %%
# Draws of the prior, decoded:

fig, axes = plt.subplots(2, 1, figsize=(10, 2.6), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    ax.imshow(
        np.hstack(model.sample(15, random_state=1).reshape(-1, 8, 8)),
        cmap="gray_r",
        vmin=0,
        vmax=16,
    )
    ax.set_title(name)
    ax.set_xticks([])
    ax.set_yticks([])
plt.show()
