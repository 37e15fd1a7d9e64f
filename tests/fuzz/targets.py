"""All formats under attack, by name."""

from tests.fuzz import cunet, gzip_file, hdf5_file, keras_file, onnx_file, tflite_file
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    module.TARGET.name: module.TARGET for module in (cunet, tflite_file, gzip_file, hdf5_file, keras_file, onnx_file)
}
