"""What does not change from frame to frame of a network over time, and what its nodes are called in all of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tracer.diagrams.frames import Part
from tracer.diagrams.names import indexed_name, name_text, plain
from tracer.diagrams.over_time.gate_words import PARAMETER, Called, GateWords, words_of
from tracer.diagrams.over_time.grid import Grid
from tracer.diagrams.over_time.lanes import grids_of
from tracer.diagrams.over_time.timesteps import Block, RowKey, TimeAxis, time_axis
from tracer.diagrams.picture import Run, Text
from tracer.errors import GradstepError
from tracer.formulas import value_symbol
from tracer.nodes import Node
from tracer.symbols import Style, Symbol, write

LONGEST = 34
"""Letters that the formula of a node may have where it stands for its name."""
UNKNOWN = "…"
"""What has no name that the reader could find in the figure."""
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class OverTime:
    """A part along its time axis; called with the number of a node it gives the name that the figure gives it."""

    part: Part
    kept: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was worked out for one frame and serves all others."""

    @cached_property
    def axis(self) -> TimeAxis:
        """The time axis of the part."""
        return time_axis(self.part)

    @cached_property
    def grids(self) -> Mapping[int, Grid]:
        """Loop to its grid."""
        return grids_of(self.axis)

    @cached_property
    def blocks(self) -> Mapping[int, Block]:
        """Root to block."""
        return {block.root: block for block in self.axis.blocks}

    @cached_property
    def aliases(self) -> Mapping[RowKey, str]:
        """For each state the name of the value ahead of the first step without its number: `h` after `h0`."""
        names = self.part.trace.names
        return {
            row: names[start].rstrip("0123456789_")
            for grid in self.grids.values()
            for start, row in grid.starts.items()
        }

    @cached_property
    def _starts(self) -> Mapping[int, RowKey]:
        return {node: row for grid in self.grids.values() for node, row in grid.starts.items()}

    @cached_property
    def _row_names(self) -> Mapping[RowKey, str]:
        names = self.part.trace.names
        return {b.row: names[b.root] or self.aliases.get(b.row, "") for b in self.axis.blocks}

    def real(self, i: int) -> int:
        """The node of the trace that a number stands for; a figure may have numbers of its own."""
        return i

    def key(self, i: int) -> str:
        """The key of the shape that shows the value of node i."""
        return f"n{i}"

    def title(self, i: int) -> tuple[str, str]:
        """The name of node i, of a state without one that of its start, and its step where the name repeats."""
        trace, block = self.part.trace, self.blocks.get(i)
        name = trace.names[i] or ("" if block is None else self.aliases.get(block.row, ""))
        if i in self._starts or trace.labels[i] == name:
            return name, ""
        time = self.axis.given.get(i, -1) if block is None else block.time
        return name, self.axis.indices[time] if 0 <= time < self.axis.after else ""

    def __call__(self, i: int) -> str:
        """`h₂`; what is folded into a gate by its formula, `W @ h₁`; the loss without a name is L."""
        trace = self.part.trace
        name, index = self.title(i)
        if name:
            return written(indexed_name(name, index) if index else name_text(name))
        if i == trace.loss:
            return "L"
        if trace.op_of[i] < 0:
            return plain(trace.labels[i])
        try:
            found = [plain(write(self._made(trace[i], depth), Style())) for depth in (0, 1, 2)]
        except GradstepError:
            return plain(trace.labels[i])
        return next((words for words in reversed(found) if len(words) <= LONGEST), found[0])

    def _made(self, node: Node, depth: int) -> Symbol:
        """How a node is made of what has a name, so many operations deep; what lies deeper is not told."""

        def naming(source: Node) -> Symbol:
            if self.title(source.index)[0]:
                text = self(source.index)
            elif depth and source.op is not None:
                return self._made(source, depth - 1)
            else:
                text = UNKNOWN
            return Symbol(source.form, text, text)

        return value_symbol(node, naming)

    def words(self, block: Block) -> GateWords:
        """What the gate of a block says; blocks of one row that do the same say the same."""
        key = self._likeness(block)
        found: GateWords | None = self.kept.get(key)
        if found is None:
            found = words_of(self.part.trace, block, lambda i: self._called(block, i))
            self.kept[key] = found
        return found

    def _likeness(self, block: Block) -> Hashable:
        trace = self.part.trace
        inside = {i: k for k, i in enumerate(block.members)}
        done = tuple(
            (
                int(trace.op_of[i]),
                int(trace.params_of[i]),
                tuple(
                    inside[j]
                    if j in inside
                    else self._called(block, j)
                    if j >= 0
                    else (trace.literals[-1 - j],)
                    for j in trace.inputs_of(i)
                ),
            )
            for i in block.members[:20]
        )
        return "words", block.row, len(block.members), str(done)

    def _called(self, block: Block, i: int) -> Called:
        """What a block calls an input."""
        axis, source = self.axis, self.blocks.get(i)
        inside = block.time < axis.after
        start = self._starts.get(i)
        if source is None and start is not None and inside:
            ago = -1 if self.grids[start[0]].rows[start].backwards else 1
            return Called(self._row_names.get(start) or UNKNOWN, ago)
        name, index = self.title(i)
        if not name:
            return Called(UNKNOWN)
        if source is not None and inside and source.row[0] == block.row[0]:
            return Called(name, block.time - source.time)
        lasts = self.part.trace.kind_of[i] == PARAMETER  # also where only one step uses it
        if source is None and inside and axis.given.get(i) == block.time and not lasts:
            return Called(name.rstrip("0123456789_") or name, 0)
        return Called(name, None, index)

    def formulas(self) -> list[Text]:
        """For each row whose gates do not say what they compute: `h = tanh(W @ x + U @ h)`, with steps as indices."""
        lasting = {  # the first steps may read something else: an encoder's last state, a start
            block.row: block
            for block in self.axis.blocks
            if block.time < self.axis.after and block.owns_gate and self._row_names[block.row]
        }
        said = {row: self.words(block).formula for row, block in lasting.items()}
        return [
            (*indexed_name(self._row_names[row], "t", size=11), Run(" = ", size=11), *formula)
            for row, formula in said.items()
            if formula
        ]


def written(name: Text) -> str:
    """A name as bare characters: digits below the line as such, other subscripts after an underscore.

    >>> written(indexed_name("h", "12")), written(name_text("w_h"))
    ('h₁₂', 'w_h')
    """
    return "".join(
        (run.text.translate(_LOWERED) if run.text.isdecimal() else f"_{run.text}")
        if run.lowered
        else run.text
        for run in name
    )
