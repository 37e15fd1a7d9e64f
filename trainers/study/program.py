"""What the commands of studies have in common: flags, and one sentence where something is wrong."""

import sys
from collections.abc import Callable

from absl import flags

from cunet_tf.errors import CUNetError


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
        0, or 2 on bad input, which is named on stderr.
    """
    values = flags.FlagValues()
    define(values)
    try:
        values(argv)
        work(values)
    except (CUNetError, flags.Error) as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 2
    return 0
