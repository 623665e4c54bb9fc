"""A film: many steps on one layout, each look drawn once."""

from __future__ import annotations

import pytest

from tests.tracer.diagrams.networks import (
    batch_norm,
    circuit,
    convnet,
    neuron,
    one_gate,
    residual_block,
    rnn,
    scalar_rnn,
)
from tracer.diagrams import diagram
from tracer.diagrams.boxed import cards
from tracer.diagrams.drawing import Diagram
from tracer.diagrams.film import Film
from tracer.diagrams.layout.drawn import KEYED, ROLES, layout_of
from tracer.diagrams.layout.laying import layout_by
from tracer.diagrams.layout.pinning import pinned
from tracer.diagrams.layout.rendering import rendered
from tracer.diagrams.layout.writing import dot_text
from tracer.diagrams.picture import Card, Wire
from tracer.diagrams.strokes import Drawn, Letters, Polygon
from tracer.diagrams.writers.svg import svg_text

NETWORKS = (circuit, neuron, batch_norm, scalar_rnn, rnn)


def film_and_figure(build) -> tuple[Film, Diagram]:
    figure = diagram(build())
    last = figure.trace.timeline.last
    return figure.film(sorted({0, 1, last // 3, last // 2, last - 1, last})), figure


def said(drawn: Drawn) -> dict[str, list[tuple[str, str]]]:
    """Key to the words there and what they mean."""
    return {
        item.key: [(s.text, s.paint) for s in item.strokes if isinstance(s, Letters)]
        for item in drawn.items
        if any(isinstance(s, Letters) for s in item.strokes)
    }


def places(drawn: Drawn) -> dict[str, tuple[float, float]]:
    return {
        item.key: next(s.at for s in item.strokes if isinstance(s, Letters) and s.paint == "value")
        for item in drawn.items
        if any(isinstance(s, Letters) and s.paint == "value" for s in item.strokes)
    }


@pytest.mark.parametrize("build", NETWORKS)
@pytest.mark.slow
def test_a_frame_says_what_the_figure_of_that_step_says(build):
    film, figure = film_and_figure(build)
    for number, frame in enumerate(film.frames):
        alone = diagram(figure.trace, step=frame.position)
        expected = said(alone.drawn)
        found = said(film.drawn(number))
        expected.pop("caption", None)
        found.pop("caption", None)
        assert found == expected, frame.position
        assert frame.caption == alone.picture.caption


@pytest.mark.parametrize("build", NETWORKS)
def test_nothing_moves_from_frame_to_frame(build):
    film, _ = film_and_figure(build)
    pages = [film.drawn(number) for number in range(len(film.frames))]
    assert len({(page.width, page.height) for page in pages}) == 1
    seen: dict[str, set[tuple[float, float]]] = {}
    for page in pages:
        for key, place in places(page).items():
            seen.setdefault(key, set()).add(place)
    for key, found in seen.items():
        xs, ys = zip(*found, strict=True)
        assert max(ys) - min(ys) < 1.5, key
        assert max(xs) - min(xs) < 1.5, key


def test_what_never_changes_is_drawn_once():
    film, figure = film_and_figure(neuron)
    looks = {actor.key: len(actor.looks) for actor in film.actors}
    assert looks[f"g{figure.trace.node_index('f')}"] <= 3  # ahead, current, done
    assert sum(looks.values()) < 4 * len(looks)
    whole = figure.film()
    assert sum(len(actor.looks) for actor in whole.actors) < 4 * len(whole.actors)
    assert len(whole.frames) == figure.trace.timeline.last + 1


@pytest.mark.parametrize("build", [circuit, batch_norm, rnn])
def test_a_pinned_picture_is_drawn_where_the_layout_put_it(build):
    figure = diagram(build())
    first = figure.pinned_at(figure.trace.timeline.last)
    again = layout_of(rendered(dot_text(first, KEYED), "neato", "json"))
    by_key = {shape.key: shape for shape in first.every_shape()}
    corner = next(iter(again.spots))
    dx = again.spots[corner][0] - by_key[corner].at[0]
    dy = again.spots[corner][1] - by_key[corner].at[1]
    for key, (x, y) in again.spots.items():
        if isinstance(by_key[key], (Card, Wire)):
            assert (x - dx, y - dy) == pytest.approx(by_key[key].at, abs=1.1)


def test_every_stroke_is_painted_with_a_role():
    for build in NETWORKS:
        for item in diagram(build()).drawn.items:
            for stroke in item.strokes:
                if isinstance(stroke, Letters):
                    assert stroke.paint in ROLES
                else:
                    assert {stroke.line, stroke.fill} <= {"", *ROLES}
                    assert stroke.line or stroke.fill


def test_a_figure_in_two_themes_differs_only_in_its_colours():
    figure, dark = diagram(batch_norm()), diagram(batch_norm(), theme="dark")
    assert figure.drawn == dark.drawn
    light_text, dark_text = figure.render("svg").decode(), dark.render("svg").decode()
    for role in ROLES:
        light_text = light_text.replace(getattr(figure.palette, role), "#")
        dark_text = dark_text.replace(getattr(dark.palette, role), "#")
    assert light_text.split("\n")[3:] == dark_text.split("\n")[3:]


def test_the_theme_that_follows_the_reader_holds_both_palettes():
    figure = diagram(neuron(), theme="auto")
    svg = figure.render("svg").decode()
    assert "prefers-color-scheme:dark" in svg
    assert svg.count("--value:") == 2
    assert 'fill="#' not in svg
    assert svg == svg_text(
        figure.drawn, figure.palette, dark=figure.palette_for_the_dark, title=figure.title
    )


def tips(drawn: Drawn) -> dict[str, tuple[float, float]]:
    """Edge to the point of its arrow."""
    heads = (
        (item.key, stroke)
        for item in drawn.items
        for stroke in item.strokes
        if item.kind == "edge" and isinstance(stroke, Polygon) and stroke.fill
    )
    return {key: stroke.points[0] for key, stroke in heads if len(stroke.points) > 4}


@pytest.mark.parametrize("build", [batch_norm, one_gate, residual_block, convnet])
def test_a_pinned_arrow_points_where_the_layout_let_it_point(build):
    figure = diagram(build())
    assert build is not convnet or any(edge.backward for edge in figure.picture.edges)
    first = tips(figure.drawn)
    again = tips(layout_by("neato", pinned(figure.picture, figure.layout)).drawn)
    assert first.keys() == again.keys()
    apart = [
        (again[key][0] - first[key][0], again[key][1] - first[key][1]) for key in sorted(first)
    ]
    for dx, dy in apart:
        assert (dx, dy) == pytest.approx(apart[0], abs=4)


@pytest.mark.slow
def test_steps_inside_a_folded_gate_are_left_out_where_only_what_is_new_is_told():
    figure = diagram(rnn(4))
    every, telling = figure.film(), figure.film(telling_only=True)
    kept = [frame.position for frame in telling.frames]
    assert len(kept) < 0.75 * len(every.frames)
    by_position = {frame.position: frame.looks for frame in every.frames}
    last = 0
    folded = {k for k, actor in enumerate(every.actors) if len(actor.nodes) > 1}
    for position, looks in by_position.items():
        last = position if position in kept else last
        old = by_position[last]
        assert {k for k in range(len(looks)) if looks[k] != old[k]} <= folded


def test_every_step_of_a_circuit_tells_something():
    figure = diagram(neuron())
    assert figure.film(telling_only=True).frames == figure.film().frames


def test_what_stays_from_step_to_step_is_thought_of_once(monkeypatch):
    asked = []
    title = cards.card_title
    monkeypatch.setattr(cards, "card_title", lambda *given: asked.append(given[2]) or title(*given))
    figure = diagram(batch_norm(), style="cards")
    figure.film()
    assert len(asked) == len(set(asked))


def test_the_shapes_of_a_film_have_no_tips_and_those_of_a_figure_have():
    for build in (neuron, batch_norm):
        figure = diagram(build())
        assert any(shape.tip for shape in figure.pinned_at(3).every_shape())
        assert not any(
            shape.tip
            for shape in figure.pinned_at(3, tips=False).every_shape()
            if isinstance(shape, (Card, Wire)) and shape.nodes
        )
