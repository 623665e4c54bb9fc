"""Random calls of every function that a derivation may call, with arguments nobody should give; seeded."""

from __future__ import annotations

import ast
import time
import warnings
from collections.abc import Iterator

import numpy as np

from tracer.checking.derivations.calculator import evaluate
from tracer.checking.derivations.calculator.costs import RULES
from tracer.checking.derivations.calculator.operators import BINARY
from tracer.checking.derivations.calculator.vocabulary import METHODS, PLAIN, TYPES
from tracer.checking.derivations.refusals import RefusedError

VALUES = {
    "x": np.array([1.0, 2.0, 3.0]),
    "none": np.zeros(0),
    "hollow": np.zeros((3, 0)),
    "table": np.arange(6.0).reshape(2, 3),
    "truths": np.array([True, False, True]),
    "number": np.float64(2.5),
    "whole": np.arange(3),
    "deep": np.ones((1,) * 20),
    "column": np.broadcast_to(np.float64(1.0), (10**6, 1)),
    "row": np.broadcast_to(np.float64(1.0), (1, 10**6)),
    "places": np.broadcast_to(np.int64(0), (10**6,)),
    "square": np.broadcast_to(np.int64(1), (1500, 1500)),
}
ARGUMENTS = (
    *VALUES,
    *("0", "1", "-1", "3", "10**9", "2**62", "-2**62", "1e308", "-0.5", "np.inf", "np.inf - np.inf"),
    *("True", "None", "...", "(10**9, 10**9)", "(2, 3)", "()", "[]", "[x, x]", "[[1, 2], [3]]", "{0: 1}"),
    *("[0] * 1000", "[[0] * 1000] * 1000", "(1,) * 60", "[None, x]", "range(10**5)", "'ij,jk->ik'"),
    *("'reflect'", "'full'", "'i,j->ij'", "np.float64", "([0], [1])", "(0, 0)", "[x, table]", "[column, row]"),
)  # fmt: skip
PARTS = (*ARGUMENTS, ":", "::-1", "10**9:", "x > 0", "table > 1", "[0] * 1000")


class Meanings:
    """The values, by name."""

    def value(self, name: str) -> object:
        """A value; anything else is refused, as a name that nobody knows is."""
        if name not in VALUES:
            raise RefusedError(f"there is no {name}", "another")
        return VALUES[name]

    def steps(self, name: str) -> None:
        """Nothing was recorded at many steps."""

    def tick(self) -> None:
        """Nothing is counted."""

    def spend(self, work: int) -> None:
        """Nothing is timed."""


def calls(seed: int, count: int) -> Iterator[str]:
    """So many calls of each function and method, and uses of each operator and of indices."""
    rng = np.random.default_rng(seed)
    for sign, _ in BINARY.values():
        for _ in range(count):
            yield f"({rng.choice(ARGUMENTS)}) {sign} ({rng.choice(ARGUMENTS)})"
            yield f"({rng.choice(ARGUMENTS)})[{', '.join(rng.choice(PARTS, rng.integers(1, 4)))}]"
    for name in sorted(RULES):
        places, _, by_name = RULES[name][1].partition("|")
        names = [word.strip("*") for word in (places + by_name).split() if word != "."]
        for _ in range(count):
            args = [str(rng.choice(ARGUMENTS)) for _ in range(rng.integers(0, len(names) + 2))]
            given = [
                f"{rng.choice(names)}={arg}" if k and rng.random() < 0.3 else arg
                for k, arg in enumerate(args)
            ]
            given.sort(key=lambda text: "=" in text)
            if len({text.split("=")[0] for text in given if "=" in text}) < sum(
                "=" in text for text in given
            ):
                continue
            method = name in METHODS and rng.random() < 0.3
            bare = name in PLAIN or (name in TYPES and name != "double")
            head = f"{rng.choice([*VALUES])}.{name}" if method else name if bare else f"np.{name}"
            yield f"{head}({', '.join(given)})"


def outcome(text: str) -> tuple[object, float]:
    """What a call comes to, None if it is refused, and the time it took in this thread."""
    expression = ast.parse(text, mode="eval").body
    since = time.thread_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = evaluate(expression, Meanings())
    except RefusedError:
        found = None
    return found, time.thread_time() - since
