"""`gradstep diff A B`, and the closing line of `gradstep show A --device D`: two traces side by side."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import tracer as tr
from tracer.insight.comparison import Apart, Comparison, Pair
from tui.scripts import UsageError
from tui.targets import Target, resolve
from tui.text import grid

HEAD = ("node", "kernels", "value", "gradient", "where most")
ENDS = 8
"""So many rows at either end of a long table."""


def compared(options: argparse.Namespace) -> bool:
    """Print how two targets differ; whether they do not. Raises `UsageError` where there is nothing to compare."""
    if not (options.other or options.device or options.set):
        raise UsageError(
            f"diff needs something to compare {options.target} with\n"
            f"  try: gradstep diff {options.target} OTHER, --device interpret, or --set NAME=VALUE"
        )
    first = resolve(options.target)
    with tr.device(options.device or "cpu"):
        second = resolve(options.other or options.target, options.set)
    found = tr.compare(first.trace, second.trace, ulps=options.ulps)
    rows = found.rows if options.all else [row for row in found.rows if diverges(row, found.ulps)]
    if rows:
        print(table(rows, every=options.all))
        print()
    print(found)
    return found.ok


def against_cpu(target: Target) -> Comparison | None:
    """A network that was recorded on a device, compared with itself on the CPU; None for what is no network."""
    if target.network is None or target.trace.device == "cpu":
        return None
    with tr.device("cpu"):
        return tr.compare(
            resolve(target.network.entry.name, target.network.words).trace, target.trace
        )


def diverges(row: Pair, ulps: float | None) -> bool:
    """Whether a value or a gradient lies further apart than so many ulps."""
    return row.value.diverges(ulps) or (row.gradient is not None and row.gradient.diverges(ulps))


def table(rows: Sequence[Pair], *, every: bool = False) -> str:
    """A row for each node: which kernels ran it on either side, and how far value and gradient lie apart.

    Unless every row is wanted, the middle of many is folded into a line that says so.
    """
    between = 0 if every else max(0, len(rows) - 2 * ENDS)
    shown = [*rows[:ENDS], *rows[ENDS + between :]]
    lines = grid([HEAD, *map(_row, shown)]).splitlines()
    if between:
        lines.insert(1 + ENDS, f"   … {between} more nodes that diverge; --all shows every node")
    return "\n".join(lines)


def _row(row: Pair) -> tuple[str, ...]:
    first, second = row.kernels
    kernels = first if first == second else f"{first or '·'} → {second or '·'}"
    word, worst = "value", row.value
    if row.gradient is not None and row.gradient.ulps > worst.ulps:
        word, worst = "gradient", row.gradient
    gradient = "·" if row.gradient is None else _size(row.gradient)
    where = f"{word} {worst}" if worst.ulps else ""
    return (row.label, kernels, _size(row.value), gradient, where)


def _size(apart: Apart) -> str:
    return "the same" if apart.ulps == 0 else apart.size.removesuffix(" apart")
