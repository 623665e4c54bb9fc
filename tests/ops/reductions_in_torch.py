"""Reductions, scans and shapes in PyTorch: it made the golden numbers in `reductions_golden.json`.

`python tests/ops/reductions_in_torch.py > tests/ops/reductions_golden.json`. Not run by the tests. Of every function:
the value, the gradient of Σ g · value² with g = 1, −2, 3, −4 ..., and the gradient of the sum of its squares.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch

X = [[1.5, -0.5, 2.0, 0.25], [0.75, 3.0, -1.25, -2.5], [0.5, 1.0, -3.0, 4.0]]
ZEROS = [[1.5, 0.0, 2.0, 0.25], [0.0, 3.0, 0.0, -2.5], [0.5, 1.0, -3.0, 4.0]]
INDEX = [[3, 0], [1, 1], [2, 0]]

CALLS: dict[str, tuple[list[list[float]], Callable[[Any], Any]]] = {
    "var": (X, lambda x: x.var(dim=1)),
    "var of all, ddof 0": (X, lambda x: x.var(correction=0)),
    "std": (X, lambda x: x.std(dim=0, keepdim=True)),
    "norm": (X, lambda x: torch.linalg.vector_norm(x, dim=1)),
    "norm 1": (X, lambda x: torch.linalg.vector_norm(x, 1, dim=0)),
    "norm inf": (X, lambda x: torch.linalg.vector_norm(x, float("inf"), dim=1)),
    "norm 3": (X, lambda x: torch.linalg.vector_norm(x, 3, dim=1)),
    "logsumexp": (X, lambda x: x.logsumexp(dim=1)),
    "prod": (X, lambda x: x.prod(dim=1)),
    "prod around zeros": (ZEROS, lambda x: x.prod(dim=1)),
    "cumsum": (X, lambda x: x.cumsum(dim=1)),
    "cumprod": (X, lambda x: x.cumprod(dim=1)),
    "cumprod around zeros": (ZEROS, lambda x: x.cumprod(dim=1)),
    "sort": (X, lambda x: x.sort(dim=1).values),
    "median of three": (X, lambda x: x.median(dim=0).values),
    "gather": (X, lambda x: x.gather(1, torch.tensor(INDEX))),
    "gather a part": (X, lambda x: x.gather(0, torch.tensor(INDEX).T[:, :2] % 3)),
    "roll": (X, lambda x: x.roll((1, -2), (0, 1))),
    "repeat": (X, lambda x: x.repeat_interleave(torch.tensor([2, 0, 1]), 0)),
    "tile": (X, lambda x: x.tile((2, 1, 2))),
    "pad": (X, lambda x: torch.nn.functional.pad(x, (1, 2), value=0.5)),
    "pad reflect": (X, lambda x: torch.nn.functional.pad(x[None], (3, 1), mode="reflect")[0]),
    "pad edge": (X, lambda x: torch.nn.functional.pad(x[None], (1, 3), mode="replicate")[0]),
    "diagonal": (X, lambda x: x.diagonal(1)),
    "tril": (X, lambda x: x.tril(-1)),
}


def golden() -> dict[str, Any]:
    """Value, gradient and gradient of squares, by name."""
    found: dict[str, Any] = {
        "made": f"tests/ops/reductions_in_torch.py, torch {torch.__version__}, float64",
        "X": X,
        "ZEROS": ZEROS,
        "INDEX": INDEX,
    }
    for name, (data, call) in CALLS.items():
        x = torch.tensor(data, dtype=torch.float64, requires_grad=True)
        value = call(x)
        g = torch.arange(1.0, value.numel() + 1, dtype=torch.float64)
        g[1::2] *= -1
        loss = (value**2 * g.reshape(value.shape)).sum()
        first = torch.autograd.grad(loss, x, create_graph=True)[0]
        second = torch.autograd.grad((first**2).sum(), x)[0]
        found[name] = [each.detach().tolist() for each in (value, first, second)]
    return found


if __name__ == "__main__":
    print(json.dumps(golden()))
