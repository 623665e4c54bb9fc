"""The float64 twin of a trace: the same nodes run again with every float promoted, for checks sharper than float32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tracer.backing import References
from tracer.replay import run_node
from tracer.traces import Trace

Array = Any
"""A numpy array or numpy scalar."""


def promoted(trace: Trace) -> Trace:
    """The trace in float64: same node numbers, leaves promoted, every operation run again. Itself if it is float64.

    What was made float32 within the trace is made float64, so that no rounding to float32 is left. What was recorded on
    a device is run by numpy, so that a replay judges the numbers of the device, and not by its kernels.
    """
    trace = trace.on_host()
    recorded = [trace.storage.value(k) for k in range(len(trace))]
    if all(value.dtype.kind != "f" or value.dtype == np.float64 for value in recorded):
        return trace
    params = tuple(
        {**p, "dtype": "float64"} if p.get("dtype") == "float32" else p for p in trace.params
    )
    twin = replace(trace, params=params)
    values: dict[int, Array] = {}
    kept: list[Mapping[str, Array]] = []
    for k, value in enumerate(recorded):
        saved = trace.storage.saved(k)
        if trace.op_of[k] >= 0:
            values[k], saved = run_node(twin, k, values)
        else:
            values[k] = value.astype(np.float64) if value.dtype.kind == "f" else value
        kept.append(saved)
    seed = None if trace.seed is None else trace.seed.astype(np.float64)
    storage = References([values[k] for k in range(len(trace))], kept)
    return replace(twin, storage=storage, seed=seed)
