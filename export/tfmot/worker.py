"""The process in which tfmot runs, started by :mod:`cunet_tf.export.tfmot.reference`.

python -m cunet_tf.export.tfmot.worker FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np

from cunet_tf.export.tfmot.attempts import try_all
from cunet_tf.export.tfmot.graphs import NAMES, make_graph
from cunet_tf.export.tfmot.quantize import fake_quantized_result, input_grid_result, quantized_model, tflite_result


def main(folder: Path) -> None:
    """Write ``tfmot.npz`` (integers on the output's grid) and ``attempts.json`` into the folder."""
    results = {}
    for name in NAMES:
        model = quantized_model(make_graph(name))
        results[f"{name}/fake"] = fake_quantized_result(model)
        results[f"{name}/tflite"] = tflite_result(model)
    np.savez(folder / "tfmot.npz", input=input_grid_result(model), **results)  # type: ignore[arg-type]
    (folder / "attempts.json").write_text(json.dumps(try_all(folder)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
