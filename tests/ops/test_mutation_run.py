"""Fifty wrong rules, drawn by a seed from the whole table, in the five ways in which people get gradients wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from ops import PRIMITIVES, Primitive
from tests.ops.cases import cases_of, signed
from tests.ops.test_mutants import flagged

SEED, COUNT = 2026, 50

Blunder = Callable[[Any, Any], Any]
"""From the right flow and the input that it goes to, to the wrong one."""


def one_of_the_copies(flow: Any, x: Any) -> Any:
    """The sum over the broadcast axes forgotten: what one copy of the input receives is taken for all of it."""
    shape = np.shape(x)
    if np.shape(flow) == shape:
        return flow
    stretched = (1,) * (np.ndim(flow) - len(shape)) + shape
    index = tuple(slice(0, 1) if n == 1 else slice(None) for n in stretched)
    return np.asarray(flow)[index].reshape(shape)[()]


def transposed(flow: Any, x: Any) -> Any:
    """The last two axes exchanged, and the elements poured back into the shape of the input."""
    if np.ndim(flow) < 2:
        return flow
    return np.swapaxes(flow, -1, -2).reshape(np.shape(flow))


BLUNDERS: dict[str, Blunder] = {
    "sign": lambda flow, x: -flow,
    "dropped path": lambda flow, x: flow * 0,
    "factor 1 + 1e-4": lambda flow, x: flow * (1 + 1e-4),
    "no sum over the broadcast axis": one_of_the_copies,
    "transposed": transposed,
}


class Mutant(NamedTuple):
    """A primitive, the input whose rule is wrong, and how."""

    op: Primitive
    name: str
    blunder: str

    def __str__(self) -> str:
        return f"{self.op.name}-{self.name}-{self.blunder}"

    def made(self) -> Primitive:
        """The primitive with the wrong rule."""
        blunder, at = BLUNDERS[self.blunder], self.op.inputs.index(self.name)
        if self.op.joint is not None:
            joint = self.op.joint

            def all_of_them(g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
                flows = dict(joint(g, out, *inputs, **params))
                flow = flows.get(self.name)
                if isinstance(flow, list):
                    flows[self.name] = list(map(blunder, flow, inputs[at:]))
                elif flow is not None:
                    flows[self.name] = blunder(flow, inputs[at])
                return flows

            return self.op.replaced(joint=all_of_them)
        rule = self.op.vjps[self.name]

        def wrong(g: Any, out: Any, *inputs: Any, **params: Any) -> Any:
            return blunder(rule(g, out, *inputs, **params), inputs[at + params.get("position", 0)])

        return self.op.replaced(vjps={**self.op.vjps, self.name: wrong})

    def differs(self) -> bool:
        """Whether it is wrong at all: on some sample, another flow goes to an input that is asked for."""
        made = self.made()
        for case in cases_of(self.op):
            g = signed(np.shape(case.run()[0]))
            right, wrong = case.flows(g), case._replace(op=made).flows(g)
            for k in case.floats:
                if not np.array_equal(right[k], wrong[k]) and np.any(right[k]):
                    return True
        return False


def mutants() -> Iterator[Mutant]:
    """Seeded: the ways in turn, each on an input drawn from all that it makes a difference for."""
    draw = np.random.default_rng(SEED)
    inputs = [
        (op, name)
        for op in PRIMITIVES.values()
        if op.home.startswith("ops.")
        for name in op.inputs
        if name in op.vjps
    ]
    seen = set()
    while len(seen) < COUNT:
        blunder = list(BLUNDERS)[len(seen) % len(BLUNDERS)]
        op, name = inputs[draw.integers(len(inputs))]
        mutant = Mutant(op, name, blunder)
        if str(mutant) not in seen and mutant.differs():
            seen.add(str(mutant))
            yield mutant


@pytest.mark.parametrize("mutant", list(mutants()), ids=str)
def test_a_seeded_wrong_rule_is_caught(mutant: Mutant):
    assert flagged(mutant.made())
