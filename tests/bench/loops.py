"""Where a compiled loop beats numpy: values and flows of every elementwise operation, over sizes and dtypes.

`python -m tests.bench.loops [NAME ...]` prints the measurements behind `ops.catalogue.COMPILED`. `rows` holds the
choices to account: at its threshold, what auto compiles must not be slower than numpy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops import PRIMITIVES
from ops.catalogue import COMPILED, NEVER
from ops.kernels import elementwise
from ops.kernels.loops import Code, pull_code, value_code
from ops.kernels.reading import TRUTHS, UnreadableError
from ops.primitive import Primitive
from tests.bench.harness import Case, Row, compared, interleave

SIZES = tuple(1 << k for k in range(11, 18, 2))
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {"gelu": {"gelu tanh": {"approximate": "tanh"}}}
"""Operations whose parameters make another computation of them."""

_DRAWS: tuple[Callable[[Any, int], Any], ...] = (
    lambda draw, size: draw.normal(size=size),
    lambda draw, size: draw.uniform(0.1, 0.9, size=size),
    lambda draw, size: draw.uniform(1.1, 1.9, size=size),
)


class Contest(NamedTuple):
    """One computation twice: by numpy, and by a compiled loop."""

    by_numpy: Callable[[], Any]
    by_loop: Callable[[], Any]


def contests(
    op: Primitive, size: int, dtype: str, params: Mapping[str, Any] | None = None
) -> dict[str, Contest]:
    """Value and flows of an operation on random numbers of its domain."""
    params = {**op.defaults, **(params or {})}
    for numbers in _DRAWS:
        draw = np.random.default_rng(0)
        args: list[Any] = [
            draw.normal(size=size) > 0
            if name == "condition"
            else np.asarray(numbers(draw, size), dtype)
            for name in op.inputs
        ]
        out, _ = op.run(args, params)
        if np.all(np.isfinite(out)):
            break
    g = draw.normal(size=size).astype(dtype)
    wanted = [rule is not None for rule in op.rules]
    return {
        "value": Contest(
            lambda: op.kernel(*args, **params), lambda: elementwise.value(op, args, params)
        ),
        "flows": Contest(
            lambda: op.pull_back(g, out, args, wanted, params),
            lambda: elementwise.pull(op, g, out, args, wanted, params),
        ),
    }


def rows(*, rounds: int = 7, sample_seconds: float = 0.01, operations: int = 99) -> list[Row]:
    """What auto compiles, at its threshold in float32: no slower than numpy, but for noise."""
    found = []
    for name, compiled in list(COMPILED.items())[:operations]:
        for what, least in zip(("flows", "value"), compiled, strict=True):
            if least == NEVER:
                continue
            contest = contests(PRIMITIVES[name], least, "float32")[what]
            label, peer = f"{what} of {name}, {least:,}", f"numpy, {name}"
            cases = [Case(label, contest.by_loop), Case(peer, contest.by_numpy)]
            seconds = interleave(cases, rounds=rounds, sample_seconds=sample_seconds)
            found.append(compared(label, peer, seconds, goal=1.1))
    return found


def codes(op: Primitive) -> Iterator[tuple[str, Code]]:
    """What can be compiled of an operation: its value, its flows, or neither."""
    kinds, truths = "f" * len(op.inputs), [name == "condition" for name in op.inputs]
    wanted = [rule is not None for rule in op.rules]
    for what in ("value", "flows") if any(wanted) else ("value",):
        try:
            if what == "flows":
                yield what, pull_code(op, kinds, truths, wanted, dict(op.defaults), "float32")
            elif op.name not in TRUTHS:
                yield what, value_code(op, kinds, truths, dict(op.defaults), "float32")
        except UnreadableError:
            continue


def main(names: Sequence[str]) -> None:
    """One line a computation and dtype: how many times faster than numpy a loop is, at each size.

    A star marks a loop that calls the mathematical library; the last column is the time of the loop at the last size.
    """
    print(f"{'':36}" + "".join(f"{size:>9,}" for size in SIZES))
    for op in list(PRIMITIVES.values()):
        if not op.elementwise or (names and op.name not in names):
            continue
        for (what, code), (name, params) in (
            (one, variant)
            for one in codes(op)
            for variant in {op.name: {}, **VARIANTS.get(op.name, {})}.items()
        ):
            for dtype in ("float32", "float64"):
                ratios, taken = [], {}
                for size in SIZES:
                    contest = contests(op, size, dtype, params)[what]
                    cases = [Case("loop", contest.by_loop), Case("numpy", contest.by_numpy)]
                    taken = interleave(cases, rounds=3, sample_seconds=0.002)
                    ratios.append(taken["numpy"] / taken["loop"])
                mark = " *" if code.library else ""
                print(
                    f"{f'{what} of {name} {dtype}{mark}':36}"
                    + "".join(f"{r:9.2f}" for r in ratios)
                    + f"{taken['loop'] * 1e6:10.1f} µs",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:])
