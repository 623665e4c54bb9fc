"""Mutants given as arrays, `{name: array}`: nothing but numbers to tell a cause from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tests.tracer.checking.mutants.mutant import kinds
from tests.tracer.checking.mutants.networks import traced
from tests.tracer.checking.mutants.variants import FAMILY, gradients
from tracer.traces import Trace

Edit = Callable[[Trace, Any], Any]
"""Makes the wrong gradient out of the trace and the right one."""


@dataclass(frozen=True)
class ArrayMutant:
    """The right gradients of a network, but for one: which, what was done to it, and the kinds of cause of that."""

    network: str
    gradient: str
    done: str
    edit: Edit
    kinds: frozenset[str]

    @property
    def name(self) -> str:
        """The network, the gradient and what was done, in a line."""
        return f"{self.network} as arrays: d{self.gradient} {self.done}"

    @property
    def family(self) -> str:
        """The row of the table."""
        return FAMILY[self.network]

    @cached_property
    def text(self) -> dict[str, Any]:
        """What `tr.verify` is given."""
        trace, right = traced(self.network), dict(gradients(self.network))
        right.setdefault(self.gradient, trace.gradient(self.gradient))
        return right | {self.gradient: self.edit(trace, trace.gradient(self.gradient))}

    @property
    def line(self) -> int:
        """The place of the wrong gradient among them, counted from 1."""
        return 1 + list(self.text).index(self.gradient)

    @property
    def expected(self) -> list[str]:
        """The gradients that are judged, in order."""
        return list(self.text)


def _rounded(trace: Trace, g: Any) -> Any:
    return np.vectorize(lambda number: float(f"{number:.3e}"))(g)


def _zeroed(trace: Trace, g: Any) -> Any:
    return np.where(np.arange(len(g)).reshape(-1, *[1] * (g.ndim - 1)) == 1, 0.0, g)


def _of(trace: Trace, *names: str) -> list[Any]:
    """Recorded values by name; `dNAME` is the gradient."""
    return [
        trace.gradient(n[1:]) if n[0] == "d" and n not in trace.names else trace.value(n)
        for n in names
    ]


def _without_variance(trace: Trace, g: Any) -> Any:
    dxhat, var, dmu, x = _of(trace, "dxhat", "var", "dmu", "x")
    return dxhat / np.sqrt(var + 1e-5) + dmu / len(x)


def _unbiased(trace: Trace, g: Any) -> Any:
    xc, dvar, x = _of(trace, "xc", "dvar", "x")
    return g + dvar * 2 * xc * (1 / (len(x) - 1) - 1 / len(x))


def _no_sum(trace: Trace, g: Any) -> Any:
    dy, xhat = _of(trace, "dy", "xhat")
    return dy * xhat


def _diagonal(trace: Trace, g: Any) -> Any:
    dp, p = _of(trace, "dp", "p")
    return dp * p * (1 - p)


def _last_two(trace: Trace, g: Any) -> Any:
    return sum(trace.value(f"h#{t - 1}").T @ trace.gradient(f"a#{t}") for t in (4, 3))


def _unmasked(trace: Trace, g: Any) -> Any:
    return trace.gradient("r").sum(axis=(0, 2))


def _all_gates_but_the_last(trace: Trace, g: Any) -> Any:
    return g - trace.gradient("zg") @ trace.value("Wg").T


SIMPLE: dict[str, tuple[Edit, str]] = {
    "negated": (lambda trace, g: -g, "sign"),
    "doubled": (lambda trace, g: 2 * g, "two | stale | doubled path"),
    "halved": (lambda trace, g: g / 2, "two"),
    "added five times": (lambda trace, g: 5 * g, "stale | factor | size"),
    "transposed": (lambda trace, g: g.T, "transposed"),
    "reversed": (lambda trace, g: g[::-1], "reversed"),
    "shifted by one row": (lambda trace, g: np.roll(g, 1, axis=0), "shift"),
    "without its second row": (_zeroed, "some elements"),
    "rounded to four digits": (_rounded, "precision"),
}
"""What can be done to any gradient."""

TABLE: dict[tuple[str, str], str] = {
    ("batchnorm", "x"): "negated; doubled; transposed; reversed; without its second row; rounded to four digits",
    ("batchnorm", "gamma"): "halved; reversed; shifted by one row",
    ("layernorm", "x"): "negated; halved; transposed; shifted by one row",
    ("layernorm", "beta"): "doubled; rounded to four digits",
    ("softmax", "W1"): "negated; transposed; added five times",
    ("softmax", "z"): "without its second row; reversed",
    ("rnn", "Whh"): "transposed; added five times; negated",
    ("rnn", "Wxh"): "doubled; halved; reversed",
    ("lstm", "Wx"): "transposed; negated; added five times",
    ("lstm", "x"): "without its second row; shifted by one row",
    ("attention", "Wq"): "transposed; halved; rounded to four digits",
    ("attention", "x"): "negated; reversed; shifted by one row",
    ("conv", "w"): "reversed; doubled; negated",
    ("conv", "V"): "transposed; without its second row",
}  # fmt: skip
"""What is done, by network and gradient."""

SIZED: tuple[tuple[str, str, str, Edit, str], ...] = (
    ("batchnorm", "beta", "as a mean", lambda trace, g: g / 7, "size | sum"),
    ("batchnorm", "gamma", "without the sum", _no_sum, "sum"),
    ("batchnorm", "x", "without the path via var", _without_variance, "missing path"),
    ("batchnorm", "x", "with the unbiased variance", _unbiased, "bessel | size"),
    ("layernorm", "gamma", "without the sum", _no_sum, "sum"),
    ("layernorm", "x", "without 1/n", lambda trace, g: 6 * g, "size"),
    ("softmax", "W2", "without 1/m", lambda trace, g: 6 * g, "size"),
    ("softmax", "z", "with the diagonal of the Jacobian", _diagonal, "softmax"),
    ("attention", "s", "with the diagonal of the Jacobian", _diagonal, "softmax"),
    ("rnn", "Whh", "of the last two steps", _last_two, "truncated | missing path"),
    ("rnn", "b", "as a mean", lambda trace, g: g / 3, "size | sum"),
    ("lstm_gates", "xh", "without one gate", _all_gates_but_the_last, "missing path"),
    ("conv", "b", "without the mask", _unmasked, "mask"),
    ("conv", "x", "without 1/n", lambda trace, g: 6 * g, "size"),
)
"""What is done to one gradient alone."""


def array_mutants() -> tuple[ArrayMutant, ...]:
    """All of them."""
    simple = [
        ArrayMutant(network, gradient, done, SIMPLE[done][0], kinds(SIMPLE[done][1]))
        for (network, gradient), listed in TABLE.items()
        for done in listed.split("; ")
    ]
    return (*simple, *(ArrayMutant(*sized[:4], kinds(sized[4])) for sized in SIZED))
