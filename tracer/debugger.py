"""The debugger without a screen: moves, breakpoints, watches and search.

Every view is a function of `(trace, position)`; nothing here changes a trace. The terminal, the commands and the tests
all drive this class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ops.primitive import Array
from tracer.breakpoints import Breakpoint
from tracer.conditions import Condition, Recorded
from tracer.errors import UnknownNameError
from tracer.expressions import node_of
from tracer.moves import Key, Moves
from tracer.moves import Stop as Stop
from tracer.replay import parts_trace
from tracer.selections import PATTERNS, select
from tracer.traces import Trace
from tracer.watches import Shown, Watch, evaluated, watch

EVERY = 256
"""After so many nodes a search asks whether to go on."""


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
        self._shown = Shown()

    # ----- breakpoints

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """The breakpoints, by number."""
        return tuple(self._breakpoints.table.values())

    def add_breakpoint(self, text: str, *, temporary: bool = False, ignore: int = 0) -> Breakpoint:
        """Stop where the text says: `xhat`, `op:mul`, `scope:rnn* except h`, `nan(value)`, `op:exp if inf(value)`.

        See `tracer.selections` for all that may stand there.
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

    def condition(self, number: int, text: str) -> Breakpoint:
        """Give a breakpoint another condition; an empty text takes it away.

        Raises `ConditionError` for one that cannot be read, `UnknownNameError` if there is no such breakpoint.
        """
        return self._breakpoints.condition(self.trace, number, text)

    def coming(self, number: int) -> tuple[int, int] | None:
        """The (position, node) where a breakpoint would stop next, round the end; None if nowhere in this trace."""
        one = self._breakpoints.named(number)
        return self._breakpoints.coming(one, self.trace, self.position, self.interrupted)

    def breakpoints_on(self, node: Key) -> tuple[Breakpoint, ...]:
        """The breakpoints that may stop at a node, for the mark beside it; not those about every node."""
        index = self.trace.node_index(node)
        return tuple(
            each
            for each in self.breakpoints
            if each.selection.kind != "any"
            and self._breakpoints.stops(each, self.trace).mask[index]
        )

    def stopping_places(self, number: int) -> Array:
        """The positions at which a breakpoint may stop in this trace, by rising position."""
        return self._breakpoints.stops(self._breakpoints.named(number), self.trace).positions

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
        gone = self._watches.pop(number, None)
        if gone is None:
            there = ", ".join(map(str, self._watches)) or "none"
            raise UnknownNameError(
                f"there is no watch {number}\n  there are: {there}\n  try: one of these numbers"
            )
        self._shown.forget(gone)

    def watch_values(self) -> tuple[tuple[str, str], ...]:
        """Each watch and what it shows here."""
        return tuple(
            (each.text, self._shown(each, self.trace, self.position)) for each in self.watches
        )

    def evaluate(self, text: str, node: Key | None = None) -> Any:
        """What an expression gives at this position; `value` and `grad` are those of a node, by default the current.

        A number, a truth, an array, or the word for why it cannot be told. Raises `ConditionError` for what cannot be
        read.
        """
        step = self.timeline.step(self.position)
        index = step.node if node is None else self.trace.node_index(node)
        return evaluated(self.trace, self.position, index, text)[0]

    def search(
        self, text: str, progress: Callable[[int, int], None] = lambda done, of: None
    ) -> tuple[int, ...]:
        """The nodes whose name, operation, scope or shape contains a text, whatever the case.

        A text such as `op:mul` or `scope:rnn* if grad > 1` selects as that of a breakpoint does.
        If there is none and the text is a condition, such as `grad > 1e3`, the nodes of which it holds by the final
        recorded numbers, wherever the position is; so many as have been found when it is interrupted.
        Raises `ConditionError` for a text that looks like a condition and is none.
        """
        wanted = text.strip().casefold()
        if not wanted:
            return ()
        if wanted.partition(":")[0] in PATTERNS:
            return self._selected(text.strip(), progress)
        found = tuple(k for k, words in enumerate(self._level.search_texts) if wanted in words)
        if found or not re.search(r"[()<>=!]", wanted):
            return found
        condition = Condition(text)
        condition.expression.fit(self.trace)
        return tuple(self._holding(condition, progress))

    def _selected(self, text: str, progress: Callable[[int, int], None]) -> tuple[int, ...]:
        try:
            chosen = select(self.trace, text)
        except UnknownNameError:  # as one types, `op:sig` is the beginning of a word
            if text.endswith("*"):
                return ()
            return self._selected(f"{text}*", progress)
        mask = chosen.mask(self.trace)
        if chosen.condition is None:
            return tuple(k for k in range(len(mask)) if mask[k])
        return tuple(k for k in self._holding(chosen.condition, progress) if mask[k])

    def _holding(self, condition: Condition, progress: Callable[[int, int], None]) -> Iterator[int]:
        trace, last = self.trace, self.timeline.last
        if not condition.own:
            named = sorted({node_of(trace, name) for name, _ in condition.expression.uses})
            yield from named if condition.holds(Recorded(trace, -1, last)) else ()
            return
        ways = (False, True) if condition.reads_it else (False,)
        for node in range(len(trace)):
            if node % EVERY == 0:
                if self.interrupted():
                    return
                progress(node, len(trace))
            if any(condition.holds(Recorded(trace, node, last, gradient=way)) for way in ways):
                yield node
