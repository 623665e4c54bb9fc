"""Between the session and the screen: orders on this thread or another, the scene that follows, coming and going."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable

from textual import events, work
from textual.app import App
from textual.reactive import Reactive, reactive
from textual.widgets import Static

from tracer.errors import GradstepError
from tui.orders import Order, Page, read
from tui.session import Session
from tui.theme import Inks
from tui.views.scene import Scene

LEAST = (60, 16)
"""The smallest terminal, in columns and rows."""


class Workbench(App[None]):
    """A session on a screen: what it does is done here, on this thread or on another, and then shown."""

    scene: Reactive[Scene | None] = reactive(None, repaint=False, init=False)
    inks: Reactive[Inks | None] = reactive(None, repaint=False, init=False)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        session.later = self.work_out_later
        session.on_progress = self._progressed
        self.interrupt = threading.Event()
        session.debugger.interrupted = self.interrupt.is_set

    # ----- coming and going

    def on_mount(self) -> None:
        """Show the start of the trace."""
        self.theme_changed_signal.subscribe(self, lambda theme: self.take_colours())
        self.take_colours()
        self.query_one("#graph").focus()
        self.show()
        self.look_for_bad_numbers()
        if not self.is_headless:
            self._leave_on_signals()

    def _leave_on_signals(self) -> None:
        """Restore the terminal also when somebody ends the process."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(getattr(signal, name), self.exit)

    def on_unmount(self) -> None:
        """Let no thread go on searching."""
        self.interrupt.set()

    def take_colours(self) -> None:
        """Use the colours of the theme."""
        self.inks = Inks(self.theme_variables, dark=self.current_theme.dark)

    def on_resize(self, event: events.Resize) -> None:
        """Say what size is needed where the terminal is too small."""
        self.query_one("#small", Static).update(
            f"This terminal is {event.size.width}×{event.size.height}: too small.\n"
            f"Gradstep needs at least {LEAST[0]}×{LEAST[1]}, and likes 120×36."
        )

    def show(self) -> None:
        """Show the session as it is now."""
        self.scene = self.session.scene()
        if self.session.copied is not None:
            self.copy_to_clipboard(self.session.copied)
            self.session.copied = None

    # ----- obeying

    def obey(self, line: str) -> None:
        """Carry out an order, keep it in the log of the session, and show what came of it."""
        if self.session.busy:
            return
        try:
            found = read(line)
        except GradstepError as error:
            self.session.complain(str(error).splitlines()[0])
            self.show()
            return
        if found is None:
            return
        self.session.log.append(line.strip())
        order, text = found
        if order.run is None:
            self.carry_out(order, text)
        else:
            long = order.long is not None and order.long(self.session, text)
            self.do(lambda: self._run(order, text), long=long)

    def carry_out(self, order: Order, text: str) -> None:
        """Do what only a screen can do."""
        getattr(self, "order_" + order.name.replace("-", "_"))(text)

    def _run(self, order: Order, text: str) -> None:
        assert order.run is not None
        found = order.run(self.session, text)
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
            self.session.busy, self.session.done = "working… esc stops", None
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
