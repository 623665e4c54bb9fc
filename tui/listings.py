"""The gallery as text: what `gradstep gallery` prints."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Sequence

import tracer as tr
from gallery import GALLERY, Entry, compare
from tui.scripts import UsageError
from tui.text import grid

LINE = 100


def gallery_list(columns: int = LINE) -> str:
    """Every network of the gallery with its caption, numbered; captions are wrapped between words."""
    wide = max(map(len, GALLERY))
    after = " " * (wide + 7)
    return "\n".join(
        textwrap.fill(
            entry.caption,
            max(columns, len(after) + 20),
            initial_indent=f"{number:>3}  {entry.name:<{wide}}  ",
            subsequent_indent=after,
        )
        for number, entry in enumerate(GALLERY.values(), start=1)
    )


def find_entry(name: str) -> Entry:
    """The entry of that name or number. Raises `UsageError` with the closest names."""
    if name.isdigit() and 0 < int(name) <= len(GALLERY):
        return list(GALLERY.values())[int(name) - 1]
    if name in GALLERY:
        return GALLERY[name]
    raise UsageError(f"no network {name!r} in the gallery{closest(name, list(GALLERY))}")


def closest(name: str, names: Sequence[str]) -> str:
    """A question with the closest names, or all of them."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f": did you mean {' or '.join(close)}?"
    return f"\n  there are: {', '.join(names)}"


def entry_page(entry: Entry) -> str:
    """One network: caption, source, its published numbers beside ours, its derivation, and what to type next."""
    blocks = [f"{entry.name}\n{filled(entry.caption)}\nfrom {entry.source}"]
    if entry.note:
        blocks.append(filled("note: " + entry.note))
    rows = compare(entry, tr.trace(entry.build()))
    if rows:
        cells = [
            (r.node, r.what, r.printed, r.recorded, "✓" if r.agrees else "✗ differs") for r in rows
        ]
        blocks.append(grid([("node", "what", "published", "recorded", ""), *cells]))
    if entry.derivation:
        blocks.append(
            "derivation by hand, for gradstep verify:\n"
            + textwrap.indent(entry.derivation.rstrip(), "  ")
        )
    blocks.append(
        f"gradstep open {entry.name}    gradstep diagram {entry.name} -o {entry.name.replace(':', '_')}.svg"
    )
    return "\n\n".join(blocks)


# ----- text


def filled(text: str) -> str:
    """A paragraph of lines that fit a page."""
    return "\n".join(textwrap.wrap(text, LINE))
