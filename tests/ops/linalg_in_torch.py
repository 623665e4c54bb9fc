"""Linear algebra in PyTorch: it made the golden numbers in `linalg_golden.json`.

`python tests/ops/linalg_in_torch.py > tests/ops/linalg_golden.json`. Not run by the tests. Each case has the value, the
gradients of Σ g · value, and the gradients of Σ weight · gradient.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import torch

Case = tuple[Callable[..., torch.Tensor], Sequence[Sequence[int]]]
L, F = torch.linalg, torch.nn.functional


def symmetric(a: torch.Tensor) -> torch.Tensor:
    return (a + a.mT) / 2


def einsum(equation: str, *shapes: Sequence[int]) -> tuple[str, Case]:
    return f"einsum {equation}", (lambda *x: torch.einsum(equation, *x), shapes)


CASES: dict[str, Case] = {
    "linear": (F.linear, [(4, 3), (2, 3), (2,)]),
    "linear of a stack": (F.linear, [(2, 2, 3), (2, 3), (2,)]),
    "linear of a vector": (F.linear, [(3,), (2, 3), (2,)]),
    "outer": (torch.outer, [(2,), (3,)]),
    "tensordot 2": (lambda x, y: torch.tensordot(x, y, 2), [(2, 3, 2), (3, 2, 2)]),
    "tensordot pairs": (
        lambda x, y: torch.tensordot(x, y, ([0, 2], [1, 0])),
        [(2, 3, 4), (4, 2, 2)],
    ),
    "inv": (L.inv, [(2, 3, 3)]),
    "solve vector": (L.solve, [(3, 3), (3,)]),
    "solve columns": (L.solve, [(2, 3, 3), (3, 2)]),
    "det": (L.det, [(2, 3, 3)]),
    "slogdet": (lambda a: L.slogdet(a).logabsdet, [(2, 3, 3)]),
    "cholesky": (lambda a: L.cholesky(symmetric(a)), [(2, 3, 3)]),
    "cholesky upper": (lambda a: L.cholesky(symmetric(a), upper=True), [(3, 3)]),
    **dict(
        [
            einsum("ij,jk->ik", (2, 3), (3, 4)),
            einsum("...ij,...jk", (2, 1, 2, 2), (3, 2, 2)),
            einsum("ii->i", (3, 3)),
            einsum("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
            einsum("bn,anm,bm->ba", (2, 3), (2, 3, 2), (2, 2)),
        ]
    ),
}


def drawn(shape: Sequence[int], square: bool) -> torch.Tensor:
    """Numbers of four decimals, so that the file stays readable; square matrices far from singular, and positive."""
    x = torch.randn(*shape, dtype=torch.float64)
    if square:
        x = x @ x.mT / 4 + 2 * torch.eye(shape[-1]) + x / 8
    return (x * 1e4).round() / 1e4


def golden(
    function: Callable[..., torch.Tensor], shapes: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """One case: inputs, cotangent and weights, then what PyTorch makes of them."""
    xs = [drawn(shape, shape[-2:] == (3, 3)).requires_grad_() for shape in shapes]
    out = function(*xs)
    g, weights = drawn(out.shape, False), [drawn(x.shape, False) for x in xs]
    firsts = torch.autograd.grad(out, xs, g, create_graph=True)
    total = torch.stack([(f * w).sum() for f, w in zip(firsts, weights, strict=True)]).sum()
    seconds: Any = [torch.zeros_like(x) for x in xs]
    if total.requires_grad:
        found = torch.autograd.grad(total, xs, allow_unused=True)
        seconds = [z if f is None else f for f, z in zip(found, seconds, strict=True)]
    lists = {"inputs": xs, "weights": weights, "gradients": firsts, "seconds": seconds}
    return {
        "g": g.tolist(),
        "value": out.tolist(),
        **{key: [x.tolist() for x in each] for key, each in lists.items()},
    }


if __name__ == "__main__":
    torch.manual_seed(3)
    made = f"tests/ops/linalg_in_torch.py, torch {torch.__version__}, float64"
    rows = {"made": made} | {name: golden(*case) for name, case in CASES.items()}
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in rows.items())
    print("{" + ",\n ".join(lines) + "}")
