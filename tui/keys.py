"""The keys, said once.

A key gives an order (`tui.orders`). The bindings, the key line at the bottom of the screen and the help screen are all
made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from textual.binding import Binding, BindingType

from tui.orders.order import LOOK, RUN, SCREEN, STEP, STOP

EVERYWHERE, GRAPH, TAPE, NODE, TENSOR = "everywhere", "graph", "tape", "node", "tensor"
LAYERS, VERIFY, STOPS, CHANGES = "layers", "verify", "stops", "changes"


@dataclass(frozen=True)
class Key:
    """One entry.

    Textual's names of the keys, the order, what the key line says, what the help screen says, and where it works.

    `rank` orders the key line, the smallest first; 0 leaves the entry out. `shown` is how the keys are printed.
    A key with `priority` acts at once, before the key that follows it is looked at.
    """

    keys: str
    order: str
    short: str
    help: str
    shown: str
    group: str
    place: str = EVERYWHERE
    rank: int = 0
    priority: bool = False


def _key(keys: str, order: str, text: str, group: str, **more: object) -> Key:
    short, _, help_ = text.partition(": ")
    shown = str(more.pop("shown", keys.replace(",", " ")))
    return Key(keys, order, short, help_ or short, shown, group, **more)  # type: ignore[arg-type]


KEYS: tuple[Key, ...] = (
    _key("n", "next", "next: to the next node; digits before it count, 10n", STEP, rank=1),
    _key("N", "back", "back: to the node before; all capitals go back in time", STEP, rank=2),
    _key("s", "step", "into: one flow further, or open a node that has parts", STEP, rank=3),
    _key("S", "reverse-step", "one flow back, and out of opened parts", STEP),
    _key("f", "finish", "finish: to the end of the scope or of the pass; close opened parts", STEP, rank=5),
    _key("F", "reverse-finish", "to where the scope or the pass began", STEP),
    _key("c", "continue", "continue: to the next breakpoint, or to the end", RUN, rank=4),
    _key("C", "reverse-continue", "reverse continue: to the breakpoint before, or to the start", RUN),
    _key("t,enter", "run", "run to: run until the selected node has its value or its gradient", RUN, shown="t ⏎",
         rank=8),
    _key("percent_sign", "twin", "fwd⇄bwd: the same node in the other pass", RUN, shown="%", rank=7),
    _key("g", "start", "start: to the start of the timeline", RUN),
    _key("G", "end", "end: to the end of the timeline; 40G to position 40", RUN),
    _key("space", "play", "play: step by itself, and stop again", RUN, rank=11),
    _key("left_square_bracket", "slower", "play more slowly", RUN, shown="["),
    _key("right_square_bracket", "faster", "play faster", RUN, shown="]"),
    _key("b", "toggle", "break: set or delete a breakpoint at the selected node", STOP, rank=6),
    _key("B", "ask break", "break if: ask for a breakpoint, such as  op:mul if nan(value)", STOP, priority=True),
    _key("w", "ask watch", "watch: ask for something to watch, such as  norm(grad) of xhat", STOP, rank=10,
         priority=True),
    _key("slash", "ask search", "find: a name, op, scope or shape, as you type", LOOK, shown="/", rank=9,
         priority=True),
    _key("comma", "hit-before", "the hit before", LOOK, shown=","),
    _key("full_stop", "hit", "the next hit", LOOK, shown="."),
    _key("u", "scope up", "scope up: show the scope that encloses this one", LOOK),
    _key("d", "scope down", "scope down: back towards the node's own scope", LOOK),
    _key("v", "view next", "view: the next view of the deck", LOOK, rank=12),
    _key("V", "view previous", "the view of the deck before", LOOK),
    _key("m", "quantity", "value⇄∂: value or gradient in the tensor pane", LOOK, rank=17),
    _key("left_curly_bracket", "slice -", "the slice before, of more than two axes", LOOK, shown="{"),
    _key("right_curly_bracket", "slice +", "the next slice", LOOK, shown="}"),
    _key("colon", "ask", "command: goto N, break TEXT, delete N, watch TEXT, ...", SCREEN, shown=":", rank=13,
         priority=True),
    _key("escape", "escape", "drop the count, stop playing, show all panes", SCREEN, shown="esc"),
    _key("tab", "focus next", "to the next pane", SCREEN, priority=True),
    _key("shift+tab", "focus previous", "to the pane before", SCREEN, priority=True),
    _key("z", "zoom", "zoom: give the pane the whole screen, and back", SCREEN, rank=14),
    _key("ctrl+l", "redraw", "paint the screen anew", SCREEN),
    _key("ctrl+z", "suspend", "back to the shell; fg returns", SCREEN),
    _key("question_mark,f1", "help", "help: this page", SCREEN, shown="?", rank=15),
    _key("q,ctrl+q", "quit", "quit", SCREEN, shown="q", rank=16),
    _key("ctrl+c", "quit", "quit", SCREEN, shown="ctrl+c", priority=True),
    _key("h,left", "go left", "to an input", LOOK, place=GRAPH, shown="h ←"),
    _key("l,right", "go right", "to a consumer", LOOK, place=GRAPH, shown="l →"),
    _key("k,up", "go up", "to the box above", LOOK, place=GRAPH, shown="k ↑"),
    _key("j,down", "go down", "to the box below", LOOK, place=GRAPH, shown="j ↓"),
    _key("k,up", "row -", "a row up", LOOK, place=TAPE, shown="k ↑"),
    _key("j,down", "row +", "a row down", LOOK, place=TAPE, shown="j ↓"),
    _key("pageup,ctrl+u", "page -1", "a page up", LOOK, place=TAPE, shown="pgup"),
    _key("pagedown,ctrl+d", "page 1", "a page down", LOOK, place=TAPE, shown="pgdn"),
    _key("k,up", "lines -1", "scroll up", LOOK, place=NODE, shown="k ↑"),
    _key("j,down", "lines 1", "scroll down", LOOK, place=NODE, shown="j ↓"),
    _key("h,left", "move 0 -1", "a column left", LOOK, place=TENSOR, shown="h ←"),
    _key("l,right", "move 0 1", "a column right", LOOK, place=TENSOR, shown="l →"),
    _key("k,up", "move -1 0", "a row up", LOOK, place=TENSOR, shown="k ↑"),
    _key("j,down", "move 1 0", "a row down", LOOK, place=TENSOR, shown="j ↓"),
    *(
        _key(str(digit), f"digit {digit}", "a digit of the count", STEP, shown="0-9" if not digit else "")
        for digit in range(10)
    ),
)  # fmt: skip


def bindings(place: str = EVERYWHERE) -> list[BindingType]:
    """The bindings of a place, for a `BINDINGS` class variable.

    A pane carries out itself what it has an `action_` for (`page 1` is `action_page`); any other key gives its order.
    """
    return [
        Binding(key.keys, action_of(key), key.short, show=False, priority=key.priority)
        for key in KEYS
        if key.place == place
    ]


PANE_DEEDS = ("digit", "page", "lines", "go", "move")
"""What only the pane itself, or the count, knows how to do: no orders."""


def action_of(key: Key) -> str:
    """The Textual action of a key.

    >>> action_of(KEYS[0])
    "app.order('next')"
    """
    word, _, text = key.order.partition(" ")
    if word in PANE_DEEDS:
        words = (each if each.lstrip("-").isdigit() else repr(each) for each in text.split())
        return f"{word}({', '.join(words)})"
    return f"app.order({key.order!r})"


@lru_cache(maxsize=64)
def key_line(width: int) -> tuple[tuple[str, str], ...]:
    """The (keys, word) pairs that fit a line, the most needed first; help and quit are always among them.

    >>> key_line(30)
    (('n', 'next'), ('?', 'help'), ('q', 'quit'))
    """
    ranked = sorted((key for key in KEYS if key.rank), key=lambda key: key.rank)
    kept = [key for key in ranked if key.short in ("help", "quit")]
    used = 1 + sum(_room(key) for key in kept)
    for key in ranked:
        if key not in kept and used + _room(key) <= width:
            kept.append(key)
            used += _room(key)
    return tuple((key.shown, key.short) for key in sorted(kept, key=lambda key: key.rank))


def _room(key: Key) -> int:
    return len(key.shown) + len(key.short) + 3


def help_groups() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The table as the help screen shows it: (heading, ((keys, what they do), ...)), in the order of the table."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for key in KEYS:
        heading = key.group if key.place == EVERYWHERE else f"in the {key.place} pane"
        if key.shown:
            groups.setdefault(heading, []).append((key.shown, key.help))
    return tuple((heading, tuple(rows)) for heading, rows in groups.items())
