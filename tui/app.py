"""The debugger on a terminal: what is on the screen. What the keys do stands in `tui.actions`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import Reactive, reactive
from textual.widgets import Static

from tracer.cells.drawing import draw
from tracer.folding.folds import GraphLook
from tracer.traces import Trace
from tui.batch import before_screen, led
from tui.deck import DECK
from tui.keys import bindings
from tui.leaving import on_terminal
from tui.memory import Memory, recall
from tui.networks import Network
from tui.orders.verifying import show_table
from tui.personal import ALL_COLOURS, Personal
from tui.projects import Project
from tui.session import Session
from tui.sessions import Deed, kept_for_report
from tui.settings import CONFIG, Settings, config_file, read_settings, state_file
from tui.targets import Target
from tui.theme import Inks
from tui.training.episodes import Episodes
from tui.views.scene import Scene
from tui.views.verify import Verified
from tui.widgets.graph import GraphPane
from tui.widgets.lines import KeyLine, SaidLines, StatusLine, WatchLines
from tui.widgets.node import NodePane
from tui.widgets.prompt import Offers, Prompt
from tui.widgets.tape import TapePane
from tui.widgets.timebar import TimeBar
from tui.workbench import LEAST, sweeps_quickly

TRACEBACK = "GRADSTEP_DEBUG"
"""Set this variable to see the whole traceback of a fault in the debugger."""


class DebuggerApp(Personal):
    """Steps through a trace.

    trace: what to step through. title: what to call it in the border of the graph. derivation: lines by hand that came
    with it. network: the network of the gallery that it is of. settings, memory: what the user wants and had last;
    nothing is read or kept without. environment: the variables that tell of the terminal; without, it has all colours.
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

    def __init__(
        self,
        trace: Trace,
        *,
        title: str = "",
        derivation: str = "",
        again: Callable[[], Target] | None = None,
        network: Network | None = None,
        settings: Settings | None = None,
        memory: Memory | None = None,
        environment: Mapping[str, str] = ALL_COLOURS,
    ) -> None:
        prepare(trace)
        session = Session(trace, title=title, derivation=derivation, again=again, network=network)
        super().__init__(session, settings or Settings(), memory or Memory(), environment)
        self.first: Sequence[str] = ()
        """Orders that the screen carries out as soon as it is there."""

    def on_ready(self) -> None:
        """Carry out the first orders."""
        for line in self.first:
            self.obey(line)

    def compose(self) -> ComposeResult:
        """Status line, timeline, panes, watches, key line; the prompt takes the place of the key line."""
        shown = {"scene": DebuggerApp.scene, "inks": DebuggerApp.inks}
        yield StatusLine(id="status").data_bind(**shown)
        yield TimeBar(id="timebar").data_bind(**shown)
        with Container(id="panes"):
            yield GraphPane(id="graph", classes="pane").data_bind(**shown)
            yield TapePane(id="tape", classes="pane").data_bind(**shown)
            yield NodePane(id="node", classes="pane").data_bind(**shown)
            for view in DECK:
                yield view.pane(id=view.name, classes="pane deck").data_bind(**shown)
        yield WatchLines(id="watches").data_bind(**shown)
        yield KeyLine(self.keys, id="keys").data_bind(**shown)
        yield SaidLines(id="said").data_bind(**shown)
        yield Prompt(id="prompt", offer=self.offer, history=lambda: self.memory.history)
        yield Offers(id="offers").data_bind(**shown)
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
        kept = kept_for_report(self.session.log, target=self.session.title, size=self.session.size)
        self.panic(Text(fault_line(error) + kept))


def prepare(trace: Trace) -> None:
    """Work out what every view needs before there is a screen that could freeze; a long backward pass waits."""
    for each in (trace.labels, trace.timeline):
        assert each is not None
    if sweeps_quickly(trace):
        assert trace.swept is not None
    draw(trace, GraphLook(), 0)


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


def debug(
    trace: Trace,
    *,
    title: str = "",
    derivation: str = "",
    again: Callable[[], Target] | None = None,
    network: Network | None = None,
    lead: Sequence[Deed] = (),
    deeds: Sequence[Deed] = (),
    project: Project | None = None,
    verified: Verified | None = None,
    episodes: Episodes | None = None,
) -> int:
    """Open the debugger on a trace and wait until it is closed; 0, or 3 after a fault of ours.

    derivation: lines by hand that came with it. network: the network of the gallery that it is of. lead: what its entry
    wants to be seen first. deeds: orders to be done then. project: where breakpoints last. verified: what was verified
    before. episodes: the optimiser steps of the training that the trace is one of.
    """
    for stale in ("COLUMNS", "LINES"):  # Textual believes them, even when the terminal is resized
        os.environ.pop(stale, None)
    settings = read_settings(config_file(os.environ), named=CONFIG in os.environ)
    memory = recall(state_file(os.environ))
    app = DebuggerApp(
        trace,
        title=title,
        derivation=derivation,
        again=again,
        network=network,
        settings=settings,
        memory=memory,
        environment=dict(os.environ),
    )
    if episodes is not None:
        app.session.episodes = episodes
        app.session.say(episodes.hint)
    if project is not None:
        project.restore(app.session)
    if verified is not None:
        app.session.report = verified
        show_table(app.session)
    first = led(app.session, lead)
    if project is not None:
        project.begin(app.session)
    app.first = [*first, *before_screen(app.session, deeds)]
    on_terminal(app)
    trouble = project.keep(app.session) if project is not None else ""
    if trouble:
        print(f"gradstep: {trouble}", file=sys.stderr)
    return 3 if app.return_code else 0
