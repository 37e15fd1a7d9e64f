"""What the web page runs: shipped models packed with float ends, and BlazeFace's file, in ``web_demo/build/models``.

python web_demo/tools/models.py
"""

import json
import shutil
from pathlib import Path

from cunet_tf.detector import face_files
from cunet_tf.export.integer_file import export_integer
from cunet_tf.files.shipped import shipped_models

FOLDER = Path(__file__).parents[1] / "build/models"
FIRST = "face-mobile"


def main() -> None:
    """Write the models and their list, the page's default first."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    rows = []
    for name, shipped in sorted(shipped_models().items(), key=lambda item: (item[0] != FIRST, item[0])):
        exported, _ = export_integer(shipped, "packed-float-io")
        file = FOLDER / f"{name}.cunet"
        file.write_bytes(exported.data)
        rows.append({"name": name, "file": file.name, "bytes": len(exported.data)})
        print(f"{file.name}: {len(exported.data):,} bytes", flush=True)
    shutil.copy(face_files()[0], FOLDER)
    (FOLDER / "models.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
