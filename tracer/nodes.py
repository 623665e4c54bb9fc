"""What one asks of a trace: a node, a flow along an edge, a look that Python took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ops.primitive import NOTHING, Array, Primitive
from tracer.fetching import formed
from tracer.format import printable
from tracer.kinds import KINDS
from tracer.places import Place
from tracer.recording import ScopeEntry

if TYPE_CHECKING:
    from tracer.traces import Trace


class Flow(NamedTuple):
    """What one use of a value sends back to it."""

    consumer: int
    argument: int
    input: int
    cotangent: Array


class Guard(NamedTuple):
    """A look that Python took at a value: `bool`, `int` or `item`, what it saw, and where."""

    node: int
    kind: str
    result: Any
    place: int


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a trace: a light view, made when asked for."""

    trace: Trace
    index: int

    def __repr__(self) -> str:
        return f"<Node {self.index} {self.label}: {self.op_name} {self.shape}>"

    def _repr_html_(self) -> str:
        from tracer.diagrams.notebook import node_html

        return node_html(self)

    @property
    def op(self) -> Primitive | None:
        """The primitive that made it, None for a leaf."""
        return self.trace.op(self.index)

    @property
    def op_name(self) -> str:
        """The name of the primitive; for a leaf its kind."""
        op = self.op
        return op.name if op is not None else self.kind

    @property
    def kernels(self) -> str:
        """Which kernels ran it: `numpy`, `numba`, or `numba flows` if numpy computed the value; empty for a leaf.

        On a device: `cuda`, `interpret`, or `host` where numpy ran on copies.
        """
        op = self.op
        return op.kernels if op is not None else ""

    @property
    def flow_kernels(self) -> str:
        """Which kernels ran its rules, in the same words: `host` where numpy ran any part of them on copies.

        Empty where it sends no flows, and of a run on a device that was loaded from a file, which does not say so.

        >>> import tracer as tr
        >>> x = tr.tensor(3.0, name="x", device="interpret")
        >>> node = tr.trace(x * x)[1]
        >>> node.kernels, node.flow_kernels
        ('interpret', 'interpret')
        """
        return self.trace.flow_kernels(self.index)

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return KINDS[self.trace.kind_of[self.index]]

    @property
    def is_leaf(self) -> bool:
        """Whether no operation made it."""
        return bool(self.trace.op_of[self.index] < 0)

    @property
    def inputs(self) -> tuple[Node | Any, ...]:
        """What it read, in argument order: nodes, and Python numbers."""
        trace = self.trace
        return tuple(
            Node(trace, i) if i >= 0 else trace.literals[-1 - i]
            for i in trace.inputs_of(self.index)
        )

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The name of each argument, numbered where the last input repeats: `arrays[0]`."""
        op = self.op
        if op is None:
            return ()
        count = len(self.trace.inputs_of(self.index))
        if not op.variadic:
            return op.inputs[:count]
        head = op.inputs[:-1]
        return (*head, *(f"{op.inputs[-1]}[{k}]" for k in range(count - len(head))))

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the operation, such as axis."""
        return self.trace.params[self.trace.params_of[self.index]] if not self.is_leaf else NOTHING

    @property
    def saved(self) -> Mapping[str, Array]:
        """What the kernel handed to its rules."""
        return self.trace.storage.saved(self.index)

    @property
    def value(self) -> Array:
        """The forward value."""
        return self.trace.storage.value(self.index)

    @property
    def seen(self) -> Any:
        """The forward value as views read it: a large array of a device from afar, window by window."""
        return self.trace.seen(self.index)

    @property
    def seen_gradient(self) -> Any:
        """The same of the final gradient; None where none flows."""
        return self.trace.seen_gradient(self.index)

    @property
    def seen_saved(self) -> Mapping[str, Any]:
        """The same of what the kernel handed to its rules."""
        return self.trace.seen_saved(self.index)

    @property
    def form(self) -> Array:
        """The forward value, or ones of its shape and dtype in place of a large array that lies on a device.

        Formulas in letters need no numbers.
        """
        return formed(self.seen)

    @property
    def gradient(self) -> Array | None:
        """The final gradient, None where none flows."""
        return self.trace.gradient(self.index)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return tuple(self.trace.storage.held(self.index).shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        found: np.dtype[Any] = self.trace.storage.held(self.index).dtype
        return found

    @property
    def name(self) -> str:
        """The given or variable name; empty if there is none."""
        return self.trace.names[self.index]

    @property
    def label(self) -> str:
        """A unique name: `h`, `h#3` or `mul@7`."""
        return self.trace.labels[self.index]

    @property
    def scope(self) -> tuple[ScopeEntry, ...]:
        """The scopes around it, outermost first."""
        return self.trace.scopes[self.trace.scope_of[self.index]]

    @property
    def scope_text(self) -> str:
        """The scopes as text: `rnn[t=3].cell`."""
        return printable(".".join(map(str, self.scope)))

    @property
    def place(self) -> Place | None:
        """Where in the user's source it was made."""
        which = self.trace.place_of[self.index]
        return self.trace.places[which] if which >= 0 else None
