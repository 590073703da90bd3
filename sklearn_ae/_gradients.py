"""How codes change with the rows: what `sklearn_ae.inspection` asks an autoencoder."""

from sklearn.utils.validation import check_is_fitted

from ._arrays import in_callers_arrays
from ._engine.codec import gradients


class GradientsMixin:
    """Lets an autoencoder tell the gradients of its code."""

    @in_callers_arrays
    def code_gradients(self, X):
        """Return the gradient of each code unit with respect to the row.

        Where the model is PCA, they are `sklearn.decomposition.PCA.components_` at
        every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_components, n_features)
            Change of a unit of the code for a change of a column, both in the units
            that `transform` reads and gives; float32 if X is, else float64.

        See Also
        --------
        sklearn_ae.inspection.loadings : Their mean over rows, and the way back.
        """
        check_is_fitted(self)
        return gradients(self._fitted.codec, self._table(X))
