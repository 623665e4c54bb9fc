"""How a derivation is carried out: on which names, counted from which time step, with which gradients put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracer.checking.derivations.names import Names

from .carrying import Carried


@dataclass(frozen=True)
class Meant:
    """Whose gradient an assignment gives: the node, −1 for none, its time step, and which part of the value it is."""

    node: int
    step: int | None = None
    part: Any = None


@dataclass(frozen=True, eq=False)
class Setting:
    """How a derivation is carried out.

    base: the number of the first time step. claimed: the gradients it gives somewhere. right: by the number of an
    assignment, the gradient that takes the place of what it gives, so that what follows is judged by itself. meant:
    whose gradients the assignments give, as an earlier run has found. turned: gradients that are put right are laid out
    transposed where the derivation's are.
    """

    names: Names
    carried: Carried
    base: int = 0
    claimed: frozenset[int] = frozenset()
    right: Mapping[int, int] = field(default_factory=dict)
    meant: Mapping[int, Sequence[Meant]] = field(default_factory=dict)
    turned: bool = False
