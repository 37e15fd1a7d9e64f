"""The list of ``make quick`` names tests that exist, and reaches every package."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = (ROOT / "tests/quick.txt").read_text().split()
FOLDERS = {"cunet_tf": "cunet_tf", "trainers": "cunet_tf.trainers", "export": "cunet_tf.export"}


def test_what_is_listed_is_there():
    assert sorted(set(LIST)) == LIST
    for each in LIST:
        file, _, name = each.partition("::")
        assert not name or f"def {name}(" in (ROOT / file).read_text(), each
        assert (ROOT / file).exists(), each


def test_every_package_is_imported():
    text = "\n".join((ROOT / each.partition("::")[0]).read_text() for each in LIST)
    for folder, name in FOLDERS.items():
        for file in (ROOT / folder).rglob("__init__.py"):
            package = ".".join([name, *file.parent.relative_to(ROOT / folder).parts])
            assert re.search(rf"(from|import) {re.escape(package)}\b", text), f"tests/quick.txt: no test of {package}"
