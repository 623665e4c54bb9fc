"""What an array on a device asks of its device: memory, copies to and fro, and the launch of a kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.errors import DeviceError as DeviceError

Memory = Any
"""An array of the backend: numpy's where kernels are interpreted, CuPy's or Numba's on a GPU. Always C-contiguous."""


class Device(Protocol):
    """A place where arrays lie and kernels run."""

    name: str
    """`cuda` or `interpret`."""

    interprets: bool
    """Whether kernels run line by line in the interpreter, where each thread costs microseconds."""

    def put(self, array: np.ndarray[Any, Any]) -> Memory:
        """A copy of a host array on the device."""

    def fetch(self, memory: Memory) -> np.ndarray[Any, Any]:
        """A copy of device memory on the host; it waits for what is still being computed."""

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Memory:
        """New memory of no particular content. Raises `DeviceError` where there is not enough."""

    def launch(
        self,
        kernel: Kernel,
        dtype: Any,
        launch: Launch,
        arguments: Sequence[Any],
        options: Mapping[str, Any] = NOTHING,
    ) -> None:
        """Run a kernel on memories and Python numbers: integers become int64, floats the dtype of the kernel."""

    def matmul(self, a: Memory, b: Memory, out: Memory) -> bool:
        """The library's product of matrices, or of stacks of them, into `out`; False where there is no library."""

    def adopt(self, foreign: Any) -> Memory:
        """A copy of somebody else's array that lies there, by `__cuda_array_interface__` or `__dlpack__`."""

    def synchronize(self) -> None:
        """Wait until everything that was launched has ended."""
