"""Orders about the layers view: by layer or by time, and the learning rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.errors import GradstepError
from tui.orders.order import LOOK, Order, starting
from tui.views.layers import BY_LAYER, BY_TIME

if TYPE_CHECKING:
    from tui.session import Session

WAYS = (f"by {BY_LAYER}", f"by {BY_TIME}")


def _layers(session: Session, text: str) -> None:
    way = text.removeprefix("by ")
    if way not in ("", BY_LAYER, BY_TIME):
        raise GradstepError(
            f"layers are shown {' or '.join(WAYS)}, not {text!r}: try layers by time"
        )
    session.view = "layers"
    if way:
        session.layers = replace(session.layers, by=way)


def _rate(session: Session, text: str) -> None:
    """The learning rate, by which Δw/w is the update of a plain step."""
    try:
        rate = float(text) if text else None
    except ValueError:
        raise GradstepError(f"a learning rate is a number, not {text!r}: try lr 0.1") from None
    if rate is not None and not 0 < rate < float("inf"):
        raise GradstepError(f"a learning rate lies above 0, not at {text}: try lr 0.1")
    session.layers = replace(session.layers, rate=rate)
    session.say(
        f"learning rate {text}" if text else "learning rate not known: Δw/w is per unit of it"
    )


ORDERS: tuple[Order, ...] = (
    Order("layers", "[by layer|by time]", "how gradients flow through layers, or through time", _layers, LOOK,
          complete=lambda session, text: starting(WAYS, text)),
    Order("lr", "[X]", "the learning rate, for the update-to-weight ratio; not known without X", _rate, LOOK),
)  # fmt: skip
