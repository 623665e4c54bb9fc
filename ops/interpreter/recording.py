"""A launch with everything that its threads do kept, up to a limit, and the fault that ended it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.interpreter.faults import Found, Index3
from ops.interpreter.machine import OURS, Machine
from ops.interpreter.record import KernelRun
from ops.interpreter.recorder import LIMIT, RecordingMachine
from ops.interpreter.story import copied, explained, premature, raised_in


def record(
    kernel: Kernel,
    dtype: Any,
    launch: Launch,
    arguments: Sequence[Any],
    options: Mapping[str, Any] = NOTHING,
    blocks: Collection[Index3] | None = None,
    limit: int = LIMIT,
    *,
    typing: str = OURS,
    shared_bytes: int = 0,
    tell: Callable[[int], bool] | None = None,
) -> KernelRun:
    """Run a kernel on copies of its arguments and keep what its threads do, in all blocks or in those named.

    Never raises for a fault: it stands in the record, with all that happened before it. The run ends when as many lines
    as the limit are kept: then `stopped` says which thread was where. `typing` and `shared_bytes` are those of
    `machine.run`. `tell` is told from time to time how many lines are kept; True from it ends the run there.
    """
    more: dict[str, Any] = {"typing": typing, "shared_bytes": shared_bytes}

    def begun(awaiting: bool) -> RecordingMachine:
        given = copied(arguments)
        made = RecordingMachine(kernel, dtype, launch, given, options, blocks, limit, **more)
        made.clock.awaiting = awaiting
        made.tell = tell
        return made

    machine = begun(False)
    fault = None
    found = machine.watched()
    if isinstance(found, Found):
        fault = explained(
            lambda: Machine(kernel, dtype, launch, copied(arguments), options, **more), found
        )
        if premature(found) and fault.kind == "race":  # on to the thread that writes too late
            machine = begun(True)
            machine.watched()
    elif found is not None:
        fault = raised_in(machine, found)
    code = machine.original.__code__
    names = code.co_varnames[: code.co_argcount]
    source = machine.source
    return KernelRun(
        kernel.name,
        source.lines,
        source.first_line,
        source.file,
        launch.blocks,
        launch.threads,
        np.dtype(dtype).name,
        {
            n: x.copy(order="K") if isinstance(x, np.ndarray) else x
            for n, x in zip(names, arguments, strict=True)
        },
        {n: x for n, x in zip(names, machine.given, strict=True) if isinstance(x, np.ndarray)},
        machine.recorded(),
        fault,
        machine.stopped,
        machine.functions,
    )
