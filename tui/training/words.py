"""What is said of a training: how far it is, its layers and parameters, the steps that were kept. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gallery.history import History, Statistics
from tracer.cells.pieces import Line, Piece
from tracer.format import number
from tui.ink import elide, pad
from tui.training.job import View
from tui.views.logscale import LEVELS

DIGITS = 4
NUMBER = 10
"""Cells of a column of numbers."""
NARROWEST = 6
"""A sparkline of fewer cells tells nothing."""
WIDEST = 24
"""The most cells of a sparkline."""
ABREAST = 40
"""Parameters stand in several columns where each has so many cells."""
NAMES = 16
"""The most cells of a name."""


def bar(done: int, of: int, width: int) -> str:
    """How far it is, in cells.

    >>> bar(1, 4, 8)
    '━━──────'
    """
    full = min(width, width * done // of) if of else width
    return "━" * full + "─" * (width - full)


def state(view: View) -> str:
    """What it does at the moment, in a word."""
    if view.error is not None or view.history.failed:
        return "failed"
    if view.trouble and view.ended:
        return "diverged" if view.history.diverges else "stuck"
    if view.ended:
        return "done" if view.history.count >= view.steps else "ended"
    if view.paused:
        return "paused"
    if view.trouble:
        return "diverging" if view.history.diverges else "stuck"
    return "training"


def numbers(history: History, drawn: Sequence[str] = (), *, old: bool = False) -> list[str]:
    """The loss and the measures of the last step, short ones first: `loss 0.6931`, `accuracy 0.5`.

    drawn: measures that are left to the plots. old: also those that were measured at a step before, behind its number.
    """
    if not history.count:
        return []
    measured: dict[int, list[str]] = {}
    for name, (at, values) in history.measures.items():
        if name not in drawn:
            measured.setdefault(int(at[-1]), []).append(f"{name} {number(values[-1], DIGITS)}")
    said = [f"loss {number(history.record.losses[history.count - 1], DIGITS)}"]
    said += sorted(measured.pop(history.count, ()), key=len)
    for step, words in sorted(measured.items(), reverse=True) if old else ():
        first, *rest = sorted(words, key=len)
        said += [f"at step {step:,}: {first}", *rest]
    return said


def fitting(words: Sequence[str], width: int) -> str:
    """As many of the words as there is room for, whole; of the first as much as fits.

    >>> fitting(["loss 0.5", "accuracy 0.25", "norm 3"], 24), fitting(["loss 0.5"], 6)
    ('loss 0.5  accuracy 0.25', 'loss …')
    """
    said = elide(words[0], width) if words else ""
    for word in words[1:]:
        if len(said) + 2 + len(word) > width:
            break
        said += f"  {word}"
    return said


def spark(values: Sequence[float], width: int, *, log: bool = False) -> str:
    """Numbers as a line of blocks, from the least to the greatest; what is no number is a !.

    >>> spark([0.0, 1.0, 2.0, math.nan], 8), spark([1e-3, 1.0], 8, log=True), spark([2.0, 2.0], 8)
    ('▁▅█!', '▁█', '▅▅')
    """
    found = np.asarray(values, float)
    if found.size > width:
        found = found[np.linspace(0, found.size - 1, width).round().astype(int)]
    with np.errstate(all="ignore"):
        found = np.log10(found) if log else found
    known = found[np.isfinite(found)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        low, high = low - 1, low + 1
    return "".join(
        LEVELS[round(7 * (x - low) / (high - low))] if math.isfinite(x) else "!"
        for x in found.tolist()
    )


def layer_lines(history: History, width: int, *, sparks: bool = True) -> list[Line]:
    """A table of the layers: statistics of the last step; with `sparks` also how they went, where there is room.

    Where there is room for one line of blocks, it is that of the gradient. Zeros have a column where there are any.
    """
    if not history.layers:
        return []
    wide = min(NAMES, max(len("layer"), *map(len, history.layers)))
    any_zeros = any(layer[0].zeros or layer[-1].zeros for layer in history.layers.values())
    room = width - wide - (3 + any_zeros) * NUMBER - 1
    both = (room - 1) // 2 >= NARROWEST
    each = min((room - 1) // 2 if both else room, WIDEST)
    shown = (both, each >= NARROWEST) if sparks else (False, False)
    head = pad("layer", wide) + "".join(pad(word, NUMBER, right=True) for word in ("mean", "std"))
    head += " " * (shown[0] * (each + 1)) + pad("rms grad", NUMBER, right=True)
    if any_zeros:
        head += " " * (shown[1] * (each + 1)) + pad("zeros", NUMBER, right=True)
    lines: list[Line] = [(Piece(elide(head, width), "faint"),)]
    for name, layer in history.layers.items():
        now = layer[-1]
        line = [Piece(pad(name, wide), "name"), *_column(now.mean, "value")]
        line += _column(now.std, "value")
        if shown[0]:
            line.append(Piece(" " + pad(spark([s.std for s in _few(layer)], each), each), "value"))
        line += _column(now.gradient, "gradient")
        if shown[1]:
            blocks = spark([s.gradient for s in _few(layer)], each, log=True)
            line.append(Piece(" " + pad(blocks, each), "gradient"))
        if any_zeros:
            line.append(Piece(pad(f"{100 * now.zeros:.0f} %", NUMBER, right=True)))
        lines.append(tuple(line))
    return lines


def parameter_lines(updates: Mapping[str, float], width: int) -> list[Line]:
    """How far the parameters moved in one step, relative to their size: bars over the decades from 1e-5 to 1.

    Many of them stand in several columns.
    """
    if not updates:
        return []
    abreast = max(1, min(width // ABREAST, -(-len(updates) // 4)))
    high = -(-len(updates) // abreast)
    wide = min(NAMES, max(len("parameter"), *map(len, updates)))
    each = width // abreast - 2 * (abreast > 1)
    head = pad(pad("parameter", wide) + pad("‖Δw‖/‖w‖", NUMBER, right=True), each)
    rows = [_parameter(name, moved, wide, each) for name, moved in updates.items()]
    lines: list[Line] = [(Piece("  ".join([head] * abreast).rstrip(), "faint"),)]
    for k in range(high):
        pieces = [piece for row in rows[k::high] for piece in (*row, Piece("  "))]
        lines.append(tuple(pieces[:-1]))
    return lines


def _parameter(name: str, moved: float, wide: int, width: int) -> list[Piece]:
    """The row of one parameter, of exactly so many cells."""
    room = min(width - wide - NUMBER - 1, 40)
    share = (math.log10(moved) + 5) / 5 if 0 < moved < math.inf else 0.0
    bars = round(min(max(share, 0.0), 1.0) * room) if room >= NARROWEST else 0
    drawn = "▪" * (max(1, bars) if share and room >= NARROWEST else 0)
    blank = width - wide - NUMBER
    return [
        Piece(pad(name, wide), "name"),
        *_column(moved, ""),
        Piece(f" {drawn}".ljust(blank) if blank > 0 else "", "faint"),
    ]


def kept_rows(history: History) -> Iterator[tuple[int, str]]:
    """The steps that were kept, and the loss of each."""
    for step in history.traces:
        yield step, f"loss {number(history.record.losses[step - 1], DIGITS)}"


def _column(value: float, shows: str) -> list[Piece]:
    text = "·" if math.isnan(value) else number(value, 3)
    return [Piece(pad(text, NUMBER, right=True), shows)]


def _few(layer: Sequence[Statistics]) -> list[Statistics]:
    """So many steps of a layer, from the first to the last, as a sparkline can show."""
    most = 64
    if len(layer) <= most:
        return list(layer)
    return [layer[round(k * (len(layer) - 1) / (most - 1))] for k in range(most)]
