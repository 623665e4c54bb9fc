"""Edits in the debugger: orders, the view of what changed, and what a person sees."""

import numpy as np
import pytest

import tracer as tr
from tests.tui.conftest import chain
from tracer.errors import GradstepError
from tui.ink import text_of, width_of
from tui.orders import obey
from tui.orders.changing import MANY
from tui.session import Session
from tui.views import changes


def seen(session, width=48, height=30, cursor=0, top=0):
    return [text_of(line) for line in changes.lines(session.scene(), cursor, top, width, height)]


def test_an_edit_shows_the_new_numbers_at_the_same_step(circuit):
    session = Session(circuit)
    obey(session, "goto 2")
    obey(session, "select q")
    obey(session, "edit x = -1")
    assert session.trace.value("f") == -16.0
    assert session.debugger.position == 2
    assert session.trace.label(session.selected) == "q"
    assert session.message == "x −2 → −1: loss −12 → −16 (−4, by gradient −4); 3 nodes changed"
    assert circuit.value("f") == -12.0


def test_edits_are_listed_undone_and_made_again(circuit):
    session = Session(circuit)
    obey(session, "edit x = -1")
    obey(session, "edit z *= 2")
    assert [text_of(line) for line in obey(session, "edits").lines] == [
        "x = -1  −2 → −1",
        "z *= 2  −4 → −8",
    ]
    obey(session, "undo")
    assert session.trace.value("f") == -16.0
    assert "undone; redo" in text_of(obey(session, "edits").lines[1])
    obey(session, "redo")
    assert session.trace.value("f") == -32.0
    obey(session, "revert")
    assert session.trace is circuit
    assert session.message == "as it was recorded: 2 edits taken back"


@pytest.mark.parametrize("order", ["undo", "redo", "revert"])
def test_with_nothing_edited_there_is_nothing_to_undo(circuit, order):
    with pytest.raises(GradstepError, match="nothing has been"):
        obey(Session(circuit), order)


def test_breakpoints_watches_and_search_hits_stay(circuit):
    session = Session(circuit)
    for line in ("break q", "watch f", "search q", "edit x = 1"):
        obey(session, line)
    assert session.mark(session.trace.node_index("q")) == "●"
    assert session.debugger.resume().reason == "breakpoint 1: q"
    assert session.debugger.watch_values()[0][0] == "f"
    obey(session, "hit")
    assert "hit 1 of 1" in session.message


def test_a_breakpoint_in_parts_stays_in_the_parts(fused):
    session = Session(fused)
    for line in ("run y", "step", "break x_hat"):
        obey(session, line)
    assert session.debugger.depth == 1
    with pytest.raises(GradstepError, match="close the parts first"):
        obey(session, "edit gamma = 2")
    for line in ("finish", "edit gamma = 2", "run y", "start", "run y", "step"):
        obey(session, line)
    assert session.debugger.depth == 1
    assert session.mark(session.trace.node_index("x_hat")) == "●"


def test_where_breakpoints_stop_in_parts_that_are_gone_is_forgotten(fused, session_after):
    session = session_after(fused, "break nan(value)", "next", "step", "continue", "finish")
    for value in ("0.5", "0.25"):
        obey(session, f"edit {fused.label(0)} = {value}")
        obey(session, "continue")
    assert {trace for _, trace in session.debugger._breakpoints._stops} == {session.trace}


def test_a_guard_that_would_flip_is_said():
    x = tr.tensor(2.0, name="x")
    y = x * 3.0 if x > 1 else x * 5.0
    session = Session(tr.trace(y))
    obey(session, "edit x = 0.5")
    assert "⚠ the program would have gone another way at `y = x * 3.0 if x > 1" in session.message
    shown = list(map(text_of, changes.lines(session.scene(), 0, 0, 42, 20)))
    assert shown[1] == "⚠ the program would have gone another way"
    assert shown[2].startswith("`y = x * 3.0 if x > 1")
    assert changes.room(session.scene(), 20).above == shown.index(text_of(changes.heading(42))) + 1


