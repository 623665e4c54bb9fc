"""Networks over time: what people write with loops."""

from __future__ import annotations

import numpy as np

import tracer as tr


def weights(*names: str, size: int = 2, scale: float = 0.7) -> list[tr.Parameter]:
    """Square matrices, the same every time."""
    rng = np.random.default_rng(7)
    return [tr.parameter(rng.normal(size=(size, size)) * scale, name=name) for name in names]


def inputs(steps: int, size: int = 2) -> list[np.ndarray]:
    """One vector for each step."""
    return list(np.random.default_rng(8).normal(size=(steps, size)))


def lstm(steps: int = 3) -> tr.Trace:
    """An LSTM from single gates: two states, four gates."""
    w = dict(zip("fiog", weights("w_f", "w_i", "w_o", "w_g"), strict=True))
    u = dict(zip("fiog", weights("u_f", "u_i", "u_o", "u_g"), strict=True))
    h, c = tr.constant(np.zeros(2), name="h0"), tr.constant(np.zeros(2), name="c0")
    for t, row in enumerate(inputs(steps), start=1):
        x = tr.tensor(row)
        with tr.scope("lstm", t=t):
            f = tr.sigmoid(w["f"] @ x + u["f"] @ h)
            i = tr.sigmoid(w["i"] @ x + u["i"] @ h)
            o = tr.sigmoid(w["o"] @ x + u["o"] @ h)
            g = tr.tanh(w["g"] @ x + u["g"] @ h)
            c = f * c + i * g
            h = o * tr.tanh(c)
    loss = tr.sum(h)
    return tr.trace(loss)


def lstm_cells(steps: int = 50) -> tr.Trace:
    """An LSTM from one operation for each step, with two results."""
    rng = np.random.default_rng(0)
    w_ih = tr.parameter(rng.normal(size=(8, 3)) * 0.4)
    w_hh = tr.parameter(rng.normal(size=(8, 2)) * 0.4)
    b = tr.parameter(np.zeros(8))
    h, c = tr.constant(np.zeros((1, 2)), name="h0"), tr.constant(np.zeros((1, 2)), name="c0")
    for t in range(1, steps + 1):
        x = tr.constant(rng.normal(size=(1, 3)))
        with tr.scope("lstm", t=t):
            h, c = tr.lstm_cell(x, h, c, w_ih, w_hh, b)
    loss = tr.sum(h * h)
    return tr.trace(loss)


def gru(steps: int = 6) -> tr.Trace:
    """A GRU from single gates."""
    wz, uz, wr, ur, wn, un = weights("wz", "uz", "wr", "ur", "wn", "un")
    h = tr.constant(np.zeros(2), name="h0")
    for t, row in enumerate(inputs(steps), start=1):
        x = tr.tensor(row)
        with tr.scope("gru", t=t):
            z = tr.sigmoid(wz @ x + uz @ h)
            r = tr.sigmoid(wr @ x + ur @ h)
            n = tr.tanh(wn @ x + un @ (r * h))
            h = (1 - z) * n + z * h
    loss = tr.sum(h * h)
    return tr.trace(loss)


def stacked(steps: int = 4) -> tr.Trace:
    """Two recurrent layers, a loss for each step."""
    w1, u1, w2, u2 = weights("w1", "u1", "w2", "u2")
    v = tr.parameter(np.array([0.5, -1.0]))
    h, s = tr.constant(np.zeros(2), name="h0"), tr.constant(np.zeros(2), name="s0")
    losses = []
    for t, row in enumerate(inputs(steps), start=1):
        x = tr.tensor(row)
        with tr.scope("rnn", t=t):
            h = tr.tanh(w1 @ x + u1 @ h)
            s = tr.tanh(w2 @ h + u2 @ s)
            y = v @ s
            ell = (y - 0.5) ** 2
        losses.append(ell)
    loss = tr.sum(tr.stack(losses))
    return tr.trace(loss)


