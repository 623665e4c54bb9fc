"""A Neural Turing Machine: a controller that reads and writes a memory by content and by place, over several steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from gallery.training import Moment, Training
from tracer.plots import Array

BITS, WORDS = 3, 2
"""It reads two words of three bits, and then has to write them down from memory."""
ROWS, WIDTH, HIDDEN = 5, 4, 8
ASKED = WIDTH + 1 + 1 + 3 + 1
"""Numbers by which a head is told where to look: a key, its strength, a gate, three shifts, a sharpness."""
INPUTS = BITS + 1
"""The last input is 1 while words come in."""


def words(rng: np.random.Generator) -> Array:
    """Words of random bits. Returns: float (2, 3)."""
    return rng.integers(0, 2, size=(WORDS, BITS)).astype(float)


def parameters(seed: int) -> dict[str, tr.Parameter]:
    """The controller, the output, and for each head Q, which makes what it asks of the memory from the controller."""
    rng = np.random.default_rng(seed)
    shapes = {
        "Wx": (HIDDEN, INPUTS),
        "Wr": (HIDDEN, WIDTH),
        "bh": (HIDDEN,),
        "Qwrite": (ASKED + 2 * WIDTH, HIDDEN),
        "Qread": (ASKED, HIDDEN),
        "Wy": (BITS, HIDDEN),
        "Vy": (BITS, WIDTH),
    }
    return {
        name: tr.parameter(0.0 + 0.5 * rng.normal(size=shape) * (name != "bh"), name=name)
        for name, shape in shapes.items()  # 0 + -0 is 0
    }


def address(q: Any, w: Any, M: Any) -> tr.Tensor:  # noqa: N803
    """Where a head looks: by content, mixed with where it looked before, shifted, sharpened.

    q: float (10,) or more, what the controller asks for: key, strength, gate, shift, sharpness. w: float (5,), the
    weights before. M: float (5, 4), the memory.  Returns: float (5,), positive, with sum 1.
    """
    with tr.scope("content"):
        k = tr.tanh(q[:4])
        beta = tr.softplus(q[4])
        K = tr.cosine_similarity(M, k, axis=1)
        wc = tr.softmax(beta * K, axis=0)
    with tr.scope("interpolation"):
        g = tr.sigmoid(q[5])
        wg = g * wc + (1 - g) * w
    with tr.scope("shift"):
        s = tr.softmax(q[6:9], axis=0)
        moved = s[0] * tr.roll(wg, -1) + s[1] * wg + s[2] * tr.roll(wg, 1)
    with tr.scope("sharpening"):
        gamma = 1 + tr.softplus(q[9])
        powers = moved**gamma
        w = powers / tr.sum(powers)
    return w


class Copy(NamedTuple):
    """What comes of two words: the loss, and the share of their bits that it gives back right."""

    loss: tr.Tensor
    right: float


def written(M: Any, w: Any, e: Any, a: Any) -> tr.Tensor:  # noqa: N803
    """The memory after a head wrote: each row loses its share w of what e erases, and gains that of what a adds.

    M: float (5, 4). w: float (5,). e, a: float (4,). Returns: float (5, 4).
    """
    kept = M * (1 - tr.outer(w, e))
    M = kept + tr.outer(w, a)
    return M


def copying(p: Mapping[str, tr.Parameter], given: Array) -> Copy:
    """The binary cross-entropy of the bits that it gives back after all words came in. given: float (2, 3)."""
    inputs = np.zeros((2 * WORDS, INPUTS))
    inputs[:WORDS, :BITS], inputs[:WORDS, BITS] = given, 1
    M = tr.constant(0.1 * np.random.default_rng(1).normal(size=(ROWS, WIDTH)), name="M0")
    w_read = w_write = tr.constant(np.eye(ROWS)[0], name="w0")
    r = tr.constant(np.zeros(WIDTH), name="r0")
    losses, right = [], []
    for t in range(1, 2 * WORDS + 1):
        with tr.scope("step", t=t):
            x = tr.constant(inputs[t - 1])
            with tr.scope("controller"):
                h = tr.tanh(p["Wx"] @ x + p["Wr"] @ r + p["bh"])
            with tr.scope("write"):
                qw = p["Qwrite"] @ h
                w_write = address(qw, w_write, M)
                e = tr.sigmoid(qw[ASKED : ASKED + WIDTH])
                a = tr.tanh(qw[ASKED + WIDTH :])
                M = written(M, w_write, e, a)
            with tr.scope("read"):
                qr = p["Qread"] @ h
                w_read = address(qr, w_read, M)
                r = w_read @ M
            if t > WORDS:
                with tr.scope("output"):
                    y = p["Wy"] @ h + p["Vy"] @ r
                    target = tr.constant(given[t - WORDS - 1])
                    L = tr.binary_cross_entropy_with_logits(y, target)
                losses.append(L)
                right.append((y.value > 0) == target.value)
    loss = tr.mean(tr.stack(losses))
    return Copy(loss, float(np.mean(right)))


def turing_machine(seed: int = 0) -> tr.Tensor:
    """Two words to be copied, in four time steps."""
    return copying(parameters(seed), words(np.random.default_rng(seed))).loss


def steps(lr: float = 0.02, seed: int = 0) -> Iterator[Moment]:
    """Adam, on two other words at every step; the gradients cut to norm 10."""
    p, rng = parameters(seed), np.random.default_rng(seed)
    optimizer = tr.optim.Adam(p.values(), lr)
    while True:
        optimizer.zero_grad()
        loss, right = copying(p, words(rng))
        loss.backward()
        norm = tr.optim.clip_grad_norm(p.values(), 10.0)
        optimizer.step()
        yield Moment(loss, {"bits right": right, "norm of the gradients": norm})


def sums(trace: tr.Trace) -> Array:
    """The sum of the read head's weights at each of the four steps; its w follows that of the write head."""
    return np.array([np.sum(trace.value(f"w#{2 * t}")) for t in range(1, 2 * WORDS + 1)])


