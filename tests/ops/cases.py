"""The samples of every primitive as test cases, and what is asked of each: its flows, and numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from ops import PRIMITIVES, Primitive
from tracer.checking.certified.certify import (
    Certified,
    certify,
    certify_direction,
    certify_elements,
)

Array = Any


class Case(NamedTuple):
    """A primitive and one of its samples, with every parameter given."""

    op: Primitive
    args: tuple[Any, ...]
    params: dict[str, Any]

    def run(self) -> tuple[Array, Any]:
        """The value and what the kernel saved."""
        return self.op.run(self.args, self.params)

    @property
    def wanted(self) -> list[bool]:
        """Which arguments receive a cotangent: floats with a rule, Python numbers excepted."""
        return [
            self.op.differentiable(k) and hasattr(x, "dtype") and x.dtype.kind == "f"
            for k, x in enumerate(self.args)
        ]

    @property
    def floats(self) -> list[int]:
        """The numbers of the wanted arguments."""
        return [k for k, wants in enumerate(self.wanted) if wants]

    def flows(self, g: Array) -> list[Array]:
        """The cotangent of every argument, None where none is wanted."""
        out, saved = self.run()
        return self.op.pull_back(g, out, self.args, self.wanted, self.params, saved)

    def bare_flows(
        self, g: Any, read: Callable[[Array], Any] = lambda value: value
    ) -> dict[int, Any]:
        """What the rules themselves return, before it is summed and cast to fit the argument.

        read: what a rule gets in place of each array, such as a Symbol.
        """
        out, saved = self.run()
        op = self.op
        keywords = {**self.params, **{name: read(value) for name, value in saved.items()}}
        args = [read(x) if hasattr(x, "dtype") else x for x in self.args]
        if op.joint is not None:
            named = op.joint(g, read(out), *args, **keywords)
            listed = [named.get(name) for name in op.inputs]
            if op.variadic:
                listed[-1:] = listed[-1]
            return {k: listed[k] for k in self.floats}
        first = len(op.inputs) - 1
        found = {}
        for k in self.floats:
            extra = {"position": k - first} if op.variadic and k >= first else {}
            rule = op.rule_of(k)
            assert rule is not None
            found[k] = rule(g, read(out), *args, **keywords, **extra)
        return found

    def moved(self, k: int, x: Array) -> Case:
        """The same with another value of argument k."""
        x = np.asarray(x)[()] if np.ndim(x) == 0 else x
        return self._replace(args=(*self.args[:k], x, *self.args[k + 1 :]))

    def cast(self, dtype: Any) -> Case:
        """The same with its float arrays in another dtype; Python numbers stay as they are."""
        params = dict(self.params)
        if params.get("dtype") == "float64":
            params["dtype"] = np.dtype(dtype).name
        args = [
            x.astype(dtype) if hasattr(x, "dtype") and x.dtype.kind == "f" else x for x in self.args
        ]
        return self._replace(args=tuple(args), params=params)


def rng(number: int = 0) -> np.random.Generator:
    return np.random.default_rng(number)


def cases_of(op: Primitive) -> list[Case]:
    return [Case(op, *op.bind(s.args, s.params)) for s in op.samples(rng())]


def operation(case: Case) -> str:
    """The name of its primitive, by which many tests walk the cases."""
    return case.op.name


def marked(keep: Callable[[Case], bool] = lambda case: True) -> list[Any]:
    """The cases of all primitives as pytest parameters, such as `matmul-3`."""
    return [
        pytest.param(case, id=f"{op.name}-{number}")
        for op in list(PRIMITIVES.values())
        if op.home.startswith("ops.")
        for number, case in enumerate(cases_of(op))
        if keep(case)
    ]


def signed(shape: tuple[int, ...], seed: int = 1, dtype: Any = np.float64) -> Array:
    """Cotangents of both signs, none of them near 0."""
    draw = rng(seed)
    drawn = draw.uniform(0.5, 1.5, size=shape) * np.sign(draw.normal(size=shape))
    return np.asarray(drawn, dtype=dtype)[()]


TOLERANCE = 1e-9
"""How far a gradient may be off, relative to the largest one of its array, beyond the bound of the numbers."""
USEFUL = 1e-6
"""A relative bound beyond which numbers decide nothing."""
UNDECIDED = "undecided"


def objection(claim: float, found: Certified, scale: float) -> str | None:
    """What speaks against a claimed derivative, None if nothing: at a kink it must lie within the one-sided slopes."""
    if not np.isfinite(claim):
        return f"{claim} is no derivative"
    slack = TOLERANCE * max(scale, abs(claim))
    if found.status == "kink":
        low, high = sorted((found.left, found.right))
        inside = low - found.bound - slack <= claim <= high + found.bound + slack
        return None if inside else f"{claim} is outside the slopes [{low}, {high}]"
    if not found.differentiable:
        return f"{claim} at a point with {found.status}"
    if abs(claim - found.value) > found.bound + slack:
        return f"{claim} against {found.value} ± {found.bound}"
    if found.bound > USEFUL * max(scale, abs(found.value)):
        return f"{UNDECIDED}: {claim} against {found.value} ± {found.bound}"
    return None


def disagreements(case: Case, judge: Callable[..., str | None] = objection) -> list[str]:
    """Every element of every cotangent that numerical derivatives speak against: the generated check."""
    out, _ = case.run()
    g = signed(np.shape(out))
    return against(case, case.flows(g), lambda moved: moved.run()[0], g, judge)


def against(
    case: Case,
    claims: Sequence[Array],
    function: Callable[[Case], Array],
    g: Array,
    judge: Callable[..., str | None] = objection,
) -> list[str]:
    """Where claimed gradients of Σ g · function(case) differ from numerical ones.

    The first steps are a quarter of the argument, which may be wider than what there is to see: a disagreement is
    looked at again from close by.
    """
    here = function(case)
    found = []
    for k in case.floats:
        claim = np.ravel(claims[k])
        scale = float(np.max(np.abs(claim), initial=0.0))

        def loss(x: Array, k: int = k) -> float:
            # the difference keeps the noise of elements that do not move out of the sum
            return float(np.sum(g * (function(case.moved(k, x)) - here)))

        for element, numbers in enumerate(certify_elements(loss, case.args[k])):
            why = judge(float(claim[element]), numbers, scale)
            if why:
                unit = np.zeros(claim.size)
                unit[element] = 1
                near = certify_direction(loss, case.args[k], unit.reshape(np.shape(claims[k])))
                why = judge(float(claim[element]), near, scale)
            if why:
                found.append(f"{case.op.name}, argument {k}, element {element}: {why}")

    def together(t: float) -> float:
        moved = case
        for k in case.floats:
            moved = moved.moved(k, case.args[k] + t)
        return float(np.sum(g * (function(moved) - here)))

    # element by element, both inputs of a tie could claim everything
    total = sum(float(np.sum(claims[k])) for k in case.floats)
    scale = sum(float(np.sum(np.abs(claims[k]))) for k in case.floats)
    why = judge(total, certify(together, 0.0), scale)
    return [*found, f"{case.op.name}, all moved together: {why}"] if why else found
