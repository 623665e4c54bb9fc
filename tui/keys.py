"""The keys, said once.

A key gives an order (`tui.orders`). The bindings, the key line at the bottom of the screen and the help screen are all
made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from textual.binding import Binding, BindingType

from tui.key_names import shown as shown_key
from tui.orders import find
from tui.orders.order import CHANGE, KEEP, LOOK, RUN, SCREEN, STEP, STOP

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
    _key("exclamation_mark", "nan", "to the step at which the first NaN or infinity appears", RUN, shown="!"),
    _key("g", "start", "start: to the start of the timeline", RUN),
    _key("G", "end", "end: to the end of the timeline; 40G to position 40", RUN),
    _key("space", "play", "play: step by itself, and stop again", RUN, rank=11),
    _key("left_square_bracket", "slower", "play more slowly", RUN, shown="["),
    _key("right_square_bracket", "faster", "play faster", RUN, shown="]"),
    _key("b", "toggle", "break: set or delete a breakpoint at the selected node", STOP, rank=6),
    _key("B", "ask break", "break if: ask for a breakpoint, such as  op:mul if nan(value)", STOP, priority=True),
    _key("w", "ask watch", "watch: ask for something to watch, such as  norm(grad) of xhat", STOP, rank=10,
         priority=True),
    _key("W", "unwatch", "show the last watch no more", STOP),
    _key("slash", "ask search", "find: a name, op, scope or shape, as you type", LOOK, shown="/", rank=9,
         priority=True),
    _key("comma", "hit-before", "the hit before", LOOK, shown=","),
    _key("full_stop", "hit", "the next hit", LOOK, shown="."),
    _key("u", "scope up", "scope up: show the scope that encloses this one", LOOK),
    _key("d", "scope down", "scope down: back towards the node's own scope", LOOK),
    _key("v", "view next", "view: the next view of the deck", LOOK, rank=12),
    _key("V", "view previous", "the view of the deck before", LOOK),
    _key("m", "quantity", "value⇄∂: value, gradient or a difference in the tensor pane", LOOK, rank=17),
    _key("y", "copy", "copy: the formula of the node, to the clipboard", KEEP),
    _key("Y", "copy numpy", "copy the matrix in the tensor pane, as numpy reads it", KEEP),
    _key("left_curly_bracket", "slice -", "the matrix before, in an array of more than two axes", LOOK, shown="{"),
    _key("right_curly_bracket", "slice +", "the next matrix", LOOK, shown="}"),
    _key("e", "export", "export: write the figure of this step", KEEP, rank=21),
    _key("colon", "ask", "command: goto N, break TEXT, delete N, watch TEXT, ...", SCREEN, shown=":", rank=13,
         priority=True),
    _key("escape", "escape", "drop the count, stop playing, show all panes", SCREEN, shown="esc"),
    _key("tab", "focus next", "to the next pane", SCREEN, priority=True),
    _key("shift+tab", "focus previous", "to the pane before", SCREEN, priority=True),
    _key("z", "zoom", "zoom: give the pane the whole screen, and back", SCREEN, rank=14),
    _key("ctrl+p", "palette", "every order, by a few letters of it", SCREEN, priority=True),
    _key("ctrl+o", "jump", "to a pane or a view, by one letter", SCREEN, priority=True),
    _key("ctrl+l", "redraw", "paint the screen anew", SCREEN),
    _key("ctrl+z", "suspend", "back to the shell; fg returns", SCREEN),
    _key("question_mark,f1", "help", "help: this page", SCREEN, shown="?", rank=15),
    _key("q,ctrl+q", "quit", "quit", SCREEN, shown="q", rank=16),
    _key("ctrl+c", "quit", "quit", SCREEN, shown="ctrl+c", priority=True),
    _key("h,left", "go left", "to an input", LOOK, place=GRAPH, shown="h ←"),
    _key("l,right", "go right", "to a consumer", LOOK, place=GRAPH, shown="l →"),
    _key("k,up", "go up", "to the box above", LOOK, place=GRAPH, shown="k ↑"),
    _key("j,down", "go down", "to the box below", LOOK, place=GRAPH, shown="j ↓"),
    _key("i", "open", "open: open a folded box; fold the scope of an open one", LOOK, place=GRAPH),
    _key("I", "unfold", "open all that is folded, or fold all", LOOK, place=GRAPH),
    _key("less_than_sign", "fold time", "fold the time steps in the middle", LOOK, place=GRAPH, shown="<"),
    _key("greater_than_sign", "unfold time", "show all time steps", LOOK, place=GRAPH, shown=">"),
    _key("plus", "detail +", "more in each box: dot, name, numbers, statistics", LOOK, place=GRAPH, shown="+"),
    _key("minus", "detail -", "less in each box", LOOK, place=GRAPH, shown="-"),
    _key("vertical_line", "orientation", "from left to right, or from top to bottom", LOOK, place=GRAPH, shown="|"),
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
    _key("pageup,ctrl+u", "page -1", "a page up", LOOK, place=TENSOR, shown="pgup"),
    _key("pagedown,ctrl+d", "page 1", "a page down", LOOK, place=TENSOR, shown="pgdn"),
    _key("home", "edge left", "to the first column", LOOK, place=TENSOR),
    _key("end", "edge right", "to the last column", LOOK, place=TENSOR),
    _key("ctrl+home", "edge top", "to the first row", LOOK, place=TENSOR),
    _key("ctrl+end", "edge bottom", "to the last row", LOOK, place=TENSOR),
    _key("T", "transpose", "exchange rows and columns", LOOK, place=TENSOR),
    _key("a", "axes", "other axes as rows and columns", LOOK, place=TENSOR),
    _key("M", "largest", "to the element of largest magnitude", LOOK, place=TENSOR),
    _key("I", "nonfinite", "to the first NaN or infinity of the array", LOOK, place=TENSOR),
    _key("x", "ask edit", "what if: edit the selected node, or the element under the cursor", CHANGE, rank=22,
         priority=True),
    _key("r", "rerun", "re-run: run the program again, as it is now, and stay at this step", CHANGE, rank=23),
    _key("o", "editor", "source: the line of the selected node in $EDITOR", CHANGE),
    _key("k,up", "lines -1", "a row up", LOOK, place=LAYERS, shown="k ↑"),
    _key("j,down", "lines 1", "a row down", LOOK, place=LAYERS, shown="j ↓"),
    _key("h,left", "layers by layer", "a row for each layer", LOOK, place=LAYERS, shown="h ←"),
    _key("l,right", "layers by time", "a row for each time step", LOOK, place=LAYERS, shown="l →"),
    _key("enter", "choose", "select the node that the row puts out", LOOK, place=LAYERS, shown="⏎"),
    _key("k,up", "lines -1", "a row up", LOOK, place=CHANGES, shown="k ↑"),
    _key("j,down", "lines 1", "a row down", LOOK, place=CHANGES, shown="j ↓"),
    _key("enter", "choose", "select the node of the row", LOOK, place=CHANGES, shown="⏎"),
    _key("k,up", "lines -1", "a row up", LOOK, place=STOPS, shown="k ↑"),
    _key("j,down", "lines 1", "a row down", LOOK, place=STOPS, shown="j ↓"),
    _key("enter", "choose", "go to where the breakpoint stops next", LOOK, place=STOPS, shown="⏎"),
    _key("equals_sign", "flip", "switch the breakpoint off, or on again", STOP, place=STOPS, shown="="),
    _key("backspace,delete", "remove", "delete the breakpoint or the watch", STOP, place=STOPS, shown="⌫"),
    _key("k,up", "lines -1", "a row up", LOOK, place=VERIFY, shown="k ↑"),
    _key("j,down", "lines 1", "a row down", LOOK, place=VERIFY, shown="j ↓"),
    _key("enter", "choose", "to the node of the row, and its first wrong element", LOOK, place=VERIFY, shown="⏎"),
    *(
        _key(str(digit), f"digit {digit}", "a digit of the count", STEP, shown="0-9" if not digit else "")
        for digit in range(10)
    ),
)  # fmt: skip


def rebound(table: Mapping[str, str]) -> tuple[Key, ...]:
    """The table with other orders for some keys, by their names; a key of no order does nothing any more.

    A key that a pane has for itself is taken from it.

    >>> changed = rebound({"n": "", "j": "next"})
    >>> [key.shown for key in changed if key.order == "next"]
    ['j']
    """
    kept = []
    for key in KEYS:
        names = key.keys.split(",")
        left = [n for n in names if n not in table]
        more = [n for n, line in table.items() if line == key.order] * (key.place == EVERYWHERE)
        if left == names and not more:
            kept.append(key)
        elif left or more:
            now = list(dict.fromkeys((*more, *left)))
            kept.append(replace(key, keys=",".join(now), shown=" ".join(map(shown_key, now))))
    told = {key.order for key in kept if key.place == EVERYWHERE}
    for name, line in table.items():
        if line and line not in told:
            order = find(line.partition(" ")[0])
            kept.append(_key(name, line, line, order.group, shown=shown_key(name)))
    return tuple(kept)


def binding_of(name: str, key: Key) -> Binding:
    """The binding of one of the keys of an entry."""
    return Binding(name, action_of(key), key.short, show=False, priority=key.priority)


def bindings(place: str = EVERYWHERE) -> list[BindingType]:
    """The bindings of a place, for a `BINDINGS` class variable.

    A pane carries out itself what it has an `action_` for (`page 1` is `action_page`); any other key gives its order.
    """
    return [
        binding_of(name, key) for key in KEYS if key.place == place for name in key.keys.split(",")
    ]


PANE_DEEDS = ("flip", "remove", "choose", "digit", "page", "lines")
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
def key_line(width: int, keys: tuple[Key, ...] = KEYS) -> tuple[tuple[str, str], ...]:
    """The (keys, word) pairs that fit a line, the most needed first; help and quit are always among them.

    >>> key_line(30)
    (('n', 'next'), ('?', 'help'), ('q', 'quit'))
    """
    ranked = sorted((key for key in keys if key.rank), key=lambda key: key.rank)
    kept = [key for key in ranked if key.short in ("help", "quit")]
    used = 1 + sum(_room(key) for key in kept)
    for key in ranked:
        if key not in kept and used + _room(key) <= width:
            kept.append(key)
            used += _room(key)
    return tuple((key.shown, key.short) for key in sorted(kept, key=lambda key: key.rank))


def _room(key: Key) -> int:
    return len(key.shown) + len(key.short) + 3
