"""The tape: one primitive is run and remembered, as one object. The hot path of everything that records."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ops.primitive import NOTHING, Array, Primitive
from tracer.recording import CURRENT, user_frame
from tracer.values import (
    FLOAT32,
    FLOAT64,
    as_value,
    check_dtype,
    lies_elsewhere,
    placed,
    read_only,
)

if TYPE_CHECKING:
    from tracer.tensors import Tensor

_next_serial = itertools.count(1).__next__
_current = CURRENT.get
_ndarray, _float64 = np.ndarray, np.float64
_NUMBERS = frozenset({float, int, bool})


def record(op: Primitive, inputs: tuple[Any, ...], params: Mapping[str, Any] = NOTHING) -> Tensor:
    """Run one primitive and remember it: what it read, what it gave, where the user wrote it.

    The hot path of everything: a small operation must not cost more here than numpy needs to compute it.
    """
    count = len(inputs)
    if count == 2:  # unrolled: nearly all of a scalar graph
        x, y = inputs
        if type(x) is _tensor:
            tracked = x.tracked
            a = x.value
        elif type(x) in _NUMBERS:
            tracked = False
            a = x
        else:
            x = as_operand(x)
            inputs = (x, y)
            tracked = x.tracked
            a = x.value
        if type(y) is _tensor:
            tracked = tracked or y.tracked
            b = y.value
        elif type(y) in _NUMBERS:
            b = y
        else:
            y = as_operand(y)
            inputs = (x, y)
            tracked = tracked or y.tracked
            b = y.value
        values: Sequence[Any] = (a, b)
    elif count == 1 and type(inputs[0]) is _tensor:
        (x,) = inputs
        tracked = x.tracked
        a = x.value
        values = (a,)
    else:
        tracked = False
        values = []
        for x in inputs:
            if type(x) is _tensor:
                values.append(x.value)
                tracked = tracked or x.tracked
            elif type(x) in _NUMBERS:
                values.append(x)
            else:
                return record(op, tuple([as_operand(x) for x in inputs]), params)
    now = _current()
    saved: Mapping[str, Array] = NOTHING
    try:
        if _elsewhere is not None and (
            type(values[0]) is _device_array
            or type(values[-1]) is _device_array
            or (count > 2 and _device_array in map(type, values))
        ):
            op, inputs, out = _elsewhere(op, inputs, values, params)
        elif op.fused and type(values[0]) is _ndarray:
            op, run = (_choose or _chooser())(op, values, params, now.kernels)
            out = run(*values, **params)
        elif params:
            out = op.kernel(*values, **params)
        elif count == 2:
            out = op.kernel(a, b)
        elif count == 1:
            out = op.kernel(values[0])
        else:
            out = op.kernel(*values)
    except (RuntimeWarning, FloatingPointError):
        with np.errstate(all="ignore"):
            out = op.kernel(*values, **params)
    except Exception as error:
        from tracer.complaints import explained

        said = explained(op, inputs, error, now.hidden)
        raise said from (None if op.home.startswith("ops.") else error)
    if op.saves:
        out, saved = out
    kind = type(out)
    if kind is _ndarray:
        if out.ndim == 0:
            out = out[()]
        else:
            if out.size >= op.least or now.kernels:
                op, out = _looped(op, values, params, out, now.kernels)
            out.setflags(False)
        admitted = out.dtype is FLOAT64 or out.dtype is FLOAT32
    else:
        admitted = kind is _float64
    if not admitted:
        out = _admitted(op, out)
        tracked = tracked and out.dtype.kind == "f"
    if tracked and not op.vjps:
        tracked = False

    made = _new(_tensor)
    made.value = out
    made.tracked = tracked
    made.serial = _next_serial()
    made.gradient = None
    made.extras = None
    made.scope = now.scope
    frame: FrameType | None = sys._getframe(2)
    hidden = now.hidden
    while frame is not None:
        code = frame.f_code
        if code.co_filename not in hidden:
            made.code = code
            made.offset = frame.f_lasti
            break
        frame = frame.f_back
    else:
        made.code, made.offset = None, 0
    if now.enabled:
        made.op = op
        made.inputs = inputs
        made.params = params
        made.saved = saved
        if now.kept is not None:
            now.kept.nodes.append(made)
    else:
        made.op = None
        made.inputs = ()
        made.params = {"kind": "constant", "name": ""}
        made.saved = NOTHING
        made.tracked = False
    return made


_new = cast("Callable[[type[Tensor]], Tensor]", object.__new__)

_tensor: type[Tensor]
"""The class of what is made here."""


def made_here(kind: type[Tensor]) -> type[Tensor]:
    """From now on, make nodes of this class, which decorates itself: its operators record, so it cannot stand here."""
    global _tensor
    _tensor = kind
    return kind


_elsewhere: Callable[..., tuple[Primitive, tuple[Any, ...], Any]] | None = None
"""What runs an operation whose numbers lie on a device. None until a device is opened: small operations never pay."""

_device_array: type[Any] = type(None)
"""What such numbers are."""


def watch_for_devices(
    run: Callable[..., tuple[Primitive, tuple[Any, ...], Any]], kind: type[Any]
) -> None:
    """From now on, let this run every operation that reads a value of that kind."""
    global _elsewhere, _device_array
    _elsewhere, _device_array = run, kind


_choose: Callable[..., tuple[Primitive, Callable[..., Any]]] | None = None


def _chooser() -> Callable[..., tuple[Primitive, Callable[..., Any]]]:
    """The choice of kernels for fused operations, kept: an import on every call costs half a microsecond."""
    global _choose
    from ops.kernels.choice import accelerated

    _choose = accelerated
    return accelerated


def _looped(
    op: Primitive, values: Sequence[Any], params: Mapping[str, Any], out: Array, kernels: str
) -> tuple[Primitive, Array]:
    """The form of an elementwise operation that suits its size, and its value by that form."""
    from ops.kernels.choice import looped

    form = looped(op, values, out, kernels)
    return form, form.kernel(*values, **params) if form.kernel is not op.kernel else out


def _admitted(op: Primitive, out: Any) -> Array:
    """The result of a kernel as a numpy value of a dtype that Gradstep takes, or as the array of a device."""
    if lies_elsewhere(out):
        check_dtype(out.dtype, f"{op.name} gave")
        return out
    if type(out) is not _ndarray and not isinstance(out, np.generic):
        # a list; or an array of another kind, which multiplies in its own way
        out = np.asarray(out)
    check_dtype(out.dtype, f"{op.name} gave")
    return read_only(out) if out.ndim else out[()]


def as_operand(x: Any) -> Any:
    """What may stand in the inputs of a node: a Tensor, or a Python number, which keeps numpy's weak promotion.

    Raw data becomes a constant where it lies, whatever `tr.device` says: it follows the values beside it.
    """
    kind = type(x)
    if kind is _tensor or kind in _NUMBERS:
        return x
    if hasattr(kind, "recorded"):  # of a Tensor or a Parameter
        return x.recorded
    return leaf(as_value(x), "constant")


def leaf(
    data: Any,
    kind: str,
    *,
    name: str | None = None,
    tracked: bool = False,
    place: tuple[CodeType | None, int] | None = None,
    device: str | None = None,
) -> Tensor:
    """A node without inputs: of kind input, parameter, buffer or constant; where its data lies, or on that device."""
    now = _current()
    made = _new(_tensor)
    made.value = as_value(data) if device is None else placed(as_value(data), device)
    made.op = None
    made.inputs = ()
    made.params = {"kind": kind, "name": name or ""}
    made.saved = NOTHING
    made.serial = _next_serial()
    made.scope = now.scope
    made.code, made.offset = place or user_frame(2, now.hidden)
    made.gradient = None
    made.tracked = tracked
    made.extras = None
    if now.kept is not None:
        now.kept.nodes.append(made)
    return made
