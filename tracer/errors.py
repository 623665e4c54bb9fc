"""What Gradstep says when something cannot be done.

    GradstepError
    ├── PrimitiveError      an operation declared or called wrongly (also a TypeError)
    ├── DeviceError         no device, not enough of its memory, inputs on different ones (also a RuntimeError)
    ├── ShapeError          shapes that do not fit (also a ValueError)
    ├── DTypeError          complex, float16, objects; a gradient of integers (also a TypeError)
    ├── GradientError       a loss that is no loss, an input that the loss does not reach (also a RuntimeError)
    ├── UnknownNameError    no node, network or operation of that name (also a LookupError)
    ├── ReplayError         a trace that cannot be run again (also a RuntimeError)
    ├── TraceFileError      a trace file that is missing, damaged or foreign (also an OSError)
    ├── ConditionError      a breakpoint or watch that cannot be read (also a ValueError)
    ├── EditError           an edit of a trace that cannot be read (also a ValueError)
    ├── DerivationError     a line of a hand derivation that cannot be read or evaluated (also a ValueError)
    ├── DiagramError        a figure that cannot be drawn or written (also a ValueError)
    │   └── GraphvizMissingError
    ├── PlotError           a plot whose numbers do not fit together (also a ValueError)
    ├── CheckError          a function that cannot be checked (also a ValueError)
    └── StateError          saved weights or a saved optimiser that fit something else (also a ValueError)

Every message says what, where and with which shapes, and ends with one thing to try.
"""

from __future__ import annotations

from ops.errors import DeviceError as DeviceError
from ops.errors import GradstepError as GradstepError
from ops.errors import MixedDevicesError as MixedDevicesError
from ops.errors import PrimitiveError as PrimitiveError


class ShapeError(GradstepError, ValueError):
    """Shapes that do not fit together."""


class DTypeError(GradstepError, TypeError):
    """Data of a kind that Gradstep does not take, or a gradient asked of integers."""


class GradientError(GradstepError, RuntimeError):
    """A backward pass that cannot start, or an input that the loss does not reach."""


class UnknownNameError(GradstepError, LookupError):
    """No node, network or operation of that name."""


class ReplayError(GradstepError, RuntimeError):
    """A trace, or a part of it, that cannot be run again."""


class TraceFileError(GradstepError, OSError):
    """A trace file that is missing, damaged or foreign."""


class ConditionError(GradstepError, ValueError):
    """A breakpoint, condition or watch that cannot be read."""


class EditError(GradstepError, ValueError):
    """An edit of a value, parameter or number of a trace that cannot be read."""


class DerivationError(GradstepError, ValueError):
    """A line of a hand derivation that cannot be read or evaluated."""


class DiagramError(GradstepError, ValueError):
    """A figure that cannot be drawn or written."""


class GraphvizMissingError(DiagramError):
    """Neither Graphviz's `dot` nor pygraphviz was found."""


class PlotError(GradstepError, ValueError):
    """A plot whose numbers do not fit together, or whose axes cannot be."""


class CheckError(GradstepError, ValueError):
    """A function that cannot be checked."""


class StateError(GradstepError, ValueError):
    """Saved weights, or the saved state of an optimiser, that do not fit what they are loaded into."""


def in_one_line(error: object) -> str:
    """An error as the status line says it: what is wrong, and what to try or what there is.

    >>> in_one_line("there is no breakpoint 9\\n  there are: 1, 2\\n  try: one of these numbers")
    'there is no breakpoint 9: there are 1, 2'
    >>> in_one_line("a.xyz: unknown suffix '.xyz'\\n  try: one of .dot or .svg")
    "a.xyz: unknown suffix '.xyz': try one of .dot or .svg"
    """
    head, *more = str(error).splitlines() or ["no message"]
    told = dict(line.strip().split(": ", 1) for line in more if ": " in line)
    hint, there = told.get("try", ""), told.get("there are", "")
    if not hint or ": try " in head or "did you mean" in head:
        return head
    return (
        f"{head}: there are {there}" if there and "one of these" in hint else f"{head}: try {hint}"
    )
