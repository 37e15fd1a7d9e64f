"""The formats of exported files, and the endings of their names."""

ENDINGS = {
    "float32": ".tflite",
    "float16": ".tflite",
    "int8-weights": ".tflite",
    "onnx": ".onnx",
    "int8": ".tflite",
    "int8-float-io": ".tflite",
    "packed": ".cunet",
    "packed-float-io": ".cunet",
    "gz": ".tflite.gz",
}
FLOAT_ENDS = ("int8-float-io", "packed-float-io")  # integers inside
FLOAT = ("float32", "float16", "int8-weights", "onnx")
INTEGERS = tuple(fmt for fmt in ENDINGS if fmt not in FLOAT)
