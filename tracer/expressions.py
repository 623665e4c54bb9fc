"""Expressions over the numbers of a trace, in numpy's syntax: `norm(w1.grad) / norm(w1)`, `mean(h == 0, axis=0)`.

`value` and `grad` are those of the node in question; a node is written by its name or label (`w1`, `w1.grad`, `h#3`,
`mul@7`, `@17`, `layers.0.weight`, `node("any name")`). A text is read once, into a function of numbers, by the walk of
`tracer.reading`; it is never handed to Python to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from tracer.errors import ConditionError, UnknownNameError
from tracer.format import printable
from tracer.operators import AbsentError
from tracer.reading import OWN, QUANTITIES, WORDS, Numbers, Reader, Reading, meant, refusal
from tracer.traces import Trace
from tracer.vocabulary import ATTRIBUTES, FUNCTIONS

LONGEST = 500
"""Characters in an expression."""
MOST_COMPARED = 5000
"""So many names are looked through for a close one."""


@dataclass(frozen=True)
class Expression:
    """A text that has been read.

    uses: the (node, quantity) pairs it asks for, the node "" being the one in question.
    spans: where each node is named.
    """

    text: str
    reading: Reading
    uses: frozenset[tuple[str, str]]
    spans: tuple[tuple[str, tuple[int, int]], ...]

    @property
    def own(self) -> frozenset[str]:
        """The quantities of the node in question that are asked for."""
        return frozenset(quantity for node, quantity in self.uses if not node)

    @property
    def reads_grad(self) -> bool:
        """Whether a gradient is asked for by that word."""
        return any(quantity == "grad" for _, quantity in self.uses)

    def fit(self, trace: Trace) -> None:
        """Raise `ConditionError`, with the place and a close word, for a name that the trace does not have."""
        for name, span in self.spans:
            try:
                node_of(trace, name)
            except UnknownNameError:
                raise refusal(self.text, *_unknown(trace, name), span) from None


def node_of(trace: Trace, name: str) -> int:
    """The number of the node that an expression calls by name, or by its number as in `@17`."""
    return trace.node_index(name)


def _unknown(trace: Trace, name: str) -> tuple[str, str]:
    """What is wrong with a name, and the closest word."""
    if name in FUNCTIONS:
        return f"{name} is a function", FUNCTIONS[name].usage(name)
    head, dot, last = name.rpartition(".")
    if dot and (head in trace.labels or head in trace.names):
        close = get_close_matches(last, (*QUANTITIES[:2], *ATTRIBUTES), n=1)
        return f"{head} has no attribute {last!r}{meant(close)}", f"{head}.{(*close, 'grad')[0]}"
    known = dict.fromkeys((*OWN, *FUNCTIONS, *filter(None, trace.names), *trace.labels))
    close = [*map(printable, get_close_matches(name, list(known)[:MOST_COMPARED], n=1))]
    return f"{name!r} is neither a word nor a node{meant(close)}", "".join(close)


@lru_cache(maxsize=256)
def read(text: str) -> Expression:
    """The expression of a text.

    Raises `ConditionError` that names the text, the place in it, and the words there are.
    """
    clean = " ".join(text.split())
    if not clean:
        raise ConditionError(f"an empty expression\n  words: {WORDS}\n  try: nan(value)")
    if len(clean) > LONGEST:
        raise ConditionError(
            f"an expression of {len(clean)} characters begins {clean[:40]!r}; at most {LONGEST} are read\n"
            f"  try: several expressions, one for each part"
        )
    found = Reader(clean)
    return Expression(clean, found.reading, frozenset(found.uses), tuple(found.spans.items()))


def numbers(**quantities: object) -> Numbers:
    """The numbers of one node, given by their words: `numbers(value=x, grad=g)`; what is None is not there.

    >>> read("rms(value) / 2").reading(numbers(value=3.0))
    1.5
    """

    def fetch(node: str, quantity: str) -> object:
        found = None if node else quantities.get(quantity)
        if found is None:
            raise AbsentError("no gradient" if quantity == "grad" else f"no {node or quantity}")
        return found

    return fetch
