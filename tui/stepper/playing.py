"""A stepper that steps by itself, slower or faster."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.timer import Timer

PACES = (1.0, 0.5, 0.25, 0.12, 0.06)
"""Seconds from one step to the next, while it plays."""


class Playing(App[None]):
    """Steps by itself. A subclass says what a step is."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._pace = 2
        self._playing: Timer | None = None

    def play_on(self) -> None:
        """One step."""
        raise NotImplementedError

    def tell(self, words: str) -> None:
        """Say something, where one stands."""
        raise NotImplementedError

    def action_play(self) -> None:
        """Step by itself, and stop again."""
        if self._playing is not None:
            self._stop()
            self.tell("stopped")
            return
        self._playing = self.set_interval(PACES[self._pace], self.play_on)

    def _stop(self) -> None:
        if self._playing is not None:
            self._playing.stop()
            self._playing = None

    def action_pace(self, by: int) -> None:
        """Play faster, or more slowly."""
        self._pace = max(0, min(self._pace + by, len(PACES) - 1))
        if self._playing is not None:
            self._stop()
            self.action_play()
        self.tell(f"{1 / PACES[self._pace]:.0f} steps a second")
