"""One progress line on stderr, only where a person looks at it."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from tqdm import tqdm


def say(text: str) -> None:
    """A line on stderr, above the progress line where there is one."""
    tqdm.write(text, file=sys.stderr)


@contextlib.contextmanager
def progress(unit: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show how far the block has come; nothing where stderr is no terminal, and never on stdout.

    Args:
        unit: what is counted, in plural.

    Yields:
        A function of the number done and the number in all (``None``: not known). A smaller
        number done than before starts a second pass.

    Example:
        >>> with progress("pictures") as show:
        ...     for done in range(1, 4):
        ...         show(done, 3)
    """
    with tqdm(unit=f" {unit}", file=sys.stderr, disable=None, dynamic_ncols=True) as bar:

        def show(done: int, total: int | None) -> None:
            if done < bar.n:
                bar.reset(total)
            bar.total = total
            bar.update(done - bar.n)

        yield show
