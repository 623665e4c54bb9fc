"""One element of a node as a node of its own: an elementwise rule says of single numbers what it says of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from tracer.fetching import fetched
from tracer.formulas import flow_formula, formula, local_derivative
from tracer.nodes import Node

Element = tuple[int, ...]
"""The index of an element, a number for each axis."""


def within(element: Element, shape: tuple[int, ...]) -> Element:
    """The element, moved into an array of a shape; of another rank, the axes are matched as broadcasting does.

    >>> within((5, 1), (3, 3)), within((2, 1), (3,)), within((1,), (3, 3))
    ((2, 1), (1,), (0, 1))
    """
    aligned = (*(0,) * (len(shape) - len(element)), *element)[max(0, len(element) - len(shape)) :]
    return tuple(max(0, min(i, n - 1)) for i, n in zip(aligned, shape, strict=True))


@dataclass(frozen=True, slots=True)
class ElementNode(Node):
    """The element of a node at an index; its inputs are the elements that it was computed from."""

    at: Element = ()

    @property
    def value(self) -> Any:
        """The forward value of the element."""
        return self.trace.seen(self.index)[self.at]

    form = seen = value

    @property
    def gradient(self) -> Any:
        """The final gradient of the element, None where none flows."""
        whole = self.trace.seen_gradient(self.index)
        return None if whole is None else whole[self.at]

    seen_gradient = gradient

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The elements that it reads, and Python numbers."""
        trace = self.trace
        return tuple(
            element_of(trace[i], self.at) if i >= 0 else trace.literals[-1 - i]
            for i in trace.inputs_of(self.index)
        )

    @property
    def saved(self) -> Mapping[str, Any]:
        """What the kernel handed to its rules, of this element where it is one number for each."""
        saved = self.trace.storage.held_saved(self.index)
        shape = self.trace.storage.held(self.index).shape
        return {name: fetched(x[self.at] if x.shape == shape else x) for name, x in saved.items()}

    seen_saved = saved

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a single number."""
        return ()


def element_of(node: Node, at: Element) -> ElementNode:
    """The element of a node at an index, or at that which is broadcast to it."""
    return ElementNode(node.trace, node.index, within(at, tuple(node.shape)))


def has_elements(node: Node) -> bool:
    """Whether each element of a node follows from one element of each input."""
    return node.op is not None and node.op.elementwise and bool(prod(node.shape))


def calculation(node: Node, at: Element) -> str:
    """The calculation of an element with its numbers: `√(0.925)`.

    >>> import tracer as tr
    >>> x = tr.tensor([[4.0, 9.0]], name="x")
    >>> calculation(tr.trace(tr.sum(tr.sqrt(x)))[1], (0, 1))
    '√(9)'
    """
    return formula(element_of(node, at), numbers=True)


def derivative(node: Node, argument: int, at: Element) -> tuple[str, Any]:
    """The local derivative of an element with its numbers, and what they make; ("", None) where there is none.

    >>> import tracer as tr
    >>> x = tr.tensor([[4.0, 9.0]], name="x")
    >>> derivative(tr.trace(tr.sum(tr.sqrt(x)))[1], 0, (0, 0))
    ('1 / (2 · 2)', np.float64(0.25))
    """
    element = element_of(node, at)
    op, text = element.op, local_derivative(element, argument, numbers=True)
    if op is None or not text:
        return "", None
    inputs = [x.value if isinstance(x, Node) else x for x in element.inputs]
    wanted = [k == argument for k in range(len(inputs))]
    one = element.value.dtype.type(1)
    found = op.pull_back(one, element.value, inputs, wanted, element.params, element.saved)
    return text, found[argument]


def factors(node: Node, argument: int, at: Element) -> str:
    """What an element of a node sends to one argument, upstream times local with the numbers put in: `0.5 · 0.25`."""
    return flow_formula(element_of(node, at), argument, numbers=True)
