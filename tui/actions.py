"""What the keys do on the screen, in terms of a session."""

from __future__ import annotations

from textual import events
from textual.timer import Timer
from textual.widget import Widget

from tui.orders import obey
from tui.session import Session
from tui.widgets.pane import LinePane, Picked
from tui.widgets.prompt import Prompt
from tui.workbench import Workbench

PACE = 0.25
"""Seconds between two steps while it plays."""
MANY = 20_000
"""In a trace of more nodes than this, searching and setting breakpoints happen on another thread."""
QUESTIONS = {
    "search": ("/", "a name, op, scope or shape"),
    "breakpoint": ("break", "xhat, op:mul, name:h*, scope:rnn*, op:exp if inf(value)"),
    "watch": ("watch", "xhat, norm(grad), rms(grad) of xhat"),
    "order": (":", "goto N, break TEXT, delete N, watch TEXT, search TEXT, help, quit"),
}
TOO_SMALL = frozenset({"-tiny", "-flat"})
"""The classes of a screen that shows nothing but which size it needs."""
ASKING = ("search", "ask_breakpoint", "ask_watch", "command")
"""The actions that open the prompt."""


class Actions(Workbench):
    """The keys and the mouse."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._playing: Timer | None = None
        self._searching_from = 0
        self._held: list[events.Key] | None = None

    async def on_event(self, event: events.Event) -> None:
        """Take back the message at the next key; hold the keys after an answer until the answer has been obeyed."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            if self._held is not None:
                self._held.append(event)
                return
            if self._asks:
                self.query_one(Prompt).take_focus()
                self._held = [] if event.key in ("enter", "escape") else None
            elif self.session.message and not self.session.busy:
                self.session.say("")
                self.show()
        await super().on_event(event)

    @property
    def _asks(self) -> bool:
        """Whether the prompt waits for an answer."""
        return self.screen.has_class("asking")

    def show(self) -> None:
        """Show the session as it is now, beside an answer that is being typed too."""
        super().show()
        if self._asks:
            self.query_one(Prompt).reply(self.session.message)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let only one question be asked at a time, none over the help; where nothing can be seen, only quit."""
        if action != "quit" and TOO_SMALL & self.screen.classes:
            return False
        if action in ASKING:
            return not self._asks and len(self.screen_stack) == 1
        return super().check_action(action, parameters)

    def _move(self, name: str) -> None:
        self.do(lambda: self.session.move(name), long=self.session.takes_long(name))

    # ----- keys: moving

    def action_next(self) -> None:
        """To the next node."""
        self._move("next")

    def action_previous(self) -> None:
        """To the node before."""
        self._move("previous")

    def action_into(self) -> None:
        """One flow further, or into the parts of a node."""
        self._move("into")

    def action_out_of(self) -> None:
        """One flow back, or out of parts."""
        self._move("out_of")

    def action_finish(self) -> None:
        """To the end of the scope or of the pass."""
        self._move("finish")

    def action_reverse_finish(self) -> None:
        """Back to where the scope or the pass began."""
        self._move("reverse_finish")

    def action_resume(self) -> None:
        """To the next breakpoint."""
        self._move("resume")

    def action_reverse_resume(self) -> None:
        """To the breakpoint before."""
        self._move("reverse_resume")

    def action_twin(self) -> None:
        """To the step of the same node in the other pass."""
        self._move("twin")

    def action_run_to(self) -> None:
        """To the step of the selected node."""
        self.do(self.session.run_to_selected, long=self.session.takes_long("run_to"))

    def action_start(self) -> None:
        """To the start of the timeline."""
        self.do(lambda: self.session.goto(0))

    def action_end(self) -> None:
        """To the end of the timeline, or to the position that the count says."""
        last = self.session.debugger.timeline.last
        digits = self.session.digits
        self.session.take_count()
        self.do(lambda: self.session.goto(int(digits) if digits else last))

    def action_digit(self, digit: int) -> None:
        """A digit of the count."""
        self.session.digit(digit)
        self.show()

    def action_play(self) -> None:
        """Step by itself, and stop again."""
        if self._playing is not None:
            self._stop_playing()
            self.session.say("")
        elif not self.session.ended:
            self._playing = self.set_interval(PACE, self._play_on)
        self.show()

    def _play_on(self) -> None:
        if self.session.busy or len(self.screen_stack) > 1:
            return
        self.do(lambda: self.session.move("into" if self.session.debugger.depth else "next"))
        if self.session.ended or "breakpoint" in self.session.message:
            self._stop_playing()

    def _stop_playing(self) -> None:
        if self._playing is not None:
            self._playing.stop()
            self._playing = None

    # ----- keys: looking

    def action_toggle_breakpoint(self) -> None:
        """A breakpoint at the selected node, or none any more."""
        self.do(self.session.toggle_breakpoint)

    def action_search_next(self) -> None:
        """The next hit."""
        self.do(lambda: self.session.search_again(1))

    def action_search_previous(self) -> None:
        """The hit before."""
        self.do(lambda: self.session.search_again(-1))

    def action_scope_up(self) -> None:
        """The scope around."""
        self.do(lambda: self.session.scope(-1))

    def action_scope_down(self) -> None:
        """Further inside the scopes of the node."""
        self.do(lambda: self.session.scope(1))

    def action_swap(self) -> None:
        """Value or gradient in the tensor pane."""
        self.do(self.session.swap)

    def action_slice(self, direction: int) -> None:
        """Another matrix of an array of more than two axes."""
        self.do(lambda: self.session.slice(direction))

    def on_picked(self, event: Picked) -> None:
        """Select a node, or run to it."""

        def deed() -> None:
            self.session.select(event.node)
            if event.run:
                self.session.run_to_selected()

        self.do(deed, long=event.run and self.session.takes_long("run_to"))

    # ----- keys: the screen

    def action_focus_pane(self, direction: int) -> None:
        """To the next pane; the prompt keeps the focus while it asks."""
        if self._asks:
            return
        if direction > 0:
            self.screen.focus_next(LinePane)
        else:
            self.screen.focus_previous(LinePane)
        if self.query_one("#panes").has_class("zoom"):
            self._zoom(self.focused)

    def action_zoom(self) -> None:
        """Give the pane the whole screen, and back."""
        self._zoom(None if self.query_one("#panes").has_class("zoom") else self.focused)

    def _zoom(self, pane: Widget | None) -> None:
        self.query_one("#panes").set_class(pane is not None, "zoom")
        for each in self.query(".pane"):
            each.set_class(each is pane, "zoomed")

    def action_escape(self) -> None:
        """Stop what goes on; drop the count; show all panes."""
        self.interrupt.set() if self.session.busy else None
        self._stop_playing()
        self.session.digits = ""
        self._zoom(None)
        if not self.session.busy:
            self.session.say("")
        self.show()

    def action_help(self) -> None:
        """The keys and orders."""
        from tui.screens.help import HelpScreen

        if self.inks is not None:
            self.push_screen(HelpScreen(self.inks))

    # ----- questions

    def _ask(self, purpose: str) -> None:
        self._stop_playing()
        self.screen.add_class("asking")
        self.query_one(Prompt).ask(purpose, *QUESTIONS[purpose])

    def action_search(self) -> None:
        """Ask what to find."""
        self._searching_from = self.session.selected
        self._ask("search")

    def action_ask_breakpoint(self) -> None:
        """Ask for a breakpoint."""
        self._ask("breakpoint")

    def action_ask_watch(self) -> None:
        """Ask what to watch."""
        self._ask("watch")

    def action_command(self) -> None:
        """Ask for an order."""
        self._ask("order")

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """Search as one types."""
        if event.purpose == "search" and len(self.session.trace) <= MANY:
            self.do(lambda: self._search(event.text))

    async def on_prompt_closed(self, event: Prompt.Closed) -> None:
        """Show the keys again, do what was asked for, and go on with the keys that followed."""
        self.screen.remove_class("asking")
        self.screen.set_focus(self.query_one("#graph"))
        if event.text is not None:
            self._answer(event.purpose, event.text)
        else:
            self.session.say("")
            self.show()
        held, self._held = self._held or [], None
        for key in held:
            await self.on_event(key)

    def _answer(self, purpose: str, text: str) -> None:
        long = len(self.session.trace) > MANY
        if purpose == "search":
            self.do(lambda: self._search(text), long=long)
        elif not text.strip():
            return
        elif purpose == "breakpoint":
            self.do(lambda: self.session.add_breakpoint(text), long=long)
        elif purpose == "watch":
            self.do(lambda: self.session.watch(text))
        else:
            self._obey(text)

    def _search(self, text: str) -> None:
        self.session.selected = self._searching_from
        self.session.search(text)

    def _obey(self, line: str) -> None:
        left: list[str] = [""]
        self.do(lambda: left.__setitem__(0, obey(self.session, line)))
        what, _, name = left[0].partition(" ")
        if what == "quit":
            self.exit()
        elif what == "help":
            self.action_help()
        elif what == "info":
            self._list()
        elif what == "theme":
            self.change_theme(name)

    def _list(self) -> None:
        from tui.screens.help import ListScreen

        if self.inks is not None:
            self.push_screen(ListScreen(self.inks, self.session.listed()))

    def change_theme(self, name: str) -> None:
        """Dark or light."""
        if f"gradstep-{name}" in self.available_themes:
            self.theme = f"gradstep-{name}"
            self.session.say(f"the theme is {name}")
        else:
            self.session.complain("the themes are dark and light: try theme light")
        self.show()
