"""Integer files as they were: the stem 7x7 with stride 2, on pixels."""

import copy
import functools
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf

from cunet_tf.export.deploy import deploy
from cunet_tf.export.deploy_layers import DeployStem
from cunet_tf.export.tflite import convert_int8
from cunet_tf.files.blocks import from_blocks
from tests.networks import crops, network, spec_of


class PixelStem(DeployStem):
    """The same weights and grids, on a picture with 3 pixels of zeros on each side."""

    def call(self, image: Any) -> Any:
        conv = copy.copy(self.conv)
        conv.kernel = np.moveaxis(from_blocks(np.moveaxis(conv.kernel, -1, 0)), 0, -1)
        padded = tf.pad(self.image(image), ((0, 0), (3, 3), (3, 3), (0, 0)))
        return tf.nn.max_pool2d(conv(padded, 2, "VALID"), 2, 2, "VALID")


@functools.cache
def pixel_file(quant: str, shape: str = "plain") -> bytes:
    """:func:`tests.networks.integer_file` with the stem on pixels."""
    with mock.patch("cunet_tf.export.deploy.DeployStem", PixelStem):
        twin = deploy(network(quant, shape), spec_of(quant, shape))
    twin.calibrate(crops())
    return convert_int8(twin, spec_of(quant, shape))
