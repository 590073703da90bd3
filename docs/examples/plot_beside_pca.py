"""
PCA and an autoencoder, two numbers for an image
================================================

Both reducers turn an image of 64 pixels into two numbers. What do the two numbers
know of the image?
"""

# %%
# The 1,797 handwritten digits that come with scikit-learn; a quarter of them is held
# out, and everything below shows held-out images only.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.metrics import reconstruction_scorer

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

reducers = {
    "PCA": PCA(2).fit(X_train),
    "autoencoder": AutoencoderTransformer(2, random_state=0).fit(X_train),
}
for name, reducer in reducers.items():
    print(f"{name}: {reconstruction_scorer(reducer, X_test):.0%} of the variance")

# %%
# The codes
# ---------
# Each image is drawn as its own digit at its two numbers. The autoencoder never saw
# which digit is which, no more than PCA did.

# The glyph says the same as the colour, for those who cannot tell the colours apart.
colors = [
    *("#332288", "#117733", "#0077AA", "#AA4499", "#882255"),
    *("#CC6677", "#999933", "#44AA99", "#666666", "#DD7700"),
]
fig, axes = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
for ax, (name, reducer) in zip(axes, reducers.items(), strict=True):
    code = reducer.transform(X_test)
    for digit, color in enumerate(colors):
        ax.scatter(
            *code[y_test == digit].T,
            s=45,
            marker=f"${digit}$",
            color=color,
            linewidth=0.3,
        )
    share = reconstruction_scorer(reducer, X_test)
    ax.set_title(f"{name}: {share:.0%} of the variance explained")
    ax.set_xlabel("first number of the code")
    ax.set_ylabel("second number of the code")
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# The images
# ----------
# One image of each digit, and what ``inverse_transform`` makes of its two numbers.

rows = [np.flatnonzero(y_test == digit)[1] for digit in range(10)]
images = {"original": X_test[rows]}
for name, reducer in reducers.items():
    images[name] = reducer.inverse_transform(reducer.transform(X_test[rows]))

fig, axes = plt.subplots(
    *(3, 10),
    figsize=(10, 3.1),
    layout="constrained",
    subplot_kw={"xticks": [], "yticks": []},
)
for line, (name, pictures) in zip(axes, images.items(), strict=True):
    for ax, picture in zip(line, pictures, strict=True):
        ax.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
    line[0].set_ylabel(name, fontsize=13, rotation=0, ha="right", va="center")
plt.show()

# %%
# Two numbers on a plane are all that PCA can say: its images are sums of the same two
# patterns. The autoencoder bends the plane, so that more kinds of images fit on it. It
# is still only two numbers: some digits are taken for others.
