"""Commands on a full disk: files that cannot grow beyond a limit."""

import shutil
from pathlib import Path

from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.draw import save_png
from cunet_tf.rows import Row
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.study.reliability.processes import Ended, run
from cunet_tf.writing import TEMPORARY

LIMITS = (0, 1000, 10_000, 100_000)  # bytes that a file can have


def full_disk(train: list[str], folder: Path) -> list[Row]:
    """Each verb that writes, at each limit: a refusal in one sentence, and no file that is half of one."""
    shutil.rmtree(folder / "full", ignore_errors=True)
    (folder / "full").mkdir(parents=True)
    picture = folder / "full" / "face.png"
    save_png(picture, load_synthetic(FACE68, "1:1").samples[0].load())
    rows = []
    for verb, arguments in _calls(train, str(picture)).items():
        counts = {"limits": 0, "refused in one sentence": 0, "done, the files are smaller": 0, "halves": 0}
        message = ""
        for limit in LIMITS:
            place = folder / "full" / f"{verb}-{limit}"
            place.mkdir(parents=True)
            ended = run([argument.format(out=place) for argument in arguments], largest_file=limit)
            counts["limits"] += 1
            counts["refused in one sentence"] += ended.is_refusal
            counts["done, the files are smaller"] += ended.code == 0
            counts["halves"] += _halves(place, limit)
            message = ended.message.replace(f"{place}/", "") if ended.is_refusal else message
        rows += [{"figure": f"{verb}: {name}", "value": value} for name, value in counts.items()]
        rows.append({"figure": f"{verb}: message", "value": message})
        rows.append({"figure": f"{verb}: afterwards, with room", "value": _again(arguments, folder, verb).code})
    return rows


def _calls(train: list[str], picture: str) -> dict[str, list[str]]:
    model = "--model=face-mobile"
    return {
        "train": [*train, "--workdir={out}/run"],
        "export": ["export", model, "--format=int8-float-io", "--out={out}/face.tflite"],
        "predict": ["predict", model, "--out={out}/found", picture],
        "evaluate": ["evaluate", model, "--data=synthetic", "--split=1:20", "--out={out}/report"],
    }


def _again(arguments: list[str], folder: Path, verb: str) -> Ended:
    """The same call in the same place, now without a limit."""
    place = folder / "full" / f"{verb}-{LIMITS[-2]}"
    resume = ["--resume"] if verb == "train" else []
    return run([*(argument.format(out=place) for argument in arguments), *resume])


def _halves(place: Path, limit: int) -> int:
    """Files that are as long as they could be, so broken off, or that were never given their name."""
    files = [file for file in place.rglob("*") if file.is_file()]
    return sum(file.name.startswith(TEMPORARY) or (limit > 0 and file.stat().st_size >= limit) for file in files)
