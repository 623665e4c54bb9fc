"""What the names in a derivation mean: recorded values, gradients of recorded values, parameters of operations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np

from tracer.checking.derivations.reading import spoken
from tracer.checking.derivations.refusals import MisfitError, RefusedError
from tracer.errors import UnknownNameError
from tracer.kinds import KINDS
from tracer.replay import affected
from tracer.traces import Trace

from .families import Family, families_of
from .spellings import PREFIXES, SURE, gradient_of, plain

UPSTREAM = frozenset(
    {"dout", "d_out", "dy", "dY", "g", "delta", "upstream", "grad_output", "grad_out", "dL"}
)
"""Names of the gradient that a derivation starts from, where nothing of that name was recorded or defined."""
BATCH = frozenset({"m", "N", "B", "batch_size"})
"""Names of the length of a batch, where nothing of that name was recorded or defined."""
SMALLEST, LARGEST_EPSILON = 1e-20, 1e-2
"""A number that the forward pass adds is taken for epsilon between these."""
MOST_COMPARED = 5000
"""So many names are looked through for a close one."""
MOST_MEMBERS = 4
"""So many values of one stem, z1 to z4, are listed one by one."""
MOST_OUTPUTS = 64
"""So many values are tried for what `dout` is the gradient of."""


class Names:
    """The names that a trace offers to a derivation."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._meant: dict[tuple[str, str], Any] = {}
        self.instead: Mapping[int, Any] = {}
        """Gradients that come out otherwise by the forward lines of the derivation."""
        self.outside: Collection[str] = ()
        """Names that are made outside of the derivation: they mean what was recorded by just that name."""

    @cached_property
    def nodes(self) -> dict[str, int]:
        """Name or label to node; of a repeated name, the latest."""
        table = {name: k for k, name in enumerate(self.trace.names) if name}
        return table | {label: k for k, label in enumerate(self.trace.labels)}

    @cached_property
    def spelled(self) -> dict[str, list[str]]:
        """The names that share a plain form, such as x_hat and xhat."""
        table: dict[str, list[str]] = defaultdict(list)
        for name in dict.fromkeys(filter(None, self.trace.names)):
            table[plain(name.replace(".", "_"))].append(name)
        return table

    @cached_property
    def repeated(self) -> dict[str, int]:
        """Names that several nodes bear, and how many do."""
        return {name: n for name, n in Counter(self.trace.names).items() if name and n > 1}

    @cached_property
    def families(self) -> dict[str, Family]:
        """Names of values that a loop recorded at each step."""
        return families_of(self.trace)

    @cached_property
    def constants(self) -> dict[str, Any]:
        """Parameters of operations that are plain numbers and have one value in the whole trace, such as eps."""
        found: dict[str, set[Any]] = defaultdict(set)
        for params in self.trace.params:
            for name, value in params.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    found[name].add(value)
        if "eps" not in found:
            found["eps"] = set(self._added)
        table = {name: values.pop() for name, values in found.items() if len(values) == 1}
        return table | ({"epsilon": table["eps"]} if "eps" in table else {})

    @property
    def _added(self) -> Iterable[float]:
        """Small numbers that the forward pass adds to something."""
        trace = self.trace
        for node in np.flatnonzero(trace.op_of >= 0).tolist():
            op = trace.op(node)
            if op is not None and op.name == "add":
                for number in trace.input_values(node):
                    if isinstance(number, float) and SMALLEST < number <= LARGEST_EPSILON:
                        yield float(number)

    # ----- values and gradients

    def value(self, name: str) -> int | None:
        """The node of that name or label, or of the one other spelling of it; None if there is none."""
        found: int | None = self._once("value", name, self._value)
        return found

    def _once(self, what: str, name: str, find: Callable[[str], Any]) -> Any:
        """What a name means, looked for once: repairs ask for the same names thousands of times."""
        key = (what, name)
        if key not in self._meant:
            self._meant[key] = find(spoken(name))
        return self._meant[key]

    def _value(self, name: str) -> int | None:
        node = self.nodes.get(name)
        if node is not None:
            return node
        others = self.spelled.get(plain(name), [])
        if len(others) > 1:
            raise RefusedError(
                f"{name} could be {' or '.join(others)}, which are both recorded", others[0]
            )
        return self.nodes[others[0]] if others else None

    def gradient(self, name: str) -> int | None:
        """The node whose gradient the name means: `dx` and `dL_dx` mean that of x. None if it means none.

        Raises `RefusedError` where both readings are possible, as for `dx` when a value dx was recorded too.
        """
        found: int | None = self._once("gradient", name, self._gradient)
        return found

    def _gradient(self, name: str) -> int | None:
        for inner in gradient_of(name):
            node = self.value(inner)
            if node is None:
                continue
            if name in self.nodes and not self._alike(self.nodes[name], node):
                raise RefusedError(
                    f"{name} is a recorded value, and could be the gradient of {inner}",
                    f"dL_d{inner} for the gradient",
                )
            return node
        return None

    def _alike(self, value: int, node: int) -> bool:
        """Whether a recorded value is the very gradient of a node, so that it does not matter which is meant."""
        gradient = self.trace.gradient(node)
        return gradient is not None and np.array_equal(self.trace.value(value), gradient)

    def family(self, name: str) -> Family | None:
        """The values at each step that a name means: `h`, or `hs` where h was recorded; None if it means none."""
        found: Family | None = self._once("family", name, self._family)
        return found

    def _family(self, name: str) -> Family | None:
        for each in (name, f"{name}s", name.removesuffix("s")):
            if each in self.families and (each == name or name not in self.nodes):
                return self.families[each]
        others = [each for each in self.families if plain(each) == plain(name)]
        return self.families[others[0]] if len(others) == 1 and name not in self.nodes else None

    def gradient_family(self, name: str) -> Family | None:
        """The values at each step whose gradients a name means: `dh`, `dhs`."""
        found: Family | None = self._once("gradients", name, self._gradients)
        return found

    def _gradients(self, name: str) -> Family | None:
        if name in self.nodes:
            return None
        for inner in gradient_of(name):
            family = self.family(inner)
            if family is not None:
                return family
        return None

    def right(self, node: int) -> Any:
        """The gradient of a node by the recorded forward pass, with the derivation's own forward lines in it."""
        return self.instead[node] if node in self.instead else self.trace.gradient(node)

    def recorded_gradient(self, node: int, name: str) -> Any:
        """The recorded gradient of a node. Raises `RefusedError` if there is none."""
        gradient = self.right(node)
        if gradient is None:
            raise RefusedError(
                f"no gradient was recorded for {self.trace.label(node)}",
                f"a line above that gives {spoken(name)}",
            )
        return gradient

    def refuse_stem(self, name: str, family: Family) -> None:
        """Complain about z where z1 and z2 were recorded, and no loop over time says which of them is meant."""
        if family.name in self.nodes or len(family) < 2:
            return
        name = spoken(name)
        gradient = name not in self.families and self.gradient_family(name) is not None
        members = [self.trace.label(node) for node in family.nodes]
        if gradient:
            members = [f"dL/d{member}" for member in members]
            name = f"dL/d{family.name}"
        shown = members if len(members) <= MOST_MEMBERS else [members[0], "…", members[-1]]
        raise RefusedError(
            f"{name}: no value {family.name!r} was recorded: did you mean {' or '.join(shown)}?",
            "the one of them that is meant, by its name",
        )

    def refuse_outside(self, name: str) -> None:
        """Complain about a name that is made outside of the derivation, and was not recorded by just that name."""
        if name in self.outside and name not in self.nodes and name not in self.families:
            family = self.family(name)
            raise RefusedError(
                f"{name} is made outside of the derivation, where nothing is read, and was not recorded by that name",
                f"{family.name}[t] for that of a time step"
                if family
                else f"a line that defines {name}",
            )

    # ----- what stands for something

    def output(self, claimed: Collection[int]) -> int | None:
        """The value whose gradient `dout` means: the first named one through which all claims reach the loss."""
        trace = self.trace
        claimed = [node for node in claimed if node != trace.loss and trace.receives[node]]
        if not claimed:
            return None
        reach = affected(trace, claimed, trace.loss)
        named = [k for k in reach if trace.names[k] and k not in claimed and trace.receives[k]]
        for node in named[:MOST_OUTPUTS]:
            before = [k for k in claimed if k < node]
            if len(before) == len(claimed) and trace.loss not in self._around(claimed, node):
                return node
        return None

    def _around(self, claimed: list[int], node: int) -> set[int]:
        """What some nodes reach without going through another."""
        trace, marked = self.trace, set(claimed)
        for k in range(min(claimed) + 1, trace.loss + 1):
            if k != node and k not in marked and any(i in marked for i in trace.inputs_of(k)):
                marked.add(k)
        return marked

    def length(self, name: str) -> tuple[int, str] | None:
        """The length that a name such as `m` or `T` stands for, and of what; None where that is not clear."""
        if name == "T" and self.families:
            lengths = {len(family) for family in self.families.values()} - {1}
            return (lengths.pop(), "the number of time steps") if len(lengths) == 1 else None
        if name not in BATCH:
            return None
        trace, inputs = self.trace, KINDS.index("input")
        leaves = np.flatnonzero(trace.kind_of == inputs).tolist()
        tables = [k for k in leaves if trace.names[k] and np.ndim(trace.value(k)) > 1]
        lengths = {len(trace.value(k)) for k in tables}
        if len(lengths) != 1:
            return None
        return lengths.pop(), f"the length of the first axis of {trace.label(tables[0])}"

    # ----- complaints

    def unknown(self, name: str) -> RefusedError:
        """The complaint about a name that nothing bears, with the names that it may have meant."""
        name = spoken(name)
        for prefix in PREFIXES:
            inner = name.removeprefix(prefix)
            if inner != name and (prefix in SURE or self._close(inner, self.nodes)):
                return self.missing(inner)
        reason = f"{name!r} is neither defined in a line above nor recorded{self._meant_by(name)}"
        return MisfitError(reason, self._offer(name, [*self.nodes, *self.constants]), name)

    def missing(self, name: str) -> RefusedError:
        """The complaint about a gradient of something that was not recorded."""
        reason = f"there is no recorded value {name!r}{self._meant_by(name)}"
        return MisfitError(reason, self._offer(name, [*self.nodes]), name)

    def _meant_by(self, name: str) -> str:
        """The question whether something was meant that has nearly that name; empty where nothing has."""
        close = self.near(name)
        return f": did you mean {' or '.join(close[:2])}?" if close else ""

    def near(self, name: str) -> list[str]:
        """The recorded names that a name may have meant: in other case, or nearly so spelt; the closest first.

        >>> import tracer as tr
        >>> X, W1 = tr.tensor(1.0, name="X"), tr.tensor(2.0, name="W1")
        >>> names = Names(tr.trace(X * W1))
        >>> names.near("x"), names.near("w1")
        (['X'], ['W1'])
        """
        named = [label for label in list(self.nodes)[:MOST_COMPARED] if "@" not in label]
        same = [each for each in named if each.casefold() == name.casefold() and each != name]
        close = get_close_matches(name, named, n=3, cutoff=0.75 if len(name) > 2 else 1.0)
        return list(dict.fromkeys([*same, *close]))[:3]

    def mistyped(self, name: str) -> str:
        """What was recorded under nearly that name, and is not it and a number: a slip of the fingers; else empty."""
        if name.rstrip("0123456789_") in self.nodes:
            return ""
        close = self.near(name)
        return close[0] if close else ""

    @cached_property
    def listed(self) -> str:
        """The first names that there are."""
        return ", ".join([label for label in self.nodes if "@" not in label][:12])

    def _close(self, name: str, among: Iterable[str]) -> list[str]:
        return get_close_matches(name, list(among)[:MOST_COMPARED], n=3)

    def _offer(self, name: str, among: list[str]) -> str:
        close = list(dict.fromkeys([*self.near(name), *self._close(name, among)]))[:3]
        if close:
            return " or ".join(close)
        return (
            f"a line that defines it, or one of {self.listed}"
            if self.listed
            else "a line that defines it"
        )


def node_of(names: Names, key: str) -> int:
    """The node that a key of a derivation given as a mapping means: `x`, or `dx`, or `dL_dx`.

    Raises `UnknownNameError` that lists what there is.
    """
    try:
        node = names.nodes.get(key)
        if node is None:
            node = names.gradient(key)
        if node is None:
            node = names.value(key)
        if node is None:
            raise names.missing(key)
    except RefusedError as refused:
        raise UnknownNameError(f"{refused.reason}\n  try: {refused.cure}") from None
    return node
