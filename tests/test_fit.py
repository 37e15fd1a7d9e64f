import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from cunet_tf.models.cunet import build_cunet
from cunet_tf.presets import preset
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.fit import compile_model, hold_out, monitor
from cunet_tf.trainers.recipes import FACE_MOBILE


def test_hold_out_splits_without_overlap_and_repeatably():
    source = load_synthetic(FACE68, "1:50")
    training, validation = hold_out(source, 0.2)
    names = [{sample.name for sample in part} for part in (training, validation)]
    assert (len(training), len(validation)) == (40, 10)
    assert not names[0] & names[1] and len(names[0] | names[1]) == 50
    assert [s.name for s in hold_out(source, 0.2)[1]] == [s.name for s in validation]
    assert {s.name for s in hold_out(source, 0.2, seed=1)[1]} != names[1]
    with pytest.raises(CUNetError, match="leaves one side empty"):
        hold_out(source, 0.001)


def test_people_of_one_picture_stay_together():
    source = load_synthetic(FACE68, "1:40")
    pairs = [dataclasses.replace(s, picture=Path(f"{index // 2}.jpg")) for index, s in enumerate(source)]
    sides = [{s.picture for s in part} for part in hold_out(dataclasses.replace(source, samples=pairs), 0.3)]
    assert not sides[0] & sides[1] and len(sides[1]) == 6


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


def test_a_mirrored_copy_stays_with_its_picture():
    source = load_synthetic(FACE68, "1:40")
    names = [f"{index // 2}{'_mirror' * (index % 2)}.jpg" for index in range(40)]
    pairs = [dataclasses.replace(s, picture=Path(name)) for s, name in zip(source, names, strict=True)]
    sides = [{s.picture.stem.split("_")[0] for s in part}
             for part in hold_out(dataclasses.replace(source, samples=pairs), 0.3)]  # fmt: skip
    assert not sides[0] & sides[1] and len(sides[1]) == 6


def test_every_skeleton_has_a_metric_to_choose_by():
    spec = preset("face-mobile")
    bare = type(spec.skeleton)("bare", spec.skeleton.names)
    assert monitor(spec.replace(skeleton=bare)) == ("val_nme", False)
    assert monitor(preset("pose-mobile")) == ("val_pck", True)
    assert monitor(preset("hourglass-4")) == ("val_pck", True)
    assert monitor(preset("dense-unet-4")) == ("val_pck", True)
