"""Configurations of a sweep as jobs, and the settings that its runs share."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError
from cunet_tf.outputs import KEY, claim, is_ours, json_text
from cunet_tf.quantize.names import EXAMPLES, QuantConfig
from cunet_tf.trainers.study.jobs import Job, read_json
from cunet_tf.writing import replace_text


def parse_quants(text: str) -> list[QuantConfig]:
    """Names between commas; a comma inside parentheses, as in ``BW-QIG(8,1,32)``, belongs to the name.

    Raises:
        CUNetError: an empty name, or one that is not known.
    """
    names = [name.strip() for name in re.split(r",(?![^()]*\))", text)]
    if not all(names):
        raise CUNetError(f"--quants={text}: a name is empty: give names such as {EXAMPLES}.")
    return [QuantConfig.parse(name) for name in names]


def make_jobs(quants: list[QuantConfig], plain: Job) -> list[Job]:
    """One job for each configuration.

    Args:
        quants: the configurations.
        plain: what they share; its folder holds theirs.

    Raises:
        CUNetError: a configuration is given twice, or two would share a folder.
    """
    jobs: dict[str, Job] = {}
    for quant in quants:
        name = str(quant)
        folder = folder_name(name)
        if folder in jobs:
            raise CUNetError(f"--quants: {name} and {jobs[folder].name} are the same or share a folder: drop one.")
        jobs[folder] = replace(
            plain, name=name, folder=plain.folder / folder,
            train=(*plain.train, f"--quant={name}"), expects={"spec": {"quant": name}},
        )  # fmt: skip
    return list(jobs.values())


def folder_name(quant: str) -> str:
    """A quantization's name without characters that mean something to a shell."""
    return re.sub(r"[^A-Za-z0-9.=-]+", "_", quant).strip("_")


def same_settings(workdir: Path, settings: dict[str, Any]) -> None:
    """Keep what all runs of a folder share in ``sweep.json``.

    Raises:
        CUNetError: the folder holds runs with other settings, or a file of this name that no sweep wrote.
    """
    file = workdir / "sweep.json"
    settings = json.loads(json.dumps(settings))
    runs = any(workdir.glob("*/history.csv"))
    claim([file], "--workdir", lambda place: runs or is_ours(place))
    old = read_json(file) if runs else {}
    old.pop(KEY, None)
    for name, value in old.items():
        if settings.get(name) != value:
            raise CUNetError(
                f"--{name} was {value!r} in {file} and is {settings.get(name)!r} now: "
                "use the same, or another --workdir."
            )
    replace_text(file, json_text(settings, indent=2))
