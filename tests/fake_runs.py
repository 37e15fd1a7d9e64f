"""Folders as finished runs leave them, without a network."""

import contextlib
import json
from pathlib import Path
from typing import Any

from cunet_tf.cli import main
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.jobs import Job
from cunet_tf.trainers.study.tables.networks import Scale
from cunet_tf.trainers.study.tables.protocol import Protocol
from cunet_tf.trainers.study.tables.records import Records
from cunet_tf.trainers.study.tables.results import Results
from tests.networks import run_eagerly

FACES = {"box": "tight", "images": 8, "normalizer": "interocular", "pck": None, "failure_rate": 10.0, "missing": []}


def fake_run(folder: Path, epochs: int = 2, split: str = "9:8", **config: Any) -> None:
    """A finished run whose ``config.json`` holds these values."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"epochs": epochs, "spec": {"quant": "float"}, **config}
    (folder / "config.json").write_text(json.dumps(config))
    rows = (f"{i},{8 - i},{9 - i}\n" for i in range(epochs))
    (folder / "history.csv").write_text("epoch,watched_nme,val_nme\n" + "".join(rows))
    (folder / "best.keras").touch()
    (folder / "last.keras").touch()
    (folder / "evaluation.json").write_text(json.dumps({"split": split, "box": "tight"}))


def verb_in_process(verb: str, arguments: list[str], log: Path) -> None:
    """Stands in for :func:`cunet_tf.trainers.study.job_process.run_verb`: no process, so no second TensorFlow."""
    with log.open("a") as stream, contextlib.redirect_stdout(stream), run_eagerly():
        code = main([verb, *arguments])
    if code:
        raise CUNetError(f"cunet {verb} ended with code {code}: see {log}.")


def finish(job: Job, nme: float, **evaluation: Any) -> None:
    """A finished run of exactly this job, with this NME."""
    data = dict(job.expects.get("data", {}))
    parts = {"train_images": data.pop("images"), "validation_images": 0} if "images" in data else {}
    fake_run(job.folder, **{**job.expects, "data": {**data, **parts}})
    found = {**FACES, "split": job.split, "nme_interocular": nme, **evaluation}
    (job.folder / "evaluation.json").write_text(json.dumps(found))


def protocol(workdir: Path, **changes: Any) -> Protocol:
    """Two epochs of drawn faces, two seeds, tiny networks."""
    values = {"data": "synthetic", "split": "5:40", "test_split": "9:8", "box": "tight",
              "data_flags": ("--data=synthetic",), "epochs": 2, "images": 40, "batch_size": 8, "seeds": (0, 1),
              "workdir": workdir, "scale": Scale(4, 8, 4, 4, 64)}  # fmt: skip
    return Protocol(**{**values, **changes})


def results_of(plan: Protocol, folder: Path) -> Results:
    """What ``cunet tables`` knows once these runs are finished: their rows in ``folder``."""
    records = Records(folder)
    records.keep([plan.job(name, seed) for name in plan.variants for seed in plan.seeds])
    return Results(plan, records)
