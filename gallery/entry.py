"""What a gallery entry is, and how its recorded numbers are held against those that are expected of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from gallery.knobs import Knob, settings
from gallery.training import Training
from tracer.plots import Plot

PUBLISHED = "published"
"""The origin of a number that the entry's source prints."""
TORCH = "PyTorch 2.13"
"""The origin of a number that PyTorch gives for the same weights."""
OURS = "ours"
"""The origin of a number that no source prints: it follows on paper, or was taken from a run of ours."""
ORIGINS = (PUBLISHED, TORCH, OURS)

EXACT = 1e-9
"""The relative error of float64 arithmetic that a number printed without a point may have."""


@dataclass(frozen=True)
class Fact:
    """An expected number that is not the value or gradient of one node: what it is, and how it follows from the trace.

    printed: as in `Entry.values`. compute: gives the number, or array, from the entry's trace. spread: for a random
    number, its mean and standard deviation over random seeds; the printed number and the recorded one then have to lie
    within four standard deviations, and half a unit of the last digit, of that mean.
    """

    what: str
    printed: str
    compute: Callable[[tr.Trace], object]
    spread: Callable[[], tuple[object, object]] | None = None
    origin: str = OURS
    """Where the number is from, one of `ORIGINS`."""


@dataclass(frozen=True)
class Entry:
    """A network to step through: how to build it, where it comes from, and the numbers that are expected of it.

    `values` and `gradients` give, by node, the numbers as the slide prints them: "0.37", or "5 -5" for an array, row
    by row. The decimals written are the precision; a number without a point is exact.
    """

    name: str
    build: Callable[..., tr.Tensor]
    """Records the network and returns its loss; takes the settings of the knobs as keywords, all with defaults."""
    caption: str
    source: str
    values: Mapping[str, str] = field(default_factory=dict)
    gradients: Mapping[str, str] = field(default_factory=dict)
    origin: str = OURS
    """Where the numbers of `values` and `gradients` are from, one of `ORIGINS`."""
    ours: tuple[str, ...] = ()
    """The nodes among them whose numbers are not from there, but ours."""
    facts: tuple[Fact, ...] = ()
    derivation: str = ""
    """Gradients derived by hand, a line each, as `gradstep verify` reads them."""
    style: str | None = None
    """The style of diagram that suits it; None leaves the choice to the diagram."""
    note: str = ""
    """What a reader who compares with the source should know."""
    knobs: tuple[Knob, ...] = ()
    """What can be turned, from the command line and in the debugger."""
    orders: tuple[str, ...] = ()
    """What the debugger does on opening it, as one would type it: breakpoints, a first move, a view."""
    plots: Callable[..., tuple[Plot, ...]] | None = None
    """Pictures that belong to it, with the settings of the knobs as keywords."""
    training: Training | None = None

    @property
    def every_knob(self) -> tuple[Knob, ...]:
        """Its knobs, and those of its training alone."""
        return (*self.knobs, *(self.training.knobs if self.training is not None else ()))

    def settings(self, **turned: float | int | bool | str) -> dict[str, Any]:
        """The value of every knob, some of them turned. Raises `KnobError`."""
        return settings(self.knobs, turned)


class Row(NamedTuple):
    """One expected number, or array of numbers, beside the recorded one."""

    node: str
    """The label of a node; of a fact, what it is."""
    what: str
    """value, gradient or fact."""
    printed: str
    recorded: str
    agrees: bool
    origin: str
    """Where the printed number is from, one of `ORIGINS`."""


def compare(entry: Entry, trace: tr.Trace) -> tuple[Row, ...]:
    """Every number that is expected of the entry beside that of the trace, rounded to the decimals that were printed.

    trace: with the default settings of the knobs, for which the numbers hold.
    """
    rows = []
    for what, table in (("value", entry.values), ("gradient", entry.gradients)):
        for node, printed in table.items():
            number = trace.value(node) if what == "value" else trace.gradient(node)
            recorded = "none" if number is None else as_printed(number, printed)
            agrees, origin = recorded == printed, _origin(entry, node)
            rows.append(Row(node, what, printed, recorded, agrees, origin))
    return (*rows, *(_fact(fact, trace) for fact in entry.facts))


