"""What the steps of a loop have in common: the rows of one pane, the values that later steps read, and the rest."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tracer.diagrams.moments import Moment
from tracer.diagrams.names import plain
from tracer.diagrams.over_time.grid import Grid, grid_of, loops_of
from tracer.diagrams.over_time.lanes import with_lanes
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.timesteps import Block, RowKey, TimeAxis

OFTEN = 4
"""What so many steps do stands in the pane, even if most steps do not."""
MOST_RETURNS = 2
"""A value that is read again so many times after different numbers of steps has a line for each, not for more."""


@dataclass(frozen=True)
class Return:
    """A value that a later step reads: the edge that closes a cycle in the rolled graph."""

    row: RowKey
    ago: int
    """How many steps ago the value was made; negative in a loop whose index falls."""


@dataclass(frozen=True)
class Roll:
    """Time steps laid upon each other."""

    over: OverTime

    @property
    def axis(self) -> TimeAxis:
        """The time axis of all steps."""
        return self.over.axis

    @cached_property
    def times(self) -> Mapping[int, range]:
        """Loop to its steps."""
        found: dict[int, list[int]] = defaultdict(list)
        for time, loop in enumerate(self.axis.loops):
            found[loop].append(time)
        return {loop: range(times[0], times[-1] + 1) for loop, times in found.items()}

    @cached_property
    def runs(self) -> Mapping[RowKey, Mapping[int, Block]]:
        """For each row of the pane its blocks by step."""
        found: dict[RowKey, dict[int, Block]] = defaultdict(dict)
        for block in self.axis.blocks:
            if block.time < self.axis.after:
                found[block.row][block.time] = block
        return {
            row: blocks for row, blocks in found.items() if self._is_common(row[0], len(blocks))
        }

    def _is_common(self, loop: int, count: int) -> bool:
        steps = len(self.times[loop])
        return count >= min(OFTEN, steps) or (count > 1 and 2 * count >= steps)

    @cached_property
    def seldom(self) -> tuple[Block, ...]:
        """The blocks of few steps that only lead out of the loop: they stand behind the pane."""
        found: dict[int, Block] = {}
        read_within: set[int] = set()
        for block in reversed(self.axis.blocks):
            if block.time == self.axis.after:
                continue
            if block.row in self.runs or block.root in read_within:
                read_within |= {slot.source for slot in block.slots}
            else:
                found[block.root] = block
        return tuple(reversed(found.values()))

    @cached_property
    def left_out(self) -> tuple[Block, ...]:
        """The blocks of few steps on which the loop goes on: one pane cannot show them."""
        behind = {block.root for block in self.seldom}
        return tuple(
            block
            for block in self.axis.blocks
            if block.time < self.axis.after
            and block.row not in self.runs
            and block.root not in behind
        )

    @cached_property
    def spans(self) -> Mapping[RowKey, tuple[int, ...]]:
        """For each row after how many steps later ones read it, the nearest first."""
        spans: dict[RowKey, set[int]] = {row: set() for row in self.runs}
        for block in (block for blocks in self.runs.values() for block in blocks.values()):
            for slot in block.slots:
                source = self.over.blocks.get(slot.source)
                if self._is_back(block, source):
                    assert source is not None
                    spans[source.row].add(block.time - source.time)
        return {
            row: tuple(sorted(found, key=lambda ago: (abs(ago), ago)))
            for row, found in spans.items()
        }

    @cached_property
    def returns(self) -> tuple[Return, ...]:
        """The recurrent edges, in the order of the rows; of a value that is read after many spans the shortest ones."""
        return tuple(
            Return(row, ago) for row, found in self.spans.items() for ago in found[:MOST_RETURNS]
        )

    def _is_back(self, block: Block, source: Block | None) -> bool:
        return (
            source is not None
            and source.row[0] == block.row[0]
            and source.time != block.time
            and source.row in self.runs
        )

    @cached_property
    def usual(self) -> Mapping[tuple[RowKey, int], int]:
        """For an input of a row, by its place, the number of the return that most steps read there."""
        votes: dict[tuple[RowKey, int], Counter[int]] = defaultdict(Counter)
        for row, blocks in self.runs.items():
            for block in blocks.values():
                for place, slot in enumerate(block.slots):
                    number = self.return_of(block, self.over.blocks.get(slot.source))
                    if number is not None:
                        votes[row, place][number] += 1
        return {key: found.most_common(1)[0][0] for key, found in votes.items()}

    def return_of(self, block: Block, source: Block | None) -> int | None:
        """The number of the return by which a block reads a value of another step, the nearest of that value."""
        if not self._is_back(block, source):
            return None
        assert source is not None
        ago = block.time - source.time
        able = [k for k, each in enumerate(self.returns) if each.row == source.row]
        return min(able, key=lambda k: abs(self.returns[k].ago - ago), default=None)

    def number_of(self, block: Block, place: int) -> int | None:
        """The number of the return by which a block of the pane gets an input; a first step gets its start so."""
        source = self.over.blocks.get(block.slots[place].source)
        found = self.return_of(block, source)
        if found is not None or (source is not None and source.time == block.time):
            return found
        blocks = self.runs[block.row]
        alike = len(block.slots) == len(blocks[max(blocks)].slots)
        return self.usual.get((block.row, place)) if alike else None

    @cached_property
    def starts(self) -> Mapping[int, Mapping[int, int]]:
        """For each return what the first steps read in its place: nodes, and the first step that reads each."""
        found: dict[int, dict[int, int]] = {k: {} for k in range(len(self.returns))}
        for blocks in self.runs.values():
            for time, block in sorted(blocks.items()):
                for place, slot in enumerate(block.slots):
                    number = self.number_of(block, place)
                    if number is not None and not self._is_back(
                        block, self.over.blocks.get(slot.source)
                    ):
                        found[number].setdefault(slot.source, time)
        return found

    @cached_property
    def readers(self) -> Mapping[tuple[int, int], tuple[tuple[int, int], ...]]:
        """For a return and a node, which later blocks read it by that, and the edges along which they do."""
        found: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for blocks in self.runs.values():
            for block in blocks.values():
                for place, slot in enumerate(block.slots):
                    number = self.number_of(block, place)
                    if number is not None:
                        found[number, slot.source].append((block.root, slot.edge))
        return {key: tuple(pairs) for key, pairs in found.items()}

    @cached_property
    def grids(self) -> Mapping[int, Grid]:
        """Loop to the grid of its pane."""
        found = {}
        for loop in loops_of(self.axis):
            inside = [block for block in loop.inside if block.row in self.runs]
            own = {root: each for root, each in loop.blocks.items() if each.row in self.runs}
            loop = replace(loop, inside=inside, blocks=own)
            grid = grid_of(loop)
            first: dict[RowKey, int] = {}
            leaves, taken = dict(grid.leaves), set(grid.taken)
            for number, each in enumerate(self.returns):
                if each.row in grid.rows and first.setdefault(each.row, number) != number:
                    column = (
                        grid.columns.start - 1
                    )  # a value of two steps ago, below that of the last
                    band = next(b for b in range(1, len(taken) + 2) if (column, b) not in taken)
                    leaves[self.input_number(number)] = column, band
                    taken.add((column, band))
            grid = replace(grid, leaves=leaves, taken=frozenset(taken))
            found[loop.number] = with_lanes(loop, grid)
        return found

    @staticmethod
    def input_number(number: int) -> int:
        """By what number, which no node has, the pane calls the value that comes back along a return."""
        return -2 - number

    @cached_property
    def _nodes(self) -> Mapping[int, tuple[list[int], list[int]]]:
        """Loop to its nodes in order and the step of each."""
        found: dict[int, tuple[list[int], list[int]]] = {loop: ([], []) for loop in self.times}
        for node, time in sorted(self.axis.time_of.items()):
            if 0 <= time < self.axis.after:
                nodes, times = found[self.axis.loops[time]]
                nodes.append(node)
                times.append(time)
        return found

    def shown(self, moment: Moment) -> dict[int, int]:
        """For each loop the step whose numbers are shown: where the walk is, or was last; else the last but one."""
        if not moment.stepping:
            return self.typical
        step = moment.timeline.step(moment.position)
        found: dict[int, int] = {}
        for loop, (nodes, times) in self._nodes.items():
            if step.phase == "backward":
                place = min(bisect_left(nodes, step.node), len(nodes) - 1)
            else:
                place = -1 if step.phase == "start" else bisect_right(nodes, step.node) - 1
            found[loop] = times[max(place, 0)]
        return found

    @cached_property
    def typical(self) -> dict[int, int]:
        """For each loop the last step but one: it reads a step and is read by one."""
        return {loop: times[max(len(times) - 2, 0)] for loop, times in self.times.items()}

    def block(self, row: RowKey, time: int) -> Block:
        """The block of a row in a step; of a row that this step lacks that of the nearest one."""
        blocks = self.runs[row]
        return blocks[time if time in blocks else min(blocks, key=lambda each: abs(each - time))]

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """Where steps differ from the pane."""
        lines = []
        apart: dict[tuple[int, bool], list[str]] = defaultdict(list)
        for blocks, shown in ((self.seldom, True), (self.left_out, False)):
            for block in blocks:
                name = self.over.title(block.root)[0] or "an unnamed value"
                apart[block.time, shown].append(plain(name, longest=20))
        for (time, shown), names in sorted(apart.items()):
            where = plain(self.axis.labels[time], longest=24)
            what = ", ".join(dict.fromkeys(names))
            lines.append(
                f"only {where} has {what}, drawn behind the loop"
                if shown
                else f"only {where} has {what}, not drawn"
            )
        for row, spans in self.spans.items():
            if spans[MOST_RETURNS:]:
                name = self._name(self.runs[row])
                lines.append(
                    f"{name} is also read after {abs(spans[MOST_RETURNS])} steps or more: not drawn"
                )
        for row, found in self.runs.items():
            steps = len(self.times[row[0]])
            if len(found) < steps:
                lines.append(f"{len(found)} of {steps} time steps have {self._name(found)}")
        return tuple(lines)

    def _name(self, blocks: Mapping[int, Block]) -> str:
        name = self.over.title(next(iter(blocks.values())).root)[0]
        return plain(name or "an unnamed value", longest=20)
