"""A part of an ordered code."""

import copy
from dataclasses import replace
from numbers import Integral

from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted


class TruncationMixin:
    """What an estimator does with the first units of its code alone."""

    def truncate(self, n_components):
        """Return a fitted copy whose code is the first units of this one's.

        Its network is smaller: nothing of the other units is in it. Where PCA's first
        components are PCA, so is this.

        Parameters
        ----------
        n_components : int
            Code size, from 1 to `n_components_`.

        Returns
        -------
        estimator
            With `n_components` set. It has no `reconstruction_error_`: that would take
            the training data.

        Raises
        ------
        ValueError
            If the estimator was not fitted with ``ordered=True``, its code is shorter,
            or a network of your own can't be cut.
        """
        check_is_fitted(self)
        k = self._prefix_size(n_components)
        blueprint = self._fitted.codec.blueprint
        if not blueprint.ordered:
            raise ValueError(
                f"n_components={k} is no part of a code without order: only a model "
                f"fitted with ordered=True can be truncated."
            )
        fitted = self._fitted.prefix(k)
        codec = fitted.codec
        settings = {**blueprint.settings, "n_components": k, "ordered": True}
        codec = replace(codec, blueprint=replace(codec.blueprint, settings=settings))
        model = copy.copy(self)
        model.n_components = k
        model.ordered = True
        model._fitted = replace(fitted, codec=codec, error=None)
        return model

    def _prefix_size(self, n_components):
        """Return how many units are asked for, if a code may have as many."""
        if n_components is None:
            return None
        check_scalar(n_components, "n_components", Integral, min_val=1)
        if n_components > self.n_components_:
            raise ValueError(
                f"n_components must be at most {self.n_components_}, the code size of "
                f"this {type(self).__name__}. Got {n_components}."
            )
        ordered = self._fitted.codec.blueprint.ordered
        if n_components < self.n_components_ and not ordered:
            raise ValueError(
                f"n_components={n_components} is a part of the code. Only a model "
                f"fitted with ordered=True can do without the other units."
            )
        return int(n_components)
