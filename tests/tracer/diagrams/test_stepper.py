"""The page in which one steps through a trace: what it says of each step, what it weighs, what it lets through."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from tests.tracer.diagrams.networks import HOSTILE, batch_norm, branching, neuron, rnn
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tracer.diagrams import Diagram, diagram
from tracer.diagrams.stepper import stepper_cell, stepper_page, stepper_part
from tracer.diagrams.stepper.stage import by_variable, faces, staged
from tracer.diagrams.stepper.steps import LEVEL, LOWERED, positions, told
from tracer.diagrams.strokes import Drawn
from tracer.diagrams.writers.svg import stroke_lines

SCRIPT = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=2>"


def hostile() -> tr.Trace:
    """A product of parameters whose names would like to be markup."""
    y = tr.tensor(1.0, name=SCRIPT)
    for name in (*HOSTILE, "]]>", "<!--", "';window.pwned=3;'", "A" * 10_000):
        with tr.scope(name):
            y = y * tr.parameter(0.5, name=name)
    return tr.trace(y)


@cache
def page_of(build: Callable[[], tr.Trace]) -> str:
    """The page of a circuit."""
    return stepper_page(diagram(build(), style="circuit"))


def data_of(page: str) -> dict:
    """The frames that the script reads."""
    return json.loads(
        re.search(r'<script type="application/json" class="film">(.*?)</script>', page)[1]
    )


def letters_of(drawn: Drawn) -> Counter[str]:
    """Every line of text on a page of a film."""
    lines = (line for item in drawn.items for line in stroke_lines(item.strokes, by_variable))
    return Counter(html.unescape(re.sub(r"<[^>]*>", "", line)) for line in lines if "<text" in line)


# ----- what is said of a step


def test_a_forward_step_shows_names_numbers_and_the_result():
    step = told(neuron(), 3)
    assert step.formula == (
        "s",
        "= mul@5 + mul@6",
        "= −2 + 6",
        "= 4",
    )
    assert step.words == "add of mul@5 and mul@6 gives s = 4."


def test_the_last_forward_step_says_where_the_backward_pass_starts():
    trace = neuron()
    words = told(trace, trace.timeline.forward_steps).words
    assert words.endswith("f is the loss L: the backward pass starts here, with ∂L/∂f = 1.")


def test_a_backward_step_shows_upstream_times_local_with_numbers():
    trace = neuron()
    step = told(trace, trace.timeline.last)
    assert step.formula[0] == f"∂L/∂x{LOWERED}0{LEVEL}"
    assert step.formula[2:] == ("= 0.1966 · 2", "= 0.3932")
    assert step.formula[1].startswith("+= ")


def test_partial_sums_are_counted_and_the_last_flow_makes_a_gradient_final():
    trace = branching()
    said = [told(trace, k).words for k in range(trace.timeline.last + 1)]
    to_x = [words for words in said if " to x." in words]
    assert len(to_x) == 3
    assert "Flow 1 of 3: the gradient of x is 1 so far." in to_x[0]
    assert "Flow 3 of 3: the gradient of x is final," in to_x[2]


def test_arrays_are_elided_with_their_shapes():
    trace = batch_norm()
    first = told(trace, 1)
    assert re.search(r"gives mu = \[\S+ \S+\] \(2\)\.$", first.words)
    assert any("…" in line for line in told(trace, 2).formula)


def test_the_result_of_each_step_is_the_number_of_the_trace():
    trace = neuron()
    for k in range(1, trace.timeline.last + 1):
        step = told(trace, k)
        edge = trace.timeline.flow_at(k)
        number = trace.value(step.node) if edge is None else trace.flow(edge).cotangent
        shown = float(step.formula[-1].split()[-1].replace("−", "-"))
        assert shown == pytest.approx(float(number), rel=5e-4)


def test_a_leaf_alone_has_a_beginning_and_nothing_else():
    trace = tr.trace(tr.tensor(2.0, name="x"))
    assert positions(trace.timeline) == [0]
    assert told(trace, 0).formula == ()


def test_a_long_walk_is_shown_in_part_with_its_ends_and_its_turn():
    x = y = tr.tensor(1.0, name="x")
    for _ in range(700):
        y = y * x
    timeline = tr.trace(y).timeline
    shown = positions(timeline)
    assert len(shown) <= 1001 < timeline.last
    assert {0, timeline.forward_steps, timeline.last} <= set(shown)
    assert shown == sorted(set(shown))


# ----- what the figure shows


@needs_graphviz
@pytest.mark.parametrize("build", [neuron, batch_norm, branching])
def test_every_frame_of_the_stage_shows_the_texts_of_the_film(build):
    """The looks are put on as the script does it."""
    trace = build()
    film = diagram(trace).film()
    stage = staged(film, trace, 0, title="figure")
    groups = re.findall(
        r'<g class="v[^>]*>(?:<title>.*?</title>)?\n(.*?)\n</g>', stage.svg, re.DOTALL
    )
    still = re.sub(r'<g class="v[^>]*>.*?</g>', "", stage.svg, flags=re.DOTALL)
    fixed = Counter(
        html.unescape(re.sub(r"<[^>]*>", "", line)) for line in re.findall(r"<text.*", still)
    )
    assert len(groups) == len(stage.changes)
    for number in range(len(film.frames)):
        seen = Counter(fixed)
        for group, (turns, looks, dresses) in zip(groups, stage.changes, strict=True):
            look = [look for turn, look in zip(turns, looks, strict=True) if turn <= number][-1]
            for line, dress in zip(group.split("\n"), dresses[look], strict=True):
                if line.startswith("<text") and dress >= 0:
                    seen[html.unescape(re.sub(r"<[^>]*>", "", line))] += 1
        assert seen == letters_of(film.drawn(number)._replace(items=_without_caption(film, number)))


def _without_caption(film, number):
    return tuple(item for item in film.drawn(number).items if item.key != "caption")


# ----- the page


@needs_graphviz
def test_the_pages_of_the_lectures_are_small():
    sizes = {
        name: len(stepper_page(diagram(tr.trace(GALLERY[name].build()))).encode())
        for name in ("sigmoid_neuron", "batchnorm")
    }
    assert sizes["sigmoid_neuron"] <= 40 * 1024
    assert sizes["batchnorm"] <= 150 * 1024


@needs_graphviz
def test_the_same_trace_gives_the_same_bytes_and_another_trace_other_ids():
    pages = [page_of(neuron), stepper_page(diagram(neuron())), page_of(branching)]
    marks = [re.search(r'<main id="(\w+)"', page)[1] for page in pages]
    assert pages[0] == pages[1]
    assert marks[0] == marks[1] != marks[2]


@needs_graphviz
def test_a_page_names_no_address_and_its_policy_allows_only_its_own_script():
    page = page_of(neuron)
    assert not re.search(r"https?:|//\w|url\(|@import|\bsrc=", page.replace("data:,", ""))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "eval" not in script
    assert "innerHTML" not in script


@needs_graphviz
def test_every_id_of_a_part_begins_with_the_mark_of_its_export():
    part = stepper_part(diagram(neuron()))
    mark = re.search(r'<main id="(\w+)"', part)[1]
    assert all(found.startswith(mark) for found in re.findall(r'\bid="([^"]*)"', part))


@needs_graphviz
@pytest.mark.parametrize("make", [stepper_page, stepper_part, stepper_cell])
def test_hostile_names_are_text_and_nothing_else(make):
    content = make(diagram(hostile(), style="circuit"), title=SCRIPT)
    assert "<img" not in content
    assert "window.pwned=1</script>" not in content
    assert content.count("<script") == (0 if make is stepper_cell else 2)


@needs_graphviz
def test_json_holds_no_angle_bracket_and_reads_back():
    page = page_of(hostile)
    body = re.search(r'class="film">(.*?)</script>', page)[1]
    assert "<" not in body
    assert any("<!--" in frame["words"] for frame in json.loads(body)["frames"])


@needs_graphviz
def test_a_page_opens_at_the_step_of_its_diagram():
    trace = neuron()
    assert data_of(stepper_page(diagram(trace, step=5)))["first"] == 5
    assert data_of(page_of(neuron))["first"] == 0


@needs_graphviz
def test_the_legend_has_only_the_marks_that_the_trace_shows():
    page, branched = page_of(neuron), page_of(branching)
    assert "not reached:" in page
    assert "partial:" not in page
    assert "partial:" in branched


@needs_graphviz
def test_a_theme_that_was_asked_for_has_no_other_beside_it():
    assert "prefers-color-scheme" in page_of(neuron)
    assert "prefers-color-scheme" not in stepper_page(diagram(neuron(), theme="dark"))


@needs_graphviz
def test_a_diagram_is_saved_as_a_page(tmp_path):
    path = neuron().diagram().save(tmp_path / "walk.html")
    assert path.read_text("utf-8") == page_of(neuron)


@needs_graphviz
def test_an_operation_folded_into_another_is_shown_at_that_one():
    w, h = tr.parameter(np.eye(2)), tr.tensor(np.ones(2), name="h0")
    for t in range(1, 3):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w @ h + 1.0)
    figure: Diagram = diagram(tr.trace(tr.sum(h)))
    keys = {actor.key for actor in figure.film([0]).actors}
    nodes = {frame["node"] for frame in data_of(stepper_page(figure))["frames"]} - {-1}
    assert all({f"g{node}", f"n{node}"} & keys for node in nodes)


# ----- folded boxes


def test_the_steps_inside_a_folded_box_belong_to_that_box():
    h = tr.tensor(np.ones((2, 2)), name="x")
    for k in range(12):
        with tr.scope("layer", k=k):
            for _ in range(4):
                h = tr.tanh(h * 0.9)
    trace = tr.trace(tr.sum(h))
    figure = diagram(trace, style="cards", most=20)
    film = figure.film([0, 30, trace.timeline.last])
    box = max(film.actors, key=lambda actor: len(actor.nodes))
    assert len(box.nodes) > 20
    found = faces(film, trace)
    operations = [i for i in box.nodes if trace.op_of[i] >= 0]
    assert {found[i] for i in operations} == {operations[-1]}
    assert found[trace.loss] == trace.loss
    svg = staged(film, trace, 0, title="").svg
    assert f'data-node="{operations[-1]}" role="button"' in svg
    assert f"{len(box.nodes)} nodes, the last" in svg


@pytest.mark.parametrize("style", ["unrolled", "rolled", "outline", "paths", "backward", "cards"])
def test_every_step_of_every_style_leads_to_a_shape_that_one_can_click(style):
    trace = rnn(4)
    film = diagram(trace, style=style).film([0, trace.timeline.last])
    svg = staged(film, trace, 0, title="").svg
    buttons = set(map(int, re.findall(r'data-node="(\d+)" role="button"', svg)))
    assert buttons
    found = faces(film, trace)
    shown = {i for actor in film.actors for i in actor.nodes if trace.op_of[i] >= 0}
    assert {found[i] for i in shown} <= buttons


def test_what_the_figure_shortens_has_a_name_in_the_words_and_no_brackets_twice():
    x, t = tr.tensor([1.0, 2.0], name="x"), tr.tensor([0.5, 0.5], name="t")
    loss = tr.mean((x - t) ** 2)
    trace = tr.trace(loss)
    diagram = tr.diagram(trace)
    said = [told(trace, k, diagram.called) for k in range(1, trace.timeline.last + 1)]
    assert any("…" in diagram.called(k) for k in range(len(trace)))
    assert not any(
        line.startswith(("…", "∂L/∂…")) or "((x − t))" in line for s in said for line in s.formula
    )
    assert "(x − t)² sends" in said[-3].words
    assert said[-3].formula[:2] == ("∂L/∂(x − t)", "+= ∂L/∂((x − t)²) · 2 · (x − t)")
