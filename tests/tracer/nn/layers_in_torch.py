"""The layers of `cases.py` in PyTorch: it made the golden numbers in `layers_golden.npz`.

`python tests/tracer/nn/layers_in_torch.py`. Not run by the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.tracer.nn.cases import CASES, Case, inputs_of, state_for, waves


def results(case: Case) -> dict[str, np.ndarray]:
    """Outputs, the gradients of inputs and parameters for a fixed seed cotangent, and the buffers after the call."""
    layer = getattr(torch.nn, case.kind)(*case.arguments, **case.options).double()
    shapes = {name: tuple(value.shape) for name, value in layer.state_dict().items()}
    layer.load_state_dict({k: torch.tensor(v) for k, v in state_for(shapes).items()})
    layer.train(case.train)
    inputs = [torch.tensor(x) for x in inputs_of(case)]
    for x in inputs:
        x.requires_grad_(x.is_floating_point())
    call = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
    if case.kind == "MultiheadAttention":
        call.setdefault("need_weights", False)
    given = [inputs[0], tuple(inputs[1:])] if case.kind == "LSTM" and len(inputs) > 1 else inputs
    outputs = flat(layer(*given, **call))
    loss = sum(
        (y * torch.tensor(waves(tuple(y.shape), 50 + k))).sum() for k, y in enumerate(outputs)
    )
    loss.backward()
    found = {f"output {k}": y.detach().numpy() for k, y in enumerate(outputs)}
    found |= {f"input {k}": x.grad.numpy() for k, x in enumerate(inputs) if x.requires_grad}
    found |= {f"grad {name}": one.grad.numpy() for name, one in layer.named_parameters()}
    return found | {f"buffer {name}": one.numpy() for name, one in layer.named_buffers()}


def flat(outputs: object) -> list[torch.Tensor]:
    """All tensors in nested tuples."""
    if isinstance(outputs, tuple):
        return [one for each in outputs for one in flat(each)]
    return [] if outputs is None else [outputs]


if __name__ == "__main__":
    golden = {
        f"{name}: {key}": x for name, case in CASES.items() for key, x in results(case).items()
    }
    target = Path(__file__).with_name("layers_golden.npz")
    np.savez_compressed(target, **golden, made=f"layers_in_torch.py, torch {torch.__version__}")
    print(f"{len(golden)} arrays, {target.stat().st_size} bytes")
