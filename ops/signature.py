"""How an operation is called: its inputs and parameters, by position or by name, and what is said of a wrong call."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from ops.errors import PrimitiveError

NUMBERS = frozenset({int, float, bool})
"""The types of Python's own numbers, which promote weakly: float32 times 2.0 stays float32."""

_ELSEWHERE = {
    "dim": "axis",
    "keepdim": "keepdims",
    "dims": "axes",
    "min": "low",
    "max": "high",
    "a_min": "low",
    "a_max": "high",
    "shifts": "shift",
    "p": "ord",
    "alpha": "negative_slope",
    "attn_mask": "mask",
    "is_causal": "causal",
    "num_groups": "groups",
    "num_classes": "classes",
}
"""How PyTorch or numpy call what we call otherwise."""


class Signature:
    """The inputs and parameters of an operation, and what binds a call to them."""

    name: str
    inputs: tuple[str, ...]
    variadic: bool
    """Whether the last input repeats; its rule gets `position`, counted from the first of them.

    A joint rule returns a list for it: one that knows all of them at once is not quadratic in their number.
    """
    optional: Mapping[str, Any]
    """The inputs that may be left out, or given as None, with the Python number that then stands in: a bias of 0.0."""
    defaults: Mapping[str, Any]
    """The parameters with their defaults; `inspect.Parameter.empty` marks one that must be given."""
    arity: int
    """How many arguments a call that needs no binding has; -1 if every call is bound."""
    standard: dict[str, Any]
    """The parameters of a call that gives none, shared by all such calls."""
    stand_ins: Mapping[int, tuple[Any, ...]]
    """Numbers of inputs that a call may have if it gives no parameters, with what stands in for the others."""

    def bind(
        self, args: tuple[Any, ...], params: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort a call into inputs and parameters, as Python would for the declared signature."""
        first = len(self.inputs) - self.variadic
        inputs, extra = args[:first], args[first:]
        if self.variadic:
            one, *more = extra or ((),)
            if isinstance(one, (list, tuple)) and all(type(each) in NUMBERS for each in more):
                inputs, extra = (*inputs, *one), tuple(more)  # stack([x, y], 1)
            else:
                inputs, extra = args, ()
        if len(extra) > len(self.defaults):
            most = len(self.inputs) + len(self.defaults)
            raise PrimitiveError(f"{self.usage()} takes at most {most} arguments, not {len(args)}")
        given = dict(zip(self.defaults, extra, strict=False))
        twice = [name for name in (*self.inputs[: len(inputs)], *given) if name in params]
        if twice:
            raise PrimitiveError(f"{self.usage()} got {twice[0]} twice")
        params = {**given, **params}
        missing = self.inputs[len(inputs) : first]
        if missing:
            absent = [name for name in missing if name not in params and name not in self.optional]
            if absent:
                other = [name for name in params if name not in (*self.inputs, *self.defaults)]
                called = f", but got {', '.join(other)}" if other else ""
                raise PrimitiveError(f"{self.usage()} needs {', '.join(absent)}{called}")
            inputs = (*inputs, *(params.get(name) for name in missing))
            params = {name: value for name, value in params.items() if name not in missing}
        if self.optional:
            inputs = tuple(
                self.optional.get(name) if x is None else x
                for name, x in zip(self.inputs, inputs, strict=True)
            )
        for name in params:
            if name not in self.defaults:
                raise PrimitiveError(
                    f"{self.usage()} has no parameter {name!r}{self._cure(name, params[name])}"
                )
        complete = {**self.defaults, **params}
        for name, value in complete.items():
            if value is inspect.Parameter.empty:
                raise PrimitiveError(f"{self.usage()} needs {name}=")
            if type(value) is list:  # what is recorded must not change with the caller's list
                complete[name] = tuple(value)
            elif isinstance(value, np.generic):  # promotes as weakly as the number that it is
                complete[name] = value.item()
        return inputs, complete

    def _cure(self, name: str, value: Any) -> str:
        """What to try for a parameter that we have not: what we call it, or the name that is close to it."""
        from difflib import get_close_matches

        ours = _ELSEWHERE.get(name)
        known = (*self.inputs, *self.defaults)
        if ours not in known:
            ours = next(iter(get_close_matches(name, known, n=1, cutoff=0.8)), None)
        if ours is None:
            return ""
        plain = isinstance(value, (str, int, float, tuple)) or value is None
        return f"\n  try: {ours}={value!r}" if plain else f"\n  try: {ours}=…"

    def signature(self) -> inspect.Signature:
        """The call as Python's `inspect` describes it; a parameter without a default, and what follows, by name only.

        >>> tr.sum.signature()
        <Signature (x, axis=None, keepdims=False)>
        """
        found = []
        kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
        for number, name in enumerate(self.inputs, 1):
            several = self.variadic and number == len(self.inputs)
            this = inspect.Parameter.VAR_POSITIONAL if several else kind
            default = self.optional.get(name, inspect.Parameter.empty)
            found.append(inspect.Parameter(name, this, default=default))
        for name, default in self.defaults.items():
            if self.variadic or default is inspect.Parameter.empty:
                kind = inspect.Parameter.KEYWORD_ONLY
            found.append(inspect.Parameter(name, kind, default=default))
        return inspect.Signature(found)

    def usage(self) -> str:
        """The call as a user would write it: `sum(x, axis=None, keepdims=False)`."""
        names = [
            f"{name}={self.optional[name]!r}" if name in self.optional else name
            for name in self.inputs
        ]
        if self.variadic:
            names[-1] = "*" + names[-1]
        params = [
            f"{name}=" if value is inspect.Parameter.empty else f"{name}={value!r}"
            for name, value in self.defaults.items()
        ]
        return f"{self.name}({', '.join(names + params)})"
