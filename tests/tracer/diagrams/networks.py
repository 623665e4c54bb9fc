"""Small networks to draw, and the texts that a figure shows of each shape."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

import tracer as tr
from gallery import GALLERY
from tests.tracer.diagrams.odd_networks import ODD
from tracer.diagrams.palettes import LIGHT

HOSTILE = (
    "<b>\"bold\"</b> & '&amp;'",
    "two\nlines \\N \\G",
    "😀 naïve \u202e backwards",
    "</TD></TABLE>>];}",
    "\x00\x1b[31m",
    "{rank=same}|<f0> \\",
    '"; drop',
    "half a pair \ud800",
)


def circuit() -> tr.Trace:
    """f = (x + y) z of LECTURES section 1."""
    x, y, z = tr.tensor(-2.0, name="x"), tr.tensor(5.0, name="y"), tr.tensor(-4.0, name="z")
    q = x + y
    f = q * z
    return tr.trace(f)


def neuron() -> tr.Trace:
    """The sigmoid neuron of LECTURES section 1 in primitive gates."""
    w0, x0 = tr.parameter(2.0), tr.tensor(-1.0)
    w1, x1 = tr.parameter(-3.0), tr.tensor(-2.0)
    w2 = tr.parameter(-3.0)
    s = w0 * x0 + w1 * x1
    t = s + w2
    with tr.scope("sigmoid"):
        n = t * -1
        e = tr.exp(n)
        d = e + 1
        f = 1 / d
    return tr.trace(f)


def branching() -> tr.Trace:
    """y = σ(x²) + x: three uses of x."""
    x = tr.tensor(1.5)
    a = x * x
    y = tr.sigmoid(a) + x
    return tr.trace(y)


def batch_norm() -> tr.Trace:
    """Four samples of two features through the lecture's lines."""
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(4, 2)))
    gamma = tr.parameter([1.0, 0.5])
    beta = tr.parameter([0.0, 0.2])
    target = tr.constant(rng.normal(size=(4, 2)), name="target")
    with tr.scope("BatchNorm"):
        with tr.scope("statistics"):
            mu = tr.mean(x, axis=0)
            xc = x - mu
            var = tr.mean(xc**2, axis=0)
            inv_std = 1 / tr.sqrt(var + 1e-5)
        with tr.scope("normalise"):
            xhat = xc * inv_std
        with tr.scope("scale"):
            y = gamma * xhat + beta
    loss = tr.mse_loss(y, target)
    return tr.trace(loss)


def scalar_rnn(steps: int = 4) -> tr.Trace:
    """h⟨t⟩ = tanh(w h⟨t−1⟩ + x⟨t⟩), loss = (h − 1)²."""
    w = tr.parameter(0.8)
    h = tr.tensor(0.1, name="h0")
    for t in range(1, steps + 1):
        x = tr.tensor(0.1 * t)
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h + x)
    loss = (h - 1.0) ** 2
    return tr.trace(loss)


def rnn(steps: int = 8, size: int = 3) -> tr.Trace:
    """The recurrent network of LECTURES section 6: a⟨t⟩, ŷ⟨t⟩, a loss for each step, and their sum."""
    rng = np.random.default_rng(1)
    waa = tr.parameter(rng.normal(size=(size, size)) * 0.5)
    wax = tr.parameter(rng.normal(size=(size, 8)) * 0.5)
    wya = tr.parameter(rng.normal(size=size))
    ba = tr.parameter(np.zeros(size))
    by = tr.parameter(0.1)
    a = tr.tensor(np.zeros(size), name="a0")
    losses = []
    for t in range(1, steps + 1):
        x = tr.constant(np.eye(8)[t % 8])
        y = tr.constant(float(t % 3 == 0))
        with tr.scope("rnn", t=t):
            a = tr.tanh(waa @ a + wax @ x + ba)
            yhat = tr.sigmoid(wya @ a + by)
            ell = tr.binary_cross_entropy(yhat, y)
        losses.append(ell)
    loss = tr.sum(tr.stack(losses))
    return tr.trace(loss)


