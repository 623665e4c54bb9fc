"""From a trace to a `Diagram`: the style is chosen, the picture built, laid out once, and written in many formats."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tracer import errors
from tracer.diagrams.film import Film, film_of, telling
from tracer.diagrams.formats import FORMATS, format_of, listed
from tracer.diagrams.frames import Part, part_of
from tracer.diagrams.layout.drawn import Layout
from tracer.diagrams.layout.laying import Laid, laid_out, layout_by
from tracer.diagrams.layout.pinning import pinned
from tracer.diagrams.layout.rendering import rendered
from tracer.diagrams.layout.writing import dot_text
from tracer.diagrams.moments import Moment, scalar_writer
from tracer.diagrams.names import plain
from tracer.diagrams.palettes import THEMES, Palette
from tracer.diagrams.picture import Direction, Picture
from tracer.diagrams.settings import Settings
from tracer.diagrams.strokes import Drawn
from tracer.diagrams.styles import STYLES, all_scalars, checked, chosen_style
from tracer.files import write_whole

if TYPE_CHECKING:
    from tracer.traces import Trace

AUTO = "auto"
"""The theme that follows the reader: light, and dark where a browser is told to prefer that."""


@dataclass(frozen=True)
class Diagram:
    """A figure of a trace at a position, to be saved, rendered, or shown in a notebook.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> tr.trace(x * x).diagram().style
    'circuit'
    """

    trace: Trace
    step: int | None = None
    """The position it shows; None is the end, without the marks of a walk."""
    theme: str = "light"
    settings: Settings = field(default_factory=Settings)

    @cached_property
    def style(self) -> str:
        """The name of the style it is drawn in."""
        return chosen_style(self.part, self.settings.style)

    @cached_property
    def picture(self) -> Picture:
        """What the figure shows; where things stand is only said if the style places them itself."""
        return self._picture_at(self.step)

    @property
    def dot(self) -> str:
        """The figure in the DOT language."""
        return dot_text(self.picture, self.palette)

    @property
    def engine(self) -> str:
        """`dot` lays it out; `neato` (with `-n2`) draws it where it says."""
        return "neato" if self.picture.placed else "dot"

    @property
    def shapes(self) -> int:
        """How many shapes it shows."""
        return sum(1 for _ in self.picture.every_shape())

    @property
    def palette(self) -> Palette:
        """Its colours; those for a light page where the theme follows the reader."""
        return THEMES["light" if self.theme == AUTO else self.theme]

    @property
    def palette_for_the_dark(self) -> Palette | None:
        """Where the theme follows the reader, the colours for a dark page."""
        return THEMES["dark"] if self.theme == AUTO else None

    @property
    def title(self) -> str:
        """What a screen reader says of the figure."""
        loss = self.trace[self.trace.loss].label
        where = "" if self.step is None else f" at step {self.step} of {self.trace.timeline.last}"
        return f"Computational graph of {loss}{where}, {self.style} style"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader should know: what was folded or left out, and that `dot` gave up."""
        return (*self.picture.remarks, *self._laid.remarks)

    @cached_property
    def layout(self) -> Layout:
        """The figure laid out and drawn: strokes on a page.

        Raises `DiagramError` where the layout takes too long, `GraphvizMissingError` where there is no Graphviz.
        """
        return self._laid.layout

    @property
    def drawn(self) -> Drawn:
        """What is on the page."""
        return self.layout.drawn

    def called(self, i: int) -> str:
        """What the figure calls node i, as its captions do."""
        return self._end.called(i)

    def film(self, positions: Sequence[int] | None = None, *, telling_only: bool = False) -> Film:
        """The figure at several positions of the timeline, all of them unless told otherwise, on one layout.

        telling_only: without those that show nothing new but which folded shape is at work.
        """
        chosen = range(self.trace.timeline.last + 1) if positions is None else positions
        pictures = [self.pinned_at(position, tips=False) for position in chosen]
        if telling_only:
            kept = telling(pictures)
            pictures, chosen = [pictures[k] for k in kept], [chosen[k] for k in kept]
        return film_of(pictures, chosen, partial(layout_by, "neato", clear=False))

    def pinned_at(self, position: int, *, tips: bool = True) -> Picture:
        """The picture at a position, every shape where it stands in the finished figure."""
        picture = self._picture_at(position, tips=tips)
        return picture if picture.placed else pinned(picture, self._stage)

    def render(self, format: str) -> bytes:
        """The bytes of a file in one of the formats of `FORMATS`, such as `svg`, `png` or `tex`.

        Raises `DiagramError` for another format or a layout that takes too long; `GraphvizMissingError` where there
        is neither Graphviz nor pygraphviz.
        """
        if format not in FORMATS:
            raise errors.DiagramError(f"unknown format {format!r}\n  try: {listed(FORMATS)}")
        content = FORMATS[format].write(self)
        return content.encode("utf-8") if isinstance(content, str) else content

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figure; the suffix chooses the format. Returns the path.

        The file is written beside and renamed, so that a failure leaves an older one as it was. If it cannot be
        rendered, the DOT text is written beside the wanted name and the error says so.
        Raises `DiagramError` for an unknown suffix, or a directory that is not there or cannot be written to.
        """
        target = Path(path)
        format = format_of(target)
        try:
            content = self.render(format)
        except errors.DiagramError as error:
            if FORMATS[format].moving:
                raise
            spare = target.with_suffix(".dot")
            _write(spare, self.render("dot"))
            first, _, rest = str(error).partition("\n")
            message = f"{first}; its DOT text is in {spare}" + (f"\n{rest}" if rest else "")
            raise type(error)(message) from error
        _write(target, content)
        return target

    def rendered(self, format: str) -> bytes:
        """What Graphviz makes of the figure in a format of its own: `png` or `pdf`."""
        picture = self.picture if self.picture.placed else pinned(self.picture, self.layout)
        return rendered(dot_text(picture, self.palette), "neato", format)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows; None, and so the plain text, where Graphviz is missing or gives up."""
        try:
            return self.render("svg").decode("utf-8")
        except errors.DiagramError:
            return None

    def __repr__(self) -> str:
        return f"<Diagram of {self.shapes} shapes, {self.style} style>"

    @cached_property
    def part(self) -> Part:
        """What of the trace it shows."""
        style = STYLES.get(self.settings.style or "")
        if style is not None and style.keeps_all:
            return part_of(self.trace, replace(self.settings, around=None))
        return part_of(self.trace, self.settings)

    @cached_property
    def _stage(self) -> Layout:
        """The finished figure with the marks of a walk, on whose layout every step is drawn."""
        finished = self._picture_at(self.trace.timeline.last)
        return laid_out(replace(finished, caption=())).layout

    @cached_property
    def _laid(self) -> Laid:
        return laid_out(self.picture)

    def _picture_at(self, position: int | None, *, tips: bool = True) -> Picture:
        at = self.trace.timeline.last if position is None else position
        moment = replace(self._end, position=at, stepping=position is not None, tips=tips)
        return STYLES[self.style].draw(self.part, moment, self.settings)

    @cached_property
    def _end(self) -> Moment:
        """The finished run, as this figure writes its numbers."""
        style = STYLES[self.style]
        write = (
            scalar_writer(self.trace, self.part.nodes) if all_scalars(self.part) else style.write
        )
        naming = None if style.naming is None else style.naming(self.part)
        return Moment(self.trace, self.trace.timeline.last, write, naming=naming)


