"""Whole networks learn: layers, losses and optimisers together, from a fixed seed to a stated loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tracer as tr

DIGITS = Path(__file__).resolve().parents[3] / "gallery" / "data" / "digits.npz"


def test_a_network_with_batch_norm_learns_two_moons(tmp_path):
    rng = np.random.default_rng(0)
    angle = np.linspace(0, np.pi, 100)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = np.concatenate([upper, [1.0, 0.5] - upper]) + 0.1 * rng.normal(size=(200, 2))
    labels = np.repeat([0, 1], 100)

    def network() -> tr.nn.Sequential:
        return tr.nn.Sequential(
            tr.nn.Linear(2, 16, rng=rng),
            tr.nn.BatchNorm1d(16),
            tr.relu,
            tr.nn.Linear(16, 16, rng=rng),
            tr.nn.BatchNorm1d(16),
            tr.relu,
            tr.nn.Linear(16, 2, rng=rng),
        )

    net = network()
    optimiser = tr.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
    schedule = tr.optim.CosineAnnealingLR(optimiser, 30)
    for _ in range(30):
        for batch in rng.permutation(200).reshape(4, 50):
            loss = tr.cross_entropy(net(x[batch]), labels[batch])
            loss.backward()
            optimiser.step()
        schedule.step()

    net.eval()
    with tr.no_grad():
        logits = np.asarray(net(x))
    loss = tr.cross_entropy(logits, labels)
    assert float(loss) < 0.05
    assert (logits.argmax(axis=1) == labels).all()

    net.save(tmp_path / "moons.npz")
    other = network().eval()
    other.load(tmp_path / "moons.npz")
    np.testing.assert_array_equal(np.asarray(other(x)), logits)


def test_a_gru_memorises_a_short_sequence():
    """After each letter the next one: "abac" needs a memory, for two letters follow an a."""
    text = "abacabacabac"
    letters = np.array(["abc".index(c) for c in text])
    embedding = tr.nn.Embedding(3, 4, rng=0)
    gru = tr.nn.GRU(4, 8, rng=1)
    head = tr.nn.Linear(8, 3, rng=2)
    net = tr.nn.Sequential(embedding, gru, lambda states: states[0], head)
    optimiser = tr.optim.Adam(net.parameters(), lr=0.05)
    losses = []
    for _ in range(120):
        loss = tr.cross_entropy(net(letters[:-1, None])[:, 0], letters[1:])
        losses.append(loss.item())
        loss.backward()
        tr.optim.clip_grad_norm(net.parameters(), 1.0)
        optimiser.step()
    assert losses[0] > 0.9
    assert losses[-1] < 0.02
    predicted = net(letters[:-1, None]).value[:, 0].argmax(axis=1)
    assert "".join("abc"[k] for k in predicted) == text[1:]


def test_a_small_convnet_learns_digits():
    with np.load(DIGITS) as file:
        images, labels = file["images"].reshape(-1, 1, 8, 8) / 16, file["labels"].astype(int)
    net = tr.nn.Sequential(
        tr.nn.Conv2d(1, 6, 3, padding=1, rng=0),
        tr.nn.BatchNorm2d(6),
        tr.relu,
        tr.nn.MaxPool2d(2),
        tr.nn.Conv2d(6, 8, 3, padding=1, rng=1),
        tr.relu,
        tr.nn.MaxPool2d(2),
        lambda x: x.reshape(x.shape[0], -1),
        tr.nn.Linear(32, 10, rng=2),
    )
    optimiser = tr.optim.AdamW(net.parameters(), lr=0.02)
    losses = []
    for _ in range(25):
        loss = tr.cross_entropy(net(images), labels)
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
    assert losses[0] > 2
    assert losses[-1] < 0.2
    assert losses[-1] < losses[10] < losses[0]


def test_an_encoder_learns_to_reverse():
    """Which letter stands at the mirrored place: attention has to look there."""
    rng = np.random.default_rng(0)
    letters = rng.integers(0, 5, size=(64, 6))
    place = np.sin(np.arange(6)[:, None] * 0.9 ** np.arange(16))
    layer = tr.nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True, rng=0)
    embedding, head = tr.nn.Embedding(5, 16, rng=1), tr.nn.Linear(16, 5, rng=2)
    net = tr.nn.Sequential(embedding, lambda x: x + place, layer, head)
    optimiser = tr.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(80):
        loss = tr.cross_entropy(net(letters).reshape(-1, 5), letters[:, ::-1].reshape(-1))
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
    assert losses[0] > 1.5
    assert losses[-1] < 0.3


def test_early_stopping_keeps_the_best_of_a_run():
    w = tr.nn.Linear(1, 1, rng=0)
    optimiser = tr.optim.SGD(w.parameters(), lr=0.4)
    stopping = tr.optim.EarlyStopping(patience=3, module=w)
    for epoch in range(50):
        loss = tr.sum(tr.square(w([[1.0]]) - 2.0))
        if stopping.step(loss + (0 if epoch < 5 else epoch)):
            break
        loss.backward()
        optimiser.step()
    assert epoch == stopping.best_epoch + 3 < 10
    stopping.restore()
    assert tr.sum(tr.square(w([[1.0]]) - 2.0)).item() == stopping.best
