"""The recurrent network of the gallery in PyTorch: it made the golden numbers in `rnn_golden.json`.

`python tests/gallery/rnn_in_torch.py > tests/gallery/rnn_golden.json`. Not run by the tests. Each step uses its own
copy of the shared weights, so that PyTorch itself gives the gradient of every use.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gallery.recurrent.rnn import BA, BY, IS_NAME, SENTENCE, WAA, WAX, WYA

SHARED = {"waa": WAA, "wax": WAX, "ba": BA, "wya": WYA, "by": BY}


def run() -> tuple[list[torch.Tensor], list[torch.Tensor], dict[str, list[torch.Tensor]]]:
    """The loss and output of every step, and for each shared weight the copies that the steps use."""
    uses = {
        name: [torch.tensor(value, dtype=torch.float64, requires_grad=True) for _ in SENTENCE]
        for name, value in SHARED.items()
    }
    words = torch.eye(len(SENTENCE), dtype=torch.float64)
    a = torch.zeros(3, dtype=torch.float64)
    losses, outputs = [], []
    for t, target in enumerate(IS_NAME):
        w = {name: copies[t] for name, copies in uses.items()}
        a = torch.tanh(w["waa"] @ a + w["wax"] @ words[t] + w["ba"])
        yhat = torch.sigmoid(w["wya"] @ a + w["by"])
        outputs.append(yhat)
        losses.append(torch.nn.functional.binary_cross_entropy(yhat, torch.tensor(target).double()))
    return losses, outputs, uses


def from_first_to_third() -> torch.Tensor:
    """The Jacobian da<3>/da<1>: how the state after the third word hangs on that after the first."""
    waa, wax, ba = (
        torch.tensor(SHARED[name], dtype=torch.float64) for name in ("waa", "wax", "ba")
    )
    words = torch.eye(len(SENTENCE), dtype=torch.float64)

    def after(a: torch.Tensor, start: int, end: int) -> torch.Tensor:
        for word in words[start:end]:
            a = torch.tanh(waa @ a + wax @ word + ba)
        return a

    first = after(torch.zeros(3, dtype=torch.float64), 0, 1)
    return torch.autograd.functional.jacobian(lambda a: after(a, 1, 3), first)


def by_step(loss: torch.Tensor, copies: list[torch.Tensor]) -> list[object]:
    """The gradient of a loss by the copy of each step; zeros where a step does not reach it."""
    flows = torch.autograd.grad(loss, copies, retain_graph=True, allow_unused=True)
    pairs = zip(copies, flows, strict=True)
    return [(torch.zeros_like(x) if flow is None else flow).tolist() for x, flow in pairs]


def golden() -> dict[str, object]:
    """Everything that the tests compare."""
    losses, outputs, uses = run()
    loss, third = torch.stack(losses).sum(), losses[2]
    return {
        "made": f"tests/gallery/rnn_in_torch.py, torch {torch.__version__}, float64",
        "yhat": [one.item() for one in outputs],
        "L": [one.item() for one in losses],
        "loss": loss.item(),
        "flows": {name: by_step(loss, copies) for name, copies in uses.items()},
        "third": {name: by_step(third, copies) for name, copies in uses.items()},
        "da3_by_da1": from_first_to_third().tolist(),
    }


if __name__ == "__main__":
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden().items())
    print("{" + ",\n ".join(lines) + "}")
