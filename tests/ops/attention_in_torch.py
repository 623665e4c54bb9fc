"""Attention and embedding in PyTorch: the golden numbers in `attention_golden.json`.

`python tests/ops/attention_in_torch.py > tests/ops/attention_golden.json`. Not run by the tests, which read from the
file also what was put in.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch.nn import functional

ALLOWED = [[True, False, True, True], [False, True, True, False], [True, True, True, True]]
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "scale": {"scale": 0.3},
    "causal": {"is_causal": True},
    "bool mask": {"attn_mask": torch.tensor(ALLOWED)},
    "float mask": {"attn_mask": torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(1, 3, 4)},
}


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64).requires_grad_()


def attention(options: dict[str, Any]) -> dict[str, Any]:
    """Value and all gradients of one call, with everything that was put in."""
    inputs = {
        "query": drawn(2, 3, 3),
        "key": drawn(2, 4, 3),
        "value": drawn(2, 4, 2),
    }
    if "attn_mask" in options and options["attn_mask"].is_floating_point():
        options = {"attn_mask": options["attn_mask"].clone().requires_grad_()}
        inputs["mask"] = options["attn_mask"]
    seed = drawn(2, 3, 2).detach()
    query, key, value = (inputs[name] for name in ("query", "key", "value"))
    out = functional.scaled_dot_product_attention(query, key, value, **options)
    out.backward(seed)
    return {
        "inputs": {name: x.tolist() for name, x in inputs.items()},
        "seed": seed.tolist(),
        "out": out.tolist(),
        "gradients": {name: x.grad.tolist() for name, x in inputs.items()},  # type: ignore[union-attr]
    }


def embedding(padding: int | None) -> dict[str, Any]:
    """Value and gradient of a lookup in which rows repeat and one is never picked."""
    indices = torch.tensor([[0, 2, 2], [4, 0, 2]])
    weight, seed = drawn(5, 3), drawn(2, 3, 3).detach()
    out = functional.embedding(indices, weight, padding_idx=padding)
    out.backward(seed)
    assert weight.grad is not None
    return {
        "indices": indices.tolist(),
        "weight": weight.tolist(),
        "seed": seed.tolist(),
        "out": out.tolist(),
        "gradient": weight.grad.tolist(),
    }


def main() -> None:
    torch.manual_seed(0)
    golden = {
        "made": f"tests/ops/attention_in_torch.py, torch {torch.__version__}, float64",
        "allowed": ALLOWED,
        "attention": {name: attention(options) for name, options in OPTIONS.items()},
        "embedding": {"plain": embedding(None), "padding": embedding(2), "last": embedding(-1)},
    }
    print(json.dumps(golden))


if __name__ == "__main__":
    main()
