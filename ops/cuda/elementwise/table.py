"""The generated kernels that tests, compilers and the stepper see: of every operation, and of every layout.

Kernels for other parameters and layouts are made when they are asked for, of the same text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from ops.cuda.elementwise.casts import FORMS, casting
from ops.cuda.elementwise.kernels import ADD_PARTIALS, Form, Operand, made
from ops.cuda.elementwise.plans import walks_of
from ops.cuda.kernel import Kernel
from ops.primitive import PRIMITIVES, Primitive

LAYOUTS: Mapping[str, str] = {
    "mul": "fr fc fn fp rc rn",
    "add": "fr rf fc fn",
    "div": "fr cf nf pf",
    "where": "frf ffr cfn",
    "prelu": "fr fn",
    "pow": "fp",
    "greater": "fr fp",
    "clip": "fpp frc",
}
"""Kinds of operands in which an operation is tried, one letter each; a condition is of bools."""

BOXES: Mapping[str, tuple[str, ...]] = {
    "add": ("f 010", "110 011", "1010 f"),
    "where": ("101 f 010",),
}

OTHERS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "gelu": ({"approximate": "tanh"},),
    "leaky_relu": ({"negative_slope": -0.5},),
    "round": ({"decimals": 1}, {"decimals": -1}),
    "celu": ({"alpha": 0.5},),
}
"""Parameters that change the text."""


class Representative(Mapping[str, Kernel]):
    """Kernels by name, written when first looked through."""

    @cached_property
    def _kernels(self) -> dict[str, Kernel]:
        return {kernel.name: kernel for kernel in _chosen()}

    def __getitem__(self, name: str) -> Kernel:
        return self._kernels[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kernels)

    def __len__(self) -> int:
        return len(self._kernels)


def _chosen() -> Iterator[Kernel]:
    yield ADD_PARTIALS
    for source, target in FORMS:
        yield casting(source, target)
    for op in PRIMITIVES.values():
        if op.elementwise and op.home.startswith("ops."):
            for params in (op.defaults, *({**op.defaults, **x} for x in OTHERS.get(op.name, ()))):
                yield from _of(op, "f" * len(op.inputs), params)
            for kinds in LAYOUTS.get(op.name, "").split():
                yield from _of(op, kinds, op.defaults)
            for masks in BOXES.get(op.name, ()):
                yield from _of(op, masks.split(), op.defaults)
    for name in ("add", "equal", "where", "maximum"):
        op = PRIMITIVES[name]
        operands = tuple(Operand("f", "b1" if x == "condition" else "i8") for x in op.inputs)
        yield from _written(op, Form("flat", operands, None, integers=True), {})
    for name in ("logical_and", "logical_xor", "logical_not"):
        op = PRIMITIVES[name]
        operands = tuple(Operand("f", "b1") for _ in op.inputs)
        yield from _written(op, Form("flat", operands), {})


def _of(op: Primitive, kinds: Any, params: Mapping[str, Any]) -> Iterator[Kernel]:
    """The kernels of an operation on operands of these kinds: its value, and its flows."""
    operands = tuple(
        Operand(kind, "b1" if name == "condition" else "T")
        for name, kind in zip(op.inputs, kinds, strict=True)
    )
    axes = max(len(kind) for kind in kinds)
    if axes == 1:  # letters
        axes += bool(set(kinds) & set("rc"))
    strided = axes if axes > 2 else 0
    wanted = tuple(rule is not None and x != "p" for rule, x in zip(op.rules, kinds, strict=True))
    for walk, flowing in (*walks_of(kinds, axes, None), *walks_of(kinds, axes, wanted)):
        yield from _written(op, Form(walk, operands, flowing, False, strided), params)


def _written(op: Primitive, form: Form, params: Mapping[str, Any]) -> Iterator[Kernel]:
    found = made(op, form, params)
    if found is not None:
        yield found.kernel
