"""The palette: every order by a few letters of its name or its help, with its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.markup import escape

from tracer.cells.meanings import Kind
from tui.ink import Ink
from tui.orders import ORDERS, Order

if TYPE_CHECKING:
    from tui.personal import Personal

IN_HELP = 0.05
"""How well an order fits whose help holds the letters: after all whose name has them."""


def needs_argument(order: Order) -> bool:
    """Whether an order means nothing without what stands after it."""
    return bool(order.argument) and not order.argument.startswith("[")


class Orders(Provider):
    """The table of orders, searched by name and help."""

    @property
    def _desk(self) -> Personal:
        return cast("Personal", self.app)

    def _entries(self) -> Iterator[tuple[Order, str, Callable[[], None]]]:
        """Each order with its keys, and what happens when it is chosen."""
        keys = {key.order: key.shown for key in reversed(self._desk.keys) if key.shown}
        for order in ORDERS:
            line = f"ask {order.name}" if needs_argument(order) else order.name
            shown = keys.get(order.name, keys.get(f"ask {order.name}", ""))
            yield order, shown, partial(self._desk.obey, line)

    def _named(self, order: Order, keys: str) -> Text:
        text = Text(f"{order.name} {order.argument}".rstrip())
        if keys and self._desk.inks is not None:
            text.append(f"   {keys}", self._desk.inks(Ink(Kind.KEY)))
        return text

    async def discover(self) -> Hits:
        """All orders, in the order of their table."""
        for order, keys, command in self._entries():
            yield DiscoveryHit(self._named(order, keys), command, order.name, escape(order.help))

    async def search(self, query: str) -> Hits:
        """The orders whose name has these letters, then those whose help has them."""
        matcher = self.matcher(query)
        for order, keys, command in self._entries():
            score = max(matcher.match(word) for word in (order.name, *order.aliases))
            if score > 0 or query.casefold() in order.help.casefold():
                text = self._named(order, keys)
                yield Hit(score or IN_HELP, text, command, order.name, escape(order.help))


class Palette(CommandPalette):
    """A palette that is left only once, though a second click or key be on its way to it."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Leave, unless that has happened."""
        return super().dismiss(result) if self.is_current else AwaitComplete()


def palette() -> Palette:
    """The palette over the orders."""
    return Palette(providers=[Orders], placeholder="an order, by a few letters of it")
