"""The help: keys and orders by what they are for, then what the signs mean; in two columns where it is wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len

from tracer.cells.meanings import Kind
from tracer.timeline import GLYPHS
from tui.ink import Line, pad, span, width_of
from tui.keys import EVERYWHERE, KEYS, Key
from tui.orders import ORDERS
from tui.orders.order import Order

TWO_COLUMNS = 120
"""From this width on, there are two columns."""
GAP = 3
MOST_ORDER = 22
"""So wide is the column of orders at most; what is longer stands on a line of its own."""
_ORDERS = {order.name: order for order in ORDERS}
SETTINGS = (
    ("theme", 'theme = "light"; what :theme says is remembered too'),
    ("speed", "speed = 4, in steps a second while it plays"),
    (
        "keys",
        'below a line [keys], lines such as "ctrl+b" = "break if nan(value)"; "" takes a key away',
    ),
)
FRAMES = (
    ("╔══╗", "the current node"),
    ("┏━━┓", "what it has just read, or sent a flow to; the wire between them is heavy"),
    ("╭──╮", "a node that has run"),
    ("╭┄┄╮", "a node that has not run yet"),
    ("╭──╮╮", "a second edge: a folded scope, or time steps, of +n nodes; i opens it"),
    ("[name]", "the selected node, where that is not the current one"),
    ("● ◇", "in a border, a row or the timeline: a breakpoint, one with a condition"),
    ("1/2", "in a lower border: one of two flows has arrived; of a folded box: so many are done"),
    ("▷ ┄", "a wire along which no gradient flows back"),
    ("◌○◉□■", "at the least detail: not run, run, reached by a gradient, just read, current"),
    ("▁[◆▃]▁", "below the graph: the whole drawing, what is in sight of it, the current node"),
    ("v ∂", "in a box: value above, gradient (∂) below; rms is the root mean square"),
)
TIMELINE = (
    (
        "▼ ┃ ▲",
        "the start, the loss, the end of the backward pass; a click goes there, a drag scrubs",
    ),
    ("━ ═ ┄", "forward steps and flows that are done; what is to come"),
    ("◆ ┬ ⚠", "the position; the end of a layer or time step; the first NaN or infinity"),
)


class Row(NamedTuple):
    """One key or sign: what it is, the order that it gives, and what that does."""

    sign: str
    order: str
    words: str


class Block(NamedTuple):
    """A heading and its rows."""

    heading: str
    rows: tuple[Row, ...]


def blocks(keys: tuple[Key, ...] = KEYS) -> Iterator[Block]:
    """The whole help."""
    groups = dict.fromkeys((*(order.group for order in ORDERS), *(key.group for key in keys)))
    for group in groups:
        here = tuple(key for key in keys if key.place == EVERYWHERE and key.group == group)
        yield Block(group, (*_keyed(here), *_unkeyed(group, keys)))
    for place in dict.fromkeys(key.place for key in keys if key.place != EVERYWHERE):
        here = tuple(key for key in keys if key.place == place)
        yield Block(f"in the {place} pane", tuple(_keyed(here)))
    yield Block(
        "the file ~/.config/gradstep/config.toml", tuple(Row(sign, "", w) for sign, w in SETTINGS)
    )
    yield Block("the timeline", tuple(Row(sign, "", words) for sign, words in TIMELINE))
    yield Block("frames and marks", tuple(Row(sign, "", words) for sign, words in FRAMES))
    yield Block(
        "a gradient that is not there is never drawn as 0",
        tuple(Row(glyph, "", state) for state, glyph in GLYPHS.items()),
    )


def _keyed(keys: tuple[Key, ...]) -> Iterator[Row]:
    for key in keys:
        if key.shown:
            order = _ORDERS.get(_named(key))
            yield Row(key.shown, _called(order) if order else "", key.help)


def _unkeyed(group: str, keys: tuple[Key, ...]) -> Iterator[Row]:
    named = {_named(key) for key in keys if key.shown}
    for order in ORDERS:
        if order.group == group and order.name not in named:
            yield Row("", _called(order), order.help)


def _named(key: Key) -> str:
    """The order that a key gives or asks for, where it gives it nothing more."""
    return key.order.removeprefix("ask ")


def _called(order: Order) -> str:
    return f":{order.name} {order.argument}".rstrip()


def help_lines(keys: tuple[Key, ...], width: int, wanted: str = "") -> list[Line]:
    """The lines of the help in this width; with a text, only what holds it."""
    kept = [found for block in blocks(keys) if (found := _holding(block, wanted)).rows]
    if not kept:
        return [(span(f"nothing in the help holds {wanted!r}", Kind.FAINT),)]
    if width < TWO_COLUMNS:
        return [line for block in kept for line in _lines(block, width)]
    column = (width - GAP) // 2
    drawn = [_lines(block, column) for block in kept]
    heights = [len(lines) for lines in drawn]
    cut = min(range(len(drawn) + 1), key=lambda k: max(sum(heights[:k]), sum(heights[k:])))
    left, right = (
        [line for lines in part for line in lines] for part in (drawn[:cut], drawn[cut:])
    )
    return [
        (*_filled(_at(left, y), column), span(" " * GAP), *_at(right, y))
        for y in range(max(len(left), len(right)))
    ]


def _holding(block: Block, wanted: str) -> Block:
    text = wanted.strip().casefold()
    if text in block.heading.casefold():
        return block
    return Block(block.heading, tuple(r for r in block.rows if text in " ".join(r).casefold()))


def _at(lines: list[Line], y: int) -> Line:
    return lines[y] if y < len(lines) else ()


def _filled(line: Line, width: int) -> Line:
    return (*line, span(" " * (width - width_of(line))))


def _lines(block: Block, width: int) -> list[Line]:
    sign = max(cell_len(row.sign) for row in block.rows) + 2
    sizes = [cell_len(row.order) for row in block.rows]
    order = max((size for size in sizes if size <= MOST_ORDER), default=0) + 2 * any(sizes)
    before = 2 + sign + order
    lines: list[Line] = [(span(block.heading, Kind.NAME),)]
    for row in block.rows:
        words = textwrap.wrap(row.words, max(12, width - before))
        start = span("  " + pad(row.sign, sign), Kind.KEY)
        if cell_len(row.order) > order:
            lines.append((start, span(row.order, Kind.OP)))
        else:
            first = words.pop(0) if words else ""
            lines.append((start, span(pad(row.order, order), Kind.OP), span(first)))
        lines += [(span(" " * before), span(more)) for more in words]
    return [*lines, ()]
