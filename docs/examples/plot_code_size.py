"""
How many components? One fit for every code size
================================================

PCA's first k components are the best k, so one fit gives the whole curve of explained
variance against code size. An autoencoder with ``ordered=True`` does the same: the
first k units of its code are a code of size k.
"""

# %%
# One fit of each, on three quarters of the digits. The number of epochs is kept small
# for this page; the default does better.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from sklearn_ae import AutoencoderTransformer, AutoencoderTransformerCV
from sklearn_ae.metrics import explained_variance_share

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

pca = PCA(16).fit(X_train)
ordered = AutoencoderTransformer(16, ordered=True, max_iter=60, random_state=0)
ordered.fit(X_train)

# %%
# Codes are cut and decoded; the rows are new to both.

sizes = np.arange(1, 17)
codes = pca.transform(X_test)
theirs = [
    explained_variance_share(
        X_test, codes[:, :k] @ pca.components_[:k] + pca.mean_, mean=pca.mean_
    )
    for k in sizes
]
ours = [ordered.score(X_test, n_components=k) for k in sizes]

# %%
# A fit for one size alone keeps more at that size: an ordered code is for finding the
# size, a plain one for using it.

chosen = 8
plain = AutoencoderTransformer(chosen, max_iter=40, random_state=0).fit(X_train)

fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
ax.plot(sizes, theirs, color="#000000", linestyle="--", marker="s", label="PCA")
ax.plot(sizes, ours, color="#0072B2", marker="o", label="one ordered autoencoder")
ax.plot(
    chosen,
    plain.score(X_test),
    color="#D55E00",
    linestyle="",
    marker="^",
    markersize=9,
    label=f"an autoencoder for size {chosen} alone",
)
ax.set_xlabel("code size (n_components)")
ax.set_ylabel("share of variance explained,\nheld-out rows")
ax.set_ylim(0, 1)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="lower right")
plt.show()

# %%
# The same digits from more and more units of one code.

widths = (1, 2, 4, 8, 16)
rows = X_test[[0, 1, 2, 3, 4, 5]]
fig, axes = plt.subplots(6, len(rows), figsize=(6, 6.6), layout="constrained")
pictures = [ordered.reconstruct(rows, n_components=k) for k in widths]
labels = [f"{k} unit{'s' * (k > 1)}" for k in widths]
for line, images, label in zip(
    axes, [rows, *pictures], ["original", *labels], strict=True
):
    for ax, image in zip(line, images, strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(label, rotation=0, ha="right", va="center")
plt.show()

# %%
# A number between 0 and 1 is a share of variance to keep, as for PCA.

share = AutoencoderTransformer(0.8, max_iter=40, random_state=0).fit(X_train)
print(f"80% of the variance: {share.n_components_} units,", end=" ")
print(f"PCA {PCA(0.8).fit(X_train).n_components_} components")

# %%
# And a search by cross-validation takes one fit a fold. Here the size is chosen for a
# classifier on the codes: the smallest within a standard error of the best.

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

search = AutoencoderTransformerCV(
    n_components=(2, 4, 8, 16),
    estimator=AutoencoderTransformer(max_iter=20, random_state=0),
    predictor=make_pipeline(StandardScaler(), LogisticRegression()),
    rule="one_standard_error",
    cv=3,
).fit(X_train, y_train)
for size, score in zip(
    search.cv_results_["param_n_components"],
    search.cv_results_["mean_test_score"],
    strict=True,
):
    print(f"{size:3d} units: accuracy {score:.3f}")
print("chosen:", search.n_components_)
