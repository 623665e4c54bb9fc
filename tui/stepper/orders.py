"""What may be typed behind `:` in the stepper: each changes where one stands, or says why it cannot."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace

from tui.scripts import UsageError
from tui.stepper.lanes import numbers
from tui.stepper.stand import Stand, go, out, over, run_on, to_line
from tui.stepper.walk import WARP

GDB = {"next": 1, "n": 1, "reverse-next": -1, "rn": -1}
"""Words of gdb for a step of the warp over device functions, and back."""
ON = {"continue": 1, "c": 1, "reverse-continue": -1, "rc": -1}
"""Words of gdb for going on to a breakpoint, and back."""


def obey(stand: Stand, line: str) -> Stand:
    """Where one stands after an order such as `line 12`. Raises `UsageError` for what cannot be done."""
    word, _, rest = line.strip().partition(" ")
    if word in GDB and (rest.isdigit() or not rest):
        return over(stand, GDB[word] * int(rest or 1))
    if word == "finish" and not rest:
        return out(stand, 1)
    if word in ON and not rest:
        return run_on(stand, ON[word])
    word = {"b": "break", "p": "array", "print": "array"}.get(word, word)
    if word.isdigit() and not rest:
        word, rest = "step", word
    found = [name for name in ORDERS if name.startswith(word)] if word else []
    if word in ORDERS:
        found = [word]
    if len(found) != 1:
        near = difflib.get_close_matches(word, ORDERS, n=1)
        cure = f"try: {near[0]}" if near else f"try: {', '.join(ORDERS)}, block, quit"
        raise UsageError(f"no order {word!r}\n  {cure}")
    return ORDERS[found[0]](stand, rest.strip())


def _number(text: str, what: str, first: int, last: int) -> int:
    if not text.isdigit() or not first <= int(text) <= last:
        said = f"there is no {what} {text}" if text else f"which {what}?"
        raise UsageError(f"{said}\n  try: {what} {first} to {last}")
    return int(text)


def _line_number(stand: Stand, text: str) -> int:
    lines = [*stand.walk.rows]
    if not text.isdigit() or int(text) not in stand.walk.rows:
        said = f"there is no line {text}" if text else "which line?"
        raise UsageError(f"{said}\n  try: line {numbers(lines)}")
    return int(text)


def _line(stand: Stand, text: str) -> Stand:
    """Run until this warp runs a line."""
    line = _line_number(stand, text)
    found = to_line(stand, line)
    if found is None:
        own = sorted({stand.walk.steps[k - 1].line for k in stand.walk.of_warp[stand.warp]})
        raise UsageError(f"warp {stand.warp} never runs line {line}\n  try: lines {numbers(own)}")
    return found


def _step(stand: Stand, text: str) -> Stand:
    return go(stand, _number(text, "step", 0, stand.walk.last))


def _warp(stand: Stand, text: str) -> Stand:
    number = _number(text, "warp", 0, stand.walk.warps - 1)
    lane = min(stand.lane, len(stand.walk.lanes(number)) - 1)
    return replace(stand, warp=number, lane=lane, element=None)


def _lane(stand: Stand, text: str) -> Stand:
    last = len(stand.walk.lanes(stand.warp)) - 1
    return replace(stand, lane=_number(text, "lane", 0, last), element=None)


def _thread(stand: Stand, text: str) -> Stand:
    number = _number(text, "thread", 0, stand.walk.threads - 1)
    return replace(stand, warp=number // WARP, lane=number % WARP, element=None)


def _array(stand: Stand, text: str) -> Stand:
    names = stand.walk.arrays
    if text not in names:
        said = f"there is no array {text!r}" if text else "which array?"
        raise UsageError(
            f"{said}\n  try: {', '.join(names) or 'another kernel: this one has none'}"
        )
    return replace(stand, array=text, element=None)


def _break(stand: Stand, text: str) -> Stand:
    line = _line_number(stand, text)
    return replace(stand, stops=stand.stops ^ {line})


def _search(stand: Stand, text: str) -> Stand:
    return search(stand, text, 1)


ORDERS: Mapping[str, Callable[[Stand, str], Stand]] = {
    "line": _line, "step": _step, "warp": _warp, "lane": _lane, "thread": _thread, "array": _array,
    "break": _break, "search": _search,
}  # fmt: skip


def search(stand: Stand, text: str, by: int) -> Stand:
    """Choose the next line of the source that holds a text, or the one before. Raises `UsageError` where none does."""
    wanted = text.casefold()
    hits = [row.line for row in stand.walk.listed if row.line and wanted in row.text.casefold()]
    if not hits or not wanted:
        raise UsageError(f"no line holds {text!r}\n  try: fewer letters of it")
    now = stand.cursor or stand.shown.line
    after = [k for k in hits if (k > now if by > 0 else k < now)]
    return replace(stand, cursor=(after or hits)[0 if by > 0 else -1])
