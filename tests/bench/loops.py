"""Where a compiled loop beats numpy: the flows of every elementwise operation, over sizes and dtypes.

`python -m tests.bench.loops [NAME ...]` prints the measurements behind `ops.catalogue.COMPILED`. `rows` holds the
choices to account: at its threshold, what auto compiles must not be slower than numpy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ops import PRIMITIVES
from ops.catalogue import COMPILED
from ops.kernels import elementwise
from ops.kernels.loops import pull_code
from ops.kernels.reading import UnreadableError
from ops.primitive import Primitive
from tests.bench.harness import Case, Row, compared, interleave

SIZES = tuple(1 << k for k in range(10, 21, 2))


def contenders(op: Primitive, size: int, dtype: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The flows of an operation on random numbers of a size: by numpy, and by a compiled loop."""
    draw = np.random.default_rng(0)
    args: list[Any] = [
        draw.normal(size=size) > 0 if name == "condition" else draw.uniform(0.1, 0.9, size=size)
        for name in op.inputs
    ]
    args = [x if x.dtype == bool else x.astype(dtype) for x in args]
    params = dict(op.defaults)
    out, _ = op.run(args, params)
    g = draw.normal(size=size).astype(dtype)
    wanted = [rule is not None for rule in op.rules]
    return (
        lambda: op.pull_back(g, out, args, wanted, params),
        lambda: elementwise.pull(op, g, out, args, wanted, params),
    )


def rows(*, rounds: int = 7, sample_seconds: float = 0.01, operations: int = 99) -> list[Row]:
    """The operations that auto compiles, at their threshold in float32: no slower than numpy, but for noise."""
    found = []
    for name, least in list(COMPILED.items())[:operations]:
        by_numpy, by_loop = contenders(PRIMITIVES[name], least, "float32")
        label, peer = f"{name} backward, {least:,}", f"numpy, {name}"
        cases = [Case(label, by_loop), Case(peer, by_numpy)]
        seconds = interleave(cases, rounds=rounds, sample_seconds=sample_seconds)
        found.append(compared(label, peer, seconds, goal=1.1))
    return found


def main(names: Sequence[str]) -> None:
    """One line an operation and dtype: the ratio of loop to numpy at each size, and whether it calls the library."""
    print(f"{'flows of':24}" + "".join(f"{size:>9,}" for size in SIZES))
    for op in list(PRIMITIVES.values()):
        if not op.elementwise or not any(op.rules) or (names and op.name not in names):
            continue
        wanted = [rule is not None for rule in op.rules]
        truths = [name == "condition" for name in op.inputs]
        try:
            code = pull_code(op, "f" * len(op.inputs), truths, wanted, dict(op.defaults), "float32")
        except UnreadableError:
            continue
        for dtype in ("float32", "float64"):
            ratios = []
            for size in SIZES:
                by_numpy, by_loop = contenders(op, size, dtype)
                cases = [Case("loop", by_loop), Case("numpy", by_numpy)]
                taken = interleave(cases, rounds=3, sample_seconds=0.005)
                ratios.append(taken["loop"] / taken["numpy"])
            mark = " *" if code.library else ""
            print(
                f"{op.name + ' ' + dtype + mark:24}" + "".join(f"{r:9.2f}" for r in ratios),
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
