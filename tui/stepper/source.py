"""The source of a kernel: the line that the warp has just run, where its lanes are, breakpoints and faults."""

from __future__ import annotations

import linecache
import textwrap
from pathlib import PurePath

from ops.interpreter.faults import short
from tracer.cells.meanings import Kind, Look
from tui.ink import Line, Span, clip, elide, span, width_of
from tui.stepper.lanes import State, Warp, counts, warp_at
from tui.stepper.stand import Stand, at_fault_now, culprits, parts

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
    run = stand.walk.run
    height = max(1, height - len(strip(stand, 1000, height)))
    total, first = len(run.source), run.first_line
    at = min(max(0, looked_at(stand) - first), total - 1)
    margin = min(MARGIN, max(0, (height - 1) // 2))
    top = max(at + margin - height + 1, min(top, at - margin))
    if not stand.cursor and at_fault_now(stand):  # all that takes part in the fault, if it has room
        inside = [
            line - first for line in (*wrong_lines(stand), stand.removed) if stand.walk.text(line)
        ]
        low, high = min(at, *inside, at), max(at, *inside, at)
        if high - low < height:
            top = max(high - height + 1, min(top, low))
    return max(0, min(top, total - height))


def wrong_lines(stand: Stand) -> frozenset[int]:
    """The lines of the kernel that take part in the fault: of a device function, those that call it."""
    walk, fault = stand.walk, stand.fault
    if fault is None:
        return frozenset()
    own = {line for line in fault.lines if walk.text(line)}
    if len(own) < len(set(fault.lines)):
        own |= {walk.steps[position - 1].line for position, _ in culprits(walk, fault)}
    return frozenset(own)


def strip(stand: Stand, width: int, height: int) -> list[Line]:
    """The lines of device functions at which a fault happened, with the names of these; none where there is no room."""
    run, fault = stand.walk.run, stand.fault
    away = [] if fault is None else sorted({n for n in fault.lines if n and not stand.walk.text(n)})
    found: list[Line] = []
    for line in away:
        above = (linecache.getline(run.file, k).strip() for k in range(line, 0, -1))
        head = next((text for text in above if text.startswith("def ")), "")
        name = head[len("def ") :].partition("(")[0]
        code = span(f"  ✗ {line} ", Kind.MARK), *_painted(linecache.getline(run.file, line).strip())
        found += [clip((span(f"  ╭ in {name}", Kind.NAME),), width), clip(code, width)]
    return found if 2 * len(found) <= height else []


def source_lines(stand: Stand, width: int, height: int, top: int) -> list[Line]:
    """The lines of the pane: lanes at the line, its sign, its number, the code, and which other warps are there."""
    run, warp = stand.walk.run, stand.shown
    here = counts(warp)
    others = _others(stand)
    digits = len(str(run.first_line + len(run.source)))
    below = strip(stand, width, height)
    code = code_lines(stand, width - digits - GUTTER)[top : top + max(1, height - len(below))]
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
    return [*found, *below]


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
    """The kernel and its file."""
    run = stand.walk.run
    return f"{run.name} · {PurePath(run.file).name}:{run.first_line}"
