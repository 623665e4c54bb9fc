"""What a person sees and does in the graph pane: keys, mouse, folding, large graphs."""

from __future__ import annotations

import asyncio
import time
from textwrap import dedent

import pytest
from textual import events

from tests.tui.networks import layers_of_scalars, unrolled, wide
from tracer.diagrams.writers.plain_text import text_drawing
from tracer.layered.layers import GivenUpError
from tui.widgets import graph
from tui.widgets.graph import GraphPane


def pane_of(desk) -> GraphPane:
    return desk.app.query_one(GraphPane)


def graph_of(screen: str) -> str:
    """The lines of the graph pane."""
    lines = screen.splitlines()
    first = next(n for n, line in enumerate(lines) if "╭─ graph" in line)
    last = next(n for n, line in enumerate(lines[first:], first) if line.startswith("╰"))
    return "\n".join(lines[first : last + 1])


def offset_of(pane: GraphPane, node: int) -> tuple[int, int]:
    """A cell inside the box of a node, counted from the corner of the pane's border."""
    assert pane.drawing is not None
    place = pane.drawing.place(node)
    assert place is not None
    box, window = pane.drawing.layout.boxes[place], pane.window
    return box.x - window.x + 3, box.y - window.y + 2 + pane.heading


def test_scopes_open_and_close_under_the_keys(at_desk):
    trace = layers_of_scalars(8, 8, 1)

    async def script(desk):
        folded = graph_of(await desk.look())
        assert "layer0 tanh" in folded
        assert "╮╮" in folded
        assert f"7 boxes of {len(trace)} nodes" in folded
        inside = graph_of(await desk.press("n"))
        assert "╔ layer0 tanh" in inside  # the box is current while one steps inside it
        assert "1/" in inside
        opened = graph_of(await desk.press("i"))
        assert "neuron0 tanh" in opened
        drawing = pane_of(desk).drawing
        folded_now = [drawing.folded.name(b) for b in drawing.boxes if drawing.folded.is_folded(b)]
        assert folded_now == [*(f"neuron{n}" for n in range(8)), "layer1", "layer2"]
        assert f"of {len(trace)} nodes" in graph_of(await desk.press("I", "I"))
        assert "╔ layer0 tanh" in graph_of(await desk.look())

    at_desk(trace, script)


def test_time_steps_stand_under_headings_and_unfold_as_one_steps_into_them(at_desk):
    trace = unrolled(30)

    async def script(desk):
        first = graph_of(await desk.look()).splitlines()
        assert "t=0" in first[1]
        for _ in range(3):
            last = graph_of(await desk.press("l", "l", "l", "l", "l", "l"))
        desk.app.obey("select h#15")
        last = graph_of(await desk.look())
        assert "t=14" in last.splitlines()[1]
        assert "[h#15 tanh]" in last
        await desk.press("greater_than_sign")
        assert pane_of(desk).drawing.folded.until.max() < 0
        await desk.press("less_than_sign")
        assert pane_of(desk).drawing.folded.until.max() >= 0

    at_desk(trace, script)


def shown_in(desk) -> str:
    """What the pane shows, without its frame and the blanks around the drawing."""
    lines = [line[1:-1].rstrip() for line in graph_of(desk.screen()).splitlines()[1:-1]]
    return dedent("\n".join(filter(None, lines)))


@pytest.mark.parametrize("down", [False, True], ids=["right", "down"])
def test_the_text_figure_is_what_the_pane_shows(circuit, at_desk, down):
    async def script(desk):
        desk.app.obey("focus graph")
        desk.app.obey("zoom")
        if down:
            await desk.press("vertical_line")
        for position in range(1, circuit.timeline.last + 1):
            desk.app.obey(f"goto {position}")
            await desk.look()
            figure = text_drawing(circuit, position=position, width=44 if down else None)
            assert figure.split("\n\nstep")[0] == shown_in(desk)

    at_desk(circuit, script)


def test_the_text_figure_folds_the_time_steps_that_the_pane_folds(at_desk):
    trace = unrolled(8, size=1)

    async def script(desk):
        desk.app.obey("focus graph")
        desk.app.obey("zoom")
        desk.app.obey("goto 3")
        await desk.look()
        assert text_drawing(trace, position=3).split("\n\nstep")[0] == shown_in(desk)

    at_desk(trace, script, size=(300, 40))


def test_detail_and_orientation_keys_change_what_the_boxes_say(circuit, at_desk):
    async def script(desk):
        desk.app.obey("goto 2")
        assert "╔ f mul" in graph_of(await desk.look())
        names = graph_of(await desk.press("minus"))
        assert "║ f" in names
        assert "−12" not in names
        dots = graph_of(await desk.press("minus"))
        assert "■" in dots
        assert "□" in dots
        assert "−12" in graph_of(await desk.press("plus", "plus"))
        down = graph_of(await desk.press("vertical_line"))
        assert "▼" in down
        assert "▶" not in down

    at_desk(circuit, script)


