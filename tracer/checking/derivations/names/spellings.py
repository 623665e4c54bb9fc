"""Spellings of one name: x̂, xhat and x_hat; μ and mu; σ² and var. And how a gradient is named after its value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from tracer.lettering import GREEK_LETTERS

PREFIXES = ("dL_d", "dloss_d", "dLoss_d", "dJ_d", "dE_d", "grad_", "delta_", "d_", "d")
"""What makes the gradient's name out of a value's, the longest first."""
SUFFIXES = ("_grad",)
SURE = PREFIXES[:6]
"""Prefixes that nobody writes but for a gradient."""

_LETTERS = {letter: name for name, letter in GREEK_LETTERS.items() if name != "eps"}
_MARKS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot"}
_SAME = (
    {"mu", "mean", "xmean", "meanx", "muB", "avg"},
    {"var", "sigma2", "sigmasq", "sigmasquared", "variance", "sigma2B", "xvar", "varx"},
    {"xhat", "xnorm", "xnormalized", "xnormalised", "normalized"},
    {"eps", "epsilon"},
    {"std", "sigma"},
    {"ivar", "invstd", "istd", "rstd"},
    {"h0", "hinit", "hprev0"},
)
"""Names that lectures use for one thing; the first of each set by the alphabet stands for all."""
_WORD = {name: min(same) for same in _SAME for name in same}


def plain(name: str) -> str:
    """The form that all spellings of a name share.

    >>> plain("x̂") == plain("x_hat") == plain("xhat"), plain("σ2") == plain("var"), plain("W_x")
    (True, True, 'Wx')
    """
    text = unicodedata.normalize("NFD", name)
    for mark, word in _MARKS.items():
        text = text.replace(mark, word)
    text = re.sub(r"_+", "", "".join(_LETTERS.get(letter, letter) for letter in text))
    return _WORD.get(text, text)


def gradient_of(name: str) -> Iterator[str]:
    """The names of the values whose gradient a name may mean, the surest reading first.

    >>> list(gradient_of("dL_dx")), list(gradient_of("x_grad")), list(gradient_of("h"))
    (['x', 'L_dx'], ['x'], [])
    """
    seen = set()
    for prefix in PREFIXES:
        inner = name.removeprefix(prefix)
        if inner and inner != name and inner not in seen:
            seen.add(inner)
            yield inner
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            yield name.removesuffix(suffix)


def inner_of(name: str) -> str:
    """The name whose gradient a name looks like by itself; empty where it looks like none.

    >>> inner_of("dL_dW"), inner_of("grad_x"), inner_of("dw1"), inner_of("w_grad"), inner_of("h")
    ('W', 'x', 'w1', 'w', '')
    """
    prefix = next((p for p in PREFIXES if name.startswith(p) and name != p), "")
    if prefix:
        return name.removeprefix(prefix)
    suffix = next((s for s in SUFFIXES if name.endswith(s) and name != s), "")
    return name.removesuffix(suffix) if suffix else ""
