"""A step costs what it costs on a small trace, whatever the length of the trace."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

import ops
from ops.primitive import NOTHING
from tracer.backing import References
from tracer.kinds import KINDS
from tracer.traces import Trace
from tui.drawing import draw
from tui.ink import text_of
from tui.views import tape
from tui.views.figures import Figures
from tui.views.scene import Scene

STEPS = 20


def cpu_of_steps(at_desk, trace, *starts):
    """Seconds of CPU per step in the debugger, painting included, from some positions on.

    Of each the least of three runs.
    """
    costs = []

    async def script(desk):
        await desk.look()
        for start in starts:
            runs = []
            for _ in range(3):
                desk.app.session.goto(start)
                desk.app.show()
                await asyncio.sleep(0.1)
                before = time.process_time()
                for _ in range(STEPS):
                    desk.app.obey("next")
                    await asyncio.sleep(0.02)  # the screen is painted 60 times a second
                runs.append((time.process_time() - before) / STEPS)
            costs.append(min(runs))

    at_desk(trace, script)
    return costs


@pytest.mark.slow
def test_a_step_through_100000_nodes_costs_what_it_costs_through_100(
    at_desk, long_chain, short_chain
):
    short = cpu_of_steps(at_desk, short_chain, 40, short_chain.timeline.forward_steps + 40)
    forward = long_chain.timeline.forward_steps
    long = cpu_of_steps(at_desk, long_chain, 50_000, forward + 100_000)
    print("ms per step, forward and backward:", [f"{1000 * cost:.1f}" for cost in (*short, *long)])
    for one, other in zip(long, short, strict=True):
        assert one < 2.5 * other


def million() -> Trace:
    """A chain of a million negations, made without running them."""
    count = 1_000_000
    value = np.float64(1.0)
    zeros = np.zeros(count, dtype=np.int32)
    return Trace(
        ops=(ops.neg,),
        op_of=np.where(np.arange(count) == 0, -1, 0).astype(np.int32),
        kind_of=np.where(np.arange(count) == 0, KINDS.index("input"), 0).astype(np.uint8),
        input_start=np.maximum(np.arange(count + 1) - 1, 0),
        input_of=np.arange(count - 1),
        literals=(),
        params_of=zeros,
        params=(NOTHING,),
        scope_of=zeros,
        scopes=((),),
        place_of=zeros - 1,
        places=(),
        given_names={0: "x"},
        storage=References([value] * count, [NOTHING] * count),
        loss=count - 1,
        seed=value,
    )


def least(work):
    """CPU seconds of the quickest of seven runs."""
    times = []
    for _ in range(7):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


def test_a_row_of_a_million_costs_what_a_row_of_a_hundred_costs(short_chain):
    trace = million()
    long = Scene(trace, 500_000, 500_000, Figures(trace))
    short = Scene(short_chain, 50, 50, Figures(short_chain))
    assert len(text_of(tape.row(long, 0, 40))) == 40  # names and labels, once
    rows = least(lambda: [tape.row(long, node, 40) for node in range(499_900, 500_000)])
    assert rows < 2.5 * least(lambda: [tape.row(short, node, 40) for node in range(100)])
    assert 500_000 in draw(trace, 500_000).place
