"""Orders about the tensor pane: which quantity, which matrix of an array, which element."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.cells.figures import LARGE
from tracer.elements import Element
from tracer.errors import GradstepError
from tui import planes
from tui.orders.order import LOOK, Order, starting
from tui.planes import QUANTITIES, Numbers, Plane, plane_of
from tui.views import quantities
from tui.views.arrivals import index_text

if TYPE_CHECKING:
    from tui.session import Session

EDGES = {"left": (0, -1), "right": (0, 1), "top": (-1, 0), "bottom": (1, 0)}


def _plane(session: Session) -> Plane:
    """The matrix that is looked at."""
    return plane_of(session.tensor, session.shape, session.element)


def label_of(session: Session) -> str:
    """The label of the selected node."""
    return session.trace.label(session.selected)


def _numbers(session: Session) -> Numbers:
    """The quantity that is looked at. Raises `GradstepError` where there is none."""
    scene = session.scene()
    found = quantities.quantity(scene, quantities.shown(scene))
    if found.numbers is None:
        raise GradstepError(f"{label_of(session)} has no {found.name} here: {found.reason}")
    return found.numbers


def _integers(text: str, order: str, example: str) -> list[int]:
    try:
        return [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise GradstepError(f"{order} takes whole numbers, not {text!r}: try {example}") from None


# ----- the quantity


def _quantity(session: Session, text: str) -> None:
    scene = session.scene()
    if text:
        known = starting(QUANTITIES, text)
        if not known:
            raise GradstepError(
                f"there is no quantity {text!r}: the quantities are {', '.join(QUANTITIES)}"
            )
        name = known[0]
    else:
        there = quantities.available(scene)
        shown = quantities.shown(scene)
        name = there[(there.index(shown) + 1) % len(there)] if shown in there else there[0]
    backward = scene.step.phase == "backward"
    session.tensor = replace(session.tensor, quantity=name, backward=backward)
    found = quantities.quantity(scene, name)
    session.say(found.reason and f"no {name} here: {found.reason}")


# ----- the matrix


def _slice(session: Session, text: str) -> None:
    words = {"": "+1", "-": "-1", "+": "+1"}.get(text, text)
    steps = _integers(words, "slice", "slice +1")
    plane = _plane(session)
    if len(steps) != 1:
        raise GradstepError(f"slice takes how many matrices further, not {text!r}: try slice +1")
    if plane.slices < 2:
        raise GradstepError(f"{label_of(session)} is one matrix: there is no other slice")
    session.element = plane.beside(steps[0])


def _axes(session: Session, text: str) -> None:
    rank = len(session.shape)
    pairs = session.tensor.pairs(rank)
    if rank < 3 and not text:
        raise GradstepError(f"{label_of(session)} has no third axis to put into the picture")
    if not text:
        at = pairs.index(session.tensor.axes) if session.tensor.axes in pairs else 0
        session.tensor = replace(session.tensor, axes=pairs[(at + 1) % len(pairs)])
    else:
        asked = _integers(text, "axes", "axes 0 1")
        if len(asked) != 2 or len(set(asked)) != 2 or not all(0 <= k < rank for k in asked):
            raise GradstepError(
                f"axes takes two different axes of {label_of(session)}, 0 to {rank - 1}: try axes 0 1"
            )
        first, second = sorted(asked)
        turned = asked[0] > asked[1]
        axes = (first - rank, second - rank)
        session.tensor = replace(session.tensor, axes=axes, transposed=turned)
    plane = _plane(session)
    session.say(f"rows are axis {plane.rows}, columns are axis {plane.columns}")


def _transpose(session: Session, text: str) -> None:
    session.tensor = replace(session.tensor, transposed=not session.tensor.transposed)


# ----- the element


def _cursor(session: Session, text: str) -> None:
    asked = _integers(text, "cursor", "cursor 0 0")
    shape = session.shape
    if len(asked) != len(shape) or not all(-n <= i < n for i, n in zip(asked, shape, strict=True)):
        sizes = "×".join(map(str, shape))
        what = f"an element of {sizes}" if shape else "a single number"
        example = " ".join("0" for _ in shape)
        raise GradstepError(f"{label_of(session)} is {what}: try cursor {example}".rstrip())
    session.element = tuple(i % n for i, n in zip(asked, shape, strict=True))


def _move(session: Session, text: str) -> None:
    steps = _integers(text, "move", "move 0 1")
    if len(steps) != 2:
        raise GradstepError(f"move takes rows and columns, not {text!r}: try move 0 1")
    plane = _plane(session)
    row, column = plane.spot
    session.element = plane.at(row + steps[0], column + steps[1])


def _edge(session: Session, text: str) -> None:
    if text not in EDGES:
        raise GradstepError(f"edge takes {', '.join(EDGES)}, not {text!r}: try edge left")
    plane = _plane(session)
    (rows, columns), (down, across) = plane.size, EDGES[text]
    row, column = plane.spot
    session.element = plane.at(row + down * rows, column + across * columns)


def _jump(
    find: Callable[[Numbers], Element | None], missing: str
) -> Callable[[Session, str], None]:
    def run(session: Session, text: str) -> None:
        found = find(_numbers(session))
        scene = session.scene()
        name = quantities.shown(scene)
        if found is None:
            raise GradstepError(f"{missing} in the {name} of {label_of(session)}")
        session.element = found
        session.say(f"{name} {label_of(session)}{index_text(found)}" if found else "")

    return run


def _is_large(session: Session, text: str) -> bool:
    return bool(session.trace.storage.held(session.selected).size > LARGE)


def _quantities(session: Session, text: str) -> Iterable[str]:
    return starting(QUANTITIES, text)


def _edges(session: Session, text: str) -> Iterable[str]:
    return starting(EDGES, text)


ORDERS: tuple[Order, ...] = (
    Order("quantity", "[NAME]", "what the tensor pane shows: value, gradient, difference and relative error to a hand "
          "derivation, value or gradient change by an edit", _quantity, LOOK, complete=_quantities),
    Order("slice", "[±N]", "another matrix of an array of more than two axes", _slice, LOOK),
    Order("axes", "[ROWS COLUMNS]", "which two axes form the picture", _axes, LOOK),
    Order("transpose", "", "exchange the rows and columns of the picture", _transpose, LOOK),
    Order("cursor", "I J ...", "put the cursor on an element", _cursor, LOOK),
    Order("move", "ROWS COLUMNS", "move the cursor", _move, LOOK),
    Order("edge", "left|right|top|bottom", "move the cursor to an edge of the matrix", _edge, LOOK, complete=_edges),
    Order("largest", "", "put the cursor on the element of largest magnitude",
          _jump(planes.largest, "there is no finite number"), LOOK, long=_is_large),
    Order("nonfinite", "", "put the cursor on the first NaN or infinity",
          _jump(planes.first_bad, "there is no NaN and no infinity"), LOOK, long=_is_large),
)  # fmt: skip
