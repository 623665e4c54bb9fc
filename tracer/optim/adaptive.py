"""Steps whose length adapts to each element: Adagrad, RMSprop, Adam and AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ops.primitive import Array
from tracer.optim.optimizer import Block, Optimizer, with_decay


def _towards(average: Array, new: Array, share: float) -> None:
    """average ← (1 − share) · average + share · new, in place; new is overwritten."""
    average *= 1 - share
    new *= share
    average += new


class Adagrad(Optimizer):
    """Steps divided by the root of all squares so far (Duchi et al. 2011).

    s ← s + g²; w ← w − lr/(1 + (t − 1) · lr_decay) · g/(√s + eps)

    >>> import tracer as tr
    >>> w = tr.parameter([1.0, -4.0])
    >>> tr.sum(w * w).backward()
    >>> tr.optim.Adagrad([w], lr=0.5).step()
    >>> w.value
    array([ 0.5, -3.5])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    def remembered(self, group: Mapping[str, Any]) -> dict[str, float]:
        """The sum of squares."""
        return {"sum": group["initial_accumulator_value"]}

    def update(
        self, block: Block, state: Mapping[str, Array], group: Mapping[str, Any], step: int
    ) -> None:
        """One step; the rate falls with the number of steps if lr_decay is given."""
        new, w, g, a, below = block
        g = with_decay(w, g, group["weight_decay"], a)
        total = state["sum"]
        np.multiply(g, g, out=below)
        total += below
        np.sqrt(total, out=below)
        below += group["eps"]
        np.divide(g, below, out=new)
        new *= -group["lr"] / (1 + (step - 1) * group["lr_decay"])
        new += w


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squares (Hinton 2012), in PyTorch's form.

    s ← α s + (1 − α) g²; w ← w − lr · g/(√s + eps). centered: m ← α m + (1 − α) g, and s − m² for s in the root.
    momentum: v ← μ v + g/(√s + eps); w ← w − lr · v.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
        )

    def remembered(self, group: Mapping[str, Any]) -> dict[str, float]:
        """The mean of squares; the mean and the momentum, if they are asked for."""
        wanted = {
            "square_avg": True,
            "grad_avg": group["centered"],
            "momentum_buffer": group["momentum"],
        }
        return {name: 0.0 for name, asked in wanted.items() if asked}

    def update(
        self, block: Block, state: Mapping[str, Array], group: Mapping[str, Any], step: int
    ) -> None:
        """One step, with the mean and the momentum if they are asked for."""
        new, w, g, a, below = block
        g = with_decay(w, g, group["weight_decay"], a)
        share = 1 - group["alpha"]
        np.multiply(g, g, out=below)
        _towards(state["square_avg"], below, share)
        if group["centered"]:
            mean = state["grad_avg"]
            np.copyto(below, g)
            _towards(mean, below, share)
            np.multiply(mean, mean, out=below)
            np.subtract(state["square_avg"], below, out=below)
            np.sqrt(below, out=below)
        else:
            np.sqrt(state["square_avg"], out=below)
        below += group["eps"]
        np.divide(g, below, out=new)
        if group["momentum"]:
            v = state["momentum_buffer"]
            v *= group["momentum"]
            v += new
            np.copyto(new, v)
        new *= -group["lr"]
        new += w


class Adam(Optimizer):
    """Running means of gradient and square, corrected for their start at zero (Kingma & Ba 2015).

    m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − lr · m̂/(√v̂ + eps), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ)

    amsgrad: the largest v so far stands for v. weight_decay is added to the gradient; see `AdamW` for the other way.

    >>> import tracer as tr
    >>> w = tr.parameter([1.0, -4.0])
    >>> tr.sum(w * w).backward()
    >>> tr.optim.Adam([w], lr=0.5).step()
    >>> w.value.round(6)
    array([ 0.5, -3.5])
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay, amsgrad=amsgrad
        )

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise `ValueError` for betas that are not two shares below 1."""
        super().check(options)
        if len(options["betas"]) != 2 or not all(0 <= beta < 1 for beta in options["betas"]):
            raise ValueError(
                f"{type(self).__name__}: betas are two numbers from 0 to below 1, not {options['betas']}"
            )

    def remembered(self, group: Mapping[str, Any]) -> dict[str, float]:
        """Both means; the largest mean of squares with amsgrad."""
        names = ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if group["amsgrad"] else ()))
        return dict.fromkeys(names, 0.0)

    def update(
        self, block: Block, state: Mapping[str, Array], group: Mapping[str, Any], step: int
    ) -> None:
        """One step, its corrections for step t gathered in two numbers."""
        new, w, g, a, below = block
        lr, decay, (first, second) = group["lr"], group["weight_decay"], group["betas"]
        if not self.decoupled:
            g = with_decay(w, g, decay, a)
        np.copyto(new, g)
        _towards(state["exp_avg"], new, 1 - first)
        np.multiply(g, g, out=below)
        squares = state["exp_avg_sq"]
        _towards(squares, below, 1 - second)
        if group["amsgrad"]:
            squares = np.maximum(state["max_exp_avg_sq"], squares, out=state["max_exp_avg_sq"])
        # m̂/(√v̂ + eps) = (c/(1 − β₁ᵗ)) · m/(√v + c · eps) with c = √(1 − β₂ᵗ): one pass less
        correction = math.sqrt(1 - second**step)
        np.sqrt(squares, out=below)
        below += group["eps"] * correction
        np.divide(state["exp_avg"], below, out=new)
        new *= -lr * correction / (1 - first**step)
        if self.decoupled and decay:
            np.multiply(w, 1 - lr * decay, out=below)
            new += below
        else:
            new += w


class AdamW(Adam):
    """Adam with weight decay of its own (Loshchilov & Hutter 2019): w ← (1 − lr · decay) w, then the step of Adam."""

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)
