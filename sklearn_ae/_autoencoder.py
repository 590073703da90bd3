"""AutoencoderTransformer: the dense autoencoder, beside PCA."""

from numbers import Integral, Real

from ._base import BaseAutoencoder, HasMethods, Interval, StrOptions
from ._networks import ACTIVATIONS, DenseNetwork


class AutoencoderTransformer(BaseAutoencoder):
    """doc"""

    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseAutoencoder._parameter_constraints,
        "hidden_layer_sizes": [StrOptions({"auto"}), list, tuple],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "module": [type, None],
    }

    def __init__(
        self,
        n_components=2,
        *,
        hidden_layer_sizes="auto",
        activation="relu",
        dropout=0.0,
        module=None,
        **params,
    ):
        super().__init__(n_components, **params)
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.module = module

    def _network(self):
        sizes = {"n_features": self.n_features_in_, "n_components": self.n_components_}
        if self.module is not None:
            return self.module, sizes
        return DenseNetwork, {
            **sizes,
            "hidden_layer_sizes": self._hidden_layer_sizes(),
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _hidden_layer_sizes(self):
        if self.hidden_layer_sizes == "auto":
            return (512, 256) if self.n_features_in_ > 200 else (256, 128)
        return tuple(self.hidden_layer_sizes)
