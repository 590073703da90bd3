"""The list of our estimators, from which registries and tests derive."""

from ._adversarial import AdversarialAutoencoder
from ._autoencoder import AutoencoderTransformer
from ._convolutional import ConvolutionalAutoencoder
from ._denoising import DenoisingAutoencoder
from ._imputer import AutoencoderImputer
from ._outliers import AutoencoderOutlierDetector
from ._search import AutoencoderTransformerCV
from ._variational import VariationalAutoencoder

ESTIMATORS = {
    estimator.__name__: estimator
    for estimator in (
        AdversarialAutoencoder,
        AutoencoderOutlierDetector,
        AutoencoderImputer,
        AutoencoderTransformer,
        AutoencoderTransformerCV,
        ConvolutionalAutoencoder,
        DenoisingAutoencoder,
        VariationalAutoencoder,
    )
}
