"""
Removing noise
==============

:class:`~sklearn_ae.DenoisingAutoencoder` is trained on clean rows that it corrupts
itself, and learns to give the clean ones back. ``reconstruct`` then cleans rows that
come noisy.
"""

# %%
# We hold out a quarter of the digits and add Gaussian noise to them, with a standard
# deviation of 4 where pixels go from 0 to 16.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from sklearn_ae import DenoisingAutoencoder
from sklearn_ae.metrics import reconstruction_mse
from sklearn_ae.plotting import DenoisingDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
X_noisy = X_test + np.random.default_rng(0).normal(scale=4, size=X_test.shape)

# %%
# ``noise_level`` is in the data's own units. The code may be wide: here it is the noise
# that keeps the network from copying its input, not a narrow code.

denoiser = DenoisingAutoencoder(
    32, noise="gaussian", noise_level=4, random_state=0
).fit(X_train)

# %%
# PCA removes noise too, by dropping components. To be fair to it, it gets the code size
# that is best on these very rows.

cleaned_by_pca = [
    pca.inverse_transform(pca.transform(X_noisy))
    for pca in (PCA(size).fit(X_train) for size in range(1, 65))
]
errors = [reconstruction_mse(X_test, cleaned) for cleaned in cleaned_by_pca]
best = int(np.argmin(errors))

images = {
    "clean": X_test,
    "noisy": X_noisy,
    "PCA": cleaned_by_pca[best],
    "autoencoder": denoiser.reconstruct(X_noisy),
}
print(f"PCA is best with {best + 1} components")
for name, pictures in images.items():
    error = reconstruction_mse(X_test, pictures)
    print(f"{name}: mean squared error {error:.1f} per pixel")

# %%

rows = [np.flatnonzero(y_test == digit)[1] for digit in range(10)]
clean, noisy, *cleaned = (pictures[rows] for pictures in images.values())
DenoisingDisplay.from_predictions(
    clean, noisy, dict(zip(["PCA", "autoencoder"], cleaned, strict=True)), cmap="gray_r"
)
plt.show()

# %%
# The network has to be told the noise it will meet: the kind, and about the level.
# :doc:`/user_guide/denoising` says what the kinds are for.
