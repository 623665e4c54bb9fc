"""Placed pictures drawn without Graphviz: what is drawn, and where, is what Graphviz would draw."""

from __future__ import annotations

import math

import pytest

from tests.tracer.diagrams.audit import findings, report
from tests.tracer.diagrams.loops import lstm, truncated
from tests.tracer.diagrams.networks import batch_norm, rnn, scalar_rnn
from tracer.diagrams import diagram
from tracer.diagrams.layout.direct import can_draw, drawn_directly
from tracer.diagrams.layout.laying import layout_by
from tracer.diagrams.picture import Card, Cluster, Edge, Joint, Picture, Run
from tracer.diagrams.strokes import Curve, Ellipse, Letters, Polygon

PICTURES = [
    pytest.param(build, share, id=f"{build.__name__}-{share}")
    for build in (scalar_rnn, rnn, lstm, truncated)
    for share in (None, 0.7)
]


def picture_of(build, share) -> Picture:
    trace = build()
    step = None if share is None else int(share * trace.timeline.last)
    return diagram(trace, step=step).picture


@pytest.mark.parametrize(("build", "share"), PICTURES)
def test_the_strokes_are_those_of_graphviz_but_for_snapped_letters(build, share):
    picture = picture_of(build, share)
    ours, theirs = drawn_directly(picture).drawn, layout_by("neato", picture).drawn
    assert ours.width == pytest.approx(theirs.width, abs=12)
    assert ours.height == pytest.approx(theirs.height, abs=6)
    shapes = [[item.key for item in page.items if item.kind == "shape"] for page in (ours, theirs)]
    assert shapes[0] == shapes[1]
    there = {item.key: item for item in theirs.items}
    assert {item.key for item in ours.items} == set(there)
    for one in ours.items:
        other = there[one.key]
        assert one.tip == other.tip
        ours_said = [s for s in one.strokes if isinstance(s, Letters)]
        theirs_said = [s for s in other.strokes if isinstance(s, Letters)]
        assert [(s.text, s.paint, s.bold, s.italic) for s in ours_said] == [
            (s.text, s.paint, s.bold, s.italic) for s in theirs_said
        ]
        if one.kind == "figure":
            continue
        for mine, its in zip(ours_said, theirs_said, strict=True):
            lower = 4 if mine.lowered else 3.2  # versions of Graphviz differ
            assert mine.at[1] == pytest.approx(its.at[1], abs=lower), mine
            drift = 4 + 0.06 * (its.at[0] - theirs_said[0].at[0])
            assert mine.at[0] == pytest.approx(its.at[0], abs=drift), mine
        for kind in (Ellipse, Polygon, Curve):
            mine = [s for s in one.strokes if isinstance(s, kind)]
            its = [s for s in other.strokes if isinstance(s, kind)]
            assert [s.fill for s in mine if s.fill] == [s.fill for s in its if s.fill]
            assert {s.line for s in mine if s.line} == {s.line for s in its if s.line}
            if kind is Ellipse:
                for a, b in zip(mine, its, strict=True):
                    assert math.dist(a.middle, b.middle) < 1.5


@pytest.mark.parametrize(("build", "share"), PICTURES)
def test_no_text_leaves_its_place(build, share):
    found = findings(drawn_directly(picture_of(build, share)).drawn)
    assert not found, report(found)


def test_an_arrow_stands_at_the_end_of_its_line_and_a_flow_turns_it_round():
    shapes = (Joint("a", at=(0.0, 0.0)), Joint("b", at=(50.0, 0.0)))
    for role, tip in (("wire", 50.0), ("gradient", 0.0)):
        drawn = drawn_directly(Picture(shapes, (Edge("a", "b", role=role),), placed=True)).drawn
        (item,) = [item for item in drawn.items if item.kind == "edge"]
        (head,) = [stroke for stroke in item.strokes if isinstance(stroke, Polygon)]
        (line,) = [stroke for stroke in item.strokes if isinstance(stroke, Curve)]
        left = drawn.items[-1].strokes[0].middle[0] - 50.0
        assert head.points[0][0] - left == pytest.approx(tip)
        assert abs(line.points[-1][0] - line.points[0][0]) == pytest.approx(43.5)


def test_what_is_not_placed_or_has_frames_and_rows_is_left_to_graphviz():
    joint = Joint("a", at=(0.0, 0.0))
    text = (Run("x"),)
    assert can_draw(Picture((joint,), (), placed=True))
    assert not can_draw(Picture((joint,), ()))
    assert not can_draw(Picture((joint,), (), (Cluster("c", text),), placed=True))
    card = Card("b", text, (), (text,), at=(0.0, 0.0))
    assert not can_draw(Picture((joint, card), (), placed=True))
    assert not can_draw(diagram(batch_norm()).picture)
