"""
Deep, logistic, and PCA
=======================

Three reducers of one code size: PCA; logistic PCA, which has no hidden layers and
squeezes its output into the range of pixels; and a deep autoencoder. On MNIST this is
the comparison of Hinton and Salakhutdinov (2006).
"""

# %%
# The deep one needs no pre-training layer by layer: it starts at PCA. Logistic PCA is
# an autoencoder too, without hidden layers and with cross-entropy for its loss; it
# cannot start at PCA, and needs longer steps and more of them.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.metrics import reconstruction_mse
from sklearn_ae.plotting import LossCurveDisplay, ReconstructionDisplay

X = load_digits().data / 16
train, test = X[:1400], X[1400:]
reducers = {
    "PCA": PCA(8),
    "logistic PCA": AutoencoderTransformer(
        8,
        hidden_layer_sizes=(),
        loss="binary_cross_entropy",
        init="random",
        learning_rate_init=0.02,
        max_iter=100,
        random_state=0,
    ),
    "deep": AutoencoderTransformer(
        8,
        hidden_layer_sizes=(256, 128, 64),
        activation="silu",
        out_activation="logistic",
        max_iter=40,
        random_state=0,
    ),
}

# %%
# Mean squared error of a pixel on rows that were not trained on:

for name, reducer in reducers.items():
    back = reducer.fit(train).inverse_transform(reducer.transform(test))
    print(f"{name:13s} {reconstruction_mse(test, back):.4f}")

# %%

ReconstructionDisplay.from_estimator(reducers, test, cmap="gray_r")
plt.show()

# %%
# How the deep one came away from PCA, and which epoch was kept:

LossCurveDisplay.from_estimator(reducers["deep"], train)
plt.show()

# %%
# The range alone is a small part of the gain; the layers are the large one. What the
# same networks do on MNIST, beside the published numbers, is in
# ``benchmarks/README.md``.
