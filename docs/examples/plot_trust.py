"""
When a comparison is fooled
===========================

"Better than PCA on held-out rows" says something of new rows only if the held-out rows
are new. Three tables on which they are not, a PCA that has lost its digits, and what
an interval leaves open.
"""

# %%
# Rows that come in copies
# ------------------------
# Thirty things, each measured ten times with a little noise; 75 patients, of whom each
# was put into the table four times to make it larger; and a random walk, cut into
# windows that overlap. Each is compared twice: with shuffled folds, as everybody has
# them, and with those that :func:`~sklearn_ae.compare.compare_reducers` makes of
# ``cv=3``, which keep on one side what belongs together.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.compare import compare_reducers, summarize

rng = np.random.default_rng(0)
things = rng.normal(size=(30, 6)) @ rng.normal(size=(6, 20))
measured = np.repeat(things, 10, axis=0)
measured += 0.25 * rng.normal(size=measured.shape)
patients = scale(load_breast_cancer().data)[rng.permutation(569)[:75]]
walk = rng.normal(size=349).cumsum()
tables = {
    "30 things,\n10 measurements of each": rng.permutation(measured),
    "75 patients,\neach four times": np.repeat(patients, 4, axis=0),
    "300 windows\nof a random walk": np.lib.stride_tricks.sliding_window_view(walk, 50),
}
# Trained on all rows, as most autoencoders are. With rows set aside, as by default,
# ours would notice the copies itself, and stay at PCA.
autoencoder = AutoencoderTransformer(max_iter=30, early_stopping=False)
reducers = {"PCA": PCA(), "autoencoder": autoencoder}
shuffled = KFold(3, shuffle=True, random_state=0)

results = {}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", UserWarning)
    for name, X in tables.items():
        for folds, cv in (("shuffled folds", shuffled), ("folds of new rows", 3)):
            results[name, folds] = compare_reducers(
                reducers,
                X,
                n_components=4,
                cv=cv,
                metrics="explained_variance",
                random_state=0,
            )
print(*dict.fromkeys(str(warning.message) for warning in caught), sep="\n\n")

# %%
# What the autoencoder leaves unexplained of the held-out rows, relative to PCA: below 1
# is better. With shuffled folds it has learned rows by heart, and knows their copies.
# Of new rows it knows less than PCA, or no more.


def unexplained(found):
    """The autoencoder's unexplained variance over PCA's, fold by fold."""
    of = 1 - found.pivot(index="fold", columns="reducer", values="explained_variance")
    return (of["autoencoder"] / of["PCA"]).to_numpy()


fig, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained", sharey=True)
for ax, name in zip(axes, tables, strict=True):
    for place, folds in enumerate(("shuffled folds", "folds of new rows")):
        found = results[name, folds]
        ratios = unexplained(found)
        color = ("#D55E00", "#0072B2")[place]
        ax.plot([place] * len(ratios), ratios, "o", color=color, markersize=8)
        verdict = summarize(found)["verdict"][0]
        ax.text(place, 45, verdict.replace("clear ", "clear\n"), ha="center", va="top")
    ax.axhline(1, color="black", linestyle="--", linewidth=1)
    ax.set_yscale("log")
    ax.set_ylim(0.05, 50)
    ax.set_xlim(-0.6, 1.6)
    ax.set_xticks([0, 1], labels=["shuffled\nfolds", "folds of\nnew rows"])
    ax.set_title(name, fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("unexplained variance,\nautoencoder / PCA")
axes[0].text(1.58, 1.08, "as PCA", ha="right", fontsize="small")
plt.show()

# %%
# Columns far from zero
# ---------------------
# Pressures around 100,000 that vary by 60: scikit-learn's PCA takes the mean from sums
# of squares, and in float32 nothing is left of what it looks for. Anybody beats such a
# PCA. A comparison hands it float64 and the solver that centres first.

near = rng.normal(size=(1000, 2)) @ rng.normal(size=(2, 12))
near += 0.3 * rng.normal(size=near.shape)
near *= 60 / near.std()
means = 10.0 ** np.arange(2, 9)
shares = {"float32, as it is": [], "in a comparison": []}
for mean in means:
    X = (mean + near).astype(np.float32)
    pca = PCA(2).fit(X)
    error = X.astype(float) - pca.inverse_transform(pca.transform(X))
    shares["float32, as it is"].append(
        1 - np.square(error).sum() / (len(X) * X.astype(float).var(axis=0).sum())
    )
    found = compare_reducers(
        [PCA()], X, n_components=2, cv=3, metrics="explained_variance", random_state=0
    )
    shares["in a comparison"].append(found["explained_variance"].mean())

fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for (name, values), style in zip(shares.items(), ("o--", "s-"), strict=True):
    ax.plot(
        means,
        values,
        style,
        label=f"PCA, {name}",
        color="#D55E00" if style == "o--" else "#0072B2",
    )
ax.set_xscale("log")
ax.set_ylim(0, 1.05)
ax.set_xlabel("mean of the columns; their spread is 60")
ax.set_ylabel("share of variance explained")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="lower left")
plt.show()

# %%
# What the interval says
# ----------------------
# Each dot is a fold of new rows: the autoencoder's share of variance explained less
# PCA's. The bar is the 95% interval of their mean: where another sample of the same
# kind would put it. A verdict is given where the bar leaves out zero. Three folds that
# disagree leave a lot open, so that "no clear difference" is not "the same": look at
# the bar, and at what it would cost to be wrong.

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for place, name in enumerate(tables):
    found = results[name, "folds of new rows"]
    shares = found.pivot(index="fold", columns="reducer", values="explained_variance")
    differences = 100 * (shares["autoencoder"] - shares["PCA"])
    line = summarize(found).loc[0]
    ends = 100 * np.array([line["low"], line["high"]])
    ax.plot(ends, [place, place], color="#0072B2", linewidth=3)
    ax.plot(differences, [place] * len(differences), "o", color="0.5")
    ax.text(
        1.02, place, line["verdict"], transform=ax.get_yaxis_transform(), va="center"
    )
ax.axvline(0, color="black", linestyle="--", linewidth=1)
ax.set_yticks(range(len(tables)), labels=tables)
ax.set_ylim(2.5, -0.5)
ax.set_xlabel("difference to PCA, percentage points of the variance")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
