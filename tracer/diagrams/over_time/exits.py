"""What leaves the loops of a rolled network: of which steps its lines carry the values."""

from __future__ import annotations

from tracer.diagrams.measure import text_width
from tracer.diagrams.names import plain
from tracer.diagrams.over_time.bridges import ALLEY
from tracer.diagrams.over_time.lines import Lines
from tracer.diagrams.over_time.one_step import OneStep
from tracer.diagrams.over_time.outcome import is_barred
from tracer.diagrams.over_time.sheet import Scene
from tracer.diagrams.picture import Caption, Run, Shape, Text

WORDS = 9.5


def words_on(sent: str) -> Text:
    """Small words beside a line."""
    return (Run(sent, "quiet", WORDS),)


def exit_words(scene: Scene, over: OneStep, lines: Lines) -> list[Shape]:
    """Beside the lines out of the loops the steps whose values they carry: `t = 3`, or `all t`."""
    shapes: list[Shape] = []
    for block in scene.axis.blocks:
        if block.time != scene.axis.after:
            continue
        head = lines.spots[f"g{block.gate}"]
        for source, words in exit_texts(over, block.root).items():
            tail = scene.tail_of(source)
            if abs(lines.spots[tail].y - head.y) < 1:
                x = head.x - head.wide - 12 - text_width(words) / 2
                below = is_barred(lines, tail, f"g{block.gate}")
                y = head.y + (-ALLEY - 9 if below else 8)
                shapes.append(Caption(f"t{block.root}n{source}", words, at=(x, y)))
    return shapes


def exit_texts(over: OneStep, root: int) -> dict[int, Text]:
    """For each value that leaves a loop to a block, as shown, the steps of which the block reads it."""
    known = over.roll.over.blocks
    times: dict[int, set[int]] = {}
    for slot in known[root].slots:
        source = known.get(slot.source)
        if source is not None and source.row in over.rows:
            times.setdefault(over.rows[source.row].root, set()).add(source.time)
    found = {}
    for shown, seen in times.items():
        row = known[shown].row
        whole = len(over.roll.runs[row])
        said = plain(over.roll.axis.labels[max(seen)], longest=16)
        if len(seen) > 1:
            said = "all t" if len(seen) == whole else f"{len(seen)} of {whole} t"
        found[shown] = words_on(said)
    return found
