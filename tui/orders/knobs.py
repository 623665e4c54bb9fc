"""The order about knobs: the numbers of a network of the gallery are listed and turned, and it is built again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gallery.knobs import Knob, Setting, assignments, written
from tracer.errors import GradstepError
from tui import changing
from tui.networks import Network
from tui.orders.order import CHANGE, Order, Page, page, starting

if TYPE_CHECKING:
    from tui.session import Session

DEFAULT = "default"
"""What puts a knob back."""
WAYS = {"+": 1, "-": -1}


def _knob(session: Session, text: str) -> Page | None:
    network = changing.with_knobs(session)
    words = re.sub(r"\s*=\s*", "=", text).split()
    if not words:
        return page(
            f"knobs of {network.entry.name}", [_row(network, k) for k in network.entry.knobs]
        )
    if len(words) == 1 and "=" not in text and words != [DEFAULT]:
        name, said = _row(network, _named(network, words[0]))
        session.say(f"{name}: {said}")
        return None
    changing.turn(session, _asked(network, words))
    return None


def _row(network: Network, knob: Knob) -> tuple[str, str]:
    """A knob as it stands, and what is to be known of it."""
    value = network.settings[knob.name]
    default = f"default {written(knob.default)}; " * (value != knob.default)
    return f"{knob.name}={written(value)}", f"{knob.meaning}; {default}{knob.range}"


def _asked(network: Network, words: list[str]) -> dict[str, Setting]:
    """What the words ask for: `lr=0.5`, `lr=default`, `lr +`, or `default` for all."""
    if words == [DEFAULT]:
        return {knob.name: knob.default for knob in network.entry.knobs}
    if len(words) == 2 and words[1] in WAYS:
        knob = _named(network, words[0])
        return {knob.name: knob.beside(network.settings[knob.name], WAYS[words[1]])}
    if len(words) == 2 and "=" not in "".join(words):
        raise GradstepError(f"{words[0]} {words[1]} turns no knob: try knob {words[0]}={words[1]}")
    asked: dict[str, Setting] = {}
    for name, value in assignments(words).items():
        asked[name] = _named(network, name).default if value == DEFAULT else value
    return asked


def _named(network: Network, name: str) -> Knob:
    """The knob of a name. Raises `KnobError`."""
    found = next((knob for knob in network.entry.knobs if knob.name == name), None)
    if found is None:
        network.turn({name: DEFAULT})  # it says which there are
    assert found is not None
    return found


def _offers(session: Session, text: str) -> Iterable[str]:
    """Names of knobs, and behind a name the values that can be counted."""
    if session.network is None:
        return []
    knobs = session.network.entry.knobs
    before, _, word = text.rpartition(" ")
    name, equals, _ = word.partition("=")
    offers = [f"{knob.name}=" for knob in knobs]
    if equals:
        values = {
            k.name: k.choices or ((True, False) if isinstance(k.default, bool) else ())
            for k in knobs
        }
        offers = [f"{name}={written(value)}" for value in values.get(name, ())]
        offers += [f"{name}={DEFAULT}"] * (name in values)
    elif not before:
        offers += [DEFAULT]
    return [f"{before} {each}".strip() for each in starting(offers, word)]


def _turns(session: Session, text: str) -> bool:
    """Whether a network is built, which may take long."""
    return "=" in text or " " in text or text == DEFAULT


ORDERS: tuple[Order, ...] = (
    Order("knob", "[NAME=VALUE]", "list the knobs of this network of the gallery; turn some: knob lr=0.5; lr=default",
          _knob, CHANGE, ("knobs",), complete=_offers, long=_turns),
)  # fmt: skip
