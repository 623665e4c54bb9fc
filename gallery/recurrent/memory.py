"""A task that needs the first input at the last step: whether it is learnt depends on what reaches that far back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import tracer as tr
from gallery.knobs import Knob
from gallery.recurrent.terms import norm
from gallery.training import History, Moment, Training
from tracer.plots import Array, Axis, Curve, Plot

TURN = [[0.6, -0.8], [0.8, 0.6]]
"""A rotation: it changes no length, so waa = factor × TURN changes every length by the factor."""
BATCH, NOISE = 16, 0.1


def sequences(length: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """A bit first, as −1 or 1, and nothing but noise after it; the bits are what should be told at the end.

    Returns: float (length, batch, 1) and float (batch,).
    """
    bits = rng.integers(0, 2, BATCH).astype(float)
    x = NOISE * rng.normal(size=(length, BATCH, 1))
    x[0, :, 0] = 2 * bits - 1
    return x, bits


def remember(factor: float, length: int, lr: float) -> Iterator[Moment]:
    """Stochastic gradient descent with momentum on new sequences at every step; waa starts as factor × a rotation."""
    rng = np.random.default_rng(0)
    waa = tr.parameter(factor * np.array(TURN))
    wax, wya, by = tr.parameter([1.0, 0.0]), tr.parameter([0.5, 0.5]), tr.parameter(0.0)
    optimiser = tr.optim.SGD([waa, wax, wya, by], lr=lr, momentum=0.9)
    while True:
        inputs, bits = sequences(length, rng)
        y = tr.constant(bits)
        a = tr.constant(np.zeros((BATCH, 2)), name="a0")
        states = []
        for t in range(1, length + 1):
            with tr.scope("rnn", t=t):
                x = tr.constant(inputs[t - 1])
                a = tr.tanh(a @ waa.T + x * wax)
            states.append(a)
        s = a @ wya + by
        loss = tr.binary_cross_entropy_with_logits(s, y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        first, last = states[0], states[-1]
        measures = {
            "|dL/da<1>|": norm(first.grad),
            f"|dL/da<{length}>|": norm(last.grad),
            "told right": float(np.mean((s.value > 0) == bits)),
        }
        yield Moment(loss, measures, {"a<1>": first, f"a<{length}>": last})


def reaching(history: History, **settings: float) -> tuple[Plot, ...]:
    """The gradient at the first and at the last step, beside each other."""
    curves = [
        Curve(name, *numbers)
        for name, numbers in history.measures.items()
        if name.startswith("|dL/da<")
    ]
    title = "gradient at the first and the last time step"
    return (Plot(title, curves, Axis("optimiser step"), Axis("norm", "log")),)


TRAINING = Training(
    remember,
    steps=200,
    keep=(1, 10, 100, 200),
    plots=reaching,
    knobs=(Knob("lr", 0.05, "learning rate, with momentum 0.9", low=0.0, high=10.0),),
    claim="With factor 0.5 the first state gets a billionth of the gradient of the last: the loss stays at that of "
    "guessing, log 2 = 0.69. With factor 1 it falls to nearly nothing within a hundred steps.",
)
