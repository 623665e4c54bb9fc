"""What a page is set on: how many columns there are, and which signs can be written."""

from __future__ import annotations

import textwrap
from typing import NamedTuple, Protocol


class Paper(Protocol):
    """What a page asks of the terminal, or of whatever it is written on."""

    @property
    def columns(self) -> int:
        """How many cells a line has."""

    @property
    def colours(self) -> bool:
        """Whether an outcome stands on a ground of its colour."""

    @property
    def signs(self) -> bool:
        """Whether it takes Braille and the signs of mathematics."""

    def spell(self, text: str) -> str:
        """The text as it will be written, so that what is laid out has its final width."""


class Sheet(NamedTuple):
    """Paper that takes every sign: a notebook, a string."""

    columns: int = 80
    colours: bool = False
    signs: bool = True

    def spell(self, text: str) -> str:
        """The text itself."""
        return text


def wrapped(text: str, columns: int, after: str = "") -> list[str]:
    """A paragraph as lines that fit, its first blanks kept; all lines but the first begin with `after`."""
    return textwrap.wrap(
        text,
        max(columns, 20),
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
    )
