"""The frozen record that every view reads: integer columns over nodes, pointing into interned tables.

Nodes stand in the order in which they ran, so an input has a smaller number than its consumer. Numbers lie behind a
`Storage`; a `Node` is a view made when asked for. A `Trace` has one loss, one seed cotangent and its own sweep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ops.primitive import NOTHING, Array
from tracer.backing import OnHost, Storage
from tracer.errors import GradstepError, ReplayError
from tracer.fetching import fetched, seen
from tracer.format import printable
from tracer.names import labels_of, names_of, node_called, numbers_of
from tracer.nodes import Flow as Flow
from tracer.nodes import Guard as Guard
from tracer.nodes import Node as Node
from tracer.places import Place, SourceFile
from tracer.structure import Structure
from tracer.values import lies_elsewhere, read_only

if TYPE_CHECKING:
    from tracer.diagrams import Diagram
    from tracer.diagrams.notebook import Stepper
    from tracer.diagrams.picture import Direction
    from tracer.reach import Swept
    from tracer.timeline import Timeline


COLUMNS = ("op_of", "kind_of", "input_start", "input_of", "params_of", "scope_of", "given_names")
"""What the structure of a trace consists of."""


@dataclass(frozen=True, eq=False)
class Trace(Structure):
    """The frozen record of a run: what was computed, in which order, and what flows back.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> trace = tr.trace(x * x)
    >>> [flow.cotangent for flow in trace.flows_into("x")], trace.gradient("x")
    ([np.float64(3.0), np.float64(3.0)], np.float64(6.0))
    """

    storage: Storage
    loss: int
    seed: Array | None
    guards: tuple[Guard, ...] = ()
    flipped: tuple[Guard, ...] = ()
    """Guards that a replay found to see another value than when the run was recorded."""
    sources: Mapping[str, SourceFile] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    like: Trace | None = field(default=None, repr=False)
    """The trace that this is a replay of; see `skeleton`."""

    @property
    def skeleton(self) -> Trace:
        """The trace with these very columns that was there first: what follows from them alone is worked out for it.

        A replay that changed values only shares its columns with what was replayed; any other trace is its own.
        """
        like = self.like
        if like is None or like.loss != self.loss:
            return self
        return like if all(getattr(like, c) is getattr(self, c) for c in COLUMNS) else self

    # ----- nodes

    def __iter__(self) -> Iterator[Node]:
        return (Node(self, k) for k in range(len(self)))

    def __getitem__(self, key: int | str) -> Node:
        return Node(self, self.node_index(key))

    def __repr__(self) -> str:
        steps = self.timeline.last
        loss = f"loss {self.label(self.loss)}" if self.loss >= 0 else "no loss"
        return f"<Trace of {len(self)} nodes, {steps} steps, {loss}>"

    def node_index(self, key: int | str | Node) -> int:
        """The number of a node given by number or its digits, name (`h`: the latest), label (`h#3`, `mul@7`) or view.

        Raises `UnknownNameError` that lists the names there are.
        """
        return key.index if isinstance(key, Node) else node_called(self, key)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each node: given, or the variable it was assigned to; empty if it has none."""
        first = self.skeleton
        return names_of(self) if first is self else first.names

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """A unique label for each node: `h`, `h#3` where the name repeats, `mul@7` where there is no name."""
        first = self.skeleton
        return labels_of(self) if first is self else first.labels

    def label(self, node: int) -> str:
        """The unique label of a node."""
        return self.labels[node]

    @cached_property
    def numbers_of_names(self) -> Mapping[str, int]:
        """The number of each node by its label, and by its name: of those that share one, the latest."""
        first = self.skeleton
        return numbers_of(self) if first is self else first.numbers_of_names

    def source_line(self, place: Place) -> str:
        """The text of the first line of a place, as it was when the trace was frozen."""
        source = self.sources.get(place.file)
        if source is None or not 0 < place.line <= len(source.lines):
            return ""
        return printable(source.lines[place.line - 1].expandtabs(1))

    # ----- numbers

    def value(self, key: int | str) -> Array:
        """The forward value of a node: a numpy scalar for rank 0, else a read-only array, copied from a device."""
        return self.storage.value(self.node_index(key))

    def gradient(self, key: int | str) -> Array | None:
        """The gradient of a node by the trace's own sweep; None where none flows."""
        node = self.node_index(key)
        return fetched(self.held_gradient(node))

    def held_gradient(self, node: int) -> Array | None:
        """The gradient of a node where it lies: opaque, if on a device."""
        if self.storage.has_gradients:
            return self.storage.gradient(node)
        return self.swept.gradients[node]

    def seen(self, node: int) -> Any:
        """The forward value of a node as views read it: a large array of a device from afar, window by window."""
        return seen(self.storage.held(node))

    def seen_gradient(self, node: int) -> Any:
        """The same of its gradient; None where none flows."""
        return seen(self.held_gradient(node))

    def seen_saved(self, node: int) -> Mapping[str, Any]:
        """The same of what the kernel of a node handed to its rules."""
        return {name: seen(x) for name, x in self.storage.held_saved(node).items()}

    def seen_flow(self, edge: int) -> Any:
        """The same of the flow along an edge."""
        consumer, argument = int(self.edge_consumer[edge]), int(self.edge_argument[edge])
        wanted = [k == argument for k in range(len(self.inputs_of(consumer)))]
        return read_only(seen(self._sent(consumer, wanted)[argument]))

    @property
    def device(self) -> str:
        """Where the run took place: `cpu`, or the device on which the loss or any other node lies."""
        found: str = self.meta.get("device", "cpu")
        return found

    def input_values(self, node: int) -> list[Any]:
        """The values that a node read, Python numbers among them."""
        value, literals = self.storage.value, self.literals
        return [value(i) if i >= 0 else literals[-1 - i] for i in self.inputs_of(node)]

    def held_inputs(self, node: int) -> list[Any]:
        """The same where they lie."""
        held, literals = self.storage.held, self.literals
        return [held(i) if i >= 0 else literals[-1 - i] for i in self.inputs_of(node)]

    def on_host(self) -> Trace:
        """The trace with the numbers of a device copied to the host, where replays run; itself if they lie there."""
        if self.device == "cpu" and not any(op.name == "to" for op in self.ops):
            return self
        here = {"device": "cpu", "source": "cpu"}
        return replace(
            self,
            ops=tuple(op.definition for op in self.ops),
            params=tuple({**p, **here} if here.keys() <= p.keys() else p for p in self.params),
            storage=OnHost(self),
            seed=fetched(self.seed),
            meta={key: value for key, value in self.meta.items() if key != "device"},
            like=self.skeleton,
        )

    # ----- edges

    def flows_of(self, node: int) -> list[int]:
        """The edges along which a node sends flows, by argument."""
        first, last = int(self.input_start[node]), int(self.input_start[node + 1])
        return [edge for edge in range(first, last) if self.edge_flows[edge]]

    @cached_property
    def tracked(self) -> Array:
        """bool (nodes,): a float that depends on an input or parameter by differentiable uses."""
        return self._reach[0]

    @cached_property
    def reaches_loss(self) -> Array:
        """bool (nodes,): the loss depends on the value, by any use."""
        return self._reach[1]

    @cached_property
    def receives(self) -> Array:
        """bool (nodes,): the backward pass brings a cotangent here."""
        return self._reach[2]

    @cached_property
    def edge_flows(self) -> Array:
        """bool (edges,): the backward pass sends a flow along this edge."""
        return self._reach[3]

    @cached_property
    def _reach(self) -> tuple[Array, Array, Array, Array]:
        from tracer.reach import reach

        return reach(self)

    # ----- the backward pass

    @cached_property
    def swept(self) -> Swept:
        """The trace's own reverse sweep, run once."""
        from tracer.reach import sweep

        return sweep(self)

    def flow_kernels(self, node: int) -> str:
        """Which kernels ran the rules of a node; see `Node.flow_kernels`."""
        op = self.op(node)
        if op is None or not self.flows_of(node):
            return ""
        if op.definition is op or op.kernels.startswith("numba"):
            return op.kernels.removesuffix(" flows")
        return "" if self.storage.has_gradients else self.swept.kernels.get(node, "numpy")

    def flow(self, edge: int) -> Flow:
        """The flow along one edge: the rule of its consumer, run on the recorded numbers."""
        consumer, argument = int(self.edge_consumer[edge]), int(self.edge_argument[edge])
        wanted = [k == argument for k in range(len(self.inputs_of(consumer)))]
        cotangent = read_only(fetched(self._sent(consumer, wanted)[argument]))
        return Flow(consumer, argument, int(self.input_of[edge]), cotangent)

    def flows_from(self, key: int | str) -> tuple[Flow, ...]:
        """What a node sends to its inputs, by argument."""
        node = self.node_index(key)
        first, last = int(self.input_start[node]), int(self.input_start[node + 1])
        wanted = self.edge_flows[first:last].tolist()
        if not any(wanted):
            return ()
        sent = self._sent(node, wanted)
        return tuple(
            Flow(node, k, int(self.input_of[first + k]), read_only(fetched(sent[k])))
            for k, sends in enumerate(wanted)
            if sends
        )

    def flows_into(self, key: int | str) -> tuple[Flow, ...]:
        """What the uses of a node send to it, in the order of the backward pass; their sum is its gradient."""
        return tuple(self.flow(edge) for edge in self.timeline.arrivals(self.node_index(key)))

    def _sent(self, node: int, wanted: Sequence[bool]) -> list[Any]:
        """What a node sends to its inputs, where it lies."""
        gradient = self.held_gradient(node)
        assert gradient is not None
        with np.errstate(all="ignore"):
            return self.pull_back(node, gradient, wanted)

    def pull_back(self, node: int, gradient: Array, wanted: Sequence[bool]) -> list[Any]:
        """The flows of a node for a cotangent of it, where that lies: its rules, run on the recorded numbers.

        Raises `ReplayError` where a rule cannot run on them (a file of another making).
        """
        op = self.op(node)
        assert op is not None
        if not op.elementwise or not self.storage.is_proven(node):
            # the rules of an elementwise operation that ran make no more than it did
            from tracer.running import prove

            prove(self, node)
        value, params = self.storage.held(node), self.params[self.params_of[node]]
        inputs, saved = self.held_inputs(node), self.storage.held_saved(node)
        if gradient.shape != value.shape:
            raise ReplayError(
                f"the gradient of {self.label(node)} has shape {gradient.shape}, its value {value.shape}\n"
                f"  try: a trace recorded by this version"
            )
        try:
            flows = op.pull_back(gradient, value, inputs, wanted, params, saved)
            return flows if lies_elsewhere(gradient) else [fetched(flow) for flow in flows]
        except GradstepError:
            raise
        except Exception as error:
            raise ReplayError(
                f"the rule of {self.label(node)} ({op.name}) cannot run on the recorded numbers: {error}\n"
                f"  try: a trace recorded by this version"
            ) from error

    @cached_property
    def timeline(self) -> Timeline:
        """The positions of this trace: forward steps, then flows."""
        from tracer.timeline import Timeline

        return Timeline(self)

    # ----- what one can do with it

    def replay(
        self,
        values: Mapping[Any, Any] = NOTHING,
        *,
        params: Mapping[Any, Mapping[str, Any]] = NOTHING,
        numbers: Mapping[Any, Any] = NOTHING,
    ) -> Trace:
        """The same run with some values, parameters or numbers overridden; see `tracer.replay.replay`."""
        from tracer.replay import replay

        return replay(self, values, params=params, numbers=numbers)

    def save(self, path: Any) -> None:
        """Write the trace to a file that `tr.load` reads; see `tracer.storage.save`."""
        from tracer.storage import save

        save(self, path)

    def __reduce__(self) -> tuple[Any, ...]:
        """A trace goes to another process as the file that it would be saved as; see `tracer.parcels`."""
        from tracer.parcels import opened

        return opened, (self._parcel,)

    @cached_property
    def _parcel(self) -> Any:
        from tracer.parcels import packed

        return packed(self)

    def diagram(
        self,
        style: str | None = None,
        step: int | None = None,
        *,
        theme: str = "light",
        scope: str | None = None,
        around: str | int | None = None,
        radius: int = 2,
        most: int | None = None,
        local: bool = False,
        direction: Direction | None = None,
    ) -> Diagram:
        """The figure of this trace at a step; see `tracer.diagrams.diagram`."""
        from tracer.diagrams import diagram

        return diagram(
            self,
            style=style,
            step=step,
            theme=theme,
            scope=scope,
            around=around,
            radius=radius,
            most=most,
            local=local,
            direction=direction,
        )

    def stepper(self, style: str | None = None, **settings: Any) -> Stepper:
        """A cell of a notebook in which one steps through this trace; settings as in `diagram`."""
        from tracer.diagrams.notebook import Stepper

        return Stepper(self.diagram(style, **settings))

    @cached_property
    def _figure(self) -> str | None:
        from tracer.diagrams.notebook import trace_figure

        return trace_figure(self)

    def _repr_svg_(self) -> str | None:
        return self._figure

    def _repr_html_(self) -> str:
        from tracer.diagrams.notebook import trace_html

        return trace_html(self)

    def debug(self) -> None:
        """Open the terminal debugger on this trace."""
        from tracer.debugging import debug

        debug(self)
