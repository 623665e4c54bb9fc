"""How a backward is called follows from the number and the names of its arguments, or is asked for."""

from __future__ import annotations

import pytest

from tracer.checking.functions.conventions import Sizes, recognised
from tracer.errors import CheckError

ONE = Sizes(("x",), (0,), 1, (True,))
PAIR = Sizes(("x",), (0,), 2, (True, True))
CACHED = Sizes(("x", "w"), (0, 1), 2, (True, False))
CELL = Sizes(("x", "h", "c", "W"), (0, 1, 2, 3), 3, (True, True, False))
THREE = Sizes(("x", "w", "b"), (0, 1, 2), 1, (True,))


@pytest.mark.parametrize(
    ("backward", "sizes", "words"),
    [
        (lambda g, x: 0, ONE, "g, *args"),
        (lambda p, q: 0, ONE, "g, *args"),
        (lambda x, g: 0, ONE, "*args, g"),
        (lambda dout, y, x: 0, ONE, "g, out, *args"),
        (lambda g, x, dx: 0, ONE, "g, *args, *into"),
        (lambda dout, *args: 0, ONE, "g, *args"),
        (lambda g, x: 0, PAIR, "g, *args"),
        (lambda dout, cache: 0, PAIR, "g, cache"),
        (lambda cache, dout: 0, PAIR, "cache, g"),
        (lambda g1, g2, x: 0, PAIR, "*g, *args"),
        (lambda p, q: 0, CACHED, "g, cache"),
        (lambda dh, dc, cache: 0, CELL, "*g, cache"),
        (lambda g, x, w, b, dx, dw, db: 0, THREE, "g, *args, *into"),
        (lambda g, w, x: 0, THREE, "g, w, x"),
    ],
)
def test_the_usual_ways_are_recognised(backward, sizes, words):
    assert ", ".join(recognised(backward, sizes)) == words


@pytest.mark.parametrize(
    ("backward", "sizes", "message"),
    [
        (lambda g, *these: 0, ONE, "2 ways"),
        (lambda g, c: 0, PAIR, "2 ways"),
        (lambda a, b, c, d, e: 0, THREE, "fits no usual way"),
        (max, ONE, "Python cannot tell"),
    ],
)
def test_nothing_is_guessed(backward, sizes, message):
    with pytest.raises(CheckError, match=message) as caught:
        recognised(backward, sizes)
    assert "takes='g, " in str(caught.value)
