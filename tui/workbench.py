"""Between the session and the screen: orders on this thread or another, the scene that follows, coming and going."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace

from textual import events, work
from textual.app import App
from textual.reactive import Reactive, reactive
from textual.widgets import Static

from tracer.errors import GradstepError, in_one_line
from tracer.insight import suspicions
from tracer.traces import Trace
from tui.leaving import leave_when_ended
from tui.orders import Order, Page, read
from tui.session import Session
from tui.theme import Inks
from tui.views.scene import Scene

LEAST = (60, 16)
"""The smallest terminal, in columns and rows."""


QUICK = 20_000
LIGHT = 10**7
"""The backward pass of so many nodes, of so many numbers together, is worked out before there is a screen."""


def sweeps_quickly(trace: Trace) -> bool:
    """Whether the backward pass of a trace takes no longer than a person wants to wait for the first screen."""
    value = trace.storage.held
    return len(trace) <= QUICK and sum(value(node).size for node in range(len(trace))) <= LIGHT


class Workbench(App[None]):
    """A session on a screen: what it does is done here, on this thread or on another, and then shown."""

    scene: Reactive[Scene | None] = reactive(None, repaint=False, init=False)
    inks: Reactive[Inks | None] = reactive(None, repaint=False, init=False)

    def __init__(self, session: Session) -> None:
        super().__init__(ansi_color="NO_COLOR" in os.environ or None)
        self.session = session
        session.later = self.work_out_later
        session.on_progress = self._progressed
        session.settle = self._settle
        self.interrupt = threading.Event()
        session.debugger.interrupted = self.interrupt.is_set

    # ----- coming and going

    def on_mount(self) -> None:
        """Show the start of the trace."""
        self.theme_changed_signal.subscribe(self, lambda theme: self.take_colours())
        self.app_resume_signal.subscribe(self, lambda app: self.paint_anew())
        self.take_colours()
        if not self.session.wanted:
            self.query_one("#graph").focus()
        self.show()
        trace = self.session.trace
        if not sweeps_quickly(trace):
            self.do(lambda: trace.swept, long=True)
        self.look_for_bad_numbers()
        self.look_for_suspicions()
        leave_when_ended(self)

    def on_unmount(self) -> None:
        """Let no thread go on searching."""
        self.interrupt.set()

    def paint_anew(self) -> None:
        """Send the whole screen again: another program has written over it."""
        self.refresh(repaint=True, layout=True)

    def take_colours(self) -> None:
        """Use the colours of the theme."""
        self.inks = Inks(self.theme_variables, dark=self.current_theme.dark)
        self.session.dark = self.current_theme.dark

    def on_resize(self, event: events.Resize) -> None:
        """Say what size is needed where the terminal is too small."""
        self.session.size = event.size.width, event.size.height
        self.query_one("#small", Static).update(
            f"This terminal is {event.size.width}×{event.size.height}: too small.\n"
            f"Gradstep needs at least {LEAST[0]}×{LEAST[1]}, and likes 120×36."
        )

    def show(self) -> None:
        """Show the session as it is now; while another thread changes it, the last scene and how far the work is."""
        session = self.session
        if session.busy and self.scene is not None:
            self.scene = replace(
                self.scene,
                busy=session.busy,
                done=session.done,
                count=session.digits,
                message=session.message,
                trouble=session.trouble,
                view=session.view,
            )
            return
        self.scene = session.scene()
        if session.copied is not None:
            self.copy_to_clipboard(session.copied)
            session.copied = None

    # ----- obeying

    def obey(self, line: str) -> None:
        """Carry out an order, keep it in the log of the session if it could be done, and show what came of it."""
        try:
            found = read(line)
        except GradstepError as error:
            self.session.complain(in_one_line(error))
            self.show()
            return
        if found is None or (self.session.busy and found[0].run is not None):
            return
        entry = len(self.session.log)
        self.session.log.append(line.strip())
        order, text = found
        if order.run is None:
            self.carry_out(order, text)
        else:
            long = order.long is not None and order.long(self.session, text)
            self.do(lambda: self._run(order, text, entry), long=long)

    def carry_out(self, order: Order, text: str) -> None:
        """Do what only a screen can do."""
        getattr(self, "order_" + order.name.replace("-", "_"))(text)

    def _run(self, order: Order, text: str, entry: int) -> None:
        assert order.run is not None
        try:
            found = order.run(self.session, text)
        except GradstepError:
            # it changed nothing, and would stop the saved session when it is done again
            del self.session.log[entry]
            raise
        if found is None:
            return
        if threading.get_ident() == self._thread_id:
            self.open_page(found)
        else:
            self.call_from_thread(self.open_page, found)

    def open_page(self, page: Page) -> None:
        """Show at length what an order has to say."""
        raise NotImplementedError

    def do(self, deed: Callable[[], object], *, long: bool = False) -> None:
        """Do something with the session and show what came of it; what is long is done on another thread."""
        if self.session.busy:
            return
        if long:
            self.session.busy, self.session.done = "working", None
            self.show()
            self._do_elsewhere(deed)
            return
        before = self.session.trace
        self.session.attempt(deed)
        self._shown_anew(before)

    def _shown_anew(self, before: object) -> None:
        self.show()
        if self.session.trace is not before:
            self.look_for_bad_numbers()

    @work(thread=True, exclusive=True, group="deed")
    def _do_elsewhere(self, deed: Callable[[], object]) -> None:
        before = self.session.trace
        self.interrupt.clear()
        self.session.attempt(deed)
        self.call_from_thread(self._done, before)

    def _done(self, before: object) -> None:
        self.interrupt.clear()
        self.session.busy, self.session.done = "", None
        self._shown_anew(before)

    def _settle(self, deed: Callable[[], None]) -> None:
        """Do on this thread what another one has prepared."""
        if threading.get_ident() == self._thread_id:
            deed()
        else:
            self.call_from_thread(deed)

    def _progressed(self) -> None:
        if self._running and threading.get_ident() != self._thread_id:
            self.call_from_thread(self.show)

    def work_out_later(self, deed: Callable[[], None]) -> None:
        """Work out a number of a large array on another thread, then show it."""
        self._work_out(deed)

    @work(thread=True, group="numbers")
    def _work_out(self, deed: Callable[[], None]) -> None:
        deed()
        self.call_from_thread(self.show)

    @work(thread=True, exclusive=True, group="numbers first")
    def look_for_bad_numbers(self) -> None:
        """Find where the first NaN comes from, for the status line."""
        if self.session.look_for_bad_numbers(give_up=lambda: not self.is_running):
            self.call_from_thread(self.show)

    @work(thread=True, group="suspicions")
    def look_for_suspicions(self) -> None:
        """Say what is seldom meant, such as a value that was detached, unless something else is being said."""
        found = suspicions(self.session.trace)
        if found:
            self.call_from_thread(self._suspect, found)

    def _suspect(self, found: tuple[str, ...]) -> None:
        if not self.session.message:
            more = f" (and {len(found) - 1} more: :info layers)" if len(found) > 1 else ""
            self.session.say(f"⚠ {found[0]}{more}")
            self.show()
