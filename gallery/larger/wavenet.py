"""A stack of dilated causal convolutions in the manner of WaveNet: what an output sees doubles with every layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from gallery.training import History, Moment, Training
from tracer.plots import Array, Axis, Curve, Plot

DILATIONS = (1, 2, 4, 8)
CHANNELS = 4
LENGTH = 48


def signal(first: int = 0) -> Array:
    """Two sines that beat against each other, from a place on: 48 numbers and the one after them. Returns: (49,)."""
    t = np.arange(first, first + LENGTH + 1) + 0.5  # no number is 0, where a ReLU has its kink
    beat: Array = 0.6 * np.sin(2 * np.pi * t / 7) + 0.4 * np.sin(2 * np.pi * t / 17)
    return beat


def parameters(seed: int) -> dict[str, tr.Parameter]:
    """For each block k a filter Fk and a gate Gk of two taps, and Rk of one; I and O at the ends. No biases."""
    rng = np.random.default_rng(seed)
    shapes = {"I": (CHANNELS, 1, 1)}
    for k in range(1, len(DILATIONS) + 1):
        shapes |= {f"F{k}": (CHANNELS, CHANNELS, 2), f"G{k}": (CHANNELS, CHANNELS, 2)}
        if k < len(DILATIONS):  # nothing is above the last block
            shapes[f"R{k}"] = (CHANNELS, CHANNELS, 1)
    shapes["O"] = (1, CHANNELS, 1)
    made = {name: tr.init.he_normal(shape, rng=rng) for name, shape in shapes.items()}
    return {name: tr.parameter(value, name=name) for name, value in made.items()}


def layers_of(p: Mapping[str, tr.Parameter], x: tr.Tensor) -> dict[str, tr.Tensor]:
    """ŷ⟨t⟩ from x⟨t⟩, x⟨t−1⟩ ...: f = tanh(F ∗ h), g = σ(G ∗ h), z = f g; h + R z goes up, z goes out to the side.

    x: float (48,).  Returns: z of each block by its name, and yhat, float (48,).
    """
    h0 = tr.conv1d(x.reshape(1, 1, LENGTH), p["I"])
    h = h0
    layers = {}
    for k, dilation in enumerate(DILATIONS, start=1):
        with tr.scope("block", k=k):
            a = tr.conv1d(h, p[f"F{k}"], dilation=dilation, padding="causal")
            b = tr.conv1d(h, p[f"G{k}"], dilation=dilation, padding="causal")
            f = tr.tanh(a)
            g = tr.sigmoid(b)
            z = f * g
            if k < len(DILATIONS):
                h = h + tr.conv1d(z, p[f"R{k}"])
        layers[f"block {k}"] = z
    with tr.scope("output"):
        skip = tr.sum(tr.stack(list(layers.values())), axis=0)
        r = tr.relu(skip)
        yhat = tr.conv1d(r, p["O"]).reshape(-1)
    return {**layers, "yhat": yhat}


def moment(p: Mapping[str, tr.Parameter], first: int = 0) -> Moment:
    """The mean squared error of the next number of the signal, at all places at once; and the layers."""
    wave = signal(first)
    x = tr.tensor(wave[:-1], name="x")
    target = tr.constant(wave[1:], name="target")
    layers = layers_of(p, x)
    loss = tr.mse_loss(layers["yhat"], target)
    return Moment(loss, layers=layers)


def wavenet(seed: int = 0) -> tr.Tensor:
    """The prediction of every next number of a signal of 48."""
    return moment(parameters(seed)).loss


def one_output(t: int = 30, seed: int = 0) -> tr.Tensor:
    """One output alone: its gradient by the inputs shows what it sees."""
    x = tr.tensor(signal()[:-1], name="x")
    yhat = layers_of(parameters(seed), x)["yhat"]
    loss: tr.Tensor = yhat[t]
    return loss


def steps(lr: float = 0.02, seed: int = 0) -> Iterator[Moment]:
    """Adam, each step on the next stretch of the signal."""
    p = parameters(seed)
    optimizer = tr.optim.Adam(p.values(), lr)
    for first in count(0, LENGTH):
        optimizer.zero_grad()
        made = moment(p, first)
        made.loss.backward()
        optimizer.step()
        yield made


# ----- pictures and facts


def field(trace: tr.Trace) -> Array:
    """First and last input that reaches the loss, and how many do."""
    places = np.flatnonzero(np.asarray(trace.gradient("x")))
    return np.array([places[0], places[-1], len(places)])


def plots(t: int = 30, seed: int = 0) -> tuple[Plot, ...]:
    """The size of the gradient of one output by every input."""
    gradient = np.abs(np.asarray(tr.trace(one_output(t, seed)).gradient("x")))
    return (
        Plot(
            f"what the output at t = {t} sees of its inputs",
            [
                Curve(
                    "size of the gradient",
                    np.arange(LENGTH),
                    np.where(gradient > 0, gradient, np.nan),
                )
            ],
            Axis("t of the input", low=0, high=LENGTH),
            Axis(scale="log"),
            note="nothing behind t, and nothing more than 15 places before it",
        ),
    )


def trained(history: History, lr: float, seed: int) -> tuple[Plot, ...]:
    """The signal beside what is predicted, at the last step that was kept."""
    if not history.traces:
        return ()
    step, trace = max(history.traces.items())
    places = np.arange(LENGTH)
    marks = [
        Curve("the next number", places, np.asarray(trace.value("target"))),
        Curve("predicted", places, np.asarray(trace.value("yhat")), dashed=True),
    ]
    return (Plot(f"the signal at step {step}", marks, Axis("t")),)


SOURCE = "van den Oord et al. 2016, in Simion, Lecture 4: Neural networks (Columbia 2023)"

OF_ALL_OUTPUTS = """\
# From the error to the blocks: all of them receive the same at the side.
dL/dyhat = 2 * (yhat - target) / len(yhat)
"""
OF_ONE_OUTPUT = """\
# The loss is one of the outputs.
dL/dyhat = (yhat == loss)
"""
DERIVATION = """\
dL/dO    = sum(dL/dyhat * r, axis=2, keepdims=True)
dL/dr    = O * dL/dyhat
dL/dskip = dL/dr * (r > 0)
# From the top block down; `above` is what h[k] receives from the block above, nothing at the top.
above = zeros((4, 48))
for k in reversed(range(1, 5)):
    dL/dz[k] = dL/dskip
    if k < 4:
        dL/dz[k] = dL/dskip + R[k][:, :, 0].T @ above
        dL/dR[k] = (above @ z[k][0].T).reshape(4, 4, 1)
    # A gate: each factor receives the other one.
    dL/df[k] = dL/dz[k] * g[k]
    dL/dg[k] = dL/dz[k] * f[k]
    dL/da[k] = dL/df[k] * (1 - f[k]**2)
    dL/db[k] = dL/dg[k] * g[k] * (1 - g[k])
    # Two taps: one reads 2^(k-1) places back, one reads its own place.
    d = 2**(k - 1)
    to_a = dL/da[k][0]
    to_b = dL/db[k][0]
    seen = h[k-1][0]
    dL/dF[k] = stack([to_a[:, d:] @ seen[:, :-d].T, to_a @ seen.T], axis=2)
    dL/dG[k] = stack([to_b[:, d:] @ seen[:, :-d].T, to_b @ seen.T], axis=2)
    here = F[k][:, :, 1].T @ to_a + G[k][:, :, 1].T @ to_b
    back = F[k][:, :, 0].T @ to_a[:, d:] + G[k][:, :, 0].T @ to_b[:, d:]
    above = above + here + concatenate([back, zeros((4, d))], axis=1)
    dL/dh[k-1] = above.reshape(1, 4, 48)
