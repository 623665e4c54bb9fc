"""The card style: formulas, shapes, elided numbers, frames of scopes, the main route."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.audit import findings, report
from tests.tracer.diagrams.networks import FIGURES, batch_norm, edges, residual_block, texts
from tracer.diagrams import diagram
from tracer.diagrams.boxed.cards import main_route
from tracer.diagrams.frames import part_of
from tracer.diagrams.numerals import first_numbers


def joined(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Lines from card to card, those with a number on them as one."""
    after = {tail: head for tail, head in lines if tail[0] == "c"}
    return [(tail, after.get(head, head)) for tail, head in lines if tail[0] != "c"]


def written(number: object) -> str:
    return first_numbers(number)


def test_every_number_of_a_card_is_one_of_the_trace():
    trace = batch_norm()
    found = texts(diagram(trace).dot)
    for node in trace:
        words = found[f"n{node.index}"]
        assert words["value"] == written(node.value)
        if node.gradient is None:
            assert words["quiet"].endswith("⊘ constant")
        else:
            assert words["gradient"] == "∂ " + written(node.gradient)


def test_a_card_is_titled_by_name_and_formula_and_shows_its_shape():
    trace = batch_norm()
    found = texts(diagram(trace).dot)
    xhat = found[f"n{trace.node_index('xhat')}"]
    assert xhat["ink"] == "xhat = xc · inv_std"
    assert xhat["quiet"] == "4×2"
    assert found[f"n{trace.node_index('gamma')}"]["parameter"] == "γ"


def test_what_has_no_name_is_called_by_its_formula_with_dots_for_inputs_without_names():
    trace = batch_norm()
    found = texts(diagram(trace).dot)
    inv_std = trace["inv_std"]
    root = inv_std.inputs[1]
    assert found[f"n{root.index}"]["ink"] == "√(…)"
    assert found[f"n{inv_std.index}"]["ink"] == "inv_std = 1 / …"


def test_scopes_are_frames_inside_frames_and_weights_stand_where_they_are_used():
    picture = diagram(batch_norm()).picture
    (outer,) = picture.clusters
    assert outer.label[0].text == "BatchNorm"
    assert [inner.label[0].text for inner in outer.clusters] == ["statistics", "normalise", "scale"]
    trace = batch_norm()
    keys = {shape.key for shape in outer.clusters[2].shapes}
    assert f"n{trace.node_index('gamma')}" in keys
    assert f"n{trace.node_index('x')}" in {shape.key for shape in picture.shapes}


def test_a_scope_that_is_entered_again_gets_a_frame_of_its_own():
    x = tr.tensor([1.0, 2.0], name="x")
    with tr.scope("layer"):
        h = tr.tanh(x)
    k = h * 2
    with tr.scope("layer"):
        y = tr.sum(k)
    picture = diagram(tr.trace(y)).picture
    assert [cluster.label[0].text for cluster in picture.clusters] == ["layer", "layer"]


@pytest.mark.slow
def test_ten_thousand_scopes_inside_each_other_are_drawn_without_recursion():
    from contextlib import ExitStack

    with ExitStack() as scopes:
        for k in range(10_000):
            scopes.enter_context(tr.scope("s", k=k))
        y = tr.sum(tr.tensor([1.0, 2.0], name="x") * 2)
    dot = diagram(tr.trace(y)).dot
    assert dot.count("subgraph") == 10_000
    assert dot.count("{") == dot.count("}")


def test_the_main_route_follows_the_data_and_is_drawn_heavier():
    trace = batch_norm()
    route = main_route(part_of(trace))
    names = {trace[i].name for edge in route for i in edge if trace[i].name}
    assert names == {"x", "xc", "xhat", "y", "loss"}
    heavy = joined(
        [(tail, head) for tail, head, look in edges(diagram(trace).dot) if "penwidth=2.2" in look]
    )
    assert set(heavy) == {(f"n{j}", f"n{i}") for j, i in route}


def test_arguments_keep_their_edges_when_a_value_is_used_twice():
    x = tr.tensor([1.0, 2.0], name="x")
    trace = tr.trace(tr.sum(x * x))
    lines = joined([(tail, head) for tail, head, _ in edges(diagram(trace).dot)])
    assert lines.count(("n0", "n1")) == 2


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_at_a_step_numbers_are_shown_only_when_they_are_there(share):
    trace = batch_norm()
    step = int(share * trace.timeline.last)
    found = texts(diagram(trace, step=step).dot)
    for node in trace:
        gradient = trace.timeline.gradient(step, node.index)
        words = found[f"n{node.index}"]
        assert ("value" in words) == trace.timeline.has_run(step, node.index)
        assert words.get("gradient") == (None if gradient is None else "∂ " + written(gradient))


