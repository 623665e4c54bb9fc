"""The activations in PyTorch, which made `activations_golden.json`: values, first and second derivatives.

`python tests/ops/activations_in_torch.py > tests/ops/activations_golden.json`. Not run by the tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

POINTS = (
    -100.0,
    -20.0,
    -5.0,
    -3.0,
    -1.5,
    -1.0,
    -0.25,
    0.0,
    0.25,
    1.0,
    1.5,
    3.0,
    5.0,
    6.0,
    20.0,
    100.0,
)

CASES: list[
    tuple[str, dict[str, Any], Callable[[torch.Tensor], torch.Tensor], tuple[float, ...]]
] = [
    # our name, our parameters, PyTorch's function, the points where the slope jumps
    ("leaky_relu", {}, functional.leaky_relu, (0.0,)),
    ("leaky_relu", {"negative_slope": 0.2}, lambda x: functional.leaky_relu(x, 0.2), (0.0,)),
    ("prelu", {}, lambda x: functional.prelu(x, torch.tensor([0.3], dtype=x.dtype)), (0.0,)),
    ("relu6", {}, functional.relu6, (0.0, 6.0)),
    ("hard_tanh", {}, functional.hardtanh, (-1.0, 1.0)),
    (
        "hard_tanh",
        {"low": -3.0, "high": 0.25},
        lambda x: functional.hardtanh(x, -3.0, 0.25),
        (-3.0, 0.25),
    ),
    # the second derivative of hardsigmoid itself is not implemented
    ("hard_sigmoid", {}, lambda x: functional.relu6(x + 3) / 6, (-3.0, 3.0)),
    ("elu", {}, functional.elu, (0.0,)),
    ("elu", {"alpha": 0.5}, lambda x: functional.elu(x, 0.5), (0.0,)),
    ("celu", {"alpha": 0.5}, lambda x: functional.celu(x, 0.5), (0.0,)),
    ("selu", {}, functional.selu, (0.0,)),
    ("softplus", {}, lambda x: functional.softplus(x, threshold=500), ()),
    ("softplus", {"beta": 2.5}, lambda x: functional.softplus(x, 2.5, threshold=500), ()),
    ("softsign", {}, functional.softsign, (0.0,)),
    ("silu", {}, functional.silu, ()),
    ("mish", {}, functional.mish, ()),
    ("gelu", {}, functional.gelu, ()),
    ("gelu", {"approximate": "tanh"}, lambda x: functional.gelu(x, approximate="tanh"), ()),
]


def derived(
    function: Callable[[torch.Tensor], torch.Tensor], jumps: tuple[float, ...]
) -> dict[str, list[float | None]]:
    """Value, first and second derivative at every point; no second one where the first jumps."""
    x = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    value = function(x)
    (first,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    if first.requires_grad:
        (second,) = torch.autograd.grad(first.sum(), x)
    else:
        second = torch.zeros_like(x)
    bends = [
        None if at in jumps else bend for at, bend in zip(POINTS, second.tolist(), strict=True)
    ]
    return {"value": value.tolist(), "first": first.tolist(), "second": bends}


if __name__ == "__main__":
    rows = [
        {"name": name, "params": params, "x": POINTS, **derived(function, jumps)}
        for name, params, function, jumps in CASES
    ]
    lines = ",\n".join(json.dumps(row) for row in rows)
    print(f'{{"torch": "{torch.__version__}", "rows": [\n{lines}\n]}}')
