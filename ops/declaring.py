"""Declaring operations: the decorators `primitive` and `elementwise`, and what they refuse."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ops.formula import Formula, call_formula
from ops.primitive import (
    NOTHING,
    NUMBERS,
    PRIMITIVES,
    Primitive,
    PrimitiveError,
    Rule,
    Sample,
    Saved,
)

Samples = Callable[[Any], Iterable[Sample | tuple[Any, ...]]]
"""A function of a `numpy.random.Generator` that lists arguments on which an operation is tested.

The type is named in words only: its name alone would load numpy.random.
"""

_OURS = __name__.partition(".")[0] + "."


def primitive(
    *,
    vjps: Mapping[str, Rule] | None = None,
    joint: tuple[Rule, tuple[str, ...]] | None = None,
    saves: Sequence[Saved] = (),
    optional: Mapping[str, float] = NOTHING,
    formula: Formula | None = None,
    samples: Samples | None = None,
    parts: Callable[..., Any] | None = None,
    parts_ulps: int = 4,
    kernel: Callable[..., Any] | None = None,
    name: str | None = None,
    size: Callable[..., float] | None = None,
    parts_size: Callable[..., float] | None = None,
    hint: str = "",
    elementwise: bool = False,
) -> Callable[[Callable[..., Any]], Primitive]:
    """Declare an operation: the decorated function is its kernel, its docstring the help, its keywords the parameters.

    vjps: input name to rule `(g, out, *inputs, **params)`, written with operators and other primitives only.
    joint: one rule for several inputs, and their names. kernel: what runs instead of the decorated function (a ufunc).
    optional: the last inputs, if they may be left out or given as None, with the Python number that then stands in and
    changes nothing, such as a bias of 0.0.
    samples: a function of a random generator that lists argument tuples, the tests of the operation.
    size: how many elements the value and what is made on the way may have, as a function `(*inputs, **params)`, for an
    operation that can make much of little; see `Primitive.size`. parts_size: of the parts, where they make more.
    Raises `PrimitiveError` for a rule of an input that does not exist or of another signature, and for a taken name.

    >>> @primitive(vjps={"x": lambda g, out, x: g * 3 * x * x}, name="cube_example")
    ... def cube(x):
    ...     "x to the third."
    ...     return x * x * x
    >>> cube(2.0)
    8.0
    >>> del PRIMITIVES["cube_example"]
    """

    def declare(function: Callable[..., Any]) -> Primitive:
        inputs, variadic, defaults = _signature(function)
        label = name or function.__name__
        _check_optional(label, inputs, variadic, optional)
        rules = _rules(label, inputs, vjps, joint)
        run = kernel or function
        if not (function.__module__ or "").startswith(_OURS):
            if not label.isidentifier():
                raise PrimitiveError(
                    f"{label!r} cannot name a primitive\n  try: primitive(name='cube', ...)"
                )
            keywords = (*defaults, *(s.name for s in saves))
            _check_rules(label, inputs, variadic, rules, keywords, joint=joint is not None)
            # the filter of warnings knows our own modules only
            run = np.errstate(all="ignore")(run)
        return _register(
            Primitive(
                name=label,
                inputs=inputs,
                kernel=run,
                vjps=MappingProxyType(rules),
                joint=joint[0] if joint else None,
                variadic=variadic,
                elementwise=elementwise,
                saves=tuple(saves),
                optional=MappingProxyType(optional),
                defaults=MappingProxyType(defaults),
                formula=formula or call_formula(label, inputs, variadic),
                sampler=samples,
                parts=parts,
                parts_ulps=parts_ulps,
                size=size,
                parts_size=parts_size,
                hint=hint,
                doc=inspect.cleandoc(function.__doc__ or ""),
                home=f"{function.__module__}.{function.__qualname__}",
            )
        )

    return declare


def elementwise(
    *,
    vjps: Mapping[str, Rule] | None = None,
    formula: Formula | None = None,
    samples: Samples | None = None,
    parts: Callable[..., Any] | None = None,
    parts_ulps: int = 4,
    kernel: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Primitive]:
    """Declare an operation that works element by element with broadcasting; its rules ignore the broadcasting."""
    return primitive(
        vjps=vjps,
        formula=formula,
        samples=samples,
        parts=parts,
        parts_ulps=parts_ulps,
        kernel=kernel,
        name=name,
        elementwise=True,
        hint="make the sizes equal or 1, axis by axis from the right",
    )


def _signature(function: Callable[..., Any]) -> tuple[tuple[str, ...], bool, dict[str, Any]]:
    """Inputs, whether the last repeats, and parameters with their defaults.

    Read from the code object: for the whole table, `inspect.signature` would take a millisecond of every start-up.
    """
    code = function.__code__
    label = function.__name__
    names = code.co_varnames
    count = code.co_argcount
    inputs = names[:count]
    given = function.__defaults__ or ()
    if given:
        key = inputs[-len(given)]
        raise PrimitiveError(
            f"primitive {label}: {key} has a default, but inputs are always given\n"
            f"  try: a parameter after a star, {label}(..., *, {key}={given[0]!r}), or optional={{{key!r}: 0.0}}"
        )
    end = count + code.co_kwonlyargcount
    variadic = bool(code.co_flags & inspect.CO_VARARGS)
    if code.co_flags & inspect.CO_VARKEYWORDS:
        raise PrimitiveError(f"primitive {label}: **{names[end + variadic]} hides its parameters")
    keywords = function.__kwdefaults__ or {}
    defaults = {key: keywords.get(key, inspect.Parameter.empty) for key in names[count:end]}
    if variadic:
        inputs = (*inputs, names[end])
    if not inputs:
        raise PrimitiveError(f"primitive {label} has no inputs")
    return inputs, variadic, defaults


def _check_optional(
    label: str, inputs: tuple[str, ...], variadic: bool, optional: Mapping[str, Any]
) -> None:
    """The inputs that may be left out are the last ones, and a Python number stands in for each."""
    if not optional:
        return
    last = inputs[len(inputs) - len(optional) :]
    if variadic or set(last) != set(optional):
        raise PrimitiveError(
            f"primitive {label}: optional inputs are the last ones, each given once; here {', '.join(last)}"
        )
    for key, value in optional.items():
        if type(value) not in NUMBERS:
            raise PrimitiveError(
                f"primitive {label}: a Python number stands in for {key}, not {value!r}"
            )


def _rules(
    label: str,
    inputs: tuple[str, ...],
    vjps: Mapping[str, Rule] | None,
    joint: tuple[Rule, tuple[str, ...]] | None,
) -> dict[str, Rule]:
    """The rule of each differentiable input by name; a joint rule stands at each of its names."""
    if joint is not None and vjps:
        raise PrimitiveError(f"primitive {label}: a joint rule, but vjps are given too")
    rules = dict(vjps or {}) if joint is None else dict.fromkeys(joint[1], joint[0])
    for key in rules:
        if key not in inputs:
            raise PrimitiveError(
                f"primitive {label}: a rule for {key!r}, but its inputs are {', '.join(inputs)}"
            )
    return rules


def _check_rules(
    label: str,
    inputs: tuple[str, ...],
    variadic: bool,
    rules: Mapping[str, Rule],
    keywords: tuple[str, ...],
    *,
    joint: bool,
) -> None:
    """Every rule can be called as `rule(g, out, *inputs, **params)`, said now and not in the first backward pass."""
    for key, rule in rules.items():
        extra = ("position",) if variadic and key == inputs[-1] and not joint else ()
        try:
            signature = inspect.signature(rule)
        except (TypeError, ValueError):  # a builtin that does not tell
            continue
        try:
            signature.bind(None, None, *inputs, **dict.fromkeys((*keywords, *extra)))
        except TypeError as error:
            stars = ["*" + inputs[-1]] if variadic else [inputs[-1]]
            wanted = ", ".join(
                ["g", "out", *inputs[:-1], *stars, *(f"{k}=" for k in (*keywords, *extra))]
            )
            raise PrimitiveError(
                f"primitive {label}: the rule of {key} cannot be called as rule({wanted}): {error}"
            ) from None


def _register(made: Primitive) -> Primitive:
    before = PRIMITIVES.get(made.name)
    if before is not None and before.home != made.home:
        raise PrimitiveError(
            f"primitive {made.name!r} is already declared, as {before.home}\n"
            f"  try: another name, such as {made.name}_2"
        )
    PRIMITIVES[made.name] = made
    return made
