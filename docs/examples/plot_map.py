"""
===========================
A map that can be read back
===========================

Two units that keep neighbours, by ``neighbors``: new rows are put on the map, and any
point of it decodes.
"""

# %%
# A plain code of two units keeps what the reconstruction needs. With ``neighbors`` the
# codes of a row and of its nearest rows are drawn together as well. Both are fitted to
# 1,300 digits; the others are new to them.

from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from sklearn_ae import AutoencoderTransformer

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = X[:1300], X[1300:], y[:1300], y[1300:]
short = {"max_iter": 60, "random_state": 0}  # so that this page runs in seconds
models = {
    "PCA": PCA(2),
    "plain": AutoencoderTransformer(2, **short),
    "neighbors=0.3": AutoencoderTransformer(2, neighbors=0.3, **short),
}
for name, model in models.items():
    codes = model.fit_transform(X_train)
    classifier = KNeighborsClassifier(5).fit(codes, y_train)
    found = classifier.score(model.transform(X_test), y_test)
    error = ((model.inverse_transform(model.transform(X_test)) - X_test) ** 2).mean()
    print(
        f"{name:12} new digits told by neighbours {found:.2f}, mean error {error:.1f}"
    )

# %%
# New digits in colour, over those of the fit in grey.

import matplotlib.pyplot as plt

from sklearn_ae.plotting import CodeDisplay

fig, axes = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    CodeDisplay.from_estimator(
        model, X_test, y_test, X_train=X_train, names="median", size=12, ax=ax
    )
    ax.set_title(name)

# %%
# The way back: what lies on the map.

from sklearn_ae.plotting import DecodedGridDisplay

DecodedGridDisplay.from_estimator(models["neighbors=0.3"], X_train, cmap="gray_r")

# %%
# The same for a browser: one file, in which what is under the cursor is decoded.

import tempfile
from pathlib import Path

from sklearn_ae.plotting import hover_page

page = Path(tempfile.mkdtemp()) / "map.html"
hover_page(models["neighbors=0.3"], X_test, page, y_test, title="Digits")
print(f"{page.stat().st_size / 1000:.0f} kB")
