"""Training the classifier with and without dropout on few images, some of them mislabelled: who learns by heart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import tracer as tr
from gallery.digits import digits
from gallery.regularisation.dropout import (
    BATCH,
    HIDDEN,
    IMAGES,
    LR,
    NOISE,
    Classifier,
    P,
    lecture_form,
    training_set,
    validation_set,
)
from gallery.training import History, Moment
from tracer.plots import Array, Axis, Curve, Plot, Points

EVERY = 20
PATIENCE = 20
"""Early stopping waits for so many measurements without an improvement."""
WITH, WITHOUT = "with dropout", "without"


def run(
    p: float = P, training: bool = True, lr: float = LR, hidden: int = HIDDEN, noise: float = NOISE,
    seed: int = 0,
) -> Iterator[Moment]:  # fmt: skip
    """Train two networks from equal weights on equal batches, one of them with dropout; that one is shown."""
    images, labels = training_set(noise, seed)
    rng = np.random.default_rng(seed)
    drops = {WITH: lecture_form(p, training, rng), WITHOUT: lambda a: a}
    networks = {name: Classifier(hidden=hidden, seed=seed) for name in drops}
    optimisers = {
        name: tr.optim.SGD(network.parameters(), lr=lr) for name, network in networks.items()
    }
    step = 0
    while True:
        order = rng.permutation(IMAGES)
        for chosen in order.reshape(-1, BATCH):
            step += 1
            recorded = {}
            for name, drop in drops.items():
                recorded[name] = networks[name].loss(images[chosen], labels[chosen], drop)
                optimisers[name].zero_grad()
                recorded[name][0].backward()
                optimisers[name].step()
            measured: dict[str, float] = {}
            if step == 1 or step % EVERY == 0:
                for name, share in ((WITH, p), (WITHOUT, 1.0)):
                    measured |= measures(name, networks[name], share, images, labels)
            loss, layers = recorded[WITH]
            yield Moment(loss, measured, layers)


def measures(
    name: str, network: Classifier, p: float, images: Array, labels: Array
) -> dict[str, float]:
    """Accuracy on the training and the test images, and the loss on a third set held back, all without dropout."""
    data, (held_images, held_labels) = digits(), validation_set()
    by_heart = network.at_test(images, p).argmax(axis=1) == labels
    right = network.at_test(data.test_images, p).argmax(axis=1) == data.test_labels
    held_back = tr.cross_entropy(network.at_test(held_images, p), held_labels)
    return {
        f"train {name}": float(by_heart.mean()),
        f"test {name}": float(right.mean()),
        f"held-back loss {name}": float(held_back),
    }


def stopped(steps: Array, losses: Array) -> tuple[int, float] | None:
    """The step to which early stopping goes back and the loss there; None where it would still wait."""
    stopping = tr.optim.EarlyStopping(patience=PATIENCE)
    if not any(stopping.step(loss) for loss in losses):
        return None
    return int(steps[stopping.best_epoch]), float(stopping.best)


def plots(history: History, **settings: object) -> tuple[Plot, ...]:
    """Accuracy in training and in the test with and without dropout; and the loss of both on images held back."""
    accuracies = [
        Curve(f"{part} {name}", *history.measures[f"{part} {name}"], dashed=name == WITHOUT)
        for part in ("train", "test")
        for name in (WITH, WITHOUT)
    ]
    marks: list[Curve | Points] = []
    for name in (WITH, WITHOUT):
        steps, losses = history.measures[f"held-back loss {name}"]
        marks.append(Curve(name, steps, losses, dashed=name == WITHOUT))
        if stop := stopped(steps, losses):
            marks.append(Points(f"{name}: early stopping goes back here", [stop[0]], [stop[1]]))
    return (
        Plot(
            "accuracy",
            accuracies,
            Axis("optimiser step"),
            Axis("accuracy", low=0.0, high=1.0),
            "Without dropout the wrong labels are learned by heart, and the test gets worse.",
        ),
        Plot(
            "loss on held-back images",
            marks,
            Axis("optimiser step"),
            Axis("loss", low=0.0),
            "A third set, neither trained on nor part of the test: what is chosen by the test is no test any more.",
        ),
    )
