"""Seconds of work on a GPU, by its own clock: events before and after a batch of runs, on the stream they run on."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

BATCHES = 7
BATCH_SECONDS = 0.05
MOST = 2000


class Clock(NamedTuple):
    """How one library marks a moment on its stream, and how far apart two of them are."""

    mark: Callable[[], Any]
    apart: Callable[[Any, Any], float]
    """Seconds between two marks, waiting for the second."""
    wait: Callable[[], object]
    """Until all that was launched has ended."""

    def seconds(self, run: Callable[[], object], *, quick: bool = False) -> float:
        """Of one run: the median over batches of runs launched one behind the other; the first runs warm it up."""
        run()
        started = time.perf_counter()
        run()
        self.wait()
        took = max(time.perf_counter() - started, 1e-9)
        if quick:
            return took
        repeats = min(MOST, max(1, round(BATCH_SECONDS / took)))
        return statistics.median(self._batch(run, repeats) for _ in range(BATCHES))

    def _batch(self, run: Callable[[], object], repeats: int) -> float:
        first = self.mark()
        for _ in range(repeats):
            run()
        return self.apart(first, self.mark()) / repeats


def clock_of(device: Any) -> Clock:
    """The clock of a device of ours: CuPy's events, Numba's, or the host's where nothing is launched."""
    if device.name == "interpret":
        return Clock(time.perf_counter, lambda first, last: last - first, device.synchronize)
    if hasattr(device.memory, "cupy"):
        return clock_of_cupy(device.memory.cupy, device.memory.queue)
    cuda = device.memory.cuda

    def mark() -> Any:
        event = cuda.event(timing=True)
        event.record()
        return event

    def apart(first: Any, last: Any) -> float:
        last.synchronize()
        return float(cuda.event_elapsed_time(first, last)) / 1e3

    return Clock(mark, apart, device.synchronize)


def clock_of_cupy(cupy: Any, queue: Any) -> Clock:
    """CuPy's clock, on a stream of its own or ours."""

    def mark() -> Any:
        event = cupy.cuda.Event()
        event.record(queue)
        return event

    def apart(first: Any, last: Any) -> float:
        last.synchronize()
        return float(cupy.cuda.get_elapsed_time(first, last)) / 1e3

    return Clock(mark, apart, queue.synchronize)


def clock_of_torch(torch: Any) -> Clock:
    """PyTorch's clock, on its current stream."""

    def mark() -> Any:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def apart(first: Any, last: Any) -> float:
        last.synchronize()
        return float(first.elapsed_time(last)) / 1e3

    return Clock(mark, apart, torch.cuda.synchronize)
