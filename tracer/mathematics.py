r"""What TeX writes beyond the template of an operation: ⊙ between tensors, the axis under a sum, √8 for 2.828…

Juxtaposition, as in A B, binds more closely than a product with a sign, and less than a power.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.primitive import ATOM, COMPARE, MUL, NEG, POW, Primitive

BESIDE = (MUL + POW) / 2
"""How strongly two matrices beside one another bind."""


class Form:
    """The template of one use of an operation, its binding strength, and what its operands must bind."""

    def __init__(self, op: Primitive, args: Sequence[Any], params: Mapping[str, Any]) -> None:
        form = op.formula
        self.template = form.tex
        self.binding: float = form.binding
        self.needs: Sequence[float] = form.needs if form.tex_needs is None else form.tex_needs
        if self.template.startswith(r"\frac") or op.name == "transpose":
            self.binding = POW  # a bar is a bracket; two superscripts are not stacked
        elif op.name == "mul":
            if all(_shape(arg) for arg in args):
                self.template = r"{x} \odot {y}"
            self.needs = (NEG, BESIDE)
        elif op.name == "matmul":
            self.binding, self.needs = BESIDE, (BESIDE, POW)
        elif op.name == "where":
            self.binding = COMPARE  # what stands behind would belong to the last case
        elif op.name in _OPEN:
            self.binding = MUL
        elif op.name in ("sum", "mean", "sum_to"):
            self._gathers(op.name, _shape(args[0]), params)
            return
        if params.get("axis") is not None and params["axis"] != op.defaults.get("axis"):
            note = _note(params["axis"], len(_shape(args[0])))
            before = r"\exp" if r"\sum\exp" in self.template else r"\left("
            self.template = self.template.replace(before, note + before, 1)

    def _gathers(self, name: str, shape: Sequence[int], params: Mapping[str, Any]) -> None:
        """A sum or mean over all elements or some axes."""
        if not shape:
            return
        axis = _summed(shape, params["shape"]) if name == "sum_to" else params.get("axis")
        count = math.prod(shape[k] for k in _axes(axis, len(shape)))
        share = rf"\frac{{{{1}}}}{{{{{count}}}}} " if name == "mean" else ""
        self.template = rf"{share}\sum{_note(axis, len(shape))}\left({{x}}\right)"
        self.binding = MUL


_OPEN = frozenset(("log_softmax", "logsumexp", "logical_not", "prod", "log_abs_det"))
"""Operations whose last sign but one would catch a superscript or a neighbour."""


def _shape(x: Any) -> tuple[int, ...]:
    return np.shape(x.value if hasattr(x, "value") and hasattr(x, "op") else x)


def _summed(shape: Sequence[int], target: Sequence[int]) -> tuple[int, ...] | None:
    """The axes along which a value was broadcast from one shape to another; None for all of them."""
    extra = len(shape) - len(target)
    axes = tuple(
        k for k in range(len(shape)) if k < extra or (target[k - extra] == 1 and shape[k] != 1)
    )
    return None if len(axes) == len(shape) else axes


def _axes(axis: Any, ndim: int) -> list[int]:
    if axis is None:
        return list(range(ndim))
    return [int(k) % max(ndim, 1) for k in ((axis,) if np.ndim(axis) == 0 else axis)]


def _note(axis: Any, ndim: int) -> str:
    if axis is None:
        return r"_{{\text{{all}}}}"
    axes = _axes(axis, ndim)
    said = ", ".join(map(str, axes))
    return rf"_{{{{\text{{{{ax{'is' if len(axes) == 1 else 'es'} {said}}}}}}}}}"


_LARGEST = 10_000
_NEAR = 1e-15
_WITH_PI = (
    (math.sqrt(2 * math.pi), r"\sqrt{2\pi}"),
    (math.sqrt(math.pi), r"\sqrt{\pi}"),
    (math.pi, r"\pi"),
    (2 * math.pi, r"2\pi"),
)


def constant(value: Any) -> tuple[str, int] | None:
    r"""A number that a program computed, as it is known: `\sqrt{8}`, `\frac{1}{3}`; None for any other.

    >>> constant(8**0.5), constant(-1 / 3), constant(2.5)
    (('\\sqrt{8}', 5), ('-\\frac{1}{3}', 2), None)
    """
    if not isinstance(value, float) or not 1e-4 <= abs(value) <= _LARGEST:
        return None
    size = abs(float(value))
    if float(f"{size:.4g}") == size:
        return None
    for number, under in ((size, False), (1 / size, True)):
        known = _known(number, whole=under)
        if known:
            sign = "-" if value < 0 else ""
            tex = rf"\frac{{1}}{{{known}}}" if under else known
            return sign + tex, NEG if sign else POW if under else ATOM
    return None


def _known(number: float, *, whole: bool) -> str:
    for known, tex in _WITH_PI:
        if math.isclose(number, known, rel_tol=_NEAR):
            return tex
    for power, tex in ((1, "{}"), (2, r"\sqrt{{{}}}")):
        n = round(number**power)
        likely = (whole or power == 2) and 2 <= n <= _LARGEST
        if likely and math.isclose(number, n ** (1 / power), rel_tol=_NEAR):
            return tex.format(n)
    return ""
