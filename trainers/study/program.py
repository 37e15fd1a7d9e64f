"""What the commands of studies have in common: flags, and one sentence where something is wrong."""

import sys
from collections.abc import Callable

from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.signals import signals_interrupt

STOPPED = 130  # exit code, as of the program cunet


def run(
    name: str, define: Callable[[flags.FlagValues], None], work: Callable[[flags.FlagValues], None], argv: list[str]
) -> int:
    """Read the flags and do the work.

    Args:
        name: of the study, in its messages.
        define: defines the flags.
        work: does it, with their values.
        argv: of the program.

    Returns:
        0, 2 on bad input, which is named on stderr, or 130 when it was told to stop.
    """
    values = flags.FlagValues()
    define(values)
    try:
        values(argv)
        with signals_interrupt():
            work(values)
    except (CUNetError, flags.Error) as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: stopped.", file=sys.stderr)
        return STOPPED
    return 0
