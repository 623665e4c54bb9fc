"""The text of a derivation: what it may say, and that it can do nothing else."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import tracer as tr
from tests.patience import ends
from tracer.checking.derivations.reading import read
from tracer.errors import DerivationError


def network() -> tr.Trace:
    x = tr.tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    w = tr.tensor([[1.0, 2.0], [-3.0, 0.5]], name="w")
    b = tr.tensor([1.0, 2.0], name="b")
    labels = tr.tensor([1, 0], name="labels")
    h = tr.tanh(x @ w + b)
    loss = tr.sum(h * h) + tr.sum(labels * 0.0)
    return tr.trace(loss)


TRACE = network()


def test_comments_empty_lines_and_the_import_of_numpy_are_passed_over():
    text = "import numpy as np\n\n# the last layer\ndh = 2*h  # of h²\n'''done'''\n"
    (line,) = read(text).body
    assert (line.lineno, ast.unparse(line)) == (4, "dh = 2 * h")


def test_a_line_may_go_on_in_brackets_and_be_indented_as_a_whole():
    program = read("    dh = (2 *\n          h)\n")
    assert program.text(program.body[0]) == "dh = (2 * h)"


@pytest.mark.parametrize(
    "expression",
    [
        "2 * h",
        "h + h",
        "2 * h**1",
        "np.multiply(2, h)",
        "2 * h.T.T",
        "2 * h.reshape(-1).reshape(2, 2)",
        "2 * h[...]",
        "2 * h[:, ::-1][:, [1, 0]]",
        "2 * np.stack([h[0], h[1]])",
        "2 * np.concatenate((h[:1], h[1:]), axis=0)",
        "np.where(h > 0, 2 * h, 2 * h)",
        "-(-2) * h * (h == h)",
        "np.einsum('ij,jk->ik', 2 * h, np.eye(2))",
        "2 * h @ np.eye(h.shape[1])",
        "h * x.shape[0] + 0 * sigmoid(x) + 0 * softmax(x)",
        "2 * h + 0 * np.pi + 0 * h.sum(axis=0, keepdims=True) + 0 * len(h)",
        "h * 2**1 // 1 + h % 1 - h % 1",
    ],
)
def test_plain_numpy_is_understood(expression):
    report = tr.verify(TRACE, f"dh = {expression}")
    assert report.rows[0].count("AGREE") == 4 or "//" in expression, report


HOSTILE = [
    "dx = __import__('os').system('true')",
    "dx = open('secret')",
    "dx = eval('1')",
    "dx = (lambda: 1)()",
    "dx = [[z for z in y] for y in open('secret')]",
    "dx = x.__class__",
    "dx = x.__array_interface__",
    "dx = np.load('secret')",
    "dx = np.linalg.inv(x)",
    "dx = np.fromfile('secret')",
    "dx = x.tofile('secret')",
    "dx = x.sum.__globals__",
    "dx = f'{x}'",
    "dx = 'text'",
    "dx = 1j * x",
    "dx = {1: x}",
    "dx = (y := x)",
    "dx = x.sum(out=x)",
    "dx = np.add(x, x, out=x)",
    "dx = np.sum(*x)",
    "dx = np.sum(x, **x)",
    "while True: pass",
    "for i in open('secret'): dx = x",
    "def f(): import os\ndef g(): pass",
    "class A: pass",
    "with open('secret') as f: pass",
    "try: dx = x\nexcept Exception: pass",
    "import os",
    "import numpy as np, os",
    "dx = np.random.rand(2, 2)",
    "dx = [y for y in x for z in x]",
    "dx = {y: 1 for y in x}",
    "x.append(1)",
    "np.add.at(x, 0, 1)",
    "x += 1",
    "dx[0] = 1",
    "async def f(): pass",
    "from os import system",
    "del x",
    "x.flags.writeable = True",
    "x[0] = 3",
    "global x",
    "exec('1')",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_arithmetic_is_let_through(text):
    with pytest.raises(DerivationError, match=r"^line 1: "):
        tr.verify(TRACE, text)


@pytest.mark.parametrize(
    "text",
    [
        "dx = 10**10**10",
        "dx = 2**(3**40)",
        "a = 4611686018427387904\nb = a*a\ndx = b",
        "dx = [1] * 10**10",
        "dx = np.zeros((10**6, 10**6))",
        "dx = np.ones(10**10)",
        "dx = np.eye(10**6)",
        "dx = np.broadcast_to(x, (10**9, 2, 2))",
        "a = np.ones(10**5)\ndx = np.outer(a, a)",
        "a = np.ones((10**5, 1))\ndx = a * a.T",
        "a = np.ones((10**5, 1))\ndx = a @ a.T",
        "a = np.ones(10**5)\ndx = np.diag(a)",
        "a = np.ones(10**5)\ndx = np.einsum('i,j->ij', a, a)",
        "a = np.ones(10**5)\ndx = a[np.zeros((10**5, 1)) > 1, None]",
        "a = np.ones((4000, 4000))\ndx = a @ a",
        "dx = np.tile(x, 10**9)",
        "dx = np.pad(x, 10**6)",
        "dx = np.full((10**5, 10**5), 1.0)",
        "dx = np.arange(10**12)",
        "for t in range(10**9): dx = x",
        "dx = [0] * 10**9",
        pytest.param(
            "a = []\nfor t in range(20): a = a + [np.ones(10**7)]\ndx = x", marks=pytest.mark.slow
        ),
        pytest.param("while True: q = 1\ndx = x", marks=pytest.mark.slow),
        "dx = sum(k for k in range(10**6))",
        "dx = np.stack([" + ", ".join(["np.ones(10**7)"] * 100) + "])",
        "".join(f"a{k} = np.ones(10**7)\n" for k in range(20)) + "dx = x",
        "dx = x.repeat(10**12)",
        "dx = " + "(" * 500 + "x" + ")" * 500,
        "dx = " + "+".join(["x"] * 20_000),
        "dx = x\n" * 30_000,
        "dx = x\0",
    ],
)
def test_nothing_exhausts_the_machine(text):
    with ends(), pytest.raises(DerivationError):
        tr.verify(TRACE, text)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("dh = 2*h\ndx = dh @", 2, "not Python"),
        ("\n\ndx = foo * w", 3, "'foo' is neither defined in a line above nor recorded"),
        ("dx = xx", 1, "try: x"),
        ("dhh = 2*h", 1, "there is no recorded value 'hh'"),
        ("dL/dz = 2*h", 1, "there is no recorded value 'z'"),
        ("dlabels = 0", 1, "gradient of whole numbers"),
        ("dx = x^2", 1, "try: \\*\\* for powers"),
        ("dx = x @ b[:1]", 1, "with shapes 2×2, 1"),
        ("dx = x + np.ones(3)", 1, "with shapes 2×2, 3"),
        ("dx = x[0, 0, 0]", 1, "too many indices"),
        ("dx = sum(x)", 1, r"x\.sum\(0\) or np\.sum\(x\)"),
        ("dx = 1 / 0", 1, "division by zero"),
        ("dx = x.shape", 1, "no number and no array"),
        ("dx += 1", 1, "uses dx before the line that gives it"),
        ("q = dx * 1\ndx = q", 1, "uses dx before the line that gives it"),
        ("dx = np.sqr(x)", 1, "try: np.sqrt"),
        ("", 0, "no line of the derivation gives the gradient"),
        ("m = 3", 0, "no line of the derivation gives the gradient"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_the_reason(text, line, words):
    with pytest.raises(DerivationError, match=words) as caught:
        tr.verify(TRACE, text)
    message = str(caught.value)
    assert "try:" in message
    if line:
        assert message.startswith(f"line {line}: ")
        assert message.splitlines()[1].strip() == text.splitlines()[line - 1]


def test_the_recorded_values_cannot_be_written_to():
    before = TRACE.value("x").copy()
    with pytest.raises(DerivationError, match=r"np\.add takes x1, x2"):
        tr.verify(TRACE, "dx = np.add(x, x, x)")
    assert np.array_equal(TRACE.value("x"), before)


def test_a_name_that_could_mean_two_things_is_refused():
    x = tr.tensor(2.0, name="x")
    dx = tr.square(x)
    trace = tr.trace(dx * 3.0)
    with pytest.raises(DerivationError, match="dL_dx for the gradient"):
        tr.verify(trace, "dx = 1.0")
    assert tr.verify(trace, "dL_dx = 6 * x").ok


def test_a_long_line_is_cut_in_the_message():
    with pytest.raises(DerivationError) as caught:
        tr.verify(TRACE, "dx = foo" + " + x" * 100)
    assert len(str(caught.value).splitlines()[0]) < 120