def badly_named() -> tr.Trace:
    """A product of parameters whose names and scopes mean something to markup, DOT, terminals or readers."""
    y = tr.tensor(1.0)
    for name in HOSTILE:
        with tr.scope(name):
            y = y * tr.parameter(0.5, name=name)
    return tr.trace(y)


# ----- what a lecturer shows


def one_gate() -> tr.Trace:
    """The sigmoid neuron with one sigmoid gate."""
    return tr.trace(GALLERY["sigmoid_neuron:one_gate"].build())


def koehn() -> tr.Trace:
    """Koehn's network for the input (1, 0): his figures 6.1 and 6.2."""
    return tr.trace(GALLERY["xor:one_zero"].build())


def layer_norm() -> tr.Trace:
    """Three tokens of four features, each normalised by itself, in small primitives."""
    x = tr.tensor([[1.2, -0.3, 0.4, 0.9], [-0.5, 0.2, 2.1, -1.4], [0.3, 0.1, -0.7, 1.6]])
    gamma = tr.parameter([1.5, 0.5, 1.0, 1.0])
    beta = tr.parameter([0.1, -0.2, 0.0, 0.3])
    with tr.scope("LayerNorm"):
        with tr.scope("statistics"):
            mu = tr.mean(x, axis=-1, keepdims=True)
            xc = x - mu
            var = tr.mean(xc**2, axis=-1, keepdims=True)
        with tr.scope("normalise"):
            xhat = xc / tr.sqrt(var + 1e-5)
        with tr.scope("scale"):
            y = gamma * xhat + beta
    loss = tr.mean(y * y)
    return tr.trace(loss)


def residual() -> tr.Trace:
    """LECTURES section 5: y = σ(s) + p with s = p + b, p = W2 h, e = (t − y)² / 2, in scalars: two paths from p."""
    weight, h, b = tr.parameter(0.6, name="W2"), tr.tensor(1.4), tr.parameter(-0.3)
    p = weight * h
    s = p + b
    y = tr.sigmoid(s) + p
    e = (1.5 - y) ** 2 / 2
    return tr.trace(e)


def residual_block() -> tr.Trace:
    """A block of two layers with a way around it, in arrays."""
    rng = np.random.default_rng(5)
    x = tr.tensor(rng.normal(size=(2, 4)))
    first = tr.parameter(rng.normal(size=(4, 4)), name="W1")
    second = tr.parameter(rng.normal(size=(4, 4)), name="W2")
    with tr.scope("block"):
        u = tr.relu(x @ first)
        v = u @ second
        y = tr.relu(v + x)
    loss = tr.mean(y**2)
    return tr.trace(loss)


def highway() -> tr.Trace:
    """LECTURES section 5: y = σ(p) σ(s) + (1 − σ(p)) p."""
    weight, h, b = tr.parameter(0.6, name="W2"), tr.tensor(1.4), tr.parameter(-0.3)
    p = weight * h
    s = p + b
    gate = tr.sigmoid(p)
    y = gate * tr.sigmoid(s) + (1 - gate) * p
    e = (1.5 - y) ** 2 / 2
    return tr.trace(e)


def sentence() -> tr.Trace:
    """The recurrent network of LECTURES section 6 over eight words."""
    return tr.trace(GALLERY["rnn"].build())


def lstm(steps: int = 50, size: int = 2) -> tr.Trace:
    """A cell of gates in scopes, step after step, and the loss of the last state."""
    rng = np.random.default_rng(7)
    weight = tr.parameter(rng.normal(size=(4 * size, 2 * size)) * 0.6, name="W")
    bias = tr.parameter(np.linspace(-0.5, 1.0, 4 * size))
    h, c = tr.tensor(np.zeros(size), name="h0"), tr.tensor(np.zeros(size), name="c0")
    for t in range(1, steps + 1):
        x = tr.constant(np.sin(np.arange(size) + 0.4 * t))
        with tr.scope("lstm", t=t):
            with tr.scope("gates"):
                z = weight @ tr.concatenate([x, h]) + bias
                i, f = tr.sigmoid(z[:size]), tr.sigmoid(z[size : 2 * size])
                o, g = tr.sigmoid(z[2 * size : 3 * size]), tr.tanh(z[3 * size :])
            c = f * c + i * g
            h = o * tr.tanh(c)
    loss = tr.sum((h - 0.5) ** 2)
    return tr.trace(loss)


