"""What type checkers must take, and what they must find; read by them, never run.

`make lint` runs mypy on it, which complains about a "type: ignore" without a need.
"""

from sklearn_ae import (
    AutoencoderImputer,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
    load,
    save,
)

X = [[1.0, 2.0], [3.0, 5.0], [4.0, 4.0]]

model = AutoencoderTransformer(2, alpha=0.1, loss="huber", random_state=0).fit(X)
share: float = model.score(X)
epochs: int = model.n_iter_
AutoencoderTransformer(n_components=0.9, hidden_layer_sizes=(64, 32))
AutoencoderTransformer(None, batch_size="auto", max_iter=3, callbacks=None)
DenoisingAutoencoder(noise="masking", noise_level=0.2).fit(X).reconstruct(X)
ConvolutionalAutoencoder(2, image_shape=(8, 8), filters=[8])
VariationalAutoencoder(2, beta=2).fit(X).sample(3)
AutoencoderTransformerCV([1, 2], cv=3, n_jobs=2)
AutoencoderImputer(add_indicator=True).fit_transform(X)
save(model, "model")
load("model").transform(X)

AutoencoderTransformer(n_components="8")  # type: ignore[arg-type]
AutoencoderTransformer(nonsense=3)  # type: ignore[call-arg]
AutoencoderTransformer(loss="hinge")  # type: ignore[arg-type]
AutoencoderTransformer(2, (64,))  # type: ignore[call-arg]
DenoisingAutoencoder(noise="rain")  # type: ignore[arg-type]
ConvolutionalAutoencoder(2, module=None)  # type: ignore[call-arg]
