"""The door from the library to the terminal debugger: the one place where `tracer` opens `tui`, and only when asked."""

from __future__ import annotations

import sys
from typing import Any

from tracer.errors import GradientError
from tracer.freezing import trace as freeze_loss
from tracer.parameters import Parameter
from tracer.tensors import Tensor
from tracer.traces import Trace


def debug(target: Any = None) -> None:
    """Open the terminal debugger on a Trace or a loss; without one, on the latest rank-0 value of the caller.

    Without a terminal the trace is printed instead. `PYTHONBREAKPOINT=tracer.debug` makes `breakpoint()` stop here.
    Raises `GradientError` if there is nothing recorded to look at.
    """
    if target is None:
        frame = sys._getframe(1)
        target = _latest({**frame.f_globals, **frame.f_locals})
        if target is None:
            raise GradientError(
                "debug: there is no recorded rank-0 value among the variables here\n"
                "  try: tr.debug(loss), after the loss has been computed"
            )
    found = target if isinstance(target, Trace) else freeze_loss(target)
    from tui.cli import open_trace

    open_trace(found)


def _latest(variables: dict[str, Any]) -> Tensor | None:
    losses = [
        x.tensor if isinstance(x, Parameter) else x
        for x in variables.values()
        if isinstance(x, (Tensor, Parameter)) and x.ndim == 0 and x.requires_grad
    ]
    return max((x for x in losses if x.op is not None), key=lambda x: x.serial, default=None)
