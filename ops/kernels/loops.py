"""Loops around elementwise rules: broadcasting collapsed to rows and columns, and the sum over it in the same pass.

Every operand is one of four kinds, seen against the result as a matrix of rows and columns: `f` full; `r` one row,
repeated; `c` one column, repeated; `n` one number. A flow is summed to the kind of its input while it is computed, row
by row in numpy's order, so that a bias of a batch receives the same bits as from numpy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ops.kernels.reading import FUNCTIONS, Writer
from ops.primitive import Primitive

Shape = tuple[int, ...]

_HEADER = '''"""The {what} of {name}, written by Gradstep from its declaration; operands {kinds}."""

from math import acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, hypot, log2, log10, sin, sinh, sqrt, tan

from numpy import cbrt, ceil, empty, exp2, floor
from numpy import {dtype} as T
{functions}
zero, one = T(0), T(1)

'''


class Pattern(NamedTuple):
    """How operands lie against a result of so many rows and columns."""

    rows: int
    columns: int
    kinds: str

    @property
    def flat(self) -> bool:
        """Whether nothing but numbers is broadcast, so that one loop over all elements does."""
        return not set(self.kinds) - set("fn")


@lru_cache(maxsize=4096)
def pattern_of(shape: Shape, operands: tuple[Shape | None, ...]) -> Pattern | None:
    """The pattern of operands (None for a Python number) against a result; None where rows and columns do not do.

    >>> pattern_of((2, 3, 4), ((2, 3, 4), (3, 4), (2, 1, 1), None))
    Pattern(rows=2, columns=12, kinds='frcn')
    """
    kinds, cuts = [], set()
    for operand in operands:
        kind, cut = _kind(shape, operand)
        if kind == "?":
            return None
        kinds.append(kind)
        if cut is not None:
            cuts.add(cut)
    if len(cuts) > 1:
        return None
    cut = cuts.pop() if cuts else 0
    return Pattern(math.prod(shape[:cut]), math.prod(shape[cut:]), "".join(kinds))


def _kind(shape: Shape, operand: Shape | None) -> tuple[str, int | None]:
    """The kind of one operand, and before which axis of the result rows end and columns begin."""
    if operand == shape:
        return "f", None
    if operand is None or math.prod(operand) == 1:
        return "n", None
    sizes = (1,) * (len(shape) - len(operand)) + operand
    wide = [k for k, size in enumerate(shape) if size != 1]
    kept = [k for k in wide if sizes[k] != 1]
    if kept == wide:  # only axes of size 1 are missing
        return "f", None
    if kept == wide[len(wide) - len(kept) :]:
        return "r", kept[0]
    if kept == wide[: len(kept)]:
        return "c", kept[-1] + 1
    return "?", None


class Code(NamedTuple):
    """A generated module, and what decides of its speed and of its last bits."""

    text: str
    library: bool
    """Whether its loop calls the mathematical library."""
    exact: bool
    """Whether it consists of IEEE operations alone, and so gives numpy's bits."""


def value_code(
    op: Primitive, kinds: str, truths: Sequence[bool], params: Mapping[str, Any], dtype: str
) -> Code:
    """The module whose `kernel(out, *operands)` computes the value of an elementwise operation."""
    writer = Writer()
    args = [writer.term(f"v{k}", truth=truth) for k, truth in enumerate(truths)]
    found = writer.apply(op, tuple(args), params)
    text = _module(op, "value", kinds, dtype, writer, [("out", "f", writer.named(found))])
    return _code(text, writer)


def pull_code(
    op: Primitive,
    kinds: str,
    truths: Sequence[bool],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    dtype: str,
) -> Code:
    """The module whose `kernel(g, o, *operands, *flows)` computes the wanted flows, each summed to its operand."""
    writer = Writer()
    g, out = writer.term("g"), writer.term("o")
    args = [writer.term(f"v{k}", truth=truth) for k, truth in enumerate(truths)]
    flows = flows_of(op, g, out, args, wanted, params)
    stores = [(f"f{k}", kinds[k], writer.named(flow)) for k, flow in flows.items()]
    return _code(_module(op, "flows", kinds, dtype, writer, stores), writer)


