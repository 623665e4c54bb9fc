"""Data as values of ours: numpy scalars for rank 0, else read-only arrays, of the dtypes that Gradstep takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.primitive import PRIMITIVES, Array
from tracer.errors import DTypeError

FLOAT64 = np.dtype(np.float64)
FLOAT32 = np.dtype(np.float32)


_AT_HAND = frozenset({np.ndarray, np.float64, np.float32, np.int64, np.bool_, float, int, bool})
"""What lies on no GPU, whatever it has in the way of attributes."""


def as_value(data: Any, dtype: Any = None) -> Array:
    """Data as a value of ours: a numpy scalar for rank 0, else a read-only array; copied if somebody could change it.

    An array of CuPy's, PyTorch's or Numba's that lies on a GPU is copied there.
    Raises `DTypeError` for complex, half precision, strings, objects and ragged lists.
    """
    if is_recorded(data):
        data = data.value
    if lies_elsewhere(data):
        import tracer.placing  # noqa: F401 (from now on, operations that read such an array run there)

        wanted = data.dtype if dtype is None else np.dtype(dtype)
        check_dtype(wanted, "data of dtype")
        return data if data.dtype == wanted else PRIMITIVES["astype"](data, dtype=wanted.name)
    if isinstance(data, (list, tuple)) and _holds_tensor(data):
        raise DTypeError(
            "a list of recorded values is not data: their history would be lost\n  try: tr.stack([...])"
        )
    if type(data) not in _AT_HAND and getattr(data, "__cuda_array_interface__", None) is not None:
        from tracer.placing import adopted

        return as_value(adopted(data), dtype)
    try:
        value = np.asarray(data, dtype=dtype)
    except (ValueError, TypeError) as error:
        raise DTypeError(
            f"not an array of numbers: {error}\n  try: lists of equal length"
        ) from None
    check_dtype(value.dtype, "data of dtype")
    if value.ndim == 0:
        return value[()]
    shared = not isinstance(data, (list, tuple)) and (
        value.flags.writeable or value.base is not None
    )
    return read_only(np.array(value) if shared else value)


def read_only(value: Any) -> Any:
    """The value itself, marked read-only if it is an array: for memory of ours."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    return value


def _holds_tensor(data: Any) -> bool:
    for _ in range(64):
        if is_recorded(data):
            return True
        if not isinstance(data, (list, tuple)) or not data:
            return False
        if any(is_recorded(x) for x in data):
            return True
        data = data[0]
    return False


def check_dtype(dtype: np.dtype[Any], what: str) -> None:
    """Raise `DTypeError` for a dtype that no value has, saying what came in it and what to try."""
    if dtype.kind in "iub" or dtype in (FLOAT64, FLOAT32):
        return
    if dtype.kind == "c":
        cure = "the real and imaginary parts as two arrays"
    elif dtype.kind == "f":
        cure = "x.astype('float32')" if dtype.itemsize < 4 else "x.astype('float64')"
    else:
        cure = "numbers, or lists of equal length"
    raise DTypeError(
        f"{what} {dtype}, but values are float32, float64, integer or bool\n  try: {cure}"
    )


def masks(sign: str, *operands: Any) -> tuple[Any, ...]:
    """The operands of `&`, `|`, `^` or `~`. Raises `DTypeError` unless all of them are True or False: on integers these
    signs mean bits, which have no primitive."""
    for x in operands:
        value = x.value if is_recorded(x) else x
        dtype = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
        if dtype != np.bool_:
            raise DTypeError(
                f"{sign} combines masks, not {dtype}\n"
                f"  try: (x > 0) & (y > 0) with brackets, or tr.logical_and(x, y)"
            )
    return operands


def lies_elsewhere(x: Any) -> bool:
    """Whether an array lies on a device: we compute with it by primitives only."""
    kind = type(x)
    return kind is not np.ndarray and hasattr(kind, "__run_primitive__")


def is_recorded(x: Any) -> bool:
    """Whether something stands for a recorded value: a Tensor or a Parameter."""
    return hasattr(type(x), "__apply_primitive__")


# ----- values on a device


def device_name(value: Any) -> str:
    """Where a value lies: `cpu`, or the name of a device."""
    return value.device.name if lies_elsewhere(value) else "cpu"


def placed(value: Any, device: str) -> Any:
    """A value of ours on a device, the same one if it lies there. Raises `DeviceError` where there is none."""
    if device == "cpu" and not lies_elsewhere(value):
        return value
    from tracer.placing import put

    return put(value, device)


def on_host(value: Any) -> Any:
    """A value of ours in the memory of the process: copied from a device, else as it is."""
    return value.numpy() if lies_elsewhere(value) else value
