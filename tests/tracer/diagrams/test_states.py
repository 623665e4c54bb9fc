"""The states of a gradient are told apart by glyph and word in every style; what is not computed is never a number."""

from __future__ import annotations

import pytest

from tests.tracer.diagrams.test_geometry import fitting, trace_of
from tests.tracer.diagrams.test_numbers import NUMBER, of_node
from tracer.diagrams import diagram
from tracer.timeline import GLYPHS, STATES, GradientStatus, Timeline


@pytest.mark.slow
@pytest.mark.parametrize("name", ["every_state", "every_state_of_arrays", "four_steps", "sentence"])
def test_every_state_of_a_gradient_is_told_by_glyph_and_word(name):
    """A number only if some of it has come; else the glyph of the state, and its word beside it or below."""
    trace = trace_of(name)
    timeline = trace.timeline
    for style in fitting(name):
        for step in range(0, timeline.last + 1, 1 + timeline.last // 18):
            picture = diagram(trace, style=style, step=step).picture
            caption = " ".join(run.text for line in picture.caption for run in line)
            for shape in picture.every_shape():
                i = of_node(shape.key)
                if i is None or not (hasattr(shape, "gradient") or getattr(shape, "rows", ())):
                    continue
                texts = [shape.gradient] if hasattr(shape, "gradient") else shape.rows[-1:]
                runs = [run for text in texts for run in text]
                status = timeline.status(step, i)
                drawn = "".join(run.text for run in runs if run.role == "gradient")
                marks = "".join(run.text for run in runs if run.role == "quiet")
                where = f"{style} {step} {shape.key} {status}"
                if status.state in ("partial", "final"):
                    assert NUMBER.search(drawn) or "True" in drawn or "empty" in drawn, where
                else:
                    assert not NUMBER.search(drawn), where
                    assert status.glyph in marks, where
                if status.state == "partial":
                    assert f"{status.glyph} {status.arrived}/{status.expected}" in marks, where
                if status.state != "final":
                    word = "constant" if status.reason == "constant" else status.state
                    assert word in marks + caption, where
                assert style == "backward" or status.state in shape.tip, where


def test_a_gradient_that_was_not_recorded_says_so(monkeypatch):
    trace = trace_of("circuit")
    status = Timeline.status
    monkeypatch.setattr(
        Timeline,
        "status",
        lambda self, position, i: (
            GradientStatus("not recorded", 0, 0) if i == 0 else status(self, position, i)
        ),
    )
    for style in fitting("circuit"):
        for shape in diagram(trace, style=style).picture.every_shape():
            if shape.key == "n0" and (hasattr(shape, "gradient") or getattr(shape, "rows", ())):
                texts = [shape.gradient] if hasattr(shape, "gradient") else shape.rows[-1:]
                words = "".join(run.text for text in texts for run in text)
                assert words.strip() == "? not recorded", style


def test_the_glyphs_of_all_states_differ():
    assert len({GLYPHS[state] for state in STATES}) == len(STATES)
