"""A formula as one types it: the right answer in the characters of a keyboard, if that is then judged right."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

import ops
from tracer.symbols import Symbol, is_seen_through

from .judging import RIGHT, Judge
from .question import Question
from .wording import formula

_SIGNS = (
    ("∂L/∂", "dL/d"), (" · ", " * "), ("−", "-"), ("²", "**2"), ("³", "**3"), ("ᵀ", ".T"), ("√(", "sqrt("),
    ("σ(", "sigmoid("), ("≤", "<="), ("≥", ">="),
)  # fmt: skip
_NAME = re.compile(r"[^\W\d]\w*(?:#\d+)?")
_TEST, _SUM, _PRODUCT, _POWER, _ATOM = range(5)
"""How strongly an expression binds."""
_BINARY = {
    "add": ("{} + {}", _SUM, (_SUM, _SUM)), "sub": ("{} - {}", _SUM, (_SUM, _PRODUCT)),
    "mul": ("{} * {}", _PRODUCT, (_PRODUCT, _PRODUCT)), "div": ("{} / {}", _PRODUCT, (_PRODUCT, _POWER)),
    "pow": ("{}**{}", _POWER, (_ATOM, _ATOM)), "square": ("{}**2", _POWER, (_ATOM,)),
    "neg": ("-{}", _SUM, (_PRODUCT,)), "greater": ("{} > {}", _TEST, (_SUM, _SUM)),
    "less": ("{} < {}", _TEST, (_SUM, _SUM)),
}  # fmt: skip


class _UnwritableError(Exception):
    """A formula that a keyboard does not have."""


def typed(question: Question) -> str:
    """The formula that answers a question, as one types it; empty where none of its forms is judged right."""
    judge = Judge(question, explains=False)
    for text in dict.fromkeys(_forms(question)):
        if "Σ" not in text and judge.of(text).verdict == RIGHT:
            return text
    return ""


def _forms(question: Question) -> Iterator[str]:
    """What may be typed, the plainest first; each is tried."""
    with contextlib.suppress(_UnwritableError):
        yield _written(question.expression)[0]
    text = formula(question.expression).text
    for sign, instead in _SIGNS:
        text = text.replace(sign, instead)
    yield text


def _written(x: Any) -> tuple[str, int]:
    """An expression in Python, and how strongly it binds. Raises `_UnwritableError`."""
    if not isinstance(x, Symbol):
        return _number(x)
    if x.op is None:
        return _leaf(x)
    if is_seen_through(x):
        return _written(x.args[0])
    name, args, params = x.op.name, x.args, x.params
    if name in _BINARY:
        template, binding, needs = _BINARY[name]
        parts = (_bracketed(part, need) for part, need in zip(args, needs, strict=True))
        return template.format(*parts), binding
    if name == "matmul":
        return _matrix_product(x)
    if name == "transpose" and params.get("axes") is None:
        (inner,) = args
        if _is_outer(inner):
            a, b = inner.args
            return f"outer({_written(b)[0]}, {_written(a)[0]})", _ATOM
        return (
            _written(inner) if len(_shape(inner)) < 2 else (f"{_bracketed(inner, _ATOM)}.T", _ATOM)
        )
    if name == "sum_to":
        return _summed(x)
    if name in ("sum", "mean"):
        axis, kept = params.get("axis"), params.get("keepdims")
        said = (f"axis={axis}" if axis is not None else "", "keepdims=True" if kept else "")
        return f"np.{name}({', '.join(filter(None, (_written(args[0])[0], *said)))})", _ATOM
    if name == "softmax" and len(args) == 1:
        axis = f", axis={params['axis']}" if len(_shape(args[0])) > 1 else ""
        return f"softmax({_written(args[0])[0]}{axis})", _ATOM
    if x.op.elementwise and not any(v is not None for v in params.values()):
        return f"{name}({', '.join(_written(part)[0] for part in args)})", _ATOM
    raise _UnwritableError


def _bracketed(x: Any, need: int) -> str:
    text, binding = _written(x)
    return f"({text})" if binding < need else text


def _leaf(x: Symbol) -> tuple[str, int]:
    """A value or a gradient by its name, or a number."""
    text = x.text.replace("∂L/∂", "dL/d")
    if not text or text == "1":
        return _number(x.value)
    if not _NAME.fullmatch(text.removeprefix("dL/d")):
        raise _UnwritableError
    return text, _ATOM


def _number(value: Any) -> tuple[str, int]:
    """A number with all its digits, so that what is copied is right."""
    if np.ndim(value) or not np.isfinite(value):
        raise _UnwritableError
    text = f"{int(value)}" if value == int(value) and abs(value) < 1e6 else f"{float(value)!r}"
    return text, _SUM if text.startswith("-") else _ATOM


def _matrix_product(x: Symbol) -> tuple[str, int]:
    """A product of matrices; of a column and a row, where numpy has vectors, the outer product."""
    a, b = x.args
    if len(_typed_shape(a)) > 1 or len(_typed_shape(b)) > 1:
        return f"{_bracketed(a, _PRODUCT)} @ {_bracketed(b, _POWER)}", _PRODUCT
    if not _typed_shape(a) or not _typed_shape(b):
        return f"{_bracketed(a, _PRODUCT)} * {_bracketed(b, _POWER)}", _PRODUCT
    if _is_outer(x):
        return f"outer({_written(a)[0]}, {_written(b)[0]})", _ATOM
    return f"{_bracketed(a, _PRODUCT)} @ {_bracketed(b, _POWER)}", _PRODUCT


def _is_outer(x: Any) -> bool:
    """Whether an expression is a column times a row: numpy has no columns, and the sign of the transpose tells."""
    if not isinstance(x, Symbol) or x.op is not ops.matmul:
        return False
    vectors = all(len(_typed_shape(part)) == 1 for part in x.args)
    turned = (isinstance(part, Symbol) and part.op is ops.transpose for part in x.args)
    return vectors and any(turned)


def _summed(x: Symbol) -> tuple[str, int]:
    """A sum along the axes that were broadcast."""
    (inner,) = x.args
    given, kept = _shape(inner), x.params["shape"]
    text = _written(inner)[0]
    lead = len(given) - len(kept)
    spread = [lead + k for k, n in enumerate(kept) if n < given[lead + k]]
    if spread and lead:
        raise _UnwritableError
    axes = spread or range(lead)
    if len(kept) == 0:
        return f"np.sum({text})", _ATOM
    axis = str(axes[0]) if len(axes) == 1 else str(tuple(axes))
    return f"np.sum({text}, axis={axis}{', keepdims=True' if spread else ''})", _ATOM


def _typed_shape(x: Any) -> tuple[int, ...]:
    """The shape in numpy, where a vector is its own transpose."""
    turned = isinstance(x, Symbol) and x.op is ops.transpose
    inner = _shape(x.args[0]) if turned else ()
    return inner if len(inner) == 1 else _shape(x)


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(np.shape(x.value if isinstance(x, Symbol) else x))
