"""What the status line says of an order that cannot be carried out: one line, with something to try."""

from __future__ import annotations

import pytest

from gallery import GALLERY
from tracer import trace
from tracer.errors import GradstepError, in_one_line
from tui.ink import text_of
from tui.orders import obey
from tui.session import Session


@pytest.fixture(scope="module")
def batchnorm():
    return trace(GALLERY["batchnorm"].build())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("12 13", "goto takes a position, not '12 13': try goto 24"),
        ("goto xhat", "goto takes a position, not 'xhat': try run xhat"),
        ("next x", "next takes a count from 1, not 'x': try next 3"),
        ("back 0", "back takes a count from 1, not '0': try back 3"),
        ("search", "try search mul"),
        ("select", "try select x"),
        ("select xhta", "there is no node 'xhta': there are xhat, "),
        ("break sqrt if nan(value)", "there is no node 'sqrt', it is an operation: try op:sqrt"),
        ("break batchnorm", "there is no node 'batchnorm', it is a scope: try scope:batchnorm"),
        ("break op:nonesuch", "there are add, div"),
        ("break xhat if", "try xhat if nan(value)"),
        ("print nan(", "try nan(value)"),
        ("delete 4", "there is no breakpoint 4: there are none"),
        ("export a.xyz", "try one of .dot"),
    ],
)
def test_an_error_says_in_one_line_what_to_try(batchnorm, line, words):
    session = Session(batchnorm)
    with pytest.raises(GradstepError) as error:
        obey(session, line)
    session.attempt(lambda: obey(session, line))
    assert session.message == in_one_line(error.value)
    assert words in session.message
    assert session.trouble


def test_explain_tells_each_flow_of_the_element_and_how_they_add_up(batchnorm):
    session = Session(batchnorm)
    obey(session, "end")
    found = obey(session, "explain centred")
    told = "\n".join(map(text_of, found.lines))
    assert found.heading.startswith("node 5 · centred")
    assert "centred[0,0] = 1.2 − 0.8 = 0.4" in told
    assert "[0,0] −0.2145 · 2 · 0.4" in told
    assert "Σ 2 of 2 flows  [0,0] −0.2793" in told
    assert session.trace.label(session.selected) == "centred"


def test_a_saved_session_leaves_out_what_could_not_be_done(batchnorm, at_desk):
    async def script(desk):
        for line in ("next", "goto 99", "search nonesuch", "edit x[9] = 3", "select y", "nonesuch"):
            desk.app.obey(line)
            await desk.look()
        assert desk.app.session.log == ["next", "select y"]

    at_desk(batchnorm, script)
