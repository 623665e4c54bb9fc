"""The five tables of the lecture as entries: one network, five ways to draw its weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import tracer as tr
from gallery.entry import PUBLISHED, Entry, Fact
from gallery.initialisation.ten_layers import (
    ACTIVATIONS,
    TABLES,
    UNITS,
    WEIGHTS,
    means,
    plots,
    slopes,
    spread,
    stds,
    ten_layers,
)
from gallery.initialisation.training import TRAINING
from gallery.knobs import Knob

SOURCE = "Abbeel & Dragan, CS188 Deep Learning II (Berkeley): weight initialisation, ten layers of 500 units"

SEED = Knob("seed", 0, "random seed of inputs and weights", low=0)
WIDTH = Knob(
    "units", UNITS, "units of each layer, and inputs; twice as many samples", low=1, high=2 * UNITS
)

SLOPES = {"tanh": "(1 - h[l]**2)", "relu": "(h[l] > 0)"}
"""The local derivative of each activation, by its output."""


def derivation(activation: str) -> str:
    """The gradients of all ten layers by hand, from the last back to the first."""
    slope = SLOPES[activation]
    return f"""\
# From the last layer back: times the local derivative of {activation}, and through the weights.
n = len(x)
dL/dh[10] = outer(ones(n), v) / n
for l in reversed(range(2, 11)):
    dL/dz[l]   = dL/dh[l] * {slope}
    dL/dW[l]   = h[l-1].T @ dL/dz[l]
    dL/dh[l-1] = dL/dz[l] @ W[l].T
dL/dz[1] = dL/dh[1] * {slope.replace("[l]", "[1]")}
dL/dW[1] = x.T @ dL/dz[1]
"""


def table(name: str, of: str, caption: str, std: str, mean: str = "", note: str = "") -> Entry:
    """One of `TABLES` as an entry, with the numbers that the lecture prints for its ten layers."""
    weights, activation = TABLES[of]

    def build(seed: int = 0, units: int = UNITS) -> tr.Tensor:
        """Ten layers of 500 units on 1000 samples, in float32."""
        return ten_layers(weights, activation, seed, units)

    def fact(what: str, printed: str, compute: Callable[[tr.Trace], object]) -> Fact:
        said = f"{what} of each layer's activations"
        return Fact(said, printed, compute, lambda: spread(of, what), PUBLISHED)

    facts = [fact("std", std, stds)]
    if mean:
        facts.append(fact("mean", mean, means))
    random = (
        "weights are random: behind the number of this seed stand mean and standard deviation over twenty; to verify "
        "the derivation takes seconds with --set units=10, and minutes with 500"
    )
    return Entry(
        name=name,
        build=build,
        caption=caption,
        source=SOURCE,
        facts=tuple(facts),
        note=f"{random}; {note}" if note else random,
        derivation=derivation(activation),
        knobs=(SEED, WIDTH),
        orders=("continue", "view layers"),
        plots=partial(plots, weights, activation),
    )


_XAVIER = table(
    "initialization",
    "xavier, tanh",
    "ten layers of 500 tanh units, weights N/sqrt(fan_in): the activations shrink slowly",
    std="0.628 0.486 0.408 0.357 0.321 0.292 0.273 0.255 0.239 0.228",
)
XAVIER = replace(
    _XAVIER,
    build=ten_layers,
    knobs=(
        Knob("weights", "xavier", "how the weights are drawn", choices=WEIGHTS),
        Knob("activation", "tanh", "what follows each product", choices=tuple(ACTIVATIONS)),
        SEED,
        WIDTH,
    ),
    plots=plots,
    training=TRAINING,
)

SMALL = table(
    "initialization:small",
    "small, tanh",
    "the same with weights 0.01 N: all activations become zero, and so do the gradients",
    std="0.213 0.0476 0.0106 0.00238 0.000532 0.000119 0.000026 0.000006 0.000001 0.000000",
)

_SATURATED = table(
    "initialization:large",
    "large, tanh",
    "the same with weights N: nearly every unit is saturated at -1 or 1, its local derivative zero",
    std=" ".join(["0.982"] * 10),
    note="what passes the few units that are not saturated grows, for the weights are large: by 3.5 a layer",
)
_NO_SLOPE = Fact("median of each layer's local derivative", " ".join(["0.00"] * 10), slopes)
LARGE = replace(_SATURATED, facts=(*_SATURATED.facts, _NO_SLOPE))

RELU = table(
    "initialization:relu",
    "xavier, relu",
    "weights N/sqrt(fan_in) with ReLU, which halves the mean square: the activations collapse again",
    std="0.583 0.404 0.277 0.199 0.140 0.103 0.0727 0.0516 0.0386 0.0261",
    mean="0.399 0.272 0.186 0.136 0.0996 0.0722 0.0498 0.0351 0.0254 0.0184",
)

HE = table(
    "initialization:he",
    "he, relu",
    "weights N/sqrt(fan_in / 2) with ReLU: the activations keep their spread",
    std="0.825 0.828 0.814 0.827 0.834 0.860 0.871 0.889 0.845 0.845",
    mean="0.562 0.554 0.546 0.565 0.548 0.587 0.597 0.623 0.567 0.553",
)
