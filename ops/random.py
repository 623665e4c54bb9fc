"""Dropout, and where random seeds come from.

Every random number is a pure function of a seed and its place: element k of a mask is `hash64(seed, k)`. So a seed on
the recorded node is all that a replay needs to draw the same mask, on any machine and device.
"""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import mul
from ops.formula import Formula
from ops.primitive import Array, Saved, sample
from ops.shape import shape_of

FORMS = ("inverted", "lecture")

_WHOLE = (1 << 64) - 1
STEP, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""The increment and the factors of SplitMix64."""
_BLOCK = 8192
"""So many hashes are made at a time: what they need stays in the nearest cache."""


def mix64(z: int) -> int:
    """The mixing function of SplitMix64: every bit of the result depends on every bit of z (Steele et al. 2014).

    >>> hex(mix64(0x9E3779B97F4A7C15))
    '0xe220a8397b1dcdaf'
    """
    z &= _WHOLE
    z = (z ^ z >> 30) * FIRST & _WHOLE
    z = (z ^ z >> 27) * SECOND & _WHOLE
    return z ^ z >> 31


def hash64(seed: int, number: int) -> int:
    """64 random bits for element `number` under a seed: mix64(mix64(seed) + (number + 1) · STEP), modulo 2⁶⁴."""
    return mix64(mix64(seed) + (number + 1) * STEP)


def _hashes(seed: int, start: int, steps: Array) -> Array:
    """`hash64` of elements start, start + 1, ... as uint64; `steps` are (1, 2, ...) · STEP."""
    z = steps + np.uint64((mix64(seed) + start * STEP) & _WHOLE)
    shifted = z >> np.uint64(30)
    for factor, shift in ((FIRST, 27), (SECOND, 31)):
        z ^= shifted
        z *= np.uint64(factor)
        np.right_shift(z, np.uint64(shift), out=shifted)
    z ^= shifted
    return z


# ----- the seeds that nobody gave


class _Seeds:
    """Where the next seed comes from: a seed and a counter. Drawing is one step, so threads never share a seed."""

    def __init__(self, seed: int) -> None:
        self.restart(seed)

    def restart(self, seed: int) -> None:
        self._from = (seed, itertools.count())

    def next(self) -> int:
        seed, numbers = self._from
        return hash64(seed, next(numbers)) >> 11  # 53 bits, which every reader of a file can hold


_SEEDS = _Seeds(0)


def manual_seed(seed: int) -> None:
    """Start the random seeds of this process again: what is drawn from here on is the same every time.

    A process that does not call it starts as from `manual_seed(0)`, unlike PyTorch's: who debugs wants the second
    run to show what the first one did. For other numbers in every run: `manual_seed(secrets.randbits(64))`.
    The seed of every operation stands on its node. Threads share the stream; give `seed=` where their order must not
    matter. Raises `TypeError` for what is no integer.
    """
    _SEEDS.restart(operator.index(seed))


def next_seed() -> int:
    """The next seed of the process, an integer of 53 bits: for a primitive or a generator of numbers."""
    return _SEEDS.next()


# ----- dropout


def kept_share(p: float, form: str) -> float:
    """The probability of an element to stay."""
    return p if form == "lecture" else 1 - p


def scale_of(p: float, form: str) -> float:
    """What the elements that stay are multiplied by; of none, 1."""
    return 1.0 if form == "lecture" or p == 1 else 1 / (1 - p)


def limit_of(p: float, form: str) -> int:
    """An element stays if the upper 53 bits of its hash lie below this: the share that stays, times 2⁵³."""
    return math.ceil(kept_share(p, form) * 2**53)


def dropout_mask(x: Any, *, p: float, form: str, seed: int) -> Array:
    """Which elements stay, in the order of their numbers, the last axis fastest: bool, in the shape of x.

    Element k stays if `hash64(seed, k) >> 11 < limit_of(p, form)`. It depends on the shape of x only.
    """
    shape = shape_of(x)
    size = math.prod(shape)
    limit = limit_of(p, form) << 11
    if not limit:
        return np.zeros(shape, dtype=bool)[()]
    mask = np.empty(size, dtype=bool)
    steps = np.arange(1, min(size, _BLOCK) + 1, dtype=np.uint64) * np.uint64(STEP)
    for start in range(0, size, _BLOCK):
        block = mask[start : start + _BLOCK]
        np.less_equal(_hashes(seed, start, steps[: block.size]), np.uint64(limit - 1), out=block)
    return mask.reshape(shape)[()]


def dropout_x(g: Any, out: Any, x: Any, *, p: float, form: str, seed: int, mask: Any) -> Any:
    """What stayed passes its cotangent on, times the same factor; what was dropped receives 0."""
    return g * mask * scale_of(p, form)


@primitive(
    vjps={"x": dropout_x},
    saves=(Saved("mask", "m", "m", dropout_mask),),
    formula=Formula(
        "dropout({x}, {p})", r"\operatorname{{dropout}}\left({x}, {p}\right)", symbol="dropout"
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(3, 4)), seed=1),
        sample(rng.normal(size=(2, 5)), p=0.2, seed=2),
        sample(rng.normal(size=(2, 5)), p=0.8, form="lecture", seed=3),
        sample(np.float64(1.5), p=0.1, seed=4),
        sample(np.empty((0, 2)), seed=5),
        sample(rng.normal(size=3), p=0.0, seed=6),
        sample(rng.normal(size=3), p=1.0, seed=7),
    ],
    hint="p=0.5; form='inverted', where p is the share to drop, or 'lecture', where it is the share to keep",
    name="dropout",
)
def _dropout(
    x: Array, *, p: float = 0.5, form: str = "inverted", seed: int
) -> tuple[Array, dict[str, Array]]:
    """Zero at random, by a mask that is a function of the seed and the shape alone (Srivastava et al. 2014).

    y = x m/(1 − p) in the form "inverted", PyTorch's, y = x m in the form "lecture", with a mask m of zeros and ones.
    This is what training does; `tr.dropout` knows evaluation too. NaN and inf times 0 are NaN, as in PyTorch.

    Element k stays if the upper 53 bits of hash64(seed, k), over 2⁵³, lie below the share that stays: 1 − p inverted, p
    in the lecture's form. x: float, any shape; so is the result.
    """
    _check(p, form)
    mask = dropout_mask(x, p=p, form=form, seed=seed)
    return x * mask * scale_of(p, form), {
        "mask": mask
    }  # a choice by a random mask is ten times slower


def _check(p: float, form: str) -> None:
    if form not in FORMS:
        raise ValueError(f"there is no form {form!r}, only {' and '.join(map(repr, FORMS))}")
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, from 0 to 1, not {p}")


def dropout(
    x: Any,
    p: float = 0.5,
    *,
    training: bool = True,
    form: str = "inverted",
    seed: int | None = None,
) -> Any:
    """Zero elements at random in training; change nothing that is expected in evaluation.

    form "inverted", PyTorch's: p is the probability to drop; what stays is divided by 1 − p in training, and evaluation
    returns x itself. form "lecture": p is the probability to stay; what stays is left as it is in training, and
    evaluation multiplies by p (Srivastava et al. 2014).

    seed: the random seed of this mask; the next one of `tr.manual_seed` if not given. It stands on the recorded node,
    from which a replay draws the same mask. Raises `ValueError` for a p outside 0 to 1 and an unknown form.
    """
    if not training:
        _check(p, form)
        return mul(x, p) if form == "lecture" else x
    number = next_seed() if seed is None else operator.index(seed)
    return _dropout(x, p=float(p), form=form, seed=number)