def test_an_edit_can_be_stopped_and_nothing_has_changed(circuit):
    session = Session(circuit)
    session.debugger.interrupted = lambda: True
    with pytest.raises(GradstepError, match="stopped: nothing has changed"):
        obey(session, "edit x = 1")
    assert session.trace is circuit
    assert session.changes is None


def test_completion_offers_nodes_parameters_and_numbers(batch_norm):
    from tui.orders import find

    session = Session(batch_norm)
    offers = find("edit").complete
    assert "xhat" in offers(session, "xh")
    assert list(offers(session, "mu.")) == ["mu.axis", "mu.keepdims"]
    assert list(offers(session, "mu.a")) == ["mu.axis"]
    assert list(offers(session, "add@8.")) == ["add@8.y"] or batch_norm[8].op_name != "add"
    assert list(offers(session, "x = m")) == []


# ----- the view


def test_the_view_shows_edits_and_each_changed_node_before_and_after():
    x = tr.tensor(3.0, name="x")
    square = x * x
    loss = square + x
    session = Session(tr.trace(loss))
    obey(session, "edit x = 4")
    assert seen(session) == [
        "x = 4  3 → 4",
        "",
        " node       before   after       Δ     ∂·Δ ratio",
        " loss           12      20       8       7 1.143",
        "›x               3       4       1       1     1",
        " square          9      16       7       6 1.167",
    ]


def test_rows_fit_every_width_and_only_those_in_sight_are_made(long_chain):
    session = Session(long_chain)
    obey(session, "edit a = 1.001")
    assert session.changes is not None
    for width in (28, 34, 42, 48, 118):
        for line in changes.lines(session.scene(), 70_000, 69_990, width, 30):
            assert width_of(line) <= width
    assert len(session.changes._known) < 200


def test_a_pane_without_edits_says_what_one_can_do(circuit):
    for width in (28, 48):
        found = changes.lines(Session(circuit).scene(), 0, 0, width, 30)
        assert all(width_of(line) <= width for line in found)
        assert text_of(found[0]) == "Nothing is edited."


@pytest.mark.parametrize(("data", "ratio"), [([1.0, -1.0], "·"), ([0.7, 0.2, 0.6], "≫")])
def test_where_first_order_says_no_change_the_ratio_is_a_sign(data, ratio):
    """The variance does not depend on the mean to first order; in rounded numbers nearly not."""
    x = tr.tensor(data, name="x")
    mu = x.mean()
    var = ((x - mu) ** 2).mean()
    session = Session(tr.trace(var))
    obey(session, "edit mu += 0.5")
    loss = seen(session)[3].split()
    assert (loss[0], loss[3], loss[-1]) == ("var", "0.25", ratio)


def test_other_panes_are_told_what_changed_and_what_was_before(batch_norm):
    session = Session(batch_norm)
    scene = session.scene()
    gamma, beta = (batch_norm.node_index(name) for name in ("gamma", "beta"))
    assert changes.before(scene, gamma) is None
    assert not changes.changed(scene, gamma)
    obey(session, "edit gamma[1] = 3")
    scene = session.scene()
    assert changes.changed(scene, gamma)
    assert not changes.changed(scene, beta)
    value, gradient = changes.before(scene, gamma)
    np.testing.assert_array_equal(value, [1.0, 0.5, 2.0])
    np.testing.assert_array_equal(gradient, batch_norm.gradient("gamma"))


# ----- the screen


