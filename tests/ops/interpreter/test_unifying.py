"""The types of names where branches meet: those of Numba, as far as the source tells them."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.deducing import type_of
from ops.interpreter.machine import run
from ops.interpreter.recording import record
from ops.interpreter.unifying import unify
from tests.ops.interpreter.launching import kernel, numbers

ARGUMENTS = {"x": np.zeros(3, np.float32), "n": 3, "k": np.zeros((2, 2), np.int32)}

CASES = {
    "two branches": ("if n: y = 1\nelse: y = 0.5", {"y": "float64"}),
    "one branch and before": ("y = x[0]\nif n:\n    y = 0.0", {"y": "float64"}),
    "a branch that returns does not meet": ("y = 1\nif n:\n    y = 0.5\n    return", {}),
    "an accumulator": ("y = 0\nfor i in range(n):\n    y += x[i]", {"y": "float64"}),
    "of one type": ("y = 0.0\nfor i in range(n):\n    y += x[i]", {}),
    "a while with a break": ("y = 1\nwhile n:\n    if n > 2:\n        y = 2.5\n        break", {"y": "float64"}),
    "a continue": ("y = 1\nfor i in range(n):\n    if i:\n        y = 0.5\n        continue", {"y": "float64"}),
    "a chain": ("a = 0\nb = 0\nfor i in range(n):\n    a = b\n    b = x[i]", {"a": "float64", "b": "float64"}),
    "integers": ("y = k[0, 1]\nif n:\n    y = n", {"y": "int64"}),
    "int32 and float32": ("y = k[0, 1]\nif n:\n    y = x[0]", {"y": "float64"}),
    "typed constants": ("y = float32(0)\nif n:\n    y = x[0] * x[1]", {}),
    "a float64 slips in": ("y = float32(0)\nif n:\n    y = x[0] * 0.5", {"y": "float64"}),
    "not known": ("y = 1\nif n:\n    y = unknown(n)", {}),
    "elements of shared memory": ("s = cuda.shared.array(8, float32)\ny = s[0]\nif n: y = 0.0", {"y": "float64"}),
    "a row is no number": ("y = 1\nif n:\n    y = k[0]", {}),
    "several at once": ("a, b = 1, x[0]\nif n:\n    a, b = 2.0, x[1]", {"a": "float64"}),
    "shapes and threads": ("y = x.shape[0] + cuda.threadIdx.x\nif n:\n    y = len(x) * cuda.grid(1)", {}),
    "functions": ("y = math.sqrt(x[0])\nif n:\n    y = max(x[0], 0.0)", {"y": "float64"}),
}  # fmt: skip


def converted(body: str) -> dict[str, str]:
    """The names that are converted in a function with this body, and to what."""
    tree = ast.parse("def f(x, n, k):\n" + textwrap.indent(body, "    ")).body[0]
    assert isinstance(tree, ast.FunctionDef)
    names = {"float32": np.float32}
    unify(tree, {name: type_of(value) for name, value in ARGUMENTS.items()}, names)
    compile(ast.Module([tree], []), "f.py", "exec")
    found = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="unified_"), args=[_, kind]),
            ):
                assert isinstance(kind, ast.Constant)
                found[name] = kind.value
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_name_is_converted_where_two_types_meet(name: str) -> None:
    body, wanted = CASES[name]
    assert converted(body) == wanted


def branches(cuda: Any, math: Any, T: Any, threads: int) -> Any:
    """Rounds as Numba's kernel does: in float64 on both branches."""

    def kernel(x, out):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i % 2:  # noqa: SIM108 - a branch and a choice
            y = x[i]
        else:
            y = 0.1
        out[i] = y * y
        z = x[i] if i < 2 else 1
        out[i + 4] = z / 3

    return kernel


def test_both_branches_compute_in_the_type_in_which_they_meet() -> None:
    x, out = numbers(4) + np.float32(0.1), np.zeros(8)
    run(kernel(branches, "T[:] f8[:]"), "f4", Launch(1, 4), [x, out], typing="numba")
    wide = x.astype(np.float64)
    assert out[:4].tolist() == [0.1 * 0.1, wide[1] ** 2, 0.1 * 0.1, wide[3] ** 2]
    assert out[4:].tolist() == [wide[0] / 3, wide[1] / 3, 1 / 3, 1 / 3]


def test_a_conversion_is_no_step_of_a_record() -> None:
    given = [numbers(4), np.zeros(8)]
    found = record(kernel(branches, "T[:] f8[:]"), "f4", Launch(1, 4), given, typing="numba")
    lines = [event.line - found.first_line for event in found.runs[0].threads[1]]
    assert lines == [1, 2, 3, 6, 7, 8, 8]
