"""The source text of elementwise kernels that sum nothing: over lists, and over up to four axes.

`flat` takes lists of elements and keeps four loads of each operand in flight; `strided` finds the place of each row in
each operand, by division.
"""

from __future__ import annotations

from ops.cuda.elementwise.text import (
    UNROLLED,
    Body,
    Source,
    copied,
    further,
    indented,
    loads,
    module_of,
    single_loads,
    stores,
    unrolled,
)


def flat(body: Body, doc: str) -> Source:
    """A kernel `(*operands, *results)` over lists of elements; at least one result is full."""
    whole = next(store.array for store in body.stores)
    base = single_loads(body)
    copies = [copied(body, "f", u) for u in range(UNROLLED)]
    unrolled: list[str] = []
    for u, copy in enumerate(copies):
        unrolled += loads(copy, "f", further("start", u, "threads"))
    for u, copy in enumerate(copies):
        unrolled += [*copy.lines, *stores(copy, further("start", u, "threads"))]
    rest = [*loads(body, "f", "k"), *body.lines, *stores(body, "k")]
    lines = [
        f"size = {whole}.size",
        *base,
        f"start = cuda.blockIdx.x * {UNROLLED} * threads + cuda.threadIdx.x",
        "while start < size:",
        *indented(
            f"if start + {UNROLLED - 1} * threads < size:",
            *indented(*unrolled),
            "else:",
            *indented("k = start", "while k < size:", *indented(*rest, "k += threads")),
            f"start += cuda.gridDim.x * {UNROLLED} * threads",
        ),
    ]
    return module_of(body, doc, [], lines)


def strided(body: Body, axes: int, doc: str) -> Source:
    """A kernel `(*sizes, splits, *operands, *results)` over the rows of three or four axes; all results are full.

    Where a row lies in each operand is computed once. Rows are cut into so many splits.
    """
    inner, outer = f"size{axes - 1}", [f"size{axis}" for axis in range(axes - 1)]
    lines = ["i0 = row"]
    for axis in range(axes - 2, 0, -1):
        lines += [f"i{axis} = i0 % size{axis}", f"i0 //= size{axis}"]
    places = {"f": "at + "}
    moving = [x for x in body.loads if x.kind == "f" or (x.kind not in "np" and x.kind[-1] == "1")]
    for x in body.loads:
        above = _index(x.kind[:-1])
        if x.kind in "fnp":
            continue
        if x.kind[-1] == "0":
            lines += [f"{x.scalar} = {x.form.format(f'{x.array}[{above}]')}"]
        elif x.kind not in places:
            places[x.kind] = f"at_{x.kind} + " if above else ""
            lines += [f"at_{x.kind} = {_grouped(above)} * {inner}"] if above else []
    kinds = {x.kind for x in moving}

    def load(body: Body, column: str) -> list[str]:
        return [
            f"{x.scalar} = {x.form.format(f'{x.array}[{places[x.kind]}{column}]')}"
            for x in body.loads
            if x.kind in kinds
        ]

    lines = [
        *single_loads(body),
        f"rows = {' * '.join(outer)}",
        "item = cuda.blockIdx.x * height + cuda.threadIdx.x // width",
        "while item < rows * splits:",
        *indented(
            "split = item // rows",
            "row = item - split * rows",
            *lines,
            f"at = row * {inner}",
            f"column = split * {inner} // splits + cuda.threadIdx.x % width",
            f"last = (split + 1) * {inner} // splits",
            *unrolled(body, kinds, "column", "width", load, "at + {}"),
            "item += cuda.gridDim.x * height",
        ),
    ]
    sizes = [*outer, inner, "splits"]
    prepared = ["width = min(width, threads)", "height = threads // width"]
    return module_of(body, doc, sizes, lines, options=", width=32", prepared=prepared)


def _index(mask: str) -> str:
    """The number of the row of an operand that moves along the axes of the mask, of all but the last axis."""
    found = ""
    for axis, moves in enumerate(mask):
        if moves == "1":
            found = f"{_grouped(found)} * size{axis} + i{axis}" if found else f"i{axis}"
    return found


def _grouped(code: str) -> str:
    """A sum in brackets, so that it can be multiplied."""
    return f"({code})" if " " in code else code
