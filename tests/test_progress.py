import io
import sys

from cunet_tf.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def last_line(monkeypatch, unit, steps):
    """What a terminal shows in the end after these calls."""
    monkeypatch.setattr(sys, "stderr", Terminal())  # here, as pytest puts its own back before a test
    with progress(unit) as show:
        for step in steps:
            show(*step)
    return sys.stderr.getvalue().strip().split("\r")[-1]


def test_the_line_ends_with_all_done(monkeypatch, capsys):
    line = last_line(monkeypatch, "pictures", [(2, 5), (4, 5), (5, 5)])
    assert "5/5" in line and "pictures/s" in line
    assert capsys.readouterr().out == ""


def test_a_second_pass_starts_anew(monkeypatch):
    assert "1/7" in last_line(monkeypatch, "pictures", [(3, 3), (1, 7)])


def test_an_unknown_total(monkeypatch):
    assert last_line(monkeypatch, "frames", [(4, None)]).startswith("4 frames")


def test_nothing_without_a_terminal(capsys):
    with progress("pictures") as show:
        show(1, 1)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
