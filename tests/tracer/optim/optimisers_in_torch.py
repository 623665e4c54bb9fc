"""The optimisers and schedules of `cases.py` in PyTorch: it made the golden numbers in `optimisers_golden.json`.

`python tests/tracer/optim/optimisers_in_torch.py`. Not run by the tests.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.tracer.optim.cases import CASES, KEPT, METRICS, SCHEDULES, B, W, loss_of


def path_of(kind: str, options: dict[str, Any]) -> dict[int, list[Any]]:
    """Both parameters after the steps that are compared."""
    w, b = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (W, B))
    optimiser = getattr(torch.optim, kind)([w, b], **options)
    kept = {}
    for step in range(1, max(KEPT) + 1):
        optimiser.zero_grad()
        loss_of(torch.tanh, w, b).backward()
        optimiser.step()
        if step in KEPT:
            kept[step] = [w.tolist(), b.tolist()]
    return kept


def rates_of(kind: str, options: dict[str, Any]) -> list[float]:
    """The learning rate before and after every epoch."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    schedule = getattr(torch.optim.lr_scheduler, kind)(optimiser, **options)
    rates = [0.4]
    for metric in METRICS:
        optimiser.step()
        schedule.step(*([metric] if kind == "ReduceLROnPlateau" else []))
        rates.append(optimiser.param_groups[0]["lr"])
    return rates


def clipped(norm_type: float, max_norm: float) -> dict[str, Any]:
    """The norm of two gradients, and what is left of them."""
    w, b = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (W, B))
    loss_of(torch.tanh, w, b).backward()
    norm = torch.nn.utils.clip_grad_norm_([w, b], max_norm, norm_type)
    return {"norm": norm.item(), "grads": [w.grad.tolist(), b.grad.tolist()]}


if __name__ == "__main__":
    golden = {
        "made": f"tests/tracer/optim/optimisers_in_torch.py, torch {torch.__version__}, float64",
        "paths": {name: path_of(*case) for name, case in CASES.items()},
        "rates": {name: rates_of(*case) for name, case in SCHEDULES.items()},
        "clipped": {
            f"{norm} {limit}": clipped(norm, limit)
            for norm, limit in ((2.0, 0.5), (2.0, 1e3), (1.0, 0.5), (3.0, 0.5), (torch.inf, 0.5))
        },
    }
    target = Path(__file__).with_name("optimisers_golden.json")
    target.write_text(json.dumps(golden, indent=1) + "\n")
