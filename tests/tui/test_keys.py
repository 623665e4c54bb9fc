"""The table of keys, and what is made from it."""

from __future__ import annotations

from collections import Counter

from textual.widget import Widget

from tui.actions import Actions
from tui.deck import DECK
from tui.keys import (
    EVERYWHERE,
    GRAPH,
    KEYS,
    NODE,
    PANE_DEEDS,
    TAPE,
    bindings,
    key_line,
)
from tui.orders import ORDERS, read
from tui.widgets.graph import GraphPane
from tui.widgets.node import NodePane
from tui.widgets.tape import TapePane

PLACES: dict[str, type[Widget]] = {
    GRAPH: GraphPane,
    TAPE: TapePane,
    NODE: NodePane,
    **{view.name: view.pane for view in DECK},
}


def keys_of(place: str) -> list[str]:
    return [name for key in KEYS if key.place == place for name in key.keys.split(",")]


def test_no_key_has_two_meanings_in_one_place():
    for place in (EVERYWHERE, *PLACES):
        twice = [name for name, count in Counter(keys_of(place)).items() if count > 1]
        assert not twice, place


def test_no_pane_takes_a_key_away_from_the_debugger():
    """But for enter: in a list it does the obvious thing with the row."""
    for place in PLACES:
        assert set(keys_of(place)) & set(keys_of(EVERYWHERE)) <= {"enter"}, place


def test_capitals_go_back_in_time():
    order = {key.keys: key.order for key in KEYS}
    pairs = {letter: (order[letter], order[letter.upper()]) for letter in "nsfc"}
    assert pairs == {
        "n": ("next", "back"),
        "s": ("step", "reverse-step"),
        "f": ("finish", "reverse-finish"),
        "c": ("continue", "reverse-continue"),
    }


def test_every_key_gives_an_order_or_is_known_to_its_pane():
    for key in KEYS:
        word = key.order.partition(" ")[0]
        if word in PANE_DEEDS:
            owner: type = Actions if key.place == EVERYWHERE else PLACES[key.place]
            assert hasattr(owner, f"action_{word}"), key
        else:
            assert read(key.order) is not None, key


def test_the_screen_can_carry_out_every_order_that_needs_one():
    for order in ORDERS:
        if order.run is None:
            assert hasattr(Actions, "order_" + order.name.replace("-", "_")), order.name


def test_every_place_binds_its_keys():
    for place, pane in PLACES.items():
        assert bindings(place) == pane.BINDINGS


def test_the_key_line_fits_and_always_tells_of_help_and_quit():
    for width in range(30, 200, 7):
        pairs = key_line(width)
        assert sum(len(keys) + len(word) + 3 for keys, word in pairs) <= width + 1
        assert ("?", "help") in pairs
        assert ("q", "quit") in pairs
