"""`gradstep diagram`: what its options ask for is checked, and then drawn, printed, or written into files."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import DiagramError
from tui.scripts import UsageError

if TYPE_CHECKING:
    from tracer.diagrams import Diagram
    from tui.targets import Target

STDOUT = "-"
FOLLOWING = ("svg", "html")
"""Formats whose colours can follow what a reader prefers."""
_ARGUMENT = re.compile(r"\b(style|theme|scope|around|radius|most|step)=('[^']*'|\"[^\"]*\"|[\w.]+)")
_SAVE = re.compile(r"diagram\(\.\.\.\)\.save\('([^']*)'\)")


@dataclass(frozen=True)
class Place:
    """Where a figure goes: into a file, or as `frames` into one or more, or in a `format` to the standard output.

    With none of them it is drawn here in characters.
    """

    file: str | None = None
    format: str | None = None
    frames: str | None = None
    pause: float | None = None


def place_of(options: argparse.Namespace) -> Place:
    """Where a figure goes, as the options say. Raises `UsageError` or `DiagramError` where they make no sense."""
    from tracer.diagrams.animation.saving import frames_format
    from tracer.diagrams.formats import FORMATS, format_of

    _refuse_contradictions(options)
    file = f"{file_name(options.target) or 'trace'}.html" if options.html else options.output
    frames = options.frames
    if file == STDOUT:
        return Place(format=_for_output(options.format))
    if file is None:
        return Place()
    target = Path(file)
    if frames is not None:
        frames_format(target)
    elif FORMATS[format_of(target)].moving:
        frames = "drawn"
    if frames is None and options.pause is not None:
        raise UsageError("--pause is for frames\n  try: --frames")
    if frames is not None and options.step is not None:
        raise UsageError(
            f"--step is one moment, and {target.name} shows many\n  try: without --step"
        )
    return Place(file, frames=frames, pause=options.pause)


def _refuse_contradictions(options: argparse.Namespace) -> None:
    if options.html and options.output is not None:
        raise UsageError("--html names the file itself\n  try: only -o NAME.html")
    if options.html and options.frames is not None:
        raise UsageError("an .html page has all steps in it\n  try: without --frames")
    if options.frames is not None and options.output in (None, STDOUT):
        raise UsageError("frames need a file\n  try: -o NAME.gif, or -o NAME-%02d.pdf")
    if options.format is not None and options.output != STDOUT:
        raise UsageError(
            "--format is for the standard output\n  try: -o NAME.svg, or -o - --format svg"
        )
    if options.radius is not None and options.around is None:
        raise UsageError(
            "--radius is about the surroundings of a node\n  try: --around NODE --radius 2"
        )


def _for_output(format: str | None) -> str:
    """A format that can be printed."""
    from tracer.diagrams.formats import FORMATS, listed

    known = [name for name, each in FORMATS.items() if each.text]
    if format not in known:
        what = "which format goes" if format is None else f"no {format} goes"
        raise UsageError(
            f"{what} to the standard output{'?' if format is None else ''}\n  try: --format {listed(known)}"
        )
    return format


@contextmanager
def in_options() -> Iterator[None]:
    """Complaints about arguments of `Trace.diagram` name the options of the command instead."""
    try:
        yield
    except DiagramError as error:
        raise type(error)(option_words(str(error))) from error


def option_words(text: str) -> str:
    """A complaint in the words of the shell.

    >>> option_words("try: style='cards', scope='rnn[t=3]' or radius=2")
    "try: --style cards, --scope 'rnn[t=3]' or --radius 2"
    """

    def option(found: re.Match[str]) -> str:
        name, value = found.groups()
        bare = value[1:-1] if value[0] in "'\"" else value.replace("...", "NODE")
        return f"--{'max-nodes' if name == 'most' else name} {shlex.quote(bare)}"

    return _SAVE.sub(r"-o \1", _ARGUMENT.sub(option, text))


def figure_of(target: Target, options: argparse.Namespace, step: int | None) -> Diagram:
    """The figure that the options ask for. Raises what `Trace.diagram` raises."""
    style = options.style or (target.entry.style if target.entry is not None else None)
    radius = {} if options.radius is None else {"radius": options.radius}
    with in_options():
        return target.trace.diagram(
            style=style,
            step=step,
            theme=options.theme,
            scope=options.scope,
            around=options.around,
            most=options.max_nodes,
            local=options.local,
            direction=options.direction,
            **radius,
        )


def put(figure: Diagram, place: Place) -> None:
    """Draw the figure there, and say what was written and what the reader should know of it."""
    with in_options():
        _put(figure, place)


def _put(figure: Diagram, place: Place) -> None:
    if place.file is not None:
        for line in written(figure, place):
            print(line)
    elif place.format is not None:
        sys.stdout.flush()
        sys.stdout.buffer.write(figure.render(place.format))
    else:
        from tracer.diagrams.writers.plain_text import text_drawing

        columns = shutil.get_terminal_size().columns  # in a pipe $COLUMNS, else 80
        drawing = text_drawing(
            figure.trace, position=figure.step, width=columns, settings=figure.settings
        )
        print(drawing, end="")
        return
    for remark in remarks(figure, place.format or Path(place.file or "").suffix[1:].lower()):
        print(f"gradstep: {remark}", file=sys.stderr)


def written(figure: Diagram, place: Place) -> list[str]:
    """Write a figure into its files, and tell of them. Raises `DiagramError` where that cannot be done."""
    if place.frames is None:
        return [f"wrote {figure.save(place.file or '')}"]
    from tracer.diagrams.animation import PAUSE, save_frames

    saved = save_frames(figure, place.file or "", place.frames, pause=place.pause or PAUSE)
    first, *others = saved.files
    if not others:
        return [f"wrote {first}"]
    lines = [f"wrote {first} to {others[-1]}: {len(saved.files)} pages of one size"]
    if saved.latex:
        package = "tikz" if first.suffix.lower() == ".tex" else "pgffor"
        lines += [f"in a frame of beamer, after \\usepackage{{{package}}}:", f"  {saved.latex}"]
    return lines


def remarks(figure: Diagram, format: str) -> tuple[str, ...]:
    """What the reader should know of a figure in a format: what was folded, that the layout is another one."""
    from tracer.diagrams.formats import FORMATS

    which = _which(figure)
    if format in FORMATS and not FORMATS[format].needs_graphviz:
        return (*which, *figure.picture.remarks)  # to know more it would have to be laid out
    if figure.theme == "auto" and format not in FOLLOWING:
        return (
            *which,
            *figure.remarks,
            f"a .{format} cannot follow the reader's theme: it is light",
        )
    return (*which, *figure.remarks)


def _which(figure: Diagram) -> tuple[str, ...]:
    """Which of the nodes of one name the figure is about."""
    trace, name = figure.trace, figure.settings.around
    count = sum(each == name for each in trace.names) if isinstance(name, str) else 0
    if count < 2 or name is None:
        return ()
    label = trace.label(trace.node_index(name))
    return (f"{name!r} is {label} here, the last of {count}: the others are {name}#1 and so on",)


def file_name(title: str) -> str:
    """A title as part of the name of a file, wherever it came from.

    >>> file_name("batchnorm:fused"), file_name("../nets/train.py:loss")
    ('batchnorm-fused', 'train-loss')
    """
    path, _, function = title.partition(":")
    plain = re.sub(r"\.(py|trace)$", "", path.replace("\\", "/").rpartition("/")[2])
    words = re.sub(r"[^\w.-]+", "-", f"{plain}-{function}").strip("-.")
    return words
