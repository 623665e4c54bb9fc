"""Losses and normalisations in PyTorch 2.13: they made the golden numbers in `losses_golden.json`.

`python tests/ops/losses_in_torch.py > tests/ops/losses_golden.json`. Not run by the tests. Every case holds what an
operation of ours is called with, the value, and the gradients of Σ cotangent · value that PyTorch gives.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional

rng = np.random.default_rng(0)
Made = tuple[str, list[Any], dict[str, Any], Callable[..., torch.Tensor]]
REDUCTIONS = ("none", "mean", "sum")


def draw(*shape: int, low: float | None = None, high: float = 1.0) -> np.ndarray:
    """Numbers with few digits: normal ones, or uniform ones from low to high."""
    drawn = rng.normal(size=shape) if low is None else rng.uniform(low, high, size=shape)
    return np.round(drawn, 3)


def classes() -> Iterator[Made]:
    """Cross-entropy and the negative logarithm with every option; classes on axis 1 as PyTorch has them."""
    weight = draw(4, low=0.5, high=2)
    for reduction, smoothing, weighted, ignored, shape in itertools.product(
        REDUCTIONS, (0.0, 0.1), (False, True), (-100, 2), ((5, 4), (2, 4, 3))
    ):
        target = rng.integers(0, 4, (shape[0], *shape[2:]))
        target.flat[0] = ignored
        args = [draw(*shape), target, *([weight] if weighted else [])]
        given: dict[str, Any] = {"reduction": reduction, "ignore_index": ignored}

        def loss(
            x: Any, t: Any, w: Any = None, given: Any = given, smoothing: Any = smoothing
        ) -> Any:
            return functional.cross_entropy(x, t, w, label_smoothing=smoothing, **given)

        def negative(x: Any, t: Any, w: Any = None, given: Any = given) -> Any:
            return functional.nll_loss(x, t, w, **given)

        yield "cross_entropy", args, {**given, "label_smoothing": smoothing, "axis": 1}, loss
        if not smoothing:
            yield "nll_loss", args, {**given, "axis": 1}, negative
    for reduction, smoothing, weighted in itertools.product(REDUCTIONS, (0.0, 0.2), (False, True)):
        shares = np.round(np.random.default_rng(1).dirichlet(np.ones(4), 3), 3)
        args = [draw(3, 4), shares, *([weight] if weighted else [])]
        options = {"reduction": reduction, "label_smoothing": smoothing}
        yield (
            "cross_entropy",
            args,
            options,
            lambda x, t, w=None, options=options: functional.cross_entropy(x, t, w, **options),
        )


def binary() -> Iterator[Made]:
    """Binary cross-entropy of probabilities, two of them 0 and 1, and of logits, two of them in the tails."""
    for reduction, weighted in itertools.product(REDUCTIONS, (False, True)):
        target = np.array([[0.0, 1.0, 0.3], [1.0, 0.0, 0.9]])
        weight, positive = draw(3, low=0.5, high=2), draw(3, low=0.5, high=2)
        p = draw(2, 3, low=0.05, high=0.95)
        p[0, :2] = [0.0, 1.0]
        x = 3 * draw(2, 3)
        x[1, :2] = [40.0, -40.0]
        more = [weight] if weighted else []
        yield (
            "binary_cross_entropy",
            [p, target, *more],
            {"reduction": reduction},
            lambda p, t, w=None, r=reduction: functional.binary_cross_entropy(p, t, w, reduction=r),
        )
        yield (
            "binary_cross_entropy_with_logits",
            [x, target, *more, *([positive] if weighted else [])],
            {"reduction": reduction},
            lambda x, t, w=None, v=None, r=reduction: functional.binary_cross_entropy_with_logits(
                x, t, w, reduction=r, pos_weight=v
            ),
        )


def differences() -> Iterator[Made]:
    """Losses of a difference, with an equal pair, and the divergence and the angle."""
    for reduction in REDUCTIONS:
        x, y = 2 * draw(2, 4), 2 * draw(2, 4)
        x[0, 0] = y[0, 0]
        for name, more in (
            ("mse_loss", {}),
            ("l1_loss", {}),
            ("huber_loss", {"delta": 0.7}),
            ("smooth_l1_loss", {"beta": 0.7}),
            ("smooth_l1_loss", {"beta": 0.0}),
        ):
            options = {"reduction": reduction, **more}
            form = getattr(functional, name)
            yield name, [x, y], options, lambda x, y, f=form, o=options: f(x, y, **o)
    for reduction, log_target in itertools.product((*REDUCTIONS, "batchmean"), (False, True)):
        options = {"reduction": reduction, "log_target": log_target}
        target = draw(3, 4) - 2 if log_target else draw(3, 4, low=0.1)
        yield (
            "kl_div",
            [draw(3, 4) - 2, target],
            options,
            lambda x, y, o=options: functional.kl_div(x, y, **o),
        )
    for axis in (0, 1, -1):
        yield (
            "cosine_similarity",
            [draw(3, 4), draw(3, 4)],
            {"axis": axis},
            lambda x, y, a=axis: functional.cosine_similarity(x, y, dim=a),
        )


def norms() -> Iterator[Made]:
    """Every normalisation, of one and of two dimensions, with and without scale and shift."""
    for shape, axis in (((5, 3), 0), ((2, 3, 4), (0, 2)), ((2, 3, 2, 2), (0, 2, 3))):
        x, gamma, beta = 3 * draw(*shape) + 1, draw(3), draw(3)
        for affine in ([], [gamma], [gamma, beta]):
            yield (
                "batch_norm",
                [x, *affine],
                {"axis": axis, "eps": 1e-3},
                lambda x, w=None, b=None: functional.batch_norm(
                    x, None, None, w, b, training=True, eps=1e-3
                ),
            )
        mean, var = draw(3), draw(3, low=0.5, high=2)
        yield (
            "batch_norm_inference",
            [x, mean, var, gamma, beta],
            {},
            lambda x, m, v, w, b: functional.batch_norm(x, m, v, w, b),
        )
    x = 3 * draw(2, 4, 3) + 1
    gamma, beta = draw(4), draw(4)
    for groups in (1, 2, 4):
        yield (
            "group_norm",
            [x, gamma, beta],
            {"groups": groups},
            lambda x, w, b, n=groups: functional.group_norm(x, n, w, b),
        )
    yield (
        "instance_norm",
        [x, gamma, beta],
        {},
        lambda x, w, b: functional.instance_norm(x, weight=w, bias=b),
    )
    for axis, size in ((-1, (3,)), ((1, 2), (4, 3))):
        w, b = draw(*size), draw(*size)
        yield (
            "layer_norm",
            [x, w, b],
            {"axis": axis},
            lambda x, w, b, n=size: functional.layer_norm(x, n, w, b),
        )
        yield (
            "rms_norm",
            [x, w],
            {"axis": axis},
            lambda x, w, n=size: functional.rms_norm(x, n, w, eps=1e-6),
        )


def golden(name: str, args: list[Any], params: dict[str, Any], form: Any) -> dict[str, Any]:
    """One case: value and gradients of the float arguments, None where PyTorch has none."""
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in args]
    of_classes = len(tensors) > 1 and tensors[1].dtype == torch.int64
    if of_classes or name.startswith("binary"):  # PyTorch has no derivative by these weights
        tensors[2:] = [w.detach() for w in tensors[2:]]
    if name == "binary_cross_entropy":  # whose slope by a target is not clamped beside 0 and 1
        tensors[1] = tensors[1].detach()
    if name == "batch_norm_inference":  # nor by these statistics
        tensors[1:3] = [each.detach() for each in tensors[1:3]]
    value = form(*tensors)
    seed = np.round(np.random.default_rng(7).uniform(0.5, 1.5, tuple(value.shape)), 3)
    (value * torch.tensor(seed)).sum().backward()
    return {
        "name": name,
        "args": [x.tolist() for x in args],
        "params": params,
        "seed": seed.tolist(),
        "value": value.tolist(),
        "gradients": [None if x.grad is None else x.grad.tolist() for x in tensors],
    }


if __name__ == "__main__":
    makers = (classes(), binary(), differences(), norms())
    cases = [golden(*made) for made in itertools.chain(*makers)]
    json.dump(cases, sys.stdout, separators=(",", ":"))
    print()
