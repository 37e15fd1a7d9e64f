"""What the integers of a file's heat maps stand for, as its description says it."""

from cunet_tf.compat import schema
from cunet_tf.spec import ModelSpec, OutputGrid


def with_output(model: schema.ModelT, spec: ModelSpec) -> ModelSpec:
    """The description of a parsed model with what the integers of its heat maps stand for, where they are int8."""
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.outputs[0]]
    if tensor.type != schema.TensorType.INT8:
        return spec.replace(output=None)
    (scale,), (zero,) = tensor.quantization.scale, tensor.quantization.zeroPoint
    return spec.replace(output=OutputGrid(float(scale), int(zero)))
