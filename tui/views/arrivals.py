"""The flows that reach the selected node, one by one, and their sum at one element after each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer import elements
from tracer.cells.figures import WAITING, short_number
from tracer.elements import Element, within
from tracer.nodes import Node
from tracer.timeline import GLYPHS
from tui.views.scene import Scene

BEFORE, AFTER = 6, 2
"""Of a value that is used very often, so many flows before and after the latest one are listed."""


@dataclass(frozen=True)
class Arrival:
    """One flow into the selected node."""

    edge: int
    consumer: Node
    argument: int
    arrived: bool
    newest: bool

    @property
    def name(self) -> str:
        """A consumer, which argument it reads where that is not plain, and its time step: `mul@7[y] t=3`."""
        inputs = self.consumer.trace.inputs_of(self.consumer.index)
        name = self.consumer.label
        if inputs.count(inputs[self.argument]) > 1:
            name += f"[{self.consumer.argument_names[self.argument]}]"
        return f"{name} {self.step}" if self.step else name

    @property
    def step(self) -> str:
        """The time step, or other index of a scope, in which the consumer stands and the value does not: `t=3`."""
        trace = self.consumer.trace
        own = trace[trace.inputs_of(self.consumer.index)[self.argument]].scope
        inner = (each for each in self.consumer.scope if each.key and each not in own)
        return " ".join(f"{each.key}={each.index}" for each in inner)

    @property
    def mark(self) -> str:
        """The newest flow is pointed at; those to come are open."""
        return "▶" if self.newest else GLYPHS["final" if self.arrived else "not reached"]


def arrivals(scene: Scene) -> tuple[int, list[Arrival]]:
    """The flows into the selected node around the latest, and how many earlier ones are left out."""
    node = scene.selected
    edges = scene.figures.arrivals(node)
    arrived, expected = scene.timeline.arrived(scene.position, node)
    first = max(0, min(arrived - BEFORE, expected - BEFORE - AFTER))
    last = min(expected, max(arrived + AFTER, BEFORE + AFTER))
    newest, trace = scene.timeline.flow_at(scene.position), scene.trace
    return first, [
        Arrival(
            edges[k],
            trace[int(trace.edge_consumer[edges[k]])],
            int(trace.edge_argument[edges[k]]),
            k < arrived,
            edges[k] == newest,
        )
        for k in range(first, last)
    ]


def cursor(scene: Scene, node: int) -> Element:
    """The element of a node that the cursor is on, or that which is broadcast from or to it."""
    return within(scene.element, tuple(scene.trace.storage.held(node).shape))


def index_text(at: Element) -> str:
    """An index as it follows a name: `[0,1]`, nothing for a single number."""
    return f"[{','.join(map(str, at))}]" if at else ""


def amount(scene: Scene, edge: int, at: Element) -> Any:
    """What flowed along an edge into one element; None while it is being worked out."""
    work = scene.figures.work(int(scene.trace.edge_consumer[edge]))
    return scene.figures.scalar(("flow", edge, at), work, lambda: scene.figures.flow(edge)[at])


def earlier(scene: Scene, first: int, listed: Sequence[Arrival], at: Element) -> Any:
    """The sum at one element of the flows before those listed; None while it is being worked out."""
    figures, node = scene.figures, scene.selected
    work = first * max(figures.work(each.consumer.index) for each in listed)
    return figures.scalar(("sum", node, first, at), work, lambda: figures.sum(node, first)[at])


def running_sums(scene: Scene, first: int, listed: Sequence[Arrival], at: Element) -> list[Any]:
    """The sum at one element after each listed flow that has arrived; None while it is being worked out."""
    sums: list[Any] = [earlier(scene, first, listed, at)] if first else []
    for each in listed:
        if not each.arrived:
            break
        new = amount(scene, each.edge, at)
        if new is None or (sums and sums[-1] is None):
            sums.append(None)
        else:
            with np.errstate(all="ignore"):
                sums.append(sums[-1] + new if sums else new)
    return sums[1:] if first else sums


def short(number: Any) -> str:
    """A number that may still be on its way."""
    return WAITING if number is None else short_number(float(number))


def factors(scene: Scene, each: Arrival, at: Element) -> str:
    """Upstream times local of one flow into one element, with the numbers; how many terms where it is a sum."""
    consumer, shape = each.consumer, scene.trace.storage.held(scene.selected).shape
    if not elements.has_elements(consumer):
        return ""
    if consumer.form.shape != shape:
        terms = consumer.form.size // max(1, scene.trace.storage.held(scene.selected).size)
        return f"Σ of {terms} terms" if terms > 1 else ""
    return scene.figures.text(
        ("factors", each.edge, at),
        scene.figures.work(consumer.index),
        lambda: elements.factors(consumer, each.argument, at),
    )