def test_the_drawing_stays_where_it_is_while_the_current_box_is_in_sight(batch_norm, at_desk):
    async def script(desk):
        pane = pane_of(desk)
        moved = 0
        await desk.look()
        for _ in range(batch_norm.timeline.last):
            before = pane.window
            await desk.press("s")
            box = pane.drawing.layout.boxes[pane.drawing.place(desk.app.session.selected)]
            was_in_sight = (
                before.x < box.x
                and box.x + box.width < before.x + before.width
                and before.y <= box.y
                and box.y + box.height <= before.y + before.height
            )
            if was_in_sight:
                assert pane.window == before
            else:
                moved += 1
                assert pane.window != before
        assert 0 < moved < 15

    at_desk(batch_norm, script, size=(100, 30))


def test_the_wheel_moves_a_drawing_that_fits_from_top_to_bottom_sideways(at_desk, short_chain):
    async def script(desk):
        pane = desk.app.query_one(GraphPane)
        await desk.look()
        assert not pane.max_scroll_y
        x = pane.scroll_offset.x
        await desk.pilot._post_mouse_events([events.MouseScrollDown], "#graph", (20, 6))
        await desk.look()
        assert pane.scroll_offset.x > x

    at_desk(short_chain, script)


def test_the_wheel_scrolls_and_a_drag_moves_the_drawing(at_desk):
    trace = layers_of_scalars(4, 4, 1)

    async def script(desk):
        desk.app.obey("unfold all")
        await desk.look()
        pane = pane_of(desk)
        pane.scroll_to(40, 40, animate=False)
        await desk.look()
        x, y = pane.scroll_offset
        await desk.pilot._post_mouse_events([events.MouseScrollDown], "#graph", (20, 6))
        await desk.look()
        assert pane.scroll_offset.y > y
        x, y = pane.scroll_offset
        selected = desk.app.session.selected
        await desk.pilot.mouse_down("#graph", offset=(30, 8))
        await desk.pilot.hover("#graph", offset=(20, 5))
        await desk.pilot.mouse_up("#graph", offset=(20, 5))
        await desk.look()
        assert tuple(pane.scroll_offset) == (x + 10, y + 3)
        assert desk.app.session.selected == selected  # a drag is no click

    at_desk(trace, script)


def test_a_double_click_opens_a_folded_box(at_desk):
    trace = layers_of_scalars(8, 8, 1)

    async def script(desk):
        await desk.look()
        pane = pane_of(desk)
        inside = int(pane.drawing.folded.members[-20])
        await desk.pilot.click("#graph", offset=offset_of(pane, inside))
        assert "[layer" in graph_of(await desk.look())
        assert "START" in desk.screen()
        await desk.pilot.click("#graph", offset=offset_of(pane, inside), times=2)
        assert "neuron" in graph_of(await desk.look())
        assert "START" in desk.screen()

    at_desk(trace, script)


def test_a_large_graph_is_laid_out_meanwhile_and_shown_when_it_is_ready(at_desk):
    trace = wide(2400)

    async def script(desk):
        pane = pane_of(desk)
        assert not pane.drawing.whole or pane._laying is None
        await desk.look()  # waits for the worker
        assert pane.drawing.whole
        assert pane._laying is None
        shown = graph_of(desk.screen())
        assert f"{len(trace):,} nodes".replace(",", " ") in shown
        assert "[" in shown.splitlines()[-1]

    at_desk(trace, script)


def test_escape_stops_the_layout_of_a_large_graph_and_leaves_the_stretch(at_desk, monkeypatch):
    trace = wide(2400)

    def endless(folded, look, given_up):
        while not given_up():
            time.sleep(0.005)
        raise GivenUpError

    monkeypatch.setattr(graph, "make", endless)

    async def script(desk):
        pane = pane_of(desk)
        for _ in range(5_000):
            await desk.pilot.pause()
            if "laying out" in desk.screen():
                break
            await asyncio.sleep(0.01)
        assert "laying out" in desk.screen()
        assert "esc stops" in desk.screen()
        await desk.pilot.press("n")  # to look would wait for the worker
        assert "laying out" in desk.screen()
        await desk.pilot.press("escape")
        screen = await desk.press("n")
        assert "laying out" not in screen
        assert not pane.drawing.whole

    at_desk(trace, script)


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 16)])
def test_every_look_fits_every_size(size, at_desk):
    trace = unrolled(12)

    async def script(desk):
        for keys in (
            ("n",),
            ("minus",),
            ("minus",),
            ("vertical_line",),
            ("plus", "plus", "plus"),
            ("I",),
            ("i",),
        ):
            screen = await desk.press(*keys)
            assert "╭─ graph" in screen
            assert max(map(len, screen.splitlines())) <= size[0]

    at_desk(trace, script, size=size)
