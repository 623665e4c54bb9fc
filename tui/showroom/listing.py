"""The list of the gallery: by sections, with what each entry has; searched by words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from gallery import GALLERY, SECTIONS, Entry
from tracer.cells.meanings import Kind
from tui.ink import Line, span
from tui.networks import Network, closest
from tui.scripts import UsageError

MARKS = {"d": "derivation", "p": "plots", "t": "trains", "=": "knobs"}
"""The signs beside a name, and what the entry has then; in the picker each is the key that shows it."""
LEAST = 24
"""A caption gets so many columns, however narrow the page is."""


def marks(entry: Entry) -> str:
    """The signs of what an entry has, each in its place: d···."""
    has = (entry.derivation, entry.plots, entry.training, entry.every_knob)
    return "".join(sign if one else "·" for sign, one in zip(MARKS, has, strict=True))


def section_of(entry: Entry) -> str:
    """The section of the lectures that an entry belongs to."""
    return next(
        section for section, members in SECTIONS.items() if entry.name in [m.name for m in members]
    )


def number_of(entry: Entry) -> int:
    """The number of an entry in the list, from 1."""
    return [*GALLERY].index(entry.name) + 1


def found(words: Sequence[str]) -> list[Entry]:
    """The entries in whose name, caption, source, section, note or knobs all of the words stand."""
    wanted = [word.casefold() for word in words]
    return [each for each in GALLERY.values() if all(word in _said(each) for word in wanted)]


def matching(words: Sequence[str]) -> list[Entry]:
    """The entries in which all of the words stand. Raises `UsageError` where there is none."""
    entries = found(words)
    if not entries:
        said = " ".join(words)[:60]
        raise UsageError(f"nothing in the gallery matches {said!r}: {closest(said)}")
    return entries


def _said(entry: Entry) -> str:
    """All that a search looks into."""
    knobs = (f"{knob.name} {knob.meaning}" for knob in entry.every_knob)
    told = (entry.name, entry.caption, entry.source, section_of(entry), entry.note, *knobs)
    return " ".join(told).casefold()


def listed(entries: Sequence[Entry], columns: int) -> list[Line]:
    """Entries below the names of their sections, with number, marks and caption; then what the marks mean."""
    lines: list[Line] = []
    wide = max(len(entry.name) for entry in entries)
    for section in SECTIONS:
        here = [entry for entry in entries if section_of(entry) == section]
        if here:
            lines += [(), (span(section, Kind.NAME),)]
            lines += [line for entry in here for line in _row(entry, wide, columns)]
    signs = "  ".join(f"{sign} {word}" for sign, word in MARKS.items())
    typed = "gradstep gallery NAME describes one, WORD searches, --all compares all numbers"
    below = textwrap.wrap(f"{signs}    {typed}", max(columns, LEAST), break_long_words=False)
    return [*lines[1:], (), *((span(line, Kind.FAINT),) for line in below)]


def _row(entry: Entry, wide: int, columns: int) -> Iterator[Line]:
    """Number, name, marks and caption of an entry; the caption goes on below itself."""
    start = (
        span(f"{number_of(entry):>3}  ", Kind.FAINT),
        span(f"{entry.name:<{wide}}  ", Kind.KEY),
        span(f"{marks(entry)}  ", Kind.FAINT),
    )
    before = wide + 13
    first, *rest = textwrap.wrap(
        entry.caption, max(columns - before, LEAST), break_on_hyphens=False
    )
    yield (*start, span(first))
    for text in rest:
        yield (span(" " * before + text),)


def document(network: Network) -> dict[str, Any]:
    """What is known of a network without building it, for other programs."""
    entry, now = network.entry, network.settings
    return {
        "name": entry.name,
        "section": section_of(entry),
        "caption": entry.caption,
        "source": entry.source,
        "note": entry.note,
        "derivation": entry.derivation,
        "plots": entry.plots is not None,
        "trains": entry.training is not None,
        "knobs": [
            {
                "name": k.name,
                "value": now.get(k.name, k.default),
                "default": k.default,
                "meaning": k.meaning,
                "range": k.range,
                "of training": k not in entry.knobs,
            }
            for k in entry.every_knob
        ],
    }
