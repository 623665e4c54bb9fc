"""The shapes within a time step: gates with what folds into them, values with their gradients."""

from __future__ import annotations

from dataclasses import replace

from tracer.diagrams.layout.sizes import CIRCLE, WIRE_RISE, size_of
from tracer.diagrams.measure import room_for
from tracer.diagrams.moments import Moment, Reading
from tracer.diagrams.names import indexed_name
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.timesteps import Block
from tracer.diagrams.picture import Gate, Point, Run, Text, Wire

GATE = CIRCLE
"""The width of a round gate."""
SMALL_WORD = 8.5
"""The size of marks beside a number: they say what it is, the number counts."""


def is_branching(moment: Moment, node: int) -> bool:
    """Whether several flows come back to a node."""
    return moment.timeline.arrived(moment.timeline.last, node)[1] > 1


def shape_width(shape: Gate | Wire) -> float:
    """How wide a gate or a wire is drawn, in points."""
    if isinstance(shape, Wire):
        return shape.width + 2
    return size_of(shape)[0]


def put(shape: Gate | Wire, place: Point) -> Gate | Wire:
    """The shape at a place: a gate by its middle, a wire by its rule."""
    x, y = place
    return replace(shape, at=(x, y - WIRE_RISE) if isinstance(shape, Wire) else place)


def block_gate(moment: Moment, over: OverTime, block: Block) -> Gate:
    """The gate of a block, which says what all of its operations compute."""
    trace = moment.trace
    words = over.words(block)
    ops = ", ".join(trace.ops[trace.op_of[i]].name for i in block.members[:20])
    return Gate(
        f"g{block.gate}",
        words.symbol,
        tip=f"{words.tip}\n{ops}" if words.tip else ops,
        ahead=not moment.has_run(block.gate),
        current=any(moment.current(i) for i in block.members) if moment.stepping else False,
        nodes=block.members,
    )


def value_wire(moment: Moment, over: OverTime, i: int) -> Wire:
    """The value of a node with its gradient; its name bears the step where it repeats."""
    name, index = over.title(i)
    title = indexed_name(name, index, role=moment.name_role(i), size=13) if name else ()
    reading = moment.read(i)
    final = _fullest(moment, i, reading)
    value, gradient = with_small_words(reading.value), with_small_words(reading.gradient)
    top = (*title, *((Run("  ", size=9),) if title else ()), *with_small_words(final.value))
    return Wire(
        f"n{i}",
        value,
        gradient,
        title,
        width=room_for(top, with_small_words(final.gradient), least=34),
        tip=moment.tip(i, reading),
        role="wire" if moment.has_run(i) else "ahead",
        nodes=(i,),
    )


def _fullest(moment: Moment, i: int, reading: Reading) -> Reading:
    """`moment.fullest`, which is at hand at the end of the timeline where only one flow comes back."""
    plain_end = moment.position == moment.timeline.last and not is_branching(moment, i)
    return reading if plain_end else moment.fullest(i)


def with_small_words(text: Text) -> Text:
    """A text with small marks, and without the word rms before its number: the caption says it once for all.

    >>> [(run.text, run.size) for run in with_small_words((Run("rms 0.21", "value"), Run(" ◐ 1/2", "quiet")))]
    [('0.21', 13), (' ◐ 1/2', 8.5)]
    """
    runs: list[Run] = []
    for run in text:
        if run.role == "quiet" and runs:
            runs.append(replace(run, size=SMALL_WORD))
        elif run.text.startswith("rms ") and not runs:
            runs.append(replace(run, text=run.text[4:]))
        else:
            runs.append(run)
    return tuple(runs)
