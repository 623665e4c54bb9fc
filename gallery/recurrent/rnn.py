"""A recurrent network that marks the names in a sentence, unrolled over its eight words."""

from __future__ import annotations

import tracer as tr
from gallery.entry import Entry

SENTENCE = ["Kate", "Farrahi", "and", "Jonathon", "Hare", "teach", "deep", "learning"]
IS_NAME = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]

# The lecture gives no weights. These are normal numbers (random seed 2019), scaled and rounded to two decimals.
WAA = [[-0.08, 0.91, -0.64], [-0.70, -0.60, -0.49], [-0.71, -0.23, 0.34]]
WAX = [
    [-0.27, -0.05, -0.07, -0.07, 0.77, 0.23, -0.91, 1.30],
    [0.37, 0.82, -0.54, 1.27, -1.49, 0.12, -0.69, -0.04],
    [0.13, 0.35, 0.83, -0.98, -0.15, 0.84, -0.43, -0.81],
]
BA = [0.15, -0.72, -0.21]
WYA = [-0.92, 1.13, -0.96]
BY = -0.05


def one_hot(word: str) -> list[float]:
    """The word as a vector over the vocabulary, which is the sentence itself."""
    return [float(word == other) for other in SENTENCE]


def losses() -> list[tr.Tensor]:
    """a⟨t⟩ = tanh(waa a⟨t−1⟩ + wax x⟨t⟩ + ba), ŷ⟨t⟩ = σ(wya a⟨t⟩ + by), and the cross-entropy L⟨t⟩ of each step."""
    waa = tr.parameter(WAA)
    wax = tr.parameter(WAX)
    ba = tr.parameter(BA)
    wya = tr.parameter(WYA)
    by = tr.parameter(BY)
    a = tr.tensor([0.0, 0.0, 0.0], name="a0")
    steps = []
    for t, (word, target) in enumerate(zip(SENTENCE, IS_NAME, strict=True), start=1):
        with tr.scope("rnn", t=t):
            x = tr.constant(one_hot(word))
            a = tr.tanh(waa @ a + wax @ x + ba)
            yhat = tr.sigmoid(wya @ a + by)
            L = tr.binary_cross_entropy(yhat, target)
        steps.append(L)
    return steps


def rnn() -> tr.Tensor:
    """The loss of the sentence: L = Σₜ L⟨t⟩."""
    loss = tr.sum(tr.stack(losses()))
    return loss


def third() -> tr.Tensor:
    """The loss of the third word alone: its gradient by waa is a sum of three terms, one for each step back."""
    return losses()[2]


SOURCE = "Farrahi & Hare, BatchNorm and RNNs (Southampton 2019)"

DERIVATION = """\
# From the last word to the first; `ahead` is what a<t> receives from a<t+1>.
y = [1, 1, 0, 1, 1, 0, 0, 0]
dL/dwaa = zeros_like(waa)
dL/dwax = zeros_like(wax)
dL/dba  = zeros_like(ba)
dL/dwya = zeros_like(wya)
dL/dby  = 0
ahead = zeros_like(ba)
for t in reversed(range(1, 9)):
    dL/dyhat[t] = -y[t-1] / yhat[t] + (1 - y[t-1]) / (1 - yhat[t])
    ds = dL/dyhat[t] * yhat[t] * (1 - yhat[t])
    dL/dwya += ds * a[t]
    dL/dby  += ds
    dL/da[t] = ds * wya + ahead
    dz = dL/da[t] * (1 - a[t]**2)
    dL/dwaa += outer(dz, a[t-1])
    dL/dwax += outer(dz, x[t])
    dL/dba  += dz
    ahead = waa.T @ dz
"""

DERIVATION_OF_THIRD = """\
# L<3> = -log(1 - yhat<3>), for the word is no name. The gradient of waa has three terms: a<3>, a<2> and a<1>.
dL/dyhat = 1 / (1 - yhat)
ds       = dL/dyhat * yhat * (1 - yhat)
dL/dwya  = ds * a#3
dL/dby   = ds
dL/da#3  = ds * wya
dz3      = dL/da#3 * (1 - a#3**2)
dL/da#2  = waa.T @ dz3
dz2      = dL/da#2 * (1 - a#2**2)
dL/da#1  = waa.T @ dz2
dz1      = dL/da#1 * (1 - a#1**2)
dL/dwaa  = outer(dz3, a#2) + outer(dz2, a#1) + outer(dz1, a0)
dL/dwax  = outer(dz3, x#3) + outer(dz2, x#2) + outer(dz1, x#1)
dL/dba   = dz3 + dz2 + dz1
"""

RNN = Entry(
    name="rnn",
    build=rnn,
    caption="names in a sentence of eight words: backpropagation through time, shared weights",
    source=SOURCE,
    derivation=DERIVATION,
    note="the lecture gives no weights: ours stand in gallery/recurrent/rnn.py, the numbers are held against PyTorch's",
)

THIRD = Entry(
    name="rnn:third",
    build=third,
    caption="the loss of the third word: dL<3>/dwaa has three terms, one for each step back",
    source=SOURCE,
    derivation=DERIVATION_OF_THIRD,
)
