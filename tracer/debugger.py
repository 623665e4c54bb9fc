"""The debugger without a screen: moves, breakpoints, watches and search.

Every view is a function of `(trace, position)`; nothing here changes a trace. The terminal, the commands and the tests
all drive this class.
"""

from __future__ import annotations

from collections.abc import Callable

from tracer.breakpoints import Breakpoint
from tracer.errors import UnknownNameError
from tracer.moves import Key, Moves
from tracer.moves import Stop as Stop
from tracer.replay import parts_trace
from tracer.traces import Trace
from tracer.watches import Watch, shown, watch


class Debugger(Moves):
    """Moves through a trace, forwards and backwards in time.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> debugger = Debugger(tr.trace(x * x + 1.0))
    >>> debugger.add_breakpoint("op:mul if value > 8").number
    1
    >>> debugger.resume().reason
    'breakpoint 1: op:mul if value > 8 at mul@1'
    >>> debugger.resume().reason, debugger.position, debugger.previous().position
    ('end of the backward pass', 5, 3)
    """

    def __init__(self, trace: Trace, *, parts: Callable[[Trace, int], Trace] = parts_trace) -> None:
        super().__init__(trace, parts)
        self._watches: dict[int, Watch] = {}
        self._watches_made = 0

    # ----- breakpoints

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """The breakpoints, by number."""
        return tuple(self._breakpoints.table.values())

    def add_breakpoint(self, text: str, *, temporary: bool = False, ignore: int = 0) -> Breakpoint:
        """Stop where the text says: `xhat`, `op:mul`, `name:h*`, `scope:rnn*`, `nan(value)`, `op:exp if inf(value)`.

        temporary: only once. ignore: pass over it so many times first.
        Raises `UnknownNameError` where nothing of that name exists, `ConditionError` for what cannot be read.
        """
        return self._breakpoints.add(self.trace, text, temporary=temporary, ignore=ignore)

    def toggle(self, node: Key) -> Breakpoint | None:
        """Put a breakpoint on a node, or take it away if there is one; returns the new one, if any."""
        index = self.trace.node_index(node)
        for each in self.breakpoints:
            chosen = each.selection
            if (chosen.node, chosen.trace, chosen.condition) == (index, self.trace, None):
                self.delete(each.number)
                return None
        return self.add_breakpoint(str(index))

    def delete(self, number: int) -> None:
        """Take a breakpoint away. Raises `UnknownNameError` if there is none of that number."""
        self._breakpoints.delete(number)

    def enable(self, number: int, on: bool = True) -> Breakpoint:
        """Switch a breakpoint on or off."""
        return self._breakpoints.change(number, enabled=on)

    def ignore(self, number: int, count: int) -> Breakpoint:
        """Pass over a breakpoint the next so many times."""
        return self._breakpoints.change(number, ignore=count)

    def breakpoints_on(self, node: Key) -> tuple[Breakpoint, ...]:
        """The breakpoints that may stop at a node, for the mark beside it; not those about every node."""
        index = self.trace.node_index(node)
        return tuple(
            each
            for each in self.breakpoints
            if each.selection.kind != "any"
            and self._breakpoints.stops(each, self.trace).mask[index]
        )

    # ----- watches and search

    @property
    def watches(self) -> tuple[Watch, ...]:
        """The watches, by number."""
        return tuple(self._watches.values())

    def watch(self, text: str) -> Watch:
        """Show an expression at every position: `norm(grad)` of the current node, `xhat`, `rms(grad) of xhat`.

        Raises `ConditionError` or `UnknownNameError` for what cannot be read.
        """
        made = watch(self._watches_made + 1, self.trace, text)
        self._watches_made += 1
        self._watches[made.number] = made
        return made

    def unwatch(self, number: int) -> None:
        """Take a watch away. Raises `UnknownNameError` if there is none of that number."""
        if self._watches.pop(number, None) is None:
            there = ", ".join(map(str, self._watches)) or "none"
            raise UnknownNameError(
                f"there is no watch {number}\n  there are: {there}\n  try: one of these numbers"
            )

    def watch_values(self) -> tuple[tuple[str, str], ...]:
        """Each watch and what it shows here."""
        return tuple((each.text, shown(each, self.trace, self.position)) for each in self.watches)

    def search(self, text: str) -> tuple[int, ...]:
        """The nodes whose name, operation, scope or shape contains a text, whatever the case."""
        wanted = text.strip().casefold()
        if not wanted:
            return ()
        return tuple(k for k, words in enumerate(self._level.search_texts) if wanted in words)
