"""``python -m cunet_tf`` is the ``cunet`` command."""

import sys

from cunet_tf.cli import main

sys.exit(main())
