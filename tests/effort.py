"""What a piece of work costs, counted instead of timed: on any machine, however busy, the same to a few per cent.

How quick something is belongs to `tests/bench`; here ratios are asserted, as that a step through a long trace costs
what a step through a short one costs.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

ELEMENTS = 100
"""So many elements of an array are handled by numpy in about the time of one line of Python."""
UNREAD = {
    "item",
    "ravel",
    "reshape",
    "searchsorted",
    "squeeze",
    "swapaxes",
    "take",
    "transpose",
    "view",
}
"""Methods of an array that do not look at all of it."""


class Effort:
    """Counts, in a `with` block, the lines of Python that this thread runs, and what it has C and numpy do besides.

    A call of a C function counts as a line, a method of an array or a ufunc as many more as there are hundreds of
    elements, and so does what memory is in use at most. What an operator does to an array in place counts nothing.
    """

    count = 0

    def __enter__(self) -> Effort:
        tracemalloc.start()
        sys.setprofile(self._call)
        sys.settrace(self._line)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        sys.setprofile(None)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.count += peak // (8 * ELEMENTS)

    def _line(self, frame: FrameType, event: str, _: object) -> Any:
        self.count += event == "line"
        return self._line

    def _call(self, frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call":
            return
        of = None if called.__name__ in UNREAD else getattr(called, "__self__", None)
        arrays = [of, *frame.f_locals.values()] if isinstance(of, np.ufunc) else [of]
        sizes = [x.size for x in arrays if isinstance(x, np.ndarray)]
        self.count += 1 + max(sizes, default=0) // ELEMENTS


def effort(work: Callable[[], object]) -> int:
    """What calling it costs, as lines of Python."""
    with Effort() as spent:
        work()
    return spent.count
