"""Questions by name, about networks of the gallery and small ones."""

from __future__ import annotations

from functools import cache

import tracer as tr
from gallery import GALLERY
from tracer.quizzing.question import Question, Subject
from tracer.traces import Trace


@cache
def subject(name: str) -> Subject:
    """A network of the gallery, to be asked about."""
    return Subject(tr.trace(GALLERY[name].build()))


def question(name: str, kind: str, node: str, *, sender: str = "", at=None) -> Question:
    """A question about a network; `sender` says which flow, or whose local derivative."""
    about = subject(name)
    return asked(about, kind, node, sender=sender, at=at)


def asked(about: Subject, kind: str, node: str, *, sender: str = "", at=None) -> Question:
    """A question about a subject."""
    trace = about.trace
    i = trace.node_index(node)
    edges = [e for e in trace.timeline.arrivals(i) if sender_of(about, kind, e) == sender]
    return Question(about, kind, i, edges[0] if sender else -1, at)


def sender_of(about: Subject, kind: str, edge: int) -> str:
    """Who sends a flow: of a local derivative, the node that reads; of a flow, the one with a line of its own."""
    trace = about.trace
    node = int(trace.edge_consumer[edge]) if kind == "local" else about.chain.reader_of(edge)
    return trace.label(node)


def product() -> Trace:
    """f = x y + x, at x = 5 and y = −4: x is used twice."""
    x, y = tr.tensor(5.0, name="x"), tr.tensor(-4.0, name="y")
    p = x * y
    f = p + x
    return tr.trace(f)
