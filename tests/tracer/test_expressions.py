"""Expressions over a trace: numpy's syntax, names of nodes, bounds, and refusals that show the place."""

import contextlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tracer as tr
from tests.patience import ends
from tracer.debugger import Debugger
from tracer.errors import ConditionError, GradstepError
from tracer.expressions import numbers, read
from tracer.operators import LARGEST, MOST_PRODUCTS, AbsentError, TooLargeError
from tracer.spelling import spelled

RNG = np.random.default_rng(3)
X, W, V = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2)), RNG.normal(size=4)
V[1] = np.nan


def layer():
    x, w = tr.tensor(X, name="x"), tr.parameter(W, name="layers.0.weight")
    v = tr.tensor(V, name="v")
    h = tr.tanh(x @ w)
    for _ in range(2):
        h = h * 0.5
    loss = tr.mean(h) + 0.0 * tr.sum(v[:1])
    return tr.trace(loss)


@pytest.fixture(scope="module")
def debugger():
    debugger = Debugger(layer())
    debugger.goto(debugger.timeline.last)
    return debugger


def same(found, expected):
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


NUMPY = [
    "x.sum(0)",
    "np.sum(x, axis=1, keepdims=True)",
    "mean(x, axis=(0, 1))",
    "std(x, ddof=1) / var(x, axis=0)",
    "np.linalg.norm(x, axis=1)",
    "argmax(x, axis=1) + argmin(x)",
    "x.max() - x.min(1)",
    "sqrt(abs(x)) + exp(-x) * log(abs(x)) - sign(x)",
    "isnan(v) | isinf(v) & ~isfinite(v)",
    "any(v > 0) + all(v > 0)",
    "clip(x, -0.5, 0.5)",
    "where(x > 0, x, 0)",
    "round(x, 2)",
    "dot(x, v[:, None])",
    "x @ x.T @ x",
    "x[:, 1:3][::-1]",
    "x[x > 0.2]",
    "x[..., None, 0]",
    "x[-1, argmax(x[-1])]",
    "x[argmax(x, axis=0)]",
    "x.shape[1] * x.ndim + x.size",
    "maximum(x, 0) - minimum(0, x)",
    "x.T.shape",
    "x ** 2 // 0.3 % 0.2",
    "np.pi * np.e",
    "(0 < x) & (x < 1)",
    "(x > 0) ^ (x < 0.5)",
]


@pytest.mark.parametrize("text", NUMPY)
def test_an_expression_gives_what_numpy_gives(debugger, text):
    functions = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
    words = {**functions, "np": np, "x": X, "v": V, "abs": np.abs, "round": np.round}
    same(debugger.evaluate(text), eval(text, words))


def test_norm_and_rms_take_an_axis_and_do_not_overflow():
    for size in (1e200, 1.0, 1e-200):
        found = read("norm(value, axis=0)").reading(numbers(value=X * size))
        np.testing.assert_allclose(found / size, np.linalg.norm(X, axis=0))
        rms = read("rms(value, axis=1, keepdims=True)").reading(numbers(value=X * size))
        np.testing.assert_allclose(rms / size, np.sqrt(np.mean(X**2, axis=1, keepdims=True)))


def test_nodes_are_written_by_name_label_number_and_dotted_name(debugger):
    trace = debugger.trace
    first = trace.value("h#1")
    for text in ("h#1", "node('h#1')", f"@{trace.node_index('h#1')}"):
        np.testing.assert_array_equal(debugger.evaluate(text), first)
    np.testing.assert_array_equal(debugger.evaluate("h"), trace.value("h#3"))
    np.testing.assert_array_equal(debugger.evaluate("2 * matmul@3"), 2 * trace.value("matmul@3"))
    same(debugger.evaluate("norm(layers.0.weight)"), np.linalg.norm(W))
    same(debugger.evaluate("layers.0.weight.grad.T"), trace.gradient("layers.0.weight").T)
    assert debugger.evaluate("layers.0.weight.shape") == (4, 2)
    assert debugger.evaluate("x.dtype == 'float64' and x.shape == (3, 4)") is True


