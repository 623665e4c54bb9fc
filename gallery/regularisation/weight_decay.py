"""Weight decay: a penalty on the weights, whose gradient shrinks each of them by a share of itself."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from tracer.plots import Array, Axis, Contours, Plot, Trajectory

LAMBDA, LR = 0.8, 0.5
INPUTS = [[1.0, 0.5], [-0.5, 2.0], [0.3, -1.0], [-1.2, -0.4]]
TARGETS = [1.0, 1.0, 0.0, 0.0]
WEIGHTS, BIAS = [2.0, -3.0], 0.5
STEPS = 200


def weight_decay(lam: float = LAMBDA) -> tr.Tensor:
    """J + λ/(2m) Σ w² for a logistic neuron and m = 4 samples; the bias is left alone."""
    x = tr.constant(INPUTS)
    target = tr.constant(TARGETS)
    w = tr.parameter(WEIGHTS)
    b = tr.parameter(BIAS)
    m = len(TARGETS)
    with tr.scope("data"):
        z = x @ w + b
        y = tr.sigmoid(z)
        J = tr.binary_cross_entropy(y, target)
    with tr.scope("decay"):
        squares = tr.sum(tr.square(w))
        decay = lam / (2 * m) * squares
    loss = J + decay
    return loss


def updated(trace: tr.Trace) -> Array:
    """One step of gradient descent on the whole loss: w - α dL/dw."""
    gradient = trace.gradient("w")
    assert gradient is not None
    return trace.value("w") - LR * gradient


def decayed(trace: tr.Trace) -> Array:
    """The same in the decay form: (1 - α λ/m) w - α dJ/dw."""
    w, share = trace.value("w"), strength(trace)
    by_data = trace.value("x").T @ (trace.value("y") - trace.value("target")) / len(TARGETS)
    step: Array = (1 - LR * share) * w - LR * by_data
    return step


def strength(trace: tr.Trace) -> float:
    """λ/m, from the penalty that was recorded."""
    return float(2 * trace.value("decay") / trace.value("squares"))


def by_optimiser(trace: tr.Trace) -> Array:
    """The same step by `tr.optim.SGD(weight_decay=λ/m)`, which knows J alone."""
    w = tr.parameter(trace.value("w"))
    y = tr.sigmoid(trace.value("x") @ w + trace.value("b"))
    tr.binary_cross_entropy(y, trace.value("target")).backward()
    tr.optim.SGD([w], lr=LR, weight_decay=strength(trace)).step()
    return np.asarray(w.value)


def descent(lam: float) -> Array:
    """The weights along gradient descent in the decay form, the bias held.  Returns: float (steps + 1, 2)."""
    w = tr.parameter(WEIGHTS)
    optimiser = tr.optim.SGD([w], lr=LR, weight_decay=lam / len(TARGETS))
    path = [w.value]
    for _ in range(STEPS):
        y = tr.sigmoid(tr.constant(INPUTS) @ w + BIAS)
        tr.binary_cross_entropy(y, TARGETS).backward()
        optimiser.step()
        path.append(w.value)
    return np.array(path)


def paths_of_weights(lam: float = LAMBDA) -> tuple[Plot, ...]:
    """Descent with decay and without, over lines of equal J: without, the weights of separable data grow for ever."""
    across, up = np.linspace(-1.0, 4.0, 60), np.linspace(-4.0, 5.0, 60)
    z = (np.stack(np.meshgrid(across, up), axis=-1) @ np.transpose(INPUTS)) + BIAS
    J = np.mean(np.logaddexp(0, z) - z * TARGETS, axis=-1)
    marks = [Contours(across, up, J, (0.1, 0.2, 0.4, 0.8, 1.6, 3.2), "J")]
    ways = [
        Trajectory(f"lambda = {each:g}", *descent(each).T) for each in dict.fromkeys((0.0, lam))
    ]
    return (
        Plot(
            "Gradient descent on the weights",
            (*marks, *ways),
            Axis("w[0]", low=-1.0, high=4.0),
            Axis("w[1]", low=-4.0, high=5.0),
            f"{STEPS} steps of alpha = {LR:g}; the bias is held at {BIAS:g}.",
        ),
    )


WEIGHT_DECAY = Entry(
    name="weight_decay",
    build=weight_decay,
    caption="J + lambda/(2m) sum w^2: a second path to every weight, which shrinks it by a share of itself",
    source="Bajwa, NLP CS-472: Review of Neural Networks (NUST 2023); "
    "Simion, Lecture 4: Neural networks (Columbia 2023)",
    values={"J": "2.8336", "decay": "1.3000", "loss": "4.1336"},
    gradients={"w": "0.4318 -1.4120", "b": "0.0120"},
    facts=(
        Fact("w - alpha dL/dw, with alpha = 0.5", "1.7841 -2.2940", updated),
        Fact("decay form, (1 - alpha lambda/m) w - alpha dJ/dw", "1.7841 -2.2940", decayed),
        Fact("SGD with weight_decay = lambda/m, on J alone", "1.7841 -2.2940", by_optimiser),
    ),
    note="the lecture gives no numbers: neuron and samples are ours",
    derivation="""\
# The data's share as ever, and lambda/m times the weight itself.
m = len(x)
lam = 2 * m * decay / squares
dL/dz = (y - target) / m
dL/db = sum(dL/dz)
dL/dw = x.T @ dL/dz + lam / m * w
""",
    style="paths",
    knobs=(Knob("lam", LAMBDA, "lambda, the strength of the decay", 0.0, 8.0),),
    orders=("run loss", "run w"),
    plots=paths_of_weights,
)
