"""All formats under attack, by name."""

from tests.fuzz import cunet, keras_file, tflite_file
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {module.TARGET.name: module.TARGET for module in (cunet, keras_file, tflite_file)}