def _code(text: str, writer: Writer) -> Code:
    return Code(text, writer.library, not (writer.library or writer.functions))


def flows_of(
    op: Primitive,
    g: Any,
    out: Any,
    args: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
) -> dict[int, Any]:
    """The wanted flows by the number of their input, as the rules write them; none where there is no rule."""
    if op.joint is not None:
        named = op.joint(g, out, *args, **params)
        return {k: named[name] for k, name in enumerate(op.inputs) if wanted[k]}
    rules = {k: rule for k, rule in enumerate(op.rules) if wanted[k] and rule is not None}
    return {k: rule(g, out, *args, **params) for k, rule in rules.items()}


def _module(
    op: Primitive,
    what: str,
    kinds: str,
    dtype: str,
    writer: Writer,
    stores: Sequence[tuple[str, str, str]],
) -> str:
    """The source of one kernel: loads, the lines of the rule, stores."""
    flat = not set(kinds) - set("fn") and not any(kind in "rc" for _, kind, _ in stores)
    loads = [(f"v{k}", f"a{k}", kind) for k, kind in enumerate(kinds)]
    arguments = [name for _, name, _ in loads] + [name for name, _, _ in stores]
    if what == "flows":
        loads = [("g", "g_", "f"), ("o", "o_", "f"), *loads]
        arguments = ["g_", "o_", *arguments]
    used = set(re.findall(r"\w+", " ".join([*writer.lines, *(value for _, _, value in stores)])))
    loads = [load for load in loads if load[0] in used]
    whole = "g_" if what == "flows" else "out"
    functions = "".join(
        f"from {FUNCTIONS[name]} import {name}\n" for name in sorted(writer.functions)
    )
    head = _HEADER.format(
        what=what,
        name=op.name,
        kinds=" ".join(kinds),
        dtype=dtype,
        functions=functions and f"\n{functions}",
    )
    if not flat:
        lines = _nested_loop(whole, loads, writer.lines, stores)
    elif len(writer.calls) > 1:
        lines = _staged_loop(whole, loads, writer, stores)
    else:
        lines = _flat_loop(whole, loads, writer.lines, stores)
    return head + f"\ndef kernel({', '.join(arguments)}):\n" + "\n".join(lines) + "\n"


def _flat_loop(
    whole: str,
    loads: Sequence[tuple[str, str, str]],
    body: Sequence[str],
    stores: Sequence[tuple[str, str, str]],
) -> list[str]:
    sums = [name for name, kind, _ in stores if kind == "n"]
    lines = [f"    {scalar} = {array}" for scalar, array, kind in loads if kind == "n"]
    inner = [f"    {scalar} = {array}[k]" for scalar, array, kind in loads if kind == "f"]
    inner += [f"    {line}" for line in body]
    for name, kind, value in stores:
        inner += [f"    {name}_part += {value}" if kind == "n" else f"    {name}[k] = {value}"]
    if not sums:
        return [*lines, f"    for k in range({whole}.size):", *(f"    {line}" for line in inner)]
    # sums of blocks, and their sum: the error of one long sum grows with its length
    lines += [f"    {name}_sum = 0.0" for name in sums]
    lines += [f"    for start in range(0, {whole}.size, {_BLOCK}):"]
    lines += [f"        {name}_part = 0.0" for name in sums]
    lines += [f"        for k in range(start, min(start + {_BLOCK}, {whole}.size)):"]
    lines += [f"        {line}" for line in inner]
    lines += [f"        {name}_sum += {name}_part" for name in sums]
    return lines + [f"    {name}[0] = {name}_sum" for name in sums]


_BLOCK = 512


