"""Backpropagation through time by hand, and cut short by mistake: the loop leaves out the first two steps."""

import numpy as np

import tracer as tr

rng = np.random.default_rng(2)
Wh = tr.parameter(rng.normal(size=(3, 3)) * 0.6)
Wx = tr.parameter(rng.normal(size=(3, 2)))
b = tr.parameter(np.zeros(3))
x = tr.constant(rng.normal(size=(6, 2)))
h0 = tr.constant(rng.normal(size=3))

h = h0
for t in range(1, 6):
    with tr.scope("rnn", t=t):
        h = tr.tanh(Wh @ h + Wx @ x[t] + b)
loss = tr.sum(tr.square(h))
loss.backward()


def backward() -> None:
    """Read by `gradstep verify`, never run: names are those of the forward pass, `h[t]` is h at step t."""
    dh = 2 * h[5]
    dWh, dWx, db = np.zeros((3, 3)), np.zeros((3, 2)), np.zeros(3)
    for t in range(5, 2, -1):
        da = dh * (1 - h[t] ** 2)
        dWh += np.outer(da, h[t - 1])
        dWx += np.outer(da, x[t])
        db += da
        dh = Wh.T @ da