def test_an_exactly_zero_gradient_is_marked_and_one_that_only_begins_with_zeros_is_not():
    x = tr.tensor([1.0, 2.0, 3.0], name="x")
    z = tr.tensor([1.0, 2.0, 3.0], name="z")
    trace = tr.trace(tr.sum(x * np.zeros(3) + z * np.array([0.0, 0.0, 1.0])))
    found = texts(diagram(trace).dot)
    assert "exactly zero" in found[f"n{trace.node_index('x')}"]["quiet"]
    assert "exactly zero" not in found[f"n{trace.node_index('z')}"]["quiet"]


def test_empty_boolean_and_integer_arrays_are_drawn():
    ids = tr.constant(np.array([1, 0]), name="ids")
    table = tr.parameter(np.ones((3, 2)), name="table")
    rows = table[ids]
    mask = rows > 0.5
    trace = tr.trace(
        tr.sum(tr.where(mask, rows, 0.0)) + tr.sum(tr.tensor(np.zeros((0, 3)), name="none"))
    )
    found = texts(diagram(trace).dot)
    assert found[f"n{trace.node_index('ids')}"]["value"] == "1 0"
    assert found[f"n{trace.node_index('mask')}"]["value"] == "True True …"
    assert found[f"n{trace.node_index('none')}"]["value"] == "empty"


def test_a_lone_leaf_is_a_figure_of_one_card():
    trace = tr.trace(tr.tensor([3.0, 1.0], name="x"), seed=np.ones(2))
    assert diagram(trace).shapes == 1
    assert edges(diagram(trace).dot) == []


# ----- one part of a network


def test_a_scope_is_drawn_by_itself_with_what_flows_into_it():
    trace = batch_norm()
    found = texts(diagram(trace, scope="BatchNorm.normalise").dot)
    assert {key for key in found if key[0] == "n"} == {
        f"n{trace.node_index(name)}" for name in ("xc", "inv_std", "xhat")
    }
    lines = edges(diagram(trace, scope="BatchNorm.normalise").dot)
    assert len(joined([(tail, head) for tail, head, _ in lines])) == 2


def test_an_unknown_scope_is_refused_with_the_scopes_there_are():
    with pytest.raises(tr.errors.DiagramError, match=r"'bn'(.|\n)*BatchNorm, BatchNorm.normalise"):
        diagram(batch_norm(), scope="bn")


# ----- titles


def test_a_repeated_name_bears_its_number():
    x = tr.tensor([1.0, 2.0], name="x")
    h = tr.tanh(x)
    h = tr.exp(h)
    found = texts(diagram(tr.trace(tr.sum(h))).dot)
    assert found["n1"]["quiet"].startswith("#1")
    assert found["n2"]["ink"].startswith("h = exp(h)")
    assert found["n2"]["quiet"].startswith("#2#1"), "both numbers stand low, in grey"


def test_what_only_rearranges_its_input_says_so():
    x = tr.tensor(np.ones((2, 3)), name="x")
    y = tr.reshape(x, (3, 2))
    found = texts(diagram(tr.trace(tr.sum(y))).dot)
    assert found["n1"]["ink"] == "y = reshape(x)"


def test_a_module_parameter_is_called_by_the_last_part_of_its_name():
    layer = tr.nn.Linear(2, 3, rng=np.random.default_rng(0))
    stack = tr.nn.Sequential(layer, tr.relu)
    loss = tr.sum(stack(tr.tensor(np.ones((1, 2)), name="x")))
    trace = tr.trace(loss)
    found = texts(diagram(trace).dot)
    (weight,) = [node for node in trace if node.name == "0.weight"]
    assert found[f"n{weight.index}"]["parameter"] == "weight"
    assert "0.weight" not in "".join(words.get("ink", "") for words in found.values())
    assert "0.weight" in diagram(trace).dot  # the tip has it whole


def test_a_title_never_replaces_a_part_of_a_longer_label():
    a = [tr.tensor([1.0, 2.0], name="x")]
    for _ in range(25):
        a.append(tr.sin(a[-1]))
    trace = tr.trace(tr.sum(a[2] * a[25] - a[1]))
    found = texts(diagram(trace, style="cards").dot)
    assert found["n26"]["ink"] == "… · …"


# ----- what a value with several uses gets from each


def test_each_flow_into_a_value_with_several_uses_stands_on_its_line():
    trace = residual_block()
    found = texts(diagram(trace, style="cards").dot)
    flows = trace.flows_into(trace.node_index("x"))
    assert len(flows) == 2
    for flow in flows:
        edge = int(trace.input_start[flow.consumer]) + flow.argument
        assert found[f"c{edge}"]["gradient"] == written(flow.cotangent)
    early = texts(diagram(trace, style="cards", step=0).dot)
    assert not any(key[0] == "c" and words.get("gradient") for key, words in early.items())


