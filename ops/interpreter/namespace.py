"""The namespace `cuda` of an interpreted kernel: where a thread stands, and what it asks of the others.

Whatever a thread cannot do alone ends in a switch to the machine, with a request; the answer comes back when all who
take part have asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ops.interpreter.atomic import Atomic
from ops.interpreter.clock import Clock
from ops.interpreter.intrinsics import Intrinsics
from ops.interpreter.memory import checked_array
from ops.interpreter.own_memory import Local, Shared


class Three:
    """Three numbers: an index, or the size of what it counts."""

    __slots__ = ("x", "y", "z")

    def __init__(self, x: int, y: int = 1, z: int = 1) -> None:
        self.x, self.y, self.z = x, y, z

    def __iter__(self) -> Any:
        return iter((self.x, self.y, self.z))


class Request(NamedTuple):
    """What a thread waits for."""

    kind: str
    """The name of the function that it called."""
    place: int
    """Where in the code."""
    mask: int = 0xFFFFFFFF
    value: Any = None
    argument: Any = None


View = Callable[[Any], Any] | None
"""What a kernel sees an array through, if not as it is."""


class SharedMemory:
    """`cuda.shared`: one array per place in the source that asks for one, the same for all threads of a block."""

    def __init__(self, clock: Clock, behind: View = None, dynamic: int = 0) -> None:
        self.clock, self.behind, self.dynamic = clock, behind, dynamic
        self.arrays: dict[Any, Shared] = {}

    def array(self, shape: Any, dtype: Any) -> Any:
        """The array of this place."""
        frame = sys._getframe(1)
        found = self.at((frame.f_code, frame.f_lasti), shape, dtype)
        return found if self.behind is None else self.behind(found)

    def at(self, place: Any, shape: Any, dtype: Any) -> Shared:
        """The array of a place in the code; of size 0 the dynamic memory of the launch, the same at all places."""
        if shape in (0, (0,)) and self.dynamic:
            place = ("dynamic", np.dtype(dtype).str)
            shape = self.dynamic // np.dtype(dtype).itemsize
        found = self.arrays.get(place)
        if found is None:
            found = self.arrays[place] = Shared(place, shape, dtype, self.clock)
        return found


class LocalMemory:
    """`cuda.local`: arrays of one thread."""

    def __init__(self, behind: View = None) -> None:
        self.behind = behind

    def array(self, shape: Any, dtype: Any) -> Any:
        """A new array."""
        found = Local(shape, np.dtype(dtype).type)
        return found if self.behind is None else self.behind(found)


class ConstantMemory:
    """`cuda.const`: arrays that no thread writes."""

    def __init__(self, clock: Clock, behind: View = None) -> None:
        self.clock, self.behind = clock, behind

    def array_like(self, given: Any) -> Any:
        """The numbers of an array of the host."""
        found = checked_array("constant", np.asarray(given), self.clock, True, False)
        return found if self.behind is None else self.behind(found)


class GridGroup:
    """`cuda.cg.this_grid()`."""

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        self.ask = ask

    def sync(self) -> None:
        """Wait for every thread of every block."""
        self.ask(Request("grid", sys._getframe(1).f_lasti))


class Groups:
    """`cuda.cg`."""

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        self.group = GridGroup(ask)

    def this_grid(self) -> GridGroup:
        """All threads of the launch."""
        return self.group


class Cuda(Intrinsics):
    """`cuda`, for one run of one kernel. The machine moves `threadIdx` and `blockIdx` from thread to thread."""

    warpsize = 32

    def __init__(
        self, blocks: Three, threads: Three, clock: Clock, behind: View = None, dynamic: int = 0
    ) -> None:
        self.clock = clock
        self.gridDim, self.blockDim = blocks, threads
        self.blockIdx, self.threadIdx = Three(0, 0, 0), Three(0, 0, 0)
        self.shared, self.local = SharedMemory(clock, behind, dynamic), LocalMemory(behind)
        self.const, self.atomic = ConstantMemory(clock, behind), Atomic()

    def asks(self, ask: Callable[[Any], Any]) -> None:
        """Where threads that wait turn to."""
        self._ask, self.cg = ask, Groups(ask)

    @property
    def laneid(self) -> int:
        """The number of the thread in its warp."""
        d, t = self.blockDim, self.threadIdx
        return (t.x + d.x * (t.y + d.y * t.z)) % 32

    def grid(self, n: int) -> Any:
        """The index of the thread in the whole grid: a number, or n of them."""
        b, d, t = self.blockIdx, self.blockDim, self.threadIdx
        x = b.x * d.x + t.x
        if n == 1:
            return x
        return (x, b.y * d.y + t.y, b.z * d.z + t.z)[:n]

    def gridsize(self, n: int) -> Any:
        """How many threads the grid has: a number, or n of them."""
        g, d = self.gridDim, self.blockDim
        if n == 1:
            return g.x * d.x
        return (g.x * d.x, g.y * d.y, g.z * d.z)[:n]

    def syncthreads(self) -> None:
        """Wait for all threads of the block."""
        self._ask(sys._getframe(1).f_lasti)

    def syncthreads_count(self, holds: Any) -> int:
        """Wait for the block; how many threads say yes."""
        return int(self._ask(Request("syncthreads_count", sys._getframe(1).f_lasti, value=holds)))

    def syncthreads_and(self, holds: Any) -> int:
        """Wait for the block; whether all say yes."""
        return int(self._ask(Request("syncthreads_and", sys._getframe(1).f_lasti, value=holds)))

    def syncthreads_or(self, holds: Any) -> int:
        """Wait for the block; whether any says yes."""
        return int(self._ask(Request("syncthreads_or", sys._getframe(1).f_lasti, value=holds)))

    def threadfence(self) -> None:
        """Order memory for others: what was written before it, an atomic operation after it hands on. No barrier."""
        self.clock.fence()

    threadfence_block = threadfence_system = threadfence

    def syncwarp(self, mask: int = 0xFFFFFFFF) -> None:
        """Wait for the lanes of a mask."""
        self._ask(Request("syncwarp", sys._getframe(1).f_lasti, mask))

    def shfl_sync(self, mask: int, value: Any, lane: int) -> Any:
        """The value of a lane."""
        return self._ask(Request("shfl_sync", sys._getframe(1).f_lasti, mask, value, lane))

    def shfl_up_sync(self, mask: int, value: Any, delta: int) -> Any:
        """The value of the lane so far below; the own where there is none."""
        return self._ask(Request("shfl_up_sync", sys._getframe(1).f_lasti, mask, value, delta))

    def shfl_down_sync(self, mask: int, value: Any, delta: int) -> Any:
        """The value of the lane so far above; the own where there is none."""
        return self._ask(Request("shfl_down_sync", sys._getframe(1).f_lasti, mask, value, delta))

    def shfl_xor_sync(self, mask: int, value: Any, lanes: int) -> Any:
        """The value of the lane whose number differs by these bits."""
        return self._ask(Request("shfl_xor_sync", sys._getframe(1).f_lasti, mask, value, lanes))

    def activemask(self) -> int:
        """The lanes that come here together, as bits."""
        return int(self._ask(Request("activemask", sys._getframe(1).f_lasti)))

    def match_any_sync(self, mask: int, value: Any) -> int:
        """The lanes of a mask that have the same number, as bits."""
        return int(self._ask(Request("match_any_sync", sys._getframe(1).f_lasti, mask, value)))

    def match_all_sync(self, mask: int, value: Any) -> tuple[int, bool]:
        """The mask and True if all of its lanes have the same number, else 0 and False."""
        place = sys._getframe(1).f_lasti
        same = bool(self._ask(Request("match_all_sync", place, mask, value)))
        return (mask & 0xFFFFFFFF if same else 0), same

    def all_sync(self, mask: int, holds: Any) -> bool:
        """Whether all lanes of a mask say yes."""
        return bool(self._ask(Request("all_sync", sys._getframe(1).f_lasti, mask, holds)))

    def any_sync(self, mask: int, holds: Any) -> bool:
        """Whether any lane of a mask says yes."""
        return bool(self._ask(Request("any_sync", sys._getframe(1).f_lasti, mask, holds)))

    def eq_sync(self, mask: int, holds: Any) -> bool:
        """Whether all lanes of a mask say the same."""
        return bool(self._ask(Request("eq_sync", sys._getframe(1).f_lasti, mask, holds)))

    def ballot_sync(self, mask: int, holds: Any) -> int:
        """The lanes that say yes, as bits."""
        return int(self._ask(Request("ballot_sync", sys._getframe(1).f_lasti, mask, holds)))
