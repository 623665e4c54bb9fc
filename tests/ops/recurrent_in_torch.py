"""The networks of `test_recurrent.py` in PyTorch: it made the golden numbers in `recurrent_golden.json`.

`python tests/ops/recurrent_in_torch.py > tests/ops/recurrent_golden.json`. Not run by the tests.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.ops.test_recurrent import INPUT, SETTINGS, STATE, Setting, data

CELLS = {"rnn": torch.nn.RNNCell, "gru": torch.nn.GRUCell, "lstm": torch.nn.LSTMCell}
NETWORKS = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def run(setting: Setting) -> dict[str, Any]:
    """All results, and the gradients of Σ cotangent · result by x, the states and every weight."""
    x, states, layers, cotangents = data(setting)
    options: dict[str, Any] = {"dtype": torch.float64}
    if setting.kind == "rnn":
        options["nonlinearity"] = setting.nonlinearity
    if setting.layers:
        options |= {"num_layers": setting.layers, "bidirectional": setting.bidirectional}
        module = NETWORKS[setting.kind](INPUT, STATE, **options)
    else:
        module = CELLS[setting.kind](INPUT, STATE, **options)
    with torch.no_grad():
        arrays = [array for layer in layers for array in layer]
        for parameter, array in zip(module.parameters(), arrays, strict=True):
            parameter.copy_(torch.tensor(array))
    leaves = [torch.tensor(value, requires_grad=True) for value in (x, *states)]
    results = flat(module(leaves[0], tuple(leaves[1:]) if len(leaves) > 2 else leaves[1]))
    pairs = zip(results, cotangents, strict=True)
    loss = sum((result * torch.tensor(cotangent)).sum() for result, cotangent in pairs)
    gradients = torch.autograd.grad(loss, [*leaves, *module.parameters()])
    return {
        "results": [result.tolist() for result in results],
        "gradients": [gradient.tolist() for gradient in gradients],
    }


def flat(found: Any) -> list[torch.Tensor]:
    """Tensors out of nested tuples, in order."""
    if isinstance(found, torch.Tensor):
        return [found]
    return [tensor for part in found for tensor in flat(part)]


if __name__ == "__main__":
    golden = {name: run(setting) for name, setting in SETTINGS.items()}
    made = f"tests/ops/recurrent_in_torch.py, torch {torch.__version__}, float64"
    lines = [f'"made": {json.dumps(made)}']
    lines += [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in golden.items()]
    print("{" + ",\n ".join(lines) + "}")
