"""The screen to pick from: the gallery by sections on the left, what is chosen on the right."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, OptionList, Static

from gallery import GALLERY, Entry
from tracer.cells.meanings import Kind
from tui.ink import Span, span, width_of
from tui.leaving import leave_when_ended, on_terminal
from tui.memory import recall
from tui.orders.order import page as page_of
from tui.personal import ALL_COLOURS, starting_theme
from tui.screens.help import ListScreen
from tui.settings import CONFIG, config_file, read_settings, state_file
from tui.showroom.about import About
from tui.showroom.aspects import ASPECTS, AspectScreen
from tui.showroom.drawings import Drawings
from tui.showroom.listing import MARKS, found, marks
from tui.showroom.shelf import Shelf, unwrapped
from tui.theme import PREFIX, Inks, themes_for
from tui.workbench import LEAST

OPEN, TRAIN = "open", "train"
KEYS = {
    "⏎": "open",
    "/": "search",
    "t": "train",
    "d": "derivation",
    "p": "plots",
    "=": "knobs",
    "space": "more",
    "?": "help",
    "q": "quit",
}
"""What the line at the bottom says of the keys; those of the marks only where they do something."""
LAST = ("?", "q")
"""The keys that are always told, however narrow the line is."""
HELP = (
    ("⏎", "open the network in the debugger; q there leads back here"),
    ("↓ ↑ j k", "to the next network, or the one before; pgdn pgup home end as well"),
    ("/", "search in names, captions, sources, notes and knobs; esc shows all again"),
    ("d", "the derivation by hand"),
    ("p", "the plots"),
    ("=", "the knobs that can be turned"),
    ("t", "train the network, where it can be trained"),
    ("space", "more of the page at the right"),
    ("tab", "to the page at the right, and back"),
    ("q", "leave"),
    ("mouse", "a click chooses, a double click opens"),
    (
        "d p t =",
        "beside a name: it has a derivation, plots, a training, knobs; the keys of these show them",
    ),
)


class Choice(NamedTuple):
    """What was picked: the name of an entry, and whether to open or to train it."""

    name: str
    deed: str = OPEN


class Picker(App[Choice]):
    """Ends with what was picked, or with nothing.

    at: the name of the entry to begin at. environment: the variables that tell of the terminal. drawings: those that
    were made before.
    """

    CSS_PATH = "../gradstep.tcss"
    TITLE = "gradstep"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  (Textual declares it)
        (0, "-tiny"),
        (LEAST[0], "-narrow"),
        (112, "-designed"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST[1], "-short")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q", "leave", show=False),
        Binding("ctrl+c", "leave", show=False, priority=True),
        Binding("slash", "search", show=False),
        Binding("t", "train", show=False),
        Binding("d", "aspect('d')", show=False),
        Binding("p", "aspect('p')", show=False),
        Binding("equals_sign", "aspect('=')", show=False),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("space", "more(1)", show=False),
        Binding("question_mark,f1", "explain", show=False),
        Binding("escape", "all", show=False),
        Binding("ctrl+l", "redraw", show=False),
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(
        self,
        at: str = "",
        *,
        theme: str = "dark",
        environment: Mapping[str, str] = ALL_COLOURS,
        drawings: Drawings | None = None,
    ) -> None:
        super().__init__(ansi_color="NO_COLOR" in os.environ or None)
        for each in themes_for(environment):
            self.register_theme(each)
        self.theme = PREFIX + theme
        self.at = at if at in GALLERY else next(iter(GALLERY))
        self.drawings = drawings or Drawings()
        self._described: Entry | None = None

    def compose(self) -> ComposeResult:
        """A line of what this is, the list and the page, a line of keys, and the line to search in."""
        yield Static(id="status")
        with Horizontal(id="showroom"):
            yield Shelf(id="shelf", classes="pane")
            yield About(self.drawings, id="about", classes="pane")
        yield Static(id="keys")
        with Horizontal(id="search"):
            yield Static(Text("/"), id="question")
            yield Input(id="sought", compact=True, select_on_focus=False)
        yield Static(id="small")

    @property
    def inks(self) -> Inks:
        """The colours of the theme."""
        return Inks(self.theme_variables, dark=self.current_theme.dark)

    @property
    def shelf(self) -> Shelf:
        """The list."""
        return self.query_one(Shelf)

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        return self.shelf.entry

    def on_mount(self) -> None:
        """Show the whole gallery."""
        self.shelf.focus()
        self.fill(list(GALLERY.values()))
        leave_when_ended(self)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the page to another width; say what size is needed where the terminal is too small."""
        self.query_one("#small", Static).update(
            f"This terminal is {event.size.width}×{event.size.height}: too small.\n"
            f"Gradstep needs at least {LEAST[0]}×{LEAST[1]}, and likes 120×36."
        )
        self._show_keys()
        self.call_after_refresh(self.describe)

    # ----- what is shown

    def fill(self, entries: list[Entry], sought: str = "") -> None:
        """Show some entries, the cursor on the one that was sought or chosen before."""
        self.shelf.fill(entries, sought or self.at, self.inks)
        count = f"{len(entries)} of " * (len(entries) < len(GALLERY)) + f"{len(GALLERY)}"
        self._put("status", span(" gradstep ", Kind.KEY), span(f" the gallery: {count} networks"))
        self.describe()

    def _put(self, where: str, *line: Span) -> None:
        self.query_one(f"#{where}", Static).update(unwrapped([line], self.inks))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Describe another entry."""
        if event.option.id:
            self.at = event.option.id
        self.describe()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open it."""
        self.pick(OPEN)

    def describe(self) -> None:
        """Show what is known of the entry under the cursor, and which keys do something there."""
        if self.entry is not self._described:
            self._show_keys()
        self._described = self.entry
        self.query_one(About).describe(self.entry, self.inks)

    def _show_keys(self) -> None:
        """The keys that do something here, as many as there is room for, and what the marks mean."""
        has = self._has()
        keys = [key for key in KEYS if key not in MARKS or key in has]
        room = self.size.width - sum(len(key) + len(KEYS[key]) + 3 for key in LAST)
        line: list[Span] = []
        for key in keys:
            pair = span(f" {key} ", Kind.KEY), span(f"{KEYS[key]} ")
            if key in LAST or width_of((*line, *pair)) <= room:
                line += pair
        self._put("keys", *line)

    def _has(self) -> str:
        """The marks of the entry under the cursor."""
        return marks(self.entry) if self.entry is not None else ""

    # ----- searching

    def action_search(self) -> None:
        """Ask what to search for."""
        self.screen.add_class("asking")
        self.query_one("#sought", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep only what matches."""
        self.fill(found(event.value.split()), event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Open what is chosen."""
        self.pick(OPEN)

    def on_key(self, event: events.Key) -> None:
        """While one types, let the arrows move through the list."""
        if self.screen.has_class("asking") and event.key in ("up", "down"):
            event.stop()
            self.action_move(1 if event.key == "down" else -1)

    def action_move(self, by: int) -> None:
        """To the next entry, or the one before."""
        self.shelf.action_cursor_down() if by > 0 else self.shelf.action_cursor_up()

    def action_all(self) -> None:
        """Show the whole gallery again."""
        self.screen.remove_class("asking")
        self.query_one("#sought", Input).value = ""
        self.shelf.focus()

    # ----- leaving

    def pick(self, deed: str) -> None:
        """Leave with the entry under the cursor."""
        entry = self.entry
        if entry is not None:
            self.exit(Choice(entry.name, deed))

    def action_train(self) -> None:
        """Train it, where it can be trained."""
        if "t" in self._has():
            self.pick(TRAIN)
        else:
            self._say_none("t", "training")

    def _say_none(self, sign: str, called: str) -> None:
        if self.entry is not None:
            said = f" {self.entry.name} has no {called}: {sign} beside a name says which have"
            self._put("keys", span(said))

    def action_leave(self) -> None:
        """Leave with nothing."""
        self.exit(None)

    def action_aspect(self, sign: str) -> None:
        """The derivation, the plots or the knobs of the entry under the cursor."""
        if self.entry is not None and sign in self._has():
            self.push_screen(AspectScreen(self.inks, self.entry, sign))
        else:
            self._say_none(sign, ASPECTS[sign][0])

    def action_more(self, pages: int) -> None:
        """Scroll the page at the right, and from its end back to its start."""
        self.query_one(About).more(pages)

    def action_explain(self) -> None:
        """What the keys do and the marks mean."""
        self.push_screen(ListScreen(self.inks, page_of("the gallery", HELP)))

    def action_redraw(self) -> None:
        """Paint the screen anew."""
        self.refresh(repaint=True, layout=True)


def pick_one(at: str = "", drawings: Drawings | None = None) -> Choice | None:
    """Show the picker until something is picked; None if it was left."""
    for stale in ("COLUMNS", "LINES"):  # Textual believes them, even when the terminal is resized
        os.environ.pop(stale, None)
    settings = read_settings(config_file(os.environ), named=CONFIG in os.environ)
    theme = starting_theme(settings, recall(state_file(os.environ)), os.environ)
    app = Picker(at, theme=theme, environment=dict(os.environ), drawings=drawings)
    return on_terminal(app)
