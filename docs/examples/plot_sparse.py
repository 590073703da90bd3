"""
Sparse codes
============

A sparse code has many units, of which each row uses a few. ``penalty="k_sparse"`` keeps
the largest ones of each row; ``penalty="l1"`` with a ReLU code makes units zero by a
price.
"""

# %%
# 32 units each; PCA with 32 components uses all of them for every row.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.metrics import reconstruction_scorer
from sklearn_ae.plotting import DecodedGridDisplay, ReconstructionDisplay

X, y = load_digits(return_X_y=True)
X = X / 16
train, test = X[:1400], X[1400:]
short = {"hidden_layer_sizes": (64,), "max_iter": 30, "random_state": 0}
reducers = {
    "PCA": PCA(32),
    "4 of 32": AutoencoderTransformer(32, penalty="k_sparse", sparsity=4, **short),
    "l1, ReLU": AutoencoderTransformer(
        32, penalty="l1", code_activation="relu", init="random", **short
    ),
    "4 units": AutoencoderTransformer(4, **short),
}
codes = {}
for name, reducer in reducers.items():
    codes[name] = reducer.fit(train).transform(test)
    print(
        f"{name:9s} {np.mean(codes[name] == 0):4.0%} of the code is zero, "
        f"{reconstruction_scorer(reducer, test):.0%} of the variance explained"
    )

# %%
# A code that chooses four of 32 units for each row tells more than a code of four.

ReconstructionDisplay.from_estimator(reducers, test, cmap="gray_r")
plt.show()

# %%
# Codes of 40 rows: a line is a row, a column a unit. With "k_sparse" the first units,
# which were PCA's largest, are chosen more often than the last ones; a ReLU code from a
# random start has no such order.

fig, axes = plt.subplots(1, 3, figsize=(10, 4.5), layout="constrained", sharey=True)
for ax, (name, code) in zip(axes, codes.items(), strict=False):
    limit = np.abs(code[:40]).max()
    ax.imshow(code[:40], cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    ax.set(title=name, xlabel="unit")
axes[0].set_ylabel("row")
plt.show()

# %%
# What does a unit stand for? Each unit alone, at the largest value that it had, decoded
# (the 32 units in four lines):

sparse = reducers["4 of 32"]
alone = np.diag(sparse.transform(train).max(axis=0)).reshape(4, 8, 32)
DecodedGridDisplay.from_codes(sparse, alone, cmap="gray_r")
plt.show()
