"""The whole recipe of each model that ships, from a data set's folder to the described ``.cunet`` file.

A model's card quotes these commands; ``tests/test_reproduce.py`` compares both. A new model is one entry of
:data:`MODELS`.
"""

from cunet_tf.trainers.study.reproduce.steps import Recipe, Step

# 300-W without the pinned share that is held out of whatever is compared on it; what chose epochs, bits and grids.
SEEN, HELD_OUT, TESTED = "afw,helen/trainset,lfpw/trainset@rest", "lfpw/trainset@heldout", "helen/testset"
FACE_TERMS, BODY_TERMS = (f"research use only: trained on {name}" for name in ("300-W", "LSPET"))
FACES = ("--data=300w", "--root={root}")
PEOPLE, OTHERS = "1-7054", "7055-8054"  # of LSPET


def rounded_face(name: str, learning_rate: str, epochs: int, *network: str) -> Recipe:
    """A face network trained in float in large batches, its kernels rounded to 4 bits.

    Args:
        name: of the model.
        learning_rate: at the start of the cosine.
        epochs: of 28 steps of 64 pictures.
        network: options beside ``--preset=face-mobile``.
    """
    train = face_training("float", *network, "--batch_size=64", f"--learning_rate={learning_rate}", "--warmup=200",
                          f"--epochs={epochs}")  # fmt: skip
    return Recipe("300w", (train, *rounded(name, "float")))


def face_tiny() -> Recipe:
    """A narrow network with normalisations behind convolutions, and an extension of its training."""
    network = ("--main_channels=32", "--growth=6", "--norm_order=conv_first", "--batch_size=16")
    return Recipe("300w", (
        face_training("float", *network, "--learning_rate=1e-3", "--warmup=200", "--epochs=60"),
        face_training("float-2", *network, "--init={out}/float", "--init_optimizer", "--learning_rate=8e-4",
                      "--epochs=150", "--seed=1"),
        *rounded("face-tiny", "float-2"),
    ))  # fmt: skip


def face_training(run: str, *options: str) -> Step:
    """A float face network, into the folder ``run``."""
    command = (
        "cunet", "train", *FACES, "--preset=face-mobile", f"--split={SEEN}", f"--val_split={HELD_OUT}", *options,
        "--foreground=20", "--ema=0.999", f"--workdir={{out}}/{run}", "--resume",
    )  # fmt: skip
    return Step(run, command, run)


def rounded(name: str, run: str) -> tuple[Step, ...]:
    """The float face network of a run, with kernels of 4 bits: exported, described, evaluated."""
    export = (
        "cunet", "export", f"--model={{out}}/{run}", "--quant=W4", "--format=packed", "--out={out}/plain.cunet",
        f"--name={name}", f"--license={FACE_TERMS}", *FACES, f"--split={HELD_OUT}",
        f"--calibration_split={SEEN}",
    )  # fmt: skip
    views = (f"--split={SEEN}", f"--test_split={TESTED}")
    return (
        Step("export", export, "plain.cunet"),
        described(name, *FACES, *views),
        passed_on(name, run, FACE_TERMS, *FACES, *views),
        evaluated(name, *FACES, f"--split={TESTED}"),
    )


def described(name: str, *flags: str) -> Step:
    """Confidence and box map into the exported file; figures and the model's own file land in the folder."""
    command = ("python", "-m", "cunet_tf.trainers.study.describe", "--model={out}/plain.cunet", *flags,
               f"--out={{out}}/{name}.cunet", "--results={out}")  # fmt: skip
    return Step("describe", command, f"{name}.cunet")


def passed_on(name: str, run: str, terms: str, *flags: str) -> Step:
    """The float network of a run, described, with kernels in float16."""
    command = (
        "python", "-m", "cunet_tf.trainers.study.describe", f"--model={{out}}/{run}/best.keras", f"--name={name}",
        f"--license={terms}", *flags, f"--out={{out}}/{name}.keras", "--half",
    )  # fmt: skip
    return Step("float-described", command, f"{name}.keras")


def evaluated(name: str, *flags: str) -> Step:
    """Figures of the model's file."""
    command = ("cunet", "evaluate", f"--model={{out}}/{name}.cunet", *flags, "--out={out}")
    return Step("evaluate", command, "evaluation.json")


def pose_mobile() -> Recipe:
    """Two float runs and a third one with ternary kernels, the first with wider turns."""
    data = ("--data=lspet", "--root={root}")
    train = ("cunet", "train", *data, "--preset=pose-mobile")
    export = (
        "cunet", "export", "--model={out}/ternary", "--format=packed", "--out={out}/plain.cunet",
        f"--license={BODY_TERMS}", *data, f"--split={OTHERS}",
    )  # fmt: skip
    views = (f"--split={PEOPLE}", f"--test_split={OTHERS}", "--images=1000", "--detector=none")
    return Recipe("lspet", (
        Step("float", (*train, "--epochs=28", "--rotation=30", "--workdir={out}/float", "--resume"), "float"),
        Step("float-2", (*train, "--init={out}/float", "--learning_rate=8e-4", "--epochs=24", "--seed=1",
                         "--workdir={out}/float-2", "--resume"), "float-2"),
        Step("ternary", (*train, "--init={out}/float-2", "--epochs=16", "--quant=TW-QIG(828)",
                         "--workdir={out}/ternary", "--resume"), "ternary"),
        Step("export", export, "plain.cunet"),
        described("pose-mobile", *data, *views),
        passed_on("pose-mobile", "float-2", BODY_TERMS, *data, *views),
        evaluated("pose-mobile", *data, f"--split={OTHERS}"),
    ))  # fmt: skip


MODELS = {
    "face-tiny": face_tiny(),
    "face-mobile": rounded_face("face-mobile", "2e-3", 422),
    "face-large": rounded_face("face-large", "1.5e-3", 295, "--main_channels=128", "--growth=32"),
    "pose-mobile": pose_mobile(),
}
