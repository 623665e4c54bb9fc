"""Layers on chosen inputs and weights: run by the tests, and by PyTorch in `layers_in_torch.py`, on the same numbers.

Arguments, parameter names and shapes are PyTorch's, so that one description serves both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

Array = Any


class Case(NamedTuple):
    """A layer: its class, its arguments, the shapes of its inputs, and the keywords of the call."""

    kind: str
    arguments: tuple[Any, ...]
    inputs: tuple[tuple[int, ...], ...]
    options: Mapping[str, Any] = {}
    call: Mapping[str, Any] = {}
    train: bool = True


def waves(shape: tuple[int, ...], salt: int) -> Array:
    """Numbers between -1 and 1 that look random and need no generator."""
    count = int(np.prod(shape))
    return np.sin(1.7 * np.arange(count) + 0.9 * salt + 0.3 * salt**2).reshape(shape)


def state_for(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """A weight for each name; variances are positive, and a count of batches is a count."""
    state = {name: 0.7 * waves(shape, k + 1) for k, (name, shape) in enumerate(shapes.items())}
    for name, value in state.items():
        if name.endswith("running_var"):
            state[name] = np.abs(value) + 0.5
        if name.endswith("num_batches_tracked"):
            state[name] = np.int64(3)
    return state


def inputs_of(case: Case) -> list[Array]:
    """The inputs; whole numbers for an embedding."""
    made = [waves(shape, 20 + k) for k, shape in enumerate(case.inputs)]
    if case.kind == "Embedding":
        return [np.abs(np.round(3 * x)).astype(np.int64) for x in made]
    return made


CAUSAL = ~np.tri(4, dtype=bool)
PADDING = np.array([[False] * 4, [False, False, True, True]])

CASES = {
    "linear": Case("Linear", (3, 2), ((4, 3),)),
    "linear without bias": Case("Linear", (3, 2), ((2, 4, 3),), {"bias": False}),
    "embedding": Case("Embedding", (5, 3), ((2, 4),)),
    "embedding with padding": Case("Embedding", (5, 3), ((2, 4),), {"padding_idx": 1}),
    "batch norm": Case("BatchNorm1d", (3,), ((5, 3),)),
    "batch norm over time": Case("BatchNorm1d", (3,), ((4, 3, 5),), {"momentum": 0.3}),
    "batch norm cumulative": Case("BatchNorm1d", (3,), ((5, 3),), {"momentum": None}),
    "batch norm not affine": Case("BatchNorm1d", (3,), ((5, 3),), {"affine": False, "eps": 0.1}),
    "batch norm untracked": Case(
        "BatchNorm1d", (3,), ((5, 3),), {"track_running_stats": False}, train=False
    ),
    "batch norm in use": Case("BatchNorm1d", (3,), ((5, 3),), train=False),
    "batch norm 2d": Case("BatchNorm2d", (3,), ((2, 3, 4, 2),)),
    "batch norm 2d in use": Case("BatchNorm2d", (3,), ((2, 3, 4, 2),), train=False),
    "layer norm": Case("LayerNorm", (4,), ((2, 3, 4),)),
    "layer norm of two axes": Case("LayerNorm", ([3, 4],), ((2, 3, 4),), {"eps": 0.01}),
    "layer norm without bias": Case("LayerNorm", (4,), ((3, 4),), {"bias": False}),
    "group norm": Case("GroupNorm", (2, 4), ((3, 4, 5),)),
    "group norm not affine": Case("GroupNorm", (2, 4), ((3, 4),), {"affine": False}),
    "rms norm": Case("RMSNorm", (4,), ((3, 4),), {"eps": 1e-6}),
    "rnn": Case("RNN", (3, 4), ((5, 2, 3),)),
    "rnn relu, two layers, both ways": Case(
        "RNN",
        (3, 4),
        ((5, 2, 3), (4, 2, 4)),
        {"num_layers": 2, "bidirectional": True, "nonlinearity": "relu"},
    ),
    "rnn unbatched without bias": Case("RNN", (3, 4), ((5, 3),), {"bias": False}),
    "gru": Case("GRU", (3, 4), ((5, 2, 3), (1, 2, 4))),
    "gru batch first, both ways": Case(
        "GRU",
        (3, 2),
        ((2, 5, 3),),
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
    ),
    "lstm": Case("LSTM", (3, 4), ((5, 2, 3),)),
    "lstm batch first, both ways": Case(
        "LSTM",
        (3, 2),
        ((2, 4, 3), (4, 2, 2), (4, 2, 2)),
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
    ),
    "conv 1d": Case("Conv1d", (4, 6, 3), ((2, 4, 9),), {"dilation": 2, "groups": 2, "padding": 1}),
    "conv 2d": Case("Conv2d", (2, 3, 3), ((2, 2, 6, 5),), {"stride": 2, "padding": 1}),
    "conv 2d same": Case(
        "Conv2d", (2, 3, (3, 1)), ((1, 2, 4, 4),), {"padding": "same", "bias": False}
    ),
    "max pool": Case("MaxPool2d", (2,), ((1, 2, 6, 5),)),
    "max pool with stride": Case("MaxPool2d", (3,), ((1, 2, 7, 7),), {"stride": 2, "padding": 1}),
    "attention": Case("MultiheadAttention", (6, 2), ((4, 2, 6),) * 3, call={"need_weights": True}),
    "attention to another length": Case(
        "MultiheadAttention", (6, 3), ((2, 3, 6), (2, 5, 6), (2, 5, 6)), {"batch_first": True}
    ),
    "attention unbatched, without bias": Case(
        "MultiheadAttention", (4, 2), ((4, 4),) * 3, {"bias": False}, {"need_weights": True}
    ),
    "attention with masks": Case(
        "MultiheadAttention",
        (4, 2),
        ((2, 4, 4),) * 3,
        {"batch_first": True},
        {"attn_mask": CAUSAL, "key_padding_mask": PADDING, "need_weights": True},
    ),
    "attention with masks, not seen": Case(
        "MultiheadAttention",
        (4, 2),
        ((2, 4, 4),) * 3,
        {"batch_first": True},
        {"attn_mask": CAUSAL, "key_padding_mask": PADDING},
    ),
    "attention with numbers for masks, by head": Case(
        "MultiheadAttention",
        (4, 2),
        ((2, 4, 4),) * 3,
        {"batch_first": True},
        {
            "attn_mask": waves((4, 4, 4), 5),
            "need_weights": True,
            "average_attn_weights": False,
        },
    ),
    "encoder layer": Case(
        "TransformerEncoderLayer",
        (4, 2),
        ((3, 2, 4),),
        {"dim_feedforward": 5, "dropout": 0.0},
    ),
    "encoder layer, norm first": Case(
        "TransformerEncoderLayer",
        (4, 2),
        ((2, 4, 4),),
        {"dim_feedforward": 5, "dropout": 0.0, "batch_first": True, "norm_first": True},
        {"src_mask": CAUSAL, "src_key_padding_mask": PADDING},
    ),
}
