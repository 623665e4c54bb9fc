"""What goes to the clipboard, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from tracer.errors import GradstepError
from tui.orders import obey
from tui.views import copies


@pytest.fixture
def product():
    """f = w · x, of 2×3 arrays in float32, one element of them infinite."""
    w = tr.parameter(np.array([[0.1, 2.0, 3.0], [np.inf, -1.0, 0.5]], np.float32), name="w")
    x = tr.tensor(np.ones((2, 3), np.float32) * 0.5, name="x")
    f = w * x
    return tr.trace(tr.sum(f))


def copied(session, order):
    obey(session, order)
    return session.copied, session.message


def read(text):
    """A numpy literal, read as Python reads it."""
    return eval(text, {"np": np})


@pytest.mark.parametrize(
    "array",
    [
        np.array([[0.1, -1e-300], [np.inf, -np.inf]]),
        np.array([1.0, 0.1, 1e-8], np.float32),
        np.array([True, False]),
        np.array([[1, 2], [3, 4]]),
        np.array([1, 2], np.int32),
        np.empty((0, 3)),
        np.float64(0.1),
        np.array([np.nan]),
    ],
)
def test_a_numpy_literal_gives_the_same_bits_back(array):
    back = read(copies.numpy_literal(array, "x"))
    np.testing.assert_array_equal(back, array)
    if array.ndim:
        assert back.dtype == array.dtype
        assert back.shape == array.shape


def test_a_large_array_is_refused_in_one_sentence_with_something_to_try():
    with pytest.raises(GradstepError, match=r"w has 16,777,216 elements.*try copy element"):
        copies.numpy_literal(np.broadcast_to(0.0, (4096, 4096)), "w")


def test_value_and_gradient_are_copied_whole(product, session_after):
    session = session_after(product, "end", "select w")
    text, said = copied(session, "copy value")
    np.testing.assert_array_equal(read(text), product.value("w"))
    assert said == "copied the value of w"
    text, said = copied(session, "copy gradient")
    np.testing.assert_array_equal(read(text), product.gradient("w"))
    assert said == "copied the gradient of w"


def test_a_gradient_that_is_not_there_yet_is_not_copied_as_zero(product, session_after):
    session = session_after(product, "select w")
    with pytest.raises(GradstepError, match="w has no gradient here: ○ not reached"):
        obey(session, "copy gradient")
    assert session.copied is None


def test_numpy_copies_what_the_tensor_pane_shows(session_after):
    cube = np.arange(24.0).reshape(2, 3, 4)
    w = tr.tensor(cube, name="W")
    trace = tr.trace(tr.sum(w * w))
    session = session_after(trace, "end", "select W", "cursor 1 2 3", "transpose")
    text, said = copied(session, "copy numpy")
    np.testing.assert_array_equal(read(text), 2.0 * cube[1].T)
    assert said == "copied the gradient of W[1,:,:]ᵀ, as numpy reads it"
    assert copied(session, "copy element") == ("46.0", "copied the gradient of W[1,2,3]")


def test_without_a_word_the_formula_is_copied_and_shown(product, circuit, session_after):
    session = session_after(product, "select f")
    assert copied(session, "copy") == ("f = w · x", "copied f = w · x")
    leaf = session_after(circuit, "select x")
    assert copied(leaf, "copy")[0] == "x = −2"
    with pytest.raises(GradstepError, match="w is a leaf without a formula: try copy value"):
        obey(session_after(product, "select w"), "copy")


def test_latex_is_the_formula_and_each_local_derivative(product, session_after):
    session = session_after(product, "select f")
    text, said = copied(session, "copy latex")
    assert text.splitlines() == [
        r"f = w \odot x",
        r"\frac{\partial f}{\partial w} = x",
        r"\frac{\partial f}{\partial x} = w",
    ]
    assert said == "copied the rule of f in LaTeX"


def test_node_and_line_are_copied(product, session_after):
    session = session_after(product, "select f")
    assert copied(session, "copy node") == ("f", "copied the name of the node")
    text, said = copied(session, "copy line")
    assert text.startswith(__file__)
    assert said.startswith("copied test_copying.py:")
    line = int(text.rpartition(":")[2])
    assert "f = w * x" in Path(__file__).read_text().splitlines()[line - 1]


def test_what_cannot_be_copied_is_told(product, session_after):
    with pytest.raises(GradstepError, match=r"copy takes formula, value, .*try copy numpy"):
        obey(session_after(product), "copy everything")


def test_keys_copy_and_say_what(product, at_desk):
    async def script(desk):
        sent = []
        desk.app.copy_to_clipboard = sent.append
        desk.app.session.select(product.node_index("f"))
        assert "copied f = w · x" in await desk.press("y")
        screen = await desk.press("Y")
        assert "f has no value here: · not run yet" in screen
        assert "copied the value of f, as numpy reads it" in await desk.press("t", "Y")
        assert sent[0] == "f = w · x"
        np.testing.assert_array_equal(read(sent[1]), product.value("f"))
        assert len(sent) == 2

    at_desk(product, script)
