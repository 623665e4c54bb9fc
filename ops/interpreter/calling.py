"""Which device functions each thread of a recorded kernel is in, and the functions themselves, telling as it does."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from ops.interpreter.record import Call, Function
from ops.interpreter.rewriting import Rewriting
from ops.interpreter.sources import Source, rebuilt
from ops.interpreter.telling import Telling


class Frame:
    """A function that runs: the calls that led to it, and how many calls its present statement has made."""

    __slots__ = ("called", "within")

    def __init__(self, within: tuple[Call, ...]) -> None:
        self.within, self.called = within, 0


class Calls:
    """Of each thread, by its `threadIdx`, the functions that it is in."""

    def __init__(self) -> None:
        self.frames: dict[Any, list[Frame]] = {}

    def of(self, thread: Any) -> list[Frame]:
        """The frames of a thread, the kernel's first."""
        found = self.frames.get(thread)
        if found is None:
            found = self.frames[thread] = [Frame(())]
        return found

    def within(self, thread: Any) -> tuple[Call, ...]:
        """The calls in which a thread is, of which a statement has just ended."""
        frame = self.of(thread)[-1]
        frame.called = 0
        return frame.within

    def enter(self, thread: Any, name: str, line: int) -> None:
        """A thread calls a function in a statement that begins at a line."""
        frames = self.of(thread)
        frames[-1].called += 1
        frames.append(Frame((*frames[-1].within, Call(name, line, frames[-1].called))))

    def leave(self, thread: Any) -> None:
        """It comes back."""
        self.of(thread).pop()


class Told(Rewriting):
    """Rewrites a kernel and its device functions so that they tell. `told` are the functions that a body calls.

    `entered` is called by a thread that comes into a device function: its name, the line of its `def`, the line of the
    statement that calls it, and its arguments that have a name; `left` when it comes back.
    """

    def __init__(
        self,
        kernel: FunctionType,
        told: dict[str, Callable[..., Any]],
        entered: Callable[[str, int, int, dict[str, Any]], None],
        left: Callable[[], None],
    ) -> None:
        super().__init__()
        self.kernel, self.told, self.entered, self.left = kernel, told, entered, left
        self.loops: list[tuple[int, int]] = []
        """The first and the last line of every loop."""
        self.functions: list[Function] = []
        """The device functions, as their file has them."""
        self.statements: dict[int, int] = {}
        """Of a line of a statement, the line with which the statement begins."""

    def rewritten(
        self,
        function: FunctionType,
        tree: ast.FunctionDef,
        source: Source,
        outside: Mapping[str, Any],
    ) -> Any:
        """The function, telling."""
        for node in ast.walk(source.tree):
            if isinstance(node, ast.While | ast.For):
                self.loops.append((node.lineno, node.end_lineno or node.lineno))
            if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef):
                head = getattr(node, "test", None) or getattr(node, "iter", None) or node
                last = head.end_lineno or node.lineno
                self.statements |= dict.fromkeys(range(node.lineno, last + 1), node.lineno)
        device = source.file != self.kernel.__code__.co_filename or (
            source.first_line != self.kernel.__code__.co_firstlineno
        )
        made = rebuilt(function, Telling(device=device).visit(tree), **self.told)
        if not device:
            return made
        self.functions.append(Function(tree.name, source.first_line, source.lines))
        return self._called(made, source.tree.lineno)

    def _called(self, made: FunctionType, line: int) -> Callable[..., Any]:
        """What callers of a device function find: it says who calls from where."""
        names = made.__code__.co_varnames[: made.__code__.co_argcount]
        entered, left, statements = self.entered, self.left, self.statements

        def call(*given: Any, **named: Any) -> Any:
            at = sys._getframe(1).f_lineno
            known = dict(zip(names, given, strict=False)) | named
            entered(made.__name__, line, statements.get(at, at), known)
            found = made(*given, **named)
            left()  # not after a fault: then it shows where the thread was
            return found

        return call