def test_x_asks_for_the_element_and_enter_edits_it(at_desk, batch_norm):
    async def script(desk):
        await desk.press(":", *"select", "space", *"gamma", "enter")
        asked = await desk.press("x")
        assert "gamma[0] = 1.0" in asked
        await desk.press(*"2.5", "enter")  # what is typed takes the place of the number
        assert desk.app.session.trace.value("gamma")[0] == 2.5
        shown = await desk.press(":", *"view", "space", *"changes", "enter")
        assert "gamma[0] = 2.5" in shown
        assert "before" in shown
        await desk.press("V", "v")
        chosen = await desk.press(*":focus", "space", *"deck", "enter", "j", "j", "enter")
        nodes = changes.order(desk.app.session.changes)
        assert desk.app.session.selected == nodes[2], chosen
        restored = await desk.press(":", *"undo", "enter")
        assert "undone: gamma[0] = 2.5" in restored

    at_desk(batch_norm, script)


def test_a_long_edit_runs_on_another_thread(at_desk):
    trace = chain(MANY + 10)

    async def script(desk):
        await desk.press(":", *"edit", "space", *"w", "space", "=", "space", "1", "enter")
        assert desk.app.session.trace.value("w") == 1.0

    at_desk(trace, script)


def test_r_without_a_program_says_why(screen_after, circuit):
    assert "opened from inside a program" in screen_after(circuit, "r")


def test_an_error_of_the_program_is_a_page_over_the_old_trace(tmp_path):
    import asyncio

    from tests.tui.conftest import Desk
    from tui.app import DebuggerApp
    from tui.targets import resolve

    file = tmp_path / "train.py"
    text = "import tracer as tr\nx = tr.tensor(2.0, name='x')\nloss = x * x\n"
    file.write_text(text)
    target = resolve(str(file))

    async def session():
        app = DebuggerApp(target.trace, title="train", again=target.again)
        async with app.run_test(size=(120, 36)) as pilot:
            desk = Desk(app, pilot)
            file.write_text(text.replace("x * x", "x / nothing"))
            shown = await desk.press("r")
            assert "NameError: name 'nothing' is not defined" in shown
            assert "Traceback" in shown
            assert "r re-runs" in shown
            assert app.session.trace is target.trace
            file.write_text(text.replace("x * x", "x * x * x"))
            shown = await desk.press("r")  # from the page, too
            assert "Traceback" not in shown
            assert "ran again; loss 4 → 8; 1 node more" in shown

    asyncio.run(session())


def test_o_without_an_editor_says_so(screen_after, circuit, monkeypatch):
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    assert "no editor is set" in screen_after(circuit, "o")


def test_the_deck_turns_to_what_an_edit_changed(circuit, at_desk):
    async def script(desk):
        for order in ("focus verify", "edit x = -1"):
            await desk.burst(f":{order}")
            found = await desk.press("enter")
        assert "‹changes›" in found
        assert desk.app.focused.id == "changes"

    at_desk(circuit, script)


@pytest.mark.parametrize("place", [("focus tensor",), ("focus verify", "zoom")])
def test_among_elements_or_in_a_zoomed_pane_the_message_names_what_changed(circuit, at_desk, place):
    async def script(desk):
        for order in (*place, "edit x = -1"):
            await desk.burst(f":{order}")
            found = await desk.press("enter")
        assert "‹changes›" not in found
        assert ":focus changes lists them" in found
        assert desk.app.session.view == place[0].removeprefix("focus ")

    at_desk(circuit, script)


def test_just_after_an_edit_the_edited_box_is_in_sight_beside_the_selected_one(at_desk):
    async def script(desk):
        for order in ("focus changes", "select X", "select y", "edit W2 *= 2"):
            await desk.burst(f":{order}")
            found = await desk.press("enter")
        assert "W2 param Δ" in found
        assert "[y matmul]Δ" in found

    x = tr.tensor(np.ones((2, 3)), name="X")
    w1 = tr.parameter(np.ones((3, 4)), name="W1")
    w2 = tr.parameter(np.ones((4, 2)), name="W2")
    h = tr.tanh(x @ w1)
    y = h @ w2
    at_desk(tr.trace(tr.sum(tr.exp(y))), script, size=(80, 24))
