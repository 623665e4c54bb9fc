"""A trace on its way to another process: the bytes of its file, and the modules that declare its operations.

This is what pickles a `Trace`, so that traces can be handed to executors. Files are never pickled.
"""

from __future__ import annotations

import importlib
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tracer.errors import TraceFileError
from tracer.storage import load, save
from tracer.traces import Trace

KEPT = 4
"""Traces that a worker keeps, so that one which comes with every job is read once."""


class Parcel(NamedTuple):
    """A trace as bytes."""

    content: bytes
    modules: tuple[str, ...]
    """The modules of the operations that are not ours."""


def packed(trace: Trace) -> Parcel:
    """The trace as it is sent. Raises `TraceFileError` where a parameter has no form in a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sent.trace")
        save(trace, path)
        content = path.read_bytes()
    modules = {op.module for op in trace.ops if not op.home.startswith("ops.")}
    return Parcel(content, tuple(sorted(modules)))


@lru_cache(maxsize=KEPT)
def opened(parcel: Parcel) -> Trace:
    """The trace that was packed. Raises `TraceFileError` where an operation of a user's own cannot be imported."""
    for module in parcel.modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise TraceFileError(
                f"this process cannot import {module}, which declares an operation of the trace: {error}\n"
                f"  try: put it where every worker finds it, on its PYTHONPATH"
            ) from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sent.trace")
        path.write_bytes(parcel.content)
        return load(path)
