"""Small changes of a line whose shapes do not fit: transposes, axes, indices."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.checking.diagnosis.causes import Cause
from tracer.checking.diagnosis.wrong import SourceLine

from .axes import reductions, summed, transposes
from .derivatives import operators
from .edits import Words
from .indices import shifts
from .patching import written


def reshaped(line: SourceLine) -> Iterator[Cause]:
    """The line written otherwise, each as the cause that it would be; the likeliest way first."""
    ready = written(line)
    if ready is not None:
        for family in (reductions, transposes, shifts, summed, operators):
            for edit in family(ready.tree, Words()):
                yield Cause(edit.kind, edit.text, ready.text_with(edit.old, edit.new))
