"""
Spectra: mixtures, and peaks that move
======================================

Where is PCA all there is to have of a spectrum, and where is it not? Two sets of made
spectra, alike but for one thing, and a code of four numbers for each.
"""

# %%
# 1,500 spectra of 150 channels: three peaks on a sloping baseline, and noise. In the
# first set the peaks stay where they are and their heights change, as those of
# substances in a mixture do: a spectrum is a weighted sum of four shapes. In the
# second the peaks are of one substance and move together, as with temperature, or a
# detector that drifts: the height, the shift and the slope make a spectrum, but no
# weighted sum of theirs does.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer

rng = np.random.default_rng(0)
channels = np.linspace(0, 1, 150)
slope = rng.uniform(0, 0.3, size=(1500, 1)) * channels


def peaks(heights, shifts):
    """Three peaks a spectrum, at its own places."""
    places = np.array([0.3, 0.5, 0.72]) + shifts[:, None]
    shapes = np.exp(-(((channels[:, None, None] - places) / 0.02) ** 2) / 2)
    return (shapes * heights).sum(axis=2).T


mixed = peaks(rng.uniform(0.2, 1, size=(1500, 3)), np.zeros(1500))
height = rng.uniform(0.4, 1, size=(1500, 1))
moving = peaks(height * [1, 0.6, 0.8], rng.uniform(-0.08, 0.08, size=1500))
noise = rng.normal(scale=0.02, size=(1500, 150))
sets = {"peaks that stay": slope + mixed, "peaks that move": slope + moving}

# %%
# Errors are measured against the spectra without their noise, on 500 that neither
# reducer was fitted to. Nothing is scaled: the channels share one unit.
# ``best_iter_`` is 0 where the fit found no gain that it could be sure of, and kept the
# PCA it had begun with.

reducers = {"PCA": PCA(4), "autoencoder": AutoencoderTransformer(4, random_state=0)}
fig, axes = plt.subplots(2, 2, figsize=(10, 6), layout="constrained", sharex=True)
for line, (kind, clean) in zip(axes, sets.items(), strict=True):
    measured = clean + noise
    for ax, (name, reducer) in zip(line, reducers.items(), strict=True):
        reducer.fit(measured[:1000])
        back = reducer.inverse_transform(reducer.transform(measured[1000:]))
        error = np.sqrt(np.mean((back - clean[1000:]) ** 2))
        epochs = f", best_iter_ {reducer.best_iter_}" if name != "PCA" else ""
        print(f"{kind}, {name}: error {error:.4f}, noise 0.02{epochs}")
        for place, row in enumerate((3, 7, 11)):
            ax.plot(channels, clean[1000 + row] + 1.2 * place, color="0.7", lw=4)
            ax.plot(channels, back[row] + 1.2 * place, color="C0", lw=1.2)
        ax.set_title(f"{kind}: {name}, error {error:.3f}")
        ax.set_yticks([])
for ax in axes[1]:
    ax.set_xlabel("channel")
plt.show()

# %%
# Grey is the spectrum without noise, blue what four numbers keep of it.
#
# Where the peaks stay, both are the same: weighted sums of shapes are what PCA is
# made for, and nothing is to be gained. Where they move, PCA takes a peak in another
# place for another shape, and leaves waves beside the peaks, while the autoencoder
# follows. Which of the two your spectra are, a comparison tells:
#
# .. code-block:: console
#
#    $ sklearn-ae compare spectra.csv --no-scale
