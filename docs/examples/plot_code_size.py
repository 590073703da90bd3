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
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from sklearn_ae import AutoencoderTransformer, AutoencoderTransformerCV
from sklearn_ae.plotting import CodeSizeDisplay, ReconstructionDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

pca = PCA(16).fit(X_train)
ordered = AutoencoderTransformer(16, ordered=True, max_iter=60, random_state=0)
ordered.fit(X_train)

# %%
# Codes of every size are cut and decoded; the rows are new to both. A fit for one size
# alone keeps more at that size: an ordered code is for finding the size, a plain one
# for using it.

chosen = 8
plain = AutoencoderTransformer(chosen, max_iter=40, random_state=0).fit(X_train)

ax = CodeSizeDisplay.from_estimator(ordered, X_train, X_test=X_test).ax_
ax.plot(
    chosen,
    plain.score(X_test),
    color="#D55E00",
    linestyle="",
    marker="^",
    markersize=9,
    label=f"an autoencoder for size {chosen} alone",
)
ax.set_ylim(0, 1)
ax.legend(frameon=False, loc="lower right")
plt.show()

# %%
# The same digits from more and more units of one code.

rows = X_test[:6]
ReconstructionDisplay.from_predictions(
    rows,
    {
        f"{k} unit{'s' * (k > 1)}": ordered.reconstruct(rows, n_components=k)
        for k in (1, 2, 4, 8, 16)
    },
    cmap="gray_r",
)
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
