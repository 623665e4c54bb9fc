"""A kernel at a step as plain text: source, timeline, what the step does, registers, memory. And as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tui.ink import Line, text_of
from tui.stepper import memory, registers, source, timeline
from tui.stepper.heading import block_text
from tui.stepper.lanes import amount
from tui.stepper.results import results, written
from tui.stepper.saying import saying_lines
from tui.stepper.stand import Stand
from tui.stepper.trials import Launched, launch_text, untold
from tui.stepper.walk import WARP

WIDTH = 110
"""Columns of what is written into a file or a pipe."""
MANY = 40
"""So many rows of an array are written, and no more."""


def listing(stand: Stand, found: Launched, width: int = WIDTH) -> str:
    """The whole page."""
    return "\n".join(line.rstrip() for line in _page(stand, found, width))


def _page(stand: Stand, found: Launched, width: int) -> Iterator[str]:
    walk, run = stand.walk, stand.walk.run
    launch = launch_text(found.launch)
    yield f"{run.name} · {', '.join(filter(None, (run.dtype, launch, found.what)))}"
    block = block_text(walk)
    passed = f"{amount(stand.epoch, 'barrier')} passed"
    yield f"block {block}, step {stand.position}/{walk.last}, {passed}, warp {stand.warp}"
    yield from filter(None, (run.stopped, untold(found, run)))
    yield ""
    yield from texts(timeline.timeline_lines(stand, width, walk.warps + 1))
    yield ""
    yield from texts(source.source_lines(stand, width, len(walk.listed), 0))
    yield ""
    yield from texts(saying_lines(stand, width, 1000))
    yield from _registers(stand, width)
    yield from _arrays(stand, width)
    yield from written(found, run)


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
    rows = len(registers.known(stand)) + registers.HEAD
    part = replace(stand, numbers=True)
    for first in range(0, lanes, registers.plan(part, width).count):
        table = registers.register_lines(
            part, width, rows + 3 * len(same), colour=False, first=first
        )
        yield from texts(table[:rows])
    yield from texts(same)


def _arrays(stand: Stand, width: int) -> Iterator[str]:
    """The shared arrays, and the arguments that the step touches."""
    home = stand.walk.home
    touched = {home(access.array) for event in stand.events.values() for access in event.accesses}
    wrong = home(stand.fault.array) if stand.fault is not None else ""
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
    within = next((event.within for event in stand.events.values()), ())
    return {
        "name": run.name,
        "doc": found.kernel.doc,
        "launch": launch_text(found.launch),
        "trial": found.trial.what,
        "dtype": run.dtype,
        "source": list(run.source),
        "first line": run.first_line,
        "functions": [each._asdict() for each in run.functions],
        "fault": None if fault is None else {**fault._asdict(), "text": fault.text},
        "barrier taken away": found.barrier,
        "shown by no trial": bool(untold(found, run)),
        "arguments": {name: _array(value) for name, value in run.arguments.items()},
        "results": {
            each.name: {
                "values": _array(each.values),
                "expected": None if each.ulps is None else each.fits,
                "ulps": None if each.ulps is None else _number(each.ulps),
            }
            for each in results(found, run)
        },
        "block": list(walk.block.block),
        "steps": walk.last,
        "step": stand.position,
        "barriers passed": stand.epoch,
        "warp": stand.warp,
        "line": warp.line,
        "within": [call._asdict() for call in within],
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


def _array(value: Any) -> Any:
    """An array as nested lists, a number as it is."""
    if not isinstance(value, np.ndarray):
        return _number(value)
    return [_array(each) for each in value] if value.ndim else _number(value[()])


def _number(value: Any) -> Any:
    """A number as JSON can have it."""
    if isinstance(value, np.generic):
        value = value.item()
    finite = not isinstance(value, float) or np.isfinite(value)
    return value if finite else str(value)
