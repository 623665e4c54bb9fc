"""Which kernels run: numpy's, or those compiled by Numba. A function of operation, shapes and dtype; never of timing.

The choice is a `Primitive` of its own, equal to its definition but for kernel and cotangents, and it is what the node
records: so a trace names the kernels that ran, and a replay runs the same ones.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ops.catalogue import ACCELERATED
from ops.kernels.acceleration import Acceleration
from ops.primitive import NOTHING, PRIMITIVES, Array, Primitive

_FORMS: dict[tuple[Primitive, str], Primitive] = {}


def accelerated(
    op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any], kernels: str
) -> Primitive:
    """What runs a fused operation on these inputs: its acceleration if that fits and pays, else itself.

    kernels: "numpy", "numba", or "" for what pays.
    """
    if kernels == "numpy":
        return op
    entry = ACCELERATED[op.name]
    if not kernels and getattr(inputs[0], "size", 0) < entry.least:
        return op
    if (
        PRIMITIVES.get(op.name) is not op
    ):  # another operation of that name, such as one with a rule replaced
        return op
    return form(op) if acceleration(op.name).fits(inputs, params) else op


@cache  # import_module takes longer than a small kernel
def acceleration(name: str) -> Acceleration:
    """The kernels of a fused operation."""
    found: Acceleration = importlib.import_module(ACCELERATED[name].module).ACCELERATIONS[name]
    return found


def looped(op: Primitive, inputs: Sequence[Any], out: Array, kernels: str) -> Primitive:
    """What runs the rules of an elementwise operation whose value is known: compiled loops if they fit, else itself.

    Where the choice is free, the value stays numpy's and only the flows are compiled.
    """
    if kernels == "numpy" or not op.elementwise:
        return op
    from ops.kernels import elementwise

    if not elementwise.fits(inputs, out.shape, out.dtype):
        return op
    return form(op, "numba" if kernels else "numba flows")


KERNELS = ("numpy", "numba", "numba flows")


def form(op: Primitive, kernels: str = "numba") -> Primitive:
    """The form of an operation whose kernels Numba compiles. Nothing is compiled, or even loaded, before it runs.

    Raises `KeyError` for an operation or a choice that has none.
    """
    found = _FORMS.get((op, kernels))
    if found is None:
        if kernels == "numba" and op.name in ACCELERATED:
            made = _accelerated(op)
        elif op.elementwise and kernels in KERNELS[1:]:
            made = _looped(op, kernels)
        else:
            raise KeyError(f"{op.name} has no kernels {kernels!r}")
        found = _FORMS[op, kernels] = made
    return found


def _accelerated(op: Primitive) -> Primitive:
    def kernel(*inputs: Any, **params: Any) -> Any:
        faster = acceleration(op.name)
        return (faster if faster.fits(inputs, params) else op).kernel(*inputs, **params)

    def pull(
        g: Array,
        out: Array,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any] = NOTHING,
        saved: Mapping[str, Any] = NOTHING,
    ) -> list[Any]:
        faster = acceleration(op.name)
        run = faster.pull if faster.fits(inputs, params) else op.pull_back
        return run(g, out, inputs, wanted, params, saved)

    return op.replaced(kernel=kernel, pull=pull, kernels="numba", definition=op)


def _looped(op: Primitive, kernels: str) -> Primitive:
    def kernel(*inputs: Any, **params: Any) -> Any:
        from ops.kernels import elementwise

        made = elementwise.value(op, inputs, params)
        return op.kernel(*inputs, **params) if made is None else made

    def pull(
        g: Array,
        out: Array,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any] = NOTHING,
        saved: Mapping[str, Any] = NOTHING,
    ) -> list[Any]:
        from ops.kernels import elementwise

        made = elementwise.pull(op, g, out, inputs, wanted, params)
        return op.pull_back(g, out, inputs, wanted, params) if made is None else made

    return op.replaced(
        kernel=kernel if kernels == "numba" else op.kernel,
        pull=pull,
        kernels=kernels,
        definition=op,
    )
