"""
A sensor's signal, in windows
=============================

A pulse beats faster and slower, stronger and weaker. Windows are cut from its signal,
and four numbers are left of each. Which wave do they give back, and do they notice when
something is wrong?
"""

# %%
# The signal is made: 24,000 readings of a wave with two humps, whose rate and strength
# drift, with noise of 0.04. A window of 64 readings holds two or three beats, and may
# begin anywhere in one.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.metrics import reconstruction_scorer

rng = np.random.default_rng(0)
time = np.arange(24_000)
rate = np.exp(0.25 * np.sin(time / 3100) + 0.12 * np.sin(time / 870 + 1)) / 28
phase = 2 * np.pi * np.cumsum(rate)
wave = np.exp(2.2 * np.cos(phase) - 2.2) + 0.35 * np.exp(5 * np.cos(phase - 2.1) - 5)
signal = (1 + 0.35 * np.sin(time / 1900)) * wave + rng.normal(scale=0.04, size=24_000)
windows = np.lib.stride_tricks.sliding_window_view(signal, 64)[::8]

# %%
# Windows overlap, so that rows are like their neighbours. Split at random, the same
# readings would stand on both sides. So the past is for the fit, the future for the
# measure, with a gap of a window between them; and ``validation_rows="last"`` has the
# fit judge its own epochs in the same way.

past, future = windows[:2100], windows[2108:]
for k in (2, 4, 8):
    autoencoder = AutoencoderTransformer(k, validation_rows="last", random_state=0)
    shares = [
        f"{reconstruction_scorer(reducer.fit(past), future):.0%}"
        for reducer in (PCA(k), autoencoder)
    ]
    print(f"{k} numbers for a window: PCA {shares[0]}, autoencoder {shares[1]}")

# %%
# Where a window begins in the beat is an angle, which goes round in a circle, and the
# rate squeezes the wave: PCA needs a pair of components for each overtone.

reducers = {
    "PCA": PCA(4),
    "autoencoder": AutoencoderTransformer(4, validation_rows="last", random_state=0),
}
fig, axes = plt.subplots(2, 1, figsize=(9, 4.6), layout="constrained", sharex=True)
for ax, (name, reducer) in zip(axes, reducers.items(), strict=True):
    reducer.fit(past)
    for place, row in enumerate((50, 400, 800)):
        x = np.arange(64) + 70 * place
        ax.plot(x, future[row], color="0.7", lw=3)
        ax.plot(x, reducer.inverse_transform(reducer.transform(future[[row]]))[0])
    share = reconstruction_scorer(reducer, future)
    ax.set(title=f"{name}, 4 numbers: {share:.0%} of the variance", xticks=[])
plt.show()

# %%
# Grey is what was measured, in windows of the future.
#
# Something is wrong
# ------------------
# Late in the signal a beat is missing: the readings stay at the level between beats.
# Nobody has shown such a window to the fit. The error of each window tells how unlike
# the others it is.

broken = signal[20_000:23_000].copy()
broken[1500:1530] = 0.1
watched = np.lib.stride_tricks.sliding_window_view(broken, 64)
fig, axes = plt.subplots(2, 1, figsize=(9, 4.6), layout="constrained", sharex=True)
axes[0].plot(broken, lw=0.8)
axes[0].set_title("the signal, with a beat missing after 1,500 readings")
for name, reducer in reducers.items():
    back = reducer.inverse_transform(reducer.transform(watched))
    error = np.sqrt(np.mean((watched - back) ** 2, axis=1))
    usual = np.quantile(error, 0.95)
    print(f"{name}: the worst error is {error.max() / usual:.1f} times the usual one")
    axes[1].plot(np.arange(len(error)) + 32, error, label=name)
axes[1].set(title="error of the window around a reading", xlabel="reading")
axes[1].legend()
plt.show()

# %%
# PCA is wrong about every window by so much that the gap hardly shows; the autoencoder,
# which knows what beats look like, is surprised.
# :class:`~sklearn_ae.AutoencoderOutlierDetector` has thresholds for it
# (:doc:`/user_guide/anomalies`).
