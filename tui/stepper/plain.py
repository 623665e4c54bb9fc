"""A kernel at a step as plain text: source, timeline, what the step does, registers, memory. And as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tui.ink import Line, text_of
from tui.stepper import memory, registers, source, timeline
from tui.stepper.lanes import amount
from tui.stepper.saying import saying_lines
from tui.stepper.stand import Stand
from tui.stepper.trials import Launched, launch_text
from tui.stepper.walk import WARP

WIDTH = 110
"""Columns of what is written into a file or a pipe."""
HALF = 16
MANY = 40
"""So many rows of an array are written, and no more."""


def listing(stand: Stand, what: str, width: int = WIDTH) -> str:
    """The whole page."""
    return "\n".join(line.rstrip() for line in _page(stand, what, width))


def _page(stand: Stand, what: str, width: int) -> Iterator[str]:
    walk, run = stand.walk, stand.walk.run
    yield f"{run.name} · {run.dtype}, {what}"
    x, y, z = walk.block.block
    block = x if not (y or z) else (x, y, z)
    passed = f"{amount(stand.epoch, 'barrier')} passed"
    yield f"block {block}, step {stand.position}/{walk.last}, {passed}, warp {stand.warp}"
    if run.stopped:
        yield run.stopped
    yield ""
    yield from texts(timeline.timeline_lines(stand, width, walk.warps + 1))
    yield ""
    yield from texts(source.source_lines(stand, width, len(run.source), 0))
    yield ""
    yield from texts(saying_lines(stand, width, 1000))
    yield from _registers(stand, width)
    yield from _arrays(stand, width)


def texts(lines: list[Line]) -> Iterator[str]:
    """The characters of lines."""
    return map(text_of, lines)


def _registers(stand: Stand, width: int) -> Iterator[str]:
    if not stand.walk.names:
        return
    yield ""
    yield registers.title(stand)
    lanes = len(stand.shown.lanes)
    same = registers.uniform_lines(stand, width)
    rows = len(stand.walk.varying) + registers.HEAD
    part = replace(stand, numbers=True)
    for first in range(0, lanes, HALF):
        table = registers.register_lines(
            part, width, rows + 3 * len(same), colour=False, first=first
        )
        yield from texts(table[:rows])
    yield from texts(same)


def _arrays(stand: Stand, width: int) -> Iterator[str]:
    """The shared arrays, and the arguments that the step touches."""
    touched = {access.array for event in stand.events.values() for access in event.accesses}
    wrong = stand.fault.array if stand.fault is not None else ""
    for name, each in stand.walk.moment(stand.position).memory.items():
        if each.space == "shared" or name in touched or name == wrong:
            part = stand if name == stand.array else replace(stand, array=name, element=None)
            yield ""
            yield memory.title(part)
            yield from texts(memory.memory_lines(part, width, MANY, colour=False, alone=True))


def document(stand: Stand, found: Launched) -> dict[str, Any]:
    """What is known of a recorded launch and of a step of it, for other programs."""
    walk, run, warp = stand.walk, stand.walk.run, stand.shown
    fault = run.fault
    moment = walk.moment(stand.position)
    return {
        "name": run.name,
        "doc": found.kernel.doc,
        "launch": launch_text(found.launch),
        "trial": found.trial.what,
        "dtype": run.dtype,
        "source": list(run.source),
        "first line": run.first_line,
        "fault": None if fault is None else {**fault._asdict(), "text": fault.text},
        "block": list(walk.block.block),
        "steps": walk.last,
        "step": stand.position,
        "barriers passed": stand.epoch,
        "warp": stand.warp,
        "line": warp.line,
        "active": [thread % WARP for thread in warp.active],
        "registers": {
            name: [_number(moment.registers[t].get(name)) for t in walk.lanes(stand.warp)]
            for name in walk.names
        },
        "shared": {
            name: [
                _number(value) if each.writer.flat[k] >= 0 else None
                for k, value in enumerate(each.values.flat)
            ]
            for name, each in moment.memory.items()
            if each.space == "shared"
        },
    }


def _number(value: Any) -> Any:
    """A number as JSON can have it."""
    if isinstance(value, np.generic):
        value = value.item()
    finite = not isinstance(value, float) or np.isfinite(value)
    return value if finite else str(value)