def bidirectional(steps: int = 4) -> tr.Trace:
    """One loop from left to right and one from right to left over the same words."""
    wf, uf, wb, ub = weights("wf", "uf", "wb", "ub")
    v = tr.parameter(np.array([0.5, -1.0, 0.3, 0.8]))
    words = [tr.constant(row, name=f"x{t}") for t, row in enumerate(inputs(steps), start=1)]
    f, b = tr.constant(np.zeros(2), name="f0"), tr.constant(np.zeros(2), name="b0")
    ahead, back, losses = [], {}, []
    for t, x in enumerate(words, start=1):
        with tr.scope("ahead", t=t):
            f = tr.tanh(wf @ x + uf @ f)
        ahead.append(f)
    for t, x in reversed(list(enumerate(words, start=1))):
        with tr.scope("back", t=t):
            b = tr.tanh(wb @ x + ub @ b)
        back[t] = b
    for t in range(1, steps + 1):
        with tr.scope("out", t=t):
            y = v @ tr.concatenate([ahead[t - 1], back[t]])
            ell = (y - 1.0) ** 2
        losses.append(ell)
    loss = tr.sum(tr.stack(losses))
    return tr.trace(loss)


def translation(source: int = 3, target: int = 3) -> tr.Trace:
    """An encoder, and a decoder that goes on from its last state."""
    we, ue, wd = weights("we", "ue", "wd")
    v = tr.parameter(np.array([0.5, -1.0]))
    h = tr.constant(np.zeros(2), name="h0")
    for t, row in enumerate(inputs(source), start=1):
        x = tr.constant(row)
        with tr.scope("encoder", t=t):
            h = tr.tanh(we @ x + ue @ h)
    s, losses = h, []
    for t in range(1, target + 1):
        with tr.scope("decoder", t=t):
            s = tr.tanh(wd @ s)
            y = v @ s
            ell = (y - 1.0) ** 2
        losses.append(ell)
    loss = tr.sum(tr.stack(losses))
    return tr.trace(loss)


def truncated(steps: int = 8, every: int = 4) -> tr.Trace:
    """Scalars; the state is detached every so many steps."""
    w, u = tr.parameter(0.8), tr.parameter(0.5)
    h = tr.tensor(0.1, name="h0")
    losses = []
    with tr.record():
        for t in range(1, steps + 1):
            x = tr.tensor(0.1 * t)
            with tr.scope("rnn", t=t):
                h = tr.tanh(w * h + u * x)
                ell = (h - 1.0) ** 2
            losses.append(ell)
            if t % every == 0:
                h = tr.detach(h)
        loss = tr.sum(tr.stack(losses))
    return tr.trace(loss)


def nothing_carried(steps: int = 4) -> tr.Trace:
    """Time steps that share a weight, and nothing else."""
    (w,) = weights("w")
    losses = []
    for t, row in enumerate(inputs(steps)):
        x = tr.constant(row)
        with tr.scope("batch", t=t):
            y = tr.tanh(w @ x)
            ell = tr.sum(y * y)
        losses.append(ell)
    loss = tr.sum(tr.stack(losses))
    return tr.trace(loss)


def attention(source: int = 4, target: int = 2) -> tr.Trace:
    """A decoder whose every step looks at all states of the encoder."""
    w, u = weights("w", "u")
    h = tr.tensor(np.ones(2), name="h0")
    states = []
    for t in range(source):
        with tr.scope("encoder", t=t):
            h = tr.tanh(w @ h)
        states.append(h)
    s = h
    for t in range(target):
        with tr.scope("decoder", t=t):
            c = sum((state * tr.sum(s * state) for state in states[1:]), states[0])
            s = tr.tanh(u @ s + c)
    loss = tr.sum(s)
    return tr.trace(loss)


def two_back(steps: int = 6) -> tr.Trace:
    """Each step reads the last state and the one before it; scalars."""
    w, before, h = tr.parameter(0.5), tr.tensor(0.1, name="g0"), tr.tensor(0.2, name="h0")
    for t in range(1, steps + 1):
        with tr.scope("rnn", t=t):
            new = tr.tanh(w * h + before)
        before, h = h, new
    return tr.trace(h)


LOOPS = (
    lstm,
    lstm_cells,
    gru,
    stacked,
    bidirectional,
    translation,
    attention,
    two_back,
    truncated,
    nothing_carried,
)
"""All of them, with as many steps as they are usually drawn with."""
