"""The line at the bottom in which one types: a search, a breakpoint, a watch, an order; and what one may type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Label
from textual.widgets.input import Selection

from tracer.cells.widths import visible
from tui.completion import Offer, recalled
from tui.ink import Line
from tui.views.offers import offer_line
from tui.views.scene import Scene
from tui.widgets.pane import LinePane


class Offers(LinePane, can_focus=False):
    """The line above the prompt."""

    offer = Offer()
    chosen: int | None = None

    def present(self, offer: Offer, chosen: int | None = None) -> None:
        """Show what may be typed."""
        self.offer, self.chosen = offer, chosen
        self.display = bool(offer.words or offer.usage or offer.wrong)
        self.update_lines()

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The words, the usage or what is wrong."""
        return [offer_line(self.offer, self.chosen, width)]


class Ghost(Suggester):
    """The rest of a line as it was typed last time, dim; → takes it."""

    def __init__(self, recall: Callable[[str], list[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.recall = recall

    async def get_suggestion(self, value: str) -> str | None:
        """The latest line that goes on as this one."""
        return next(iter(self.recall(value)), None)


class Prompt(Horizontal):
    """A question and its answer; hidden until something is asked.

    offer: what a whole line, the order with its argument, may become. history: the lines typed so far.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", "complete", show=False, priority=True),
        Binding("shift+tab", "complete(-1)", "complete", show=False, priority=True),
        Binding("up", "recall(1)", "line before", show=False, priority=True),
        Binding("down", "recall(-1)", "line after", show=False, priority=True),
    ]

    purpose: str | None = None
    """The order that the answer completes; None while nothing is asked."""

    @dataclass
    class Typed(Message):
        """The text has changed."""

        purpose: str
        text: str

    @dataclass
    class Closed(Message):
        """Nothing is asked any more; the text is the answer, None if there is none."""

        purpose: str
        text: str | None

    def __init__(
        self, *, id: str, offer: Callable[[str], Offer], history: Callable[[], Sequence[str]]
    ) -> None:
        super().__init__(id=id)
        self._offer_for, self._history = offer, history
        self._offer, self._chosen = Offer(), None  # type: tuple[Offer, int | None]
        self._begun, self._back = "", 0
        self._ours: str | None = None

    def compose(self) -> ComposeResult:
        """The question, a line to type in, and what has come of it so far."""
        yield Label(id="question")
        yield Input(
            id="answer", compact=True, select_on_focus=False, suggester=Ghost(self._recalled)
        )
        yield Label(id="reply", markup=False)

    # ----- asking

    def ask(
        self, purpose: str, question: str, hint: str = "", begun: str = "", kept: int | None = None
    ) -> None:
        """Show the question; from now on, not from the next refresh on, what is typed is the answer.

        purpose: the order that the answer completes; begun: what of the answer is there already; kept: how much of that
        stays when one types, the rest is marked and replaced. All of it if None.
        """
        self.purpose = purpose
        self.query_one("#question", Label).update(question)
        answer = self.query_one(Input)
        answer.value, answer.placeholder = begun, hint
        answer.selection = Selection(len(begun) if kept is None else kept, len(begun))
        self.reply("")
        self.display = True
        self.take_focus()
        self._typed(begun)

    def take_focus(self) -> None:
        """Let the next key go into the answer, wherever the mouse has been."""
        self.screen.set_focus(self.query_one(Input))

    def reply(self, text: str) -> None:
        """Show beside the answer what has come of it so far."""
        self.query_one("#reply", Label).update(visible(text))

    def close(self, text: str | None = None) -> None:
        """Hide the prompt."""
        purpose, self.purpose = self.purpose or "", None
        self.display = False
        self._present(Offer())
        self.post_message(self.Closed(purpose, text))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass on what has been typed so far."""
        event.stop()
        if self.purpose is None:
            return
        if event.value != self._ours:
            self._typed(event.value)
        self.post_message(self.Typed(self.purpose, event.value))

    def end(self, *, answered: bool) -> None:
        """Close, with what has been typed as the answer or with none."""
        if self.purpose is not None:
            self.close(self.query_one(Input).value if answered else None)

    # ----- completion and history

    @property
    def _before(self) -> str:
        """What of the whole line stands in the question."""
        return f"{self.purpose} " if self.purpose else ""

    def _typed(self, text: str) -> None:
        self._begun, self._back, self._ours = text, 0, None
        self._present(self._offer_for(self._before + text))

    def _present(self, offer: Offer, chosen: int | None = None) -> None:
        self._offer, self._chosen = offer, chosen
        self.screen.query_one(Offers).present(offer, chosen)

    def _put(self, text: str) -> None:
        self._ours = text
        answer = self.query_one(Input)
        answer.value = text
        answer.cursor_position = len(text)

    def action_complete(self, direction: int) -> None:
        """The first completion; the next one, or the one before, if one is there already."""
        lines = self._offer.lines
        if not lines:
            return
        if self._chosen is None:
            chosen = 0 if direction > 0 else len(lines) - 1
        else:
            chosen = (self._chosen + direction) % len(lines)
        text = lines[chosen].removeprefix(self._before)
        if len(lines) == 1:
            self._put(text)
            self._typed(text)
        else:
            self._put(text)
            self._present(self._offer, chosen)

    def _recalled(self, begun: str) -> list[str]:
        before = self._before
        return [line.removeprefix(before) for line in recalled(self._history(), before + begun)]

    def action_recall(self, direction: int) -> None:
        """The line before in the history that begins as what was typed, or the one after; at last what was typed."""
        lines = [self._begun, *self._recalled(self._begun)]
        self._back = max(0, min(len(lines) - 1, self._back + direction))
        self._put(lines[self._back])
        self._present(self._offer_for(self._before + lines[self._back]))
