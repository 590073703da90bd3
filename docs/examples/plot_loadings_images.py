"""
What a code unit draws
======================

Where rows are images so are the loadings: which pixels drive a unit of the code, and
which it draws.
"""

# %%

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.inspection import integrated_gradients
from sklearn_ae.plotting import LoadingsDisplay

X, y = load_digits(return_X_y=True)
pca = PCA(6).fit(X)
autoencoder = AutoencoderTransformer(6, random_state=0).fit(X)

# %%
# Drawn
# -----
# The change of each pixel for one standard deviation of a code unit, as a mean over
# 300 images. PCA's are its components, the same for every image. The autoencoder draws
# with other strokes for other images: this is their mean.

some = X[:300]
fig, axes = plt.subplots(2, 1, figsize=(8, 4.6), layout="constrained")
for ax, (name, model) in zip(
    axes, {"PCA": pca, "autoencoder": autoencoder}.items(), strict=True
):
    LoadingsDisplay.from_estimator(
        model, some, kind="decoder", image_shape=(8, 8), ax=ax
    )
    ax.set_title(name, loc="left")
plt.show()

# %%
# Read
# ----
# The other way: what one standard deviation of a pixel does to each unit.

LoadingsDisplay.from_estimator(autoencoder, some, image_shape=(8, 8))
plt.show()

# %%
# One image
# ---------
# Its own code, shared out among the pixels by integrated gradients: red ones raise the
# unit, blue ones lower it.

parts = integrated_gradients(autoencoder, X[:1])[0]
LoadingsDisplay(
    parts,
    0 * parts,
    names=range(64),
    image_shape=(8, 8),
    components=range(6),
    label="part of the pixel in the code of one 0",
).plot()
plt.show()
