"""The examples and the notebook run, on less data than they are written for."""

import json
import sys
from importlib import util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name):
    """The module of a script, run under its own name."""
    spec = util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def small(monkeypatch):
    """Drawn sources of few samples, and networks of one U-Net."""
    import cunet_tf as cu

    drawn, preset = cu.load_synthetic, cu.preset

    def fewer(skeleton, split):
        seed, _, count = split.partition(":")
        return drawn(skeleton, f"{seed}:{min(int(count), 24)}")

    def smaller(name):
        spec = preset(name)
        changes = {"main_channels": 8, "growth": 4, "levels": 1, "input_size": 64, "stacks": 1}
        return spec.replace(config=spec.config.replace(**changes))

    lenient = (1e9, 1e9, 1e9)  # a network that has learned nothing has no peaks
    monkeypatch.setattr("cunet_tf.export.parity.TOLERANCE", dict.fromkeys(("int8", "calibrated"), lenient))
    monkeypatch.setitem(vars(cu), "load_synthetic", fewer)
    monkeypatch.setitem(vars(cu), "preset", smaller)


@pytest.mark.slow  # trains and exports; the two others stay in `make test`
def test_faces_from_data_to_a_file(small, tmp_path, eagerly, capsys):
    example("train_faces").main([f"--out={tmp_path}", "--epochs=1"])
    told = capsys.readouterr().out
    assert "24 samples, 0 errors" in told and "% beside the network" in told and "face.cunet: NME" in told
    assert "first of 68 points" in told and (tmp_path / "face.cunet").is_file()


def test_landmarks_of_ones_own(small, trained_run, tmp_path, eagerly, capsys):
    example("own_landmarks").main([f"--out={tmp_path}", f"--init={trained_run}", "--epochs=1"])
    told = capsys.readouterr().out
    assert "0 errors" in told and "0 integers differ" in told and "% of the box" in told
    assert (tmp_path / "check/contact_sheet.png").is_file()


def test_a_model_of_ones_own(tmp_path, eagerly, capsys, monkeypatch):
    module = example("quantize_your_model")
    shapes = module.shapes
    monkeypatch.setattr(module, "shapes", lambda count, seed: shapes(64, seed))
    module.main([f"--out={tmp_path}", "--epochs=1"])
    told = capsys.readouterr().out
    assert "accuracy on new shapes" in told and "mean difference of outputs" in told
    assert (tmp_path / "shapes.tflite").stat().st_size < 20_000


@pytest.mark.slow  # trains and exports
def test_the_notebook_runs_and_holds_no_outputs(small, tmp_path, eagerly, monkeypatch):
    cells = json.loads((EXAMPLES / "from_picture_to_phone.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) == 5 and not any(cell.get("outputs") for cell in cells)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("matplotlib.pyplot.imshow", lambda *_: None)
    names = {"__name__": "notebook"}
    for cell in code:
        words = cell.replace('ROOT = ".."', f'ROOT = "{EXAMPLES.parent}"').replace(
            "EPOCHS, FACES = 8, 800", "EPOCHS, FACES = 1, 24"
        )
        exec(compile(words, "notebook", "exec"), names)
    assert names["made"]["ok"] and len(names["rows"]) == 2 and names["face"].points.shape == (68, 2)
    assert "IPython" not in sys.modules
