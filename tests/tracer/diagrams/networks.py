"""Small networks to draw, and the texts that a figure shows of each shape."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from dataclasses import asdict

import numpy as np

import tracer as tr
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
