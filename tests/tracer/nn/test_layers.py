"""Layers against PyTorch's: outputs, gradients of inputs and parameters, and running statistics, by the same names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracer as tr
from tests.tracer.nn.cases import CASES, Case, inputs_of, state_for, waves

with np.load(Path(__file__).with_name("layers_golden.npz")) as file:
    GOLDEN = {name: file[name] for name in file.files}


def layer_of(case: Case, **more: Any) -> tr.nn.Module:
    layer = getattr(tr.nn, case.kind)(*case.arguments, **case.options, **more)
    shapes = {name: value.shape for name, value in layer.state_dict().items()}
    layer.load_state_dict(state_for(in_torch_order(shapes, case)))
    return layer.train(case.train)


def in_torch_order(shapes: dict[str, Any], case: Case) -> dict[str, Any]:
    """PyTorch lists parameters and buffers module by module; the numbers of a case go by that order."""
    if case.kind == "TransformerEncoderLayer":
        parts = ("self_attn", "linear1", "linear2", "norm1", "norm2")
        shapes = {k: v for part in parts for k, v in shapes.items() if k.startswith(part)}
    return shapes


def flat(outputs: Any) -> list[Any]:
    if isinstance(outputs, tuple):
        return [one for each in outputs for one in flat(each)]
    return [] if outputs is None else [outputs]


def run(case: Case, layer: tr.nn.Module, dtype: Any = np.float64) -> dict[str, Any]:
    inputs = [tr.tensor(x.astype(dtype) if x.dtype.kind == "f" else x) for x in inputs_of(case)]
    given = [inputs[0], tuple(inputs[1:])] if case.kind == "LSTM" and len(inputs) > 1 else inputs
    call = {
        key: value.astype(dtype)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        else value
        for key, value in case.call.items()
    }
    outputs = flat(layer(*given, **call))
    loss = 0.0
    for k, y in enumerate(outputs):
        loss = loss + (y * waves(y.shape, 50 + k).astype(dtype)).sum()
    loss.backward()
    found = {f"output {k}": y.value for k, y in enumerate(outputs)}
    found |= {f"input {k}": x.grad for k, x in enumerate(inputs) if x.requires_grad}
    found |= {f"grad {name}": one.grad for name, one in layer.named_parameters()}
    return found | {f"buffer {name}": one.value for name, one in layer.named_buffers()}


@pytest.mark.parametrize("name", CASES)
def test_a_layer_gives_the_numbers_of_pytorch(name):
    case = CASES[name]
    found = run(case, layer_of(case))
    golden = {
        key.removeprefix(f"{name}: "): value
        for key, value in GOLDEN.items()
        if key.startswith(f"{name}: ")
    }
    assert found.keys() == golden.keys()
    for key, value in golden.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-13, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name):
    case = CASES[name]
    takes = () if case.kind == "MaxPool2d" else ("dtype",)
    layer = layer_of(case, **dict.fromkeys(takes, np.float32))
    found = run(case, layer, np.float32)
    dtypes = {key: value.dtype for key, value in found.items() if "num_batches" not in key}
    assert set(dtypes.values()) == {np.dtype(np.float32)}, dtypes
    for key, value in found.items():
        np.testing.assert_allclose(
            value, GOLDEN[f"{name}: {key}"], rtol=1e-3, atol=1e-4, err_msg=key
        )


@pytest.mark.parametrize("name", CASES)
def test_a_layer_can_be_used_without_recording(name):
    case = CASES[name]
    layer = layer_of(case)
    inputs = inputs_of(case)
    given = [inputs[0], tuple(inputs[1:])] if case.kind == "LSTM" and len(inputs) > 1 else inputs
    with tr.no_grad():
        outputs = flat(layer(*given, **case.call))
    for k, y in enumerate(outputs):
        np.testing.assert_allclose(
            np.asarray(y), GOLDEN[f"{name}: output {k}"], rtol=1e-12, atol=1e-13
        )
    for key, buffer in layer.named_buffers():
        golden = GOLDEN[f"{name}: buffer {key}"]
        np.testing.assert_allclose(buffer.value, golden, rtol=1e-12, err_msg=key)
