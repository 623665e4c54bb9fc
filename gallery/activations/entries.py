"""All activation functions on one batch, and each alone: the loss is their sum, so z receives the local derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import tracer as tr
from gallery.activations.table import ACTIVATIONS, Activation
from gallery.entry import PUBLISHED, Entry, Fact
from gallery.knobs import Knob
from tracer.plots import Array, Axis, Curve, Mark, Plot, Points

FLAT = 0.01
"""A slope below this is called saturated or dead."""


def batch(reach: float) -> Array:
    """21 numbers from -reach to reach, with 0 in the middle."""
    return np.linspace(-reach, reach, 21)


def activations(reach: float = 6.0) -> tr.Tensor:
    """Every function on the same batch z; z receives one flow from each, and adds them."""
    z = tr.tensor(batch(reach))
    outputs = []
    for each in ACTIVATIONS:
        with tr.scope(each.name):
            outputs.append(each.function(z))
    loss = tr.sum(tr.stack(outputs))
    return loss


def alone(each: Activation) -> Callable[..., tr.Tensor]:
    """What records one function on the batch."""

    def build(reach: float = 6.0) -> tr.Tensor:
        z = tr.tensor(batch(reach))
        with tr.scope(each.name):
            a = each.function(z)
        loss = tr.sum(a)
        return loss

    return build


def slopes(trace: tr.Trace, name: str) -> Array:
    """The local derivative of a function at every number of the batch: what it sends back to z."""
    flows = trace.flows_into("z")
    sent = [flow.cotangent for flow in flows if trace[flow.consumer].scope[0].name == name]
    return np.sum(sent, axis=0)


def plot(each: Activation, reach: float) -> Plot:
    """A function, its slope, and the numbers of the batch where the slope is flat."""
    fine = tr.tensor(np.linspace(-reach, reach, 241))
    value = each.function(fine)
    tr.sum(value).backward()
    trace = tr.trace(alone(each)(reach))
    flat = np.abs(slopes(trace, each.name)) < FLAT
    z = trace.value("z")[flat]
    marks: list[Mark] = [
        Curve("f", fine.value, value.value, shows="value"),
        Curve("f'", fine.value, np.asarray(fine.grad), dashed=True, shows="gradient"),
    ]
    if z.size:
        marks.append(Points(f"of the batch: |f'| < {FLAT}", z, np.zeros_like(z)))
    return Plot(each.title, marks, Axis("z"), Axis(each.value), each.caption)


def plot_alone(each: Activation, reach: float) -> tuple[Plot, ...]:
    """The plot of one function."""
    return (plot(each, reach),)


def plots(reach: float) -> tuple[Plot, ...]:
    """A plot for each function."""
    return tuple(plot(each, reach) for each in ACTIVATIONS)


def _zero(name: str) -> Callable[[tr.Trace], Any]:
    """The slope of a function at z = 0."""
    return lambda trace: slopes(trace, name)[np.flatnonzero(trace.value("z") == 0)]


def share_of_flat(name: str) -> Callable[[tr.Trace], Any]:
    """The share of the batch where the slope of a function is below 0.01."""
    return lambda trace: np.mean(np.abs(slopes(trace, name)) < FLAT)


def from_sigmoid(trace: tr.Trace) -> Any:
    """How far tanh(z) and 2 σ(2z) - 1 are apart at most."""
    z = trace.value("z")
    return np.max(np.abs(trace.value("t") - (2 / (1 + np.exp(-2 * z)) - 1)))


SOURCE = (
    "Abbeel & Dragan, CS188 Deep Learning II (Berkeley); Bajwa, Review of Neural Networks (NUST 2023); "
    "Simion, Lecture 4: Neural networks (Columbia 2023)"
)
REACH = Knob("reach", 6.0, "the batch goes from -reach to reach", low=0.1, high=30.0)

AT_ZERO = {
    "sigmoid": Fact(
        "slope at 0, its largest: σ (1 - σ)", "0.25", _zero("sigmoid"), origin=PUBLISHED
    ),
    "tanh": Fact("slope at 0, its largest: 1 - tanh²", "1", _zero("tanh")),
}
IDENTITY = Fact("largest |tanh(z) - (2 σ(2z) - 1)|", "0.000000", from_sigmoid)


def _facts(each: Activation) -> tuple[Fact, ...]:
    flat = Fact(f"{each.title}: share of slopes below 0.01", each.share, share_of_flat(each.name))
    return (AT_ZERO[each.name], flat) if each.name in AT_ZERO else (flat,)


OVERVIEW = Entry(
    name="activations",
    build=activations,
    caption="ten activation functions on one batch from -6 to 6: what each sends back to z is its local derivative",
    source=SOURCE,
    facts=(*(fact for each in ACTIVATIONS for fact in _facts(each)), IDENTITY),
    derivation="".join(
        f"# {each.title}: {each.flat}\nslope_{each.name} = {each.slope}\n{each.learned}"
        for each in ACTIVATIONS
    )
    + "dL/dz = "
    + " + ".join(f"slope_{each.name}" for each in ACTIVATIONS)
    + "\n",
    note="each alone is activations:NAME, such as activations:gelu; "
    "at the kink z = 0 the rules of ReLU and its leaky relatives take the slope of the left side",
    knobs=(REACH,),
    orders=("run z", "select z", "view tensor"),
    plots=plots,
)

SINGLE = tuple(
    Entry(
        name=f"activations:{each.name}",
        build=alone(each),
        caption=each.caption,
        source=SOURCE,
        facts=_facts(each) + ((IDENTITY,) if each.name == "tanh" else ()),
        derivation=f"dL/dz = {each.slope}\n{each.learned}",
        knobs=(REACH,),
        orders=("run z", "verify", "view tensor"),
        plots=partial(plot_alone, each),
    )
    for each in ACTIVATIONS
)
