"""What a good kernel does beside being right: the same bits again, no trace left on what it was given, linear in g.

Nothing here needs a numerical derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.checking.diagnosis.causes import Cause
from tracer.checking.judge import RTOL
from tracer.checking.report import Rung
from tracer.checking.rounding import largest
from tracer.errors import CheckError

from .arrays import arrays_in, copied, float64, is_float, kind, numpy_of, same_bits
from .pairs import Kernel, Ran, cotangents_like
from .torches import Autograd

Array = Any
"""A numpy array or numpy scalar."""


@dataclass
class Faults:
    """What was found beside wrong numbers: reasons by argument, the tests that were made, and what else to say."""

    reasons: dict[str, list[str]] = field(default_factory=dict)
    causes: dict[str, list[Cause]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rungs: list[Rung] = field(default_factory=list)

    def blame(self, name: str, reason: str, *causes: Cause) -> None:
        """Hold something against the gradient of an argument."""
        self.reasons.setdefault(name, []).append(reason)
        self.causes.setdefault(name, []).extend(causes)


def copies(args: Sequence[Any]) -> list[Any]:
    """Arguments that a function may do with as it likes."""
    return [copied(arg) for arg in args]


def steady(kernel: Kernel, args: Sequence[Any]) -> Ran:
    """One run of forward, which gives the same when called again. Raises `CheckError` where it does not."""
    ran, again = kernel.run(copies(args)), kernel.run(copies(args))
    for one, other in zip(ran.outputs, again.outputs, strict=True):
        if not same_bits(one, other):
            raise CheckError(
                f"verify_function: {kernel.title} gave other numbers when it was called again with the same arguments\n"
                f"  try: fix the random seed inside it, and change nothing that outlives the call"
            )
    return ran


def untouched(
    kernel: Kernel,
    args: Sequence[Any],
    cotangents: Sequence[Array],
    faults: Faults,
    allowed: Sequence[str],
) -> None:
    """See that neither forward nor backward writes into what it was given, and that backward gives the same bits again.

    allowed: what may be changed all the same, by name.
    """
    names, g = kernel.names, list(cotangents)
    given = copies(args)
    before = snapshot(arrays_of(names, given))
    ran = kernel.run(given)
    spoiled = [("forward", name) for name in changed(before, arrays_of(names, ran.args))]
    watched = len(before)

    handed = cotangents_like(ran.outputs, g)
    reach = {
        **ran.arrays(names),
        **dict(arrays_in(handed[0] if len(handed) == 1 else handed, "g")),
    }
    before = snapshot(reach)
    first = snapshot(dict(zip(names, kernel.back(ran, handed), strict=True)))
    spoiled += [("backward", name) for name in changed(before, reach)]
    spoiled = [(who, name) for who, name in spoiled if name not in allowed]
    said = "arguments, outputs, cache and g"
    if spoiled:
        which = " and ".join(dict.fromkeys(name for _, name in spoiled))
        said = (
            f"changed {which} in place (undone here): work on a copy, or say may_change="
            f"{' '.join(dict.fromkeys(name for _, name in spoiled))!r}"
        )
    watched += len(before)
    label = spoiled[0][0] if spoiled else ""
    faults.rungs.append(Rung("left as they were", watched, len(spoiled), said, label=label))

    again = dict(zip(names, gradients_of(kernel, args, cotangents), strict=True))
    differ = changed(first, again)
    said = ""
    if differ:
        said = (
            f"gave other numbers for {' and '.join(differ)} when it was called again: does it fill all of an array "
            f"that it made by np.empty? is it random, or does it remember?"
        )
    label = "backward" if differ else ""
    faults.rungs.append(Rung("same bits again", len(first), len(differ), said, label=label))


def snapshot(arrays: Mapping[str, Any]) -> dict[str, Array]:
    """What the arrays hold now, by name."""
    return {name: np.array(numpy_of(a)) for name, a in arrays.items() if a is not None}


def changed(before: Mapping[str, Array], after: Mapping[str, Any]) -> list[str]:
    """The names of the arrays that hold something else than before."""
    return [
        name
        for name, value in before.items()
        if after.get(name) is not None and not same_bits(value, after[name])
    ]


def arrays_of(names: Sequence[str], args: Sequence[Any]) -> dict[str, Any]:
    """The arrays among arguments, by name."""
    return dict(
        found for name, arg in zip(names, args, strict=True) for found in arrays_in(arg, name, 1)
    )


def linear(
    kernel: Kernel,
    args: Sequence[Any],
    checked: Sequence[int],
    cotangents: Sequence[Array],
    rng: np.random.Generator,
    unit: float,
    rounding: Callable[[int], float],
    faults: Faults,
) -> None:
    """See that backward is linear in g: 0 gives 0, −2 g gives −2 times as much, and the sum of two the sum.

    unit: the relative spacing of the numbers in which it computes. rounding: how far the gradient of an
    argument may be off by it; asked where something is not linear.
    """

    def gradients(numbers: Sequence[Array]) -> list[Array | None]:
        ran = kernel.run(copies(args))
        found = kernel.back(ran, cotangents_like(ran.outputs, numbers))
        return [None if found[k] is None else float64(found[k]) for k in checked]

    other = [
        rng.choice((-1.0, 1.0), np.shape(g)) * rng.uniform(0.5, 1.5, np.shape(g))
        for g in cotangents
    ]
    other = [np.where(g == 0, 0.0, h) for g, h in zip(cotangents, other, strict=True)]
    none = gradients([np.zeros_like(g) for g in cotangents])
    one, scaled = gradients(cotangents), gradients([-2.0 * g for g in cotangents])
    two = gradients(other)
    both = gradients([g + h for g, h in zip(cotangents, other, strict=True)])
    failed = 0
    for n, k in enumerate(checked):
        parts = (none[n], one[n], scaled[n], two[n], both[n])
        if any(part is None for part in parts):
            continue
        found = _nonlinear(*parts, unit)
        if found:  # a gradient may be nothing but rounding
            found = _nonlinear(*parts, unit, rounding(k))
        if found:
            failed += 1
            faults.blame(kernel.names[k], found[0], *found[1:])
    label, said = ("backward", "not multiplied by g, or not linear in it") if failed else ("", "")
    made = 3 * sum(each is not None for each in one)
    faults.rungs.append(Rung("linear in g", made, failed, said, label=label))


def _nonlinear(
    none: Array,
    one: Array,
    scaled: Array,
    two: Array,
    both: Array,
    unit: float,
    rounding: float = 0.0,
) -> tuple[Any, ...]:
    """What is wrong with the gradients for g = 0, g, −2 g, h and g + h, and the cause; empty if nothing is."""
    with np.errstate(all="ignore"):
        size = max(map(largest, (one, two, both)))
        if np.array_equal(none, one, equal_nan=True) and one.any() and np.isfinite(one).any():
            cause = Cause(
                "upstream",
                "it is not multiplied by g, the gradient that comes in",
                fix="multiply it by g",
            )
            return "backward returns the same whatever g is", cause
        if largest(none) > 0:
            return (f"backward is not 0 where g is 0: there it is as large as {largest(none):.3g}",)
        room = max(RTOL, 512 * unit) * size + rounding
        if largest(scaled + 2 * one) > room:
            return (
                "backward is not linear in g: −2 g does not give −2 times as much (clipped? squared?)",
            )
        if largest(both - one - two) > room:
            return (
                "backward is not linear in g: g + h does not give the sum of what g and h give",
            )
    return ()


def gradients_of(
    kernel: Kernel, args: Sequence[Any], cotangents: Sequence[Array]
) -> tuple[Any, ...]:
    """The gradients for some arguments, as backward returns them. Raises `CheckError` for what is no gradient."""
    ran = kernel.run(copies(args))
    found = kernel.back(ran, cotangents_like(ran.outputs, cotangents))
    for name, each in zip(kernel.names, found, strict=True):
        if each is not None and not is_float(each) and numpy_of(each).dtype.kind not in "iu":
            raise CheckError(
                f"verify_function: backward returns {kind(each)} as the gradient of {name}\n"
                f"  try: a float array of the shape of {name}, or None if it has no gradient"
            )
    return found


def alone(
    kernel: Autograd,
    args: Sequence[Any],
    cotangents: Sequence[Array],
    gradients: Sequence[Any],
    faults: Faults,
) -> None:
    """See that each gradient of a Function is the same where no other is asked for (`ctx.needs_input_grad`)."""
    if not kernel.own or len(kernel.floats) < 2:
        return
    failed = 0
    for k in kernel.floats:
        kernel.wanted = (k,)
        try:
            ran = kernel.run(copies(args))
            (found,) = (kernel.back(ran, cotangents_like(ran.outputs, cotangents))[k],)
            fits = (found is None) == (gradients[k] is None) and (
                found is None
                or np.allclose(float64(found), float64(gradients[k]), RTOL, 0, equal_nan=True)
            )
            said = "is another one"
        except CheckError as error:
            fits, said = False, str(error).splitlines()[0]
        finally:
            kernel.wanted = kernel.floats
        if not fits:
            failed += 1
            faults.blame(kernel.names[k], f"its gradient where no other is asked for: {said}")
    label, said = (
        ("backward", "another gradient where only one is asked for") if failed else ("", "")
    )
    faults.rungs.append(Rung("each gradient alone", len(kernel.floats), failed, said, label=label))


def added_to(kernel: Kernel, args: Sequence[Any], cotangents: Sequence[Array]) -> str:
    """What is to be known about a backward that writes into arrays: whether it adds to what is there; empty if not."""
    found: list[tuple[Any, ...]] = []
    for filled in (0.0, 1.0):
        ran = kernel.run(copies(args))
        found.append(kernel.back(ran, cotangents_like(ran.outputs, cotangents), filled=filled))
    for name, empty, full in zip(kernel.names, *found, strict=True):
        if empty is not None and full is not None and not same_bits(empty, full):
            return f"backward adds to what the array for {name} holds: it must be given zeros"
    return ""
