"""Which kernels run: numpy's, or those compiled by Numba. A function of operation, shapes and dtype; never of timing.

The choice is a `Primitive` of its own, equal to its definition but for kernel and cotangents, and it is what the node
records: so a trace names the kernels that ran, and a replay runs the same ones.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from ops.catalogue import ACCELERATED, COMPILED
from ops.kernels.acceleration import Acceleration
from ops.primitive import NOTHING, NUMBERS, PRIMITIVES, Array, Primitive

_FORMS: dict[tuple[Primitive, str], Primitive] = {}


_READY: dict[Primitive, tuple[Primitive, Acceleration] | None] = {}


def accelerated(
    op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any], kernels: str
) -> tuple[Primitive, Callable[..., Any]]:
    """What runs a fused operation on these inputs, and its kernel: its acceleration if that fits and pays, else itself.

    kernels: "numpy", "numba", or "" for what pays.
    """
    entry = ACCELERATED.get(op.name)
    if entry is None:
        return valued(op, inputs, kernels)
    if kernels == "numpy" or (not kernels and getattr(inputs[0], "size", 0) < entry.least):
        return op, op.kernel
    try:
        ready = _READY[op]
    except KeyError:
        # another operation of that name, such as one with a rule replaced, has no kernels
        own = PRIMITIVES.get(op.name) is op
        ready = _READY[op] = (form(op), acceleration(op.name)) if own else None
    if ready is None or not ready[1].fits(inputs, params):
        return op, op.kernel
    return ready[0], ready[1].kernel


@cache  # import_module takes longer than a small kernel
def acceleration(name: str) -> Acceleration:
    """The kernels of a fused operation."""
    found: Acceleration = importlib.import_module(ACCELERATED[name].module).ACCELERATIONS[name]
    return found


def valued(
    op: Primitive, inputs: Sequence[Any], kernels: str
) -> tuple[Primitive, Callable[..., Any]]:
    """What runs an elementwise operation whose value compiled loops may compute too, and its kernel."""
    if not kernels:
        least = COMPILED[op.name].value
        for x in inputs:
            if type(x) not in NUMBERS and x.size >= least:
                break
        else:
            return op, op.kernel
    elif kernels == "numpy":
        return op, op.kernel
    found = _VALUED.get(op)
    if found is None:
        # another operation of that name may have another kernel: its own computes the value
        found = _VALUED[op] = form(op) if PRIMITIVES.get(op.name) is op else op
    if found is not op:
        from ops.kernels import elementwise

        try:
            fits = elementwise.fits(inputs, *elementwise.result_of(inputs))
        except ValueError:  # the shapes do not: the operation says so
            fits = False
        if fits:
            return found, found.kernel
    return op, op.kernel


_VALUED: dict[Primitive, Primitive] = {}


def looped(op: Primitive, inputs: Sequence[Any], out: Array, kernels: str) -> Primitive:
    """What runs the rules of an elementwise operation whose value is known: compiled loops if they fit, else itself.

    Where the choice is free, the value stays numpy's and only the flows are compiled.
    """
    if kernels == "numpy" or not op.elementwise or op.kernels != "numpy":
        return op
    from ops.kernels import elementwise

    if not elementwise.fits(inputs, out.shape, out.dtype):
        return op
    return form(op, "numba" if kernels else "numba flows")


KERNELS = ("numpy", "numba", "numba flows")
DEVICES = ("cuda", "interpret", "host")
"""What a node says whose numbers lie on a device: whose kernels ran, or `host`, where numpy ran on copies."""


def form(op: Primitive, kernels: str = "numba") -> Primitive:
    """The form of an operation that other kernels run. Nothing is compiled, or even loaded, before it runs.

    Raises `KeyError` for an operation or a choice that has none.
    """
    found = _FORMS.get((op, kernels))
    if found is None:
        if kernels == "numba" and op.name in ACCELERATED:
            made = _accelerated(op)
        elif op.elementwise and kernels in KERNELS[1:]:
            made = _looped(op, kernels)
        elif kernels in DEVICES:
            made = _elsewhere(op, kernels)
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


def _elsewhere(op: Primitive, kernels: str) -> Primitive:
    """The form for arrays of a device. Arrays of the host, such as those of a file, it leaves to the definition."""
    from ops.cuda import native
    from ops.devices.arrays import is_there

    def kernel(*inputs: Any, **params: Any) -> Any:
        if not is_there(inputs):
            return op.kernel(*inputs, **params)
        found = native.compute(op, inputs, params)
        return (found.value, found.saved) if op.saves else found.value

    def pull(
        g: Array,
        out: Array,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any] = NOTHING,
        saved: Mapping[str, Any] = NOTHING,
    ) -> list[Any]:
        run = native.pull if is_there((g, out)) else Primitive.pull_back
        return run(op, g, out, inputs, wanted, params, saved)

    return op.replaced(kernel=kernel, pull=pull, kernels=kernels, definition=op)
