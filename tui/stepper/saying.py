"""What the step does, in words: which lanes run, where others wait, where they part, what they read and write."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from tracer.cells.meanings import Kind
from tracer.format import number
from tui.ink import Line, span
from tui.stepper.cells import plain
from tui.stepper.lanes import State, Warp, lanes_text
from tui.stepper.stand import Stand, at_fault_now
from tui.stepper.traffic import Traffic, index_text, traffic

Said = tuple[str, Kind]
"""A sentence and its kind."""
WAITS = {
    State.WAITS: "wait for the others at",
    State.BARRIER: "wait at the barrier in",
    State.ENDED: "have ended",
    State.CUT: "did not come further: the fault ended the run",
}


def said(stand: Stand) -> list[Said]:
    """What is to be said of this moment, most important first."""
    found: list[Said] = []
    fault = stand.fault
    if fault is not None and at_fault_now(stand):
        found.append((f"✗ {fault.text}", Kind.MARK))
    warp = stand.shown
    if warp.step is None:
        return [*found, (f"warp {warp.number} has not begun", Kind.FAINT)]
    found.append((_running(warp), Kind.NAME))
    found += [(text, Kind.KEY) for text in _parting(warp)]
    found += [(each.words, _kind(each)) for each in traffic(stand.walk, stand.events)]
    own = own_words(stand)
    found += [(own, Kind.VALUE)] if own else []
    return [*found, *((text, Kind.FAINT) for text in _waiting(warp))]


def _running(warp: Warp) -> str:
    """Which lanes ran."""
    count, running = len(warp.lanes), warp.active
    who = f"all {count} lanes" if len(running) == count else lanes_text(running)
    of = "" if len(running) == count else f", {len(running)} of {count}"
    deeds = {
        "barrier": f"{who}{of} reach the barrier in line {warp.line}",
        "grid": f"{who}{of} wait for all blocks at line {warp.line}",
        "warp": f"{who}{of} exchange numbers in line {warp.line}",
        "end": f"{who}{of} end",
    }
    ran = f"{who}{of} {'runs' if len(running) == 1 else 'run'} line {warp.line}"
    return deeds.get(warp.kind, ran)


def _parting(warp: Warp) -> Iterator[str]:
    """Where the lanes that ran part."""
    if not warp.splits:
        return
    sides = [
        f"{lanes_text(threads)} → {f'line {line}' if line else 'the end'}"
        for line, threads in warp.sides
    ]
    yield f"⋔ they part: {'; '.join(sides)}"


def _waiting(warp: Warp) -> Iterator[str]:
    """Where the other lanes are."""
    for (state, line), threads in warp.waiting().items():
        verb = WAITS[state]
        if len(threads) == 1:
            verb = verb.replace("wait ", "waits ", 1).replace("have ", "has ", 1)
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
        value = _short(access.value)
        was = "" if access.before is None else f" (was {_short(access.before)})"
        parts.append(f"{place} ← {value}{was}" if access.write else f"{place} → {value}")
    for name, value in event.registers.items():
        parts.append(f"{name} = {_short(value)}")
    return f"lane {stand.lane}: {', '.join(parts)}" if parts else ""


def _short(value: object) -> str:
    try:
        return number(plain(value), 4)
    except (TypeError, ValueError):
        return str(value)


def saying_lines(stand: Stand, width: int, height: int) -> list[Line]:
    """The sentences, each on a line of its own; where there is no room for that, behind each other, and cut."""
    sentences = said(stand)
    found: list[Line] = [
        (span(line, kind),) for text, kind in sentences for line in _broken(text, width)
    ]
    if len(found) <= height:
        return found
    if stand.fault is None:
        whole = " · ".join(text for text, _ in sentences)
        found = [(span(line),) for line in textwrap.wrap(whole, max(12, width))]
    if len(found) > height > 0:
        found = [*found[: height - 1], (span("… tab z shows all", Kind.FAINT),)]
    return found


def _broken(text: str, width: int) -> list[str]:
    """A text as lines that fit."""
    paragraphs = (line.strip() for line in text.split("\n"))
    return [
        line
        for each in paragraphs
        for line in textwrap.wrap(each, max(12, width), subsequent_indent="  ")
    ]
