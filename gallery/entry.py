"""What a gallery entry is, and how its recorded numbers are held against the printed ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

import tracer as tr


@dataclass(frozen=True)
class Entry:
    """A network to step through: how to build it, where it comes from, and the numbers that were published for it.

    `values` and `gradients` give, by node, the numbers as the slide prints them: "0.37", or "5 -5" for an array, row
    by row. The decimals written are the precision.
    """

    name: str
    build: Callable[[], tr.Tensor]
    """Records the network and returns its loss."""
    caption: str
    source: str
    values: Mapping[str, str] = field(default_factory=dict)
    gradients: Mapping[str, str] = field(default_factory=dict)
    derivation: str = ""
    """Gradients derived by hand, a line each, as `gradstep verify` reads them."""
    style: str | None = None
    """The style of diagram that suits it; None leaves the choice to the diagram."""
    note: str = ""
    """What a reader who compares with the source should know."""


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
