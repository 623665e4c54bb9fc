"""The derivative rules of an operation: which input has one, and the cotangents that they pull back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ops.errors import PrimitiveError
from ops.signature import NUMBERS, Signature
from ops.table import PRIMITIVES

Rule = Callable[..., Any]
"""`(g, out, *inputs, **params)` to the cotangent of one input, or, as a joint rule, to `{input name: cotangent}`.

A rule may branch on shapes, and on whether an input is a Python number (that is part of the program), never on values.
"""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Rules(Signature):
    """The rules of an operation, and what runs them."""

    vjps: Mapping[str, Rule]
    joint: Rule | None
    """One rule that returns the cotangents of several inputs at once; then `vjps` names those inputs."""
    pull: Callable[..., list[Any]] | None
    """What computes the cotangents of arrays in place of the rules, for a form that runs other kernels."""
    rules: tuple[Rule | None, ...]
    """The rule of each declared input, in order; None where no derivative exists."""
    plain: bool
    """Whether there is one rule an input and nothing is saved: what the hot loop of the sweep runs without ado."""

    def rule_of(self, argument: int) -> Rule | None:
        """The rule for the argument of that number, None where the operation is not differentiable."""
        last = len(self.inputs) - 1
        return self.rules[min(argument, last) if self.variadic else argument]

    def differentiable(self, argument: int) -> bool:
        """Whether a derivative by the argument of that number is declared."""
        return self.rule_of(argument) is not None

    def pull_back(
        self,
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any] = NOTHING,
        saved: Mapping[str, Any] = NOTHING,
    ) -> list[Any]:
        """The cotangent of every wanted input, from the cotangent `g` of `out`; None for the others.

        flowᵢ = gᵀ ∂out/∂inputᵢ, summed to the shape of the input and cast to its dtype. Arrays or Tensors alike.
        """
        try:
            return self._flows(g, out, inputs, wanted, params, saved)
        except (RuntimeWarning, FloatingPointError):
            with np.errstate(all="ignore"):
                return self._flows(g, out, inputs, wanted, params, saved)

    def _flows(
        self,
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any],
        saved: Mapping[str, Any],
    ) -> list[Any]:
        if self.pull is not None and not hasattr(type(g), "__apply_primitive__"):
            return self.pull(g, out, inputs, wanted, params, saved)
        flows: list[Any] = [None] * len(inputs)
        if self.joint is not None:
            named = self.joint(g, out, *inputs, **params, **saved)
            found = [named.get(name) for name in self.inputs]
            if self.variadic:
                found[-1:] = found[-1] or ()
            for k, flow in enumerate(found):
                if wanted[k] and flow is not None:
                    flows[k] = fitted(flow, inputs[k], self.name)
            return flows
        for k, wants in enumerate(wanted):
            if not wants:
                continue
            rule = self.rules[k] if not self.variadic else self.rule_of(k)
            if rule is None:
                continue
            if self.variadic and k >= len(self.inputs) - 1:
                flow = rule(g, out, *inputs, position=k - len(self.inputs) + 1, **params, **saved)
            elif params or saved:
                flow = rule(g, out, *inputs, **params, **saved)
            else:
                flow = rule(g, out, *inputs)
            flows[k] = fitted(flow, inputs[k], self.name)
        return flows


def fitted(flow: Any, target: Any, name: str = "a primitive") -> Any:
    """The flow summed over the broadcast axes to the shape of its input, in the dtype of its input.

    Raises `PrimitiveError`, naming the primitive, if the shape of the flow is not one that the input broadcasts to.
    """
    if type(flow) is np.float64 and type(target) is np.float64:
        return flow
    if type(flow) in NUMBERS:
        flow = np.asarray(flow)[()]
    if flow.shape != target.shape:
        flow = _summed(flow, target.shape, name)
    if flow.dtype is not target.dtype and flow.dtype != target.dtype:
        flow = PRIMITIVES["astype"](flow, dtype=target.dtype.name)
    return flow


def _summed(flow: Any, shape: tuple[int, ...], name: str) -> Any:
    sum_to = PRIMITIVES["sum_to"]
    try:
        if type(flow) is np.ndarray:
            total = sum_to.kernel(flow, shape=shape)
            return total if total.ndim else total[()]
        return sum_to(flow, shape=shape)
    except ValueError as error:
        raise PrimitiveError(
            f"a rule of {name} returned shape {flow.shape} for an input of shape {shape}\n"
            f"  try: broadcast_to(..., shape=x.shape), or reshape"
        ) from error
