"""A small network in the manner of AlexNet, on 8x8 digits: five convolutions, three poolings, three dense layers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

import tracer as tr
from gallery.digits import digits
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.training import Moment, Training
from tracer.plots import Array

BATCH = 32
CHANNELS = (12, 24, 24, 24, 24)
"""Of the five convolutions, all of 3x3."""
POOLED = (1, 2, 5)
"""The convolutions behind which AlexNet pools."""
UNITS = (32, 32, 10)
"""Of the three dense layers, which are numbers 6 to 8; the last pooling leaves one place of 24 channels."""
LATER, FALLS = 200, 0.99
"""From which step on the learning rate falls, and by what factor at each."""


def parameters(seed: int) -> dict[str, tr.Parameter]:
    """Kernels K1 to K5, weights W6 to W8, by He's rule; biases above 0, since blank paper is at the kink of ReLU."""
    rng = np.random.default_rng(seed)
    made = {}
    for k, (above, below) in enumerate(pairwise((1, *CHANNELS)), start=1):
        made[f"K{k}"] = tr.init.he_normal((below, above, 3, 3), rng=rng)
        made[f"c{k}"] = np.full(below, 0.1)
    for k, (above, below) in enumerate(pairwise((CHANNELS[-1], *UNITS)), start=6):
        made[f"W{k}"] = tr.init.he_normal((below, above), rng=rng)
        made[f"b{k}"] = np.full(below, 0.1)
    return {name: tr.parameter(value, name=name) for name, value in made.items()}


def layers_of(p: dict[str, tr.Parameter], images: Array) -> dict[str, tr.Tensor]:
    """What each layer gives; `logits`, float (N, 10), are the scores of ten classes. images: float (N, 64)."""
    x = tr.constant(images.reshape(-1, 1, 8, 8), name="x")
    below, layers = x, {}
    for k in range(1, 6):
        with tr.scope("conv", l=k):
            z = tr.conv2d(below, p[f"K{k}"], p[f"c{k}"], padding=1)
            h = tr.relu(z)
            below = layers[f"h{k}"] = h
            if k in POOLED:
                m = tr.max_pool2d(h, kernel_size=2)
                below = m
    flat = tr.flatten(below, 1)
    below = flat
    for k in (6, 7):
        with tr.scope("dense", l=k):
            z = below @ p[f"W{k}"].T + p[f"b{k}"]
            h = tr.relu(z)
            below = layers[f"h{k}"] = h
    with tr.scope("dense", l=8):
        logits = below @ p["W8"].T + p["b8"]
    return {**layers, "logits": logits}


def loss_of(logits: tr.Tensor, numbers: Array) -> tr.Tensor:
    """The cross-entropy of a batch of digits. logits: float (N, 10). numbers: int (N,)."""
    labels = tr.constant(numbers, name="labels")
    loss = tr.cross_entropy(logits, labels)
    return loss


def convnet(seed: int = 0) -> tr.Tensor:
    """Two digits, a 6 and a 2."""
    data = digits()
    with tr.kernels("numpy"):  # to load compiled pooling takes longer than two images
        layers = layers_of(parameters(seed), data.train_images[2:4])
        return loss_of(layers["logits"], data.train_labels[2:4])


def shuffled(rng: np.random.Generator, rows: int) -> Array:
    """One epoch of batches; the rows that fill no batch wait for the next. Returns: int (batches, 32)."""
    whole = rows // BATCH * BATCH
    return rng.permutation(rows)[:whole].reshape(-1, BATCH)


def steps(lr: float = 0.004, seed: int = 0) -> Iterator[Moment]:
    """Adam on batches of 32, from step 200 at a rate that falls; the accuracy on 360 test digits every tenth step."""
    data, rng, p = digits(), np.random.default_rng(seed), parameters(seed)
    optimizer = tr.optim.Adam(p.values(), lr)
    step = 0
    while True:
        for rows in shuffled(rng, len(data.train_images)):
            optimizer.zero_grad()
            layers = layers_of(p, data.train_images[rows])
            loss = loss_of(layers["logits"], data.train_labels[rows])
            loss.backward()
            optimizer.lr = lr * FALLS ** max(0, step - LATER)
            optimizer.step()
            step += 1
            measures = {}
            if step % 10 == 0 or step == 1:
                measures["accuracy on test digits"] = accuracy(
                    p, data.test_images, data.test_labels
                )
            yield Moment(loss, measures, layers)


