"""The verification view: the table, the first wrong element, and the signs for other panes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from tracer.errors import GradstepError
from tui.app import DebuggerApp
from tui.ink import text_of, width_of
from tui.memory import Memory
from tui.orders import obey
from tui.session import Session
from tui.views import verify, verify_rows

WRONG_LINE = "dL/dmu    = sum(dL/dxhat * (1 / sqrt(var + eps)), axis=0) + dL/dvar * sum(-2 * (x - mu), axis=0) / m"


@pytest.fixture(scope="module")
def trace() -> tr.Trace:
    """Batch normalisation in small primitives."""
    return tr.trace(GALLERY["batchnorm"].build())


@pytest.fixture
def session(trace) -> Session:
    """The gallery entry with its own derivation."""
    return Session(trace, title="batchnorm", derivation=GALLERY["batchnorm"].derivation)


@pytest.fixture
def wrong(tmp_path) -> Path:
    """The six lines with the sign of one term wrong."""
    lines = GALLERY["batchnorm"].derivation.splitlines()
    changed = [WRONG_LINE if line.startswith("dL/dmu") else line for line in lines]
    file = tmp_path / "six_lines.txt"
    file.write_text("\n".join(changed) + "\n")
    return file


def screen(session: Session, cursor: int = 0, size: tuple[int, int] = (46, 32)) -> str:
    found = verify_rows.lines(session.scene(), cursor, 0, *size)
    assert len(found) <= size[1]
    assert all(width_of(line) <= size[0] for line in found)
    return "\n".join(map(text_of, found))


def test_before_anything_is_verified_the_view_says_how(session):
    text = screen(session)
    for order in (":verify", ":verify FILE", ":check", ":check NODE"):
        assert order in text
    assert verify.counts(session.scene()) is None
    assert verify.verdict(session.scene(), 3) == ""
    assert verify.hand_derived(session.scene(), 3) is None


def test_the_derivation_that_came_with_the_trace_is_verified_without_a_file(session):
    obey(session, "verify")
    assert session.view == "verify"
    assert session.message == "the derivation of batchnorm: PASS · 6 of 6 lines right"
    assert verify.counts(session.scene()) == (6, 0, 0)
    assert screen(session).count("✓") >= 6


def test_without_a_derivation_it_says_what_to_try(trace):
    with pytest.raises(GradstepError, match="try verify FILE"):
        obey(Session(trace), "verify")


def test_a_wrong_line_is_marked_explained_and_told_from_those_that_inherit_it(session, wrong):
    obey(session, f"verify {wrong}")
    text = screen(session, cursor=2)
    assert " FAIL  at line 6, dL/dmu  ✓4 ✗1 ↳1" in text
    assert "✗    6 dL/dmu" in text
    assert "✗    7 ↳dL/dx" in text
    assert "by hand   −0.623847" in text
    assert "automatic 0.623847" in text
    assert "▸ it is of the wrong sign" in text
    assert verify.counts(session.scene()) == (4, 2, 0)


def test_other_panes_learn_the_verdict_and_the_gradient_by_hand_of_a_node(session, wrong, trace):
    obey(session, f"verify {wrong}")
    scene, mu = session.scene(), trace.node_index("mu")
    assert verify.verdict(scene, mu) == "✗"
    assert verify.verdict(scene, trace.node_index("gamma")) == "✓"
    assert verify.verdict(scene, trace.loss) == ""
    assert verify.hand_derived(scene, mu)[0] == pytest.approx(-0.623847, abs=1e-6)
    assert verify.hand_derived(scene, trace.node_index("x")).shape == (4, 2)


def test_wrong_selects_the_node_the_first_wrong_element_and_the_difference(session, wrong, trace):
    obey(session, f"verify {wrong}")
    obey(session, "wrong")
    assert session.selected == trace.node_index("mu")
    assert session.element == (0,)
    assert session.tensor.quantity == "difference"
    assert (
        session.message == "✗ dL/dmu at [0], the first of 2 that are wrong: it is of the wrong sign"
    )
    obey(session, "wrong 4")
    assert session.selected == trace.node_index("x")
    assert f"at [{', '.join(map(str, session.element))}]" in session.message
    with pytest.raises(GradstepError, match="the rows are 1 to 6"):
        obey(session, "wrong 7")


def test_the_cursor_goes_to_the_element_that_is_wrong_and_not_to_the_first(session, tmp_path):
    file = tmp_path / "one.txt"
    file.write_text("dL/dbeta = sum(dL/dy, axis=0) * array([1, 3])")
    obey(session, f"verify {file}")
    obey(session, "wrong")
    assert session.element == (1,)


def test_wrong_says_so_where_nothing_is(session):
    with pytest.raises(GradstepError, match="nothing has been verified"):
        obey(session, "wrong")
    obey(session, "verify")
    obey(session, "wrong")
    assert session.message == "nothing is wrong: PASS · 6 of 6 lines right"


def test_the_first_wrong_element_is_the_first_in_order_and_not_the_worst():
    x = tr.tensor(np.array([1.0, 2.0, 3.0, 4.0]), name="x")
    trace = tr.trace(tr.sum(x * x))
    report = tr.verify(trace, {"x": np.array([2.0, 4.5, 6.0, 80.0])})
    assert report.rows[0].worst.index == (3,)
    assert verify.first_wrong_element(report.rows[0]) == (1,)


def test_a_file_that_changed_since_is_noticed_and_verified_again(session, wrong):
    obey(session, f"verify {wrong}")
    assert session.scene().outdated == ""
    wrong.write_text(GALLERY["batchnorm"].derivation)
    os.utime(wrong, ns=(1, 1))
    assert "six_lines.txt changed: verify again" in screen(session)
    obey(session, "verify")
    assert session.scene().outdated == ""
    assert verify.counts(session.scene()) == (6, 0, 0)


def test_a_verification_says_nothing_about_another_trace(session, wrong):
    obey(session, f"verify {wrong}")
    other = Session(tr.trace(GALLERY["xor"].build()))
    other.report = session.report
    assert verify.verdict(other.scene(), 4) == ""
    assert verify.hand_derived(other.scene(), 4) is None
    assert "another trace" in "\n".join(
        map(text_of, verify_rows.lines(other.scene(), 0, 0, 46, 20))
    )


def test_check_looks_at_all_inputs_or_at_one_inner_node(session, trace):
    obey(session, "check")
    assert session.message == "all gradients: PASS · 3 of 3 inputs right"
    assert [row.name for row in session.report.report.rows] == ["x", "gamma", "beta"]
    obey(session, "check xhat")
    assert session.message == "gradient of xhat: PASS · 1 of 1 input right"
    assert session.report.report.rows[0].node == trace.node_index("xhat")


@pytest.mark.parametrize("order", ["verify", "check"])
def test_long_work_tells_its_progress_and_can_be_stopped(session, order):
    seen = []
    session.on_progress = lambda: seen.append(session.done)
    obey(session, order)
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert 0 <= seen[0] < 0.2
    assert 0.5 < seen[-1] <= 1.0
    report, session.debugger.interrupted = session.report, lambda: True
    with pytest.raises(GradstepError, match="stopped after 0 of"):
        obey(session, order)
    assert session.report is report


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"dx = = 2", b"x" * (1 << 21)])
def test_a_file_that_is_no_derivation_is_refused_in_words(session, tmp_path, content):
    file = tmp_path / "notes.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(GradstepError):
        obey(session, f"verify {file}")
    assert session.report is None


def test_the_names_of_files_complete(session, wrong):
    from tui.orders import find

    assert str(wrong) in list(find("verify").complete(session, str(wrong.parent) + "/six"))


@pytest.mark.parametrize("size", [(28, 6), (42, 20), (46, 34), (118, 30)])
def test_it_fits_every_size(session, wrong, size):
    screen(session, size=size)
    obey(session, f"verify {wrong}")
    for cursor in range(6):
        screen(session, cursor, size)


def test_zoomed_the_three_numbers_stand_in_the_row(session, wrong):
    obey(session, f"verify {wrong}")
    line = next(r for r in screen(session, 2, (118, 24)).splitlines() if r.startswith("▸✗"))
    for number in ("−0.623847", " 0.623847", "0.62384692175"):  # its bound hangs on the last bits
        assert number in line


def test_the_pane_opens_on_the_first_wrong_line_and_enter_goes_there(wrong, trace, at_desk):
    async def script(desk):
        desk.app.obey(f"verify {wrong}")
        text = await desk.look()
        assert "six_lines.txt · ⏎ to the wrong element" in text
        assert "▸✗    6 dL/dmu" in text
        await desk.press("j", "k", "enter")
        assert desk.app.session.selected == trace.node_index("mu")
        assert desk.app.session.element == (0,)

    at_desk(trace, script)


@pytest.mark.parametrize("order", ["verify", "check", "wrong"])
def test_an_order_that_shows_the_table_shows_it_past_a_zoomed_pane(trace, at_desk, wrong, order):
    async def script(desk):
        desk.app.obey(f"verify {wrong}")
        await desk.look()
        desk.app.obey("focus graph")
        await desk.press("z")
        assert desk.app.query_one("#graph").has_class("zoomed")
        assert "worst at" not in desk.screen()
        desk.app.obey(f"verify {wrong}" if order == "verify" else order)
        assert "worst at" in await desk.look()
        assert desk.app.focused is desk.app.query_one("#verify")

    at_desk(trace, script)


def test_another_view_is_seen_past_a_zoomed_pane(trace, at_desk):
    async def script(desk):
        await desk.press("z")
        desk.app.obey("view layers")
        await desk.look()
        assert desk.app.query_one("#layers").region.width > 0

    at_desk(trace, script)


def test_the_debugger_opens_on_the_table_of_what_a_command_found(trace):
    app = DebuggerApp(trace, memory=Memory())
    obey(app.session, "check")

    async def session():
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            assert app.focused is app.query_one("#verify")
            assert app.query_one("#verify").region.width > 0

    asyncio.run(session())


def test_without_a_file_it_is_the_derivation_of_the_trace_again_and_says_which(session, wrong):
    obey(session, f"verify {wrong}")
    assert session.message.startswith("six_lines.txt: FAIL at line 6, dL/dmu")
    obey(session, "verify")
    assert session.message == "the derivation of batchnorm: PASS · 6 of 6 lines right"


def test_without_a_derivation_of_its_own_it_is_the_file_before(trace, wrong):
    session = Session(trace)
    obey(session, f"verify {wrong}")
    obey(session, "verify")
    assert session.message.startswith("six_lines.txt: ")


def test_wrong_goes_to_where_the_gradient_is_known(session, wrong, trace):
    obey(session, f"verify {wrong}")
    assert session.debugger.position == 0
    obey(session, "wrong")
    assert session.debugger.position == trace.timeline.when_final(trace.node_index("mu"))


def test_the_room_that_checks_is_loaded_only_when_something_is_checked(python):
    done = python(
        "-c",
        "import sys, tui.app, tui.opening, tui.orders\n"
        "print([name for name in sys.modules if name.startswith('tracer.checking')])",
    )
    assert done.stdout == "[]\n", done.stderr


def test_a_wrong_line_stands_beside_what_mends_it(session, wrong):
    obey(session, f"verify {wrong}")
    text = " ".join(screen(session, cursor=2, size=(118, 40)).split())
    assert "- dL/dmu = sum(dL/dxhat * (1 / sqrt(var + eps)), axis=0)" in text
    assert (
        "+ dL/dmu = sum(dL/dxhat * (-1 / sqrt(var + eps)), axis=0)" in text
        or "+ dL/dmu = -" in text
    )


def test_a_check_shows_its_ladder(session):
    obey(session, "check")
    text = screen(session, size=(118, 40))
    assert " PASS " in text
    assert "✓ rules of the nodes" in text


def test_a_rule_at_fault_is_the_first_row_and_wrong_goes_to_its_node(tmp_path):
    @tr.primitive(vjps={"x": lambda g, out, x: g * x})
    def half_a_square(x):
        "x times x, whose rule lacks a 2."
        return x * x

    x = tr.tensor(np.array([1.0, 2.0]), name="x")
    y = half_a_square(x)
    found = Session(tr.trace(tr.sum(y)))
    obey(found, "check")
    assert found.message.startswith("all gradients: FAIL at y")
    obey(found, "wrong")
    assert found.trace.label(found.selected) == "y"
    assert found.message == "✗ y by x at [0], the first of 2 that are wrong: its rule is wrong"


def test_a_line_of_many_time_steps_opens_at_the_worst_step(tmp_path):
    found = Session(tr.trace(GALLERY["rnn"].build()), title="rnn")
    right = GALLERY["rnn"].derivation
    wrong = right.replace("dL/da[t] = ds * wya + ahead", "dL/da[t] = ds * wya - ahead")
    assert wrong != right
    file = tmp_path / "mine.txt"
    file.write_text(wrong)
    obey(found, f"verify {file}")
    obey(found, "wrong")
    row = found.report.first_wrong
    assert found.selected == row.node
    assert found.trace.names[found.selected] == "a"
    assert row.worst.index[0] in found.trace[found.selected].scope_text
    first = next(
        e for e in row.elements if e.index[0] == row.worst.index[0] and e.verdict == "DISAGREE"
    )
    assert found.element == first.index[1:]
