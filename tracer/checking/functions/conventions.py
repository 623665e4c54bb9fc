"""How a backward function is called: what it takes, and in which order.

Kernel authors write `backward(g, x, w)`, `backward(g, out, x, w)`, `backward(g, cache)`, `backward(g, x, dx)` that
fills dx, and more. Which it is follows from how many arguments there are and how they are called; where two readings
are left, nothing is guessed.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tracer.errors import CheckError

WORDS = {
    "g": "the cotangent of the output; a tuple of them where there are several outputs",
    "*g": "the cotangents of several outputs, one after another",
    "out": "the output; a tuple where there are several",
    "*args": "the arguments of forward",
    "cache": "the last thing that forward returns, beside its outputs",
    "*into": "for every float argument an array of zeros, into which its gradient is written",
}
"""What a backward function may take: the words of `takes`. An argument of forward may also be named alone."""

READINGS = tuple(
    tuple(text.split(", "))
    for text in (
        "g, *args",
        "g, out, *args",
        "g, cache",
        "*g, *args",
        "*g, cache",
        "g, *args, *into",
        "g, out, *args, *into",
        "g, cache, *into",
        "*args, g",
        "*args, out, g",
        "out, *args, g",
        "*args, g, *into",
        "cache, g",
        "cache, *g",
    )
)
"""What is tried where nothing is told. If the first word is not g, and for *into, a name must speak for the reading."""

CACHES = frozenset(
    (
        "cache cached ctx context saved saved_tensors save residual residuals res memo memory stash tape "
        "state store"
    ).split()
)
OUTPUTS = frozenset("out output outputs o y ans answer result res value".split())
COTANGENTS = frozenset(
    (
        "g gout g_out go gy gz grad grads grad_output grad_outputs grad_out gradient upstream cotangent ct "
        "dout dy dz dl delta dloss"
    ).split()
)


class Role(NamedTuple):
    """What stands in one place of the call: a word of `WORDS` without its star, and which of several."""

    word: str
    which: int = 0


@dataclass(frozen=True)
class Sizes:
    """What is known of a call: the names of forward's arguments, which are floats, and how much it returned."""

    arguments: tuple[str, ...]
    floats: tuple[int, ...]
    returned: int
    """How many things forward returned: 1 for anything but a tuple or list."""
    outputs: tuple[bool, ...]
    """Which of them can be outputs: float arrays and numbers."""

    def results(self, words: Sequence[str]) -> int:
        """How many outputs there are by a reading; 0 if what was returned does not allow it."""
        count = self.returned - ("cache" in words)
        fits = count > 0 and all(self.outputs[:count])
        return count if fits and (count > 1 or "*g" not in words) else 0

    def roles(self, words: Sequence[str]) -> tuple[Role, ...]:
        """What stands in each place of the call, by a reading."""
        many = {
            "*g": range(self.results(words)),
            "*args": range(len(self.arguments)),
            "*into": self.floats,
        }
        found = []
        for word in words:
            if word in self.arguments and word not in WORDS:
                found.append(Role("args", self.arguments.index(word)))
            else:
                found += [Role(word.removeprefix("*"), k) for k in many.get(word, range(1))]
        return tuple(found)


class Taken(NamedTuple):
    """The places of a function's signature: their names, how many must be filled, and the name of a starred one."""

    names: tuple[str, ...]
    least: int
    starred: str = ""

    def name(self, k: int) -> str:
        """The name of a place; empty in the starred part."""
        return self.names[k] if k < len(self.names) else ""


def taken_by(function: Any) -> Taken | None:
    """The places of a function, None where Python cannot tell: a builtin, a compiled function."""
    if isinstance(function, np.ufunc):
        names = [f"x{k}" for k in range(1, function.nin + 1)]
        return Taken(tuple(names) if len(names) > 1 else ("x",), function.nin)
    try:
        given = tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [p for p in given if p.kind in plain]
    starred = [p.name for p in given if p.kind is inspect.Parameter.VAR_POSITIONAL]
    least = sum(p.default is inspect.Parameter.empty for p in places)
    return Taken(tuple(p.name for p in places), least, "".join(starred))


def told(takes: str, arguments: Sequence[str] = ()) -> tuple[str, ...]:
    """The words of a convention that the user told. Raises `CheckError` for others.

    >>> told("g, out, *args"), told("g, w", ["x", "w"])
    (('g', 'out', '*args'), ('g', 'w'))
    """
    words = tuple(word.strip() for word in takes.split(","))
    strange = [word for word in words if word not in WORDS and word not in arguments]
    if strange or len({word.removeprefix("*") for word in words}) < len(words):
        bad = repr(strange[0]) if strange else "a word that comes twice"
        raise CheckError(
            f"verify_function: takes={takes!r} has {bad}\n"
            f"  there are: {', '.join((*WORDS, *arguments))}\n"
            f"  try: takes='g, *args', or takes='g, cache'"
        )
    if "g" not in words and "*g" not in words:
        raise CheckError(
            f"verify_function: takes={takes!r} leaves out the cotangent, g\n  try: takes='g, {takes}'"
        )
    return words


