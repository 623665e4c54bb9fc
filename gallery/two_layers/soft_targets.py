"""Cross-entropy with a target that is a distribution: one-hot, or soft as (0.7, 0.3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import PUBLISHED, Entry, Fact
from gallery.knobs import Knob
from tracer.plots import Axis, Curve, Mark, Plot, Points


def soft_targets(share: float = 0.7, z1: float = 1.0, z2: float = -1.0) -> tr.Tensor:
    """p = softmax(z) and H = -Σ q log p, with the target q = (share, 1 - share)."""
    q = tr.constant([share, 1 - share])
    z = tr.tensor([z1, z2])
    with tr.scope("softmax"):
        e = tr.exp(z)
        p = e / tr.sum(e)
    with tr.scope("cross-entropy"):
        logs = tr.log(p)
        H = -tr.sum(q * logs)
    return H


def along_the_scores(share: float, z1: float, z2: float) -> tuple[Plot, ...]:
    """The loss by z1 - z2, with a one-hot target, which never stops falling, and with the soft one."""
    apart = np.linspace(-4.0, 6.0, 101)

    def loss(q: float, d: Any) -> Any:
        return q * np.logaddexp(0, -d) + (1 - q) * np.logaddexp(0, d)

    here = z1 - z2
    marks: list[Mark] = [
        Curve("one-hot (1, 0)", apart, loss(1.0, apart), dashed=True),
        Curve(f"soft ({share:g}, {1 - share:g})", apart, loss(share, apart)),
        Points("here", [here], [loss(share, here)]),
    ]
    if 0 < share < 1:
        lowest = math.log(share / (1 - share))
        marks.append(Points("lowest: p = q", [lowest], [loss(share, lowest)]))
    return (
        Plot("cross-entropy by the difference of the scores", marks, Axis("z1 - z2"), Axis("H")),
    )


def at_the_target(quantity: str) -> Callable[[tr.Trace], Any]:
    """The loss, or the gradient of the scores, where the probabilities are the target."""

    def found(trace: tr.Trace) -> Any:
        there = trace.replay({"z": np.log(trace.value("q"))})
        return there.value("H") if quantity == "loss" else there.gradient("z")

    return found


SOFT_TARGETS = Entry(
    name="softmax:soft_targets",
    build=soft_targets,
    caption="cross-entropy with the soft target (0.7, 0.3): the gradient of the scores is p - q",
    source="Abbeel & Dragan, CS188 Deep Learning II (Berkeley); "
    "Bajwa, NLP CS-472: Review of Neural Networks (NUST 2023)",
    origin=PUBLISHED,
    values={"q": "0.7 0.3"},
    facts=(
        Fact("gradient of the scores where p = q", "0.000 0.000", at_the_target("gradient")),
        Fact("the lowest loss: -0.7 log 0.7 - 0.3 log 0.3", "0.611", at_the_target("loss")),
    ),
    derivation="""\
dL/dlogs = -q
dL/dp    = -q / p
dL/dz    = p - q  # the shares of q add up to 1
""",
    note="share = 1 is the one-hot target: then p - q is never zero and the scores grow without end; "
    "the lowest cross-entropy of a soft target is its own entropy",
    knobs=(
        Knob(
            "share", 0.7, "the first class's share of the target; 1 is one-hot", low=0.0, high=1.0
        ),
        Knob("z1", 1.0, "the score of the first class", low=-100.0, high=100.0),
        Knob("z2", -1.0, "the score of the second class", low=-100.0, high=100.0),
    ),
    orders=("run z", "verify"),
    plots=along_the_scores,
)
