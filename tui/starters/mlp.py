"""A multi-layer perceptron that tells two rings of points apart. Change it, run it, look inside.

python mlp.py                  train, and print the loss
gradstep run mlp.py            train, then step through the last backward pass
gradstep check mlp.py:loss     every gradient beside certified numbers
gradstep verify mlp.py         the derivation below, line by line
gradstep quiz mlp.py:loss      be asked for values, flows and gradients
"""

import numpy as np

import tracer as tr

# Try: 2 hidden units (too few for a ring), a learning rate of 20 (the loss jumps), another random seed.
HIDDEN = 8
LEARNING_RATE = 2.0
STEPS = 100

rng = np.random.default_rng(0)

# The data: 40 points in the plane, 20 on an inner ring (class 0) and 20 on an outer one (class 1).
LABELS = np.repeat([0.0, 1.0], 20)
RADIUS = np.where(LABELS == 0, 0.6, 1.5) + rng.normal(scale=0.1, size=40)
ANGLE = rng.uniform(0, 2 * np.pi, size=40)
POINTS = np.stack([RADIUS * np.cos(ANGLE), RADIUS * np.sin(ANGLE)], axis=1)

# The parameters. Try: zeros for W1, and all hidden units stay alike; ten times as large, and tanh saturates.
W1 = tr.parameter(rng.normal(size=(2, HIDDEN)))
b1 = tr.parameter(np.zeros(HIDDEN))
W2 = tr.parameter(rng.normal(size=HIDDEN) / np.sqrt(HIDDEN))
b2 = tr.parameter(0.0)


def loss() -> tr.Tensor:
    """The cross-entropy of all points. x: float (points, 2); y, yhat: (points,)."""
    x, y = tr.constant(POINTS), tr.constant(LABELS)
    with tr.scope("hidden"):
        z1 = x @ W1 + b1
        h = tr.tanh(z1)  # try: tr.relu, tr.sigmoid (then the derivation below has to change too)
    with tr.scope("output"):
        z2 = h @ W2 + b2
        yhat = tr.sigmoid(z2)
    L = tr.binary_cross_entropy(yhat, y)
    return L


# The gradients by hand, for gradstep verify. Try: forget the 1/m, a transpose or a sum, and see what it says.
derivation = """
m = len(y)
dL/dyhat = (yhat - y) / (yhat * (1 - yhat)) / m
dL/dz2 = dL/dyhat * yhat * (1 - yhat)
dL/dW2 = h.T @ dL/dz2
dL/db2 = sum(dL/dz2)
dL/dh  = outer(dL/dz2, W2)
dL/dz1 = dL/dh * (1 - h**2)
dL/dW1 = x.T @ dL/dz1
dL/db1 = sum(dL/dz1, axis=0)
"""


def train() -> list[float]:
    """Train, and give the losses back."""
    optimiser = tr.optim.SGD([W1, b1, W2, b2], lr=LEARNING_RATE)  # try: tr.optim.Adam(..., lr=0.1)
    losses = []
    for step in range(STEPS + 1):
        optimiser.zero_grad()
        L = loss()
        L.backward()
        if step < STEPS:
            optimiser.step()
        losses.append(L.item())
        if step % 10 == 0:
            print(f"step {step:>3}   loss {losses[-1]:.4f}")
    return losses


if __name__ == "__main__":
    train()
    # Try: tr.debug() here, which opens the debugger in the middle of the script.
