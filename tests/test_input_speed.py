import numpy as np

from cunet_tf.data.pipeline import Examples
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.w300 import load_300w
from cunet_tf.input_speed import jpeg_only, pipeline_speed, tensorflow_ops_speed
from cunet_tf.presets import preset
from cunet_tf.trainers.recipes import FACE_MOBILE

NEEDED = 120  # pictures/s at 128 px on two cores: three times what training face-mobile was to consume


def test_input_feeds_training_on_real_faces(w300_root):
    examples = Examples(load_300w(w300_root, "afw"), preset("face-mobile"), FACE_MOBILE.augmentation)
    assert jpeg_only(examples)
    assert pipeline_speed(examples, 16, 1.0) > NEEDED
    assert tensorflow_ops_speed(examples, 16, 0.3) > 0


def test_drawn_pictures_have_no_files():
    examples = Examples(load_synthetic(preset("face-mobile").skeleton, "0:32"), preset("face-mobile"))
    assert not jpeg_only(examples)
    assert np.isfinite(pipeline_speed(examples, 8, 0.2))
