"""A network in a process of its own, for activities under test; the Java side is ``org.tensorflow.lite.Interpreter``.

Tells type, shape, scale and zero point of input and output, then answers each input's bytes with the output's, until
its standard input ends.
"""

import struct
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def _tell(tensor: dict) -> bytes:
    """One tensor as a line, in the form of Java's ``readUTF``."""
    scale, zero = tensor["quantization"]
    shape = ",".join(map(str, tensor["shape"]))
    line = f"{np.dtype(tensor['dtype']).name} {shape} {scale!r} {zero}".encode()
    return struct.pack(">H", len(line)) + line


def main(model: str) -> None:
    """Serve one model file."""
    interpreter = Interpreter(model, num_threads=1)
    interpreter.allocate_tensors()
    (given,), (found,) = interpreter.get_input_details(), interpreter.get_output_details()
    out = sys.stdout.buffer
    out.write(_tell(given) + _tell(found))
    out.flush()
    size = int(np.prod(given["shape"])) * np.dtype(given["dtype"]).itemsize
    while len(data := sys.stdin.buffer.read(size)) == size:
        interpreter.set_tensor(given["index"], np.frombuffer(data, given["dtype"]).reshape(given["shape"]))
        interpreter.invoke()
        out.write(interpreter.get_tensor(found["index"]).tobytes())
        out.flush()


if __name__ == "__main__":
    main(sys.argv[1])
