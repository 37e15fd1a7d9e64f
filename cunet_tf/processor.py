"""The processor that a time was taken on, and those of its instruction sets that decide how fast a network runs.

A ratio of times means nothing without them: int8 convolutions run 4 times sooner with VNNI than without.
"""

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# As Linux writes them -> as their makers do.
INSTRUCTION_SETS = {
    "avx2": "AVX2", "avx512f": "AVX512F", "avx512_vnni": "AVX512_VNNI", "avx_vnni": "AVX_VNNI", "amx_int8": "AMX_INT8",
    "asimd": "ASIMD", "asimddp": "DOTPROD", "i8mm": "I8MM", "sve": "SVE", "neon": "NEON",
}  # fmt: skip


def processor(cpuinfo: Path = CPUINFO) -> str:
    """The model and its instruction sets, ``AMD EPYC 7763 64-Core Processor (family 25, model 1): AVX2``.

    Args:
        cpuinfo: Linux' account of the processor; other systems have none, and name the architecture only.
    """
    fields = _fields(cpuinfo)
    words = fields.get("flags", fields.get("Features", "")).split()
    sets = [name for word, name in INSTRUCTION_SETS.items() if word in words]
    unknown = "no known instruction sets" if words else "instruction sets unknown"
    return f"{_model(fields)}: {' '.join(sets) or unknown}"


def _fields(cpuinfo: Path) -> dict[str, str]:
    """Those of the first core; big and little cores of a phone may differ, but for their instruction sets."""
    try:
        lines = cpuinfo.read_text(errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _model(fields: dict[str, str]) -> str:
    """Its name; virtual machines blur it, so the numbers follow. Arm's cores have numbers alone."""
    name = fields.get("model name") or platform.processor() or platform.machine()
    numbers = {"family": fields.get("cpu family"), "model": fields.get("model"),
               "implementer": fields.get("CPU implementer"), "part": fields.get("CPU part")}  # fmt: skip
    shown = ", ".join(f"{word} {number}" for word, number in numbers.items() if number)
    return f"{name} ({shown})" if shown else name
