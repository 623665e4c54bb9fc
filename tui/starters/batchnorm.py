"""A network with batch normalisation, written out in small steps. Change it, run it, look inside.

python batchnorm.py                  train with and without it, and print both losses
gradstep run batchnorm.py            train, then step through the last backward pass
gradstep check batchnorm.py:loss     every gradient beside certified numbers
gradstep verify batchnorm.py         the six lines of the paper, line by line
gradstep quiz batchnorm.py:loss      be asked for values, flows and gradients
"""

import numpy as np

import tracer as tr

# Try: a batch of 2 (what are the xhat then?), EPS = 1, a learning rate at which one of the two networks fails.
BATCH = 16
HIDDEN = 4
EPS = 1e-5
LEARNING_RATE = 0.3
STEPS = 100

rng = np.random.default_rng(0)

# The data: three features of very different size, and a target that needs all of them.
SCALES = np.array([10.0, 1.0, 0.1])
INPUTS = rng.normal(size=(BATCH, 3)) * SCALES + SCALES
TARGETS = np.tanh((INPUTS / SCALES) @ np.array([1.0, -1.0, 0.5]))

# The parameters: gamma and beta have the shape of the bias that they replace.
W1 = tr.parameter(rng.normal(size=(3, HIDDEN)))
gamma = tr.parameter(np.ones(HIDDEN))
beta = tr.parameter(np.zeros(HIDDEN))
W2 = tr.parameter(rng.normal(size=HIDDEN) / np.sqrt(HIDDEN))


def batch_norm(z: tr.Tensor) -> tr.Tensor:
    """Normalise every feature over the batch, then scale and shift it. z: float (batch, features)."""
    with tr.scope("batchnorm"):
        mu = tr.mean(z, axis=0)
        var = tr.mean((z - mu) ** 2, axis=0)
        xhat = (z - mu) / tr.sqrt(var + EPS)
        y = gamma * xhat + beta
    return y


def loss(*, normalised: bool = True) -> tr.Tensor:
    """The squared error of the batch. Try: y = tr.batch_norm(z, gamma, beta, eps=EPS), the same as one operation."""
    x, target = tr.constant(INPUTS), tr.constant(TARGETS)
    z = x @ W1
    y = batch_norm(z) if normalised else gamma * z + beta
    h = tr.tanh(y)
    out = h @ W2
    L = tr.mean((out - target) ** 2)
    return L


# The gradients by hand, for gradstep verify. Try: leave out the last two terms of dL/dz, as if mu and var were fixed.
derivation = """
m = len(x)
eps = 1e-5
dL/dout   = 2 * (out - target) / m
dL/dW2    = h.T @ dL/dout
dL/dh     = outer(dL/dout, W2)
dL/dy     = dL/dh * (1 - h**2)
dL/dxhat  = dL/dy * gamma
dL/dvar   = sum(dL/dxhat * (z - mu), axis=0) * (-1/2) * (var + eps)**(-3/2)
dL/dmu    = sum(dL/dxhat * (-1 / sqrt(var + eps)), axis=0) + dL/dvar * sum(-2 * (z - mu), axis=0) / m
dL/dz     = dL/dxhat / sqrt(var + eps) + dL/dvar * 2 * (z - mu) / m + dL/dmu / m
dL/dgamma = sum(dL/dy * xhat, axis=0)
dL/dbeta  = sum(dL/dy, axis=0)
dL/dW1    = x.T @ dL/dz
"""


def train(*, normalised: bool) -> list[float]:
    """Train from the same start, and give the losses back."""
    parameters = [W1, gamma, beta, W2]
    start = [p.value for p in parameters]
    optimiser = tr.optim.SGD(parameters, lr=LEARNING_RATE)
    losses = []
    for step in range(STEPS + 1):
        optimiser.zero_grad()
        L = loss(normalised=normalised)
        L.backward()
        if step < STEPS:
            optimiser.step()
        losses.append(L.item())
    if not normalised:  # the other network begins where this one began
        for p, value in zip(parameters, start, strict=True):
            p.set(value)
    return losses


if __name__ == "__main__":
    without = train(normalised=False)
    with_it = train(normalised=True)  # the last backward pass, which gradstep run shows
    print("step   without   with batch normalisation")
    for step in range(0, STEPS + 1, 10):
        print(f"{step:>4}   {without[step]:7.4f}   {with_it[step]:7.4f}")
