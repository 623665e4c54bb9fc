"""The backward pass as a function: the transposed derivative of recorded values, for as many cotangents as wanted.

What is on the way is found once. Given Tensors as cotangents it records itself, as a linear function of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tracer.sweep import graph_of
from tracer.tensors import Tensor


class _Step(NamedTuple):
    """A node on the way from the leaves to the roots, with what its rules get."""

    node: Tensor
    values: list[Any]
    wanted: list[bool]


class Pullback:
    """The transposed derivative of some recorded values by some leaves, to be applied as often as one likes.

    Only nodes on a way from the leaves to the roots are visited. A root that is None depends on nothing.

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, 2.0])
    >>> Pullback([x * x], [x])([np.ones(2)])
    [array([2., 4.])]
    """

    def __init__(self, roots: Sequence[Tensor | None], leaves: Sequence[Tensor]) -> None:
        self.roots = [root if root is not None and root.tracked else None for root in roots]
        self.leaves = leaves
        self.steps: list[_Step] = []
        moving = {x.serial for x in leaves}
        for node in reversed(graph_of(*(root for root in self.roots if root is not None))):
            wanted = [type(x) is Tensor and x.serial in moving for x in node.inputs]
            if any(wanted):
                moving.add(node.serial)
                values = [x.value if type(x) is Tensor else x for x in node.inputs]
                self.steps.append(_Step(node, values, wanted))
        self.steps.reverse()

    def __call__(self, seeds: Sequence[Any]) -> list[Any]:
        """The cotangent of every leaf from a cotangent of every root; None where there is none.

        Seeds that are Tensors are recorded: the rules then run on them, and on the numbers of everything else.
        """
        arrived: dict[int, Any] = {}
        for root, seed in zip(self.roots, seeds, strict=True):
            if root is not None and seed is not None:
                before = arrived.get(root.serial)
                arrived[root.serial] = seed if before is None else before + seed
        with np.errstate(all="ignore"):
            for node, values, wanted in self.steps:
                g = arrived.pop(node.serial, None)
                if g is None or node.op is None:
                    continue
                sent = node.op.pull_back(g, node.value, values, wanted, node.params, node.saved)
                for x, flow in zip(node.inputs, sent, strict=True):
                    if flow is not None:
                        before = arrived.get(x.serial)
                        arrived[x.serial] = flow if before is None else before + flow
        return [arrived.get(x.serial) for x in self.leaves]
