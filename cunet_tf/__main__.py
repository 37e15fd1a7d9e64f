"""``python -m cunet_tf`` is the ``cunet`` command."""

from cunet_tf.cli import command

command()
