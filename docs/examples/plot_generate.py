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
from sklearn_ae.plotting import CodeDisplay, DecodedGridDisplay

X, y = load_digits(return_X_y=True)
models = {
    "variational": VariationalAutoencoder(2, max_iter=40, random_state=0).fit(X),
    "adversarial": AdversarialAutoencoder(2, max_iter=40, random_state=0).fit(X),
}

# %%
# The codes of all digits, each drawn as its own digit. The circles hold 50% and 95% of
# the prior.

angles = np.linspace(0, 2 * np.pi, 200)
circle = np.stack([np.cos(angles), np.sin(angles)])
fig, axes = plt.subplots(
    1, 2, figsize=(10, 5.3), layout="constrained", sharex=True, sharey=True
)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    CodeDisplay.from_estimator(model, X, y, text=True, size=30, ax=ax)
    for share in (0.5, 0.95):
        ax.plot(*np.sqrt(-2 * np.log(1 - share)) * circle, color="black", lw=1)
    ax.set_title(name)
    ax.set_aspect("equal")
plt.show()

# %%
# A grid of codes at the quantiles of the prior from 3% to 97%, decoded:

n = 12
steps = norm.ppf(np.linspace(0.03, 0.97, n))
grid = np.stack(np.meshgrid(steps, steps[::-1]), axis=-1)
fig, axes = plt.subplots(1, 2, figsize=(10, 5.5), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    DecodedGridDisplay.from_codes(model, grid, ax=ax, cmap="gray_r")
    ax.set_title(name)
plt.show()

# %%
# Draws of the prior, decoded:


def draw(lines):
    """Draw a line of images for each name."""
    _, axes = plt.subplots(
        len(lines),
        1,
        figsize=(10, 0.85 * len(lines)),
        layout="constrained",
        subplot_kw={"xticks": [], "yticks": [], "frame_on": False},
    )
    for ax, (name, images) in zip(axes, lines.items(), strict=True):
        tiles = np.pad(images.reshape(-1, 8, 8), ((0, 0), (0, 0), (2, 2)))
        ax.imshow(np.hstack(tiles), cmap="gray_r", vmin=0, vmax=16)
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    plt.show()


draw({name: model.sample(14, random_state=1) for name, model in models.items()})

# %%
# From one digit to another, by 14 codes between theirs. The first and the last image of
# a line are reconstructions.

walks = {}
for name, model in models.items():
    first, last = model.transform(X[[0, 4]])
    walks[name] = model.inverse_transform(np.linspace(first, last, 14))
draw(walks)

# %%
# Both fill the prior, and most of what they make can be read. What lies between two
# kinds of digits is a blend of them, which nobody writes. Two numbers are few: with
# more, images are sharper. :doc:`/user_guide/generating` has numbers for both.