def _staged_loop(
    whole: str,
    loads: Sequence[tuple[str, str, str]],
    writer: Writer,
    stores: Sequence[tuple[str, str, str]],
) -> list[str]:
    """Blocks that stay in the cache, and for each a loop a function call, which hands its results to the next ones.

    With several calls in one loop, the processor would wait for each: the operations of one element depend on each
    other, and it does not look far enough ahead to work on the next ones. Half the time, for two or three calls.
    """
    *early, last = writer.calls
    sums = [name for name, kind, _ in stores if kind == "n"]
    full = {array for _, array, kind in loads if kind == "f"}
    full |= {name for name, kind, _ in stores if kind == "f"}
    lines = [f"    {scalar} = {array}" for scalar, array, kind in loads if kind == "n"]
    lines += [f"    {name}_sum = 0.0" for name in sums]
    lines += [f"    {name}_k = empty({_BLOCK}, T)" for name in early]
    lines += [f"    for start in range(0, {whole}.size, {_BLOCK}):"]
    lines += [f"        stop = min(start + {_BLOCK}, {whole}.size)"]
    lines += [f"        {array}_k = {array}[start:stop]" for array in sorted(full)]
    lines += [f"        {name}_part = 0.0" for name in sums]
    known: set[str] = set()
    for call in (*early, last):
        targets = [call] if call != last else [value for _, _, value in stores]
        body, used = _needed(writer.lines, targets, known)
        lines += ["        for k in range(stop - start):"]
        lines += [f"            {name} = {name}_k[k]" for name in early if name in used & known]
        lines += [
            f"            {scalar} = {array}_k[k]"
            for scalar, array, kind in loads
            if kind == "f" and scalar in used
        ]
        lines += [f"            {line}" for line in body]
        if call != last:
            lines += [f"            {call}_k[k] = {call}"]
            known.add(call)
    for name, kind, value in stores:
        store = f"{name}_part += {value}" if kind == "n" else f"{name}_k[k] = {value}"
        lines += [f"            {store}"]
    lines += [f"        {name}_sum += {name}_part" for name in sums]
    return lines + [f"    {name}[0] = {name}_sum" for name in sums]


def _needed(
    lines: Sequence[str], targets: Sequence[str], known: set[str]
) -> tuple[list[str], set[str]]:
    """The lines that targets depend on, unless what they give is known, and all names in these."""
    used = set(re.findall(r"\w+", " ".join(targets)))
    kept = []
    for line in reversed(lines):
        name, _, code = line.partition(" = ")
        if name in used and name not in known:
            kept.append(line)
            used |= set(re.findall(r"\w+", code))
    return kept[::-1], used


def _nested_loop(
    whole: str,
    loads: Sequence[tuple[str, str, str]],
    body: Sequence[str],
    stores: Sequence[tuple[str, str, str]],
) -> list[str]:
    lines = [f"    rows, columns = {whole}.shape"]
    lines += [f"    {scalar} = {array}" for scalar, array, kind in loads if kind == "n"]
    lines += [f"    {name}_sum = 0.0" for name, kind, _ in stores if kind == "n"]
    lines += ["    for i in range(rows):"]
    lines += [f"        {array}_i = {array}[i]" for _, array, kind in loads if kind == "f"]
    lines += [f"        {name}_i = {name}[i]" for name, kind, _ in stores if kind == "f"]
    lines += [f"        {scalar} = {array}[i]" for scalar, array, kind in loads if kind == "c"]
    lines += [f"        {name}_sum = 0.0" for name, kind, _ in stores if kind == "c"]
    lines += ["        for j in range(columns):"]
    lines += [
        f"            {scalar} = {array}_i[j]" for scalar, array, kind in loads if kind == "f"
    ]
    lines += [f"            {scalar} = {array}[j]" for scalar, array, kind in loads if kind == "r"]
    lines += [f"            {line}" for line in body]
    for name, kind, value in stores:
        store = {"f": f"{name}_i[j] = {value}", "r": f"{name}[j] += {value}"}
        lines += ["            " + store.get(kind, f"{name}_sum += {value}")]
    lines += [f"        {name}[i] = {name}_sum" for name, kind, _ in stores if kind == "c"]
    return lines + [f"    {name}[0] = {name}_sum" for name, kind, _ in stores if kind == "n"]