def convnet() -> tr.Trace:
    """Two convolutions with pooling and a linear layer on one 8×8 image."""
    rng = np.random.default_rng(3)
    image = tr.constant(rng.normal(size=(1, 1, 8, 8)))
    label = tr.constant([1])
    features = tr.nn.Sequential(
        tr.nn.Conv2d(1, 2, 3, padding=1, rng=rng),
        tr.relu,
        tr.nn.MaxPool2d(2),
        tr.nn.Conv2d(2, 3, 3, padding=1, rng=rng),
        tr.relu,
        tr.nn.MaxPool2d(2),
    )
    classify = tr.nn.Linear(12, 3, rng=rng)
    logits = classify(tr.reshape(features(image), (1, 12)))
    loss = tr.cross_entropy(logits, label)
    return tr.trace(loss)


class Encoder(tr.nn.Module):
    """Equal transformer layers, one after the other."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(11)
        self.layers = [
            tr.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, rng=rng)
            for _ in range(count)
        ]

    def forward(self, x: tr.Tensor) -> tr.Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def transformer(count: int = 1) -> tr.Trace:
    """Three tokens of eight features through equal layers."""
    x = tr.tensor(np.random.default_rng(13).normal(size=(1, 3, 8)))
    y = Encoder(count)(x)
    loss = tr.mean(y * y)
    return tr.trace(loss)


def twelve_layers() -> tr.Trace:
    """A transformer of twelve equal layers."""
    return transformer(12)


FIGURES: dict[str, Callable[[], tr.Trace]] = {
    "circuit": circuit,
    "neuron": neuron,
    "one_gate": one_gate,
    "koehn": koehn,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "residual": residual,
    "residual_block": residual_block,
    "highway": highway,
    "four_steps": scalar_rnn,
    "sentence": sentence,
    "lstm": lstm,
    "convnet": convnet,
    "transformer": transformer,
    "twelve_layers": twelve_layers,
    "hostile_names": badly_named,
    **{build.__name__: build for build in ODD},
}
"""Every network that a generated test draws. A figure's right look is a matter of seeing; these say what must hold."""

LARGE = ("lstm", "twelve_layers", "doublings", "forty_uses")
"""Those that take long to lay out: the ordinary run leaves them to the slow one."""


# ----- reading a figure


_RUN = re.compile(r'<FONT COLOR="(#\w+)" POINT-SIZE="[\d.]+">((?:<[BI]>)*)([^<]*)')
_ROLES = {colour: role for role, colour in reversed(asdict(LIGHT).items())}


def texts(dot: str) -> dict[str, dict[str, str]]:
    """For each shape of a light figure, the characters that it shows by role: `texts(dot)["n3"]["gradient"]`."""
    shown: dict[str, dict[str, str]] = {}
    for line in dot.splitlines():
        found = re.match(r"\s*(\w+) \[(.*)\]$", line)
        if found is None or found[1] in ("graph", "node", "edge"):
            continue
        roles: dict[str, str] = defaultdict(str)
        for colour, _, characters in _RUN.findall(found[2]):
            roles[_ROLES[colour]] += html.unescape(characters).replace("\\\\", "\\")
        shown[found[1]] = dict(roles)
    return shown


def edges(dot: str) -> list[tuple[str, str, str]]:
    """Tail, head and attributes of every edge."""
    return re.findall(r"^\s*(\w+)(?::\w+)* -> (\w+)(?::\w+)*(.*)$", dot, re.MULTILINE)
