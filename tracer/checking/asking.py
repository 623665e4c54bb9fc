"""What a user may ask of a check, told at the door where it cannot be."""

from __future__ import annotations

from typing import Any

from tracer.errors import CheckError


def asked(
    what: str, *, seed: Any = 0, elements: Any = None, order: Any = 1, executor: Any = None
) -> None:
    """See that the options of a check make sense. Raises `CheckError` where one does not.

    >>> asked("check", seed=3, elements=10)
    >>> asked("check", elements=-1)
    Traceback (most recent call last):
    tracer.errors.CheckError: check: elements is -1
      try: a whole number from 0 on, or None
    """
    if order not in (1, 2):
        raise CheckError(f"{what}: order is {order!r}\n  try: 1 for gradients, 2 for their own too")
    if not _is_count(seed):
        raise CheckError(f"{what}: seed is {seed!r}\n  try: a whole number from 0 on")
    if elements is not None and not _is_count(elements):
        raise CheckError(
            f"{what}: elements is {elements!r}\n  try: a whole number from 0 on, or None"
        )
    if executor is not None and (isinstance(executor, type) or not hasattr(executor, "submit")):
        shown = executor.__name__ if isinstance(executor, type) else type(executor).__name__
        raise CheckError(
            f"{what}: executor is {shown}, which runs nothing\n"
            f"  try: concurrent.futures.ProcessPoolExecutor(), made and not yet shut down"
        )


def _is_count(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool) and value.__index__() >= 0
