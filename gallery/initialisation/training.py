"""The ten layers trained: with small weights nothing moves, with well-drawn ones the loss falls at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import tracer as tr
from gallery.initialisation.ten_layers import ACTIVATIONS, LAYERS, UNITS, drawn
from gallery.knobs import Knob
from gallery.training import Moment, Training

BATCH = 100


def steps(
    weights: str = "xavier",
    activation: str = "tanh",
    seed: int = 0,
    units: int = UNITS,
    lr: float = 0.1,
) -> Iterator[Moment]:
    """Gradient descent on which side of a plane an input lies; each step has 100 inputs of its own."""
    rng = np.random.default_rng(seed)
    f = ACTIVATIONS[activation]
    plane = rng.standard_normal(units, dtype=np.float32)
    W = [tr.parameter(drawn(weights, rng, units), name=f"W{k}") for k in range(1, LAYERS + 1)]
    v = tr.parameter(drawn(weights, rng, units)[0], name="v")
    optimizer = tr.optim.SGD([*W, v], lr)
    while True:
        optimizer.zero_grad()
        x = tr.constant(rng.standard_normal((BATCH, units), dtype=np.float32), name="x")
        side = tr.constant((x.value @ plane > 0).astype(np.float32), name="side")
        h, layers = x, {}
        for k, weight in enumerate(W, start=1):
            with tr.scope("layer", l=k):
                h = f(h @ weight)
            layers[f"h{k}"] = h
        loss = tr.binary_cross_entropy_with_logits(h @ v, side)
        loss.backward()
        optimizer.step()
        yield Moment(loss, layers=layers)


TRAINING = Training(
    steps,
    steps=60,
    keep=(1, 10),
    knobs=(Knob("lr", 0.1, "learning rate", low=0.0),),
    claim="it learns; with --set weights=small the loss stays at ln 2 = 0.693, that of a coin, for want of a gradient",
)
