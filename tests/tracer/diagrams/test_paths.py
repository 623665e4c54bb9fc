"""The paths style: routes with what each contributes, drawn apart without colour, and summed below the figure."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import (
    badly_named,
    batch_norm,
    branching,
    circuit,
    edges,
    highway,
    lstm,
    residual,
    rnn,
    texts,
    transformer,
)
from tracer.diagrams import diagram
from tracer.diagrams.frames import part_of
from tracer.diagrams.names import text_of
from tracer.diagrams.numerals import numeral
from tracer.diagrams.routes.bundles import braid_of
from tracer.errors import DiagramError


def block(count: int = 1) -> tr.Trace:
    """Residual blocks h = F(h) + h in scalars."""
    h = tr.tensor(1.5, name="x")
    for k in range(count):
        w = tr.parameter(0.8 - 0.3 * k, name=f"w{k}")
        with tr.scope(f"F{k}"):
            f = tr.tanh(w * h)
        h = f + h
    return tr.trace(h)


def sum_line(trace: tr.Trace, **options: object) -> str:
    """The sum below a figure."""
    picture = diagram(trace, style="paths", **options).picture  # type: ignore[arg-type]
    return text_of(picture.caption[0])


def braid(trace: tr.Trace, around: str | int | None = None):
    return braid_of(part_of(trace), around)


def test_a_residual_block_has_two_paths_that_add_up():
    trace = block()
    through, skip = (float(bundle.contribution) for bundle in braid(trace).bundles)
    assert through == pytest.approx(0.8 * (1 - np.tanh(1.2) ** 2))
    assert skip == 1.0
    assert sum_line(trace) == "∂L/∂x = 0.24 (through F0) + 1.00 (skip) = 1.24"


def test_two_residual_blocks_have_four_paths_each_named_by_its_stretches():
    assert [bundle.name for bundle in braid(block(2)).bundles] == [
        "F0, then F1",
        "F0, then skip",
        "skip, then F1",
        "skip, then skip",
    ]


def test_of_three_blocks_the_first_two_are_told_apart_and_the_others_counted():
    trace = block(3)
    found = braid(trace)
    assert (found.meeting.routes, found.total) == (4, 8)
    picture = diagram(trace, style="paths").picture
    assert (
        text_of(picture.caption[-1]) == "8 routes from L to x; here they are told apart below h#2"
    )


def test_a_highway_carries_beside_its_transform_and_its_gate():
    """LECTURES section 5: y = σ(p) σ(s) + (1 − σ(p)) p."""
    found = braid(highway())
    assert found.source == highway().node_index("p")
    assert [bundle.name for bundle in found.bundles].count("carry") == 1
    assert len(found.bundles) == 4


@pytest.mark.parametrize(
    "build", [branching, highway, residual, batch_norm, transformer, rnn, lambda: block(3)]
)
def test_contributions_add_up_to_the_gradient(build):
    trace = build()
    found = braid(trace)
    total = sum(np.asarray(bundle.contribution) for bundle in found.bundles)
    gradient = trace.gradient(found.source)
    np.testing.assert_allclose(total, gradient, rtol=1e-9, atol=1e-12 * np.abs(gradient).max())


def test_every_path_has_a_line_that_needs_no_colour():
    dot = diagram(block(2), style="paths").dot
    looks = {
        key: [rest for _, head, rest in edges(dot) if head == key]
        for key in ("t0", "t1", "t2", "t3")
    }
    assert "style" not in looks["t0"][0]
    assert "style=dashed" in looks["t1"][0]
    assert "style=dotted" in looks["t2"][0]
    assert ":invis:" in looks["t3"][0]


def test_lines_lead_along_the_operations_of_their_path():
    trace = block()
    lines = {
        (tail, head)
        for tail, head, rest in edges(diagram(trace, style="paths").dot)
        if "invis" not in rest
    }
    mul, tanh, add = (node.index for node in trace if not node.is_leaf)
    assert {
        ("t0", f"g{mul}"),
        (f"g{mul}", f"g{tanh}"),
        (f"g{tanh}", f"g{add}"),
        ("t1", f"g{add}"),
    } <= lines


def test_where_several_paths_run_together_each_has_its_line_and_where_all_do_they_share_one():
    trace = block(2)
    drawn = [edge for edge in diagram(trace, style="paths").picture.edges if not edge.hidden]
    mul, tanh, add, *_ = (node.index for node in trace if not node.is_leaf)
    together = [edge.role for edge in drawn if (edge.tail, edge.head) == (f"g{mul}", f"g{tanh}")]
    assert together == ["route0", "route1"]
    assert [edge.role for edge in drawn if edge.tail == f"g{add}"] == ["wire"]


def test_around_names_the_value_whose_gradient_is_taken_apart():
    trace = block(2)
    assert [b.name for b in braid(trace, "h#1").bundles] == ["through F1", "skip"]
    assert sum_line(trace, around="h#1").startswith("∂L/∂h = ")
    (only,) = braid(trace, "w1").bundles
    assert float(only.contribution) == trace.gradient("w1")
    assert sum_line(trace, around="w1") == f"∂L/∂w1 = {numeral(trace.gradient('w1'))}"


def test_more_than_four_flows_are_the_three_largest_and_the_others():
    trace = rnn(8)
    found = braid(trace, "waa")
    flows = sorted(np.linalg.norm(flow.cotangent) for flow in trace.flows_into("waa"))
    assert [bundle.name for bundle in found.bundles].count("5 others") == 1
    kept = sorted(np.linalg.norm(b.contribution) for b in found.bundles if len(b.entries) == 1)
    np.testing.assert_allclose(kept, flows[-3:])
    assert found.total == sum(bundle.routes for bundle in found.bundles)


def test_sixty_doublings_are_told_with_a_count():
    y = tr.tensor(1.0)
    for _ in range(60):
        y = y + y
    figure = diagram(tr.trace(y), style="paths")
    assert len(braid(tr.trace(y)).bundles) == 4
    assert "about 1.2×10¹⁸ routes from L" in " ".join(map(text_of, figure.picture.caption))


def test_a_way_through_many_steps_is_named_by_whole_words():
    w, h = tr.parameter(0.5, name="w"), tr.tensor(0.1, name="h0")
    for t in range(1, 5):
        with tr.scope("rnn", t=t):
            h = tr.tanh(h * 0.5 + w)
    trace = tr.trace(h)
    names = [bundle.name for bundle in braid(trace).bundles]
    assert names[0] == "through rnn[t=1] … rnn[t=4]"
    shown = [text_of(line) for line in diagram(trace, style="paths").picture.caption]
    assert all(any(f"({name})" in line for line in shown) for name in names)


def test_many_routes_between_two_stretches_are_one_line():
    picture = diagram(lstm(30), style="paths").picture
    lines = Counter((edge.tail, edge.head) for edge in picture.edges if not edge.hidden)
    assert max(lines.values()) <= 2


def test_a_long_stretch_of_operations_is_one_station():
    x = y = tr.tensor(0.5, name="x")
    with tr.scope("deep"):
        for _ in range(40):
            y = tr.tanh(y)
    found = texts(diagram(tr.trace(y + x), style="paths").dot)
    assert [words["ink"] for words in found.values() if "operations" in words.get("ink", "")] == [
        "deep: 40 operations"
    ]


def test_arrays_are_added_element_by_element_and_the_figure_says_so():
    figure = diagram(batch_norm(), style="paths")
    lines = [text_of(line) for line in figure.picture.caption]
    assert "arrays add element by element; the first 2 of 4×2 numbers are shown" in lines
    assert "[" in lines[0]
    found = braid(batch_norm())
    sizes = [numeral(np.sqrt(np.mean(bundle.contribution**2))) for bundle in found.bundles]
    whole = numeral(np.sqrt(np.mean(batch_norm().gradient("x") ** 2)))
    assert f"their sizes do not add: rms {', '.join(sizes)}; of the sum {whole}" in lines


def test_a_contribution_stands_there_only_when_its_flow_has_come():
    trace = block()
    last = trace.timeline.last
    found = texts(diagram(trace, style="paths", step=trace.timeline.after_backward(trace.loss)).dot)
    assert found["t1"]["route1"] == "skip1.00"
    assert found["t0"]["route0"] == "through F0"
    assert found["t0"]["quiet"] == "○"
    assert sum_line(trace, step=last - 2) == "∂L/∂x = ○ (through F0) + 1.00 (skip)"


def test_the_frames_of_a_walk_have_the_same_shapes_and_lines():
    trace = highway()
    pictures = [
        diagram(trace, style="paths", step=step).picture for step in range(trace.timeline.last + 1)
    ]
    assert len({tuple(shape.key for shape in p.every_shape()) for p in pictures}) == 1
    assert len({tuple((edge.tail, edge.head) for edge in p.edges) for p in pictures}) == 1


def test_local_derivatives_are_written_as_the_factors_of_each_path():
    picture = diagram(block(), style="paths", local=True).picture
    lines = [text_of(line) for line in picture.caption]
    assert "through F0: 1.00 · 1.00 · 0.31 · 0.80 = 0.24" in lines
    assert "skip: 1.00 · 1.00 = 1.00" in lines


def test_paths_are_drawn_only_on_request():
    assert diagram(block()).style == "circuit"


def test_where_nothing_branches_the_error_says_what_to_ask_for():
    with pytest.raises(DiagramError, match="every gradient here has a single flow\n  try: around"):
        diagram(circuit(), style="paths")
    with pytest.raises(DiagramError, match="is the seed"):
        diagram(block(), style="paths", around="h")


def test_a_value_without_a_gradient_has_no_path():
    trace = batch_norm()
    with pytest.raises(
        DiagramError, match="no gradient path leads to target: its gradient is blocked"
    ):
        diagram(trace, style="paths", around="target")


def test_hostile_names_are_only_text():
    trace = badly_named()
    content = diagram(trace, style="paths", around=0).render("svg").decode()
    assert "<b>" not in content
    assert "&lt;b&gt;" in content