def origins(entry: Entry) -> tuple[str, ...]:
    """The origin of each row of `compare`, without a trace."""
    nodes = (_origin(entry, node) for node in (*entry.values, *entry.gradients))
    return (*nodes, *(fact.origin for fact in entry.facts))


def _origin(entry: Entry, node: str) -> str:
    """Where the value and the gradient that are expected of a node are from."""
    return OURS if node in entry.ours else entry.origin


def _fact(fact: Fact, trace: tr.Trace) -> Row:
    """A fact beside what follows from the trace; after a random number, its mean and spread over the seeds."""
    numbers = np.ravel(np.asarray(fact.compute(trace), float))
    recorded = as_printed(numbers, fact.printed)
    if fact.spread is None:
        agrees = recorded == fact.printed
        return Row(fact.what, "fact", fact.printed, recorded, agrees, fact.origin)
    words = fact.printed.split()
    means, spreads = (
        np.broadcast_to(np.asarray(x, float), numbers.shape).ravel() for x in fact.spread()
    )
    agrees = len(words) == numbers.size and all(
        max(abs(x - mean), abs(float(word) - mean)) <= 4 * spread + _half_unit(word)
        for x, word, mean, spread in zip(numbers, words, means, spreads, strict=True)
    )
    three = zip(recorded.split(), as_printed(means, fact.printed).split(), spreads, strict=True)
    texts = [f"{number}({mean}±{_short(f'{spread:.1g}')})" for number, mean, spread in three]
    return Row(fact.what, "fact", fact.printed, " ".join(texts), agrees, fact.origin)


def as_printed(numbers: object, printed: str) -> str:
    """Numbers with as many decimals as the source prints for each; a zero has no sign.

    A number half-way between two that could be printed is given as the source gives it. A whole number is exact.

    >>> as_printed([0.3679, -0.1966], "0.37 -0.20")
    '0.37 -0.20'
    >>> as_printed([2.618e-5, 0.125], "2.6e-5 0.13")
    '2.6e-5 0.13'
    >>> as_printed([3.0, 0.4], "3 0")
    '3 0.4'
    """
    words = printed.split()
    flat = [float(x) for x in np.ravel(np.asarray(numbers))]
    if len(words) == len(flat):
        return " ".join(map(_rounded, flat, words))
    finest = min(words, key=_half_unit)
    return " ".join(_written(x, finest) for x in flat)


def _rounded(x: float, word: str) -> str:
    """A number as the word is printed, and the word itself where it is a rounding of the number."""
    near = abs(x - float(word)) <= max(_half_unit(word), abs(float(word)) * EXACT) * (1 + EXACT)
    return word if near else _written(x, word)


def _written(x: float, word: str) -> str:
    """A number with the decimals of a printed word, and with an exponent where that has one."""
    if _whole(word) and not x.is_integer():
        short = f"{x:.4g}"
        return _short(repr(x) if float(short).is_integer() else short)
    mantissa, exponent, _ = word.partition("e")
    if exponent and not x:
        return "0"
    decimals = len(mantissa.partition(".")[2])
    return _short(f"{x:z.{decimals}{'e' if exponent else 'f'}}")


def _short(number: str) -> str:
    """A number without the zero that Python puts into its exponent: 2.6e-5, not 2.6e-05."""
    mantissa, exponent, power = number.partition("e")
    return f"{mantissa}e{int(power)}" if exponent else number


def _whole(word: str) -> bool:
    """Whether a printed word is a whole number, which is exact: it has no point, nor an exponent."""
    return not set(word) & set(".e")


def _half_unit(word: str) -> float:
    """Half a unit of the last digit that is printed: 0.005 for 0.37, 5e-7 for 2.6e-5; of a whole number nothing."""
    mantissa, _, power = word.partition("e")
    return (
        0.0 if _whole(word) else 0.5 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    )
