"""numpy's functions on arrays of a device: they run as the operations that they are, or say how to copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ops.devices.arrays import MASKS, DeviceArray, check_masks
from ops.devices.device import DeviceError
from ops.numpy_names import LOOKS, UFUNCS, as_ours, full_name
from ops.primitive import PRIMITIVES

_BITS = frozenset({"bitwise_and", "bitwise_or", "bitwise_xor", "invert"})

_OUTLINES = LOOKS & {"shape", "ndim", "size", "result_type"} | {
    name for name in LOOKS if name.endswith("_like")
}
"""The functions that ask for a shape and a dtype alone."""


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """One call of a ufunc with an array of a device among its inputs."""
    written = kwargs.get("out", inputs[:1] if method == "at" else None)
    if written is not None and all(isinstance(x, np.ndarray) for x in written):
        # into an array of the host, such as total += x: numpy computes, on copies
        return getattr(ufunc, method)(*map(on_host, inputs), **kwargs)
    called, numpys = method == "__call__", getattr(np, ufunc.__name__, None) is ufunc
    name = UFUNCS.get(ufunc.__name__) if called and numpys and not kwargs else None
    if name is None:
        raise _no_operation(f"np.{ufunc.__name__}" + ("" if called else f".{method}"), kwargs)
    if ufunc.__name__ in _BITS:
        check_masks(MASKS[name], inputs)
    return PRIMITIVES[name](*inputs)


def apply_function(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """One call of a function of numpy's with an array of a device among its arguments."""
    name = full_name(function)
    if name in LOOKS:
        see = _outline if name in _OUTLINES else on_host
        return function(*map(see, args), **{key: see(x) for key, x in kwargs.items()})
    call = as_ours(function, args, dict(kwargs))
    if call is None or call.unknown:
        raise _no_operation(f"np.{name}", call.unknown if call else {})
    return call.operation(*call.positional, **call.given)


def on_host(x: Any) -> Any:
    """A copy of the array of a device, and of those in a list; anything else as it is."""
    if type(x) is DeviceArray:
        return x.numpy()
    return type(x)(map(on_host, x)) if type(x) in (list, tuple) else x


def _outline(x: Any) -> Any:
    """An array of the host of that shape and dtype, of one element in memory."""
    return np.broadcast_to(np.zeros((), x.dtype), x.shape) if type(x) is DeviceArray else x


def _no_operation(what: str, unknown: Mapping[str, Any]) -> DeviceError:
    given = f" with {', '.join(unknown)}=" if unknown else ""
    return DeviceError(
        f"{what}{given} does not compute on an array that lies on a device\n"
        f"  try: x.numpy() for a copy on the host"
    )
