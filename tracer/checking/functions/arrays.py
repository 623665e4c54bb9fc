"""Arrays of numpy and of PyTorch, read and made alike. PyTorch is not loaded here: without it there are no tensors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from tracer.format import shape, typed

Array = Any
"""A numpy array or numpy scalar."""

DEPTH = 8
"""How deep what a forward hands to its backward is searched for arrays."""


def is_torch(value: Any) -> bool:
    """Whether a value is a tensor of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: Any) -> bool:
    """Whether a value is an array, of rank 0 too: of numpy, of PyTorch, or one that numpy can read, as JAX's."""
    if isinstance(value, (np.ndarray, np.generic)) or is_torch(value):
        return True
    return hasattr(value, "__array__") and hasattr(value, "dtype") and hasattr(value, "shape")


def is_float(value: Any) -> bool:
    """Whether a value has a gradient: a float, or an array of floats."""
    if is_torch(value):
        return bool(value.is_floating_point())
    if is_array(value):
        return np.dtype(value.dtype).kind == "f" or "bfloat16" in str(value.dtype)
    return isinstance(value, float)


def numpy_of(value: Any) -> Array:
    """An array of any kind, or a number, as a numpy array of its own memory or of the caller's."""
    if is_torch(value):
        value = value.detach().cpu()
        return (value.double() if value.is_floating_point() else value).numpy()
    return np.asarray(value)


def float64(value: Any) -> Array:
    """The numbers of a value in a float64 numpy array of its own."""
    return np.array(numpy_of(value), np.float64)


def dtype_name(value: Any) -> str:
    """The dtype as its library calls it: float32, bfloat16; a Python float is float64."""
    if is_torch(value):
        return str(value.dtype).removeprefix("torch.")
    return str(np.asarray(value).dtype)


def unit_of(name: str) -> float:
    """The relative spacing of the numbers of a float dtype.

    >>> unit_of("float64"), unit_of("bfloat16")
    (2.220446049250313e-16, 0.0078125)
    """
    return 2.0**-7 if name == "bfloat16" else float(np.finfo(name).eps)


def like(value: Any, numbers: Array, dtype: str = "float64") -> Any:
    """Numbers as the same kind of thing as a value, in a dtype: a Python float, a numpy array, a tensor on its device.

    The memory is its own and may be written to.
    """
    if is_torch(value):
        torch = sys.modules["torch"]
        made = torch.from_numpy(np.array(numbers, np.float64))
        return made.to(device=value.device, dtype=getattr(torch, dtype))
    if isinstance(value, float) and not isinstance(value, np.generic):
        return float(numbers)
    made = np.array(numbers, dtype)
    return made[()] if isinstance(value, np.generic) else made


def copied(value: Any) -> Any:
    """An argument as it is handed over: arrays copied, so that nothing the function does reaches the caller."""
    if is_torch(value):
        return value.detach().clone()
    return np.array(value) if isinstance(value, np.ndarray) else value


def arrays_in(value: Any, name: str, depth: int = DEPTH) -> Iterator[tuple[str, Any]]:
    """The arrays in tuples, lists, mappings and plain objects, each with how it is reached.

    >>> [name for name, _ in arrays_in((np.ones(2), {"mask": np.ones(3)}, 7), "cache")]
    ['cache[0]', "cache[1]['mask']"]
    """
    if is_array(value):
        yield name, value
        return
    if depth == 0 or isinstance(value, (str, bytes, int, float)):
        return
    if isinstance(value, (tuple, list)):
        held = [(f"{name}[{k}]", each) for k, each in enumerate(value)]
    elif isinstance(value, dict):
        held = [(f"{name}[{key!r}]", each) for key, each in value.items()]
    elif type(value).__module__ != "builtins" and not callable(value):
        held = [(f"{name}.{key}", each) for key, each in getattr(value, "__dict__", {}).items()]
    else:
        return
    for inner, each in held:
        yield from arrays_in(each, inner, depth - 1)


def kind(value: Any) -> str:
    """What a value is, in a few characters: f64[3×4], torch float32[3×4], int.

    >>> kind(np.ones((3, 4))), kind(2.0), kind("mean")
    ('f64[3×4]', 'float', 'str')
    """
    if is_torch(value):
        return f"torch {dtype_name(value)}[{shape(tuple(value.shape))}]"
    if isinstance(value, (np.ndarray, np.generic)):
        plain = value.dtype.kind in "fiub"
        return typed(value) if plain else f"{value.dtype}[{shape(value.shape)}]"
    return type(value).__name__


def same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays hold the same numbers in the same shape; NaN equals NaN."""
    a, b = numpy_of(a), numpy_of(b)
    if a.shape != b.shape:
        return False
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc"))
