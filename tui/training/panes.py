"""What stands on the screen of a training, as lines: pure functions of how it stands and of the room there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tracer.cells.meanings import Kind
from tracer.cells.pieces import Line, Piece
from tracer.format import number
from tracer.plots import Plot
from tui.ink import elide
from tui.orders import Page
from tui.orders.order import page
from tui.printing import wrapped
from tui.training.job import View
from tui.training.plan import Plan
from tui.training.words import bar, fitting, kept_rows, numbers, state

KEYS = (
    ("space", "pauses the training, and lets it go on"),
    ("k", "keeps the step that comes next, to be stepped through"),
    ("o", "opens the debugger at the present step, which is kept too"),
    ("↑ ↓", "choose among the steps that were kept"),
    ("enter", "opens the debugger at the step that is chosen; leaving it leads back here"),
    ("tab", "shows another plot beside the loss, where there are several"),
    ("n", "shows the whole note of that plot, such as a text that was written"),
    ("l", "the loss on a logarithmic scale, or a linear one"),
    ("pgup pgdn", "scroll the layers and parameters"),
    ("w", "saves the kept steps: to -o PLACE, or into a new folder here"),
    ("?", "this page"),
    ("q", "ends the training and leaves; asks once where kept steps are not saved"),
)
AT_WORK = (("space", "pauses"), ("k", "keeps next"))
"""Keys that are of use until the last step is made."""
HINTS = (
    ("o", "opens this step"), ("enter", "a kept one"), ("q", "leaves"), ("?", "help"), ("n", "note"),
    ("w", "saves"), ("l", "log"),
)  # fmt: skip
NOTE = 2
"""Below a plot its note stands if it has no more lines than this; else on a page of its own."""
LOSS = 14
"""Columns of the first line that are left for the loss, however long the name of the training is."""
KINDS = {
    "value": Kind.VALUE, "gradient": Kind.GRADIENT, "faint": Kind.FAINT, "name": Kind.NAME,
    "parameter": Kind.KEY, "route0": Kind.FRAME, "route1": Kind.OP, "key": Kind.KEY,
    "tag": Kind.FORWARD_TAG, "warn": Kind.WARN,
}  # fmt: skip
"""What a piece shows, as the themes know it."""


def status_line(view: View, plan: Plan, width: int) -> Line:
    """What it does, what is trained, and the numbers of the last step, as many as there is room for."""
    tag = "warn" if view.trouble else "tag"
    doing = f" {state(view).upper()} "
    title = elide(f" {plan.title}", max(1, width - len(doing) - LOSS))
    said = numbers(view.history, plan.training.drawn, old=True)
    room = width - len(doing) - len(title) - 2
    return Piece(doing, tag), Piece(title, "name"), Piece(f"  {fitting(said, max(1, room))}")


def progress_line(view: View, width: int) -> Line:
    """How far it is, and how fast."""
    count = view.history.count
    words = f" {count:,} of {view.steps:,} optimiser steps"
    if view.pace and not view.ended:
        words += f" · {number(view.pace, 3)} a second"
    return Piece(bar(count, view.steps, max(8, width - len(words))), "value"), Piece(words)


def kept_lines(view: View, chosen: int, height: int) -> list[Line]:
    """The steps that were kept, so many of them around the chosen one."""
    rows = list(kept_rows(view.history))
    if not rows:
        return [(Piece("none yet", "faint"),)]
    at = next((k for k, (step, _) in enumerate(rows) if step == chosen), 0)
    first = max(0, min(at - height // 2, len(rows) - height))
    wide = len(f"{rows[-1][0]:,}")
    return [
        (
            Piece("▸ " if k == at else "  ", "key"),
            Piece(f"{step:>{wide},}", "name" if k == at else ""),
            Piece(f"  {said}", "" if k == at else "faint"),
        )
        for k, (step, said) in enumerate(rows)
        if first <= k < first + max(1, height)
    ]


def last_line(view: View, said: str, width: int, *, noted: bool = False) -> Line:
    """What was just said; else what is wrong, and the keys that are of use, as far as there is room.

    noted: whether the plot that is shown has a note.
    """
    if said:
        return (Piece(elide(said, width)),)
    pieces: list[Piece] = []
    if view.trouble and view.ended:
        pieces.append(Piece(f"{elide(view.trouble, width - 3)}   "))
    for key, words in HINTS if view.ended else (*AT_WORK, *HINTS):
        room = width - sum(len(p.text) for p in pieces)
        if len(key) + len(words) + 1 <= room and (noted or key != "n"):
            pieces += [Piece(key, "key"), Piece(f" {words}   ", "faint")]
    *before, last = pieces
    return (*before, last._replace(text=last.text.rstrip()))


def without_long_note(plot: Plot, columns: int) -> tuple[Plot, str]:
    """The plot as it is drawn in so many columns, and what stands in its frame: where its long note is to be read."""
    if len(wrapped(plot.note, columns)) <= NOTE:
        return plot, ""
    return replace(plot, note=""), "n: its note"


def note_lines(plot: Plot | None, width: int) -> list[Line]:
    """The whole note of a plot, each of its statements on lines of its own."""
    if plot is None or not plot.note:
        return [(Piece("this plot has no note"),)]
    lines: list[Line] = [(Piece(line, "name"),) for line in wrapped(plot.title, width)]
    for said in plot.note.split("; "):
        lines += [(), *((Piece(line),) for line in wrapped(said, width))]
    return lines


def help_page(plan: Plan) -> Page:
    """The keys, and what is to be expected."""
    rows: Sequence[tuple[str, str]] = KEYS
    if plan.training.claim:
        rows = (*KEYS, ("expect", plan.training.claim))
    return page(f"training {plan.title}", rows)
