"""What a gallery entry is, and how its recorded numbers are held against the published ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from gallery.knobs import Knob, settings
from gallery.training import Training
from tracer.plots import Plot


@dataclass(frozen=True)
class Fact:
    """A published number that is not the value or gradient of one node: what it is, and how it follows from the trace.

    printed: as in `Entry.values`. compute: gives the number, or array, from the entry's trace. spread: for a random
    number, its standard deviation over random seeds; the printed number then has to lie within four of them.
    """

    what: str
    printed: str
    compute: Callable[[tr.Trace], object]
    spread: Callable[[], object] | None = None
    source: str = ""
    """Where it stands, if not in the entry's source."""


@dataclass(frozen=True)
class Entry:
    """A network to step through: how to build it, where it comes from, and the numbers that were published for it.

    `values` and `gradients` give, by node, the numbers as the slide prints them: "0.37", or "5 -5" for an array, row
    by row. The decimals written are the precision.
    """

    name: str
    build: Callable[..., tr.Tensor]
    """Records the network and returns its loss; takes the settings of the knobs as keywords, all with defaults."""
    caption: str
    source: str
    values: Mapping[str, str] = field(default_factory=dict)
    gradients: Mapping[str, str] = field(default_factory=dict)
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

    def settings(self, **turned: float | int | bool | str) -> dict[str, Any]:
        """The value of every knob, some of them turned. Raises `KnobError`."""
        return settings(self.knobs, turned)


class Row(NamedTuple):
    """One published number, or array of numbers, beside the recorded one."""

    node: str
    what: str
    printed: str
    recorded: str
    agrees: bool


def compare(entry: Entry, trace: tr.Trace) -> tuple[Row, ...]:
    """Every published number of the entry beside that of the trace, rounded to the decimals that were printed."""
    rows = []
    for what, table in (("value", entry.values), ("gradient", entry.gradients)):
        for node, printed in table.items():
            number = trace.value(node) if what == "value" else trace.gradient(node)
            recorded = "none" if number is None else as_printed(number, printed)
            rows.append(Row(node, what, printed, recorded, recorded == printed))
    return tuple(rows)


def as_printed(numbers: object, printed: str) -> str:
    """Numbers with as many decimals as the source prints for each; a zero has no sign.

    >>> as_printed([0.3679, -0.1966], "0.37 -0.20")
    '0.37 -0.20'
    """
    decimals = [len(one.partition(".")[2]) for one in printed.split()]
    flat = np.ravel(np.asarray(numbers))
    if len(decimals) != flat.size:
        decimals = [max(decimals)] * flat.size
    return " ".join(f"{x:z.{k}f}" for x, k in zip(flat, decimals, strict=True))
