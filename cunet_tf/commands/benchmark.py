"""cunet benchmark: models side by side (bytes, latency, memory, metric), or the speed of a data source.

With names behind it, or --model: files (.tflite, .cunet, .tflite.gz, .onnx, also of others), shipped names, presets
(untrained, in --formats, or PRESET+QUANT:FORMAT), with --data the metric of each. Times are the
processor's where one thread runs, and ratios those within a round; the processor and its
instruction sets are named beside them. Without names: how fast --data feeds training, against what --preset consumes;
with --packed the records of cunet pack beside the pictures they were cut from, and processes beside threads.

Example:
  cunet benchmark face-mobile other.tflite --data=300w --root=300w --split=helen/testset --out=report
  cunet benchmark face-8:float32 "face-8+BW-a-QIG(818):packed" --out=report
  cunet benchmark --data=synthetic --preset=face-mobile
  cunet benchmark --data=300w --root=300w --split=afw --packed=packed --preset=face-mobile
"""

import os
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.commands import benchmark_models, benchmark_records
from cunet_tf.flags import define_data, define_network, network_spec, request_source
from cunet_tf.outputs import begins_with, claim
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import append_row, table
from cunet_tf.trainers.views import define_views

SPEED_COLUMNS = ("data", "input_size", "cores", "what", "images_per_second")


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_network(values)
    define_data(values, split="train")
    flags.DEFINE_integer("batch_size", 16, "Pictures in a batch.", 1, flag_values=values)
    flags.DEFINE_float("seconds", 5.0, "Time of each measurement.", 0.1, flag_values=values)
    flags.DEFINE_string("csv", None, "Append the input speeds as rows to this file.", flag_values=values)
    flags.DEFINE_string("packed", None, "Folder of records of --data and --split, to compare with.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_list("workers", ["0", "1", "2"], "Processes that make pictures, beside --packed; 0: threads.",
                      flag_values=values)  # fmt: skip
    define_views(values, own=False)  # of --packed
    benchmark_models.define(values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """What the module says; the result for --json and :func:`describe`."""
    names = [*values.model, *rest]
    if names:
        return benchmark_models.run(values, names)
    return benchmark_records.run(values) if values.packed else input_speed(values)


def input_speed(values: flags.FlagValues) -> dict[str, Any]:
    """Pictures per second that the data source delivers, and that training consumes."""
    if values.csv:
        claim([values.csv], "--csv", begins_with(*SPEED_COLUMNS))
    spec = network_spec(values)
    source = request_source(values, spec.skeleton)
    import_quietly("keras")
    from cunet_tf.data.augment import NO_AUGMENTATION
    from cunet_tf.data.pipeline import Examples
    from cunet_tf.input_speed import consumption, jpeg_only, pipeline_speed, reading_speed, tensorflow_ops_speed
    from cunet_tf.models.build import build_network
    from cunet_tf.trainers.fit import compile_model
    from cunet_tf.trainers.recipes import recipe_for

    recipe = recipe_for(spec)
    spec = spec.replace(crop_factor=recipe.crop_factor)
    rows = {}
    for name, augmentation in (("none", NO_AUGMENTATION), (recipe.name, recipe.augmentation)):
        examples = Examples(source, spec, augmentation)
        batch, seconds = values.batch_size, values.seconds
        rows[f"OpenCV, one thread, augmentation {name}"] = reading_speed(examples, 200)
        rows[f"OpenCV in tf.data, augmentation {name}"] = pipeline_speed(examples, batch, seconds)
        if jpeg_only(examples):
            rows[f"TensorFlow ops in tf.data, augmentation {name}"] = tensorflow_ops_speed(examples, batch, seconds)
    model = build_network(spec)
    compile_model(model, spec, recipe.optimizer(10, 1), recipe.codecs)
    rows[f"consumed by training {spec.preset}"] = consumption(model, values.batch_size, 8)
    if values.csv:
        for name, speed in rows.items():
            cells = (values.data, spec.input_size, os.cpu_count(), name, speed)
            append_row(Path(values.csv), dict(zip(SPEED_COLUMNS, cells, strict=True)))
    return {"data": values.data, "split": source.split, "input_size": spec.input_size, "cores": os.cpu_count(),
            "images_per_second": rows}  # fmt: skip


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    if "rows" in result:
        return benchmark_models.describe(result)
    if "difference" in result:
        return benchmark_records.describe(result)
    rows: list[tuple] = [(f"{result['data']} at {result['input_size']} px, {result['cores']} cores", "pictures/s")]
    return table(rows + [(name, f"{speed:.0f}") for name, speed in result["images_per_second"].items()])
