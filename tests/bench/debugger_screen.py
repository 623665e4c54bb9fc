"""What the debugger costs on the screen at 120x36, painting included: a step, the tape, the first screen, the drawing.

CPU time of the whole process, whatever thread works. Against a limit in seconds, and against the smallest graph.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time

import numpy as np
from textual.app import App, ComposeResult
from textual.pilot import Pilot

import ops
import tracer as tr
from ops.primitive import NOTHING
from tests.bench.harness import Row, duration, limited
from tracer.backing import References
from tracer.cells.drawing import make
from tracer.folding.folds import GraphLook, fold
from tracer.kinds import KINDS
from tui.app import DebuggerApp
from tui.orders import obey
from tui.recorder.playing import settle
from tui.session import Session
from tui.widgets.tape import TapePane

SIZE = (120, 36)
STEP, TAPE, FIRST, LAYOUT, LARGE_LAYOUT = 0.016, 0.2, 1.0, 0.5, 3.0
"""The most CPU seconds of a step, of opening the tape, of the first screen, of laying out 4,000 and 20,000 boxes."""
AS_MUCH = 2.0
"""A step through a large graph may cost so many times one through a small one."""
PAINTS = 0.02
"""The screen is painted 60 times a second: a step and the painting that it causes fit into so many seconds."""


def stacked(nodes: int) -> tr.Trace:
    """Normalisation, swish and a skip connection, again and again, until there are about so many nodes."""
    rng = np.random.default_rng(0)
    y = tr.tensor(rng.normal(size=(4, 3)), name="x")
    gamma, beta = tr.parameter(np.ones(3), name="gamma"), tr.parameter(np.zeros(3), name="beta")
    for _ in range(max(1, round(nodes / 12))):
        centred = y - tr.mean(y, axis=0)
        std = tr.sqrt(tr.mean(centred * centred, axis=0) + 1e-5)
        z = gamma * (centred / std) + beta
        y = y + z * tr.sigmoid(z)
    return tr.trace(tr.mean(y))


def tape_of(rows: int) -> tr.Trace:
    """A chain of so many negations, made without running them."""
    value = np.float64(1.0)
    numbers, zeros = np.arange(rows), np.zeros(rows, dtype=np.int32)
    return tr.Trace(
        ops=(ops.neg,),
        op_of=np.where(numbers == 0, -1, 0).astype(np.int32),
        kind_of=np.where(numbers == 0, KINDS.index("input"), 0).astype(np.uint8),
        input_start=np.maximum(np.arange(rows + 1) - 1, 0),
        input_of=np.arange(rows - 1),
        literals=(),
        params_of=zeros,
        params=(NOTHING,),
        scope_of=zeros,
        scopes=((),),
        place_of=zeros - 1,
        places=(),
        given_names={0: "x"},
        storage=References([value] * rows, [NOTHING] * rows),
        loss=rows - 1,
        seed=value,
    )


class TapeApp(App[None]):
    """The tape alone."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        """One pane."""
        yield TapePane(id="tape")

    def on_mount(self) -> None:
        """Show where the session stands."""
        self.obey("goto 0")

    def obey(self, line: str) -> None:
        """Move, and show it."""
        obey(self.session, line)
        self.query_one(TapePane).scene = self.session.scene()


async def stepped(
    app: DebuggerApp | TapeApp, pilot: Pilot[None], start: int, steps: int, runs: int
) -> float:
    """CPU seconds of a step from a position on, the median of some runs."""
    costs = []
    for _ in range(runs):
        app.obey(f"goto {start}")
        await settle(pilot)
        before = time.process_time()
        for _ in range(steps):
            app.obey("next")
            await asyncio.sleep(PAINTS)
        costs.append((time.process_time() - before) / steps)
    return statistics.median(costs)


async def on_screen(trace: tr.Trace, steps: int, runs: int) -> tuple[float, float, float]:
    """CPU seconds of the first screen, of a step in the middle of the forward pass, and of the backward pass."""
    before = time.process_time()
    app = DebuggerApp(trace)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0)
        first = time.process_time() - before
        await settle(pilot)
        forward, last = trace.timeline.forward_steps, trace.timeline.last
        starts = (max(0, forward // 2 - steps // 2), (forward + last) // 2 - steps // 2)
        costs = [await stepped(app, pilot, start, steps, runs) for start in starts]
    return first, *costs


async def on_tape(trace: tr.Trace, steps: int, runs: int) -> tuple[float, float]:
    """CPU seconds of opening the tape alone, of a trace whose own columns are there, and of a step along it."""
    session = Session(trace)
    assert trace.labels is not None
    assert trace.timeline.last
    before = time.process_time()
    app = TapeApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0)
        opened = time.process_time() - before
        return opened, await stepped(app, pilot, trace.timeline.forward_steps // 2, steps, runs)


def laid_out(trace: tr.Trace, runs: int) -> float:
    """CPU seconds of laying out a graph, the median of some runs."""
    look = GraphLook()
    folded = fold(trace, look)
    costs = []
    for _ in range(runs):
        gc.collect()
        before = time.process_time()
        make(folded, look)
        costs.append(time.process_time() - before)
    return statistics.median(costs)


def against(case: str, seconds: float, peer: str, least: float) -> Row:
    """The row of a time that may not be much longer than another of ours."""
    note = f"{duration(seconds)} against {duration(least)}"
    return Row(case, peer, seconds / least, AS_MUCH, None, note)


def rows(
    *,
    graphs: tuple[int, ...] = (40, 4_000, 100_000),
    tapes: tuple[int, ...] = (1_000, 1_000_000),
    layouts: tuple[int, ...] = (4_000, 20_000),
    steps: int = 20,
    runs: int = 5,
) -> list[Row]:
    """The whole table, the smallest graph and tape first."""
    found: list[Row] = []
    small: dict[str, float] = {}
    for boxes, limit in zip(layouts, (LAYOUT, LARGE_LAYOUT), strict=True):
        found.append(limited(f"lay out {boxes:,} boxes", laid_out(stacked(boxes), runs), limit))
    for nodes in graphs:
        first, *costs = asyncio.run(on_screen(stacked(nodes), steps, runs))
        found.append(limited(f"first screen, {nodes:,} nodes", first, FIRST))
        for way, cost in zip(("forward", "backward"), costs, strict=True):
            case = f"step {way}, {nodes:,} nodes"
            found.append(limited(case, cost, STEP))
            if way in small:
                found.append(against(case, cost, f"{graphs[0]:,} nodes", small[way]))
            small.setdefault(way, cost)
    for count in tapes:
        opened, cost = asyncio.run(on_tape(tape_of(count), steps, runs))
        found.append(limited(f"open the tape, {count:,} rows", opened, TAPE))
        case = f"step of the tape, {count:,} rows"
        if "tape" in small:
            found.append(against(case, cost, f"{tapes[0]:,} rows", small["tape"]))
        else:
            found.append(limited(case, cost, STEP))
            small["tape"] = cost
    return found
