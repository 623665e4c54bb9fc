"""Nodes and flows as formulas in which mere steps on the way, unnamed and used once, are written into their reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.diagrams.algebra.factors import ONE, blackboard
from tracer.diagrams.algebra.notation import Notation, sums_itself
from tracer.formulas import flow_symbol, value_symbol
from tracer.nodes import Node
from tracer.symbols import Symbol, viewed
from tracer.traces import Trace

NESTED = 4
"""Operations that may be written into one another before one of them gets a line of its own."""
MOST_INPUTS = 8
"""Inputs of a stack that are written out."""


@dataclass
class Chain:
    """The operations of a derivation, and how each of them is written."""

    trace: Trace
    operations: Sequence[int]
    notation: Notation
    nested: dict[int, int] = field(default_factory=dict)
    """Operations that are written where they are used, and how many are written into each."""
    symbols: dict[int, Symbol] = field(default_factory=dict)
    arriving: dict[int, Symbol] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for i in self.operations:
            size = 1 + sum(self.nested.get(j, 0) for j in set(self.trace.inputs_of(i)))
            if size <= NESTED and self._is_passing(i):
                self.nested[i] = size

    def _is_passing(self, i: int) -> bool:
        """Whether a node is a mere step on the way: without a name, used once, by rules without variables."""
        node, uses = self.trace[i], self.trace.uses_of(i)
        if node.name or i == self.trace.loss or len(uses) != 1:
            return False
        reader = int(self.trace.edge_consumer[uses[0]])
        return reader in self.operations and all(map(_is_plain, (node, self.trace[reader])))

    def symbol(self, i: int) -> Symbol:
        """A node where others use it: its name, or its formula if it has no line of its own."""
        if i not in self.symbols:
            node = self.trace[i]
            self.symbols[i] = (
                self.computed(node)
                if i in self.nested
                else viewed(node.seen)  # written as a number
                if is_literal(node)
                else viewed(node.seen, node.label, self.notation.names[i])
            )
        return self.symbols[i]

    def computed(self, node: Node) -> Symbol:
        """What an operation computes, in names."""
        inputs = node.inputs
        if len(inputs) <= MOST_INPUTS:
            return value_symbol(node, lambda other: self.symbol(other.index))
        shown = [
            self.symbol(one.index) if isinstance(one, Node) else one
            for one in (*inputs[:3], inputs[-1])
        ]
        shown.insert(3, Symbol(node.form, "…", r"\dots"))
        return Symbol(node.form, op=node.op, args=tuple(shown), params=node.params)

    def reader_of(self, edge: int) -> int:
        """The node with a line of its own from which a flow comes."""
        return int(self.trace.edge_consumer[self.path(edge)[-1]])

    def path(self, edge: int) -> list[int]:
        """The edges from a reader with a line of its own down to this one, backwards."""
        path = [edge]
        while int(self.trace.edge_consumer[path[-1]]) in self.nested:
            path.append(self.trace.uses_of(int(self.trace.edge_consumer[path[-1]]))[0])
        return path

    def flow(self, edge: int) -> tuple[Any, dict[str, Symbol]]:
        """A flow as a formula of the gradient of that node, and the variables that its rules named."""
        upstream: Any = self.upstream(self.reader_of(edge))
        variables: dict[str, Symbol] = {}
        for step in reversed(self.path(edge)):
            consumer = self.trace[int(self.trace.edge_consumer[step])]
            argument = int(self.trace.edge_argument[step])
            upstream, named = flow_symbol(
                consumer,
                argument,
                upstream,
                lambda other: self.symbol(other.index),
                lambda tex, i=consumer.index: self.saved(i, tex),  # type: ignore[misc]
            )
            variables |= named
        kept = {id(variable) for variable in variables.values()}
        ends = {id(symbol) for symbol in self.arriving.values()}
        return blackboard(upstream, ends, kept), variables

    def saved(self, i: int, tex: str) -> str:
        """How what an operation has saved is written: its μ bears its name where another μ is about."""
        saves = (
            saved.tex for j in self.operations if (op := self.trace[j].op) for saved in op.saves
        )
        bare = r"\sigma" if r"\sigma" in tex else tex
        if list(saves).count(tex) < 2 and bare not in self.notation.names.values():
            return tex
        name = self.notation.names[i]
        if re.fullmatch(r"\\?[A-Za-z]+", bare):
            return tex.replace(bare, f"{bare}_{{{name}}}")
        return rf"\left.{tex}\right|_{{{name}}}"

    def upstream(self, i: int) -> Symbol:
        """The gradient of a node where others use it."""
        if i == self.trace.loss and sums_itself(self.trace):
            return ONE
        if i not in self.arriving:
            node = self.trace[i]
            known = node.seen_gradient
            value = np.ones(node.shape)[()] if known is None else known
            self.arriving[i] = viewed(value, f"∂L/∂{node.label}", self.notation.gradient(i))
        return self.arriving[i]


def is_literal(node: Node) -> bool:
    """Whether a node is one number of the program without a name, as `np.sqrt(d)` is."""
    return node.kind == "constant" and not node.name and node.shape == ()


def _is_plain(node: Node) -> bool:
    """Whether the rules that ran name nothing on the way, so that its formula can stand inside another."""
    op = node.op
    if op is None or op.joint is not None or op.saves or len(node.inputs) > MOST_INPUTS:
        return False
    g = Symbol(np.ones(node.shape)[()], "g", "g")
    inputs = node.trace.inputs_of(node.index)
    return not any(
        flow_symbol(node, argument, g)[1]
        for argument, i in enumerate(inputs)
        if i >= 0 and op.differentiable(argument)
    )
