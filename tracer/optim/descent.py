"""Steps along the gradient: SGD with momentum in three forms, and the deck's step of fixed length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from ops.primitive import Array
from tracer.optim.optimizer import Block, Optimizer, with_decay

FORMS = ("torch", "velocity", "average")


class SGD(Optimizer):
    """Gradient descent: w ← w − lr · g, with momentum, Nesterov's look-ahead, and weight decay if asked for.

    With momentum μ and a gradient g (decay included):
    form "torch", PyTorch's: v ← μ v + (1 − dampening) g, at first v ← g; w ← w − lr · v (nesterov: g + μ v for v).
    form "velocity", of the decks: v ← μ v − lr · g; w ← w + v (nesterov: μ v − lr · g for v).
    form "average", of the decks: v ← μ v + (1 − μ) g; w ← w − lr · v.

    weight_decay: λ of the loss plus λ/2 · ‖w‖²; the decks' J + λ/(2m) ‖w‖² has weight_decay = λ/m.

    >>> import tracer as tr
    >>> w = tr.parameter([1.0, -2.0])
    >>> optimizer = tr.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     tr.sum(w * w).backward()
    ...     optimizer.step()
    >>> w.value
    array([ 0.46, -0.92])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        form: Literal["torch", "velocity", "average"] = "torch",
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            form=form,
        )

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise `ValueError` for a form that does not exist, or one that does not know an option."""
        super().check(options)
        form = options["form"]
        if form not in FORMS:
            raise ValueError(
                f"SGD has no form {form!r} of momentum\n  try: one of {', '.join(FORMS)}"
            )
        if options["nesterov"] and (
            not options["momentum"] or options["dampening"] or form == "average"
        ):
            raise ValueError(
                "SGD: nesterov looks ahead along a momentum without dampening, form 'torch' or 'velocity'\n"
                "  try: momentum=0.9, nesterov=True"
            )
        if options["dampening"] and form != "torch":
            raise ValueError(
                f"SGD: form {form!r} knows no dampening\n  try: form='torch', or dampening=0"
            )

    def remembered(self, group: Mapping[str, Any]) -> dict[str, float]:
        """The momentum, if there is one."""
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def update(
        self, block: Block, state: Mapping[str, Array], group: Mapping[str, Any], step: int
    ) -> None:
        """The form that the group names."""
        new, w, g, a, b = block
        lr, momentum, form = group["lr"], group["momentum"], group["form"]
        g = with_decay(w, g, group["weight_decay"], a)
        if not momentum:
            np.multiply(g, -lr, out=new)
            new += w
            return
        v = state["momentum_buffer"]
        share = {"torch": 1 - group["dampening"], "velocity": -lr, "average": 1 - momentum}[form]
        if form == "torch" and step == 1:
            np.copyto(v, g)
        else:
            v *= momentum
            v += g if share == 1 else np.multiply(g, share, out=new)
        along = 1.0 if form == "velocity" else -lr
        if group["nesterov"]:
            np.multiply(v, momentum * along, out=new)
            np.multiply(g, -lr, out=b)
            new += b
        else:
            np.multiply(v, along, out=new)
        new += w


class FixedStep(Optimizer):
    """Steps of the same length for every element, whatever its gradient: w ← w − lr · g/(√(g²) + eps).

    The decks' normaliser. It does not slow down near a minimum, and bounces around it.

    >>> import tracer as tr
    >>> w = tr.parameter([0.25, -8.0])
    >>> optimizer = tr.optim.FixedStep([w], lr=0.1)
    >>> for _ in range(4):
    ...     tr.sum(w * w).backward()
    ...     optimizer.step()
    >>> w.value.round(6)
    array([ 0.05, -7.6 ])
    """

    def __init__(self, params: Iterable[Any], lr: float = 1e-2, eps: float = 1e-8) -> None:
        super().__init__(params, lr=lr, eps=eps)

    def update(
        self, block: Block, state: Mapping[str, Array], group: Mapping[str, Any], step: int
    ) -> None:
        """One step of the fixed length."""
        new, w, g, a, _ = block
        np.abs(g, out=a)  # √(g²), but for squares that are too small or large for a number
        a += group["eps"]
        np.divide(g, a, out=new)
        new *= -group["lr"]
        new += w
