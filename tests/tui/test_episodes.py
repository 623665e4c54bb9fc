"""From one kept optimiser step of a training to another, inside the debugger."""

from __future__ import annotations

import pytest

from gallery.knobs import settings
from gallery.training import train
from gallery.two_layers.training_xor import TRAINING
from tracer.errors import GradstepError
from tui.orders import obey
from tui.session import Session
from tui.training.episodes import Episodes


@pytest.fixture
def session() -> Session:
    """The debugger at step 1 of xor, of which steps 1, 10 and 100 were kept."""
    *_, history = train(TRAINING, settings(TRAINING.knobs, {}), steps=100)
    made = Session(history.traces[1], title="xor, optimiser step 1")
    made.episodes = Episodes("xor", history.traces, 1)
    return made


def test_another_step_is_shown_at_the_same_place_and_node(session):
    obey(session, "select W1")
    obey(session, "goto 12")
    obey(session, "select W1")
    first = session.trace.value("W1")
    obey(session, "episode 100")
    assert session.trace is session.episodes.traces[100]
    assert session.title == "xor, optimiser step 100"
    assert session.debugger.position == 12
    assert session.trace.label(session.selected) == "W1"
    assert (session.trace.value("W1") != first).all()
    assert session.message.startswith("optimiser step 100; loss 0.5003 → 0.02131")


def test_plus_and_minus_go_to_the_next_and_the_one_before(session):
    for line, step in (("episode +", 10), ("episode +", 100), ("episode -", 10)):
        obey(session, line)
        assert session.trace is session.episodes.traces[step]
    obey(session, "episode 1")
    with pytest.raises(GradstepError, match="optimiser step 1 is the first that was kept"):
        obey(session, "episode -")


def test_edits_are_gone_and_that_is_said(session):
    obey(session, "edit b2 = 1.5")
    obey(session, "episode 10")
    assert session.changes is None
    assert "the edits are gone" in session.message


def test_a_step_that_was_not_kept_is_refused_with_the_nearest(session):
    with pytest.raises(GradstepError, match="step 90 was not kept: try episode 100"):
        obey(session, "episode 90")


def test_alone_it_lists_the_kept_steps(session):
    page = obey(session, "episode")
    text = ["".join(piece.text for piece in line) for line in page.lines]
    assert text == [
        "episode 1    loss 0.5003, shown",
        "episode 10   loss 0.5",
        "episode 100  loss 0.02131",
    ]


def test_a_trace_that_stands_alone_says_how_to_get_others(session):
    session.episodes = None
    with pytest.raises(GradstepError, match="gradstep train NAME"):
        obey(session, "episode +")