def test_what_python_would_read_otherwise_keeps_its_place():
    text = "h#3 + mul@7 - x@w + @17 * node('a#1') + a.0.b + value[0]@w"
    assert len(spelled(text)) == len(text)
    assert spelled("x @ w") == "x @ w"
    assert spelled("node('h#3')") == "node('h#3')"


def test_a_gradient_that_is_not_there_is_said_in_words_and_never_zero(debugger):
    moving = Debugger(layer())
    text = "norm(layers.0.weight.grad) / norm(layers.0.weight)"
    assert moving.evaluate(text) == "gradient of layers.0.weight not reached"
    assert moving.evaluate("h#1 + 1") == "h#1 not run yet"
    moving.goto(moving.timeline.last)
    weight = moving.trace.gradient("layers.0.weight")
    same(moving.evaluate(text), np.linalg.norm(weight) / np.linalg.norm(W))


def test_what_cannot_be_told_is_said_in_words(debugger):
    for text, words in {
        "x @ x": "shapes (3, 4) and (3, 4) do not fit",
        "x + v[:3]": "shapes (3, 4) and (3,) do not fit",
        "x @ 2": "@ takes arrays",
        "x[9]": "no element [9] in 3×4",
        "x[0.5 + 0.2]": "whole numbers",
        "sum(x, axis=7)": "axis 7 is out of bounds",
        "x & v": "& takes truths",
        "~x": "~ takes truths",
        "x.shape + 1": "not a number",
        "x.dtype > 3": "cannot be told",
        "norm(x.shape)": "takes numbers",
        "round(x, 999)": "at most 300 digits",
    }.items():
        assert words in debugger.evaluate(text), text


@pytest.mark.parametrize(
    ("text", "said", "mark"),
    [
        ("nrm(x)", "there is no function 'nrm': did you mean norm?", "nrm"),
        ("x.gard", "x has no attribute 'gard': did you mean grad?", "x.gard"),
        ("1 + loos", "'loos' is neither a word nor a node: did you mean loss?", "loos"),
        ("np.sqr(x)", "there is no function 'sqr': did you mean sqrt?", "np.sqr"),
        ("norm(x, 2)", "norm is written norm(x, axis, keepdims)", "norm(x, 2)"),
        ("x.grad.grad", "only a node has .grad", "x.grad.grad"),
        ("2 * norm", "norm is a function", "norm"),
        ("value.tofile('x')", "there is no function 'tofile'", "value.tofile"),
    ],
)
def test_a_refusal_shows_the_place_and_a_close_word(debugger, text, said, mark):
    with pytest.raises(ConditionError) as caught:
        debugger.evaluate(text)
    first, shown, marks = str(caught.value).splitlines()[:3]
    assert said in first
    at = marks.index("^")
    assert shown[at : at + marks.count("^")] == mark


@pytest.mark.parametrize(
    "text",
    [
        "value[:, None] * value[None, :]",
        "where(value[:, None] > value, 1, 0)",
        "value[:, None] > value",
        "(value[:, None] > 0) & (value > 0)",
        "maximum(value[:, None], value)",
        "value[:, None] @ value[None, :]",
        "value[value * 0][:, None] + value",
        "0 < value[:, None] < value",
    ],
)
def test_no_array_grows_beyond_its_bound(text):
    value = np.zeros(int(LARGEST**0.5) + 1)
    with pytest.raises(TooLargeError, match="elements"):
        read(text).reading(numbers(value=value))


