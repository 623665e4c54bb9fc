"""A step costs what it costs on a small trace, whatever the length of the trace."""

from __future__ import annotations

import pytest

from tests.bench.debugger_screen import tape_of
from tests.effort import Effort, effort
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

STEPS = 5


def effort_of_steps(at_desk, trace, *starts):
    """What some steps in the debugger cost, from each of some positions on, until all of them are on the screen."""
    costs = []

    async def script(desk):
        await desk.look()
        for start in starts:
            desk.app.session.goto(start)
            desk.app.show()
            await desk.look()
            with Effort() as spent:
                for _ in range(STEPS):
                    desk.app.obey("next")
                    await desk.look()
            costs.append(spent.count)

    at_desk(trace, script)
    return costs


@pytest.mark.slow
def test_a_step_through_100000_nodes_costs_what_it_costs_through_100(
    at_desk, long_chain, short_chain
):
    short = effort_of_steps(at_desk, short_chain, 40, short_chain.timeline.forward_steps + 40)
    forward = long_chain.timeline.forward_steps
    long = effort_of_steps(at_desk, long_chain, 50_000, forward + 100_000)
    for one, other in zip(long, short, strict=True):
        assert one < 2 * other


@pytest.mark.slow
def test_a_step_on_any_graph_costs_what_it_costs_on_a_small_one(at_desk, long_chain):
    """Laid out whole, folded over 100 and 20,000 time steps, and drawn by stretches: each at 120 x 36.

    What grows with the graph would cost a hundred times as much; `gradstep bench tui` holds it to 16 ms.
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
        costs[name] = max(effort_of_steps(at_desk, trace, *starts))
    assert max(costs.values()) < 3 * costs["40"], costs


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
        return effort(lambda: [boxes.picture(scene, drawing, window) for scene in scenes])

    assert cost(chain(4000)) < 1.5 * cost(chain(40))


@pytest.mark.slow
def test_a_row_of_a_million_costs_what_a_row_of_a_hundred_costs(short_chain):
    trace = tape_of(1_000_000)
    long = Scene(trace, 500_000, 500_000, Figures(trace))
    short = Scene(short_chain, 50, 50, Figures(short_chain))
    assert len(text_of(tape.row(long, 0, 40))) == 40  # names and labels, once
    rows = effort(lambda: [tape.row(long, node, 40) for node in range(499_900, 500_000)])
    assert rows < 1.5 * effort(lambda: [tape.row(short, node, 40) for node in range(100)])
    assert draw(trace, GraphLook(), 500_000).place(500_000) is not None
