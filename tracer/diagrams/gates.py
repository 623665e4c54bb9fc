"""What a round gate says: the primitive's symbol, with Python scalars folded in, as `×−1`, `+1` and `1/x`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tracer import format as short
from tracer.diagrams.names import name_text, plain
from tracer.diagrams.numerals import numeral, whole
from tracer.diagrams.picture import Run, Text
from tracer.traces import Trace

SIGNS = {
    "add": "+",
    "sub": "−",
    "mul": "×",
    "div": "÷",
    "matmul": "@",
    "sum": "Σ",
    "getitem": "[ ]",
}
"""Where the sign on a gate differs from the one in a formula."""
ORDERED = ("sub", "div", "pow", "matmul")
"""Operations that change when their inputs are exchanged."""
_RAISED = str.maketrans("0123456789−.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")


def gate_text(trace: Trace, i: int) -> Text:
    """The characters on the gate of node i, in a size that fits a circle of half an inch where it can."""
    symbol = _symbol(trace, i)
    size = 20 if len(symbol) == 1 else 13 if len(symbol) <= 3 else 12
    return (Run(plain(symbol, longest=14), size=size),)


def operand_text(trace: Trace, i: int, arriving: Collection[int]) -> Text:
    """The gate of node i and its other operand by name, where only one of two is among `arriving`."""
    symbol = gate_text(trace, i)
    inputs = trace.inputs_of(i)
    other = [k for k in range(len(inputs)) if k not in arriving]
    if len(inputs) != 2 or len(other) != 1 or min(inputs) < 0 or not trace.names[inputs[other[0]]]:
        return symbol
    operand = name_text(trace.names[inputs[other[0]]], size=12)
    sign = Run(symbol[0].text, size=13)
    return (sign, Run(" "), *operand) if other[0] else (*operand, Run(" "), sign)


def is_ordered(trace: Trace, i: int) -> bool:
    """Whether the gate of node i reads two values whose order matters."""
    return trace.ops[trace.op_of[i]].name in ORDERED and sum(j >= 0 for j in trace.inputs_of(i)) > 1


def _symbol(trace: Trace, i: int) -> str:
    op = trace.ops[trace.op_of[i]]
    inputs = trace.inputs_of(i)
    literals = [trace.literals[-1 - j] if j < 0 else None for j in inputs]
    for name in reversed(op.inputs if op.optional else ()):  # what the user left out is not shown
        if literals[-1] is None or op.optional.get(name) != literals[-1]:
            break
        literals.pop()
    if len(literals) == 2 and (literals[0] is None) != (literals[1] is None):
        first = literals[0] is not None
        number = literals[0] if first else literals[1]
        folded = _folded(op.name, _written(number), first=first)
        if folded:
            return folded
    symbol = "×−1" if op.name == "neg" else SIGNS.get(op.name) or op.formula.symbol or op.name
    if all(number is None for number in literals) or len(literals) > 3:
        return symbol
    return (
        f"{symbol}({', '.join('·' if number is None else _written(number) for number in literals)})"
    )


def _written(number: Any) -> str:
    if isinstance(number, int):
        return short.number(number) if abs(number) < 10**6 else numeral(number)
    return whole(number) if isinstance(number, float) else plain(str(number), longest=8)


def _folded(name: str, number: str, *, first: bool) -> str:
    """The gate of a binary operation with one Python scalar, which is the first operand or the second."""
    negative = number.startswith(short.MINUS)
    if name == "add":
        return number if negative else f"+{number}"
    if name == "sub":
        return f"{number} − x" if first else f"+{number[1:]}" if negative else f"−{number}"
    if name == "mul":
        return f"×{number}"
    if name == "div":
        return f"{number}/x" if first else f"÷{number}"
    if name == "pow" and first:
        return f"{number}ˣ"
    if name == "pow":
        return {"0.50": "√", f"{short.MINUS}1": "1/x"}.get(number, f"x{number.translate(_RAISED)}")
    if name in ("maximum", "minimum"):
        return f"{name[:3]} {number}"
    return ""
