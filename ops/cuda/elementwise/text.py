"""The text of a generated kernel, whichever way it walks over the elements: arguments, loads, lines, stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

UNROLLED = 4
"""How many elements a thread loads before it computes with the first: memory has to be kept busy."""


class Load(NamedTuple):
    """An operand of a kernel."""

    array: str
    """Its name as an argument."""
    scalar: str
    """The name of one element."""
    kind: str
    """As in `ops.cuda.elementwise.broadcasting`."""
    type: str
    """`T`, `i8` or `b1`."""
    form: str = "{}"
    """How an element becomes a scalar of the rule."""


class Store(NamedTuple):
    """A result of a kernel: stored element by element, or summed to the kind of the operand whose flow it is."""

    array: str
    kind: str
    value: str
    """The name of the scalar."""
    type: str = "T"

    @property
    def total(self) -> str:
        """The name of the sum of one lane."""
        return f"total_{self.array}"

    @property
    def shared(self) -> str:
        """The name of the sums of all lanes."""
        return f"sums_{self.array}"


class Body(NamedTuple):
    """What a kernel does with one element."""

    loads: tuple[Load, ...]
    lines: tuple[str, ...]
    stores: tuple[Store, ...]
    constants: Mapping[str, str]
    integers: bool = False


class Source(NamedTuple):
    """The text of a module with a function `build`, and the types of the arguments of the kernel that this builds."""

    text: str
    arguments: str


def module_of(
    body: Body,
    doc: str,
    sizes: Sequence[str],
    lines: Sequence[str],
    *,
    options: str = "",
    prepared: Sequence[str] = (),
    matrices: bool = False,
) -> Source:
    """The text around the lines of a kernel, which begins with these sizes.

    options: what else `build` takes, such as a width; prepared: the lines that follow from it.
    matrices: whether the kernel sees full operands, and all its results, as matrices.
    """
    arguments = [*sizes, *(load.array for load in body.loads), *(s.array for s in body.stores)]
    types = ["i8"] * len(sizes)
    for load in body.loads:
        wide = "[:,:]" if matrices and load.kind == "f" else "[:]"
        types.append(load.type + ("" if load.kind == "p" else wide))
    types += [store.type + ("[:,:]" if matrices else "[:]") for store in body.stores]
    build = ["zero, one = 0, 1" if body.integers else "zero, one = T(0), T(1)"]
    build += [f"{name} = {code}" for code, name in body.constants.items()]
    build += prepared
    text = [
        f'"""{doc}"""',
        "",
        "",
        f"def build(cuda, math, T, threads{options}):",
        *indented(
            *build,
            "",
            f"def kernel({', '.join(arguments)}):",
            *indented(*lines),
            "",
            "return kernel",
        ),
    ]
    return Source("\n".join(line.rstrip() for line in text) + "\n", " ".join(types))


def indented(*lines: str) -> list[str]:
    """Lines, one step further to the right."""
    return [f"    {line}" for line in lines]


def further(start: str, count: int, step: str) -> str:
    """The index that lies some steps behind another."""
    return start if not count else f"{start} + {f'{count} * ' if count > 1 else ''}{step}"


def single_loads(body: Body) -> list[str]:
    """The operands that are the same for all elements."""
    single = [x for x in body.loads if x.kind == "n"]
    lines = [f"{x.scalar} = {x.form.format(f'{x.array}[0]')}" for x in single]
    return lines + [f"{x.scalar} = {x.form.format(x.array)}" for x in body.loads if x.kind == "p"]


def loads(body: Body, kind: str, index: str) -> list[str]:
    """What takes the element at an index from all operands of a kind."""
    return [
        f"{x.scalar} = {x.form.format(f'{x.array}[{index}]')}" for x in body.loads if x.kind == kind
    ]


def stores(body: Body, index: str) -> list[str]:
    """What stores the results for the element at an index, or adds them to the sums of the lane."""
    return [
        f"{s.array}[{index}] = {s.value}" if s.kind == "f" else f"{s.total} += {s.value}"
        for s in body.stores
    ]


def copied(body: Body, kinds: Collection[str], number: int) -> Body:
    """The body of one of several elements that are in flight together: what changes has another name in each."""
    own = {line.partition(" = ")[0] for line in body.lines}
    own |= {load.scalar for load in body.loads if load.kind in kinds}
    if not own:
        return body
    pattern = re.compile(rf"\b({'|'.join(sorted(own, key=len, reverse=True))})\b")

    def renamed(text: str) -> str:
        return pattern.sub(rf"\g<1>_{number}", text)

    return body._replace(
        loads=tuple(load._replace(scalar=renamed(load.scalar)) for load in body.loads),
        lines=tuple(map(renamed, body.lines)),
        stores=tuple(store._replace(value=renamed(store.value)) for store in body.stores),
    )


def unrolled(
    body: Body,
    kinds: Collection[str],
    index: str,
    step: str,
    load: Callable[[Body, str], list[str]],
    store: str,
) -> list[str]:
    """The loop from `index` to `last`: four elements at a time, all loaded before the first is computed; then the rest.

    load: the lines that load the operands of these kinds at an index; store: where the results go, with {} for it.
    """
    many: list[str] = []
    copies = [(copied(body, kinds, u), further(index, u, step)) for u in range(UNROLLED)]
    for copy, place in copies:
        many += load(copy, place)
    for copy, place in copies:
        many += [*copy.lines, *stores(copy, store.format(place))]
    one = [*load(body, index), *body.lines, *stores(body, store.format(index))]
    return [
        f"while {index} + {UNROLLED - 1} * {step} < last:",
        *indented(*many, f"{index} += {UNROLLED} * {step}"),
        f"while {index} < last:",
        *indented(*one, f"{index} += {step}"),
    ]
