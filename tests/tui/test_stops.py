"""The list of breakpoints and watches, and the orders about them."""

from __future__ import annotations

import pytest

from tracer.errors import GradstepError
from tui.ink import text_of, width_of
from tui.orders import obey
from tui.session import Session
from tui.views import stops


def given(trace, *lines):
    session = Session(trace)
    for line in lines:
        obey(session, line)
    return session


def shown(session, cursor=0, width=46):
    return [text_of(row.line).rstrip() for row in stops.rows(session.scene(), cursor, width)]


def page_of(session, line):
    page = obey(session, line)
    assert page is not None
    return [page.heading, *(text_of(each).rstrip() for each in page.lines)]


def test_the_list_tells_what_each_breakpoint_and_watch_is_and_does(batch_norm):
    session = given(
        batch_norm,
        "break xhat",
        "tbreak op:mul except xhat",
        "break grad > 1e9 or nan(value)",
        "disable last",
        "ignore 1 3",
        "watch norm(gamma.grad) / norm(gamma)",
        "continue",
    )
    assert shown(session) == [
        " breakpoints",
        "›● 1 xhat                     hit 1×  ignore 2",
        " ○ 3 grad > 1e9 or nan(value)              off",
        "",
        " watches",
        "   1 norm(gamma.grad) / norm(gamma)",
        "     gradient of gamma not reached",
    ]


def test_without_any_the_list_says_how_to_set_one(circuit):
    assert [line.strip() for line in shown(Session(circuit)) if "none" in line] == [
        "none: b at a node, B asks",
        "none: w asks",
    ]


@pytest.mark.parametrize("width", [28, 33, 46, 70])
def test_every_line_fits_and_no_word_of_a_long_text_is_lost(batch_norm, width):
    text = "max(abs(xhat[:, 0] - mean(xhat, axis=0, keepdims=True))) + norm(gamma) > 1e3"
    session = given(batch_norm, f"break {text}", f"watch {text}", "ignore 1 12", "disable 1")
    for cursor in range(2):
        rows = stops.rows(session.scene(), cursor, width)
        assert all(width_of(row.line) <= width for row in rows)
        mine = "".join(text_of(row.line).strip("›◇○ ") for row in rows if row.item == cursor)
        assert text.replace(" ", "") in mine.replace(" ", "")


def test_the_chosen_row_is_in_sight(batch_norm):
    session = given(
        batch_norm, *(f"break {name}" for name in ("x", "mu", "xmu", "var", "std", "y"))
    )
    rows = stops.rows(session.scene(), 5, 40)
    top = stops.in_sight(rows, 5, 0, 4)
    assert 5 in [row.item for row in rows[top : top + 4]]
    rows = stops.rows(session.scene(), 0, 40)
    assert stops.in_sight(rows, 0, top, 4) == 0


def test_keys_on_a_row_are_orders(batch_norm):
    session = given(batch_norm, "break xhat", "watch gamma", "watch norm(value)")
    scene = session.scene()
    deeds = ("choose", "flip", "remove")
    assert [stops.order_at(scene, 0, deed) for deed in deeds] == ["visit 1", "switch 1", "delete 1"]
    assert [stops.order_at(scene, 1, deed) for deed in deeds] == ["select gamma", "", "unwatch 1"]
    assert [stops.order_at(scene, 2, deed) for deed in deeds] == ["", "", "unwatch 2"]
    assert stops.order_at(scene, 3, "remove") == ""


def test_the_pane_moves_switches_visits_and_deletes(batch_norm, at_desk):
    async def script(desk):
        for line in ("break xhat", "break std", "watch gamma", "focus stops"):
            desk.app.obey(line)
        await desk.press("j", "=")
        assert [each.enabled for each in desk.app.session.debugger.breakpoints] == [True, False]
        await desk.press("enter")
        assert desk.app.session.trace.label(desk.app.session.selected) == "std"
        await desk.press("k", "backspace")
        assert [each.text for each in desk.app.session.debugger.breakpoints] == ["std"]
        await desk.press("j", "minus", "delete")
        assert not desk.app.session.debugger.watches
        await desk.press("w", "x", "enter", "W")
        assert not desk.app.session.debugger.watches
        assert "no longer watching" in desk.screen()

    at_desk(batch_norm, script)


# ----- orders


def test_a_breakpoint_that_is_there_already_is_not_made_again(circuit):
    session = given(circuit, "break q", "disable 1", "b q")
    assert session.message == "breakpoint 1 is there already: q"
    assert [(each.number, each.enabled) for each in session.debugger.breakpoints] == [(1, True)]
    obey(session, "tbreak q")
    obey(session, "break f")
    assert [each.number for each in session.debugger.breakpoints] == [1, 2, 3]


def test_break_alone_means_the_selected_node(circuit):
    session = given(circuit, "select q", "break")
    assert session.message == "breakpoint 1: q"


def test_several_are_switched_and_deleted_by_number_by_last_or_all(circuit):
    session = given(circuit, "break q", "break f", "break x", "disable 1 last")
    on = [each.enabled for each in session.debugger.breakpoints]
    assert on == [False, True, False]
    obey(session, "enable all")
    assert all(each.enabled for each in session.debugger.breakpoints)
    obey(session, "disable")
    assert not any(each.enabled for each in session.debugger.breakpoints)
    obey(session, "delete 2")
    assert [each.number for each in session.debugger.breakpoints] == [1, 3]
    obey(session, "d")
    assert session.debugger.breakpoints == ()
    assert session.message == "deleted all 2 breakpoints"
    obey(session, "delete")
    assert session.message == "there are no breakpoints"


