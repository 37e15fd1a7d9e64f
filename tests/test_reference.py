"""The pages of the reference know every public name, and every module that a user may meet."""

import importlib.util
from pathlib import Path

import cunet_tf as cu

PAGES = Path(__file__).parents[1] / "docs/reference/pages.py"
spec = importlib.util.spec_from_file_location("pages", PAGES)
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)


def test_every_public_name_is_listed_once():
    listed = [name for names in pages.GROUPS.values() for name in names]
    assert sorted(listed) == list(cu.__all__)


def test_pages_hold_what_modules_define(tmp_path):
    assert "cunet_tf.skeletons" in pages.modules() and "cunet_tf.trainers.train" in pages.modules()
    assert not any(name.startswith(pages.LEFT_OUT) for name in pages.modules())
    text = pages.page("cunet_tf.skeletons")
    assert text.startswith("cunet_tf.skeletons\n======") and "Skeleton" in text and "CUNetError" not in text
    assert "cunet_tf.trainers.train.train" in pages.index()
