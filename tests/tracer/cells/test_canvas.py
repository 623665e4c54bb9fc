"""What is painted into the cells of a window."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tracer.cells.canvas import Thread, Window, crossing, node_at, paint, visible_nodes, wires
from tracer.cells.meanings import Kind, Look
from tracer.cells.stamps import Face, stamp
from tracer.layered.layers import Graph
from tracer.layered.layout import arrange
from tracer.layered.ports import Shape

CIRCUIT = Graph(((), (), (), (0, 1), (3, 2)), frozenset({0, 1, 2}))


def face(name: str, **more: object) -> Face:
    rows = (("", "3", Kind.VALUE), ("∂", "-4", Kind.GRADIENT))
    return Face(name, "op", rows, **more)  # type: ignore[arg-type]


def thread(layout, node: int, argument: int, *, backward: bool) -> Thread:
    return Thread(tuple(layout.path(node, argument)), backward, layout.ends(node, argument))


def circuit(*, down: bool = False, **looks: Look):
    layout = arrange(CIRCUIT, [Shape(12, 4)] * 5, down=down)
    faces = {n: face(name, look=looks.get(name, Look.PLAIN)) for n, name in enumerate("xyzqf")}
    return layout, faces


def whole(layout) -> Window:
    return Window(0, 0, layout.width, layout.height)


def test_the_circuit_of_the_lecture_is_drawn_with_boxes_wires_and_tips():
    layout, faces = circuit()
    assert paint(layout, whole(layout), faces).text().splitlines() == [
        "  ╭ x op ────╮",
        "  │        3 ├─╮",
        "  │ ∂     -4 │ │  ╭ q op ────╮",
        "  ╰──────────╯ ╰─▶│        3 ├─╮",
        "  ╭ y op ────╮ ╭─▶│ ∂     -4 │ │  ╭ f op ────╮",
        "  │        3 ├─╯  ╰──────────╯ ╰─▶│        3 │",
        "  │ ∂     -4 │    ╭ z op ────╮ ╭─▶│ ∂     -4 │",
        "  ╰──────────╯    │        3 ├─╯  ╰──────────╯",
        "                  │ ∂     -4 │",
        "                  ╰──────────╯",
    ]


def test_the_circuit_runs_down_with_its_wires_between_lower_and_upper_borders():
    layout, faces = circuit(down=True)
    assert paint(layout, whole(layout), faces).text().splitlines() == [
        "╭ x op ────╮ ╭ y op ────╮",
        "│        3 │ │        3 │",
        "│ ∂     -4 │ │ ∂     -4 │",
        "╰───────┬──╯ ╰───────┬──╯",
        "        │            │",
        "        ╰───╮    ╭───╯",
        "            ▼    ▼",
        "         ╭ q op ────╮ ╭ z op ────╮",
        "         │        3 │ │        3 │",
        "         │ ∂     -4 │ │ ∂     -4 │",
        "         ╰───────┬──╯ ╰───────┬──╯",
        "                 │            │",
        "                 ╰────╮    ╭──╯",
        "                      ▼    ▼",
        "                   ╭ f op ────╮",
        "                   │        3 │",
        "                   │ ∂     -4 │",
        "                   ╰──────────╯",
    ]


@pytest.mark.parametrize("down", [False, True], ids=["right", "down"])
def test_a_window_shows_the_same_cells_as_the_whole_drawing(down):
    layout, faces = circuit(down=down)
    threads = [thread(layout, 4, 0, backward=True)]
    full = paint(layout, whole(layout), faces, threads)
    for x in range(0, layout.width, 3):
        for y in range(0, layout.height, 2):
            part = paint(layout, Window(x, y, 9, 4), faces, threads)
            for name in ("char", "kind", "look", "owner"):
                expected = getattr(full, name)[y : y + 4, x : x + 9]
                actual = getattr(part, name)[: expected.shape[0], : expected.shape[1]]
                np.testing.assert_array_equal(actual, expected, err_msg=f"{name} at {x},{y}")


def test_crossing_wires_of_two_values_are_not_joined():
    layout = arrange(Graph(((), (), (1,), (0,), (2, 3), (3, 2))), [Shape(12, 4)] * 6)
    text = paint(layout, whole(layout), {}).text()
    assert "┼" not in text
    assert "│─" in text


def test_the_frame_alone_tells_current_operand_and_not_run():
    frames = {
        look: "".join(map(chr, stamp(face("a", look=look), Shape(9, 4), None)[0][0]))
        for look in Look
    }
    assert frames[Look.CURRENT].startswith("╔")
    assert frames[Look.OPERAND].startswith("┏")
    assert "┄" in frames[Look.AHEAD]
    assert frames[Look.PLAIN].startswith("╭")


def test_a_lit_wire_is_heavy_and_points_back_when_something_flows_back():
    layout, faces = circuit()
    forward = paint(layout, whole(layout), faces, [thread(layout, 3, 0, backward=False)]).text()
    backward = paint(layout, whole(layout), faces, [thread(layout, 3, 0, backward=True)]).text()
    assert "├━┓" in forward
    assert "┗━▶" in forward
    assert "├◀┓" in backward
    assert "┗━━" in backward


def test_marks_counts_and_selection_are_written_into_the_border():
    layout = arrange(Graph(((),)), [Shape(16, 4)])
    cells = paint(
        layout, whole(layout), {0: face("xhat", mark="●", count="1/2", foot="32×64", selected=True)}
    )
    top, *_, bottom = cells.text().splitlines()
    assert top.strip() == "╭[xhat op]────●╮"
    assert bottom.strip() == "╰ 32×64 ─── 1/2╯"


def test_a_long_name_is_elided_and_the_box_keeps_its_width():
    layout = arrange(Graph(((),)), [Shape(12, 4)])
    cells = paint(layout, whole(layout), {0: face("embedding_weight")})
    assert cells.text().splitlines()[0].strip() == "╭ embeddi… ╮"


def test_a_cell_knows_its_node():
    layout, faces = circuit()
    cells = paint(layout, whole(layout), faces)
    for node, box in enumerate(layout.boxes):
        assert cells.owner[box.y, box.x] == node
        assert node_at(layout, box.x, box.y) == node
    assert node_at(layout, 0, 0) is None
    assert visible_nodes(layout, Window(0, 0, 10, 2)) == [0]


def lines_of(face: Face, shape: Shape, exit_: tuple[int, int] | None = None) -> list[str]:
    return ["".join(map(chr, row)) for row in stamp(face, shape, exit_)[0]]


def test_a_box_of_several_nodes_has_a_second_edge_whatever_its_state():
    shape = Shape(13, 5, shadow=True)
    assert lines_of(face("bn", foot="+34 rms", count="3/8"), shape, (1, 12)) == [
        "╭ bn op ───╮╮",
        "│        3 │├",
        "│ ∂     -4 ││",
        "╰ +34 ─ 3/8╯│",
        " ╰──────────╯",
    ]
    frames = {look: "".join(lines_of(face("bn", look=look), shape)) for look in Look}
    plain = [Look.PLAIN, Look.REACHED, Look.SELECTED]
    assert len({text for look, text in frames.items() if look not in plain}) == 3
    for look, text in frames.items():
        alone = "".join(lines_of(face("bn", look=look), Shape(13, 5)))
        assert text != alone


def test_at_little_detail_a_box_is_a_name_or_a_sign_and_its_state_still_shows():
    for form, shape in (("line", Shape(9, 1)), ("dot", Shape(3, 1))):
        looks = [Look.PLAIN, Look.AHEAD, Look.CURRENT, Look.OPERAND]
        seen = {lines_of(face("xhat", look=look, form=form), shape)[0] for look in looks}
        assert len(seen) == 4
        folded = lines_of(face("xhat", form=form), Shape(shape.width + 1, 1, shadow=True))
        marked = lines_of(face("xhat", form=form, mark="●"), shape)
        chosen = lines_of(face("xhat", form=form, selected=True), shape)
        assert folded[0].rstrip() != lines_of(face("xhat", form=form), shape)[0].rstrip()
        assert "●" in marked[0]
        assert "[" in chosen[0]
    assert lines_of(face("xhat", form="line"), Shape(9, 1)) == ["│ xhat  │"]
    assert lines_of(face("waa", form="line", mark="●"), Shape(7, 1)) == ["│ waa●│"]
    assert lines_of(face("xhat", form="line", mark="●"), Shape(7, 1)) == ["│ xh…●│"]


def test_a_wire_along_which_no_gradient_flows_is_dotted_and_its_tip_is_hollow():
    graph = Graph(((), (), (0, 1), (2, 0)), frozenset({0}), silent=frozenset({(2, 1), (3, 1)}))
    layout = arrange(graph, [Shape(12, 4)] * 4)
    text = paint(layout, whole(layout), {}).text()
    assert text.count("▷") == 2
    assert text.count("▶") == 2
    assert "┄" in text.splitlines()[layout.out_row(1)]  # all that the second leaf sends is silent
    assert "┄" not in text.splitlines()[layout.out_row(0)]  # the first has one use that is not


def test_a_window_costs_what_it_shows_and_few_are_kept():
    inputs = tuple(() if n == 0 else (n - 1,) for n in range(3000))
    layout = arrange(Graph(inputs), [Shape(12, 4)] * 3000)
    faces = {n: face("h") for n in visible_nodes(layout, Window(30_000, 0, 120, 12))}
    assert len(faces) == 8
    for x in range(0, 2000, 10):
        cells = paint(layout, Window(x, 0, 120, 12), {})
        assert cells.char.nbytes <= 4 * 120 * 12
    assert wires.cache_info().currsize <= 8


GRAPHS = {
    "circuit": CIRCUIT,
    "crossed": Graph(((), (), (1,), (0,), (2, 3), (3, 2))),
    "far": Graph(((), (), (0,), (2, 1), (3,), (4, 0), (5, 1, 2))),
    "silent": Graph(((), (), (0, 1), (2, 0)), frozenset({0}), silent=frozenset({(2, 1), (3, 1)})),
}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_the_wires_that_cross_a_place_are_those_that_are_painted_there(graph):
    layout = arrange(graph, [Shape(12, 4)] * len(graph))
    faces = {node: face("a") for node in range(len(graph))}
    cells = paint(layout, whole(layout), faces)
    leaves, arrives = (set(map(ord, glyphs)) for glyphs in ("─╰╭├┴┬┼┄", "─╯╮┤┴┬┼▶▷┄"))
    for column, after in pairwise(layout.columns):
        for place in range(column.edge, after.start):
            painted = {  # in one of the two cells the wire of another value may pass over it
                y
                for y, (before, behind) in enumerate(cells.char[:, place - 1 : place + 1].tolist())
                if (before in leaves and cells.owner[y, place - 1] < 0)
                or (place == column.edge and before == ord("├"))
                or behind in arrives
            }
            assert set(crossing(layout, place)) == painted
        for row, source in crossing(layout, column.edge).items():
            assert layout.layer[source] <= layout.columns.index(column)
            assert row == layout.out_row(source) or row in dict(column.bends).values()
