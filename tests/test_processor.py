import pytest

from cunet_tf.processor import processor

EPYC = """processor\t: 0
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC 7763 64-Core Processor
flags\t\t: fpu sse2 avx2 sha_ni

processor\t: 1
flags\t\t: fpu avx512f
"""
XEON = "model name\t: Intel(R) Xeon(R) Processor\nflags\t: amx_int8 avx_vnni avx512_vnni avx512f avx2 avx\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"


@pytest.mark.parametrize(
    "text, expected",
    [
        (EPYC, "AMD EPYC 7763 64-Core Processor (family 25, model 1): AVX2"),
        (XEON, "Intel(R) Xeon(R) Processor: AVX2 AVX512F AVX512_VNNI AVX_VNNI AMX_INT8"),
        (ARM, "(implementer 0x41, part 0xd40): ASIMD DOTPROD I8MM"),
        ("flags : fpu sse2\n", ": no known instruction sets"),
        ("", ": instruction sets unknown"),
    ],
)
def test_model_and_instruction_sets_of_the_first_core(text, expected, tmp_path):
    (tmp_path / "cpuinfo").write_text(text)
    found = processor(tmp_path / "cpuinfo")
    assert found.endswith(expected) and not found.startswith((":", " "))


def test_a_system_without_an_account(tmp_path):
    assert processor(tmp_path / "none").endswith(": instruction sets unknown")
