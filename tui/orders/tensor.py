"""Orders about the tensor pane: which quantity, which slice, which element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tui import heatmap
from tui.orders.order import LOOK, Order

if TYPE_CHECKING:
    from tui.session import Session


def _quantity(session: Session, text: str) -> None:
    if text not in ("", "value", "gradient"):
        raise GradstepError(f"the quantities are value and gradient, not {text!r}")
    session.shows_gradient = text == "gradient" if text else not session.shows_gradient


def _slice(session: Session, text: str) -> None:
    signs = {"": "+1", "-": "-1", "+": "+1"}
    try:
        step = int(signs.get(text, text))
    except ValueError:
        raise GradstepError(f"slice takes a number of slices, not {text!r}: try slice +1") from None
    count = heatmap.slices(session.trace.storage.value(session.selected).shape)
    session.slice_number = (session.slice_number + step) % max(1, count)


ORDERS: tuple[Order, ...] = (
    Order("quantity", "[value|gradient]", "what the tensor pane shows", _quantity, LOOK, ("m",)),
    Order("slice", "[±N]", "another matrix of an array of more than two axes", _slice, LOOK),
)
