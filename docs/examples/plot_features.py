"""
Classifying from codes
======================

What is a code worth to a model behind it? A small classifier is trained on raw pixels,
on PCA's codes and on an autoencoder's, and we look at its accuracy and its training
time.
"""

# %%
# A quarter of the digits is held out. The reducers see no labels. The classifier is a
# support vector machine with scikit-learn's defaults, on standardized columns.

from time import perf_counter

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ae import AutoencoderTransformer

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, random_state=0, stratify=y
)


def measure(features_train, features_test):
    """Return accuracy, and the shortest training time of ten fits in milliseconds."""
    model = make_pipeline(StandardScaler(), SVC())
    seconds = []
    for _ in range(10):
        start = perf_counter()
        model.fit(features_train, y_train)
        seconds.append(perf_counter() - start)
    return model.score(features_test, y_test), 1000 * min(seconds)


# %%
# The autoencoder's own fit takes seconds, PCA's milliseconds: both are in the table.

raw_accuracy, raw_time = measure(X_train, X_test)
lines = [("raw pixels", 64, 0.0, raw_accuracy, raw_time)]
for size in (2, 4, 8, 16):
    reducers = {
        "PCA": PCA(size),
        "autoencoder": AutoencoderTransformer(
            size, out_activation="logistic", max_iter=40, random_state=0
        ),
    }
    for name, reducer in reducers.items():
        start = perf_counter()
        reducer.fit(X_train)
        seconds = perf_counter() - start
        codes = reducer.transform(X_train), reducer.transform(X_test)
        lines.append((name, size, seconds, *measure(*codes)))

table = pd.DataFrame(
    lines,
    columns=["features", "columns", "reducer, s", "accuracy", "classifier, ms"],
)
print(table.round(3).to_string(index=False))

# %%

styles = {"PCA": ("#000000", "--", "s"), "autoencoder": ("#0072B2", "-", "o")}
fig, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
panels = {
    "accuracy": (raw_accuracy, "accuracy on held-out digits"),
    "classifier, ms": (raw_time, "training time of the classifier, ms"),
}
for ax, (column, (raw, label)) in zip(axes, panels.items(), strict=True):
    for name, (color, linestyle, marker) in styles.items():
        part = table[table["features"] == name]
        ax.plot(
            part["columns"],
            part[column],
            color=color,
            linestyle=linestyle,
            marker=marker,
            label=f"{name}'s codes" if name == "PCA" else f"the {name}'s codes",
        )
    ax.axhline(raw, color="0.5", linestyle=":", label="raw pixels (64)")
    ax.set_xscale("log", base=2)
    ax.set_xticks([2, 4, 8, 16], labels=[2, 4, 8, 16])
    ax.set_xlabel("code size (n_components)")
    ax.set_ylabel(label)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].legend(frameon=False, loc="lower right")
axes[1].set_ylim(0, None)
plt.show()

# %%
# From 2, 4 or 8 numbers the classifier knows more if they are an autoencoder's. At 16
# PCA's are as good, and neither is worth more than the raw pixels. The classifier gains
# some milliseconds by a shorter code, whichever reducer it is from, and the
# autoencoder's own fit takes seconds: for one small classifier that is no bargain.
# Short codes pay where they are kept, sent or searched, or where many models share
# one code.
