"""What the names in a derivation mean: recorded values, gradients of recorded values, parameters of operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from tracer.errors import UnknownNameError
from tracer.traces import Trace

from .reading import spoken
from .sizes import RefusedError

PREFIXES = ("dL_d", "d")
"""What makes the gradient's name out of a value's."""


class Names:
    """The names that a trace offers to a derivation."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    @cached_property
    def nodes(self) -> dict[str, int]:
        """Name or label to node; of a repeated name, the latest."""
        table = {name: k for k, name in enumerate(self.trace.names) if name}
        return table | {label: k for k, label in enumerate(self.trace.labels)}

    @cached_property
    def repeated(self) -> dict[str, int]:
        """Names that several nodes bear, and how many do."""
        return {name: n for name, n in Counter(self.trace.names).items() if name and n > 1}

    @cached_property
    def constants(self) -> dict[str, Any]:
        """Parameters of operations that are plain numbers and have one value in the whole trace, such as eps."""
        found: dict[str, set[Any]] = {}
        for params in self.trace.params:
            for name, value in params.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    found.setdefault(name, set()).add(value)
        return {name: values.pop() for name, values in found.items() if len(values) == 1}

    def gradient(self, name: str) -> int | None:
        """The node whose gradient the name means: `dx` and `dL_dx` mean that of x. None if it means none.

        Raises `RefusedError` where both readings are possible, as for `dx` when a value dx was recorded too.
        """
        name = spoken(name)
        for prefix in PREFIXES:
            node = self.nodes.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
            if node is None:
                continue
            if name in self.nodes:
                inner = name.removeprefix(prefix)
                raise RefusedError(
                    f"{name} is a recorded value, and could be the gradient of {inner}",
                    f"dL_d{inner} for the gradient",
                )
            return node
        return None

    def value(self, name: str) -> int | None:
        """The node of that name or label, None if there is none."""
        return self.nodes.get(spoken(name))

    def recorded(self, name: str) -> Any:
        """What a name means that no line of the derivation defines. Raises `RefusedError` for an unknown one."""
        node = self.gradient(name)
        if node is not None:
            gradient = self.trace.gradient(node)
            if gradient is None:
                raise RefusedError(
                    f"no gradient was recorded for {self.trace.label(node)}",
                    f"a line above that gives {spoken(name)}",
                )
            return gradient
        node = self.value(name)
        if node is not None:
            return self.trace.value(node)
        if name in self.constants:
            return self.constants[name]
        raise self.unknown(name)

    def unknown(self, name: str) -> RefusedError:
        """The complaint about a name that nothing bears, with the names that it may have meant."""
        name = spoken(name)
        for prefix in PREFIXES:
            inner = name.removeprefix(prefix)
            if inner != name and (prefix != "d" or self._close(inner, self.nodes)):
                return self.missing(inner)
        reason = f"{name!r} is neither defined in a line above nor recorded"
        return RefusedError(reason, self._offer(name, [*self.nodes, *self.constants]))

    def missing(self, name: str) -> RefusedError:
        """The complaint about a gradient of something that was not recorded."""
        return RefusedError(
            f"there is no recorded value {name!r}", self._offer(name, [*self.nodes])
        )

    @cached_property
    def listed(self) -> str:
        """The first names that there are."""
        return ", ".join([label for label in self.nodes if "@" not in label][:12])

    def _close(self, name: str, among: Iterable[str]) -> list[str]:
        return get_close_matches(name, list(among)[:5000], n=3)

    def _offer(self, name: str, among: list[str]) -> str:
        close = self._close(name, among)
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
        node = names.value(key)
        if node is None:
            node = names.gradient(key)
        if node is None:
            raise names.missing(key)
    except RefusedError as refused:
        raise UnknownNameError(f"{refused.reason}\n  try: {refused.cure}") from None
    return node