# ----- the shape of a figure


@pytest.mark.slow
@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "convnet", "transformer"])
def test_a_row_too_wide_for_a_page_is_broken_into_rows(name):
    trace = FIGURES[name]()
    rows, row = (diagram(trace, style="cards", direction=way).drawn for way in ("rows", "right"))
    assert row.width > 4 * row.height
    assert rows.width < 2.6 * rows.height
    assert diagram(trace, style="cards").drawn == rows
    assert not findings(rows), report(findings(rows))
    last = trace.timeline.last
    for step in (0, last // 2, last):
        at_step = diagram(trace, style="cards", step=step).drawn
        assert not findings(at_step), report(findings(at_step))


def test_what_fits_a_page_stays_one_row():
    for trace in (residual_block(), FIGURES["residual"]()):
        row = diagram(trace, style="cards", direction="right").drawn
        assert diagram(trace, style="cards").drawn.width == pytest.approx(row.width)


def test_a_line_that_is_cut_goes_on_in_the_next_row_and_still_ends_at_its_card():
    figure = diagram(batch_norm(), style="cards")
    layout = figure.layout
    for number, edge in enumerate(figure.picture.edges):
        path = layout.paths[f"e{number}"]
        ends = (path[-1], path[0]) if edge.backward else (path[0], path[-1])
        for key, (x, y) in zip((edge.tail, edge.head), ends, strict=True):
            at = layout.spots[key]
            assert abs(x - at[0]) < 130, (edge.tail, edge.head)
            assert abs(y - at[1]) < 60, (edge.tail, edge.head)


def test_a_frame_that_is_cut_goes_on_in_the_next_row_and_says_so():
    boxes = diagram(batch_norm(), style="cards").layout.boxes
    assert {"f0", "f0_2"} <= set(boxes)
    upper, lower = boxes["f0"], boxes["f0_2"]
    assert lower[3] < upper[1]
    assert "continued" in diagram(batch_norm(), style="cards").render("svg").decode()


@pytest.mark.parametrize("style", ["cards", "outline", "backward"])
def test_a_figure_can_go_down_the_page(style):
    trace = batch_norm()
    page = diagram(trace, style=style, direction="down").drawn
    assert page.height > 1.2 * page.width
    if style != "outline":  # whose frames are so narrow that some line runs through a label
        assert not findings(page), report(findings(page))


def test_a_long_bow_leaves_no_empty_page_below_it():
    drawn = diagram(residual_block(), style="cards").drawn
    low = max(
        y
        for item in drawn.items
        for stroke in item.strokes
        for _, y in getattr(stroke, "points", ())
    )
    assert drawn.height - low < 40


@pytest.mark.parametrize(
    ("style", "more"),
    [
        ("circuit", {"direction": "down"}),
        ("cards", {"direction": "up"}),
        ("cards", {"local": True}),
        ("outline", {"local": True}),
    ],
)
def test_what_a_style_cannot_show_is_refused_with_one_that_can(style, more):
    with pytest.raises(tr.errors.DiagramError, match="try: "):
        diagram(FIGURES["circuit"](), style=style, **more)


def test_captions_call_a_node_as_its_card_does():
    trace = batch_norm()
    figures = (diagram(trace, style="cards", step=k) for k in range(trace.timeline.last + 1))
    said = " ".join(
        run.text for figure in figures for line in figure.picture.caption for run in line
    )
    assert "forward: γ · xhat" in said or "forward: gamma · xhat" in said
    assert "@" not in said


def test_numbers_that_are_zero_at_first_say_how_large_the_others_are():
    x = tr.tensor([0.0, 0.0, 3.0, -4.0], name="x")
    found = texts(diagram(tr.trace(tr.sum(x * x))).dot)
    assert found["n0"]["value"] == "0 0 … rms 2.50"


def test_a_flow_on_its_way_back_points_at_the_value_it_reaches():
    trace = residual_block()
    x = trace.node_index("x")
    for step in range(trace.timeline.last + 1):
        at = trace.timeline.step(step)
        if at.phase != "backward" or at.argument is None:
            continue
        if trace.inputs_of(at.node)[at.argument] != x:
            continue
        lines = diagram(trace, style="cards", step=step).picture.edges
        red = [line for line in lines if line.role == "gradient"]
        assert (red[0].tail, red[0].arrow) == (f"n{x}", True)
        assert not red[1].arrow
        assert red[0].head == red[1].tail
        break
    else:
        pytest.fail("no flow reached x")
