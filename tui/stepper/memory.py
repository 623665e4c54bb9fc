"""An array as a heat map: shared memory, or an argument; what the step reads and writes of it, and who wrote last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tracer.cells.meanings import Kind
from tracer.format import number
from tui.heatmap import Limits
from tui.ink import Ink, Line, Span, clip, span, width_of
from tui.stepper.cells import NUMBER, cell, limits_of, plain
from tui.stepper.moments import NOBODY, Memory
from tui.stepper.stand import Stand, element_of
from tui.stepper.tables import Plan, known_values, label, marks, plan, ruler
from tui.stepper.traffic import index_text, offset
from tui.stepper.walk import WARP

SHARE = 16
"""Of an array behind the first one no more rows are shown."""
GAP = 3
"""Columns between arrays beside each other."""
NOWHERE: tuple[int, ...] = ()
"""The element of an array of which none is looked at."""


def memory_lines(
    stand: Stand, width: int, height: int, *, colour: bool = True, alone: bool = False
) -> list[Line]:
    """The lines of the pane: a ruler, rows of the array, its element in words; below it the next arrays, if they fit.

    alone: without the next arrays.
    """
    memory = stand.memory
    if memory is None:
        return [(span("this kernel uses no arrays", Kind.FAINT),)]
    if not memory.values.size:
        return [(span("empty: no elements", Kind.FAINT),)]
    shown = plan(stand, width, height - 2)
    found = [(span(ruler(shown), Kind.FAINT),), *_rows(stand, shown, colour=colour)]
    names = stand.walk.arrays
    behind = [] if alone else [*names[names.index(stand.array) + 1 :]]
    used = shown.gutter + shown.shown * shown.cell
    while behind and used < width // 2:  # as many of the next ones beside it as fit
        beside_it = _whole(stand, behind[0], width - used - GAP, shown.height, colour=colour)
        if not beside_it:
            break
        for k, line in enumerate(beside_it):
            found[k] = (*found[k], span(" " * (used + GAP - width_of(found[k]))), *line)
        used += GAP + max(map(width_of, beside_it))
        behind.pop(0)
    said = element_line(stand, element_of(stand), width)
    found.append(clip(_part(said, shown, width), width))
    while behind:
        below = _whole(
            stand, behind.pop(0), width, min(SHARE, height - len(found) - 1), colour=colour
        )
        if not below:
            break
        found += below
    return found


def _whole(stand: Stand, name: str, width: int, rows: int, *, colour: bool) -> list[Line]:
    """Another array below its title; empty where it does not fit as a whole."""
    part = replace(stand, array=name, element=NOWHERE)
    memory = part.memory
    if memory is None or not memory.values.size or rows < 1 or width < NUMBER:
        return []
    shown = plan(part, width, rows)
    if shown.height < shown.rows or shown.shown < shown.across:
        return []
    return [clip((span(title(part), Kind.OP),), width), *_rows(part, shown, colour=colour)]


def _rows(stand: Stand, shown: Plan, *, colour: bool) -> Iterator[Line]:
    """The rows of the array that are in sight."""
    memory = stand.memory
    assert memory is not None
    limits = limits_of(known_values(memory))
    signs = {offset(place, memory.values.shape): sign for place, sign in marks(stand).items()}
    chosen = element_of(stand)
    at = offset(chosen, memory.values.shape) if chosen else -1
    for row in range(shown.first, shown.first + shown.height):
        line: list[Span] = [span(label(memory, row, shown), Kind.FAINT)]
        start = row * shown.across + shown.left
        for place in range(start, min(start + shown.shown, memory.values.size)):
            line.extend(_cell(memory, place, shown, limits, signs, place == at, colour=colour))
        yield tuple(line)


def _part(said: Line, shown: Plan, width: int) -> Line:
    """Behind what is said: which rows are shown, where not all are, and there is room to say so."""
    if shown.height == shown.rows and shown.shown == shown.across:
        return said
    rows = f"  rows {shown.first}–{shown.first + shown.height - 1} of {shown.rows}"
    columns = f", columns {shown.left}–{shown.left + shown.shown - 1} of {shown.across}"
    part = rows + columns * (shown.shown < shown.across)
    return (*said, span(part, Kind.FAINT)) if width_of(said) + len(part) <= width else said


def _cell(
    memory: Memory,
    place: int,
    shown: Plan,
    limits: Limits,
    signs: dict[int, str],
    chosen: bool,
    *,
    colour: bool,
) -> tuple[Span, ...]:
    index = np.unravel_index(place, memory.values.shape)
    known = memory.known(tuple(int(i) for i in index))
    sign = signs.get(place, "")
    if not known:
        text = f"{sign or ' '}{'·'.rjust(shown.cell - 1)}" if shown.cell > 1 else sign or "·"
        if chosen and shown.written:
            text = f"[{sign or '·'}]".rjust(shown.cell)
        return (Span(text, Ink(Kind.KEY if sign or chosen else Kind.FAINT)),)
    value = memory.values[index]
    return cell(value, shown.cell, limits, sign=sign, chosen=chosen, colour=colour)


def element_line(stand: Stand, at: tuple[int, ...] | None, width: int = 1000) -> Line:
    """The element that is looked at: its number, and which thread wrote it, when; in few words where room is short."""
    memory = stand.memory
    if memory is None or at is None:
        signs = ("→ read by this step   ← written   · not written yet", "→ read  ← written", "")
        return (span(next(text for text in signs if len(text) <= width), Kind.FAINT),)
    name = span(f"{memory.name}{index_text(at)}", Kind.NAME)
    thread = int(memory.writer[at])
    if not memory.known(at):
        return name, span("  nobody has written it yet", Kind.FAINT)
    value = span(f" = {number(plain(memory.values[at]), 6)}", Kind.VALUE)
    if thread == NOBODY:
        return name, value, span("  as before the launch", Kind.FAINT)
    step = int(memory.when[at])
    line = stand.walk.steps[step - 1].line
    place = f" (warp {thread // WARP}, lane {thread % WARP})"
    sides = "", place
    said = [
        f"  written by thread {thread}{side} at line {line}, step {step}" for side in sides[::-1]
    ]
    said.append(f"  ← thread {thread}, line {line}")
    used = width_of((name, value))
    fitting = next((text for text in said if used + len(text) <= width), said[-1])
    return name, value, span(fitting, Kind.FAINT)


def title(stand: Stand, width: int = 1000) -> str:
    """Which array it is, its shape and scale; where there is no room for all that, its name and shape."""
    memory = stand.memory
    if memory is None:
        return "memory"
    where = "shared memory" if memory.space == "shared" else "argument"
    shape = ",".join(map(str, memory.values.shape))
    scale = limits_of(known_values(memory)).text if np.size(known_values(memory)) else ""
    same = [name for name, first in stand.walk.same.items() if first == memory.name]
    name = " = ".join((memory.name, *same))
    said = f"{where} {name} {memory.values.dtype}[{shape}] {scale}".rstrip()
    brief = (
        f"{where.partition(' ')[0]} {name} {memory.values.dtype}[{shape}]",
        f"{where.partition(' ')[0]} {name}",
    )
    return next((text for text in (said, *brief) if len(text) <= width - 4), brief[-1])


def names_text(stand: Stand) -> str:
    """All arrays, that which is shown in angles."""
    return " ".join(f"‹{name}›" if name == stand.array else name for name in stand.walk.arrays)
