"""Where a neighbourhood ends: `+7 more` beside a box whose other inputs or uses are not drawn."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.diagrams.boxed.copies import Box
from tracer.diagrams.moments import SMALL
from tracer.diagrams.picture import Caption, Edge, Run


def stubs_of(box: Box) -> Iterator[tuple[Caption, Edge]]:
    """The captions beside a box and the lines to them: one for inputs, one for uses, where any are missing."""
    reads, uses = box.missing
    if reads > 0:
        key = f"i{box.key}"
        yield _caption(key, reads, "input"), Edge(key, box.key, role="quiet", dashed=True)
    if uses > 0:
        key = f"o{box.key}"
        yield _caption(key, uses, "use"), Edge(box.key, key, role="quiet", dashed=True)


def _caption(key: str, count: int, what: str) -> Caption:
    words = f"{count:,} more {what}{'s' if count > 1 else ''}, not drawn here"
    return Caption(
        key, (Run(f"\N{NO-BREAK SPACE}+{count:,} more\N{NO-BREAK SPACE}", "quiet", SMALL),), words
    )
