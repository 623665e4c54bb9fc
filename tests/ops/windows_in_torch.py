"""Convolutions and pools in PyTorch, which made `windows_golden.json`: values and gradients of Σ g · value.

`python tests/ops/windows_in_torch.py > tests/ops/windows_golden.json`. Not run by the tests.
"""

from __future__ import annotations

import json
import math
from typing import Any

import torch
from torch.nn import functional

CASES: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    # the function, the shapes of its inputs, its parameters: ours have the same names
    ("conv1d", [(2, 2, 6), (3, 2, 3), (3,)], {}),
    ("conv1d", [(1, 4, 7), (6, 2, 2), (6,)], {"groups": 2, "stride": 2, "padding": 1}),
    ("conv1d", [(1, 1, 6), (2, 1, 4)], {"padding": "same"}),
    ("conv1d", [(1, 2, 9), (2, 2, 3), (2,)], {"dilation": 3, "padding": 2}),
    ("conv2d", [(2, 1, 4, 5), (2, 1, 3, 2), (2,)], {}),
    ("conv2d", [(1, 4, 4, 4), (4, 1, 2, 2)], {"groups": 4, "padding": "valid"}),
    ("conv2d", [(1, 2, 5, 4), (3, 2, 2, 3), (3,)], {"stride": (2, 1), "padding": (0, 2)}),
    ("conv2d", [(1, 1, 5, 5), (2, 1, 2, 3)], {"padding": "same", "dilation": (1, 2)}),
    ("conv_transpose2d", [(1, 2, 3, 2), (2, 3, 2, 2), (3,)], {"stride": 2}),
    (
        "conv_transpose2d",
        [(2, 2, 2, 3), (2, 1, 3, 2), (2,)],
        {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2), "groups": 2},
    ),
    ("conv_transpose2d", [(1, 1, 3, 3), (1, 2, 2, 2)], {"dilation": 2, "output_padding": 1}),
    ("max_pool1d", [(2, 2, 7)], {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("max_pool1d", [(1, 2, 7)], {"kernel_size": 2, "ceil_mode": True}),
    ("max_pool2d", [(1, 2, 4, 6)], {"kernel_size": 2}),
    ("max_pool2d", [(2, 1, 5, 6)], {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 0)}),
    ("max_pool2d", [(1, 1, 6, 5)], {"kernel_size": 2, "stride": 3, "dilation": 2}),
    ("max_pool2d", [(1, 1, 6, 5)], {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    ("avg_pool1d", [(1, 2, 7)], {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("avg_pool2d", [(1, 2, 4, 6)], {"kernel_size": 2}),
    ("avg_pool2d", [(1, 1, 5, 5)], {"kernel_size": 3, "stride": 1, "padding": 1}),
    ("avg_pool2d", [(1, 1, 5, 6)], {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
    (
        "avg_pool2d",
        [(1, 1, 6, 5)],
        {"kernel_size": (3, 2), "stride": 2, "padding": 1, "ceil_mode": True},
    ),
    ("adaptive_avg_pool1d", [(2, 1, 7)], {"output_size": 3}),
    ("adaptive_avg_pool2d", [(1, 2, 5, 4)], {"output_size": (3, None)}),
    ("adaptive_avg_pool2d", [(1, 1, 3, 4)], {"output_size": (4, 1)}),
    ("unfold", [(1, 2, 4, 3)], {"kernel_size": (2, 3), "padding": (0, 1), "stride": (2, 1)}),
    ("fold", [(1, 8, 6)], {"output_size": (3, 4), "kernel_size": 2}),
]


def numbers(shape: tuple[int, ...], start: int) -> torch.Tensor:
    """Numbers of both signs without ties, the same on every machine up to the last bit."""
    values = [round(math.sin(1.7 * (start + k)), 6) for k in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def derived(name: str, shapes: list[tuple[int, ...]], params: dict[str, Any]) -> dict[str, Any]:
    """The inputs, the value, its cotangent g, and the gradient of every input."""
    inputs = [numbers(shape, 100 * k).requires_grad_() for k, shape in enumerate(shapes)]
    value = getattr(functional, name)(*inputs, **params)
    g = numbers(tuple(value.shape), 1000)
    gradients = torch.autograd.grad(value, inputs, g)
    return {
        "inputs": [x.tolist() for x in inputs],
        "value": value.tolist(),
        "g": g.tolist(),
        "gradients": [x.tolist() for x in gradients],
    }


if __name__ == "__main__":
    rows = [
        {"name": name, "params": params, **derived(name, shapes, params)}
        for name, shapes, params in CASES
    ]
    lines = ",\n".join(json.dumps(row) for row in rows)
    print(f'{{"torch": "{torch.__version__}", "rows": [\n{lines}\n]}}')
