"""
Text: a map of documentation
============================

Words are counted into a table of many columns, most of them zero. It stays sparse on
its way through PCA or an autoencoder, and two numbers are left of each text. What do
they know of it?
"""

# %%
# The texts are on this machine already: docstrings of packages that the estimator
# needs anyway. The package that a text comes from is its class, so the packages' own
# names are taken out. Functions that go by one name have nearly the same text: one of
# them is enough.

import importlib
import inspect

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from sklearn_ae import AutoencoderTransformer

MODULES = {
    "numpy": ["numpy", "numpy.linalg", "numpy.random", "numpy.fft"],
    "scipy": ["scipy.stats", "scipy.signal", "scipy.optimize", "scipy.ndimage"],
    "sklearn": ["sklearn.metrics", "sklearn.linear_model", "sklearn.cluster"],
    "torch": ["torch", "torch.nn", "torch.nn.functional", "torch.optim"],
}
found = {}
for package, modules in MODULES.items():
    for module in map(importlib.import_module, modules):
        for name, thing in vars(module).items():
            known = inspect.isfunction(thing) or inspect.isclass(thing)
            text = inspect.getdoc(thing) if known else None
            if text and len(text) > 300 and name[0] != "_":
                found.setdefault(name.lower(), (text, package))
texts, packages = map(np.array, zip(*found.values(), strict=True))

words = CountVectorizer(
    min_df=10,
    max_df=0.5,
    max_features=1000,
    token_pattern=r"(?u)\b[a-z]{3,}\b",
    stop_words=["numpy", "scipy", "sklearn", "scikit", "torch", "pytorch", "tensor"],
)
counts = words.fit_transform(texts)
print(f"{counts.shape[0]} texts, {counts.shape[1]} words, {counts.nnz} counts")

# %%
# A quarter of the texts is new to all models. PCA gets words by their weights, TF-IDF,
# where rare ones count more, as is usual, and an autoencoder the same. Another one gets
# the counts themselves, by the likelihood that counts have (:doc:`/user_guide/counts`).
# It begins at PCA too, at that of the roots of each word's share in its text:
# ``max_iter=0`` stops there.

train, test, y_train, y_test = train_test_split(
    counts.astype(np.float32), packages, random_state=0, stratify=packages
)
weigh = TfidfTransformer(sublinear_tf=True).fit(train)
of_weights = weigh.transform(train), weigh.transform(test)
of_counts = {"loss": "multinomial", "random_state": 0}
models = {
    "PCA, TF-IDF": (PCA(2, svd_solver="arpack", random_state=0), of_weights),
    "autoencoder, TF-IDF": (AutoencoderTransformer(2, random_state=0), of_weights),
    "PCA, roots": (AutoencoderTransformer(2, max_iter=0, **of_counts), (train, test)),
    "autoencoder, counts": (
        AutoencoderTransformer(2, max_iter=25, **of_counts),
        (train, test),
    ),
}
fig, axes = plt.subplots(2, 2, figsize=(9, 8), layout="constrained")
for ax, (name, (model, (old, new))) in zip(axes.flat, models.items(), strict=True):
    neighbors = KNeighborsClassifier(10).fit(model.fit_transform(old), y_train)
    codes = model.transform(new)
    told = neighbors.score(codes, y_test)
    print(f"{name}: {told:.0%} told by neighbours", getattr(model, "best_iter_", ""))
    for package in MODULES:
        ax.scatter(*codes[y_test == package].T, s=10, label=package)
    ax.set(title=f"{name}: {told:.0%}", xticks=[], yticks=[])
axes[0, 0].legend()
plt.show()

# %%
# In the titles: how many new texts are told by their neighbours on the map. Of the
# weights there is little or nothing to gain: where ``best_iter_`` is 0, the fit kept
# its PCA. (Its warning is right: some functions share most of their text.) What helps
# is to count: the same words with a loss made for them tell more texts apart. Other
# releases of the packages have other texts, so that the numbers differ from machine to
# machine.
