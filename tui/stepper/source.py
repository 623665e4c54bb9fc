"""The source of a kernel: the line that the warp has just run, where its lanes are, breakpoints and faults."""

from __future__ import annotations

import textwrap
from pathlib import PurePath

from ops.interpreter.faults import short
from tracer.cells.meanings import Kind, Look
from tui.ink import Line, Span, clip, elide, span, width_of
from tui.stepper.lanes import State, Warp, counts, warp_at
from tui.stepper.stand import Stand, parts

GUTTER = 7
"""Columns before the number of a line, and behind it."""
MARGIN = 2
"""So many lines are shown above and below the line that is looked at."""


def code_lines(stand: Stand, room: int = 1000) -> list[str]:
    """The lines of the kernel, without the indentation that they have in their file.

    Where a line is longer than the room for it, all are indented by half.
    """
    lines = textwrap.dedent("\n".join(stand.walk.run.source)).split("\n")
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
    total = len(stand.walk.run.source)
    at = looked_at(stand) - stand.walk.run.first_line
    margin = min(MARGIN, max(0, (height - 1) // 2))
    top = max(at + margin - height + 1, min(top, at - margin))
    return max(0, min(top, total - height))


def source_lines(stand: Stand, width: int, height: int, top: int) -> list[Line]:
    """The lines of the pane: lanes at the line, its sign, its number, the code, and which other warps are there."""
    run, warp = stand.walk.run, stand.shown
    here = counts(warp)
    others = _others(stand)
    digits = len(str(run.first_line + len(run.source)))
    code = code_lines(stand, width - digits - GUTTER)[top : top + height]
    found: list[Line] = []
    for line, text in enumerate(code, run.first_line + top):
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
    if stand.fault is not None and line in stand.fault.lines:
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
    for block, index, line in parts(stand.fault) if stand.fault is not None else ():
        away = f" of block {short(block)}" if block != stand.walk.block.block else ""
        found.setdefault(line, []).append(short(index) + away)
    return found


def _painted(text: str, look: Look) -> tuple[Span, ...]:
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
    """The kernel and its file."""
    run = stand.walk.run
    return f"{run.name} · {PurePath(run.file).name}:{run.first_line}"