dL/dI = (above @ x).reshape(4, 1, 1)
dL/dx = I[:, 0, 0] @ above
"""

WAVENET = Entry(
    name="wavenet",
    build=wavenet,
    caption="four dilated causal convolutions with gates: the next number of a signal, at every place at once",
    source=SOURCE,
    derivation=OF_ALL_OUTPUTS + DERIVATION,
    note="sixteen numbers of the past are enough to continue two sines, as the training shows",
    knobs=(Knob("seed", 0, "random seed of the weights", low=0),),
    orders=("continue", "view layers"),
    training=Training(
        steps,
        steps=200,
        knobs=(Knob("lr", 0.02, "learning rate", low=0.0),),
        keep=(1, 10, 100, 200),
        plots=trained,
    ),
)

ONE_OUTPUT = Entry(
    name="wavenet:one_output",
    build=one_output,
    caption="one output alone: it sees the sixteen inputs up to its own place, and none that comes later",
    source=SOURCE,
    facts=(Fact("first and last input that output 30 sees, and how many", "15 30 16", field),),
    derivation=OF_ONE_OUTPUT + DERIVATION,
    knobs=(
        Knob("t", 30, "the place of the output", low=0, high=LENGTH - 1),
        Knob("seed", 0, "random seed of the weights", low=0),
    ),
    orders=("continue", "select x", "view tensor"),
    plots=plots,
)
