"""The whole recipe of each model that ships, from a data set's folder to the described ``.cunet`` file.

A model's card quotes these commands; ``tests/test_reproduce.py`` compares both. A new model is one entry of
:data:`MODELS`.
"""

from dataclasses import dataclass

from cunet_tf.trainers.study.reproduce.steps import Recipe, Step


@dataclass(frozen=True)
class Pictures:
    """A data set as the recipes part it.

    Attributes:
        data: of ``--data``.
        title: the data set's name.
        seen: learned from.
        held_out: what chooses epochs, bits and grids.
        tested: what chooses nothing.
        preset: of the network and its training.
        views: flags of the training that are the data's.
        described: further flags of ``describe``.
    """

    data: str
    title: str
    seen: str
    held_out: str
    tested: str
    preset: str
    views: tuple[str, ...] = ()
    described: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, str]:
        """Where the pictures are."""
        return f"--data={self.data}", "--root={root}"

    @property
    def license(self) -> str:
        """Terms of the weights."""
        return f"--license=research use only: trained on {self.title}"


FACES = Pictures(
    "300w", "300-W", "afw,helen/trainset,lfpw/trainset@rest", "lfpw/trainset@heldout", "helen/testset", "face-mobile",
)  # fmt: skip
BODIES = Pictures(
    "lspet", "LSPET", "1-6654", "6655-7054", "7055-8054", "pose-mobile",
    ("--rotation=30", "--full_turns=0.2"), ("--images=1000", "--detector=none"),
)  # fmt: skip
LARGE = ("--main_channels=128", "--growth=32")


def in_large_batches(pictures: Pictures, name: str, learning_rate: str, epochs: int, *network: str) -> Recipe:
    """A network trained in float in batches of 64 pictures, its kernels rounded to 4 bits.

    Args:
        pictures: the data set.
        name: of the model.
        learning_rate: at the start of the cosine.
        epochs: of the training.
        network: options beside the preset's.
    """
    train = training(pictures, "float", *network, "--batch_size=64", f"--learning_rate={learning_rate}",
                     "--warmup=200", f"--epochs={epochs}")  # fmt: skip
    return Recipe(pictures.data, (train, *rounded(pictures, name, "float")))


def face_tiny() -> Recipe:
    """A narrow network with normalisations behind convolutions, and an extension of its training."""
    network = ("--main_channels=32", "--growth=6", "--norm_order=conv_first", "--batch_size=16")
    return Recipe(FACES.data, (
        training(FACES, "float", *network, "--learning_rate=1e-3", "--warmup=200", "--epochs=60"),
        training(FACES, "float-2", *network, "--init={out}/float", "--init_optimizer", "--learning_rate=8e-4",
                 "--epochs=150", "--seed=1"),
        *rounded(FACES, "face-tiny", "float-2"),
    ))  # fmt: skip


def training(pictures: Pictures, run: str, *options: str) -> Step:
    """A float network, into the folder ``run``."""
    command = (
        "cunet", "train", *pictures.flags, f"--preset={pictures.preset}", f"--split={pictures.seen}",
        f"--val_split={pictures.held_out}", *options, *pictures.views, "--foreground=20", "--ema=0.999",
        f"--workdir={{out}}/{run}", "--resume",
    )  # fmt: skip
    return Step(run, command, run)


def rounded(pictures: Pictures, name: str, run: str) -> tuple[Step, ...]:
    """The float network of a run, with kernels of 4 bits: exported, described, evaluated."""
    export = (
        "cunet", "export", f"--model={{out}}/{run}", "--quant=W4", "--format=packed", "--out={out}/plain.cunet",
        f"--name={name}", pictures.license, *pictures.flags, f"--split={pictures.held_out}",
        f"--calibration_split={pictures.seen}",
    )  # fmt: skip
    describe = ("python", "-m", "cunet_tf.trainers.study.describe")
    learn = (*pictures.flags, f"--split={pictures.seen}", f"--test_split={pictures.tested}", *pictures.described)
    file, floats = f"{name}.cunet", f"{name}.keras"
    described = (*describe, "--model={out}/plain.cunet", *learn, f"--out={{out}}/{file}", "--results={out}")
    passed_on = (
        *describe, f"--model={{out}}/{run}/best.keras", f"--name={name}", pictures.license, *learn,
        f"--out={{out}}/{floats}", "--half",
    )  # fmt: skip
    evaluate = ("cunet", "evaluate", f"--model={{out}}/{file}", *pictures.flags, f"--split={pictures.tested}",
                "--out={out}")  # fmt: skip
    return (
        Step("export", export, "plain.cunet"),
        Step("describe", described, file),
        Step("float-described", passed_on, floats),
        Step("evaluate", evaluate, "evaluation.json"),
    )


MODELS = {
    "face-tiny": face_tiny(),
    "face-mobile": in_large_batches(FACES, "face-mobile", "2e-3", 422),
    "face-large": in_large_batches(FACES, "face-large", "1.5e-3", 295, *LARGE),
    "pose-mobile": in_large_batches(BODIES, "pose-mobile", "2e-3", 140),
    "pose-large": in_large_batches(BODIES, "pose-large", "1.5e-3", 92, *LARGE),
}
