"""What the step does, in words: which lanes run, where others wait, where they part, what they read and write."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tracer.cells.meanings import Kind
from tui.ink import Line, span
from tui.stepper.cells import spelled
from tui.stepper.lanes import State, Warp, lanes_text
from tui.stepper.stand import Stand, at_fault_now
from tui.stepper.traffic import Traffic, index_text, traffic

if TYPE_CHECKING:
    from ops.interpreter.record import Fault

Said = tuple[str, Kind]
"""A sentence and its kind."""
FEW = 2
"""Of so few lines none is left for how to see all."""
WAITS = {
    State.WAITS: "wait for the others at",
    State.BARRIER: "wait at the barrier in",
    State.ENDED: "have ended",
}


def said(stand: Stand) -> list[Said]:
    """What is to be said of this moment, most important first."""
    found: list[Said] = []
    fault = stand.fault
    if fault is not None and at_fault_now(stand):
        found.append((f"✗ {told(fault)}", Kind.MARK))
    if stand.position == stand.walk.last and stand.walk.run.stopped:
        found.append((stand.walk.run.stopped, Kind.WARN))
    warp = stand.shown
    if warp.step is None:
        return [*found, (f"warp {warp.number} has not begun", Kind.FAINT)]
    found.append((_running(stand, warp), Kind.NAME))
    found += [(text, Kind.KEY) for text in _parting(warp)]
    found += [(each.words, _kind(each)) for each in traffic(stand.walk, stand.events)]
    own = own_words(stand)
    found += [(own, Kind.VALUE)] if own else []
    return [*found, *((text, Kind.FAINT) for text in _waiting(stand, warp))]


def told(fault: Fault) -> str:
    """A fault in words, without the kernel and the block: both are named at the top."""
    head, colon, rest = fault.text.partition(": ")
    return rest if colon and head.startswith("kernel ") else fault.text


def _running(stand: Stand, warp: Warp) -> str:
    """Which lanes ran."""
    count, running = len(warp.lanes), warp.active
    who = f"all {count} lanes" if len(running) == count > 1 else lanes_text(running)
    of = "" if len(running) == count else f", {len(running)} of {count}"
    within = next((event.within for event in stand.events.values()), ())
    line = f"line {warp.line}{f' of {within[-1].name}' if within else ''}"
    deeds = {
        "barrier": f"{who}{of} reach the barrier in {line}",
        "grid": f"{who}{of} wait for all blocks at {line}",
        "warp": f"{who}{of} {'meet' if _meets(stand, warp.line) else 'exchange numbers'} in {line}",
        "end": f"{who}{of} {'ends' if len(running) == 1 else 'end'}",
    }
    ran = f"{who}{of} {'runs' if len(running) == 1 else 'run'} {line}"
    return deeds.get(warp.kind, ran)


def _meets(stand: Stand, line: int) -> bool:
    """Whether the lanes of a warp only wait for each other in a line, and nothing is exchanged."""
    text = stand.walk.text(line)
    return "syncwarp" in text and "shfl" not in text


def _parting(warp: Warp) -> Iterator[str]:
    """Where the lanes that ran part."""
    if not warp.splits:
        return
    sides = [
        f"{lanes_text(threads)} → {f'line {line}' if line else 'the end'}"
        for line, threads in warp.sides
    ]
    yield f"⋔ they part: {'; '.join(sides)}"


def _waiting(stand: Stand, warp: Warp) -> Iterator[str]:
    """Where the other lanes are."""
    faulty = stand.walk.run.fault is not None
    cut = "did not come further: the fault ended the run" if faulty else "were not recorded further"
    for (state, line), threads in warp.waiting().items():
        verb = WAITS.get(state, cut)
        if len(threads) == 1:
            verb = verb.replace("wait ", "waits ").replace("have ", "has ").replace("were ", "was ")
        at_end = " the end" if state is State.WAITS else ""
        yield f"{state.value} {lanes_text(threads)} {verb}{f' line {line}' if line else at_end}"


def _kind(each: Traffic) -> Kind:
    return Kind.MARK if each.bad else Kind.TEXT


def own_words(stand: Stand) -> str:
    """What the lane that is looked at reads, writes and changes; empty where it does not run."""
    event = stand.events.get(stand.thread)
    if event is None:
        return ""
    parts = []
    for access in event.accesses:
        place = f"{access.array}{index_text(access.index)}"
        value = spelled(access.value, 4)
        was = "" if access.before is None else f" (was {spelled(access.before, 4)})"
        parts.append(f"{place} ← {value}{was}" if access.write else f"{place} → {value}")
    for name, value in event.registers.items():
        parts.append(f"{name} = {spelled(value, 4)}{_widened(stand, value)}")
    return f"lane {stand.lane}: {', '.join(parts)}" if parts else ""


def _widened(stand: Stand, value: object) -> str:
    """That a number is a float64, where no argument is one: a literal such as 0.1 makes it so."""
    given = stand.walk.run.arguments.values()
    wide = any(np.result_type(x).name == "float64" for x in given if isinstance(x, np.ndarray))
    return " (in float64)" if type(value) is np.float64 and not wide else ""


def saying_lines(stand: Stand, width: int, height: int) -> list[Line]:
    """The sentences, each on a line of its own; where there is no room for that, behind each other, and cut."""
    sentences = said(stand)
    found: list[Line] = [
        (span(line, kind),) for text, kind in sentences for line in _broken(text, width)
    ]
    if len(found) <= height:
        return found
    if at_fault_now(stand):  # the code of the lines stands in the source
        brief = [(line, kind) for text, kind in sentences[:1] for line in _brief(text)]
        broken: list[Line] = [
            (span(line, kind),) for text, kind in brief for line in _broken(text, width)
        ]
        rest = found[len(_broken(sentences[0][0], width)) :]
        found = [*broken, *rest]
        return _cut(found, height) if len(broken) != height else broken
    if stand.fault is None:
        whole = " · ".join(text for text, _ in sentences)
        found = [(span(line),) for line in textwrap.wrap(whole, max(12, width - 2))]
    return _cut(found, height)


def _cut(lines: list[Line], height: int) -> list[Line]:
    if not 0 < height < len(lines):
        return lines
    if height <= FEW:
        return [*lines[: height - 1], (*lines[height - 1], span(" …", Kind.FAINT))]
    return [*lines[: height - 1], (span("… tab z shows all", Kind.FAINT),)]


def _brief(text: str) -> list[str]:
    """What is wrong, who takes part at which line, and what to try: without the code of the lines."""
    first, *places = text.split("\n")
    cure = places.pop() if places else ""
    said = [place.strip().partition(":  ")[0] for place in places]
    return [first, "; ".join(said), cure.strip()] if said else [first, *cure.split("\n")]


def _broken(text: str, width: int) -> list[str]:
    """A text as lines that fit."""
    paragraphs = (line.strip() for line in text.split("\n"))
    return [
        line
        for each in paragraphs
        for line in textwrap.wrap(each, max(12, width), subsequent_indent="  ")
    ]
