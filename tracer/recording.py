"""Where an operation is recorded: the scope around it, whether it is recorded at all, and the user's line.

The recording in force is one frozen record in a context variable, so threads and tasks do not disturb each other.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np


class ScopeEntry(NamedTuple):
    """One level of scope: a name, and an index under a key; the key `t` is the time axis.

    >>> str(ScopeEntry("rnn", "t", 3)), str(ScopeEntry("bn", "", None))
    ('rnn[t=3]', 'bn')
    """

    name: str
    key: str = ""
    index: int | str | None = None  # type: ignore[assignment]  # hides tuple.index

    def __str__(self) -> str:
        return f"{self.name}[{self.key}={self.index}]" if self.key else self.name

    @property
    def is_sweep(self) -> bool:
        """Whether a recorded backward pass made it; a scope of one's own may be called `backward` too.

        >>> ScopeEntry("backward", "t", 3).is_sweep, ScopeEntry("backward", "of", 3).is_sweep
        (False, True)
        """
        return self.name == BACKWARD and self.key == OWNER


Scope = tuple[ScopeEntry, ...]

BACKWARD = "backward"
OWNER = "of"
"""Name and key of the scope in which the rules of a recorded backward pass run; its index is the serial of the node."""


def _own_files() -> frozenset[str]:
    """The Python files that stand between a user's line and a record, spelled as their code objects spell them.

    The rooms that record nothing are not looked through, and pathlib would cost a millisecond.
    """
    house = __file__.rpartition(os.sep)[0].rpartition(os.sep)[0]
    cuda = f"ops{os.sep}cuda"
    with os.scandir(f"{house}{os.sep}{cuda}") as inside:
        families = [f"{cuda}{os.sep}{each.name}" for each in inside if each.is_dir()]
    inner = ("checking", "nn", "optim")
    rooms = (
        *("ops", f"ops{os.sep}devices", cuda, *families),
        *("tracer", *(f"tracer{os.sep}{name}" for name in inner)),
    )
    return frozenset(
        f"{house}{os.sep}{room}{os.sep}{name}"
        for room in rooms
        for name in os.listdir(f"{house}{os.sep}{room}")  # noqa: PTH208
        if name.endswith(".py")
    )


OWN_FILES = _own_files()
"""Files whose frames are skipped in search of the user's line. The gallery is user code; `tui` records nothing."""


class Recording(NamedTuple):
    """What holds for the operations that run now."""

    scope: Scope = ()
    enabled: bool = True
    kept: Recorded | None = None
    hidden: frozenset[str] = OWN_FILES
    kernels: str = ""
    """`numpy` or `numba` if the choice of CPU kernels is forced."""
    device: str = "cpu"
    """Where new leaves are put."""


class Recorded(NamedTuple):
    """What `tr.record()` keeps: every node, also those that do not reach the loss, and its backward passes."""

    nodes: list[Any]
    episodes: list[Episode]


class Episode(NamedTuple):
    """One backward pass of a script: the loss it started from, and its seed cotangent."""

    loss: Any
    seed: Any


CURRENT: ContextVar[Recording] = ContextVar("recording", default=Recording())  # noqa: B039 (frozen)
_LISTENERS: list[list[Episode]] = []


@contextmanager
def switched(**changes: Any) -> Iterator[Recording]:
    """Record in another way inside: the fields of `Recording` that change."""
    changed = CURRENT.get()._replace(**changes)
    token = CURRENT.set(changed)
    try:
        yield changed
    finally:
        CURRENT.reset(token)


