r"""What a node is called in a derivation: x, \hat{x}, h_{3} in the third time step, L for the loss; no name twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tracer.diagrams.names import plain
from tracer.lettering import stem_and_index, tex_name
from tracer.traces import Trace

LONGEST = 24
"""Characters of a name that are printed."""
TIME = "t"
"""The key of a scope that counts time steps."""


@dataclass(frozen=True)
class Notation:
    """The names of some nodes in TeX maths, and that of the loss."""

    names: Mapping[int, str]
    loss: str

    def gradient(self, i: int) -> str:
        """The derivative of the loss by node i."""
        return rf"\frac{{\partial {self.loss}}}{{\partial {self.names[i]}}}"


def notation_of(trace: Trace, nodes: Iterable[int]) -> Notation:
    """Names for nodes. A loss with one letter keeps it; any other is L, or 𝓛 where L means something else."""
    nodes = list(nodes)
    names: dict[int, str] = {}
    taken: set[str] = set()
    unnamed = _letter(trace, nodes)
    for i in sorted(nodes, key=lambda i: _turn(trace, i)):
        first, *others = _candidates(trace, i, unnamed)
        name = next((name for name in (first, *others) if name not in taken), "")
        if not name:
            name = rf"{{{first}}}^{{\langle {i} \rangle}}"
        names[i] = name
        taken.add(name)
    names = {i: names[i] for i in nodes}
    loss = names.get(trace.loss, "")
    simple = re.fullmatch(r"[A-Za-z]|\\[A-Za-z]+", loss) is not None
    if not (simple and sums_itself(trace)):
        letter = r"\mathcal{L}" if "L" in taken - {loss} or loss == "L" else "L"
        if trace.loss in names and sums_itself(trace):
            names[trace.loss] = letter
        return Notation(names, letter)
    return Notation(names, loss)


def sums_itself(trace: Trace) -> bool:
    """Whether the loss is one number with the seed cotangent 1, as nearly always."""
    return trace.seed is None or (np.ndim(trace.seed) == 0 and float(trace.seed) == 1.0)


def _turn(trace: Trace, i: int) -> int:
    """Who names itself first: those with a name of their own, then results by their time step, then what they read."""
    node = trace[i]
    if not node.name or node.label == node.name:
        return 0
    return 1 if trace.op_of[i] >= 0 else 2


def _letter(trace: Trace, nodes: Iterable[int]) -> str:
    """The letter for nodes without a name: one that none of the others begins with."""
    stems = {stem_and_index(name)[0] for i in nodes if (name := plain(trace[i].name))}
    return next((letter for letter in _LETTERS if letter not in stems), r"\mathsf{v}")


_LETTERS = ("v", "u", "z", "s", "r", "p", "q")


def _candidates(trace: Trace, i: int, unnamed: str) -> list[str]:
    """Names for a node, the best first; the last is unique among names that were recorded.

    A state before the first step is called as it is in the figure, by its bare name: h, then h_1, h_2.
    """
    node = trace[i]
    name = plain(node.name, longest=LONGEST)
    if not name:
        return [f"{unnamed}_{{{i}}}"]
    if node.label == node.name:
        return [tex_name(name), f"{tex_name(name)}^{{({i})}}"]
    moment = time_of(trace, i)
    label = node.label if len(node.name) <= LONGEST else name
    if not moment:
        return [tex_name(label), f"{tex_name(label)}^{{({i})}}"]
    stem, index = stem_and_index(name)
    below = ",".join(filter(None, (index, moment)))
    bare = [] if trace.op_of[i] >= 0 else [tex_name(name)]
    return [f"{stem}_{{{below}}}", *bare, tex_name(label)]


def time_of(trace: Trace, i: int) -> str:
    """The time step in which a node was recorded; for a leaf that in which alone it is read; empty for none."""
    if trace.op_of[i] >= 0:
        return _step_of(trace, i)
    readers = {_step_of(trace, int(trace.edge_consumer[edge])) for edge in trace.uses_of(i)[:64]}
    return readers.pop() if len(readers) == 1 else ""


def _step_of(trace: Trace, i: int) -> str:
    """The outermost time step, as in the figure over time."""
    steps = [entry.index for entry in trace[i].scope if entry.key == TIME]
    return str(steps[0]) if steps and str(steps[0]).lstrip("-").isdecimal() else ""
