"""Which nodes make up a layer, or a time step: by scope where scopes hold the parameters, else by who reads them.

A layer is the outermost scope that tells it from its neighbours (`bn1`, `linear[k=0]`); the activation behind it
belongs to it, whoever's scope that runs in. Nodes outside such scopes form a layer with the operation before them that
reads a parameter; without any parameter, a layer for each depth. Indices of time steps do not tell layers apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ops.primitive import Array
from tracer.format import printable
from tracer.insight.slopes import shape_of_activation
from tracer.kinds import KINDS
from tracer.recording import Scope, ScopeEntry
from tracer.traces import Trace

TIME = "t"
"""The key of a scope entry that counts time steps."""
MOST = 256
"""Layers without scopes are merged until there are no more than so many."""

LONGEST = 8
"""An activation is looked for so many operations behind a layer."""

PARAMETER = KINDS.index("parameter")


@dataclass(frozen=True)
class Layer:
    """A layer, or a time step: what it is called, the node that it puts out, its operations and its parameters."""

    name: str
    output: int
    nodes: tuple[int, ...]
    parameters: tuple[int, ...]
    track: str = ""
    """What it is a step of: layers of one track, in order, are each other's neighbours."""


def layers(trace: Trace) -> tuple[Layer, ...]:
    """The layers of a trace, from the inputs to the loss.

    >>> import tracer as tr
    >>> net = tr.nn.Sequential(tr.nn.Linear(2, 3), tr.relu, tr.nn.Linear(3, 1))
    >>> trace = tr.trace(tr.sum(net([[1.0, 2.0]])))
    >>> [(layer.name, trace[layer.output].op_name) for layer in layers(trace)]
    [('linear[k=0]', 'relu'), ('linear[k=2]', 'linear')]
    """
    reads = _parameter_readers(trace)
    heads = _heads(trace, reads if reads.any() else trace.op_of >= 0)
    groups: dict[Scope | int, list[int]] = defaultdict(list)
    for node, key in _grouped(trace, heads, reads):
        groups[key].append(node)
    found = [_layer(trace, key, nodes, reads) for key, nodes in groups.items()]
    return tuple(sorted(filter(None, found), key=lambda layer: layer.output))


def time_steps(trace: Trace) -> tuple[Layer, ...]:
    """The time steps of a trace, one loop over time after the other; empty where no scope has the key `t`.

    A step puts out the state that the next step reads; the last step, the value that bears the same name. It has no
    parameters: those that all steps share are the layer's.
    """
    prefixes = [_time_prefix(scope) for scope in trace.scopes]
    groups: dict[Scope, list[int]] = defaultdict(list)
    for node in np.flatnonzero(trace.op_of >= 0).tolist():
        prefix = prefixes[trace.scope_of[node]]
        if prefix:
            groups[prefix].append(node)
    tracks: dict[str, list[Scope]] = defaultdict(list)
    for prefix in groups:
        tracks[words((*prefix[:-1], ScopeEntry(prefix[-1].name)))].append(prefix)
    found = []
    for track, steps in tracks.items():
        step_of = {node: k for k, prefix in enumerate(steps) for node in groups[prefix]}
        before: int | None = None
        for k, prefix in enumerate(steps):
            state = _carried(trace, groups[prefix], step_of, k, before)
            if state is None:
                continue
            before = state
            found.append(Layer(words(prefix), state, tuple(groups[prefix]), (), track))
    return tuple(found)


def words(scope: Scope) -> str:
    """A scope as text."""
    return printable(".".join(map(str, scope)))


# ----- scopes


def _layer_key(scope: Scope) -> Scope | None:
    """A scope without the indices of time; None for that of a recorded backward pass."""
    if any(entry.is_sweep for entry in scope):
        return None
    return tuple(ScopeEntry(entry.name) if entry.key == TIME else entry for entry in scope)


def _time_prefix(scope: Scope) -> Scope:
    """The scope down to its outermost time step; empty if it has none."""
    at = next((k for k, entry in enumerate(scope) if entry.key == TIME), None)
    return () if at is None or _layer_key(scope) is None else scope[: at + 1]


def _heads(trace: Trace, chosen: Array) -> list[Scope]:
    """For each scope the layer that it lies in: the first entries of a scope of the chosen nodes, else nothing."""
    keys = [_layer_key(scope) for scope in trace.scopes]
    holding = [key for s in np.unique(trace.scope_of[chosen]).tolist() if (key := keys[s])]
    depth = _telling_depth(holding)
    kept = {key[:depth] for key in holding}
    return [key[:depth] if key and key[:depth] in kept else () for key in keys]


def _telling_depth(scopes: Sequence[Scope]) -> int:
    """How many entries of a scope tell layers apart: one more than all have in common; 1 for a single scope."""
    if len(set(scopes)) < 2:
        return 1
    common = 0
    while all(len(key) > common and key[common] == scopes[0][common] for key in scopes):
        common += 1
    return common + 1


# ----- groups


