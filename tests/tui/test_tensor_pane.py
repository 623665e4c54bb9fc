"""Which numbers of a tensor are looked at, what is said about an element, and how little a large one costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tracer as tr
from tests.effort import effort
from tracer.errors import GradstepError
from tui import planes
from tui.ink import text_of
from tui.orders import obey
from tui.planes import Numbers, TensorLook, plane_of
from tui.views import quantities, tensor
from tui.views.tensor import Scroll

CUBE = np.arange(2 * 3 * 4).reshape(2, 3, 4)


def pane(scene, width=28, height=14, *, colour=False):
    """Title and lines of the pane."""
    shown = tensor.picture(scene)
    plan = tensor.layout(scene, shown, width, height, colour=colour)
    window = tensor.scrolled(shown, plan, Scroll())
    lines = tensor.lines(scene, shown, plan, window, colour=colour)
    rows = [text_of(line) for line in lines]
    assert len(rows) <= height
    assert max(map(len, rows), default=0) <= width
    return tensor.title(scene, shown, width), rows


@pytest.fixture
def cube():
    """W of shape 2×3×4 counts up from 0; loss = Σ W², so that its gradient is 2 W."""
    w = tr.tensor(CUBE.astype(float), name="W")
    return tr.trace(tr.sum(w * w))


@pytest.fixture
def skip():
    """x is used by y = 3 x and by the skip connection; c = [1, −2] weighs: dx = 3 c + c."""
    x = tr.tensor([[0.5, 2.0]], name="x")
    y = x * 3.0
    c = tr.constant([[1.0, -2.0]], name="c")
    total = y + x
    return tr.trace(tr.sum(total * c))


# ----- planes


def test_the_picture_goes_through_the_element_under_the_cursor():
    plane = plane_of(TensorLook(), CUBE.shape, (1, 2, 3))
    np.testing.assert_array_equal(plane.of(CUBE), CUBE[1])
    assert plane.spot == (2, 3)
    assert plane.text == "[1,:,:]"


@pytest.mark.parametrize("axes", [(-2, -1), (-3, -1), (-3, -2)])
@pytest.mark.parametrize("transposed", [False, True])
def test_any_two_axes_form_the_picture(axes, transposed):
    plane = plane_of(TensorLook(axes=axes, transposed=transposed), CUBE.shape, (1, 2, 3))
    matrix = plane.of(CUBE)
    assert matrix.shape == plane.size
    for row in range(plane.size[0]):
        for column in range(plane.size[1]):
            assert matrix[row, column] == CUBE[plane.at(row, column)]
    assert matrix[plane.spot] == CUBE[1, 2, 3]


def test_slices_carry_over_the_leading_axes_and_go_round():
    array = np.zeros((2, 3, 4, 5))
    element, seen = (0, 0, 3, 4), []
    for _ in range(6):
        seen.append(element[:2])
        element = plane_of(TensorLook(), array.shape, element).beside(1)
    assert seen == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert element == (0, 0, 3, 4)


@pytest.mark.parametrize(
    ("shape", "size"), [((), (1, 1)), ((5,), (1, 5)), ((4, 3), (4, 3)), ((0, 3), (0, 0))]
)
def test_numbers_and_vectors_are_matrices_too(shape, size):
    assert plane_of(TensorLook(), shape, ()).size == size
    assert plane_of(TensorLook(transposed=True), shape, ()).size == size[::-1]


def test_axes_of_another_array_fall_back_to_the_last_two():
    assert plane_of(TensorLook(axes=(-4, -1)), (4, 3), (2, 1)).size == (4, 3)


def test_the_largest_and_the_first_bad_element_are_found_across_chunks(monkeypatch):
    monkeypatch.setattr(planes, "CHUNK", 6)
    numbers = np.array([[1.0, -2.0, 0.0], [np.nan, 5.0, -9.0], [np.inf, 9.0, 3.0]])
    assert planes.largest(Numbers((numbers,))) == (1, 2)
    assert planes.first_bad(Numbers((numbers,))) == (1, 0)
    assert planes.first_bad(Numbers((numbers[:1],))) is None
    assert planes.largest(Numbers((np.full(3, np.nan),))) is None
    assert planes.largest(Numbers((np.float64(-2.0),))) == ()


def test_a_sample_does_not_see_only_a_few_columns():
    columns = np.broadcast_to(np.arange(1024), (1024, 1024))
    assert len(np.unique(Numbers((columns,)).sample())) > 1000


def test_a_difference_is_worked_out_only_where_somebody_looks():
    seen = []

    def combine(a, b):
        seen.append(a.size)
        return a - b

    huge = np.broadcast_to(np.float64(1.0), (1 << 20, 1 << 14))
    numbers = Numbers((huge, huge), combine).plane(plane_of(TensorLook(), huge.shape, (0, 0)))
    assert numbers[3, 10:20].tolist() == [0.0] * 10
    assert seen == [10]


# ----- quantities


def test_value_and_gradient_follow_the_pass_unless_chosen_in_it(cube, session_after):
    session = session_after(cube, "end", "select W")
    assert quantities.shown(session.scene()) == "gradient"
    obey(session, "quantity")
    assert quantities.shown(session.scene()) == "value"
    obey(session, "back")
    assert quantities.shown(session.scene()) == "value"
    obey(session, "start")
    obey(session, "end")
    assert quantities.shown(session.scene()) == "value"
    obey(session, "start")
    obey(session, "quantity gradient")
    obey(session, "end")
    obey(session, "quantity value")
    obey(session, "start")
    assert quantities.shown(session.scene()) == "value"


def test_a_quantity_that_is_not_there_says_why(cube, session_after):
    session = session_after(cube, "end", "select W", "quantity difference")
    assert "no hand derivation of W" in session.message
    _, rows = pane(session.scene())
    assert "no hand derivation" in rows[0]
    obey(session, "quantity value change")
    assert "nothing has been changed" in session.message
    obey(session, "start")
    obey(session, "quantity gradient")
    assert "not reached" in session.message
    obey(session, "quantity")
    assert session.message == ""


def test_the_difference_to_a_hand_derivation_and_its_relative_error(
    cube, session_after, monkeypatch
):
    hand = 2.0 * CUBE
    hand[1, 2, 3] += 23.0
    monkeypatch.setattr(quantities, "hand_derived", lambda scene, node: hand if node == 0 else None)
    session = session_after(cube, "end", "select W", "cursor 1 2 3", "quantity difference")
    scene = session.scene()
    numbers = quantities.quantity(scene, "difference").numbers
    np.testing.assert_array_equal(numbers[()], 2.0 * CUBE - hand)
    text, rows = pane(scene)
    assert text == "difference W[1,:,:] ±23"
    assert any("[1,2,3] Δ −23 hand 69 ∂ 46" in row for row in rows)
    relative = quantities.quantity(scene, "relative").numbers[1, 2, 3]
    assert relative == pytest.approx(23 / 69)
    obey(session, "quantity")
    assert quantities.shown(session.scene()) == "relative"
    partial = session_after(cube, "end", "select W", "back", "step", "select W")
    assert "compared when it is final" in quantities.quantity(partial.scene(), "relative").reason


def test_a_hand_derivation_of_another_shape_is_told(cube, session_after, monkeypatch):
    monkeypatch.setattr(quantities, "hand_derived", lambda scene, node: np.zeros((4, 2)))
    scene = session_after(cube, "end", "select W").scene()
    assert "has shape 4×2, the gradient 2×3×4" in quantities.quantity(scene, "difference").reason


def test_what_an_edit_has_changed(cube, session_after, monkeypatch):
    old = CUBE.astype(float)
    old[0, 0, 0] = -1.0
    monkeypatch.setattr(quantities, "before", lambda scene, node: (old, 2.0 * old))
    session = session_after(cube, "end", "select W", "quantity value change")
    _, rows = pane(session.scene())
    assert any("[0,0,0] Δ 1 v 0 was −1" in row for row in rows)
    obey(session, "quantity gradient change")
    assert quantities.quantity(session.scene(), "gradient change").numbers[0, 0, 0] == 2.0
    obey(session, "quantity")
    assert quantities.shown(session.scene()) == "value"


def test_relative_error_is_zero_where_both_are_zero():
    found = quantities.relative_error(np.array([0.0, 1.0, 0.0]), np.array([0.0, -1.0, 1e-300]))
    assert found.tolist() == [0.0, 2.0, 1.0]


# ----- the pane


def test_the_pane_names_quantity_slice_and_limits(cube, session_after):
    session = session_after(cube, "end", "select W", "cursor 1 0 0", "transpose")
    text, rows = pane(session.scene())
    assert text == "gradient W[1,:,:]ᵀ ±46"
    assert rows[0].split() == ["[24]", "32", "40"]
    obey(session, "quantity value")
    assert pane(session.scene())[0] == "value W[1,:,:]ᵀ 0…23"


def test_limits_are_symmetric_where_a_value_has_a_sign_and_for_every_gradient(skip, session_after):
    session = session_after(skip, "end", "select c", "quantity value")
    assert pane(session.scene())[0] == "value c ±2"
    x = tr.tensor([1.0, 2.0], name="x")
    session = session_after(tr.trace(tr.sum(x)), "end", "select x")
    assert pane(session.scene())[0] == "gradient x ±1"


def test_the_element_under_the_cursor_lists_its_flows_and_their_sum(skip, session_after):
    session = session_after(skip, "end", "select x", "cursor 0 1")
    _, rows = pane(session.scene())
    at = next(n for n, row in enumerate(rows) if "[0,1] ∂ −8 v 2" in row)
    assert [row.split()[:5] for row in rows[at + 1 :]] == [
        ["−2", "from", "total"],
        ["+", "−6", "from", "y", "◂"],
        ["=", "−8", "2", "of", "2"],
    ]


def test_flows_give_way_to_one_sentence_where_there_is_little_room(skip, session_after):
    scene = session_after(skip, "end", "select x", "cursor 0 1").scene()
    _, rows = pane(scene, width=60, height=4)
    assert rows[-1] == "Σ 2 of 2 flows: −2 from total + −6 from y"
    assert pane(scene, width=28, height=3)[1][1:] == ["[0,1] ∂ −8 v 2", "Σ 2 of 2 flows: −2 + −6"]


def test_a_matrix_larger_than_the_pane_says_which_part_is_shown(session_after):
    x = tr.tensor(np.zeros((512, 64)), name="x")
    trace = tr.trace(tr.sum(x))
    session = session_after(trace, "select x", "cursor 511 63")
    _, rows = pane(session.scene())
    assert "500–511/512 × 36–63/64" in rows
    _, rows = pane(session.scene(), width=36)
    assert "rows 500–511/512 cols 28–63/64" in rows
    _, rows = pane(session.scene(), width=116, height=30, colour=True)
    assert any("of 512, columns 0–63 of 64" in row for row in rows)
    assert rows[0].split()[:3] == ["0", "5", "10"]


@pytest.mark.parametrize("colour", [True, False])
def test_the_pane_fits_every_size(cube, skip, nan, session_after, colour):
    for trace in (cube, skip, nan):
        for orders in (("end", "select 0"), ("select 1",), ("start",)):
            scene = session_after(trace, *orders).scene()
            for width in (28, 46, 116):
                for height in (1, 2, 3, 5, 9, 14, 30):
                    pane(scene, width, height, colour=colour)


def test_the_window_follows_the_cursor(session_after):
    x = tr.tensor(np.zeros((500, 300)), name="x")
    trace = tr.trace(tr.sum(x))
    scene = session_after(trace, "cursor 499 299").scene()
    shown = tensor.picture(scene)
    plan = tensor.layout(scene, shown, 40, 12, colour=True)
    window = tensor.scrolled(shown, plan, Scroll())
    assert window == Scroll(250 - plan.lines, 260)
    assert tensor.spot(plan, window, 39, plan.lines - 1) == (498, 299)
    wide = tensor.layout(scene, shown, 116, 30, colour=True)
    assert wide.gutter == 4
    assert tensor.spot(wide, Scroll(10, 7), 4, 1) == (10 * wide.grid.rows, 7)
    back = replace(scene, element=(0, 0))
    assert tensor.scrolled(tensor.picture(back), plan, window) == Scroll(0, 0)


def test_nan_and_infinity_are_written_and_found(nan, session_after):
    session = session_after(nan, "end", "select y", "quantity value", "nonfinite")
    assert session.element == (0, 1)
    _, rows = pane(session.scene())
    assert "[−inf]" in rows[0]
    assert "nan" in rows[0]
    assert any("[0,1] v −inf" in row for row in rows)


def test_truths_and_class_numbers_are_shown_as_they_are(session_after):
    x = tr.tensor(np.array([[0.5, -1.0, 2.0]] * 3), name="x")
    mask = x > 0.0
    trace = tr.trace(tr.sum(tr.where(mask, x, 0.0)))
    session = session_after(trace, "end", "select mask", "quantity value", "cursor 0 1")
    text, rows = pane(session.scene())
    assert text == "value mask 0…1"
    assert rows[0].split() == ["True", "[False]", "True"]
    obey(session, "quantity gradient")
    assert "boolean" in session.message


# ----- orders


def test_orders_move_the_cursor_within_the_picture(cube, session_after):
    session = session_after(cube, "cursor 1 0 0", "move 1 2")
    assert session.element == (1, 1, 2)
    obey(session, "move 9 9")
    assert session.element == (1, 2, 3)
    obey(session, "edge left")
    obey(session, "edge top")
    assert session.element == (1, 0, 0)
    obey(session, "transpose")
    obey(session, "edge bottom")
    assert session.element == (1, 0, 3)
    obey(session, "slice -1")
    assert session.element == (0, 0, 3)
    obey(session, "axes 0 1")
    obey(session, "move 1 1")
    assert session.element == (1, 1, 3)
    obey(session, "cursor -1 -1 -1")
    assert session.element == (1, 2, 3)


def test_axes_go_round_and_are_named(cube, session_after):
    session = session_after(cube)
    seen = []
    for _ in range(3):
        obey(session, "axes")
        seen.append(session.message)
    assert seen == [f"rows are axis {a}, columns are axis {b}" for a, b in ((0, 2), (0, 1), (1, 2))]
    obey(session, "axes 2 0")
    assert session.message == "rows are axis 2, columns are axis 0"


def test_the_cursor_stays_where_it_is_broadcast_to(batch_norm, session_after):
    session = session_after(batch_norm, "select x", "cursor 5 2", "select mu")
    assert session.element == (2,)
    obey(session, "select xhat")
    assert session.element == (0, 2)


def test_slices_are_stepped_back_and_by_counts(session_after):
    x = tr.tensor(np.zeros((2, 3, 4, 5)), name="x")
    session = session_after(tr.trace(tr.sum(x)), "select x", "cursor 0 0 3 4", "slice -")
    assert session.element == (1, 2, 3, 4)
    obey(session, "slice +4")
    assert session.element == (1, 0, 3, 4)


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ("cursor 1", "W is an element of 2×3×4: try cursor 0 0 0"),
        ("cursor a b c", "cursor takes whole numbers, not 'a b c': try cursor 0 0"),
        ("cursor 2 0 0", "try cursor 0 0 0"),
        ("move 1", "move takes rows and columns, not '1': try move 0 1"),
        ("axes 0 0", "axes takes two different axes of W, 0 to 2: try axes 0 1"),
        ("slice x", "slice takes whole numbers, not 'x': try slice +1"),
        ("edge up", "edge takes left, right, top, bottom, not 'up': try edge left"),
        ("quantity colour", "there is no quantity 'colour'"),
        ("nonfinite", "there is no NaN and no infinity in the value of W"),
    ],
)
def test_what_cannot_be_done_is_told_with_something_to_try(cube, session_after, order, complaint):
    session = session_after(cube)
    with pytest.raises(GradstepError) as caught:
        obey(session, order)
    assert complaint in str(caught.value)
    assert session.element == (0, 0, 0)


def test_a_matrix_has_no_other_slice(skip, session_after):
    session = session_after(skip, "select x")
    for order in ("slice +1", "axes"):
        with pytest.raises(GradstepError, match="x "):
            obey(session, order)


def test_the_largest_is_that_of_the_whole_array(cube, session_after):
    session = session_after(cube, "end", "select W", "largest")
    assert session.element == (1, 2, 3)
    assert session.message == "gradient W[1,2,3]"


# ----- what it costs


def test_a_huge_matrix_costs_no_more_than_the_lines_that_are_seen(session_after):
    def cost(size):
        x = tr.tensor(np.random.default_rng(0).normal(size=(size, size)), name="x")
        session = session_after(tr.trace(tr.sum(x)), "select x")
        pane(session.scene(), colour=True)
        costs = []
        for step in range(5):
            obey(session, f"cursor {step * size // 5} {step * size // 5}")
            costs.append(effort(lambda: pane(session.scene(), colour=True)))
        return max(costs)

    assert cost(2048) < 1.5 * cost(128)
