"""The drawings of the picker: made on another thread, one at a time, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from gallery import GALLERY
from tracer.cells.meanings import Kind
from tracer.errors import in_one_line
from tui.ink import Line, span
from tui.networks import Network
from tui.showroom.drawing import small_drawing


@dataclass
class Drawings:
    """What has been drawn, by name and size."""

    made: dict[tuple[str, int, int], list[Line]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def known(self, name: str, width: int, height: int) -> list[Line] | None:
        """A drawing that has been made."""
        return self.made.get((name, width, height))

    def make(
        self, name: str, width: int, height: int, given_up: Callable[[], bool] = bool
    ) -> list[Line]:
        """Make a drawing of the network of that name, or say why there is none; nothing once it is given up.

        >>> from tui.ink import text_of
        >>> text_of(Drawings().make("circuit", 60, 12)[0]).rstrip()
        '╭ x input ──╮'
        """
        with self.lock:
            key = name, width, height
            if key not in self.made and not given_up():
                try:
                    self.made[key] = small_drawing(Network(GALLERY[name]).trace(), width, height)
                except Exception as error:  # whatever an entry does, one can still pick another
                    self.made[key] = [(span(f"no drawing: {in_one_line(error)}", Kind.FAINT),)]
            return self.made.get(key, [])
