"""A training that goes wrong stops and says why: a loss that is not a number, memory that is used up."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cunet_tf.data.pipeline import Examples
from cunet_tf.errors import CUNetError
from cunet_tf.signals import stop_if_told
from cunet_tf.writing import replace_text

EXHAUSTED = re.compile("resource_?exhausted", re.IGNORECASE)  # TensorFlow's class, XLA's message
LOST = ("UnavailableError", "AbortedError", "CancelledError", "InternalError", "DeadlineExceededError")
LOST_TEXT = re.compile("collective|peer|task|socket|connection|heartbeat", re.IGNORECASE)
SUSPECTS = "nan_pictures.txt"


class StopAtNaN(keras.callbacks.Callback):
    """Ends a training at the first loss that is not finite, and writes down the pictures of that step.

    Args:
        examples: that are trained on.
        batch_size: pictures of a step.
        folder: of the run.

    Raises:
        CUNetError: the loss is not finite; ``last.keras`` is still the one before.
    """

    def __init__(self, examples: Examples, batch_size: int, folder: Path):
        super().__init__()
        self.examples, self.batch_size, self.folder = examples, batch_size, folder
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch, whose order of samples tells what a batch held."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop where the loss is not finite, and write the samples of the batch down."""
        if np.isfinite(float((logs or {}).get("loss", 0.0))):
            return
        order = self.examples.order(self.epoch, shuffle=True)
        chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size]
        names = [self.examples.source.samples[int(index)].name for index in chosen]
        file = self.folder / SUSPECTS
        replace_text(file, "\n".join(names) + "\n")
        raise CUNetError(
            f"the loss is not a number in epoch {self.epoch + 1}, step {batch + 1}: {file} names the pictures of that "
            "step. Look at them, lower --learning_rate, or add --clipnorm=1; finished epochs are kept."
        )


class StopWhenTold(keras.callbacks.Callback):
    """Ends ``fit`` after the batch in which a signal came, if nothing has ended it before."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise what Keras may have swallowed."""
        stop_if_told()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """In a validation as well."""
        stop_if_told()


@contextlib.contextmanager
def pictures_are_named(sources: Sequence[Examples]) -> Iterator[None]:
    """Say which picture could not be made into an example, whatever the threads around it have made of the error.

    Raises:
        CUNetError: one could not.
    """
    try:
        yield
    except Exception:
        for failure in [failure for each in sources for failure in each.failures]:
            raise CUNetError(f"{failure} Finished epochs are kept: mend it and add --resume.") from None
        raise


@contextlib.contextmanager
def memory_is_named(batch_size: int) -> Iterator[None]:
    """Say what to lower where a block runs out of memory.

    Raises:
        CUNetError: it did.
    """
    try:
        yield
    except Exception as error:
        if not (isinstance(error, MemoryError) or EXHAUSTED.search(f"{type(error).__name__} {error}")):
            raise
        raise CUNetError(
            f"out of memory with --batch_size={batch_size}: lower it, or train with --memory=recompute (the same "
            "gradients), then --memory=both; finished epochs are kept."
        ) from None


@contextlib.contextmanager
def lost_workers_are_named() -> Iterator[None]:
    """Say what to do where a block fails because another worker of the training is gone.

    Raises:
        CUNetError: one is.
    """
    try:
        yield
    except CUNetError:
        raise
    except Exception as error:
        if type(error).__name__ not in LOST or not LOST_TEXT.search(str(error)):
            raise
        raise CUNetError(
            f"another worker is gone or has stopped ({type(error).__name__}): see what it said, then start all of them "
            "again with --resume; finished epochs are kept."
        ) from None
