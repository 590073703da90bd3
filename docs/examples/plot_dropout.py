"""
Dropout, on few rows
====================

``dropout`` switches off a share of the hidden units in each step of training. It is
meant to keep a network from learning its training rows by heart, so we take few of
them.
"""

# %%
# 300 digits to train, 1,400 to look at. With ``early_stopping=False`` no rows are set
# aside and the last epochs count, which is where dropout should matter most.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.plotting import ReconstructionDisplay

X = load_digits().data / 16
train, test = X[:300], X[300:1700]

models, lines = {}, {}
for early_stopping in (True, False):
    for dropout in (0.0, 0.1, 0.3):
        model = AutoencoderTransformer(
            8,
            dropout=dropout,
            early_stopping=early_stopping,
            max_iter=80,
            random_state=0,
        ).fit(train)
        stop = "best epoch kept" if early_stopping else "to the end"
        models[f"dropout {dropout}, {stop}"] = model
        lines[stop, dropout] = {
            "training rows": model.score(train),
            "new rows": model.score(test),
        }
table = pd.DataFrame(lines).T.rename_axis(["training", "dropout"])
print(table.round(3).to_string())

# %%
# PCA's shares of variance, for comparison:

pca = PCA(8).fit(train)
back = pca.inverse_transform(pca.transform(test))
share = 1 - ((test - back) ** 2).sum() / ((test - pca.mean_) ** 2).sum()
print(f"training rows {pca.explained_variance_ratio_.sum():.3f}, new rows {share:.3f}")

# %%

shown = [f"dropout {dropout}, to the end" for dropout in (0.0, 0.1, 0.3)]
ReconstructionDisplay.from_estimator(
    {"PCA": pca, **{name.split(",")[0]: models[name] for name in shown}},
    test,
    cmap="gray_r",
)
plt.show()
