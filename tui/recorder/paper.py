"""Pictures of what a command prints: it runs as on a terminal, and what it writes is read back with its colours."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
from collections.abc import Iterator

from rich.ansi import AnsiDecoder
from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from textual.color import Color

from tui.recorder.camera import Pens
from tui.recorder.picture import Picture, Stretch
from tui.scripts import UsageError
from tui.theme import PREFIX, THEMES

ANSI = ("panel", "gradient", "value", "warning", "border", "key", "border", "text")
"""Our name of each of the eight colours of a terminal."""


PRINTING = ("check", "gallery", "ops", "show", "verify")
"""The commands that print and do nothing else."""


class _Paper(io.StringIO):
    """What a command takes for a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def printed_by(command: str, columns: int) -> str:
    """What a command prints on a terminal of so many columns. Raises `UsageError` for one that does more, or fails."""
    from tui.cli import main
    from tui.statuses import USAGE

    if command.partition(" ")[0] not in PRINTING:
        raise UsageError(
            f"{command.partition(' ')[0]} is no command whose page can be recorded\n  try: {', '.join(PRINTING)}"
        )
    complaints = io.StringIO()
    with (
        _terminal_of(columns),
        contextlib.redirect_stdout(_Paper()) as paper,
        contextlib.redirect_stderr(complaints),
    ):
        status = main(shlex.split(command))
    if status >= USAGE:
        raise UsageError(f"gradstep {command} said: {complaints.getvalue().strip()}")
    return paper.getvalue().rstrip("\n")


@contextlib.contextmanager
def _terminal_of(columns: int) -> Iterator[None]:
    """Let the environment be that of a colour terminal of so many columns."""
    before = dict(os.environ)
    os.environ.update(COLUMNS=str(columns), TERM="xterm-256color")
    os.environ.pop("NO_COLOR", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def picture_of(text: str, columns: int, theme: str) -> Picture:
    """Printed text with its colours as a picture, as high as it has lines."""
    chosen = next(each for each in THEMES if each.name == PREFIX + theme)
    ink, ground = (_rgb(str(colour)) for colour in (chosen.foreground, chosen.background))
    colours = [_rgb(chosen.variables[name]) for name in ANSI]
    pens = Pens(
        RichColor.from_rgb(*ink), RichColor.from_rgb(*ground), TerminalTheme(ground, ink, colours)
    )
    console = Console(width=10_000, color_system="truecolor", legacy_windows=False)
    stretches, height = [], 0
    for y, line in enumerate(AnsiDecoder().decode(text)):
        x, height = 0, y + 1
        for segment in line.render(console):
            if segment.text.strip("\n"):
                stretches.append(Stretch(x, y, segment.text, pens(segment.style)))
                x += cell_len(segment.text)
    paper = pens.hex(RichColor.from_rgb(*ground))
    return Picture(columns, height, tuple(stretches), paper, chosen.dark)


def _rgb(colour: str) -> tuple[int, int, int]:
    found = Color.parse(colour)
    return found.r, found.g, found.b
