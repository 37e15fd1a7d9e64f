"""The process in which ai-edge-quantizer makes its files of a float ``.tflite`` file.

python -m cunet_tf.export.peers.edge FOLDER [OUTER]

Needs ``float.tflite`` and ``calibration.npy`` in the folder. ``OUTER`` is a regular expression of the names of layers
whose kernels keep 8 bits where the others have 4 and features are integers.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.recipe_manager import RecipeManager

NAMED = ("static_wi8_ai8", "dynamic_wi8_afp32", "weight_only_wi8_afp32", "dynamic_wi4_afp32", "weight_only_wi4_afp32")
STATIC_4 = "static 4-bit kernels"  # which no recipe of the package's own has


def main(folder: Path, outer: str = "") -> None:
    """Write ``RECIPE.tflite`` for each recipe, and ``result.json`` with what went wrong."""
    files = {}
    for title in (*NAMED, STATIC_4):
        chosen = static_4(outer) if title == STATIC_4 else getattr(recipe, title)()
        try:
            (folder / f"{title}.tflite").write_bytes(_quantized(folder, chosen))
            files[title] = ""
        except Exception as error:  # whatever the package raises is the finding
            files[title] = f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[-1]}"
    (folder / "result.json").write_text(json.dumps({"version": version("ai-edge-quantizer"), "files": files}))


def static_4(outer: str) -> Any:
    """Features of 8 bits, kernels of 4 in convolutions and of 8 elsewhere."""
    manager = RecipeManager()
    manager.add_static_config(
        regex=".*", operation_name=TFLOperationName.ALL_SUPPORTED, activation_num_bits=8, weight_num_bits=8
    )
    inner = f"^(?!.*({outer}))" if outer else ".*"
    manager.add_static_config(
        regex=inner, operation_name=TFLOperationName.CONV_2D, activation_num_bits=8, weight_num_bits=4
    )
    return manager.get_quantization_recipe()


def _quantized(folder: Path, chosen: Any) -> bytes:
    file = folder / "float.tflite"
    maker = quantizer.Quantizer(str(file), chosen)
    found = None
    if maker.need_calibration:
        ((key, ends),) = Interpreter(str(file)).get_signature_list().items()
        (name,) = ends["inputs"]
        pictures = [{name: picture[None]} for picture in np.load(folder / "calibration.npy")]
        found = maker.calibrate({key: pictures}, num_threads=1)
    return bytes(maker.quantize(found, enable_progress_report=False).quantized_model)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
