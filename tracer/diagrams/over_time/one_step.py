"""One step of each loop as a network over time of its own: what other steps made comes into it from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from tracer.diagrams.names import indexed_name, plain
from tracer.diagrams.over_time.gate_words import GateWords
from tracer.diagrams.over_time.grid import Cell, Grid
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.rolling import Roll
from tracer.diagrams.over_time.timesteps import Block, RowKey, Slot, TimeAxis
from tracer.diagrams.picture import Run, Text


@dataclass(frozen=True)
class OneStep(OverTime):
    """The shown step of each loop, with names that hold for all steps: `a` with the subscript t."""

    roll: Roll = field(kw_only=True)
    times: Mapping[int, int] = field(kw_only=True)
    """Loop to its shown step."""

    @cached_property
    def rows(self) -> Mapping[RowKey, Block]:
        """Row to its block of the shown step, as recorded."""
        return {row: self.roll.block(row, self.times[row[0]]) for row in self.roll.runs}

    @cached_property
    def axis(self) -> TimeAxis:
        """A time axis of one step for each loop, and what follows them."""
        full, number = self.roll.axis, {loop: k for k, loop in enumerate(self.roll.times)}
        after = len(number)
        blocks = [
            replace(block, time=number[row[0]], slots=self._slots(block, inside=True))
            for row, block in self._with_one_gate().items()
        ]
        last = [block for block in full.blocks if block.time == full.after]
        blocks += [
            replace(block, time=after, slots=self._slots(block, inside=False))
            for block in (*self.roll.seldom, *last)
        ]
        roots = {block.root for block in blocks}
        read = {slot.source: block.time for block in blocks for slot in block.slots}
        shared = frozenset(full.shared)
        given = {
            j: time for j, time in read.items() if j >= 0 and j not in shared and j not in roots
        }
        return TimeAxis(
            tuple(self._label(loop) for loop in number),
            tuple("t" for _ in number),
            tuple(number),
            {},
            given,
            tuple(blocks),
            full.shared,
        )

    def _with_one_gate(self) -> Mapping[RowKey, Block]:
        """The rows, where the results of one cell come from several steps, as results of the shown one."""
        owners: dict[tuple[int, Cell], Block] = {}
        for row, block in self.rows.items():
            key = row[0], self.roll.grids[row[0]].rows[row].gate
            now = block.time == self.times[row[0]]
            if block.owns_gate and (now or key not in owners):
                owners[key] = block
        found = {}
        for row, block in self.rows.items():
            owner = owners.get((row[0], self.roll.grids[row[0]].rows[row].gate), block)
            mine = owner is block
            found[row] = block if mine else replace(block, members=(), slots=(), gate=owner.gate)
        return found

    def _label(self, loop: int) -> str:
        """`t = 3 of 1 … 8`."""
        full, times = self.roll.axis, self.roll.times[loop]
        name = plain(full.labels[self.times[loop]], longest=24)
        return f"{name} of {full.indices[times[0]]} … {full.indices[times[-1]]}"

    def _slots(self, block: Block, *, inside: bool) -> tuple[Slot, ...]:
        """What a block reads, with the shown step's values in place of other steps', and what comes back as such."""
        found = []
        behind = {each.root for each in self.roll.seldom}
        for place, slot in enumerate(block.slots):
            source = self.roll.over.blocks.get(slot.source)
            number = self.roll.number_of(block, place) if inside else None
            if number is not None:
                found.append(replace(slot, source=self.roll.input_number(number)))
            elif source is None:
                if not inside or self._has_place(block, slot.source):
                    found.append(slot)
            elif source.row in self.rows:
                found.append(replace(slot, source=self.rows[source.row].root))
            elif not inside and (source.root in behind or source.time == self.roll.axis.after):
                found.append(slot)
        return tuple(found)

    def _has_place(self, block: Block, leaf: int) -> bool:
        return leaf in self.roll.axis.shared or leaf in self.roll.grids[block.row[0]].leaves

    @cached_property
    def grids(self) -> Mapping[int, Grid]:
        """The grids of the loops with the leaves of the shown steps."""
        first: dict[RowKey, int] = {}
        for number, each in enumerate(self.roll.returns):
            first.setdefault(each.row, self.roll.input_number(number))
        return {
            loop: replace(
                grid,
                leaves={
                    leaf: cell
                    for leaf, cell in grid.leaves.items()
                    if leaf in self.axis.given or leaf < 0
                },
                starts={number: row for row, number in first.items() if row[0] == loop},
            )
            for loop, grid in self.roll.grids.items()
        }

    @cached_property
    def inputs(self) -> Mapping[int, int]:
        """For each return the node that the shown step reads."""
        found: dict[int, int] = {}
        for block in self.rows.values():
            for place, slot in enumerate(block.slots):
                number = self.roll.number_of(block, place)
                if number is not None:
                    found.setdefault(number, slot.source)
        return found

    @cached_property
    def aliases(self) -> Mapping[RowKey, str]:
        """As the whole network calls states without names."""
        return self.roll.over.aliases

    def real(self, i: int) -> int:
        """What comes back along a return is in each step another node."""
        return i if i >= 0 else self.inputs.get(-2 - i, i)

    def key(self, i: int) -> str:
        """What comes back along a return is a shape of its own."""
        return super().key(i) if i >= 0 else f"back{-2 - i}"

    def title(self, i: int) -> tuple[str, str]:
        """A name with the subscript t; what only one step has keeps its own."""
        over = self.roll.over
        if i < 0:
            back = self.roll.returns[-2 - i]
            name = over.title(self.rows[back.row].root)[0]
            return name, f"t−{back.ago}" if back.ago > 0 else f"t+{-back.ago}"
        name, index = over.title(i)
        block, time = over.blocks.get(i), self.axis.given.get(i, self.axis.after)
        if block is not None and block.row in self.rows:
            usual = block.time == self.times[block.row[0]]
            return name, "t" if usual and name else index
        if block is None and time < self.axis.after:
            own = self.roll.axis.indices[self.times[self.axis.loops[time]]]
            stem = name.removesuffix(own).removesuffix("_") if own.isdigit() else name
            return (stem, "t") if index or (stem and stem != name) else (name, "")
        return name, index

    def words(self, block: Block) -> GateWords:
        """What the gate of a block says in the whole network."""
        return self.roll.over.words(self.roll.over.blocks[block.root])

    def formulas(self) -> list[Text]:
        """Also those of what only one step has, with that step: `yhat = σ(wya · a)`, at t = 3."""
        found = super().formulas()
        for block in self.roll.seldom:
            name, index = self.title(block.root)
            formula = self.words(block).formula
            if name and formula:
                where = Run(f"  at {plain(self.roll.axis.labels[block.time], longest=24)}", size=11)
                made = indexed_name(name, index, size=11)
                found.append((*made, Run(" = ", size=11), *formula, where))
        return found
