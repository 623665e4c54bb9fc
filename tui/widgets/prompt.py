"""The line at the bottom in which one types: a search, a breakpoint, a watch, an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from tui.ink import visible


class Prompt(Horizontal):
    """A question and its answer; hidden until something is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel", show=False)]

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

    def compose(self) -> ComposeResult:
        """The question, a line to type in, and what has come of it so far."""
        yield Label(id="question")
        yield Input(id="answer", compact=True, select_on_focus=False)
        yield Label(id="reply", markup=False)

    def ask(self, purpose: str, question: str, hint: str = "", begun: str = "") -> None:
        """Show the question; from now on, not from the next refresh on, what is typed is the answer.

        purpose: the order that the answer completes; begun: what of the answer is there already.
        """
        self.purpose = purpose
        self.query_one("#question", Label).update(question)
        answer = self.query_one(Input)
        answer.value, answer.placeholder = begun, hint
        answer.cursor_position = len(begun)
        self.reply("")
        self.display = True
        self.take_focus()

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
        self.post_message(self.Closed(purpose, text))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass on what has been typed so far."""
        event.stop()
        if self.purpose is not None:
            self.post_message(self.Typed(self.purpose, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Pass on the answer."""
        event.stop()
        if self.purpose is not None:
            self.close(event.value)

    def action_cancel(self) -> None:
        """Ask no more."""
        self.close()
