"""The source of a kernel: the line that the warp has just run, where its lanes are, breakpoints and faults."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

from ops.interpreter.faults import short
from tracer.cells.meanings import Kind, Look
from tui.ink import Line, Span, clip, elide, span, width_of
from tui.stepper.lanes import State, Warp, counts, warp_at
from tui.stepper.stand import Stand, at_fault_now, culprits, parts

if TYPE_CHECKING:
    from ops.interpreter.record import Event

GUTTER = 7
"""Columns before the number of a line, and behind it."""
MARGIN = 2
"""So many lines are shown above and below the line that is looked at."""


def code_lines(stand: Stand, room: int) -> list[str]:
    """The text of every row. Where one is longer than the room for it, all are indented by half."""
    lines = [row.text for row in stand.walk.listed]
    if max(map(len, lines)) <= room:
        return lines
    bare = [line.lstrip() for line in lines]
    return [
        " " * ((len(line) - len(text)) // 2) + text for line, text in zip(lines, bare, strict=True)
    ]


def looked_at(stand: Stand) -> int:
    """The line of the file that is to be in sight: the chosen one, else that of the step."""
    first = stand.walk.run.first_line
    return stand.cursor or stand.shown.line or first


def scrolled(stand: Stand, top: int, height: int) -> int:
    """The first line that is shown, of a window that moves only if it must."""
    rows = stand.walk.rows
    total = len(stand.walk.listed)
    at = rows.get(looked_at(stand), rows[stand.walk.run.first_line])
    margin = min(MARGIN, max(0, (height - 1) // 2))
    top = max(at + margin - height + 1, min(top, at - margin))
    if not stand.cursor and at_fault_now(stand):  # all that takes part in the fault, if it has room
        inside = [rows[line] for line in (*wrong_lines(stand), stand.removed) if line in rows]
        low, high = min(at, *inside, at), max(at, *inside, at)
        if high - low < height:
            top = max(high - height + 1, min(top, low))
    return max(0, min(top, total - height))


def wrong_lines(stand: Stand) -> frozenset[int]:
    """The lines that take part in the fault: of a function of which no lines are listed, those that call it."""
    walk, fault = stand.walk, stand.fault
    if fault is None:
        return frozenset()
    own = {line for line in fault.lines if walk.text(line)}
    if len(own) < len(set(fault.lines)):
        own |= {walk.steps[position - 1].line for position, _ in culprits(walk, fault)}
    return frozenset(own)


def source_lines(stand: Stand, width: int, height: int, top: int) -> list[Line]:
    """The lines of the pane: lanes at the line, its sign, its number, the code, and which other warps are there."""
    rows, warp = stand.walk.listed, stand.shown
    here = counts(warp)
    others = _others(stand)
    digits = len(str(rows[-1].line))
    code = code_lines(stand, width - digits - GUTTER)
    found: list[Line] = []
    for (line, _, _), text in list(zip(rows, code, strict=True))[top : top + max(1, height)]:
        if not line:
            found.append((span(f"{'┄' * min(width, digits + GUTTER)}", Kind.FAINT),))
            continue
        look = Look.CURRENT if line == warp.line and warp.kind != "end" else Look.PLAIN
        look = Look.SELECTED if line == stand.cursor and look is Look.PLAIN else look
        count = f"{here[line]:>3}" if line in here else "   "
        sign, kind = _sign(stand, warp, line)
        stop = "●" if line in stand.stops else " "
        start: Line = (
            span(count, Kind.VALUE if look is Look.CURRENT else Kind.KEY, look),
            span(f" {sign}", kind, look),
            span(stop, Kind.MARK, look),
            span(f"{line:>{digits}} ", Kind.FAINT, look),
        )
        tail = others.get(line, "")
        room = width - width_of(start) - len(tail)
        if line == stand.removed:
            text = text.replace(text.strip(), f"# {text.strip()}: taken away")
        body = clip(_painted(text, look), room)
        blank = " " * max(0, room - width_of(body))
        found.append((*start, *body, span(blank, Kind.TEXT, look), span(tail, Kind.FAINT, look)))
    return found


def _sign(stand: Stand, warp: Warp, line: int) -> tuple[str, Kind]:
    """What happens at a line: ✗ a fault, ▶ the step, ‖ lanes wait at a barrier, · they wait for others."""
    if line in wrong_lines(stand):
        return "✗", Kind.MARK
    if line == stand.removed and line != warp.line:
        return "−", Kind.MARK
    if line == warp.line and warp.kind == "end":
        return State.ENDED.value, Kind.FAINT
    if line == warp.line:
        return "▶", Kind.FORWARD
    states = {lane.state for lane in warp.lanes if lane.line == line}
    if State.BARRIER in states:
        return "‖", Kind.KEY
    return ("▷", Kind.KEY) if states else (" ", Kind.TEXT)


def _others(stand: Stand) -> dict[int, str]:
    """At the end of a line: the warps that have run it last, besides that which is looked at."""
    found: dict[int, list[str]] = {}
    for number in range(stand.walk.warps):
        if number == stand.warp:
            continue
        other = warp_at(stand.walk, stand.position, number)
        ended = all(lane.state is State.ENDED for lane in other.lanes)
        if other.line and not ended:
            found.setdefault(other.line, []).append(f"w{number}")
    for line, threads in _culprits(stand).items():
        said = f"thread{'s' * (len(threads) > 1)} {', '.join(threads)}"
        found.setdefault(line, []).insert(0, said)
    return {line: " " + elide(" ".join(names), 26) for line, names in found.items()}


def _culprits(stand: Stand) -> dict[int, list[str]]:
    """The lines of the fault, and the threads that did their part there, as its text names them."""
    found: dict[int, list[str]] = {}
    fault, walk = stand.fault, stand.walk
    for block, index, line in parts(fault) if fault is not None else ():
        if not walk.text(line):  # of a device function: where it is called
            number = walk.thread_number(index)
            called = [k for k, thread in culprits(walk, fault) if thread == number]
            line = walk.steps[called[0] - 1].line if called else line
        away = f" of block {short(block)}" if block != stand.walk.block.block else ""
        found.setdefault(line, []).append(short(index) + away)
    return found


def _painted(text: str, look: Look = Look.PLAIN) -> tuple[Span, ...]:
    """A line of code: barriers stand out, comments stand back."""
    code, sign, comment = text.partition("#")
    if "syncthreads" in code or "shfl" in code or "syncwarp" in code:
        kind = Kind.KEY
    elif code.lstrip().startswith("def "):
        kind = Kind.NAME
    else:
        kind = Kind.TEXT
    return span(code, kind, look), span(sign + comment, Kind.FAINT, look)


def title(stand: Stand) -> str:
    """The function that is looked at, its file and its first line; of a device function also what calls it."""
    run, rows = stand.walk.run, stand.walk.listed
    name = rows[stand.walk.rows.get(looked_at(stand), 0)].function
    first = next(row.line for row in rows if row.function == name)
    said = f"{name} · {PurePath(run.file).name}:{first}"
    inside = calls_text(stand.events.values())
    return f"{said} · {inside}" if inside and not stand.cursor else said


def calls_text(events: Iterable[Event]) -> str:
    """From where the present device function was called: `called in line 12`; empty in the kernel itself."""
    within = next((event.within for event in events), ())
    return f"called in line {', in line '.join(str(call.line) for call in within[::-1])}" * bool(
        within
    )
