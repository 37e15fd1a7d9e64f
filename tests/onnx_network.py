"""A small ``.onnx`` network from pictures to heat maps, made by hand, without TensorFlow: every operation of ours."""

import functools

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cunet_tf.spec import SPEC_NAME
from tests.tflite_cases import LANDMARKS, SIDE, spec


def constant(name: str, values: np.ndarray) -> onnx.TensorProto:
    """A stored tensor."""
    return numpy_helper.from_array(np.asarray(values, np.float32), name)


@functools.cache
def small_network(described: bool = True) -> bytes:
    """The file, with a description or without."""
    rng = np.random.default_rng(0)
    stored = [
        constant("first", rng.normal(size=(4, 3, 3, 3))), constant("inner", rng.normal(size=(4, 4, 3, 3))),
        constant("last", rng.normal(size=(LANDMARKS, 8, 1, 1)) / 8), constant("scales", np.array([1, 1, 2, 2])),
        *(constant(name, np.full(4, value)) for name, value in (("gamma", 0.5), ("beta", 0), ("mean", 1), ("var", 4))),
    ]  # fmt: skip
    halves = {"kernel_shape": [2, 2], "strides": [2, 2]}
    made = helper.make_node
    nodes = [
        made("Transpose", ["image"], ["a"], perm=[0, 3, 1, 2]),
        made("Conv", ["a", "first"], ["b"], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]),
        made("Relu", ["b"], ["c"]), made("MaxPool", ["c"], ["d"], **halves),
        made("Conv", ["d", "inner"], ["e"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        made("BatchNormalization", ["e", "gamma", "beta", "mean", "var"], ["f"], epsilon=1e-3),
        made("Resize", ["f", "", "scales"], ["g"], mode="nearest", coordinate_transformation_mode="asymmetric"),
        made("MaxPool", ["g"], ["h"], **halves), made("Add", ["h", "d"], ["i"]),
        made("Concat", ["i", "d"], ["j"], axis=1), made("Conv", ["j", "last"], ["k"], kernel_shape=[1, 1]),
        made("Transpose", ["k"], ["heatmaps"], perm=[0, 2, 3, 1]),
    ]  # fmt: skip
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", side, side, channels])
        for name, side, channels in (("image", SIDE, 3), ("heatmaps", SIDE // 4, LANDMARKS))
    ]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    if described:
        helper.set_model_props(model, {SPEC_NAME: spec().to_json()})
    return model.SerializeToString(deterministic=True)
