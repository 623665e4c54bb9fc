"""Work spread over an executor of `concurrent.futures`: a pool of processes here, or a cluster's (Dask, MPI, Ray).

A check is cut into jobs that know nothing of each other. Without an executor they run here, one after the other. A job
is a function of a module and its arguments, so that it can be sent elsewhere.
"""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from tracer.errors import CheckError

from .progress import Told

AHEAD = 4
"""Jobs handed over for every worker: enough that none waits, few enough that ending the check ends the work."""
SMALLEST = 16
"""So many elements at least make a share: sending fewer costs more than it saves."""
SENDABLE = (
    "try: functions and operations declared in a module that the workers can import, not in a notebook, a script\n"
    "  or another function; Dask's executor also sends those"
)


class Job(NamedTuple):
    """A piece of a check that can run anywhere: a function of a module, its arguments, how many numbers it gives."""

    run: Callable[..., Any]
    arguments: tuple[Any, ...]
    size: int = 1


def finished(
    jobs: Sequence[Job], executor: Executor | None = None, told: Told | None = None
) -> list[Any]:
    """The results of all jobs, in their order.

    executor: where they run; here, one after the other, if there is none. told: called with how many numbers are done,
    and of how many; what it raises ends the check, and jobs that have not begun never do. An error of a job is raised.
    Raises `CheckError` where a job cannot be sent, or a worker died.

    >>> finished([Job(divmod, (7, 3)), Job(max, ([1, 5],))])
    [(2, 1), 5]
    """
    of, done = sum(job.size for job in jobs), 0
    results: list[Any] = [None] * len(jobs)
    for k, result in _here(jobs) if executor is None else _away(jobs, executor):
        results[k] = result
        done += jobs[k].size
        if told is not None:
            told(done, of)
    return results


def _here(jobs: Iterable[Job]) -> Iterator[tuple[int, Any]]:
    return ((k, job.run(*job.arguments)) for k, job in enumerate(jobs))


def _away(jobs: Sequence[Job], executor: Executor) -> Iterator[tuple[int, Any]]:
    """The results as they come; a few jobs for each worker are handed over at a time."""
    waiting = deque(enumerate(jobs))
    running: dict[Future[Any], int] = {}
    at_once = AHEAD * workers(executor)
    with _explained():
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    k, job = waiting.popleft()
                    running[executor.submit(job.run, *job.arguments)] = k
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()


def shares(flat: Any, executor: Executor) -> list[Any]:
    """An array of element numbers in shares for the workers, a few for each, so that none waits long for the last.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> [len(share) for share in shares(np.arange(100), ThreadPoolExecutor(1))]
    [25, 25, 25, 25]
    """
    number = min(AHEAD * workers(executor), max(len(flat) // SMALLEST, 1))
    return np.array_split(flat, number)


def workers(executor: Executor) -> int:
    """How many jobs an executor runs at once, as far as it tells: a pool says so, Dask's client knows its threads."""
    pool = getattr(executor, "_max_workers", None)
    if isinstance(pool, int):
        return pool
    client = getattr(executor, "_client", None)
    threads = client.nthreads() if client is not None and hasattr(client, "nthreads") else {}
    return sum(threads.values()) or os.cpu_count() or 1


@contextmanager
def _explained() -> Iterator[None]:
    """What goes wrong between processes, in words."""
    try:
        yield
    except BrokenProcessPool as error:
        raise CheckError(
            f"check: a worker process ended before its work was done: {error}\n"
            "  try: fewer workers, if memory ran out; a script that starts workers guards its own start by\n"
            '  if __name__ == "__main__":'
        ) from error
    except CancelledError:
        raise CheckError("check: the executor was shut down before the check ended") from None
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        if "pickle" not in str(error).lower() and "local object" not in str(error):
            raise
        raise CheckError(
            f"check: the work cannot be sent to another process: {error}\n  {SENDABLE}"
        ) from error
