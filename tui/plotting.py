"""`gradstep plot`: the plots of a network of the gallery, or the numbers of one node, drawn or written into a file."""

from __future__ import annotations

import argparse

import numpy as np

from gallery import GALLERY
from ops.primitive import Array
from tracer.cells.pieces import Line
from tracer.format import number, shape
from tracer.plots import Axis, Histogram, Plot
from tui.networks import network
from tui.printing import Terminal, printed, terminal
from tui.scripts import UsageError
from tui.targets import Target, resolve

WIDE, HIGH = 110, 26
"""The most cells that one plot takes."""
MOST_BINS = 50


def plot(options: argparse.Namespace) -> None:
    """Draw the plots that the options ask for, or write them. Raises `UsageError`, `PlotError`, `DiagramError`."""
    plots = chosen(plots_of(options), options.index)
    if options.output is None:
        here = terminal()
        print(printed(drawn(plots, here), colours=here.colours))
        return
    from tracer.plots.saving import save

    path = save(plots, options.output, columns=options.columns, theme=options.theme)
    print(f"wrote {path}")


def plots_of(options: argparse.Namespace) -> tuple[Plot, ...]:
    """The plots of the entry, or those of a node of any target."""
    name = options.target
    if options.node is not None:
        return of_node(resolve(name, options.set), options.node)
    if name not in GALLERY and not name.isdecimal() and ("." in name or "/" in name):
        raise UsageError(
            f"{name} has no plots of its own, for it is no network of the gallery\n"
            f"  try: --node NAME, for the numbers of one of its nodes"
        )
    found = network(name, options.set)
    entry = found.entry
    if entry.plots is None and entry.training is not None:
        raise UsageError(
            f"{entry.name} has plots once it is trained\n  try: gradstep train {entry.name}"
        )
    if entry.plots is None:
        there = ", ".join(each.name for each in GALLERY.values() if each.plots is not None)
        raise UsageError(
            f"{entry.name} has no plots: there are some of {there}\n"
            f"  try: gradstep plot {entry.name} --node NAME, for the numbers of one node"
        )
    return entry.plots(**found.settings)


def chosen(plots: tuple[Plot, ...], index: int | None) -> tuple[Plot, ...]:
    """All plots, or the one of a number from 1. Raises `UsageError` for another number."""
    if index is None:
        return plots
    if index > len(plots):
        count = f"{len(plots)} plot{'s' if len(plots) > 1 else ''}"
        raise UsageError(f"there is no plot {index} of {count}\n  try: --index {len(plots)}")
    return (plots[index - 1],)


def of_node(target: Target, name: str) -> tuple[Plot, ...]:
    """Histograms of the value and the gradient of a node. Raises `UsageError` for a single number."""
    node = target.trace[target.trace.node_index(name)]
    value, gradient = np.asarray(node.value), node.gradient
    if value.size < 2:
        said = f", its gradient {number(gradient)}" if gradient is not None else ""
        told = f"one number, {number(value.item())}{said}" if value.size else "empty"
        raise UsageError(
            f"{node.label} is {told}: there is nothing to plot\n  try: a node that is an array"
        )
    sizes = shape(value.shape)
    bins = min(max(int(2 * value.size**0.5), 4), MOST_BINS)
    plots = [
        Plot(
            f"{node.label} ({sizes}): value",
            [Histogram.of("", value, bins=bins, shows="value")],
            Axis(node.label),
            Axis("elements"),
            not_shown(value),
        )
    ]
    if gradient is not None:
        loss = target.trace.label(target.trace.loss)
        label = f"∂{loss}/∂{node.label}"
        bars = Histogram.of("", gradient, bins=bins, shows="gradient")
        title = f"{node.label} ({sizes}): gradient"
        plots.append(Plot(title, [bars], Axis(label), Axis("elements"), not_shown(gradient)))
    return tuple(plots)


def not_shown(array: Array) -> str:
    """How many elements have no place on the axis of a histogram; empty where all have one.

    >>> not_shown(np.array([1.0, np.inf, -np.inf, np.nan, np.nan]))
    '1 inf, 1 −inf, 2 NaN not shown'
    """
    signs = (("inf", array == np.inf), ("−inf", array == -np.inf), ("NaN", np.isnan(array)))
    found = [f"{int(there.sum())} {sign}" for sign, there in signs if there.any()]
    return f"{', '.join(found)} not shown" if found else ""


def drawn(plots: tuple[Plot, ...], here: Terminal) -> list[Line]:
    """The plots as this terminal can show them: one as large as is useful, several in a grid."""
    if len(plots) > 1:
        from tracer.plots.terminal import grid_of

        return grid_of(plots, here.columns, braille=here.signs)
    columns = min(here.columns, WIDE)
    return plots[0].lines(columns, min(max(columns // 4, 12), HIGH), braille=here.signs)