def _parameter_readers(trace: Trace) -> Array:
    """bool (nodes,): whether an operation of the forward pass reads a parameter itself."""
    read = trace.input_of >= 0
    read[read] = trace.kind_of[trace.input_of[read]] == PARAMETER
    reads = np.zeros(len(trace), dtype=bool)
    reads[trace.edge_consumer[read]] = True
    forward = np.array([_layer_key(scope) is not None for scope in trace.scopes], dtype=bool)
    return reads & forward[trace.scope_of]


def _grouped(trace: Trace, heads: list[Scope], reads: Array) -> Iterator[tuple[int, Scope | int]]:
    """Each operation that lies in a layer, with that layer: the head of its scope, else how deep it stands.

    Outside scopes a layer begins at what mixes a parameter with data, such as a matrix product; where nothing does, at
    any reader of a parameter; and where there are neither parameters nor scopes, everywhere.
    """
    own = np.array([bool(head) for head in heads], dtype=bool)[trace.scope_of]
    free = reads & ~own
    mixing = [k for k in np.flatnonzero(free).tolist() if not _elementwise(trace, k)]
    opens = set(mixing or np.flatnonzero(free).tolist())
    everywhere = not reads.any() and not any(heads)
    skipped = [_layer_key(scope) is None for scope in trace.scopes]
    scope_of = trace.scope_of.tolist()
    level, head_of = [0] * len(trace), [()] * len(trace)
    outside: dict[int, list[int]] = defaultdict(list)
    for node in np.flatnonzero(trace.op_of >= 0).tolist():
        if skipped[scope_of[node]]:
            continue
        inputs = [i for i in trace.inputs_of(node) if i >= 0]
        deepest = max((level[i] for i in inputs), default=0)
        head = head_of[node] = heads[scope_of[node]]
        if head:
            level[node] = deepest + any(head_of[i] != head for i in inputs)
            yield node, head
        else:
            level[node] = deepest + (everywhere or node in opens)
            outside[level[node]].append(node)
    span = -(-len(outside) // MOST) or 1
    for depth, nodes in outside.items():
        if everywhere or any(reads[node] for node in nodes):
            yield from ((node, depth // span) for node in nodes)


def _elementwise(trace: Trace, node: int) -> bool:
    op = trace.op(node)
    return op is not None and op.elementwise


def _layer(trace: Trace, key: Scope | int, nodes: list[int], reads: Array) -> Layer | None:
    """The layer of some operations, rising; None if it puts out nothing with a derivative."""
    if isinstance(key, int):
        last = next((n for n in reversed(nodes) if reads[n]), nodes[-1])
    else:
        inside = set(nodes)
        last = next((n for n in reversed(nodes) if _leaves(trace, n, inside)), nodes[-1])
    tail = _activations_behind(trace, last, reads)
    output = tail[-1] if tail else last
    if trace.storage.held(output).dtype.kind != "f":
        return None
    own = tuple(n for n in nodes if n <= last)
    name = trace.label(output) if isinstance(key, int) else str(key[-1])
    return Layer(printable(name), output, (*own, *tail), _parameters(trace, own))


def _leaves(trace: Trace, node: int, inside: Collection[int]) -> bool:
    """Whether a value with a derivative is read from outside a layer, or is the loss."""
    if trace.storage.held(node).dtype.kind != "f":
        return False
    consumers = trace.edge_consumer[trace.uses_of(node)].tolist()
    return node == trace.loss or any(n not in inside for n in consumers)


def _activations_behind(trace: Trace, node: int, reads: Array) -> list[int]:
    """The chain from a layer's output to the last activation that it runs through alone, in whatever scope."""
    chain: list[int] = []
    activations = 0
    while True:
        consumers = set(trace.edge_consumer[trace.uses_of(node)].tolist())
        alone = [n for n in consumers if not reads[n] and _reads_one_array(trace, n)]
        if len(alone) != 1 or len(chain) > LONGEST:
            return chain[:activations]
        node = alone[0]
        chain.append(node)
        if shape_of_activation(trace, node):
            activations = len(chain)


def _reads_one_array(trace: Trace, node: int) -> bool:
    """Whether a node makes each number of one number: elementwise, with nothing but Python numbers beside."""
    return _elementwise(trace, node) and sum(i >= 0 for i in trace.inputs_of(node)) == 1


def _parameters(trace: Trace, nodes: Sequence[int]) -> tuple[int, ...]:
    """The parameters that some operations read, each once."""
    read = dict.fromkeys(i for node in nodes for i in trace.inputs_of(node) if i >= 0)
    return tuple(i for i in read if trace.kind_of[i] == PARAMETER)


def _carried(
    trace: Trace, nodes: Sequence[int], step_of: Mapping[int, int], step: int, before: int | None
) -> int | None:
    """What a step hands to the next: the last value that a later step reads; at the end, the one named as before."""
    floats = [n for n in nodes if trace.storage.held(n).dtype.kind == "f"]
    for node in reversed(floats):
        consumers = trace.edge_consumer[trace.uses_of(node)].tolist()
        if any(step_of.get(n, step) > step for n in consumers):
            return node
    if before is not None:
        alike = [n for n in floats if trace.op_of[n] == trace.op_of[before]]
        named = [n for n in alike if trace.names[n] == trace.names[before]]
        if named or alike:
            return (named or alike)[-1]
    return floats[-1] if floats else None
