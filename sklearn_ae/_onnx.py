"""Estimators that skl2onnx converts."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._engine.onnx import OPSET, Graph, add_codec


class OnnxMixin:
    """Lets skl2onnx convert an estimator, in Pipelines too, without registration."""

    def _best(self):
        """Return the fitted autoencoder that transforms."""
        check_is_fitted(self)
        return self

    def onnx_shape_calculator(self):
        """Return what tells skl2onnx the shape of the codes.

        Returns
        -------
        callable
            Takes an operator of skl2onnx, and sets the type of its output.
        """
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

        def calculate(operator):
            kind = operator.inputs[0].type
            double = isinstance(kind, DoubleTensorType)
            shape = [kind.shape[0], self.n_components_]
            tensor_type = DoubleTensorType if double else FloatTensorType
            operator.outputs[0].type = tensor_type(shape)

        return calculate

    def onnx_converter(self):
        """Return what adds `transform` to a graph of skl2onnx.

        Returns
        -------
        callable
            Takes scope, operator and container of skl2onnx, and adds the nodes.
        """
        from skl2onnx.common.data_types import DoubleTensorType

        def add(scope, operator, container):
            graph = Graph(scope.get_unique_variable_name)
            names = [variable.onnx_name for variable in operator.inputs]
            double = isinstance(operator.outputs[0].type, DoubleTensorType)
            dtype = np.float64 if double else np.float32
            if len(names) > 1:  # a column each
                names = [graph.cast(name, dtype) for name in names]
                names = [graph.add("Concat", *names, axis=1)]
            output = operator.outputs[0].onnx_name
            codec = self._best()._fitted.codec
            add_codec(graph, codec, "encoder", names[0], dtype, output)
            container.nodes.extend(graph.nodes)
            container.initializers.extend(graph.constants)
            container.node_domain_version_pair_sets.add(("", OPSET))

        return add
