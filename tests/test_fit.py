import numpy as np
import pytest

from cunet_tf.models.cunet import build_cunet
from cunet_tf.presets import preset
from cunet_tf.trainers.fit import compile_model, monitor
from cunet_tf.trainers.recipes import FACE_MOBILE


@pytest.mark.parametrize("supervisions", [1, 2])
def test_monitored_name_is_logged_and_loss_sums_over_heads(tiny_spec, supervisions, rng):
    config = tiny_spec.config.replace(supervisions=supervisions, levels=1, input_size=32)
    spec = tiny_spec.replace(config=config)
    model = build_cunet(spec)
    compile_model(model, spec, FACE_MOBILE.optimizer(10, 1), FACE_MOBILE.codecs)
    model.run_eagerly = True
    images = rng.random((2, 32, 32, 3), dtype=np.float32)
    target = np.concatenate([rng.uniform(1, 6, (2, 68, 2)), np.ones((2, 68, 1))], axis=-1).astype("float32")
    logs = model.evaluate(images, (target,) * supervisions, verbose=0, return_dict=True)
    name, higher = monitor(spec)
    assert name.removeprefix("val_") in logs and not higher
    heads = [loss(target, maps) for loss, maps in zip(model.loss, model(images), strict=True)]
    assert logs["loss"] == pytest.approx(sum(float(h) for h in heads), rel=1e-4)


def test_every_skeleton_has_a_metric_to_choose_by():
    spec = preset("face-mobile")
    bare = type(spec.skeleton)("bare", spec.skeleton.names)
    assert monitor(spec.replace(skeleton=bare)) == ("val_nme", False)
    assert monitor(preset("pose-mobile")) == ("val_pck", True)
    assert monitor(preset("hourglass-4")) == ("val_pck", True)
    assert monitor(preset("dense-unet-4")) == ("val_pck", True)
