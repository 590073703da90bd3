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
from sklearn_ae.plotting import CodeDisplay, ReconstructionDisplay

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

fig, axes = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
for ax, (name, reducer) in zip(axes, reducers.items(), strict=True):
    CodeDisplay.from_estimator(reducer, X_test, y_test, text=True, size=40, ax=ax)
    share = reconstruction_scorer(reducer, X_test)
    ax.set_title(f"{name}: {share:.0%} of the variance explained")
plt.show()

# %%
# The images
# ----------
# One image of each digit, and what ``inverse_transform`` makes of its two numbers.

rows = [np.flatnonzero(y_test == digit)[1] for digit in range(10)]
ReconstructionDisplay.from_estimator(reducers, X_test[rows], cmap="gray_r")
plt.show()

# %%
# Two numbers on a plane are all that PCA can say: its images are sums of the same two
# patterns. The autoencoder bends the plane, so that more kinds of images fit on it. It
# is still only two numbers: some digits are taken for others.
