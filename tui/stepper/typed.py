"""What is typed in the stepper: searches and orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widgets import Input, Static

from tui.scripts import UsageError
from tui.stepper.orders import obey, search
from tui.stepper.playing import Playing
from tui.stepper.stand import Stand

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun

QUIT = ("q", "quit", "exit")


class Typing(Playing):
    """Asks for a line and obeys it. A subclass says where one stands."""

    stand: Stand
    run_: KernelRun
    block: int

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.sought = ""

    def stand_at(self, stand: Stand, said: str = "", *, wrong: bool = False) -> None:
        """Stand somewhere else, and show it."""
        raise NotImplementedError

    def begin_block(self) -> None:
        """Where one begins in the block that is looked at."""
        raise NotImplementedError

    @property
    def asking(self) -> bool:
        """Whether something is being typed."""
        return self.screen.has_class("asking")

    def order(self, line: str) -> None:
        """Carry out what was typed, or say why it cannot be done."""
        if line.strip() in QUIT:
            self.exit()
            return
        word, _, rest = line.strip().partition(" ")
        try:
            if word == "block":
                self._to_block(rest)
            else:
                self.stand_at(obey(self.stand, line))
        except UsageError as error:
            self.stand_at(self.stand, str(error).replace("\n  ", "; "), wrong=True)

    def _to_block(self, text: str) -> None:
        last = len(self.run_.runs) - 1
        if not text.isdigit() or int(text) > last:
            raise UsageError(f"there is no block {text} recorded\n  try: block 0 to {last}")
        self.block = int(text)
        self.begin_block()

    def action_ask(self, sign: str) -> None:
        """Ask for a search or an order."""
        self._stop()
        self.query_one("#question", Static).update(sign)
        self.screen.add_class("asking")
        line = self.query_one("#sought", Input)
        line.value = ""
        line.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what was typed."""
        sign = str(self.query_one("#question", Static).content)
        text = event.value.strip()
        self._close()
        if not text:
            return
        if sign == "/":
            self.sought = text
            self.action_hit(1)
        else:
            self.order(text)

    def _close(self) -> None:
        self.screen.remove_class("asking")
        self.query_one("#source").focus()

    def action_hit(self, by: int) -> None:
        """The next line that holds what was searched for."""
        if not self.sought:
            self.stand_at(self.stand, "nothing was searched for: / searches")
            return
        try:
            self.stand_at(search(self.stand, self.sought, by))
        except UsageError as error:
            self.stand_at(self.stand, str(error).replace("\n  ", "; "), wrong=True)
