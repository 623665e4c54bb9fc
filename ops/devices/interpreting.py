"""The device without a GPU: arrays in the memory of the process, kernels run by our interpreter, thread by thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.devices.device import DeviceError, Memory
from ops.devices.finding import opened


class Interpreting:
    """The device `interpret`: slow, deterministic, and every access checked."""

    name = "interpret"
    interprets = True

    def __init__(self) -> None:
        self.fetched = 0
        """How many bytes were copied to the host: what a view asked for."""

    def __reduce__(self) -> tuple[Any, ...]:
        """It goes to another process, or into a copy, by name."""
        return opened, (self.name,)

    def put(self, array: np.ndarray[Any, Any]) -> Memory:
        """A copy of a host array. Raises `DeviceError` where there is not enough memory."""
        try:
            return np.array(array, order="C")
        except MemoryError as error:
            raise DeviceError(f"{error}\n  try: a smaller batch") from None

    def fetch(self, memory: Memory) -> np.ndarray[Any, Any]:
        """A copy for the host."""
        self.fetched += memory.nbytes
        return np.array(memory)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Memory:
        """New memory. Raises `DeviceError` where there is not enough."""
        try:
            return np.empty(shape, dtype)
        except MemoryError as error:
            raise DeviceError(f"{error}\n  try: a smaller batch") from None

    def launch(
        self,
        kernel: Kernel,
        dtype: Any,
        launch: Launch,
        arguments: Sequence[Any],
        options: Mapping[str, Any] = NOTHING,
    ) -> None:
        """Run a kernel in the interpreter. Raises `KernelFault` for a race, or an index out of bounds."""
        from ops.interpreter.machine import run

        run(kernel, dtype, launch, arguments, options)

    def matmul(self, a: Memory, b: Memory, out: Memory) -> bool:
        """False: there is no library, our own kernel runs."""
        return False

    def adopt(self, foreign: Any) -> Memory:
        """A copy of an array of another library in the memory of the process, by `__dlpack__`."""
        return np.array(np.from_dlpack(foreign), order="C")

    def synchronize(self) -> None:
        """Nothing to wait for."""


INTERPRET = Interpreting()
"""The one device of its kind."""
