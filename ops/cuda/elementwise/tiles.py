"""The source text of elementwise kernels over a matrix in tiles, which sum flows in the pass that computes them.

`columns` goes down tiles of a few columns and sums over the rows; `rows` goes along tiles of a few rows and sums over
the columns.

A sum is gathered in lanes, whose number is a constant: lane l takes every so-manyth element, a thread takes every
so-manyth lane, and the lanes are added pairwise in shared memory. So its bits do not depend on the launch. What several
tiles contribute goes to a table of partial sums, which `ops.cuda.elementwise.kernels.ADD_PARTIALS` adds up.
"""

from __future__ import annotations

from collections.abc import Sequence

from ops.cuda.elementwise.text import (
    Body,
    Source,
    Store,
    indented,
    loads,
    module_of,
    single_loads,
    unrolled,
)


def columns(body: Body, doc: str) -> Source:
    """A kernel `(rows, columns, splits, *operands, *results)` that goes down the columns of tiles.

    Flows of a row and of a number are summed to `(splits, columns)` and `(tiles, 1)`.
    """

    def load(body: Body, row: str) -> list[str]:
        return [*loads(body, "f", f"{row}, column"), *loads(body, "c", row)]

    inner = unrolled(body, "fc", "row", "height", load, "{}, column")
    sums = [store for store in body.stores if store.kind != "f"]
    lane = [
        "column = left + lane % width",
        *(f"{store.total} = zero" for store in sums),
        "if column < columns:",
        *indented(
            *loads(body, "r", "column"),
            "row = first + lane // width",
            *inner,
        ),
        *(f"{store.shared}[lane] = {store.total}" for store in sums),
        "lane += threads",
    ]
    item = [
        "split = item // tiles",
        "first = split * rows // splits",
        "last = (split + 1) * rows // splits",
        "left = (item - split * tiles) * width",
        "lane = thread",
        "while lane < lanes:",
        *indented(*lane),
        *_added(sums, "r", "width", ("left", "columns")),
        "item += cuda.gridDim.x",
    ]
    head = ["tiles = (columns + width - 1) // width"]
    return _tiled(body, doc, sums, head, "splits * tiles", item)


def rows(body: Body, doc: str) -> Source:
    """A kernel `(rows, columns, splits, *operands, *results)` that goes along the rows of tiles.

    Flows of a column and of a number are summed to `(splits, rows)` and `(tiles, 1)`.
    """

    def load(body: Body, column: str) -> list[str]:
        return [*loads(body, "f", f"row, {column}"), *loads(body, "r", column)]

    inner = unrolled(body, "fr", "column", "width", load, "row, {}")
    sums = [store for store in body.stores if store.kind != "f"]
    lane = [
        "row = top + lane // width",
        *(f"{store.total} = zero" for store in sums),
        "if row < rows:",
        *indented(
            *loads(body, "c", "row"),
            "column = first + lane % width",
            *inner,
        ),
        # turned, so that the lanes of one row lie as far apart as those of one column do
        *(
            f"{store.shared}[lane % width * height + lane // width] = {store.total}"
            for store in sums
        ),
        "lane += threads",
    ]
    item = [
        "split = item // tiles",
        "first = split * columns // splits",
        "last = (split + 1) * columns // splits",
        "top = (item - split * tiles) * height",
        "lane = thread",
        "while lane < lanes:",
        *indented(*lane),
        *_added(sums, "c", "height", ("top", "rows")),
        # what one thread has read of the sums, another writes for the next item
        *(["cuda.syncthreads()"] if any(store.kind == "c" for store in sums) else []),
        "item += cuda.gridDim.x",
    ]
    head = ["tiles = (rows + height - 1) // height"]
    return _tiled(body, doc, sums, head, "splits * tiles", item)


def _added(sums: Sequence[Store], kept: str, width: str, bounds: tuple[str, str]) -> list[str]:
    """The sums of lanes, added pairwise until one is left for each place that is kept, and stored."""
    if not sums:
        return []
    start, stop = bounds
    several = [store for store in sums if store.kind == kept]
    single = [store for store in sums if store.kind == "n"]
    halves = {store: f"{store.shared}[lane] += {store.shared}[lane + offset]" for store in sums}
    level = [halves[store] for store in several]
    if single and several:
        level = [f"if offset >= {width}:", *indented(*level)]
    level += [halves[store] for store in single]
    lines = [
        "cuda.syncthreads()",
        "offset = lanes // 2",
        f"while offset >= {'1' if single else width}:",
        *indented(
            "lane = thread",
            "while lane < offset:",
            *indented(*level, "lane += threads"),
            "cuda.syncthreads()",
            "offset //= 2",
        ),
    ]
    if several:
        places = [f"{s.array}[split, {start} + lane] = {s.shared}[lane]" for s in several]
        lines += [
            "lane = thread",
            f"while lane < {width}:",
            *indented(f"if {start} + lane < {stop}:", *indented(*places), "lane += threads"),
        ]
    if single:
        lines += [
            "if thread == 0:",
            *indented(*(f"{s.array}[item, 0] = {s.shared}[0]" for s in single)),
        ]
    return lines


def _tiled(
    body: Body,
    doc: str,
    sums: Sequence[Store],
    head: Sequence[str],
    items: str,
    item: Sequence[str],
) -> Source:
    lines = [
        *(f"{store.shared} = cuda.shared.array(lanes, T)" for store in sums),
        *head,
        *single_loads(body),
        "thread = cuda.threadIdx.x",
        "item = cuda.blockIdx.x",
        f"while item < {items}:",
        *indented(*item),
    ]
    sizes = ["rows", "columns", "splits"]
    options, prepared = ", lanes=256, width=32", ["height = lanes // width"]
    return module_of(body, doc, sizes, lines, options=options, prepared=prepared, matrices=True)