class scope(ContextDecorator):  # noqa: N801 (used like a function)
    """Put what is recorded inside under a name, with at most one index: `with tr.scope("rnn", t=3):`.

    Scopes nest, and print as `rnn[t=3].cell`. The key `t` is the time axis of drawings. Decorates a function too.
    Raises `TypeError` for more than one index.

    >>> with scope("rnn", t=3), scope("cell"):
    ...     print(".".join(map(str, CURRENT.get().scope)))
    rnn[t=3].cell
    """

    # a class, for a generator made of it would cost as much as recording an operation, at every time step
    __slots__ = ("entry", "tokens")

    def __init__(self, name: str, /, **index: int | str) -> None:
        if len(index) > 1:
            raise TypeError(
                f"scope {name!r} takes one index, not {', '.join(index)}\n"
                f"  try: nested scopes, with tr.scope({name!r}, {next(iter(index))}=...), tr.scope(...)"
            )
        self.tokens: list[Any] = []  # a scope may be entered again inside itself
        if index:
            ((key, value),) = index.items()
            if type(value) is not int and isinstance(value, np.generic):
                value = value.item()
            self.entry = ScopeEntry(name, key, value)
        else:
            self.entry = ScopeEntry(name)

    def __enter__(self) -> None:
        now = CURRENT.get()
        inside = (*now.scope, self.entry)
        changed = Recording(inside, now.enabled, now.kept, now.hidden, now.kernels, now.device)
        self.tokens.append(CURRENT.set(changed))

    def __exit__(self, *exception: object) -> None:
        CURRENT.reset(self.tokens.pop())

    def _recreate_cm(self) -> scope:
        """A scope of its own for every call of a decorated function."""
        made = scope(self.entry.name)
        made.entry = self.entry
        return made


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results are constants, and no gradient flows through them."""
    with switched(enabled=False):
        yield


class kernels:  # noqa: N801 (a context manager, used like a function)
    """Choose which CPU kernels run what is recorded from now on: `numpy`, `numba`, or `auto` for what pays.

    What `auto` picks depends on operation, shapes and dtype alone, and stands on the node as `node.kernels`. Values
    differ by no more than stated ulps. In a `with` statement the choice holds inside only; without one it holds from
    the call on. A new thread starts with `auto`.
    Raises `ValueError` for another choice.

    >>> import tracer as tr
    >>> with tr.kernels("numba"):
    ...     pass
    """

    def __init__(self, choice: str) -> None:
        if choice not in ("numpy", "numba", "auto"):
            raise ValueError(f"kernels are 'numpy', 'numba' or 'auto', not {choice!r}")
        now = CURRENT.get()
        self.before = now.kernels
        CURRENT.set(now._replace(kernels="" if choice == "auto" else choice))

    def __enter__(self) -> None: ...

    def __exit__(self, *exception: object) -> None:
        CURRENT.set(CURRENT.get()._replace(kernels=self.before))


@contextmanager
def record() -> Iterator[Recorded]:
    """Keep every node recorded inside, also what does not reach the loss, and the source of what is detached.

    Yields the record: `nodes` in order, and `episodes`, one for each backward pass. A record inside another keeps its
    own, which the outer one gets at its end. `tr.trace(loss)` of a loss recorded inside shows all of them.
    """
    outer, recorded = CURRENT.get().kept, Recorded([], [])
    try:
        with switched(kept=recorded):
            yield recorded
    finally:
        if outer is not None:
            outer.nodes.extend(recorded.nodes)
            outer.episodes.extend(recorded.episodes)


@contextmanager
def episodes(heard: list[Episode] | None = None) -> Iterator[list[Episode]]:
    """Listen to all backward passes while inside, in any thread: each appends its loss and seed to `heard`."""
    heard = [] if heard is None else heard
    _LISTENERS.append(heard)
    try:
        yield heard
    finally:  # by identity: two empty lists are equal
        del _LISTENERS[next(k for k, each in enumerate(_LISTENERS) if each is heard)]


def announce(loss: Any, seed: Any) -> None:
    """Tell the record in force and the listeners that a backward pass starts."""
    kept = CURRENT.get().kept
    for heard in (*_LISTENERS, *([kept.episodes] if kept else [])):
        heard.append(Episode(loss, seed))


def user_frame(depth: int, hidden: frozenset[str]) -> tuple[CodeType | None, int]:
    """The code object and instruction offset of the first frame outside the hidden files, from `depth` frames up."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        if code.co_filename not in hidden:
            return code, frame.f_lasti
        frame = frame.f_back
    return None, 0
