"""The command line: ``cunet VERB --flag=value ...``."""

import contextlib
import errno
import importlib
import json
import os
import sys
from typing import Any, NoReturn

from absl import flags

from cunet_tf import __version__
from cunet_tf.errors import CUNetError, did_you_mean, missing_package
from cunet_tf.outputs import finite
from cunet_tf.signals import signals_interrupt

STOPPED = 130  # exit code, as of a shell's command that Ctrl-C ended

VERBS = {
    "info": "parameters, operations and bytes of a network; what a model file is",
    "check": "is a data set sound? points, boxes, files, duplicates",
    "pack": "a data set as records of pre-cut crops: for sets larger than memory, for machines without the originals",
    "train": "train a network with model.fit, from scratch or from given weights",
    "sweep": "train quantizations alike, beside the paper's Tables 8 and 9",
    "tables": "the paper's tables and figures beside ours",
    "evaluate": "NME, AUC, failure rate, PCK and PCKh of a model on a data set",
    "predict": "landmarks of pictures, videos and cameras; faces are found by themselves",
    "memory": "what training keeps and takes: naive, recomputed, in few bits",
    "benchmark": "model files side by side: bytes, time, metric; or how fast a data source feeds training",
    "export": "a model as .tflite or .cunet, float or integers, with a parity report",
}


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0 success, 1 a check failed, 2 bad input, 130 stopped.

    With ``--json`` stdout holds one JSON object and everything else goes to stderr.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    argv = sys.argv[1:] if argv is None else argv
    verb = argv[0] if argv else "help"
    try:
        with signals_interrupt():
            code = _asked(argv)
            sys.stdout.flush()
            return code
    except CUNetError as error:
        print(f"cunet {verb}: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output, such as head, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a place that nobody has thought of: no traceback for a full disk
        print(f"cunet {verb}: error: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"cunet {verb}: stopped.", file=sys.stderr)
        return STOPPED


def command() -> NoReturn:
    """The ``cunet`` program."""
    code = main()
    if code == STOPPED:  # threads of TensorFlow's that still work would make the interpreter's end an abort
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _asked(argv: list[str]) -> int:
    """What the words ask for: the version, an overview, or a verb."""
    if argv[:1] == ["--version"]:
        print(f"cunet-tf {__version__}")
        return 0
    if len(argv) > 1 and argv[0] == "help":
        argv = [argv[1], "--help"]
    if not argv or argv[0] in ("help", "--help", "-h"):
        print(_overview())
        return 0 if argv else 2
    try:
        return _run(argv[0], argv[1:])
    except ModuleNotFoundError as error:
        raise missing_package(error) from None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise CUNetError(f"{error.filename}: this name is too long for the system: give a shorter one.") from None


def _run(verb: str, arguments: list[str]) -> int:
    if verb not in VERBS:
        raise CUNetError(f"unknown verb. {did_you_mean(verb, VERBS)}")
    command = importlib.import_module(f"cunet_tf.commands.{verb}")
    values = flags.FlagValues()
    flags.DEFINE_bool("json", False, "Print one JSON object on stdout, everything else on stderr.",
                      flag_values=values)  # fmt: skip
    command.define(values)
    if any(argument in ("--help", "-h", "-help") for argument in arguments):
        print(_help(verb, command, values))
        return 0
    try:
        words = [_spelled(word, values) for word in arguments]
        rest = [os.path.expanduser(word) for word in values([f"cunet {verb}", *words])[1:]]
    except flags.Error as error:
        raise CUNetError(f"{error} See cunet {verb} --help.") from None
    for name in values:  # no shell expands ~ behind an equals sign
        if isinstance(values[name].value, str):
            values[name].value = os.path.expanduser(values[name].value)
    if not values.json:
        result = command.run(values, rest)
        print(command.describe(result))
    else:
        with contextlib.redirect_stdout(sys.stderr):
            result = command.run(values, rest)
        print(json.dumps(finite(json.loads(json.dumps(result, default=_plain))), allow_nan=False))
    return 0 if result.get("ok", True) else 1


def _spelled(word: str, values: flags.FlagValues) -> str:
    """A flag whose words are joined by dashes, with underscores; other words as they are."""
    name, equals, value = word.partition("=")
    if not name.startswith("--") or len(name) < 3:
        return word
    name = name[2:].replace("-", "_")
    if name.startswith("no_") and name not in values and name[3:] in values:
        name = f"no{name[3:]}"
    return f"--{name}{equals}{value}"


def _plain(value: Any) -> Any:
    """NumPy arrays and scalars as JSON values."""
    return value.tolist()


def _overview() -> str:
    rows = "\n".join(f"  {verb:<10} {text}" for verb, text in VERBS.items())
    return (
        f"usage: cunet VERB --flag=value ...\n\n{rows}\n\ncunet help VERB shows flags and an example; cunet --version."
    )


def _help(verb: str, command: Any, values: flags.FlagValues) -> str:
    lines = [command.__doc__.strip(), "", "flags:"]
    for name in sorted(values):
        flag = values[name]
        value = ",".join(map(str, flag.default)) if isinstance(flag.default, list) else flag.default
        default = "" if value in (None, "") else f" [{value}]"
        lines.append(f"  --{name}: {flag.help}{default}")
    return "\n".join(lines)
