"""
How many components? PCA and autoencoder in one grid
====================================================

:class:`~sklearn.model_selection.GridSearchCV` puts reducers of different kinds into one
grid. It needs a score that means the same for all of them:
:func:`sklearn_ae.metrics.reconstruction_scorer`, the share of variance explained of
held-out rows.
"""

# %%
# The whole step is a parameter of the Pipeline, and so is its code size. The numbers
# of epochs and folds are kept small for this page; the defaults do better.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.metrics import reconstruction_scorer

X, y = load_digits(return_X_y=True)

search = GridSearchCV(
    Pipeline([("reduce", PCA())]),
    {
        "reduce": [PCA(), AutoencoderTransformer(max_iter=25, random_state=0)],
        "reduce__n_components": [2, 4, 8, 16],
    },
    scoring=reconstruction_scorer,
    cv=KFold(3, shuffle=True, random_state=0),
    refit=False,
).fit(X)

# %%
# A larger code never explains less, so "the best" is always the largest. The useful
# questions are what another component buys, and which code is the smallest that keeps
# enough.

results = pd.DataFrame(search.cv_results_)
results["reducer"] = [type(step).__name__ for step in results["param_reduce"]]
results["n_components"] = results["param_reduce__n_components"].astype(int)
table = results.pivot(
    index="n_components", columns="reducer", values="mean_test_score"
)[["PCA", "AutoencoderTransformer"]]
print(table.round(3))

# %%
# The dotted line is the share we want to keep, 80%.

styles = {
    "PCA": ("#000000", "--", "s"),
    "AutoencoderTransformer": ("#0072B2", "-", "o"),
}
fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for name, (color, linestyle, marker) in styles.items():
    ax.plot(table[name], color=color, linestyle=linestyle, marker=marker, label=name)
ax.axhline(0.8, color="0.5", linestyle=":")
ax.set_xscale("log", base=2)
ax.set_xticks(table.index, labels=table.index)
ax.set_xlabel("code size (n_components)")
ax.set_ylabel("share of variance explained,\nmean over held-out folds")
ax.set_ylim(0, 1)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="lower right")
plt.show()

# %%
# With ``refit=True`` the search would refit the best of all, the largest autoencoder.
# A function as ``refit`` chooses by a rule of our own, here the smallest code that
# keeps the share; ``GridSearchCV(…, refit=smallest_that_keeps)`` then holds it as
# ``best_estimator_``.


def smallest_that_keeps(cv_results, share=0.8):
    """Return the index of the smallest code that explains the share."""
    results = pd.DataFrame(cv_results)
    enough = results[results["mean_test_score"] >= share]
    return enough["param_reduce__n_components"].astype(int).idxmin()


chosen = search.cv_results_["params"][smallest_that_keeps(search.cv_results_)]
print(type(chosen["reduce"]).__name__, chosen["reduce__n_components"])
