"""The first rung: the rules of every node against its own forward, on recorded inputs. It names the faulty operation.

A node is tested with a random signed cotangent of its own, so that an error shows which the recorded cotangent would
hide: one that is zero, or under which terms cancel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tracer.checking.certified.certificate import KINK
from tracer.checking.judge import DISAGREE, UNDECIDABLE
from tracer.checking.report import Element, Row, Rung
from tracer.errors import GradstepError
from tracer.replay import parts_trace
from tracer.traces import Trace

from .bisection import OTHERS_RIGHT, WORST, bisected
from .elementwise import elementwise_tests
from .local import LocalTest, Node, nodes_of
from .operations import element_test, is_blurred, operation_test, reaching
from .probes import Finding, certified_bundles

Array = Any
"""A numpy array or numpy scalar."""

NAME = "rules of the nodes"
TWICE = "backward twice"


@dataclass(frozen=True)
class Rules:
    """What the rules of the nodes of a trace came to: the rungs, and a row for each rule that is wrong."""

    rungs: tuple[Rung, ...]
    faults: tuple[Row, ...]


class RuleTests:
    """The tests of all rules of a trace, made ready: `size` probes."""

    def __init__(self, trace: Trace, rng: np.random.Generator) -> None:
        self.trace, self.rng = trace, rng
        self.nodes = nodes_of(trace, rng)
        flat = [node for node in self.nodes if node.op.elementwise and not node.op.variadic]
        tests, rest = elementwise_tests(flat, rng)
        kept = {node.index for node in flat}
        rest += [(n, k) for n in self.nodes if n.index not in kept for k in _first_ones(n)]
        rest = [(node, k) for node, k in rest if not is_blurred(node, k)]
        self.tests = [*tests, *(operation_test(n, _together(n, k), rng) for n, k in rest)]
        self.size = sum(test.bundle.points.size for test in self.tests)

    def run(self, told: Callable[[int], None] | None = None) -> Rules:
        """Certify all probes, name the rules that are wrong, and find their wrong elements."""
        findings = certified_bundles([test.bundle for test in self.tests], told)
        made, kinks, open_ends = 0, 0, 0
        faults: list[Row] = []
        for test, found in zip(self.tests, findings, strict=True):
            made += len(test.nodes) * len(test.arguments)
            kinks += sum(finding.slope.status == KINK for finding in found)
            open_ends += sum(
                finding.verdict == UNDECIDABLE and finding.slope.differentiable for finding in found
            )
            bad = np.array([finding.verdict == DISAGREE for finding in found])
            for n in np.unique(test.owners[bad]).tolist():
                faults += self._faults(test, test.nodes[n], n, found)
        faults.sort(key=lambda row: row.node)
        for n, row in enumerate(faults):  # the parts of a node are told of once
            if not n or faults[n - 1].node != row.node:
                faults[n] = replace(row, notes=(*row.notes, *self._parts(row.node)))
        return Rules(
            (_rung(self.trace, made, faults, kinks, open_ends), self._twice()), tuple(faults)
        )

    def _faults(
        self, test: LocalTest, node: Node, owner: int, found: Sequence[Finding]
    ) -> list[Row]:
        """The rows of the wrong rules of one node."""
        if test.elements is not None:
            mine = np.flatnonzero(test.owners == owner)
            elements = tuple(_element(node, int(test.elements[k]), found[k]) for k in mine.tolist())
            few = len(elements) < node.out.size
            note = f"{len(elements)} of {node.out.size} elements were looked at"
            notes = (note,) if few else ()
            return [_fault(node, test.arguments[0], node.out.shape, elements, notes)]
        rows = []
        for argument in test.arguments:
            size = np.shape(node.values[argument])
            direction = reaching(node.values[argument], self.rng)
            probing = partial(element_test, node, argument, direction)
            wrong = bisected(probing, direction)
            if wrong.elements:
                note = OTHERS_RIGHT if wrong.alone else WORST
                notes = (note,) if len(wrong.elements) < math.prod(size) else ()
                rows.append(_fault(node, argument, size, wrong.elements, notes))
        if not rows:  # no element alone: it counts if another direction disagrees too
            again = operation_test(node, test.arguments, self.rng)
            (found,) = certified_bundles([again.bundle])
            if found[0].verdict == DISAGREE:
                size = np.shape(node.values[test.arguments[0]])
                rows.append(_fault(node, test.arguments[0], size, (_along(0, found[0]),), ()))
        return rows

    def _parts(self, index: int) -> tuple[str, ...]:
        node = next(node for node in self.nodes if node.index == index)
        return _of_its_parts(node, self.rng)

    def _twice(self) -> Rung:
        """Every node run again, forward and backward: the same bits, or something random is inside."""
        uneven = [node for node in self.nodes if not _same_again(node)]
        if not uneven:
            return Rung(TWICE, len(self.nodes))
        said = f"nondeterministic: {uneven[0].op.name} gave other numbers the second time"
        return Rung(TWICE, len(self.nodes), len(uneven), said, uneven[0].index, uneven[0].label)


def _first_ones(node: Node) -> list[int]:
    """The arguments that are tested each by itself; those of a variadic operation count as one."""
    last = len(node.op.inputs) - 1
    if not node.op.variadic:
        return list(node.arguments)
    return [*(k for k in node.arguments if k < last), *[k for k in node.arguments if k >= last][:1]]


def _together(node: Node, argument: int) -> tuple[int, ...]:
    last = len(node.op.inputs) - 1
    if node.op.variadic and argument >= last:
        return tuple(k for k in node.arguments if k >= last)
    return (argument,)


def _fault(
    node: Node,
    argument: int,
    shape: tuple[int, ...],
    elements: tuple[Element, ...],
    notes: tuple[str, ...],
) -> Row:
    """The row of a rule that is wrong."""
    name = f"{node.label} by {node.input_name(argument)}"
    return Row(name, shape, elements, notes=notes, node=node.index)


def _element(node: Node, k: int, finding: Finding) -> Element:
    index: tuple[int | str, ...] = tuple(map(int, np.unravel_index(k, node.out.shape)))
    return Element(index, math.nan, finding.claim, finding.slope, finding.verdict, finding.reason)


def _along(k: int, finding: Finding) -> Element:
    return Element(
        ("direction", k), math.nan, finding.claim, finding.slope, finding.verdict, finding.reason
    )


def _rung(trace: Trace, made: int, faults: Sequence[Row], kinks: int, open_ends: int) -> Rung:
    said = []
    if faults:
        first = faults[0]
        op = trace[first.node].op_name
        said.append(f"rule of {op} by {first.name.rpartition(' by ')[2]}")
        label, node = trace.label(first.node), first.node
    else:
        label, node = "", -1
        if kinks:
            said.append(f"{kinks} element{'s' if kinks > 1 else ''} at a kink")
        if open_ends:
            said.append(f"{open_ends} known too roughly")
    return Rung(NAME, made, len(faults), ", ".join(said), node, label)


def _same_again(node: Node) -> bool:
    """Whether a node gives the same bits when it runs again, forward and backward."""
    wanted = [k in node.flows for k in range(len(node.values))]
    with np.errstate(all="ignore"):
        flows = node.trace.pull_back(node.index, node.g, wanted)
        if not all(_same(flows[k], flow) for k, flow in node.flows.items()):
            return False
        again = node.rerun(node.values)
        # recorded elsewhere, the last bits may differ: only two runs here must not
        return _same(again, node.out) or _same(again, node.rerun(node.values))


def _same(a: Array, b: Array) -> bool:
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)


def _of_its_parts(node: Node, rng: np.random.Generator) -> tuple[str, ...]:
    """What the parts of a fused operation say: which of them is wrong, or that they are right."""
    if node.op.parts is None:
        return ()
    try:
        inner = parts_trace(replace(node.trace, loss=node.index, seed=node.g), node.index)
    except GradstepError:
        return ()
    faults = RuleTests(inner, rng).run().faults
    if faults:
        return (f"wrong in its part {faults[0].name}",)
    return (f"the parts of {node.op.name} are right: the fault is in its own fused rule",)
