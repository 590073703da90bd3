"""Types of the public names. Written by tests/make_stubs.py; do not edit."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, BinaryIO, Literal, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin

from . import callbacks as callbacks
from . import compare as compare
from . import datasets as datasets
from . import inspection as inspection
from . import metrics as metrics
from . import persistence as persistence
from . import plotting as plotting

__all__: list[str]
__version__: str

def load(path: str | PathLike[str] | BinaryIO, **given: Any) -> Any: ...
def save(estimator: BaseEstimator, path: str | PathLike[str] | BinaryIO) -> None: ...

class AdversarialAutoencoder(TransformerMixin, BaseEstimator):
    prior_distance_: float
    net_: Any
    n_components_: int
    code_size_curve_: np.ndarray
    explained_variance_ratio_: np.ndarray
    n_samples_: int
    mean_: np.ndarray
    scale_: float
    data_range_: Any
    loss_: float
    best_loss_: float
    loss_curve_: Any
    validation_loss_curve_: Any
    n_iter_: int
    best_iter_: int
    reconstruction_error_: float
    device_: str
    n_features_in_: int
    feature_names_in_: np.ndarray
    def __init__(
        self,
        n_components: int | float | None = 2,
        *,
        prior: Literal["normal", "uniform"] | Callable[..., Any] = "normal",
        adversarial_weight: Literal["auto"] | float = "auto",
        discriminator_layer_sizes: Sequence[int] | np.ndarray = (128, 128),
        hidden_layer_sizes: Literal["auto"] | Sequence[int] | np.ndarray | int = "auto",
        activation: Literal[
            "auto", "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "auto",
        dropout: float = 0.0,
        module: type[Any] | torch.nn.Module | None = None,
        ordered: bool = False,
        loss: Literal[
            "absolute_error",
            "binary_cross_entropy",
            "huber",
            "multinomial",
            "poisson",
            "squared_error",
        ] = "squared_error",
        out_activation: Literal[
            "auto", "clip", "identity", "logistic", "tanh"
        ] = "auto",
        code_activation: Literal[
            "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "identity",
        noise: Literal["auto", "gaussian", "masking", "salt_and_pepper", "swap"]
        | None = "auto",
        noise_level: Literal["auto"] | float = "auto",
        penalty: Literal["contractive", "k_sparse", "kl", "l1"] | None = None,
        penalty_weight: float = 0.01,
        sparsity: Literal["auto"] | int | float = "auto",
        neighbors: float | None = None,
        init: Literal["pca", "random"] = "pca",
        alpha: float | Literal["auto"] = "auto",
        batch_size: Literal["auto"] | int = "auto",
        learning_rate: Literal["constant", "one_cycle"] = "one_cycle",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: Literal["auto"] | int = "auto",
        tol: float = 0.001,
        early_stopping: bool = True,
        validation_fraction: float | Literal["auto"] = "auto",
        validation_rows: Literal["cells", "last", "random"] = "random",
        missing: Literal["auto", "error", "expect"] = "auto",
        n_iter_no_change: int | float | None = 20,
        optimizer: Literal["adam", "adamw", "sgd"] | type[Any] = "adamw",
        device: str | torch.device = "auto",
        precision: Literal["auto", "bfloat16", "float32"] = "auto",
        callbacks: list[Any] | tuple[Any, ...] | None = None,
        checkpoint: str | PathLike[str] | None = None,
        compile: bool = False,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None: ...
    def code_gradients(self, X: Any) -> Any: ...
    def fit(
        self, X: Any, y: Any = None, groups: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def get_params(self, deep: Any = True) -> Any: ...
    def inverse_transform(self, X: Any) -> Any: ...
    def onnx_converter(self) -> Any: ...
    def onnx_shape_calculator(self) -> Any: ...
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def reconstruct(self, X: Any, n_components: Any = None) -> Any: ...
    def sample(self, n_samples: Any = 1, random_state: Any = None) -> Any: ...
    def score(
        self, X: Any, y: Any = None, n_components: Any = None, sample_weight: Any = None
    ) -> float: ...
    def score_samples(self, X: Any) -> Any: ...
    def set_fit_request(self, **requests: Any) -> Self: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_partial_fit_request(self, **requests: Any) -> Self: ...
    def set_score_request(self, **requests: Any) -> Self: ...
    def transform(self, X: Any) -> Any: ...
    def truncate(self, n_components: Any) -> Self: ...

class AutoencoderImputer(TransformerMixin, BaseEstimator):
    autoencoders_: Any
    autoencoder_: Any
    weight_: float
    n_factors_: int
    n_rounds_: int
    error_: float
    spread_: float
    mean_: np.ndarray
    scale_: np.ndarray
    kept_: np.ndarray
    indicated_: np.ndarray
    n_iter_: int
    n_features_in_: int
    feature_names_in_: np.ndarray
    def __init__(
        self,
        missing_values: float = ...,
        *,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        max_iter: Literal["auto"] | int = "auto",
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None: ...
    def draw(self, X: Any, n_draws: Any = 5, random_state: Any = None) -> Any: ...
    def fit(self, X: Any, y: Any = None) -> Self: ...
    def get_feature_names_out(self, input_features: Any = None) -> Any: ...
    def inverse_transform(self, X: Any) -> Any: ...
    def transform(self, X: Any) -> Any: ...

class AutoencoderOutlierDetector(OutlierMixin, BaseEstimator):
    estimator_: Any
    offset_: float
    n_features_in_: int
    feature_names_in_: np.ndarray
    def __init__(
        self,
        estimator: Any | None = None,
        *,
        contamination: float = 0.1,
        trim: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None: ...
    def decision_function(self, X: Any) -> Any: ...
    def fit(self, X: Any, y: Any = None) -> Self: ...
    def predict(self, X: Any) -> Any: ...
    def score_samples(self, X: Any) -> Any: ...

class AutoencoderTransformer(TransformerMixin, BaseEstimator):
    n_components_: int
    code_size_curve_: np.ndarray
    explained_variance_ratio_: np.ndarray
    n_samples_: int
    net_: Any
    mean_: np.ndarray
    scale_: float
    data_range_: Any
    loss_: float
    best_loss_: float
    loss_curve_: Any
    validation_loss_curve_: Any
    n_iter_: int
    best_iter_: int
    reconstruction_error_: float
    device_: str
    n_features_in_: int
    feature_names_in_: np.ndarray
    def __init__(
        self,
        n_components: int | float | None = 2,
        *,
        hidden_layer_sizes: Literal["auto"] | Sequence[int] | np.ndarray | int = "auto",
        activation: Literal[
            "auto", "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "auto",
        dropout: float = 0.0,
        module: type[Any] | torch.nn.Module | None = None,
        ordered: bool = False,
        loss: Literal[
            "absolute_error",
            "binary_cross_entropy",
            "huber",
            "multinomial",
            "poisson",
            "squared_error",
        ] = "squared_error",
        out_activation: Literal[
            "auto", "clip", "identity", "logistic", "tanh"
        ] = "auto",
        code_activation: Literal[
            "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "identity",
        noise: Literal["auto", "gaussian", "masking", "salt_and_pepper", "swap"]
        | None = "auto",
        noise_level: Literal["auto"] | float = "auto",
        penalty: Literal["contractive", "k_sparse", "kl", "l1"] | None = None,
        penalty_weight: float = 0.01,
        sparsity: Literal["auto"] | int | float = "auto",
        neighbors: float | None = None,
        init: Literal["pca", "random"] = "pca",
        alpha: float | Literal["auto"] = "auto",
        batch_size: Literal["auto"] | int = "auto",
        learning_rate: Literal["constant", "one_cycle"] = "one_cycle",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: Literal["auto"] | int = "auto",
        tol: float = 0.001,
        early_stopping: bool = True,
        validation_fraction: float | Literal["auto"] = "auto",
        validation_rows: Literal["cells", "last", "random"] = "random",
        missing: Literal["auto", "error", "expect"] = "auto",
        n_iter_no_change: int | float | None = 20,
        optimizer: Literal["adam", "adamw", "sgd"] | type[Any] = "adamw",
        device: str | torch.device = "auto",
        precision: Literal["auto", "bfloat16", "float32"] = "auto",
        callbacks: list[Any] | tuple[Any, ...] | None = None,
        checkpoint: str | PathLike[str] | None = None,
        compile: bool = False,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None: ...
    def code_gradients(self, X: Any) -> Any: ...
    def fit(
        self, X: Any, y: Any = None, groups: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def get_params(self, deep: Any = True) -> Any: ...
    def inverse_transform(self, X: Any) -> Any: ...
    def onnx_converter(self) -> Any: ...
    def onnx_shape_calculator(self) -> Any: ...
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def reconstruct(self, X: Any, n_components: Any = None) -> Any: ...
    def score(
        self, X: Any, y: Any = None, n_components: Any = None, sample_weight: Any = None
    ) -> float: ...
    def score_samples(self, X: Any) -> Any: ...
    def set_fit_request(self, **requests: Any) -> Self: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_partial_fit_request(self, **requests: Any) -> Self: ...
    def set_score_request(self, **requests: Any) -> Self: ...
    def transform(self, X: Any) -> Any: ...
    def truncate(self, n_components: Any) -> Self: ...

class AutoencoderTransformerCV(TransformerMixin, BaseEstimator):
    n_components_: int
    best_estimator_: Any
    best_score_: float
    best_index_: int
    cv_results_: Any
    n_splits_: int
    n_features_in_: int
    feature_names_in_: np.ndarray
    def __init__(
        self,
        n_components: Sequence[int] | np.ndarray = (2, 4, 8, 16, 32),
        *,
        estimator: BaseEstimator | None = None,
        predictor: Any | None = None,
        cv: int | Any = 5,
        rule: Literal["best", "one_standard_error"] = "best",
        scoring: str | Callable[..., Any] | None = None,
        n_jobs: int | None = None,
        refit: bool = True,
        callbacks: list[Any] | tuple[Any, ...] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None: ...
    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self: ...
    def inverse_transform(self, X: Any) -> Any: ...
    def onnx_converter(self) -> Any: ...
    def onnx_shape_calculator(self) -> Any: ...
    def score(self, X: Any, y: Any = None) -> float: ...
    def score_samples(self, X: Any) -> Any: ...
    def set_fit_request(self, **requests: Any) -> Self: ...
    def transform(self, X: Any) -> Any: ...

class ConvolutionalAutoencoder(TransformerMixin, BaseEstimator):
    image_shape_: Any
    def __init__(
        self,
        n_components: int | None = 2,
        *,
        image_shape: Sequence[int] | np.ndarray | None = None,
        filters: Sequence[int] | np.ndarray = (16, 32),
        kernel_size: int = 3,
        downsampling: Literal["max_pool", "stride"] = "max_pool",
        upsampling: Literal["bilinear", "nearest", "transposed"] = "transposed",
        hidden_layer_sizes: Sequence[int] | np.ndarray | int = (128,),
        activation: Literal[
            "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "relu",
        dropout: float = 0.0,
        ordered: bool = False,
        loss: Literal[
            "absolute_error",
            "binary_cross_entropy",
            "huber",
            "multinomial",
            "poisson",
            "squared_error",
        ] = "squared_error",
        out_activation: Literal[
            "auto", "clip", "identity", "logistic", "tanh"
        ] = "auto",
        code_activation: Literal[
            "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "identity",
        noise: Literal["auto", "gaussian", "masking", "salt_and_pepper", "swap"]
        | None = "auto",
        noise_level: Literal["auto"] | float = "auto",
        penalty: Literal["contractive", "k_sparse", "kl", "l1"] | None = None,
        penalty_weight: float = 0.01,
        sparsity: Literal["auto"] | int | float = "auto",
        neighbors: float | None = None,
        init: Literal["pca", "random"] = "pca",
        alpha: float | Literal["auto"] = "auto",
        batch_size: Literal["auto"] | int = "auto",
        learning_rate: Literal["constant", "one_cycle"] = "one_cycle",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: Literal["auto"] | int = "auto",
        tol: float = 0.001,
        early_stopping: bool = True,
        validation_fraction: float | Literal["auto"] = "auto",
        validation_rows: Literal["cells", "last", "random"] = "random",
        missing: Literal["auto", "error", "expect"] = "auto",
        n_iter_no_change: int | float | None = 20,
        optimizer: Literal["adam", "adamw", "sgd"] | type[Any] = "adamw",
        device: str | torch.device = "auto",
        precision: Literal["auto", "bfloat16", "float32"] = "auto",
        callbacks: list[Any] | tuple[Any, ...] | None = None,
        checkpoint: str | PathLike[str] | None = None,
        compile: bool = False,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None: ...
    def code_gradients(self, X: Any) -> Any: ...
    def fit(
        self, X: Any, y: Any = None, groups: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def get_params(self, deep: Any = True) -> Any: ...
    def inverse_transform(self, X: Any) -> Any: ...
    def onnx_converter(self) -> Any: ...
    def onnx_shape_calculator(self) -> Any: ...
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def reconstruct(self, X: Any, n_components: Any = None) -> Any: ...
    def score(
        self, X: Any, y: Any = None, n_components: Any = None, sample_weight: Any = None
    ) -> float: ...
    def score_samples(self, X: Any) -> Any: ...
    def set_fit_request(self, **requests: Any) -> Self: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_partial_fit_request(self, **requests: Any) -> Self: ...
    def set_score_request(self, **requests: Any) -> Self: ...
    def transform(self, X: Any) -> Any: ...
    def truncate(self, n_components: Any) -> Self: ...

class DenoisingAutoencoder(TransformerMixin, BaseEstimator):
    n_components_: int
    code_size_curve_: np.ndarray
    explained_variance_ratio_: np.ndarray
    n_samples_: int
    net_: Any
    mean_: np.ndarray
    scale_: float
    data_range_: Any
    loss_: float
    best_loss_: float
    loss_curve_: Any
    validation_loss_curve_: Any
    n_iter_: int
    best_iter_: int
    reconstruction_error_: float
    device_: str
    n_features_in_: int
    feature_names_in_: np.ndarray
    def __init__(
        self,
        n_components: int | float | None = 2,
        *,
        noise: Literal["auto", "gaussian", "masking", "salt_and_pepper", "swap"]
        | None = "gaussian",
        noise_level: Literal["auto"] | float = "auto",
        hidden_layer_sizes: Literal["auto"] | Sequence[int] | np.ndarray | int = "auto",
        activation: Literal[
            "auto", "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "auto",
        dropout: float = 0.0,
        module: type[Any] | torch.nn.Module | None = None,
        ordered: bool = False,
        loss: Literal[
            "absolute_error",
            "binary_cross_entropy",
            "huber",
            "multinomial",
            "poisson",
            "squared_error",
        ] = "squared_error",
        out_activation: Literal[
            "auto", "clip", "identity", "logistic", "tanh"
        ] = "auto",
        code_activation: Literal[
            "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "identity",
        penalty: Literal["contractive", "k_sparse", "kl", "l1"] | None = None,
        penalty_weight: float = 0.01,
        sparsity: Literal["auto"] | int | float = "auto",
        neighbors: float | None = None,
        init: Literal["pca", "random"] = "pca",
        alpha: float | Literal["auto"] = "auto",
        batch_size: Literal["auto"] | int = "auto",
        learning_rate: Literal["constant", "one_cycle"] = "one_cycle",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: Literal["auto"] | int = "auto",
        tol: float = 0.001,
        early_stopping: bool = True,
        validation_fraction: float | Literal["auto"] = "auto",
        validation_rows: Literal["cells", "last", "random"] = "random",
        missing: Literal["auto", "error", "expect"] = "auto",
        n_iter_no_change: int | float | None = 20,
        optimizer: Literal["adam", "adamw", "sgd"] | type[Any] = "adamw",
        device: str | torch.device = "auto",
        precision: Literal["auto", "bfloat16", "float32"] = "auto",
        callbacks: list[Any] | tuple[Any, ...] | None = None,
        checkpoint: str | PathLike[str] | None = None,
        compile: bool = False,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None: ...
    def code_gradients(self, X: Any) -> Any: ...
    def fit(
        self, X: Any, y: Any = None, groups: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def get_params(self, deep: Any = True) -> Any: ...
    def inverse_transform(self, X: Any) -> Any: ...
    def onnx_converter(self) -> Any: ...
    def onnx_shape_calculator(self) -> Any: ...
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def reconstruct(self, X: Any, n_components: Any = None) -> Any: ...
    def score(
        self, X: Any, y: Any = None, n_components: Any = None, sample_weight: Any = None
    ) -> float: ...
    def score_samples(self, X: Any) -> Any: ...
    def set_fit_request(self, **requests: Any) -> Self: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_partial_fit_request(self, **requests: Any) -> Self: ...
    def set_score_request(self, **requests: Any) -> Self: ...
    def transform(self, X: Any) -> Any: ...
    def truncate(self, n_components: Any) -> Self: ...

class VariationalAutoencoder(TransformerMixin, BaseEstimator):
    noise_variance_: float
    kl_: np.ndarray
    n_components_: int
    code_size_curve_: np.ndarray
    explained_variance_ratio_: np.ndarray
    n_samples_: int
    net_: Any
    mean_: np.ndarray
    scale_: float
    data_range_: Any
    loss_: float
    best_loss_: float
    loss_curve_: Any
    validation_loss_curve_: Any
    n_iter_: int
    best_iter_: int
    reconstruction_error_: float
    device_: str
    n_features_in_: int
    feature_names_in_: np.ndarray
    def __init__(
        self,
        n_components: int | float | None = 2,
        *,
        beta: float = 1.0,
        hidden_layer_sizes: Literal["auto"] | Sequence[int] | np.ndarray | int = "auto",
        activation: Literal[
            "auto", "elu", "gelu", "identity", "logistic", "relu", "silu", "tanh"
        ] = "auto",
        dropout: float = 0.0,
        module: type[Any] | torch.nn.Module | None = None,
        ordered: bool = False,
        loss: Literal["binary_cross_entropy", "squared_error"] = "squared_error",
        out_activation: Literal[
            "auto", "clip", "identity", "logistic", "tanh"
        ] = "auto",
        code_activation: Literal["identity"] = "identity",
        noise: Literal["auto", "gaussian", "masking", "salt_and_pepper", "swap"]
        | None = "auto",
        noise_level: Literal["auto"] | float = "auto",
        penalty: Literal["contractive", "l1"] | None = None,
        penalty_weight: float = 0.01,
        sparsity: Literal["auto"] | int | float = "auto",
        neighbors: float | None = None,
        init: Literal["pca", "random"] = "pca",
        alpha: float | Literal["auto"] = "auto",
        batch_size: Literal["auto"] | int = "auto",
        learning_rate: Literal["constant", "one_cycle"] = "one_cycle",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: Literal["auto"] | int = "auto",
        tol: float = 0.001,
        early_stopping: bool = True,
        validation_fraction: float | Literal["auto"] = "auto",
        validation_rows: Literal["cells", "last", "random"] = "random",
        missing: Literal["auto", "error", "expect"] = "auto",
        n_iter_no_change: int | float | None = 20,
        optimizer: Literal["adam", "adamw", "sgd"] | type[Any] = "adamw",
        device: str | torch.device = "auto",
        precision: Literal["auto", "bfloat16", "float32"] = "auto",
        callbacks: list[Any] | tuple[Any, ...] | None = None,
        checkpoint: str | PathLike[str] | None = None,
        compile: bool = False,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None: ...
    def code_gradients(self, X: Any) -> Any: ...
    def fit(
        self, X: Any, y: Any = None, groups: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def get_params(self, deep: Any = True) -> Any: ...
    def inverse_transform(self, X: Any) -> Any: ...
    def onnx_converter(self) -> Any: ...
    def onnx_shape_calculator(self) -> Any: ...
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = False
    ) -> Self: ...
    def reconstruct(self, X: Any, n_components: Any = None) -> Any: ...
    def sample(self, n_samples: Any = 1, random_state: Any = None) -> Any: ...
    def score(
        self, X: Any, y: Any = None, n_components: Any = None, sample_weight: Any = None
    ) -> float: ...
    def score_samples(self, X: Any) -> Any: ...
    def set_fit_request(self, **requests: Any) -> Self: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_partial_fit_request(self, **requests: Any) -> Self: ...
    def set_score_request(self, **requests: Any) -> Self: ...
    def transform(self, X: Any) -> Any: ...
    def truncate(self, n_components: Any) -> Self: ...
