"""All formats under attack, by name."""

from tests.fuzz import (
    csv_file,
    cunet,
    gzip_file,
    hdf5_file,
    json_file,
    keras_file,
    mat_file,
    onnx_file,
    onnx_network,
    picture_file,
    pts_file,
    tflite_file,
    video_file,
    yolo_file,
)
from tests.fuzz.target import Target

MODULES = (cunet, tflite_file, gzip_file, keras_file, hdf5_file, onnx_file, onnx_network, mat_file, json_file,
           csv_file, pts_file, yolo_file, picture_file, video_file)  # fmt: skip
TARGETS: dict[str, Target] = {module.TARGET.name: module.TARGET for module in MODULES}
