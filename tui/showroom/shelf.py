"""The list of the picker: the entries of the gallery below the names of their sections."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from gallery import GALLERY, SECTIONS, Entry
from tracer.cells.meanings import Kind
from tui.ink import Line, pad, span
from tui.screens.help import inked
from tui.showroom.listing import marks, section_of
from tui.theme import Inks

WIDE = 22
"""The columns of a name."""


class Shelf(OptionList):
    """The list: the arrows or a click choose, enter or a double click opens."""

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        option = self.highlighted_option
        return GALLERY[option.id] if option is not None and option.id else None

    def fill(self, entries: Sequence[Entry], at: str, inks: Inks) -> None:
        """Show some entries, the cursor on the one whose name comes nearest to what is given."""
        options, names = [], [entry.name for entry in entries]
        for section in SECTIONS:
            here = [entry for entry in entries if section_of(entry) == section]
            if here:
                heading: Line = (span(section, Kind.NAME),)
                options.append(Option(unwrapped([heading], inks), disabled=True))
                options += [Option(_row(entry, names, inks), id=entry.name) for entry in here]
        if not options:
            nothing: Line = (span("nothing matches", Kind.FAINT),)
            options = [Option(unwrapped([nothing], inks), disabled=True)]
        self.clear_options()
        self.add_options(options)
        if names:
            self.highlighted = self.get_option_index(best(names, at))

    async def _on_click(self, event: events.Click) -> None:
        event.prevent_default()
        at = event.style.meta.get("option")
        if at is not None and not self.get_option_at_index(at).disabled:
            self.highlighted = at
            if event.chain == 2:
                self.action_select()


def _row(entry: Entry, names: Sequence[str], inks: Inks) -> Text:
    """The name of an entry and its marks; another form of an entry above it stands below that, indented."""
    root, colon, form = entry.name.partition(":")
    name = f"  :{form}" if colon and root in names else entry.name
    row: Line = (span(f" {pad(name, WIDE)} "), span(marks(entry), Kind.FAINT))
    return unwrapped([row], inks)


def unwrapped(lines: Sequence[Line], inks: Inks) -> Text:
    """Lines in the colours of a theme, cut where there is no room for them."""
    text = inked(lines, inks)
    text.rstrip()
    text.no_wrap = True
    return text


def best(names: Sequence[str], sought: str) -> str:
    """The name that comes nearest to what is sought: the same, one that begins with it, that holds it, else the first.

    >>> best(["xor", "rnn", "vanishing", "char_rnn"], "rn"), best(["xor", "rnn"], "time")
    ('rnn', 'xor')
    """
    return max(names, key=lambda name: (name == sought, name.startswith(sought), sought in name))
