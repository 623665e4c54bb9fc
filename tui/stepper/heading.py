"""The first line of the stepper, where it stands; and the last one: what was said, or the keys."""

from __future__ import annotations

from ops.interpreter.faults import short
from tracer.cells.meanings import Kind
from tui.ink import Line, Span, clip, span, width_of
from tui.stepper.keys import HINTS
from tui.stepper.lanes import amount
from tui.stepper.stand import Stand, at_fault_now
from tui.stepper.walk import Walk


def status_line(stand: Stand, what: str, width: int) -> Line:
    """What is run, and where one stands; what matters least goes first where room is short."""
    walk = stand.walk
    run = walk.run
    wrong = run.fault is not None
    at_it = at_fault_now(stand)
    tag = span(" ✗ FAULT ", Kind.BACKWARD_TAG) if wrong else span(" KERNEL ", Kind.FORWARD_TAG)
    parts: list[tuple[int, list[Span]]] = [
        (0, [tag]),
        (0, [span(run.name, Kind.NAME)]),
        (0, [span(f"step {stand.position}/{walk.last}")]),
        (0, [span(f"warp {stand.warp} lane {stand.lane}", Kind.KEY)]),
        (1, [span(f"{amount(stand.epoch, 'barrier')} passed")]),
        (
            2,
            [span(f"block {block_text(walk)}, {amount(walk.threads, 'thread')}", Kind.OP)],
        ),
        (3, [span(run.dtype, Kind.FAINT)] if run.dtype else []),
        (4, [span(what, Kind.FAINT)] if what else []),
    ]
    if stand.outcome and stand.position == walk.last:
        kind = Kind.MARK if stand.outcome.startswith("✗") else Kind.FORWARD
        parts.insert(4, (1, [span(stand.outcome, kind)]))
    if run.stopped:
        parts.append((1, [span("not recorded to its end", Kind.WARN)]))
    if run.fault is not None and not at_it:
        there = (
            "c goes" if stand.fault is not None else f"g goes to block {short(run.fault.block)},"
        )
        parts.append((1, [span(f"{there} to the fault", Kind.KEY)]))
    if stand.stops:
        parts.append((3, [span(f"● {len(stand.stops)}", Kind.MARK)]))
    return _fitted([part for part in parts if part[1]], width)


def block_text(walk: Walk) -> str:
    """Which block it is, of how many: `3 of 4`, of a grid of two axes `(1, 0) of 2×2`."""
    blocks = walk.run.blocks
    if isinstance(blocks, int):
        return f"{walk.block.block[0]} of {blocks}"
    place = walk.block.block[: len(blocks)]
    return f"({', '.join(map(str, place))}) of {'×'.join(map(str, blocks))}"


def _fitted(parts: list[tuple[int, list[Span]]], width: int) -> Line:
    def joined() -> Line:
        line = [piece for _, spans in parts for piece in (*spans, span("  "))]
        return tuple(line[:-1])

    while width_of(joined()) > width and max(rank for rank, _ in parts):
        parts.remove(max(parts, key=lambda part: part[0]))
    return clip(joined(), width)


def last_line(said: str, wrong: bool, count: str, width: int) -> Line:
    """What was just said; else the keys, as many as there is room for."""
    if said:
        return (span(f" {said}", Kind.WARN if wrong else Kind.TEXT),)
    line: list[Span] = [span(f" {count}×", Kind.KEY)] if count else []
    for key, word in HINTS:
        pair = [span(f" {key} ", Kind.KEY), span(f"{word} ", Kind.FAINT)]
        if width_of((*line, *pair)) <= width:
            line += pair
    return tuple(line)
