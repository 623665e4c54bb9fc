"""The keys of a training on the screen, and what they do."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tracer.cells.meanings import Kind, Look
from tracer.plots import Plot
from tui.ink import Ink
from tui.screens.help import ListScreen, PageScreen
from tui.scripts import UsageError
from tui.theme import Inks
from tui.training import panes
from tui.training.job import Job
from tui.training.leaving import free_folder, save_traces
from tui.training.plan import Plan

SAID = 4.0
"""Seconds for which a message stands where the keys are."""


class NoteScreen(PageScreen):
    """The whole note of a plot; it is written anew as the training goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("n", "leave", "close", show=False)]
    heading = "note of the plot"

    def __init__(self, inks: Inks) -> None:
        super().__init__(inks)
        self.plot: Plot | None = None

    def show(self, plot: Plot | None) -> None:
        """Show the note of a plot, from now on."""
        self.plot = plot
        if self.is_mounted:
            self.write()

    def text(self, width: int) -> Text:
        """Its title, and below it the note."""
        text = Text()
        for line in panes.note_lines(self.plot, width):
            for piece in line:
                ink = Ink(panes.KINDS.get(piece.shows, Kind.TEXT), Look.PLAIN)
                text.append(piece.text, self.inks(ink))
            text.append("\n")
        return text


class TrainingKeys(App[int]):
    """A screen about a training, with its keys. A subclass draws it in `look`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "pause"),
        Binding("k", "keep", "keep the next step"),
        Binding("o", "open_present", "open this step"),
        Binding("enter", "open_chosen", "open a kept step"),
        Binding("down,j", "choose(1)", "down"),
        Binding("up", "choose(-1)", "up"),
        Binding("tab,right", "turn(1)", "another plot", priority=True),
        Binding("shift+tab,left", "turn(-1)", "another plot", priority=True),
        Binding("l", "scale", "logarithmic scale"),
        Binding("n", "note", "the note of the plot"),
        Binding("w", "save", "save the kept steps"),
        Binding("pagedown", "scroll(1)", "layers below"),
        Binding("pageup", "scroll(-1)", "layers above"),
        Binding("question_mark,f1", "explain", "help"),
        Binding("q,ctrl+c,ctrl+q", "leave", "leave", priority=True),
        Binding("escape", "stay", show=False),
    ]

    def __init__(self, plan: Plan, job: Job, chosen: int, files: dict[int, Path]) -> None:
        super().__init__(ansi_color="NO_COLOR" in os.environ or None)
        self.plan, self.job = plan, job
        self.files = files
        """The kept steps that are saved, and where."""
        self.shown: Plot | None = None
        """The plot beside the loss."""
        self.several = False
        """Whether there is another one."""
        self._warned: tuple[int, ...] = ()
        """The steps of which was said that they are not saved."""
        self.chosen = chosen
        """The kept step under the cursor."""
        self.turned = 0
        """How often another plot was asked for."""
        self.decades = False
        """Whether the loss is on a logarithmic scale."""
        self.said = ""
        """What was said last."""
        self.inks: Inks | None = None

    def look(self, *, anew: bool = False) -> None:
        """Show the training as it stands."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a page that lies over the screen have its own keys."""
        over = len(self.screen_stack) > 1
        return not over and super().check_action(action, parameters)

    def action_pause(self) -> None:
        """Pause, or go on."""
        view = self.job.view()
        if view.ended:
            self.say("there is no step left: o opens the last one, enter a kept one")
            return
        self.job.pause(on=not view.paused)
        self.say("")

    def action_keep(self) -> None:
        """Keep the step that comes next."""
        self._wish(following=not self.job.view().ended, then_open=False)

    def action_open_present(self) -> None:
        """Open the debugger at the present step."""
        self._wish(following=False, then_open=True)

    @work(group="wishes")
    async def _wish(self, *, following: bool, then_open: bool) -> None:
        step = await asyncio.wrap_future(self.job.keep(following=following))
        if not step:
            self.say("no step has been made yet")
        elif then_open:
            self.exit(step)
        else:
            self.say(f"kept step {step:,}")

    def action_open_chosen(self) -> None:
        """Open the debugger at the kept step under the cursor."""
        if self.chosen:
            self.exit(self.chosen)
        else:
            self.say("no step is kept yet: k keeps the next one")

    def action_choose(self, rows: int) -> None:
        """Move the cursor among the kept steps."""
        steps = list(self.job.view().history.traces)
        if steps:
            at = steps.index(self.chosen) if self.chosen in steps else 0
            self.chosen = steps[max(0, min(at + rows, len(steps) - 1))]
            self.say("")

    def action_turn(self, by: int) -> None:
        """Show another plot beside the loss."""
        if not self.several:
            self.say("there is no other plot" if self.shown else "there is no plot but the loss")
            return
        self.turned = self.turned + by
        self.look(anew=True)

    def action_scale(self) -> None:
        """Show the loss on a logarithmic scale, or on a linear one."""
        self.decades = not self.decades
        self.look(anew=True)

    def action_scroll(self, pages: int) -> None:
        """Scroll the table of layers and parameters."""
        tables = self.query_one("#tables", VerticalScroll)
        tables.scroll_relative(y=pages * max(1, tables.size.height - 1), animate=False)

    def action_explain(self) -> None:
        """The keys, and what is to be expected."""
        assert self.inks is not None
        self.push_screen(ListScreen(self.inks, panes.help_page(self.plan)))

    def action_note(self) -> None:
        """The whole note of the plot beside the loss."""
        if self.shown is None or not self.shown.note:
            self.say("there is no note here")
            return
        assert self.inks is not None
        page = NoteScreen(self.inks)
        page.show(self.shown)
        self.push_screen(page)

    def action_save(self) -> None:
        """Save the kept steps that are not saved yet."""
        if not self.unsaved:
            self.say("all kept steps are saved" if self.files else "no step is kept yet")
            return
        before = next((str(file.parent) for file in self.files.values()), None)
        place = self.plan.place or before or str(free_folder(self.plan))
        try:
            self.files.update(save_traces(self.job.view().history, self.plan, place))
        except UsageError as error:
            self.say(str(error).replace("\n  ", "; "))
            return
        count = len(self.files)
        self.say(f"saved {count} step{'s' * (count > 1)} in {place}")

    @property
    def unsaved(self) -> tuple[int, ...]:
        """The kept steps that are not in a file."""
        return tuple(step for step in self.job.view().history.traces if step not in self.files)

    def action_stay(self) -> None:
        """Say how one leaves: escape closes pages, and a training is lost more easily than made."""
        self.say("q leaves")

    def action_leave(self) -> None:
        """End the training and leave; asked once more where steps were kept that would be lost."""
        lost = self.unsaved if self.plan.place is None else ()
        if not lost or self._warned:
            self.exit(None)
            return
        self._warned = lost
        kept = f"step {lost[0]:,} is" if len(lost) == 1 else f"{len(lost)} kept steps are"
        self.say(f"{kept} not saved: w saves, q again leaves without")

    def say(self, words: str) -> None:
        """Let a message stand for a while."""
        self.said = words
        if words:
            self.set_timer(SAID, lambda: self._unsay(words))
        self.look()

    def _unsay(self, words: str) -> None:
        if self.said == words:
            self._warned = ()
            self.say("")