DERIVATION = """\
# Back through four time steps of two heads: at time t, w[2t - 1] writes and w[2t] reads. What the bits, the memory
# and both heads receive from later is kept in to_r, to_M, to_read and to_write.
dL/dWx = zeros_like(Wx)
dL/dWr = zeros_like(Wr)
dL/dbh = zeros_like(bh)
dL/dQwrite = zeros_like(Qwrite)
dL/dQread = zeros_like(Qread)
dL/dWy = zeros_like(Wy)
dL/dVy = zeros_like(Vy)
to_M = zeros((5, 4))
to_r = zeros(4)
to_read = zeros(5)
to_write = zeros(5)
for n in reversed(range(1, 9)):
    t = (n + 1) // 2
    reads = n == 2 * t
    before = w[n-2] if n > 2 else w0
    if reads:
        to_h = zeros(8)
        if t > 2:
            dL/dy[t-2] = (1 / (1 + exp(-y[t-2])) - target[t-2]) / 6
            dL/dWy += outer(dL/dy[t-2], h[t])
            dL/dVy += outer(dL/dy[t-2], r[t])
            to_h = Wy.T @ dL/dy[t-2]
            to_r = to_r + Vy.T @ dL/dy[t-2]
        # Reading: r = w M.
        dL/dr[t] = to_r
        dL/dw[n] = M[t] @ dL/dr[t] + to_read
        to_M = to_M + outer(w[n], dL/dr[t])
        seen = M[t]
    else:
        # Writing: M[t] = M[t-1] (1 - w e) + w a, row by row.
        dL/dM[t] = to_M
        dL/da[t] = dL/dM[t].T @ w[n]
        dL/de[t] = -(dL/dM[t] * M[t-1]).T @ w[n]
        dL/dw[n] = dL/dM[t] @ a[t] - (dL/dM[t] * M[t-1]) @ e[t] + to_write
        to_M = dL/dM[t] * (1 - outer(w[n], e[t]))
        seen = M[t-1]
    # Sharpening, shift, interpolation.
    dL/dpowers[n] = (dL/dw[n] - sum(dL/dw[n] * w[n])) / sum(powers[n])
    dL/dgamma[n] = sum(dL/dpowers[n] * powers[n] * log(moved[n]))
    dL/dmoved[n] = dL/dpowers[n] * gamma[n] * moved[n]**(gamma[n] - 1)
    dL/ds[n] = stack([roll(wg[n], -1), wg[n], roll(wg[n], 1)]) @ dL/dmoved[n]
    dL/dwg[n] = s[n][0] * roll(dL/dmoved[n], 1) + s[n][1] * dL/dmoved[n] + s[n][2] * roll(dL/dmoved[n], -1)
    dL/dg[n] = sum(dL/dwg[n] * (wc[n] - before))
    dL/dwc[n] = g[n] * dL/dwg[n]
    # By content: a softmax over cosines with the key.
    inner = wc[n] * (dL/dwc[n] - sum(dL/dwc[n] * wc[n]))
    dL/dbeta[n] = sum(inner * K[n])
    dL/dK[n] = beta[n] * inner
    rows = sqrt(sum(seen**2, axis=1, keepdims=True))
    size = sqrt(sum(k[n]**2))
    dL/dk[n] = dL/dK[n] @ (seen / rows / size - outer(K[n], k[n]) / size**2)
    to_M = to_M + outer(dL/dK[n], k[n]) / rows / size - (dL/dK[n] * K[n]).reshape(5, 1) * seen / rows**2
    # What the controller asked for, and the controller.
    asked = qr[t] if reads else qw[t]
    slope = 1 / (1 + exp(-asked))
    dq = concatenate([dL/dk[n] * (1 - k[n]**2), slope[4:10]])
    dq[4] *= dL/dbeta[n]
    dq[5] = dL/dg[n] * g[n] * (1 - g[n])
    dq[6:9] = s[n] * (dL/ds[n] - sum(dL/ds[n] * s[n]))
    dq[9] *= dL/dgamma[n]
    if reads:
        to_read = (1 - g[n]) * dL/dwg[n]
        dL/dQread += outer(dq, h[t])
        to_h = to_h + Qread.T @ dq
    else:
        to_write = (1 - g[n]) * dL/dwg[n]
        dq = concatenate([dq, dL/de[t] * e[t] * (1 - e[t]), dL/da[t] * (1 - a[t]**2)])
        dL/dQwrite += outer(dq, h[t])
        dL/dh[t] = to_h + Qwrite.T @ dq
        dz = dL/dh[t] * (1 - h[t]**2)
        dL/dWx += outer(dz, x[t])
        dL/dWr += outer(dz, r[t-1])
        dL/dbh += dz
        to_r = Wr.T @ dz
"""

TURING_MACHINE = Entry(
    name="turing_machine",
    build=turing_machine,
    caption="a controller with a memory that it reads and writes: a graph to be folded, four time steps of a copy",
    source=(
        "Graves, Wayne & Danihelka 2014, in Abbeel & Dragan, CS188 Deep Learning II (Berkeley): "
        "a Neural Turing Machine as a graph"
    ),
    facts=(Fact("sum of the read head's weights at each step", "1.000 1.000 1.000 1.000", sums),),
    derivation=DERIVATION,
    style="cards",
    note="the figure folds each part; one time step unfolded: gradstep diagram turing_machine --scope 'step[t=4]'",
    knobs=(Knob("seed", 0, "random seed of the weights and words", low=0),),
    orders=("continue", "fold all", "view layers"),
    training=Training(
        steps,
        steps=1000,
        knobs=(Knob("lr", 0.02, "learning rate", low=0.0),),
        keep=(1, 10, 100, 1000),
        claim="in a thousand steps it learns to give all bits back; at first half of them are right, as of a coin",
    ),
)
