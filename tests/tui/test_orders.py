"""Orders: whatever is typed after them, they do it or say in a sentence why not."""

from __future__ import annotations

import random

import numpy as np
import pytest

import tracer as tr
from tracer.errors import GradstepError
from tui.completion import offer
from tui.deck import DECK
from tui.orders import ORDERS, obey
from tui.orders.order import node_of, path_of, whole
from tui.session import VIEWS, Session

NUMBERS = (
    "0",
    "1",
    "-1",
    "+1",
    "2 3",
    "0 0",
    "²",
    "٣",
    "9" * 5000,
    "x@" + "9" * 5000,
    "1e400",
    "nan",
)
SIGNS = (
    "",
    "-",
    "+",
    ".",
    "/",
    "~",
    "\0",
    "[",
    "((((",
    "'",
    "x" * 400 + ".svg",
    "~nobody-at-all/x",
)
NAMES = (
    "x",
    "h",
    "h.eps",
    "last",
    "all",
    "time",
    "net",
    "value",
    "gradient",
    "numpy",
    "by time",
    "op:mul",
    "scope:*",
)
EXPRESSIONS = (
    "x = 3", "x[0] *= 2", "h = nan", "x = 9**9**9", "x = [1, 2", "x[::0] = 1", "if nan(", "op:exp if inf(value)",
    "1 nan(value)", "grad > 1e3", "norm(x.grad) / norm(x)", "x[99]", "1/0", "mean(x, axis=9)", "__import__('os')",
)  # fmt: skip
WORDS = (*NUMBERS, *SIGNS, *NAMES, *EXPRESSIONS)


def traces():
    x = tr.tensor(np.array([1.0, np.nextafter(1.0, 2.0), np.nan]), name="x")
    with tr.scope("net"):
        h = tr.softmax(x)
    yield tr.trace(tr.sum(h * x))
    yield tr.trace(tr.sum(tr.tensor(np.zeros((0, 3)), name="x") * 2.0))
    yield tr.trace(tr.tensor(2.0, name="x"))


@pytest.mark.parametrize("trace", [*traces()], ids=["nan", "empty", "leaf"])
def test_an_order_does_it_or_says_why_not(trace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(len(trace))
    orders = [order for order in ORDERS if order.run is not None and order.name != "export"]
    session = Session(trace, title="net")
    for _ in range(40):
        for order in orders:
            line = f"{order.name} {rng.choice(WORDS)}".strip()
            offer(session, line)
            try:
                obey(session, line)
            except GradstepError as error:
                said = str(error)
            else:
                said = "done"
            assert said.strip(), line
            session.scene()


def test_nodes_are_named_by_number_and_label_alike(circuit, session_after):
    session = session_after(circuit, "select f")
    assert [node_of(session, text) for text in ("q", "3", "add@3", "@3")] == [3] * 4
    assert node_of(session, "") == session.selected
    for order in ("toggle", "run", "list", "info node", "select", "watch"):
        obey(session, f"{order} 3")
    assert session.debugger.breakpoints[0].text == "q"


def test_a_number_of_thousands_of_digits_is_none():
    assert whole("9" * 18) == 10**18 - 1
    assert whole("9" * 19) is None


def test_a_path_may_lead_to_nothing_yet(tmp_path):
    assert path_of(f"{tmp_path}/new/file.svg").name == "file.svg"


def test_without_a_screen_there_are_the_views_of_the_deck(circuit, session_after):
    assert tuple(view.name for view in DECK) == VIEWS
    assert session_after(circuit, "check", "view next").view == "stops"
