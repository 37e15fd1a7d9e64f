"""YAML files of plain fields: no aliases, which let a small file stand for a huge one, no key twice."""

from pathlib import Path
from typing import Any

import yaml

from cunet_tf.errors import CUNetError, shown
from cunet_tf.reading import MIB, read_text

YAML_BYTES = MIB // 4  # PyYAML takes seconds for more; 4,096 names of landmarks fit


class _Plain(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"alias *{shown(self.peek_event().anchor)}: write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found = super().construct_mapping(node, deep)
        if len(found) != len(node.value):
            raise yaml.YAMLError(f"a key stands twice in an object in line {node.start_mark.line + 1}")
        return found


def read_yaml(file: Path) -> Any:
    """What a YAML file says.

    Raises:
        CUNetError: see :func:`cunet_tf.reading.read_text`; or no such YAML.
    """
    text = read_text(file, YAML_BYTES)
    try:
        return yaml.load(text, _Plain)  # noqa: S506 - a safe loader
    except RecursionError:
        fault = "it is nested too deeply"
    except (yaml.YAMLError, ValueError, TypeError, LookupError, OverflowError) as error:  # ill-formed dates and numbers
        fault = " ".join(str(error).split())
    raise CUNetError(f"{file}: not readable as YAML ({fault}): repair it.")
