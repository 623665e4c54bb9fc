"""Orders that put something about the selected node on the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tracer.errors import GradstepError
from tui.orders.order import KEEP, Order, starting
from tui.orders.tensor import label_of
from tui.planes import GRADIENT, VALUE, plane_of
from tui.views import copies, quantities
from tui.views.arrivals import index_text

if TYPE_CHECKING:
    from tui.session import Session

Copied = tuple[str, str]
"""The text, and what it is."""


def _quantity(session: Session, name: str) -> Any:
    found = quantities.quantity(session.scene(), name)
    if found.numbers is None:
        raise GradstepError(f"{label_of(session)} has no {name} here: {found.reason}")
    return found.numbers


def _array(name: str) -> Callable[[Session], Copied]:
    def copied(session: Session) -> Copied:
        numbers, label = _quantity(session, name), label_of(session)
        return copies.numpy_literal(numbers, label), f"the {name} of {label}"

    return copied


def _numpy(session: Session) -> Copied:
    """The matrix that the tensor pane shows."""
    name = quantities.shown(session.scene())
    plane = plane_of(session.tensor, session.shape, session.element)
    label = f"{label_of(session)}{plane.text}"
    numbers = _quantity(session, name)
    matrix = numbers.plane(plane) if len(session.shape) > 1 else numbers
    return copies.numpy_literal(matrix, label), f"the {name} of {label}, as numpy reads it"


def _element(session: Session) -> Copied:
    name = quantities.shown(session.scene())
    numbers = _quantity(session, name)
    if not numbers.size:
        raise GradstepError(f"{label_of(session)} is empty: it has no elements")
    number = numbers[session.element]
    where = f"{label_of(session)}{index_text(session.element)}"
    return copies.numpy_literal(number, where), f"the {name} of {where}"


def _node(session: Session) -> Copied:
    return label_of(session), "the name of the node"


def _formula(session: Session) -> Copied:
    text = copies.formula_text(session.trace, session.selected)
    return text, text if len(text) <= SHORT else f"the formula of {label_of(session)}"


SHORT = 40
"""A formula of at most so many characters is shown when it is copied."""


def _latex(session: Session) -> Copied:
    return copies.latex(
        session.trace, session.selected
    ), f"the rule of {label_of(session)} in LaTeX"


def _line(session: Session) -> Copied:
    text = copies.source_place(session.trace, session.selected)
    return text, text.rpartition("/")[2]


WHAT: dict[str, Callable[[Session], Copied]] = {
    "formula": _formula,
    "value": _array(VALUE),
    "gradient": _array(GRADIENT),
    "element": _element,
    "numpy": _numpy,
    "latex": _latex,
    "node": _node,
    "line": _line,
}


def _copy(session: Session, text: str) -> None:
    what = text or "formula"
    if what not in WHAT:
        raise GradstepError(f"copy takes {', '.join(WHAT)}, not {what!r}: try copy numpy")
    session.copy(*WHAT[what](session))


ORDERS: tuple[Order, ...] = (
    Order("copy", "[WHAT]", "to the clipboard: formula, value, gradient, element, numpy (the matrix in the tensor "
          "pane), latex, node, line", _copy, KEEP, ("yank",),
          complete=lambda session, text: starting(WHAT, text)),
)  # fmt: skip
