"""The line at the bottom in which one types: a search, a breakpoint, a watch, an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class Prompt(Horizontal):
    """A question and its answer; hidden until something is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel", show=False)]

    purpose = ""

    @dataclass
    class Typed(Message):
        """The text has changed, or is final."""

        purpose: str
        text: str
        final: bool

    @dataclass
    class Closed(Message):
        """Nothing is asked any more."""

    def compose(self) -> ComposeResult:
        """A label and a line to type in."""
        yield Label(id="question")
        yield Input(id="answer", compact=True, select_on_focus=False)

    def ask(self, purpose: str, question: str, hint: str = "") -> None:
        """Show the question and wait for the answer."""
        self.purpose = purpose
        self.query_one(Label).update(question)
        answer = self.query_one(Input)
        answer.value, answer.placeholder = "", hint
        self.display = True
        answer.focus()

    def close(self) -> None:
        """Hide the prompt."""
        self.display = False
        self.purpose = ""
        self.post_message(self.Closed())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass on what has been typed so far."""
        event.stop()
        if self.purpose:
            self.post_message(self.Typed(self.purpose, event.value, final=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Pass on the answer."""
        event.stop()
        purpose = self.purpose
        self.close()
        self.post_message(self.Typed(purpose, event.value, final=True))

    def action_cancel(self) -> None:
        """Ask no more."""
        self.close()
