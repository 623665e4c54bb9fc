"""A picture of a screen: lines of stretches of cells, each with its colours. Plain data, the same at every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Pen(NamedTuple):
    """How a stretch is written: colours as `#rrggbb`, and the style of its letters."""

    ink: str
    paper: str
    bold: bool = False
    italic: bool = False
    underline: bool = False


class Stretch(NamedTuple):
    """Some cells of one line in one pen: its first column, its line, its text."""

    x: int
    y: int
    text: str
    pen: Pen


@dataclass(frozen=True)
class Picture:
    """The cells of a screen; `ground` is the colour of the screen where nothing else is."""

    width: int
    height: int
    stretches: tuple[Stretch, ...]
    ground: str
    dark: bool = True

    @property
    def text(self) -> str:
        """The characters alone, line by line, without blanks at the ends.

        >>> pen = Pen("#000000", "#ffffff")
        >>> Picture(6, 2, (Stretch(2, 1, "ab ", pen),), "#ffffff").text
        '\\n  ab\\n'
        """
        lines = [""] * self.height
        for stretch in self.stretches:
            lines[stretch.y] += " " * (stretch.x - len(lines[stretch.y])) + stretch.text
        return "".join(line.rstrip() + "\n" for line in lines)
