"""Freezing: from live Tensors to a Trace. Facts are interned once; names and lines stay lazy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from operator import attrgetter
from types import CodeType
from typing import Any, Generic, TypeVar

import numpy as np

from ops.primitive import NOTHING, Primitive
from ops.shape import Slot
from tracer.backing import References
from tracer.kinds import KINDS
from tracer.nodes import Guard
from tracer.parameters import Parameter
from tracer.places import Place, SourceFile, place_of, read_source, stored_name
from tracer.recording import BACKWARD, CURRENT, OWNER, Recorded, Scope, ScopeEntry
from tracer.sweep import seed_of
from tracer.tensors import Tensor
from tracer.traces import Trace
from tracer.values import lies_elsewhere
from tracer.versions import VERSIONS

T = TypeVar("T")


def trace(loss: Any, *, seed: Any = None, recorded: Recorded | None = None) -> Trace:
    """The frozen record of what led to a loss.

    seed: the cotangent of a loss that is not of rank 0. recorded: what `tr.record()` yielded, to include also what does
    not reach the loss (inside the `with` block this is done without asking).
    Raises `GradientError` for a loss that is no recorded value or has no gradient.

    >>> import tracer as tr
    >>> w = tr.parameter(2.0)
    >>> frozen = tr.trace(w * w)
    >>> [node.label for node in frozen]
    ['w', 'mul@1']
    """
    if isinstance(loss, Parameter):
        loss = loss.tensor
    start = seed_of(loss, seed)
    kept = recorded or CURRENT.get().kept
    return freeze(loss, start, [x for x in kept.nodes if not _is_copied(x)] if kept else ())


def freeze(loss: Tensor, seed: Any, also: Iterable[Tensor] = ()) -> Trace:
    """The trace of everything that a Tensor depends on, and of the other nodes given."""
    nodes = _reachable([loss, *also])
    number = {node.serial: k for k, node in enumerate(nodes)}
    ops: _Interned[Primitive] = _Interned()
    literals: _Interned[Any] = _Interned()
    params: _Interned[Mapping[str, Any]] = _Interned()
    scopes: _Interned[Scope] = _Interned()
    spots: _Interned[tuple[CodeType, int]] = _Interned()
    params.number("", NOTHING)

    op_of, kind_of, params_of, scope_of, place_of_, starts, inputs = [], [], [], [], [], [0], []
    given: dict[int, str] = {}
    for k, node in enumerate(nodes):
        op = node.op
        if op is None:
            op_of.append(-1)
            kind_of.append(KINDS.index(node.params["kind"]))
            params_of.append(0)
            if node.params["name"]:
                given[k] = node.params["name"]
        else:
            op_of.append(ops.number(id(op), op))
            kind_of.append(0)
            params_of.append(
                params.number(_key(tuple(node.params.items())), node.params) if node.params else 0
            )
        for x in node.inputs:
            if type(x) is Tensor:
                inputs.append(number[x.serial])
            else:
                inputs.append(-1 - literals.number((type(x), repr(x)), x))
        starts.append(len(inputs))
        scope_of.append(scopes.number(node.scope, node.scope))
        code = node.code
        place_of_.append(
            -1 if code is None else spots.number((id(code), node.offset), (code, node.offset))
        )

    guards = tuple(_guards(nodes, spots))
    places = tuple(place for spot in spots.table if (place := place_of(*spot)) is not None)
    sources = _sources(places)
    for k, spot in enumerate(place_of_):
        if spot >= 0 and k not in given and places[spot].file not in sources:  # typed at a prompt
            name = stored_name(*spots.table[spot])
            if name:
                given[k] = name
    given.update(_refilled(nodes, place_of_, places, sources))
    return Trace(
        ops=tuple(ops.table),
        op_of=np.array(op_of, dtype=np.int32),
        kind_of=np.array(kind_of, dtype=np.uint8),
        input_start=np.array(starts, dtype=np.int64),
        input_of=np.array(inputs, dtype=np.int64),
        literals=tuple(literals.table),
        params_of=np.array(params_of, dtype=np.int32),
        params=tuple(params.table),
        scope_of=np.array(scope_of, dtype=np.int32),
        scopes=tuple(_with_numbers(scope, number) for scope in scopes.table),
        place_of=np.array(place_of_, dtype=np.int32),
        places=places,
        given_names=given,
        storage=References([node.value for node in nodes], [node.saved for node in nodes]),
        loss=number[loss.serial],
        seed=seed,
        guards=guards,
        sources=sources,
        meta={
            "source": places[-1].file if places else "",
            "dtype": str(loss.dtype),
            "versions": dict(VERSIONS),
            **_devices(loss, nodes),
        },
    )


def _refilled(
    nodes: Sequence[Tensor],
    place_of_node: Sequence[int],
    places: Sequence[Place],
    sources: Mapping[str, SourceFile],
) -> Iterator[tuple[int, str]]:
    """Names of parameters that a comprehension made and that were refilled since, maybe in another order."""
    made: defaultdict[int, list[int]] = defaultdict(list)
    for k, node in enumerate(nodes):
        if node.op is None and node.params["kind"] == "parameter" and not node.params["name"]:
            made[place_of_node[k]].append(k)
    for place, group in made.items():
        born = {nodes[k].params.get("born", nodes[k].serial): k for k in group}
        if place < 0 or len(born) < 2 or all("born" not in nodes[k].params for k in group):
            continue
        where = places[place]
        names = sources[where.file].unpacked.get(where.span, ()) if where.file in sources else ()
        if len(names) > 1 and len(group) == len(born) and len(born) % len(names) == 0:
            yield from zip((born[first] for first in sorted(born)), cycle(names), strict=False)


def _is_copied(node: Tensor) -> bool:
    """Whether a constant has a copy on a device, which stands for it unless something reads the constant itself."""
    return node.op is None and node.extras is not None and "copies" in node.extras


def _devices(loss: Tensor, nodes: Sequence[Tensor]) -> dict[str, str]:
    """Where a run took place, unless that was the cpu alone: where the loss lies, or else what came last elsewhere."""
    kinds = {type(node.value) for node in nodes}
    if not any(hasattr(kind, "__run_primitive__") for kind in kinds):
        return {}
    return {"device": next(x.device for x in (loss, *nodes[::-1]) if lies_elsewhere(x.value))}


def _reachable(roots: Iterable[Tensor]) -> list[Tensor]:
    """The nodes that some nodes depend on, in the order in which they ran, with the looks that guarded them."""
    found = _behind(roots, {})
    for node in list(found.values()):
        for look in (node.extras or {}).get("looks", {}).values():
            # a look is part of the run if all that it came from is; one of an earlier run is not, but its leaves may be
            copies = _behind([look], found)
            if all(x.op is not None or x.params["kind"] == "constant" for x in copies.values()):
                found |= copies
    return sorted(found.values(), key=attrgetter("serial"))


def _behind(roots: Iterable[Tensor], known: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """The nodes that some nodes depend on, by serial number, without those that are known already."""
    found = {node.serial: node for node in roots if node.serial not in known}
    stack = list(found.values())
    while stack:
        for x in stack.pop().inputs:
            if type(x) is Tensor and x.serial not in found and x.serial not in known:
                found[x.serial] = x
                stack.append(x)
    return found


class _Interned(Generic[T]):
    """A table in which equal things stand once."""

    def __init__(self) -> None:
        self.table: list[T] = []
        self.numbers: dict[Any, int] = {}

    def number(self, key: Any, thing: T) -> int:
        """Where the thing stands in the table, put there if it is new."""
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = len(self.table)
            self.table.append(thing)
        return found


_SPELLED = (int, float, str, bool, type(None), type(...), slice, Slot, np.generic)


def _key(value: Any) -> Any:
    """The same for equal parameters. Only these types have a text that tells them apart: that of an array is cut."""
    if type(value) is tuple:
        return tuple(map(_key, value))
    return repr(value) if isinstance(value, _SPELLED) else id(value)


def _with_numbers(scope: Scope, number: Mapping[int, int]) -> Scope:
    """A scope whose backward entries name the node by its number in the trace, or nobody if it is not part of it."""
    return tuple(
        entry if not entry.is_sweep
        else entry._replace(index=number[entry.index])
        if isinstance(entry.index, int) and entry.index in number
        else ScopeEntry(BACKWARD, OWNER, "?")
        for entry in scope
    )  # fmt: skip


def _guards(nodes: list[Tensor], spots: _Interned[tuple[CodeType, int]]) -> Iterable[Guard]:
    for k, node in enumerate(nodes):
        if node.extras is not None:
            for (code, offset), (kind, result) in node.extras.get("guards", {}).items():
                place = -1 if code is None else spots.number((id(code), offset), (code, offset))
                yield Guard(k, kind, result, place)


def _sources(places: Iterable[Place]) -> dict[str, SourceFile]:
    found = {}
    for file in dict.fromkeys(place.file for place in places):
        source = read_source(file)
        if source is not None:
            found[file] = source
    return found
