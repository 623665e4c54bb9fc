"""What the keys and the mouse do: they give orders; and how the screen carries out those that only it can."""

from __future__ import annotations

import os
import subprocess
import sys

from textual import events
from textual.app import SuspendNotSupported
from textual.timer import Timer
from textual.widget import Widget

from tracer.errors import GradstepError
from tui.changing import begun_edit
from tui.editors import editor_command
from tui.keys import KEYS, Key
from tui.orders import Page, named, with_count
from tui.orders.looking import searches_long
from tui.session import Session
from tui.widgets.graph import GraphPane
from tui.widgets.pane import LinePane, Ordered
from tui.widgets.prompt import Prompt
from tui.workbench import Workbench

PACES = (2.0, 1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
"""Seconds between two steps while it plays, from slow to fast."""
MODERATE = 3
"""Which of them it begins with."""
HINTS = {
    "search": "a name, op, scope or shape, or grad > 1e3",
    "break": "xhat, op:mul except h, scope:rnn*, op:exp if inf(value), nan",
    "watch": "xhat, norm(w.grad) / norm(w), rms(grad) of xhat",
    "edit": "w = 3, w[0, 2] = 0.5, w[:, 0] *= 2, xhat.eps = 1e-3, w -= 0.1 * w.grad",
    "": "goto N, break TEXT, delete N, watch TEXT, search TEXT, help, quit",
}
OVER = frozenset({"ask", "help", "jump", "palette"})
"""The orders that open something over the panes: one at a time."""
ENDING = ("enter", "escape")
"""The keys that close the prompt."""
TOO_SMALL = frozenset({"-tiny", "-flat"})
"""The classes of a screen that shows nothing but which size it needs."""


class Actions(Workbench):
    """The keys and the mouse."""

    keys: tuple[Key, ...] = KEYS
    """What the keys do here."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.pace = MODERATE
        self._playing: Timer | None = None
        self._searching_from = 0
        self._held: list[events.Key] | None = None
        self._asked_from: Widget | None = None
        self._view = session.view

    async def on_event(self, event: events.Event) -> None:
        """Take back the message at the next key; hold the keys after an answer until the answer has been obeyed."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            if self._held is not None:
                self._held.append(event)
                return
            if self.asks:
                self.query_one(Prompt).take_focus()
                self._held = [] if event.key in ENDING else None
            else:
                if self.session.message and not self.session.busy:
                    self.session.say("")
                    self.show()
                if len(self.screen_stack) == 1 and await self._check_bindings(event.key):
                    return  # at once: on the way through the panes a later key could overtake it
        elif isinstance(event, events.Key) and event.key in ENDING and self.asks:
            self.query_one(Prompt).end(
                answered=event.key == "enter"
            )  # wherever the focus is by now
            return
        await super().on_event(event)

    @property
    def asks(self) -> bool:
        """Whether the prompt waits for an answer."""
        return self.screen.has_class("asking")

    def show(self) -> None:
        """Show the session as it is now, beside an answer that is being typed too."""
        if self.session.offered and not self.session.busy:
            self._take_offer(self.session.offered)
        super().show()
        panes, shown = self.query_one("#panes"), self.session.view
        if shown != self._view and panes.has_class("zoom"):
            self._see_beyond_zoom(shown)
        self._view = shown
        for name, wide in self.deck_views.items():
            self.query_one(f"#{name}").set_class(name != shown, "away")
            if name == shown:
                panes.set_class(wide, "wide-view")
        if self.session.wanted and not (self.session.busy or self.asks):
            self._give_keys(self.session.wanted)
        if self.asks:
            self.query_one(Prompt).reply(self.session.message)

    def _take_offer(self, view: str) -> None:
        """Turn the deck to the view that shows what came of an order.

        Where one pane has the whole screen, or the user is among the elements of a tensor, its name is said.
        """
        session = self.session
        session.offered = ""
        here = self.focused.id if self.focused is not None else None
        if not (here == "tensor" or self.query_one("#panes").has_class("zoom")):
            session.view = view
            if here in self.deck_views:
                session.wanted = view
        elif session.view != view and session.message:
            session.say(f"{session.message}; :focus {view} lists them")

    def _see_beyond_zoom(self, view: str) -> None:
        """Show another view of the deck although one pane has the whole screen: in its place, or beside it."""
        of_the_deck = any(
            self.query_one(f"#{name}").has_class("zoomed") for name in self.deck_views
        )
        self.zoom_to(self.query_one(f"#{view}") if of_the_deck else None)

    def _give_keys(self, view: str) -> None:
        """Give the keys to a view that an order wants to be seen, past a pane that has the whole screen."""
        if len(self.screen_stack) > 1:
            return
        self.session.wanted = ""
        pane = self.query_one(f"#{view}")
        if self.query_one("#panes").has_class("zoom") and not pane.has_class("zoomed"):
            self.zoom_to(None)
        self.screen.set_focus(pane)

    @property
    def deck_views(self) -> dict[str, bool]:
        """The views of the deck, and which of them take a wide column."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let only one question be asked at a time, none over a page; where nothing can be seen, only quit."""
        if action == "order":
            line = str(parameters[0])
            if line != "quit" and TOO_SMALL & self.screen.classes:
                return False
            if line.partition(" ")[0] in OVER:
                return not self.asks and len(self.screen_stack) == 1
            if line.startswith("focus ") and self.asks:  # the prompt completes with tab
                return False
        return super().check_action(action, parameters)

    # ----- keys and mouse

    def action_order(self, line: str) -> None:
        """A key gives its order; digits typed before it are its count."""
        digits, self.session.digits = self.session.digits, ""
        self.obey(with_count(line, digits))

    def action_digit(self, digit: int) -> None:
        """A digit of the count."""
        self.session.digit(digit)
        self.show()

    def on_ordered(self, event: Ordered) -> None:
        """A pane gives an order."""
        self.obey(event.line)

    # ----- orders of the screen

    def order_play(self, text: str) -> None:
        """Step by itself, and stop again."""
        if self._playing is not None:
            self.stop_playing()
            self.session.say("")
        elif not self.session.ended:
            self._start_playing()
        self.show()

    def _start_playing(self) -> None:
        self._playing = self.set_interval(PACES[self.pace], self._play_on)

    def _play_on(self) -> None:
        if self.session.busy or len(self.screen_stack) > 1:
            return
        self.obey("step" if self.session.debugger.depth else "next")
        if self.session.ended or "breakpoint" in self.session.message:
            self.stop_playing()

    def stop_playing(self) -> None:
        """Play no more."""
        if self._playing is not None:
            self._playing.stop()
            self._playing = None

    def order_slower(self, text: str) -> None:
        """Play more slowly."""
        self._change_pace(-1)

    def order_faster(self, text: str) -> None:
        """Play faster."""
        self._change_pace(1)

    def _change_pace(self, change: int) -> None:
        self.pace = max(0, min(len(PACES) - 1, self.pace + change))
        if self._playing is not None:
            self.stop_playing()
            self._start_playing()
        self.session.say(f"play: {1 / PACES[self.pace]:g} steps a second")
        self.show()

    def order_focus(self, text: str) -> None:
        """To a pane; the prompt keeps the focus while it asks."""
        if self.asks:
            return
        if text == "next":
            self.screen.focus_next(LinePane)
        elif text == "previous":
            self.screen.focus_previous(LinePane)
        else:
            name = self.session.view if text == "deck" else text
            if text in self.deck_views:
                self.session.view = text
            elif name not in (*self.deck_views, "graph", "tape", "node"):
                self.session.complain(f"there is no pane {text!r}: graph, tape, node, deck")
                self.show()
                return
            self.show()
            self.screen.set_focus(self.query_one(f"#{name}"))
        if self.query_one("#panes").has_class("zoom"):
            self.zoom_to(self.focused)

    def order_zoom(self, text: str) -> None:
        """Give the pane the whole screen, and back."""
        self.zoom_to(None if self.query_one("#panes").has_class("zoom") else self.focused)

    def zoom_to(self, pane: Widget | None) -> None:
        """Show this pane alone; without one, all."""
        self.query_one("#panes").set_class(pane is not None, "zoom")
        for each in self.query(".pane"):
            each.set_class(each is pane, "zoomed")

    def order_escape(self, text: str) -> None:
        """Stop what goes on; drop the count; show all panes."""
        if self.session.busy:
            self.interrupt.set()
        self.query_one(GraphPane).give_up()
        self.stop_playing()
        self.session.digits = ""
        self.zoom_to(None)
        if not self.session.busy:
            self.session.say("")
        self.show()

    def order_theme(self, text: str) -> None:
        """Other colours."""
        if f"gradstep-{text}" in self.available_themes:
            self.theme = f"gradstep-{text}"
            self.session.say(f"the theme is {text}")
        else:
            names = [t.removeprefix("gradstep-") for t in self.available_themes if "gradstep-" in t]
            self.session.complain(f"there is no theme {text!r}: try {' or '.join(names)}")
        self.show()

    def order_redraw(self, text: str) -> None:
        """Paint the screen anew."""
        self.paint_anew()

    def order_editor(self, text: str) -> None:
        """The source line of the selected node in the user's editor; the screen comes back when it is closed."""
        self.session.attempt(self._edit_source)
        self.show()

    def _edit_source(self) -> None:
        command = editor_command(self.session.trace[self.session.selected], os.environ)
        try:
            with self.suspend():
                status = subprocess.run(command, stdin=sys.__stdin__, check=False).returncode
        except (OSError, SuspendNotSupported) as error:
            raise GradstepError(f"{command[0]} cannot be opened here: {error}") from None
        if status:
            self.session.complain(f"{command[0]} ended with status {status}")

    def order_suspend(self, text: str) -> None:
        """Back to the shell for a while."""
        self.action_suspend_process()

    def order_screenshot(self, text: str) -> None:
        """Write the screen as it is."""
        from tui.recorder.saving import save_screen

        self.do(lambda: save_screen(self, text))

    def order_quit(self, text: str) -> None:
        """Leave, also in the middle of long work."""
        self.interrupt.set()
        self.exit()

    def order_palette(self, text: str) -> None:
        """Find an order by a few letters of it."""
        from tui.screens.palette import palette

        self.push_screen(palette())

    def order_jump(self, text: str) -> None:
        """A letter on every pane and view."""
        from tui.screens.jump import JumpScreen, targets

        shown = {pane.id or "": pane.region for pane in self.query(".pane") if pane.region}
        if self.inks is not None:
            there = targets(shown, self.session.views)
            self.push_screen(JumpScreen(there, self.inks), lambda line: self.obey(line or ""))

    def order_help(self, text: str) -> None:
        """The keys and orders, or what there is about one."""
        from tui.screens.help import HelpScreen

        order = named(text)
        wanted = f":{order.name}" if order is not None else text
        if self.inks is not None:
            self.push_screen(HelpScreen(self.inks, self.keys, wanted))

    def open_page(self, page: Page) -> None:
        """Show at length what an order has to say."""
        from tui.screens.help import ListScreen

        if self.inks is not None:
            self.push_screen(ListScreen(self.inks, page))

    # ----- questions

    def order_ask(self, text: str) -> None:
        """Open the prompt; what is typed follows the order that is begun."""
        order, _, begun = text.partition(" ")
        kept = None
        if order == "edit" and not begun:
            begun = begun_edit(self.session)
            kept = begun.rfind("= ") + 2 if begun else 0  # a number that is typed replaces this one
        self.stop_playing()
        self._searching_from = self.session.selected
        self._asked_from = self.focused
        self.screen.add_class("asking")
        question = {"search": "/", "": ":"}.get(order, order)
        self.query_one(Prompt).ask(order, question, HINTS.get(order, ""), begun, kept)

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """Search as one types."""
        if event.purpose == "search" and not searches_long(self.session, event.text):
            self.do(lambda: self._search(event.text))

    def _search(self, text: str) -> None:
        self.session.select(self._searching_from)
        self.session.search(text)

    def keep_line(self, line: str) -> None:
        """Keep a line of the prompt, to be typed again."""
        raise NotImplementedError

    async def on_prompt_closed(self, event: Prompt.Closed) -> None:
        """Show the keys again, do what was asked for, and go on with the keys that followed."""
        self.screen.remove_class("asking")
        self.screen.set_focus(self._asked_from or self.query_one("#graph"))
        if event.text is not None and event.text.strip():
            if event.purpose == "search" and not self.session.busy:
                self.session.select(self._searching_from)
            self.keep_line(f"{event.purpose} {event.text}")
            self.obey(f"{event.purpose} {event.text}")
        else:
            self.session.say("")
            self.show()
        held, self._held = self._held or [], None
        for key in held:
            await self.on_event(key)
