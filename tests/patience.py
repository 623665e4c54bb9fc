"""Waiting for what must come to an end: a guard against work without one, not a measure of speed.

How quick something is belongs to `tests/bench`, as a ratio; a machine may be twenty times slower than ours.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

PATIENCE = 120.0
"""Seconds after which something is taken to have no end. What is guarded takes a thousandth of it."""


@contextlib.contextmanager
def ends() -> Iterator[None]:
    """Fail if the block has used so much CPU that it is nearer to endless work than to what it should do."""
    start = time.process_time()
    yield
    used = time.process_time() - start
    assert used < PATIENCE, f"{used:.0f} seconds of CPU"
