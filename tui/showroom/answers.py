"""`gradstep gallery`: what was asked for is found and printed."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable, Sequence

from gallery import GALLERY, Entry
from gallery.entry import Row
from tracer.cells.meanings import Kind
from tui import printing
from tui.ink import Ink, Line
from tui.networks import Network, network
from tui.printing import Piece, Terminal, printed, terminal
from tui.scripts import UsageError
from tui.showroom.comparison import counted, numbers_of, whole_gallery
from tui.showroom.listing import document, listed, matching, number_of
from tui.showroom.page import page
from tui.statuses import FAILED, FINE


def gallery(options: argparse.Namespace) -> int:
    """List the gallery, search it, describe one network, or hold all its numbers against the expected ones."""
    words: Sequence[str] = options.words
    one = named(words)
    if options.set and one is None:
        raise UsageError(
            "--set turns a knob of one network\n  try: gradstep gallery NAME --set ..."
        )
    if options.all and words:
        raise UsageError("--all is about every network\n  try: gradstep gallery --all")
    if options.json:
        networks = [network(one.name, options.set)] if one else map(Network, matching(words))
        print(as_json(networks, numbers=options.all or one is not None))
        return FINE
    if options.all:
        return compared()
    columns = shutil.get_terminal_size().columns
    if one is not None:
        put(page(network(one.name, options.set), columns))
    else:
        put(listed(matching(words), columns))
    return FINE


def named(words: Sequence[str]) -> Entry | None:
    """The entry whose name or number is the only word."""
    if len(words) != 1:
        return None
    by_number = {str(number_of(entry)): entry for entry in GALLERY.values()}
    return GALLERY.get(words[0]) or by_number.get(words[0])


def as_json(networks: Iterable[Network], *, numbers: bool) -> str:
    """Networks for other programs; numbers: with those that are expected of each beside the recorded ones.

    A network with a knob turned has none, for they are expected of the defaults.
    """
    found = []
    for each in networks:
        facts = document(each)
        if numbers:
            rows = numbers_of(each.entry) if not each.turned else ()
            facts["numbers"] = [row._asdict() for row in rows]
        found.append(facts)
    return json.dumps(found, ensure_ascii=False)


def compared() -> int:
    """Print the numbers expected of every network beside the recorded ones; 1 if any differs."""
    rows: list[Row] = []
    for lines, found_here in whole_gallery(shutil.get_terminal_size().columns):
        put([*lines, ()])
        rows += found_here
    differ = sum(not row.agrees for row in rows)
    found = "all agree" if not differ else f"{differ} differ"
    print(
        f"{len(GALLERY)} networks; numbers or rows of them: {counted(r.origin for r in rows)}; {found}"
    )
    return FAILED if differ else FINE


SHOWS = {
    Kind.NAME: "name",
    Kind.KEY: "name",
    Kind.VALUE: "value",
    Kind.GRADIENT: "gradient",
    Kind.FAINT: "faint",
}
"""How what a span means on a screen is painted on a page."""


def put(lines: Iterable[Line]) -> None:
    """Print lines as the terminal can show them."""
    here = terminal()
    print(printed([on_paper(line, here) for line in lines], colours=here.colours), flush=True)


def on_paper(line: Line, here: Terminal) -> printing.Line:
    """A line of a screen as it is printed."""
    return tuple(
        Piece(here.spell(one.text), SHOWS.get(one.ink.kind, "") if isinstance(one.ink, Ink) else "")
        for one in line
    )
