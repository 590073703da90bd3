"""
Dropout, on few rows
====================

``dropout`` switches off a share of the hidden units in each step of training. It is
meant to keep a network from learning its training rows by heart, so we take few of
them.
"""

# %%
# 300 digits to train, 1,400 to look at. With ``early_stopping=False`` no rows are set
# aside and the last epochs count, which is where dropout should matter most; the
# default keeps the best epoch.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.plotting import ReconstructionDisplay

X = load_digits().data / 16
train, test = X[:300], X[300:1700]
to_the_end = {"early_stopping": False}
settings = {
    "PCA": {"max_iter": 0},
    "no dropout": to_the_end,
    "dropout 0.1": {"dropout": 0.1, **to_the_end},
    "dropout 0.3": {"dropout": 0.3, **to_the_end},
    "best epoch": {},
}
models = {
    name: AutoencoderTransformer(
        8,
        **{"hidden_layer_sizes": (64,), "max_iter": 50, **params},
        random_state=0,
    ).fit(train)
    for name, params in settings.items()
}

# %%
# Shares of variance explained. (No epochs at all are PCA.)

table = {
    name: {"training rows": model.score(train), "new rows": model.score(test)}
    for name, model in models.items()
}
print(pd.DataFrame(table).T.round(3).to_string())

# %%

ReconstructionDisplay.from_estimator(models, test, cmap="gray_r")
plt.show()

# %%
# Dropout narrows the gap between training rows and new ones, by making the former
# worse. New rows gain next to nothing.
