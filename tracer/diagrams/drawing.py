"""From a trace to a `Diagram`: the style is chosen, the picture built and written as DOT, and on request rendered."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from tracer import errors
from tracer.diagrams.cards import cards
from tracer.diagrams.circuit import circuit
from tracer.diagrams.frames import Part, part_of
from tracer.diagrams.moments import Moment, elided_numbers, rms_numbers, scalar_writer
from tracer.diagrams.palettes import DARK, LIGHT
from tracer.diagrams.picture import Picture
from tracer.diagrams.rendering import FORMATS, rendered
from tracer.diagrams.timesteps import has_time_axis
from tracer.diagrams.unrolled import unrolled
from tracer.diagrams.writing import dot_text
from tracer.files import write_whole

if TYPE_CHECKING:
    from tracer.traces import Trace

STYLES: Mapping[str, Callable[[Part, Moment], Picture]] = MappingProxyType(
    {"circuit": circuit, "cards": cards, "unrolled": unrolled}
)
TEXT_SUFFIXES = (".dot", ".gv")
MOST_SHAPES = 2000
"""Beyond so many shapes, laying a graph out takes `dot` too long to wait for."""
MOST_PLACED = 60_000


@dataclass(frozen=True)
class Diagram:
    """A figure as DOT text, to be saved, rendered, or shown in a notebook.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> tr.trace(x * x).diagram().engine
    'dot'
    """

    dot: str
    """The figure in the DOT language."""
    engine: str
    """`dot` lays it out; `neato` (with `-n2`) draws it where it says."""
    shapes: int = 0
    """How many shapes it shows."""

    def render(self, format: str) -> bytes:
        """The bytes of a `svg`, `png` or `pdf` file, or of the DOT text (`dot`, `gv`).

        Raises `DiagramError` for another format, a figure too big to lay out, or a layout that takes too long;
        `GraphvizMissingError` where there is neither Graphviz nor pygraphviz.
        """
        if f".{format}" in TEXT_SUFFIXES:
            return self.dot.encode("utf-8")
        if format not in FORMATS:
            raise errors.DiagramError(
                f"unknown format {format!r}\n  try: {_listed('dot', 'gv', *FORMATS)}"
            )
        most = MOST_PLACED if self.engine == "neato" else MOST_SHAPES
        if self.shapes > most:
            raise errors.DiagramError(
                f"this figure has {self.shapes} shapes, more than the {most} that Graphviz lays out in bearable time\n"
                "  try: scope=... for one part of the network, or a .dot file"
            )
        return rendered(self.dot, self.engine, format)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figure; the suffix chooses the format: .dot .gv .svg .png .pdf. Returns the path.

        The file is written beside and renamed, so that a failure leaves an older one as it was. If it cannot be
        rendered, the DOT text is written beside the wanted name and the error says so.
        Raises `DiagramError` for an unknown suffix, or a directory that is not there or cannot be written to.
        """
        target = Path(path)
        known = (*TEXT_SUFFIXES, *(f".{format}" for format in FORMATS))
        suffix = target.suffix.lower()
        if suffix not in known:
            what = f"unknown suffix {target.suffix!r}" if target.suffix else "no suffix"
            raise errors.DiagramError(f"{target.name}: {what}\n  try: one of {_listed(*known)}")
        if not target.parent.is_dir():
            raise errors.DiagramError(
                f"there is no directory {target.parent}\n  try: make it first"
            )
        try:
            content = self.render(suffix[1:])
        except errors.DiagramError as error:
            spare = target.with_suffix(".dot")
            _write(spare, self.render("dot"))
            first, _, rest = str(error).partition("\n")
            message = f"{first}; its DOT text is in {spare}" + (f"\n{rest}" if rest else "")
            raise type(error)(message) from error
        _write(target, content)
        return target

    def _repr_svg_(self) -> str | None:
        """What a notebook shows; None, and so the plain text, where Graphviz is missing or gives up."""
        try:
            return self.render("svg").decode("utf-8")
        except errors.DiagramError:
            return None

    def __repr__(self) -> str:
        return f"<Diagram of {self.shapes} shapes, {self.engine}>"


def _listed(*words: str) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _write(target: Path, content: bytes) -> None:
    """Write beside and rename."""
    try:
        write_whole(target, content)
    except OSError as error:
        raise errors.DiagramError(f"cannot write {target}: {error.strerror}") from error


def diagram(
    trace: Trace,
    *,
    style: str | None = None,
    step: int | None = None,
    dark: bool = False,
    scope: str | None = None,
) -> Diagram:
    """The figure of a trace, at the end of its timeline or as it is at position `step`.

    style: "circuit" for scalars, "unrolled" for a network with a time axis (scopes with the key `t`), "cards" for
    tensors; chosen by the trace if None. scope: only what was recorded in that scope, such as `"rnn[t=3]"`.
    Raises `DiagramError` for an unknown style or scope, a step outside the timeline, or a style that does not fit.

    >>> import tracer as tr
    >>> x, y = tr.tensor(-2.0, name="x"), tr.tensor(5.0, name="y")
    >>> figure = diagram(tr.trace(x * y))
    >>> figure.dot == diagram(tr.trace(x * y)).dot
    True
    """
    picture = picture_of(trace, style=style, step=step, scope=scope)
    text = dot_text(picture, DARK if dark else LIGHT)
    return Diagram(
        text, "neato" if picture.placed else "dot", sum(1 for _ in picture.every_shape())
    )


def picture_of(
    trace: Trace, *, style: str | None = None, step: int | None = None, scope: str | None = None
) -> Picture:
    """The picture of a trace at a position, from which `diagram` makes DOT text."""
    scalar = all(np.ndim(trace.value(i)) == 0 for i in range(len(trace)))
    part = part_of(trace, scope)
    over_time = has_time_axis(part)
    chosen = style or ("unrolled" if over_time else "circuit" if scalar else "cards")
    if chosen not in STYLES:
        cure = f"diagram(...).save({chosen!r})" if "." in str(chosen) else _listed(*STYLES)
        raise errors.DiagramError(f"unknown style {chosen!r}\n  try: {cure}")
    if chosen == "circuit" and not scalar:
        raise errors.DiagramError(
            "the circuit style draws scalars, and this trace has arrays\n  try: style='cards'"
        )
    if chosen == "unrolled" and not over_time:
        raise errors.DiagramError(
            "the unrolled style needs at least two time steps, scopes with the key t\n"
            "  try: with tr.scope('rnn', t=t): around each step"
        )
    last = trace.timeline.last
    if step is not None and not (isinstance(step, (int, np.integer)) and 0 <= step <= last):
        raise errors.DiagramError(f"there is no step {step!r}: the timeline goes from 0 to {last}")
    writers = {"cards": elided_numbers, "unrolled": rms_numbers}
    write = writers[chosen] if chosen in writers and not scalar else scalar_writer(trace)
    moment = Moment(trace, last if step is None else int(step), write, stepping=step is not None)
    return STYLES[chosen](part, moment)