def _write(target: Path, content: bytes) -> None:
    """Write beside and rename."""
    try:
        write_whole(target, content)
    except OSError as error:
        raise errors.DiagramError(
            f"cannot write {target}: {error.strerror}\n  try: another folder"
        ) from error


def _is_count(number: object) -> bool:
    """Whether it is a whole number from 1."""
    return isinstance(number, (int, np.integer)) and number is not True and int(number) >= 1


def diagram(
    trace: Trace,
    *,
    style: str | None = None,
    step: int | None = None,
    theme: str = "light",
    scope: str | None = None,
    around: str | int | None = None,
    radius: int = 2,
    most: int | None = None,
    local: bool = False,
    direction: Direction | None = None,
) -> Diagram:
    """The figure of a trace, at the end of its timeline or as it is at position `step`.

    style: "circuit" for scalars, "unrolled" for a network with a time axis (scopes with the key `t`), "cards" for
    tensors; chosen by the trace if None. On request also "rolled" (one time step for all, with the cycles of a
    recurrent network), "outline" (operations only), "paths" (the gradient paths to one value: to `around` if that is
    given) and "backward" (the backward pass as a graph of its own). theme: "light", "dark", "print" (no colour
    needed), "safe" (for the colour blind) or "auto" (a browser's preference). scope: only what was recorded in that
    scope, such as `"rnn[t=3]"`.
    around: only the neighbours of a node, up to `radius` edges away. most: fold scopes and time steps above so many
    shapes. local: local derivatives on the edges. direction: "rows", "right" (one row) or "down"; by default a row that
    is too wide for a page is broken into rows.
    Raises `DiagramError` for an unknown style, theme or scope, a step outside the timeline, or a style that does not
    fit.

    >>> import tracer as tr
    >>> x, y = tr.tensor(-2.0, name="x"), tr.tensor(5.0, name="y")
    >>> figure = diagram(tr.trace(x * y))
    >>> figure.dot == diagram(tr.trace(x * y)).dot
    True
    """
    if theme != AUTO and theme not in THEMES:
        raise errors.DiagramError(
            f"unknown theme {plain(str(theme), longest=60)!r}\n  try: {listed((*THEMES, AUTO))}"
        )
    last = trace.timeline.last
    if step is not None and not (isinstance(step, (int, np.integer)) and 0 <= step <= last):
        raise errors.DiagramError(f"there is no step {step!r}: the timeline goes from 0 to {last}")
    for name, number, example in (("radius", radius, 2), ("most", most, 50)):
        if number is not None and not _is_count(number):
            raise errors.DiagramError(
                f"{name}={number!r} is not a number from 1\n  try: {name}={example}"
            )
    settings = Settings(style, scope, around, radius, most, local, direction)
    figure = Diagram(trace, None if step is None else int(step), theme, settings)
    checked(figure.style, settings)
    _ = figure.picture  # complaints come here, at the door
    return figure
