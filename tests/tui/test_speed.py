"""A step costs what it costs on a small trace, whatever the length of the trace."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.bench.debugger_screen import tape_of
from tests.tui.conftest import chain
from tests.tui.networks import unrolled
from tracer.cells import boxes
from tracer.cells.canvas import Window
from tracer.cells.drawing import draw, known, make
from tracer.cells.figures import Figures
from tracer.folding.folds import GraphLook, fold
from tui.ink import text_of
from tui.views import tape
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


@pytest.mark.slow
def test_a_step_on_any_graph_costs_what_it_costs_on_a_small_one(at_desk, long_chain):
    """Laid out whole, folded over 100 and 20,000 time steps, and drawn by stretches: each at 120 x 36.

    What grows with the graph would cost a hundred times as much; `gradstep bench tui` holds it to twice and 16 ms.
    """
    costs = {}
    for name, trace in (
        ("40", chain(40)),
        ("4,000", chain(4000)),
        ("100,000", long_chain),
        ("time steps", unrolled(100)),
        ("100,000 in time steps", unrolled(20_000, size=1)),
    ):
        forward, last = trace.timeline.forward_steps, trace.timeline.last
        starts = (max(1, forward // 2 - STEPS), forward + (last - forward) // 2 - STEPS)
        costs[name] = max(cpu_of_steps(at_desk, trace, *starts))
    print({name: f"{1000 * cost:.1f} ms" for name, cost in costs.items()})
    assert max(costs.values()) < 4 * costs["40"]


def test_a_picture_of_4000_boxes_costs_what_one_of_40_costs():
    def cost(trace):
        figures = Figures(trace)
        middle = trace.timeline.forward_steps // 2
        scenes = [Scene(trace, p, 0, figures) for p in range(middle, middle + 10)]
        look = GraphLook()
        folded = fold(trace, look)
        drawing = known(folded, look) or make(folded, look)
        box = drawing.layout.boxes[drawing.place(scenes[5].current)]
        window = Window(box.x - 60, 0, 118, 14)
        boxes.picture(scenes[0], drawing, window)
        return least(lambda: [boxes.picture(scene, drawing, window) for scene in scenes])

    assert cost(chain(4000)) < 2 * cost(chain(40))


def least(work):
    """CPU seconds of the quickest of seven runs."""
    times = []
    for _ in range(7):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


@pytest.mark.slow
def test_a_row_of_a_million_costs_what_a_row_of_a_hundred_costs(short_chain):
    trace = tape_of(1_000_000)
    long = Scene(trace, 500_000, 500_000, Figures(trace))
    short = Scene(short_chain, 50, 50, Figures(short_chain))
    assert len(text_of(tape.row(long, 0, 40))) == 40  # names and labels, once
    rows = least(lambda: [tape.row(long, node, 40) for node in range(499_900, 500_000)])
    assert rows < 2.5 * least(lambda: [tape.row(short, node, 40) for node in range(100)])
    assert draw(trace, GraphLook(), 500_000).place(500_000) is not None
