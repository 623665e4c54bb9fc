"""The keys, said once.

The bindings, the key line at the bottom of the screen and the help screen are all made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from textual.binding import Binding, BindingType

EVERYWHERE, GRAPH, TAPE, NODE, TENSOR = "everywhere", "graph", "tape", "node", "tensor"


@dataclass(frozen=True)
class Key:
    """One entry.

    Textual's names of the keys, the action, what the key line says, what the help screen says, and where it works.

    `rank` orders the key line, the smallest first; 0 leaves the entry out. `shown` is how the keys are printed.
    A key with `priority` acts at once, before the key that follows it is looked at.
    """

    keys: str
    action: str
    short: str
    help: str
    shown: str
    group: str
    place: str = EVERYWHERE
    rank: int = 0
    priority: bool = False


def _key(keys: str, action: str, text: str, group: str, **more: object) -> Key:
    short, _, help_ = text.partition(": ")
    shown = str(more.pop("shown", keys.replace(",", " ")))
    return Key(keys, action, short, help_ or short, shown, group, **more)  # type: ignore[arg-type]


STEP, RUN, BREAK, LOOK, SCREEN = "step", "run", "stop and watch", "look", "screen"

KEYS: tuple[Key, ...] = (
    _key("n", "next", "next: to the next node; digits before it count, 10n", STEP, rank=1),
    _key("N", "previous", "back: to the node before; all capitals go back in time", STEP, rank=2),
    _key("s", "into", "into: one flow further, or open a node that has parts", STEP, rank=3),
    _key("S", "out_of", "one flow back, and out of opened parts", STEP),
    _key(
        "f",
        "finish",
        "finish: to the end of the scope or of the pass; close opened parts",
        STEP,
        rank=5,
    ),
    _key("F", "reverse_finish", "to where the scope or the pass began", STEP),
    _key("c", "resume", "continue: to the next breakpoint, or to the end", RUN, rank=4),
    _key("C", "reverse_resume", "reverse continue: to the breakpoint before, or to the start", RUN),
    _key(
        "t,enter",
        "run_to",
        "run to: run until the selected node has its value or its gradient",
        RUN,
        shown="t ⏎",
        rank=8,
    ),
    _key(
        "percent_sign", "twin", "fwd⇄bwd: the same node in the other pass", RUN, shown="%", rank=7
    ),
    _key("g", "start", "start: to the start of the timeline", RUN),
    _key("G", "end", "end: to the end of the timeline", RUN),
    _key("space", "play", "play: step by itself, and stop again", RUN, rank=11),
    _key(
        "b",
        "toggle_breakpoint",
        "break: set or delete a breakpoint at the selected node",
        BREAK,
        rank=6,
    ),
    _key(
        "B",
        "ask_breakpoint",
        "break if: ask for a breakpoint, such as  op:mul if nan(value)",
        BREAK,
        priority=True,
    ),
    _key(
        "w",
        "ask_watch",
        "watch: ask for something to watch, such as  norm(grad) of xhat",
        BREAK,
        rank=10,
        priority=True,
    ),
    _key(
        "slash",
        "search",
        "find: a name, op, scope or shape, as you type",
        LOOK,
        shown="/",
        rank=9,
        priority=True,
    ),
    _key("comma", "search_previous", "the hit before", LOOK, shown=","),
    _key("full_stop", "search_next", "the next hit", LOOK, shown="."),
    _key("u", "scope_up", "scope up: show the scope that encloses this one", LOOK),
    _key("d", "scope_down", "scope down: back towards the node's own scope", LOOK),
    _key(
        "colon",
        "command",
        "command: goto N, break TEXT, delete N, watch TEXT, ...",
        LOOK,
        shown=":",
        rank=12,
        priority=True,
    ),
    _key("escape", "escape", "drop the count, stop playing, show all panes", SCREEN, shown="esc"),
    _key("tab", "focus_pane(1)", "to the next pane", SCREEN, priority=True),
    _key(
        "shift+tab,ctrl+o",
        "focus_pane(-1)",
        "to the pane before",
        SCREEN,
        shown="ctrl+o",
        priority=True,
    ),
    _key("z", "zoom", "zoom: give the pane the whole screen, and back", SCREEN, rank=13),
    _key("question_mark,f1", "help", "help: this page", SCREEN, shown="?", rank=14),
    _key("q,ctrl+q", "quit", "quit", SCREEN, shown="q", rank=15),
    _key("ctrl+c", "quit", "quit", SCREEN, shown="ctrl+c", priority=True),
    _key("h,left", "go('left')", "to an input", LOOK, place=GRAPH, shown="h ←"),
    _key("l,right", "go('right')", "to a consumer", LOOK, place=GRAPH, shown="l →"),
    _key("k,up", "go('up')", "to the box above", LOOK, place=GRAPH, shown="k ↑"),
    _key("j,down", "go('down')", "to the box below", LOOK, place=GRAPH, shown="j ↓"),
    _key("k,up", "row(-1)", "a row up", LOOK, place=TAPE, shown="k ↑"),
    _key("j,down", "row(1)", "a row down", LOOK, place=TAPE, shown="j ↓"),
    _key("pageup,ctrl+u", "page(-1)", "a page up", LOOK, place=TAPE, shown="pgup"),
    _key("pagedown,ctrl+d", "page(1)", "a page down", LOOK, place=TAPE, shown="pgdn"),
    _key("k,up", "lines(-1)", "scroll up", LOOK, place=NODE, shown="k ↑"),
    _key("j,down", "lines(1)", "scroll down", LOOK, place=NODE, shown="j ↓"),
    _key("h,left", "move(0,-1)", "a column left", LOOK, place=TENSOR, shown="h ←"),
    _key("l,right", "move(0,1)", "a column right", LOOK, place=TENSOR, shown="l →"),
    _key("k,up", "move(-1,0)", "a row up", LOOK, place=TENSOR, shown="k ↑"),
    _key("j,down", "move(1,0)", "a row down", LOOK, place=TENSOR, shown="j ↓"),
    _key("m", "swap", "value⇄∂: value or gradient in the tensor pane", LOOK, rank=16),
    _key(
        "left_curly_bracket",
        "slice(-1)",
        "the slice before, of more than two axes",
        LOOK,
        shown="{",
    ),
    _key("right_curly_bracket", "slice(1)", "the next slice", LOOK, shown="}"),
    *(
        _key(
            str(digit),
            f"digit({digit})",
            "a digit of the count",
            STEP,
            shown="0-9" if not digit else "",
        )
        for digit in range(10)
    ),
)


def bindings(place: str = EVERYWHERE) -> list[BindingType]:
    """The bindings of a place, for a `BINDINGS` class variable."""
    return [
        Binding(key.keys, key.action, key.short, show=False, priority=key.priority)
        for key in KEYS
        if key.place == place
    ]


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