def accuracy(p: dict[str, tr.Parameter], images: Array, numbers: Array) -> float:
    """The share of digits whose class has the largest score."""
    with tr.no_grad():
        scores = layers_of(p, images)["logits"].value
    return float(np.mean(scores.argmax(axis=1) == numbers))


DENSE = """\
# The dense layers.
n = len(logits)
dL/dlogits = (softmax(logits, axis=1) - eye(10)[labels]) / n
dL/dW8 = dL/dlogits.T @ h#7
dL/db8 = sum(dL/dlogits, axis=0)
dL/dh#7 = dL/dlogits @ W8
dL/dz#7 = dL/dh#7 * (z#7 > 0)
dL/dW7 = dL/dz#7.T @ h#6
dL/db7 = sum(dL/dz#7, axis=0)
dL/dh#6 = dL/dz#7 @ W7
dL/dz#6 = dL/dh#6 * (z#6 > 0)
dL/dW6 = dL/dz#6.T @ flat
dL/db6 = sum(dL/dz#6, axis=0)
dL/dflat = dL/dz#6 @ W6
"""
CONVOLUTION = """\
dL/d{out} = {sent}
through = dL/d{out} * (z#{l} > 0)
seen{l} = sliding_window_view(pad({below}, frame), (3, 3), axis=(2, 3))
dL/dK{l} = einsum("noij,ncijkl->ockl", through, seen{l})
dL/dc{l} = sum(through, axis=(0, 2, 3))
"""
POOLED_CONVOLUTION = """\
dL/d{out} = {sent}
top{l} = h#{l}.reshape(n, -1, {s}, 2, {s}, 2) == {out}.reshape(n, -1, {s}, 1, {s}, 1)
share{l} = top{l} / sum(top{l}, axis=(3, 5), keepdims=True)
through = (share{l} * dL/d{out}.reshape(n, -1, {s}, 1, {s}, 1)).reshape(h#{l}.shape) * (z#{l} > 0)
seen{l} = sliding_window_view(pad({below}, frame), (3, 3), axis=(2, 3))
dL/dK{l} = einsum("noij,ncijkl->ockl", through, seen{l})
dL/dc{l} = sum(through, axis=(0, 2, 3))
"""
BACK = """\
back{l} = sliding_window_view(pad(through, frame), (3, 3), axis=(2, 3))
"""


def derivation() -> str:
    """The lines of all layers, the last one first."""
    text = DENSE + (
        "# A kernel meets each place of each image once; what it read receives the cotangent through the same kernel,\n"
        "# turned around. Pooling: the largest of a window receives all, and ties share it; so h and z have no one\n"
        "# gradient where four pixels of blank paper are alike.\n"
        "frame = ((0, 0), (0, 0), (1, 1), (1, 1))\n"
    )
    outs = {1: "m#1", 2: "m#2", 3: "h#3", 4: "h#4", 5: "m#3"}
    sent = "dL/dflat.reshape(m#3.shape)"
    for k in (5, 4, 3, 2, 1):
        lines = POOLED_CONVOLUTION if k in POOLED else CONVOLUTION
        below, size = outs.get(k - 1, "x"), {1: 4, 2: 2, 5: 1}.get(k)
        text += lines.format(l=k, out=outs[k], sent=sent, below=below, s=size)
        if k > 1:
            text += BACK.format(l=k)
            sent = f'einsum("noijkl,ockl->ncij", back{k}, K{k}[:, :, ::-1, ::-1])'
    return text


CONVNET = Entry(
    name="convnet",
    build=convnet,
    caption="five convolutions with ReLU, three of them pooled, and three dense layers, on 8x8 digits: a small AlexNet",
    source="Krizhevsky et al. 2012, in Abbeel & Dragan, CS188 Deep Learning II (Berkeley): AlexNet as a graph",
    derivation=derivation(),
    note="AlexNet has 60 million weights, this one 20,546; one layer: gradstep diagram convnet --scope 'conv[l=5]'",
    knobs=(Knob("seed", 0, "random seed of weights and batches", low=0),),
    orders=("continue", "view layers"),
    training=Training(
        steps,
        steps=440,
        knobs=(Knob("lr", 0.004, "learning rate, until it falls", low=0.0),),
        keep=(1, 10, 100, 440),
        claim="after ten epochs it tells 98 test digits of 100 apart, or more",
    ),
)
