"""Work that may last: on a thread of its own, with a screen after a moment that tells of it and lets it be stopped."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, TypeVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui.leaving import leave_when_ended, on_terminal
from tui.memory import Memory, recall
from tui.personal import ALL_COLOURS, starting_theme
from tui.settings import CONFIG, Settings, config_file, read_settings, state_file
from tui.theme import PREFIX, themes_for

Made = TypeVar("Made")
MOMENT = 0.4
"""Seconds before a screen says that something lasts."""
OFTEN = 0.1
"""Seconds from one look at the work to the next."""


class Work(Generic[Made]):
    """Something that is made on a thread. `what` is told how far it is, and answers whether it is to stop."""

    def __init__(self, make: Callable[[Callable[[int], bool]], Made]) -> None:
        self.make = make
        self.count = 0
        self.stopping = threading.Event()
        self.made: list[Made] = []
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.made.append(self.make(self.tell))
        except BaseException as error:
            self.error = error

    def tell(self, count: int) -> bool:
        """So far it is; whether it is to stop."""
        self.count = count
        return self.stopping.is_set()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return not self.thread.is_alive()


class WaitingApp(App[bool]):
    """Says how far some work is, until it has ended or is left: True if it has ended."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { align: center middle; } #waiting { width: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop", priority=True),
        Binding("q,ctrl+c,ctrl+q", "leave", "leave", priority=True),
    ]

    def __init__(
        self,
        work: Work[Made],
        name: str,
        *,
        settings: Settings | None = None,
        memory: Memory | None = None,
        environment: Mapping[str, str] = ALL_COLOURS,
    ) -> None:
        super().__init__(ansi_color="NO_COLOR" in os.environ or None)
        self.work, self.what = work, name
        for theme in themes_for(environment):
            self.register_theme(theme)
        self.theme = PREFIX + starting_theme(
            settings or Settings(), memory or Memory(), environment
        )

    def compose(self) -> ComposeResult:
        """A few words."""
        yield Static(self.words(), id="waiting", markup=False)

    def words(self) -> str:
        """How far it is."""
        if self.work.stopping.is_set():
            return f"stopping {self.what} …"
        return (
            f"running {self.what}: {self.work.count:,} lines kept\n\n"
            "esc  stop here, and step through what there is\nq    quit"
        )

    def on_mount(self) -> None:
        """Look from time to time."""
        leave_when_ended(self)
        self.set_interval(OFTEN, self.tick)

    def tick(self) -> None:
        """Say how far it is, or leave."""
        if self.work.done:
            self.exit(True)
        else:
            self.query_one("#waiting", Static).update(self.words())

    def action_stop(self) -> None:
        """Let the work stop, with what it has made so far."""
        self.work.stopping.set()
        self.tick()

    def action_leave(self) -> None:
        """Let it stop, and leave."""
        self.work.stopping.set()
        self.exit(False)


def waited_for(name: str, make: Callable[[Callable[[int], bool]], Made]) -> Made | None:
    """What is made, with a screen after a moment; None if that was left. What the work raises is raised here."""
    work = Work(make)
    work.thread.start()
    work.thread.join(MOMENT)
    if not work.done:
        app = WaitingApp(
            work,
            name,
            settings=read_settings(config_file(os.environ), named=CONFIG in os.environ),
            memory=recall(state_file(os.environ)),
            environment=dict(os.environ),
        )
        if not on_terminal(app):
            return None
    if work.error is not None:
        raise work.error
    return work.made[0]
