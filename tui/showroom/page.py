"""The page of an entry: what it is, a small drawing, its knobs and numbers, its derivation, and what to type next."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from gallery import Entry
from gallery.entry import origins
from gallery.knobs import Knob, Setting, written
from tracer.cells.meanings import Kind
from tui.exporting import file_name
from tui.ink import Line, span
from tui.networks import Network
from tui.showroom.comparison import counted, numbers_of, table
from tui.showroom.drawing import small_drawing
from tui.showroom.listing import section_of

WIDEST = 100
"""Prose and drawings are no wider than this."""
TALLEST = 30
"""So many lines a drawing may take."""


def page(network: Network, columns: int) -> list[Line]:
    """All that is known of a network."""
    entry, width = network.entry, min(columns, WIDEST)
    heading: Line = (span(network.title, Kind.NAME), span(f"  {section_of(entry)}", Kind.FAINT))
    blocks = [
        [heading, *paragraph(entry.caption, width), *origin(entry, width)],
        small_drawing(network.trace(), width, TALLEST),
        knobs(network, width),
        _numbers(network, columns),
        derivation(entry),
        _next(network),
    ]
    return [line for block in blocks if block for line in (*block, ())][:-1]


def origin(entry: Entry, width: int) -> list[Line]:
    """Where it is from, what a reader of the source should know, and what to expect of its training."""
    lines = paragraph(f"from {entry.source}", width, Kind.FAINT)
    if entry.note:
        lines += paragraph(f"note: {entry.note}", width, Kind.FAINT)
    if entry.training is not None and entry.training.claim:
        lines += paragraph(f"trained: {entry.training.claim}", width)
    return lines


def knobs(network: Network, width: int) -> list[Line]:
    """The knobs as they stand, with what they mean and may be; then those of the training alone."""
    entry = network.entry
    lines: list[Line] = []
    if entry.knobs:
        lines.append((span("knobs, for --set NAME=VALUE and :knob", Kind.FAINT),))
        lines += _knobs(entry.knobs, network.settings, width)
    if entry.training is not None and entry.training.knobs:
        said = f"knobs of its training, for gradstep train {entry.name} --set NAME=VALUE"
        lines.append((span(said, Kind.FAINT),))
        lines += _knobs(entry.training.knobs, {}, width)
    return lines


def _knobs(every: Sequence[Knob], settings: Mapping[str, Setting], width: int) -> list[Line]:
    values = {knob.name: settings.get(knob.name, knob.default) for knob in every}
    names = {knob.name: f"  {knob.name}={written(values[knob.name])}  " for knob in every}
    wide = max(map(len, names.values()))
    beside = wide <= width // 2
    before = " " * (wide if beside else 6)
    lines: list[Line] = []
    for knob in every:
        turned = values[knob.name] != knob.default
        said = [knob.meaning, *([f"default {written(knob.default)}"] * turned), knob.range]
        first, *rest = textwrap.wrap("; ".join(said), max(20, width - len(before)))
        name = span(f"{names[knob.name]:<{wide}}", Kind.KEY)
        lines += [(name, span(first))] if beside else [(name,), (span(before + first),)]
        lines += [(span(before + text),) for text in rest]
    return lines


def numbers_said(entry: Entry, width: int) -> list[Line]:
    """How many numbers are held against the recorded ones, by where they are from, and what shows them."""
    found = counted(origins(entry))
    if not found:
        return []
    said = (
        f"numbers to compare: {found}; gradstep gallery {entry.name} has the recorded ones beside"
    )
    return paragraph(said, width, Kind.FAINT)


def _numbers(network: Network, columns: int) -> list[Line]:
    if network.turned:
        said = "The numbers expected are those of the default settings, so none are compared here:"
        return [
            (span(said, Kind.FAINT),),
            (span(f"gradstep gallery {network.entry.name}", Kind.FAINT),),
        ]
    rows = numbers_of(network.entry)
    return table(rows, columns) if rows else []


def derivation(entry: Entry) -> list[Line]:
    """The derivation by hand, below a heading; nothing without one."""
    if not entry.derivation:
        return []
    lines = entry.derivation.rstrip().splitlines()
    heading = (span("derivation by hand, for gradstep verify", Kind.FAINT),)
    return [heading, *((span(f"  {line}"),) for line in lines)]


def _next(network: Network) -> list[Line]:
    """The commands that go on from here."""
    entry = network.entry
    target = " ".join((entry.name, *(f"--set {word}" for word in network.words)))
    commands = [
        (f"open {target}", "step through it"),
        (f"diagram {target} -o {file_name(entry.name)}.svg", "its figure"),
    ]
    if entry.derivation:
        commands.append((f"verify {target}", "the derivation, line by line"))
    if entry.plots is not None:
        commands.append((f"plot {target}", "its plots"))
    if entry.training is not None:
        commands.append((f"train {target}", "train it"))
    wide = max(len(command) for command, _ in commands)
    return [
        (span(f"gradstep {command:<{wide}}", Kind.KEY), span(f"  {word}", Kind.FAINT))
        for command, word in commands
    ]


def paragraph(text: str, width: int, kind: Kind = Kind.TEXT) -> list[Line]:
    """A text in lines that fit."""
    return [(span(line, kind),) for line in textwrap.wrap(text, width, break_on_hyphens=False)]