def test_ignore_and_condition_change_a_breakpoint(circuit):
    session = given(circuit, "break q", "ignore 1 1", "continue")
    assert session.message == "breakpoint 1: q"
    assert session.debugger.position == circuit.timeline.when_final(circuit.node_index("q"))
    obey(session, "condition 1 grad > 0")
    assert session.message == "breakpoint 1: q if grad > 0"
    obey(session, "start")
    obey(session, "continue")
    assert session.ended
    obey(session, "condition 1")
    assert session.message == "breakpoint 1: q"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("delete x", "this takes the number of a breakpoint (1), not 'x': try delete 1"),
        ("enable 7", "there is no breakpoint 7"),
        ("ignore 1", "ignore takes a breakpoint and how often to pass over it"),
        ("ignore 1 -2", "ignore takes a breakpoint and how often to pass over it"),
        ("condition 1 grd > 0", "did you mean grad?"),
        ("visit 2", "there is no breakpoint 2"),
        ("unwatch", "nothing is watched"),
        ("watch", "watch takes an expression"),
        ("print", "print takes an expression"),
        ("print norm(", "this is not an expression"),
        ("info nothing", "there is no info 'nothing': breakpoints"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_the_words_of_its_user(circuit, line, said):
    session = given(circuit, "break q")
    with pytest.raises(GradstepError) as caught:
        obey(session, line)
    assert said in str(caught.value).splitlines()[0]


def test_visit_says_where_a_breakpoint_stops_next(circuit):
    session = given(circuit, "break op:mul", "visit last")
    assert session.trace.label(session.selected) == "f"
    assert session.message == "breakpoint 1 stops here at step 2"
    assert session.debugger.position == 0
    obey(session, "condition 1 value > 1e9")
    with pytest.raises(GradstepError, match="stops nowhere"):
        obey(session, "visit 1")


def test_print_takes_an_expression_of_another_node_as_a_watch_does(batch_norm):
    session = Session(batch_norm)
    obey(session, "end")
    obey(session, "print norm(grad) of x")
    number = session.message.rpartition(" = ")[2]
    obey(session, "print norm(x.grad)")
    assert session.message == f"norm(x.grad) = {number}"


def test_print_shows_numbers_shapes_and_whole_arrays(batch_norm):
    session = given(batch_norm, "end")
    obey(session, "print gamma.shape")
    assert session.message == "gamma.shape = (3,)"
    obey(session, "p sum(gamma)")
    assert session.message == "sum(gamma) = 3.5"
    assert page_of(session, "print gamma[:2]") == ["gamma[:2]  f64[2]", "[1.  0.5]"]
    obey(session, "start")
    obey(session, "print xhat")
    assert session.message == "xhat: xhat not run yet"
    obey(session, "select gamma")
    obey(session, "p value[0]")
    assert session.message == "value[0] = 1"


def test_display_is_watch_and_undisplay_takes_it_away(batch_norm):
    session = given(batch_norm, "display norm(xhat)", "watch norm(xhat)", "watch gamma")
    assert [each.text for each in session.debugger.watches] == ["norm(xhat)", "gamma"]
    obey(session, "undisplay 1")
    obey(session, "undisplay")
    assert session.debugger.watches == ()


def test_where_tells_the_step_the_formula_with_numbers_and_the_gradient(circuit):
    session = given(circuit, "next 3")
    told = "\n".join(page_of(session, "where"))
    for words in (
        "step 4 of 6",
        "#4 ↑ f mul → z ∂ 3 final  flow 2 of 2",
        "f = q · z",
        "f = 3 · (−4)",
        "gradient  1  final",
        "inputs    q, z",
    ):
        assert words in told


def test_info_lists_what_is_asked_for(batch_norm):
    session = given(batch_norm, "break xhat", "watch norm(gamma)")
    assert page_of(session, "info b") == ["breakpoints", "breakpoint 1  xhat"]
    assert page_of(session, "info display") == ["watches", "watch 1  norm(gamma)  2.291"]
    assert page_of(session, "info")[1:] == [
        "breakpoint 1  xhat",
        "watch 1       norm(gamma)  2.291",
    ]
    assert page_of(session, "info scopes") == ["scopes", "(none)  6 nodes", "bn      9 nodes"]
    assert "step 0 of" in page_of(session, "info trace")[2]
    assert page_of(session, "info node xhat")[1].split() == ["node", "xhat", "div", "f64[8×3]"]
    assert page_of(session, "info position")[0] == page_of(session, "where")[0]


def test_list_marks_the_line_of_the_node(batch_norm):
    session = given(batch_norm, "select xhat")
    told = page_of(session, "list")
    marked = [line for line in told if line.startswith("▶")]
    assert [line.split("  ")[-1].strip() for line in marked] == ["xhat = xmu / std"]
    assert len(told) == 12


def test_a_search_for_a_condition_goes_through_the_hits(batch_norm):
    session = Session(batch_norm)
    obey(session, "search shape == (3,)")
    assert session.message.startswith("hit 1 of")
    obey(session, "hit")
    assert session.trace[session.selected].shape == (3,)
    with pytest.raises(GradstepError, match="did you mean"):
        obey(session, "search grd > 3")


def test_the_health_of_the_layers_is_told_without_a_screen(batch_norm):
    lines = page_of(Session(batch_norm), "info layers")
    assert lines[0] == "layers"
    assert lines[1].startswith("health: ")
    assert any(line.strip().startswith("bn") for line in lines[3:])
