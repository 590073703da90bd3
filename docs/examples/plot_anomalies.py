"""
Rows unlike the others
======================

A reducer that was fitted to normal rows reconstructs strange ones badly. Here the
normal rows are all digits but one, and the strange rows are that one.
"""

# %%

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.plotting import ReconstructionDisplay, ReconstructionErrorDisplay

X, y = load_digits(return_X_y=True)
strange = 3
normal = X[y != strange]
train, rest = train_test_split(normal, test_size=0.4, random_state=0)
for_threshold, test = train_test_split(rest, test_size=0.5, random_state=0)
rows = np.vstack([test, X[y == strange]])
groups = np.repeat(["another digit", f"a {strange}"], [len(test), sum(y == strange)])

reducers = {
    "PCA": PCA(8).fit(train),
    "autoencoder": AutoencoderTransformer(8, max_iter=40, random_state=0).fit(train),
}

# %%
# The threshold leaves 5% of normal rows above it, by rows that were not trained on.


def errors(reducer, X):
    """Return the squared error of each row."""
    return np.square(X - reducer.inverse_transform(reducer.transform(X))).sum(axis=1)


fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, (name, reducer) in zip(axes, reducers.items(), strict=True):
    threshold = np.quantile(errors(reducer, for_threshold), 0.95)
    ReconstructionErrorDisplay.from_estimator(
        reducer, rows, groups, threshold=threshold, ax=ax
    )
    area = roc_auc_score(groups == f"a {strange}", errors(reducer, rows))
    ax.set_title(f"{name}: area under the ROC curve {area:.3f}")
plt.show()

# %%
# Strange rows and what is made of them: both reducers know other digits only.

ReconstructionDisplay.from_estimator(reducers, X[y == strange], cmap="gray_r")
plt.show()

# %%
# One digit is an example. :doc:`/user_guide/anomalies` has the mean over all ten, a
# table where the autoencoder has no advantage, and a forest beside both.
