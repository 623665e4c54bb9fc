"""What is painted into the cells of a window."""

from __future__ import annotations

import numpy as np

from tui.canvas import Face, Thread, Window, node_at, paint, stamp, visible_nodes
from tui.ink import Kind, Look
from tui.layers import Graph
from tui.layout import arrange

CIRCUIT = Graph(((), (), (), (0, 1), (3, 2)), frozenset({0, 1, 2}))


def face(name: str, **more: object) -> Face:
    rows = (("", "3", Kind.VALUE), ("∂", "-4", Kind.GRADIENT))
    return Face(name, "op", rows, **more)  # type: ignore[arg-type]


def circuit(**looks: Look):
    layout = arrange(CIRCUIT, [12] * 5)
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


def test_a_window_shows_the_same_cells_as_the_whole_drawing():
    layout, faces = circuit()
    threads = [Thread(tuple(layout.path(4, 0)), backward=True)]
    full = paint(layout, whole(layout), faces, threads)
    for x in range(0, layout.width, 3):
        for y in range(0, layout.height, 2):
            part = paint(layout, Window(x, y, 9, 4), faces, threads)
            for name in ("char", "kind", "look", "owner"):
                expected = getattr(full, name)[y : y + 4, x : x + 9]
                actual = getattr(part, name)[: expected.shape[0], : expected.shape[1]]
                np.testing.assert_array_equal(actual, expected, err_msg=f"{name} at {x},{y}")


def test_crossing_wires_of_two_values_are_not_joined():
    layout = arrange(Graph(((), (), (1,), (0,), (2, 3), (3, 2))), [12] * 6)
    text = paint(layout, whole(layout), {}).text()
    assert "┼" not in text
    assert "│─" in text


def test_the_frame_alone_tells_current_operand_and_not_run():
    frames = {
        look: "".join(map(chr, stamp(face("a", look=look), 9, 4, sends=False)[0][0]))
        for look in Look
    }
    assert frames[Look.CURRENT].startswith("╔")
    assert frames[Look.OPERAND].startswith("┏")
    assert "┄" in frames[Look.AHEAD]
    assert frames[Look.PLAIN].startswith("╭")


def test_a_lit_wire_is_heavy_and_points_back_when_something_flows_back():
    layout, faces = circuit()
    path = tuple(layout.path(3, 0))
    forward = paint(layout, whole(layout), faces, [Thread(path, backward=False)]).text()
    backward = paint(layout, whole(layout), faces, [Thread(path, backward=True)]).text()
    assert "├━┓" in forward
    assert "┗━▶" in forward
    assert "├◀┓" in backward
    assert "┗━━" in backward


def test_marks_counts_and_selection_are_written_into_the_border():
    layout = arrange(Graph(((),)), [16])
    cells = paint(
        layout, whole(layout), {0: face("xhat", mark="●", count="1/2", foot="32×64", selected=True)}
    )
    top, *_, bottom = cells.text().splitlines()
    assert top.strip() == "╭[xhat op]────●╮"
    assert bottom.strip() == "╰ 32×64 ─── 1/2╯"


def test_a_long_name_is_elided_and_the_box_keeps_its_width():
    layout = arrange(Graph(((),)), [12])
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