def test_a_table_is_looked_up_as_long_as_the_rows_have_room():
    table = np.broadcast_to(np.arange(100.0)[:, None], (100, 50))
    rows = read("value[value[:, 0]]").reading(numbers(value=table))
    np.testing.assert_array_equal(rows, table)
    tall = np.broadcast_to(np.float64(0), (LARGEST // 100, 100))
    with pytest.raises(TooLargeError, match="elements"):
        read("value[value[:, 0:2]]").reading(numbers(value=tall))


def test_a_product_of_too_many_multiplications_is_refused_at_once():
    side = int(MOST_PRODUCTS ** (1 / 3)) + 2
    value = np.broadcast_to(np.float64(1), (side, side))
    with ends(), pytest.raises(TooLargeError, match="multiplications"):
        read("value @ value").reading(numbers(value=value))


def test_an_array_as_large_as_what_it_is_made_of_is_allowed():
    value = np.broadcast_to(np.float64(2), (LARGEST + 1,))
    with np.errstate(all="ignore"):
        assert read("max(abs(value)) > 1").reading(numbers(value=value)) is True


TOKENS = st.sampled_from(
    "value grad it x w h#3 mul@2 @1 node('x') .grad .T .shape norm sum where np. abs ( ) [ ] , : "
    "+ - * / ** // % @ & | ~ < <= == != and or not 0 1 2.5 1e308 None True ... axis=0 'a' \" ( ) .0 ; = := if else "
    "lambda for in is σ \0 #".split(" ")
)


@settings(max_examples=300, deadline=None)
@example(["'a'", ".T"], False)
@given(st.lists(TOKENS, max_size=14), st.booleans())
def test_any_text_is_read_or_refused_and_nothing_else_happens(tokens, spaced):
    text = (" " if spaced else "").join(tokens)
    debugger = Debugger(TRACE)
    for work in (debugger.evaluate, debugger.watch, debugger.add_breakpoint, debugger.search):
        with contextlib.suppress(GradstepError):
            work(text)
    debugger.watch_values()
    debugger.resume()


TRACE = layer()


@st.composite
def arrays_text(draw, depth=2):
    """A random expression of arrays of shape (3, 4), in which numpy too is at home."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["x", "y", "2.5", "(-x)", "x.T.T", "y[::-1]", "x[0]"]))
    inner = arrays_text(depth - 1)
    a, b = draw(inner), draw(inner)
    shape = draw(
        st.sampled_from(
            [
                "({a} + {b})", "({a} - {b})", "({a} * {b})", "({a} / {b})", "abs({a})", "sqrt({a})", "exp({a})",
                "where({a} > {b}, {a}, {b})", "clip({a}, -1, 1)", "maximum({a}, {b})", "sum({a} + x, axis=0)",
                "mean({a} + x, axis=1, keepdims=True)", "({a} <= {b}) * {a}", "sign({a})", "std({a} + x)",
                "(x @ ({a} + x).T @ x)", "isfinite({a}) * {b}", "max({a} + y, axis=0)",
            ]
        )
    )  # fmt: skip
    return shape.format(a=a, b=b)


@settings(max_examples=150, deadline=None)
@given(arrays_text())
def test_random_expressions_agree_with_numpy(text):
    y = np.arange(12.0).reshape(3, 4) - 5
    names = {"x": X, "y": y}

    def fetch(name, quantity):
        assert quantity == "value"
        return names[name]

    words = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
    with np.errstate(all="ignore"):
        expected = eval(text, {**words, **names, "abs": np.abs})
        found = read(text).reading(fetch)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_nothing_of_python_is_reached():
    for text in (
        "node('x').__class__",
        "x.__array_interface__",
        "np.load('x')",
        "np.lib",
        "x.data",
        "x.base",
        "getattr(x, 'T')",
        "node(x)",
        "sum(x, out=x)",
        "sum(x, dtype=1)",
        "sum(*x)",
        "sum(x, **x)",
    ):
        with pytest.raises(GradstepError):
            Debugger(TRACE).evaluate(text)


def test_the_absent_are_told_apart_from_the_refused():
    with pytest.raises(AbsentError, match="no gradient"):
        read("grad").reading(numbers(value=1.0))


def test_a_name_of_many_dots_is_read_without_going_deep(debugger):
    long = "a." * 230 + "b"
    for text in (long, f"x[{long}]", f"norm({long}.grad)"):
        with pytest.raises(ConditionError, match="neither a word nor a node"):
            debugger.evaluate(text)
