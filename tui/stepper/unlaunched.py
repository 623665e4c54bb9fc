"""`numba.cuda` while a file is imported: kernels stay Python, arrays stay on the host, and no GPU is asked for.

So a decorator with a signature compiles nothing, a launch runs nothing (it is kept, to show how the file launches its
kernel), and what one kernel of a file asks of a GPU does not stand in the way of the others.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class Unlaunched:
    """A function under `cuda.jit` that is not compiled."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self.launches: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
        """How the file launches it: blocks, threads and what else stands in the brackets; and the arguments."""

    def __call__(self, *arguments: Any) -> Any:
        """What the function itself gives."""
        return self.py_func(*arguments)

    def __getitem__(self, sizes: Any) -> Callable[..., None]:
        """What a launch with these blocks and threads does: it is kept."""
        whole = sizes if isinstance(sizes, tuple) else (sizes,)
        return lambda *arguments: self.launches.append((whole, arguments))

    def forall(self, tasks: int, tpb: int = 64, *rest: Any) -> Callable[..., None]:
        """So many threads, as Numba shares them out among blocks."""
        threads = tpb or 64
        return self[-(-tasks // threads), threads]


class OnHost(np.ndarray[Any, Any]):
    """Stands for an array on a device."""

    def copy_to_host(self, ary: Any = None, stream: Any = 0) -> Any:
        """The numbers, in an array of their own or in that which is given."""
        if ary is None:
            return np.array(self)
        ary[...] = self
        return ary

    def copy_to_device(self, ary: Any, stream: Any = 0) -> None:
        """Take other numbers."""
        self[...] = ary


def jit(function: Any = None, *rest: Any, **options: Any) -> Any:
    """The decorator, with or without a signature: the function stays as it is."""
    if callable(function) and hasattr(function, "__code__"):
        return Unlaunched(function)
    return Unlaunched


def to_device(array: Any, *rest: Any, **options: Any) -> Any:
    """A copy of an array."""
    return np.array(array).view(OnHost)


def device_array(shape: Any, dtype: Any = np.float64, *rest: Any, **options: Any) -> Any:
    """An array of zeros."""
    return np.zeros(shape, dtype).view(OnHost)


def device_array_like(array: Any, *rest: Any, **options: Any) -> Any:
    """An array of zeros, of the same shape, dtype and layout."""
    return np.zeros_like(array).view(OnHost)


def nothing(*arguments: Any, **options: Any) -> None:
    """Stands for what only a GPU does."""


INSTEAD: dict[str, Any] = {
    "jit": jit,
    "to_device": to_device,
    **dict.fromkeys(("device_array", "pinned_array", "mapped_array", "managed_array"), device_array),
    **dict.fromkeys(("device_array_like", "pinned_array_like", "mapped_array_like"), device_array_like),
    **dict.fromkeys(("synchronize", "stream", "default_stream", "select_device", "close"), nothing),
}  # fmt: skip
"""What is put in the place of names of `numba.cuda`."""


@contextlib.contextmanager
def without_a_gpu(wanted: bool) -> Iterator[None]:
    """Let `numba.cuda` compile, copy and launch nothing, if that is wanted; afterwards all is as it was."""
    cuda = _numba_cuda() if wanted else None
    if cuda is None:
        yield
        return
    before = {name: getattr(cuda, name) for name in INSTEAD if hasattr(cuda, name)}
    for name in before:
        setattr(cuda, name, INSTEAD[name])
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(cuda, name, value)


def _numba_cuda() -> Any:
    try:
        from numba import cuda
    except ImportError:
        return None
    return cuda