def recognised(backward: Any, sizes: Sizes) -> tuple[str, ...]:
    """What a backward function takes, by the number and the names of its arguments.

    Raises `CheckError` where nothing fits, or more than one reading does.

    >>> two = Sizes(("x", "w"), (0, 1), 1, (True,))
    >>> recognised(lambda g, x, w: None, two), recognised(lambda dout, y, x, w: None, two)
    (('g', '*args'), ('g', 'out', '*args'))
    >>> recognised(lambda g, saved: None, Sizes(("x",), (0,), 2, (True, False))), recognised(lambda dy, w: None, two)
    (('g', 'cache'), ('g', 'w'))
    """
    taken = taken_by(backward)
    if taken is None:
        raise CheckError(
            "verify_function: Python cannot tell what backward takes\n  try: takes='g, *args', or what it is"
        )
    scores = {}
    for words in READINGS:
        score = _score(words, sizes, taken)
        if score is not None:
            scores[words] = score
    best = [words for words, score in scores.items() if score == max(scores.values())]
    if not best:
        best = list(filter(None, [_by_names(sizes, taken)]))
    if len(best) == 1:
        return best[0]
    shown = (
        f"backward({', '.join([*taken.names, *(['*' + taken.starred] if taken.starred else [])])})"
    )
    if not best:
        given = f"{len(sizes.arguments)} argument{'s'[: len(sizes.arguments) != 1]}"
        raise CheckError(
            f"verify_function: {shown} fits no usual way of calling it, for a forward of {given} "
            f"that returns {_returned(sizes)}\n"
            f"  try: takes='g, *args', takes='g, out, *args' or takes='g, cache', or give its arguments the names of "
            f"forward's"
        )
    choice = " or ".join(f"takes={', '.join(words)!r}" for words in best)
    raise CheckError(
        f"verify_function: {shown} can be read in {len(best)} ways, as forward returns {_returned(sizes)}\n"
        f"  try: {choice}"
    )


def _by_names(sizes: Sizes, taken: Taken) -> tuple[str, ...]:
    """What a function takes that is called with some of forward's arguments, by name; empty if one is unknown."""
    words: list[str] = []
    for k, name in enumerate(taken.names):
        low = name.lower()
        if name in sizes.arguments:
            words.append(name)
        elif "g" not in words and (low in COTANGENTS or k == 0):
            words.append("g")
        elif low in CACHES and sizes.returned > 1 and "cache" not in words:
            words.append("cache")
        elif low in OUTPUTS and "out" not in words:
            words.append("out")
        else:
            return ()
    return tuple(words) if "g" in words and sizes.results(words) and not taken.starred else ()


def _returned(sizes: Sizes) -> str:
    return "one output" if sizes.returned == 1 else f"{sizes.returned} things"


def _score(words: tuple[str, ...], sizes: Sizes, taken: Taken) -> int | None:
    """How many names speak for a reading; None if the number of places, or a name, speaks against it."""
    if not sizes.results(words):
        return None
    roles = sizes.roles(words)
    longest = len(roles) if taken.starred else len(taken.names)
    if not taken.least <= len(roles) <= longest:
        return None
    speaks = [_speaks(role, taken.name(k), sizes) for k, role in enumerate(roles)]
    if None in speaks:
        return None
    score = sum(filter(None, speaks))
    if taken.starred and len(roles) >= len(taken.names):
        rest = {role.word for role in roles[len(taken.names) :]}
        if taken.starred in sizes.arguments or taken.starred in ("args", "inputs", "xs"):
            if rest - {"args"}:
                return None
            score += bool(rest)
    unusual = words[0] not in ("g", "*g") or "*into" in words
    return None if unusual and not score else score


def _speaks(role: Role, name: str, sizes: Sizes) -> int | None:
    """1 if the name of a place says that it is this role, None if it says that it is another, 0 if it says nothing."""
    arguments = sizes.arguments
    if role.word == "args" and name == arguments[role.which]:
        return 1
    if name in arguments:
        return None
    low = name.lower().rstrip("_0123456789") or name
    of = [k for k, argument in enumerate(arguments) if name.lower() in gradient_names(argument)]
    if role.word == "into":
        return 1 if role.which in of else None
    if role.word == "g":
        if low in CACHES and low not in COTANGENTS:
            return None
        return int(low in COTANGENTS)
    if of or (low in COTANGENTS and low not in OUTPUTS):
        return None
    if role.word == "cache":
        return int(low in CACHES)
    if role.word == "out":
        return int(low in OUTPUTS)
    return None if low in CACHES and low not in OUTPUTS else 0


def gradient_names(argument: str) -> frozenset[str]:
    """What people call the gradient of an argument, in small letters.

    >>> sorted(gradient_names("W"))
    ['d_w', 'dl_dw', 'dw', 'g_w', 'grad_w', 'gw', 'out_w', 'w_bar', 'w_grad']
    """
    x = argument.lower()
    return frozenset(
        (
            f"d{x}",
            f"d_{x}",
            f"grad_{x}",
            f"{x}_grad",
            f"dl_d{x}",
            f"g{x}",
            f"g_{x}",
            f"{x}_bar",
            f"out_{x}",
        )
    )
