"""What a figure may show of a node at one position of the timeline: a number only if it is there by then."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from tracer import format as short
from tracer.diagrams.names import plain, text_of
from tracer.diagrams.numerals import one_number, whole
from tracer.diagrams.picture import Role, Run, Text
from tracer.kinds import KINDS
from tracer.nodes import Node
from tracer.stats import all_zero
from tracer.timeline import GLYPHS, GradientStatus, Timeline
from tracer.traces import Trace

PARAMETER, CONSTANT = KINDS.index("parameter"), KINDS.index("constant")
Made = TypeVar("Made")
SMALL = 10.0
"""The size of marks and notes, in points."""
WORDED = ("blocked", "disconnected", "not recorded")
"""States that are written out, because no number will ever come."""
LEGEND = {
    "not run yet": "not run yet",
    "not reached": "not reached",
    "partial": "k/n partial: k of n flows",
}
"""What the marks of a frame mean, where the words do not stand beside them."""


@dataclass(frozen=True)
class Reading:
    """The texts of one node: what stands above the wire, and what below."""

    value: Text
    gradient: Text
    state: str


@dataclass(frozen=True)
class Moment:
    """A trace at a position. `write` turns the numbers of one array into characters."""

    trace: Trace
    position: int
    write: Callable[[Any], str]
    stepping: bool = False
    """Whether the figure is one frame of a walk: it then marks the current step and explains its marks."""
    memory: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was read or placed before; the frames of a walk share it, for from one to the next hardly a node changes."""
    tips: bool = True
    """Whether shapes get the words that a resting pointer reads; those of a film need none."""
    naming: Callable[[int], str] | None = field(default=None, repr=False, compare=False)
    """What the figure calls a node; None where it calls all of them by their labels."""

    @property
    def timeline(self) -> Timeline:
        """The timeline of the trace."""
        return self.trace.timeline

    def at_end(self) -> Moment:
        """The same figure with everything computed, from which the room for numbers is taken."""
        return replace(self, position=self.timeline.last, stepping=False)

    def called(self, i: int) -> str:
        """The name of node i in the words of the figure, for captions and sentences: `h₂` where the wire says so."""
        return plain(self.trace[i].label) if self.naming is None else self.naming(i)

    def has_run(self, i: int) -> bool:
        """Whether node i has its value by now; leaves always do."""
        return bool(self.timeline.has_run(self.position, i))

    def read(self, i: int, *, size: float = 13, bold: bool = True, mark: str = "") -> Reading:
        """The value and the gradient of node i as far as they are known; `mark` stands before a gradient."""
        status, has_run = self.timeline.status(self.position, i), self.has_run(i)
        key = (i, has_run, status, size, bold, mark)
        known: Reading | None = self.memory.get(key)
        if known is not None:
            return known
        value: Text = ()
        if has_run:
            value = (Run(self.write(self.trace.seen(i)), "value", size, bold),)
        made = Reading(value, self._gradient(i, status, size, mark), status.state)
        self.memory[key] = made
        return made

    def fullest(self, i: int, *, size: float = 13, bold: bool = True, mark: str = "") -> Reading:
        """What `read` gives at the end of the timeline, with the mark of a partial sum where there will be one."""
        key = ("fullest", i, size, bold, mark)
        return self.once(key, lambda: self._fullest(i, size, bold, mark))

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What does not change from step to step, made at the first."""
        if key not in self.memory:
            self.memory[key] = make()
        found: Made = self.memory[key]
        return found

    def _fullest(self, i: int, size: float, bold: bool, mark: str) -> Reading:
        end = self.at_end()
        reading = end.read(i, size=size, bold=bold, mark=mark)
        count = end.timeline.arrived(end.position, i)[1]
        if count < 2:
            return reading
        counted = Run(f" {GLYPHS['partial']} {count}/{count}", "quiet", SMALL)
        return Reading(reading.value, (*reading.gradient, counted), reading.state)

    def _gradient(self, i: int, status: GradientStatus, size: float, mark: str) -> Text:
        if status.state in WORDED:
            word = "constant" if self.trace.kind_of[i] == CONSTANT else status.state
            return (Run(f"{GLYPHS[status.state]} {word}", "quiet", SMALL),)
        arrived = (
            self.timeline.seen_gradient(self.position, i)
            if status.state in ("partial", "final")
            else None
        )
        if arrived is None:
            return (Run(GLYPHS[status.state], "quiet", SMALL),)
        number = Run(mark + self.write(arrived), "gradient", size)
        if status.state == "partial":
            return (
                number,
                Run(f" {GLYPHS['partial']} {status.arrived}/{status.expected}", "quiet", SMALL),
            )
        if arrived.size > 1 and all_zero(arrived):
            return (number, Run("  exactly zero", "quiet", SMALL))
        return (number,)

    def flow(self, edge: int) -> str:
        """What the flow along an edge brings, as the figure writes it."""
        return self.once(("flow", edge), lambda: self.write(self.trace.seen_flow(edge)))

    def has_come(self, edge: int) -> bool:
        """Whether the flow along an edge has been sent by now."""
        trace = self.trace
        return self.has_sent(int(trace.edge_consumer[edge]), int(trace.edge_argument[edge]))

    def has_sent(self, i: int, argument: int) -> bool:
        """Whether node i has sent its flow to an argument by now: nodes send in falling order, by argument."""
        step = self.timeline.step(self.position)
        if step.phase != "backward":
            return False
        reached = step.argument if step.argument is not None else argument
        return (-i, argument) <= (-step.node, reached)

    def current(self, i: int) -> bool:
        """Whether the step that led here was made at node i."""
        if not self.stepping:
            return False
        step = self.timeline.step(self.position)
        return step.phase != "start" and step.node == i

    def sending(self, i: int, argument: int) -> bool:
        """Whether that step sent a flow along this use."""
        if not self.current(i):
            return False
        step = self.timeline.step(self.position)
        return step.phase == "backward" and step.argument == argument

    def name_role(self, i: int) -> Role:
        """Blue for parameters, ink for everything else."""
        return "parameter" if self.trace.kind_of[i] == PARAMETER else "ink"

    def tip(self, i: int, reading: Reading) -> str:
        """What a pointer resting on the node reads: its full name, shape, numbers, and the state of its gradient."""
        if not self.tips:
            return ""
        node = self.trace[i]
        value = text_of(reading.value) or "not run yet"
        gradient = text_of(reading.gradient) if reading.state in ("partial", "final") else ""
        lines = [
            f"{self.called(i)} ({node.op_name}, {short.shape(node.shape) if node.shape else 'scalar'})"
        ]
        lines.append(f"value {value}")
        lines.append(
            f"gradient {gradient} ({reading.state})" if gradient else f"gradient {reading.state}"
        )
        if node.scope_text:
            lines.append(f"in {plain(node.scope_text)}")
        return "\n".join(lines)

    def caption(self, states: set[str]) -> tuple[Text, ...]:
        """The lines below a frame: the step just made, and the states that a missing or marked gradient has here."""
        if not self.stepping:
            return ()
        step = self.timeline.step(self.position)
        said = f"step {self.position} of {self.timeline.last}"
        if step.phase == "start":
            said += "   before the first step"
        else:
            node = self.trace[step.node]
            said += f"   {step.phase}: {plain(self.called(step.node), longest=40)}"
            if step.phase == "backward" and step.argument is not None:
                target = node.inputs[step.argument]
                name = self.called(target.index) if isinstance(target, Node) else str(target)
                said += f" → {plain(name, longest=40)}"
                said += f" ({step.number} of {step.count})" if step.count > 1 else ""
        legend = "   ".join(
            f"{GLYPHS[state]} {word}" for state, word in LEGEND.items() if state in states
        )
        return tuple((Run(line, "quiet", 11),) for line in (said, legend) if line)


def scalar_writer(trace: Trace, nodes: Iterable[int]) -> Callable[[Any], str]:
    """How the numbers of a figure of scalars are written: without decimals if no number has any, else with them."""
    numbers: list[float] = []
    for i in nodes:
        gradient = trace.gradient(i)
        numbers += [float(trace.value(i)), *([] if gradient is None else [float(gradient)])]
    if all(number.is_integer() for number in numbers):
        return lambda scalar: (
            one_number(scalar) if np.asarray(scalar).dtype.kind == "b" else whole(scalar)
        )
    return one_number
