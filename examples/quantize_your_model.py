"""Few bits for a Keras model of your own: layers of this package, ``fit``, an exact integer file.

    python examples/quantize_your_model.py --out=runs/shapes

No landmarks, no presets: a classifier of drawn squares and discs, with binary and ternary kernels and 4-bit features.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

import cunet_tf as cu

SIDE = 32


def shapes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures float32 ``[N, 32, 32, 3]`` in 0..1 and classes ``[N]``: 0 is a square, 1 a disc."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    classes, pictures = rng.integers(0, 2, count), rng.random((count, SIDE, SIDE, 3), dtype=np.float32) * 0.4
    for picture, kind in zip(pictures, classes, strict=True):
        (u, v), radius = rng.uniform(10, 22, 2), rng.uniform(5, 9)
        away = np.hypot(x - u, y - v) if kind else np.maximum(abs(x - u), abs(y - v))
        picture[away < radius] += 0.5
    return pictures, classes


def build() -> keras.Model:
    """The first convolution takes pictures and stays float in training; the file computes all in integers."""
    layers = keras.layers
    return keras.Sequential([
        keras.Input((SIDE, SIDE, 3)),
        layers.Conv2D(16, 3, strides=2, padding="same"),
        layers.BatchNormalization(),
        cu.QuantActivation(bits=4),  # 16 steps from 0 up, and a ReLU; the range is learned
        cu.QuantConv2D(16, 3, strides=2, padding="same", kernel_quantizer="ternary-a"),
        layers.BatchNormalization(),
        cu.QuantActivation(bits=4),
        cu.QuantConv2D(16, 3, padding="same", kernel_quantizer="binary-a"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2),
    ])  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Train, save, count bits, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/shapes"), help="folder of the files")
    parser.add_argument("--epochs", type=int, default=8)
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)

    model, (pictures, classes) = build(), shapes(640, seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss=loss, metrics=["accuracy"])
    model.fit(pictures, classes, batch_size=32, epochs=given.epochs, verbose=2)
    found = model.evaluate(*shapes(320, seed=1), verbose=0, return_dict=True)
    print(f"accuracy on new shapes: {found['accuracy']:.3f}")

    model.save(given.out / "shapes.keras")
    again = cu.load_keras(given.out / "shapes.keras")
    cu.summary(again)  # bits, bytes and operations of every layer
    np.save(given.out / "inputs.npy", pictures[:64])  # choose the grids that training left open
    made = cu.export_model(again, given.out / "shapes.tflite", format="int8", inputs=str(given.out / "inputs.npy"))
    (output,) = made["parity"]["outputs"]
    print(f"shapes.tflite: {made['bytes']:,} bytes; mean difference of outputs {output['share']:.2%} of their range")


if __name__ == "__main__":
    main()
