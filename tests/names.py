"""Names that no other test uses."""

import itertools
import os

_numbers = itertools.count(1)


def unique(prefix):
    """A name with this prefix that nobody has used before, in this run or on this server."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"
