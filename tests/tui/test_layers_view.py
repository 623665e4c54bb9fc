"""The layers view: what a person reads of the flow of gradients, at any position and any size of the pane."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

import tracer as tr
from tracer import stats
from tracer.cells.meanings import Kind
from tracer.errors import GradstepError
from tracer.traces import Trace
from tui.ink import text_of, width_of
from tui.orders import obey
from tui.session import Session
from tui.views import layers
from tui.views.logscale import Scale, bar


@cache
def vanishing(steps: int = 30, radius: float = 0.5) -> Trace:
    """A tanh network over time whose gradient shrinks in every step by its spectral radius."""
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    waa = tr.parameter(radius * rotation, name="waa")
    a = tr.tensor(np.full(4, 1e-3), name="a0")
    for t in range(1, steps + 1):
        with tr.scope("rnn", t=t):
            a = tr.tanh(waa @ a)
    return tr.trace(tr.sum(a))


@cache
def dead() -> Trace:
    """Three layers; the relu units of the second are off for the whole batch."""
    rng = np.random.default_rng(1)
    x = tr.constant(rng.normal(size=(64, 10)))
    linear = tr.nn.Linear
    net = tr.nn.Sequential(
        linear(10, 20, rng=rng), tr.relu, linear(20, 20, rng=rng), tr.relu, linear(20, 3, rng=rng)
    )
    net[2].bias.set(np.full(20, -50.0))
    return tr.trace(tr.mean(net(x) ** 2))


def screen(
    trace: Trace, *orders: str, cursor: int = 0, top: int = 0, size: tuple[int, int] = (46, 32)
) -> str:
    """The text of the pane after some orders."""
    session = Session(trace)
    for order in orders:
        obey(session, order)
    found = layers.lines(session.scene(), cursor, top, *size)
    assert len(found) <= size[1]
    assert all(width_of(line) <= size[0] for line in found)
    return "\n".join(map(text_of, found))


def row(text: str, name: str) -> str:
    """The line of the screen that begins with a name."""
    return next(line for line in text.splitlines() if line[1:].startswith(name))


def test_bars_shrink_towards_the_first_step_and_vanishing_is_a_word():
    text = screen(vanishing(), "end", size=(46, 40))
    assert row(text, "rnn[t=30]").count("█") > row(text, "rnn[t=15]").count("█") > 3
    assert "⚠ vanishing" in row(text, "rnn[t=1] ")
    assert "vanishing" not in row(text, "rnn[t=30]")


def test_the_line_where_it_begins_to_vanish_stands_out_by_ink_too():
    session = Session(vanishing())
    obey(session, "end")
    found = layers.lines(session.scene(), 0, 0, 46, 40)
    warned = [text_of(line) for line in found if any(p.ink == (Kind.WARN, 0) for p in line)]
    assert len(warned) == 1
    assert warned[0].startswith(" rnn[t=20]")


def test_the_whole_of_time_is_seen_at_once_above_the_rows():
    profile = next(line for line in screen(vanishing(), "end").splitlines() if "∂ ▁" in line)
    levels = profile.strip(" ∂")
    assert len(levels) == 30
    assert list(levels) == sorted(levels)


def test_a_hundred_steps_scroll_and_their_profile_fits():
    text = screen(vanishing(100), "end", cursor=60, top=50, size=(44, 24))
    assert "▸rnn[t=61]" in text
    assert "rnn[t=1] " not in text
    assert len(text.splitlines()[1].rstrip()) <= 44


def test_a_gradient_that_is_not_reached_is_a_word_and_never_a_number():
    trace = vanishing()
    text = screen(trace, f"goto {trace.timeline.forward_steps}", size=(46, 40))
    assert "○ not reached" in row(text, "rnn[t=1] ")
    assert "vanishing" not in text
    assert "0 " not in row(text, "rnn[t=1] ").replace("t=10", "")
    assert screen(trace, "start").count("· not run yet") > 20


def test_partial_sums_say_how_many_flows_have_arrived():
    w = tr.parameter(np.ones(3), name="w")
    with tr.scope("layer"):
        y = w * 2.0
    loss = tr.sum(y * y + y)
    trace = tr.trace(loss)
    session = Session(trace)
    node = trace.node_index("y")
    arrivals = [
        p for p in range(trace.timeline.last) if trace.timeline.status(p, node).state == "partial"
    ]
    obey(session, f"goto {arrivals[0]}")
    assert "◐ 1 of 3" in "\n".join(map(text_of, layers.lines(session.scene(), 0, 0, 46, 20)))


def test_a_dead_layer_says_so_and_the_one_before_says_who_took_its_gradient():
    text = screen(dead(), "end")
    assert "linear[k=2]   ⚠ dead" in text
    assert "100% of the units pass nothing back" in text
    assert "100% dead" in text
    assert "exactly 0; linear[k=4] still has one" in text


def test_without_room_for_tall_rows_there_is_a_line_for_each_and_the_cursor_is_explained():
    text = screen(dead(), "end", cursor=1, size=(46, 11))
    assert [line for line in text.splitlines() if line.startswith("▸linear[k=2]")]
    assert "⚠ dead: 100% of the units pass nothing back" in text


def test_zoomed_everything_of_a_row_stands_in_one_line():
    line = row(screen(dead(), "end", "lr 0.1", size=(118, 20)), "linear[k=2]")
    for part in ("∂", "v", "σ 0", "100% dead", "Δw/w 0", "⚠ dead"):
        assert part in line


@pytest.mark.parametrize("size", [(28, 8), (42, 20), (46, 34), (92, 6), (118, 30), (200, 50)])
@pytest.mark.parametrize("make", [vanishing, dead])
def test_it_fits_every_size_at_every_position(make, size):
    trace = make()
    for position in {0, 3, trace.timeline.forward_steps, trace.timeline.last - 2}:
        screen(trace, f"goto {position}", cursor=2, size=size)


def test_time_steps_come_first_and_layers_on_request():
    assert "rnn[t=1]" in screen(vanishing(), "end")
    text = screen(vanishing(), "end", "layers by layer")
    assert "rnn[t=1]" not in text
    assert "Δw/(w·lr)" in text
    assert "no scope has the key t" in screen(dead(), "layers by time")


def test_the_learning_rate_scales_the_update_and_is_named():
    assert "Δw/(w·lr)" in screen(dead(), "end")
    text = screen(dead(), "end", "lr 0.1")
    assert "Δw/w" in text
    assert "lr)" not in text


@pytest.mark.parametrize("order", ["lr much", "lr -1", "lr nan", "layers by weight"])
def test_what_is_no_rate_and_no_way_is_refused_with_a_cure(order):
    with pytest.raises(GradstepError, match="try "):
        obey(Session(dead()), order)


def test_a_bar_is_as_long_as_its_decades():
    scale = Scale.of([-4.0, 0.0])
    assert bar(0.0, scale, 8) == "█" * 8
    assert len(bar(-2.0, scale, 8).strip()) == 5
    assert bar(-4.0, scale, 8).strip() == "▌"
    assert bar(-np.inf, scale, 8).strip() == ""


def test_the_pane_opens_moves_and_selects(at_desk):
    async def script(desk):
        await desk.press("G")
        text = await desk.type(":layers") and await desk.press("enter")
        assert "30 time steps" in text
        assert "⚠ vanishing" in text
        desk.app.set_focus(desk.app.query_one("#layers"))
        text = await desk.press("j", "j", "enter")
        pane = desk.app.query_one("#layers")
        trace = desk.app.session.trace
        assert trace.label(desk.app.session.selected).startswith("a#")
        assert trace[desk.app.session.selected].scope_text == f"rnn[t={pane.cursor + 1}]"
        text = await desk.press("h")
        assert "1 layer · l by time" in text

    at_desk(vanishing(), script)


def test_a_layer_that_is_called_as_its_output_is_named_once():
    h = tr.tanh(tr.tensor([0.5, 1.0], name="x") * tr.parameter(2.0, name="w"))
    trace = tr.trace(tr.sum(h))
    for size in ((46, 32), (120, 32)):
        rows = [
            row for row in screen(trace, "end", size=size).splitlines() if re.search(r"\bh\b", row)
        ]
        assert rows
        assert not any(re.search(r"\bh\b.*\bh\b", row) for row in rows)


def test_the_spread_of_equal_numbers_is_zero():
    trace = tr.trace(tr.sum(tr.tanh(tr.parameter(np.full(7, 0.1), name="w"))))
    assert "σ 0 " in screen(trace, "end") + " "
    assert stats.summary(np.full(1000, 0.1)).std == 0
