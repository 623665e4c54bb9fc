"""The debugger on a terminal: what is on the screen. What the keys do stands in `tui.actions`."""

from __future__ import annotations

import os
import sys
from pathlib import PurePath

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import Reactive, reactive
from textual.widgets import Static

from tracer.traces import Trace
from tui.actions import Actions
from tui.deck import DECK
from tui.drawing import draw
from tui.keys import bindings
from tui.session import Session
from tui.theme import THEMES, Inks, first_theme
from tui.views.scene import Scene
from tui.widgets.graph import GraphPane
from tui.widgets.lines import KeyLine, StatusLine, WatchLines
from tui.widgets.node import NodePane
from tui.widgets.prompt import Prompt
from tui.widgets.tape import TapePane
from tui.workbench import LEAST

TRACEBACK = "GRADSTEP_DEBUG"
"""Set this variable to see the whole traceback of a fault in the debugger."""


class DebuggerApp(Actions):
    """Steps through a trace.

    trace: what to step through. title: what to call it in the border of the graph.
    """

    CSS_PATH = "gradstep.tcss"
    TITLE = "gradstep"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = bindings()
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  (Textual declares it)
        (0, "-tiny"),
        (LEAST[0], "-narrow"),
        (112, "-designed"),
        (150, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-flat"),
        (LEAST[1], "-short"),
        (30, "-tall"),
        (46, "-high"),
    ]

    scene: Reactive[Scene | None] = reactive(None, repaint=False, init=False)
    """The moment that all panes show."""
    inks: Reactive[Inks | None] = reactive(None, repaint=False, init=False)
    """The colours of the theme."""

    def __init__(self, trace: Trace, *, title: str = "", derivation: str | None = None) -> None:
        prepare(trace)
        session = Session(trace, title=title, derivation=derivation)
        session.views = tuple(view.name for view in DECK)
        super().__init__(session)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = first_theme(os.environ)

    def compose(self) -> ComposeResult:
        """Status line, four panes, watches, key line; the prompt takes the place of the key line."""
        shown = {"scene": DebuggerApp.scene, "inks": DebuggerApp.inks}
        yield StatusLine(id="status").data_bind(**shown)
        with Container(id="panes"):
            yield GraphPane(id="graph", classes="pane").data_bind(**shown)
            yield TapePane(id="tape", classes="pane").data_bind(**shown)
            yield NodePane(id="node", classes="pane").data_bind(**shown)
            for view in DECK:
                yield view.pane(id=view.name, classes="pane deck").data_bind(**shown)
        yield WatchLines(id="watches").data_bind(**shown)
        yield KeyLine(id="keys").data_bind(**shown)
        yield Prompt(id="prompt")
        yield Static(id="small")

    @property
    def deck_views(self) -> dict[str, bool]:
        """The views of the deck, and which of them take a wide column."""
        return {view.name: view.wide for view in DECK}

    def _fatal_error(self) -> None:
        """Leave with one line about a fault of ours, printed when the terminal is as it was."""
        error = sys.exc_info()[1]
        if error is None or os.environ.get(TRACEBACK):
            super()._fatal_error()
            return
        self.panic(Text(fault_line(error)))


def prepare(trace: Trace) -> None:
    """Work out what every view needs and what takes long, before there is a screen that could freeze."""
    for each in (trace.labels, trace.timeline, trace.swept):
        assert each is not None
    draw(trace, 0)


def fault_line(error: BaseException) -> str:
    """One line about a fault: what, where in our source, and how to see more."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (
        f"{PurePath(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}; " if place else ""
    )
    what = str(error).splitlines()[0] if str(error) else "no message"
    return f"gradstep: a fault of ours: {type(error).__name__}: {what} ({where}{TRACEBACK}=1 shows all)"


def debug(trace: Trace, *, title: str = "") -> int:
    """Open the debugger on a trace and wait until it is closed; 0, or 3 after a fault of ours."""
    app = DebuggerApp(trace, title=title)
    app.run()
    return 3 if app.return_code else 0
