"""A recurrent network that learns to say what it read one step before. Change it, run it, look inside.

python rnn.py                  train, and print the loss
gradstep run rnn.py            train, then step through the last backward pass, back through time
gradstep check rnn.py:loss     every gradient beside certified numbers
gradstep verify rnn.py         the derivation below, line by line
gradstep quiz rnn.py:loss      be asked for values, flows and gradients
"""

import numpy as np

import tracer as tr

# Try: a longer DELAY (the gradient has further to go), one hidden unit, a learning rate of 5.
DELAY = 1
T = 6
HIDDEN = 4
LEARNING_RATE = 1.0
STEPS = 200

rng = np.random.default_rng(0)

# The data: 16 sequences of T random bits; the target of step t is the bit of step t - DELAY, and 0 before there is one.
BITS = rng.integers(0, 2, size=(16, T)).astype(float)
TARGETS = np.concatenate([np.zeros((16, DELAY)), BITS[:, : T - DELAY]], axis=1)

# The parameters: the same at every time step, so their gradients are sums over time.
Waa = tr.parameter(
    rng.normal(size=(HIDDEN, HIDDEN)) / np.sqrt(HIDDEN)
)  # try: 0.1 times and 3 times as large
Wax = tr.parameter(rng.normal(size=(1, HIDDEN)))
ba = tr.parameter(np.zeros(HIDDEN))
wya = tr.parameter(rng.normal(size=HIDDEN) / np.sqrt(HIDDEN))
by = tr.parameter(0.0)


def loss() -> tr.Tensor:
    """The cross-entropy of all steps, their mean. x: float (sequences, 1); a: (sequences, HIDDEN)."""
    a = tr.constant(np.zeros((16, HIDDEN)), name="a0")
    losses = []
    for t in range(1, T + 1):
        with tr.scope("rnn", t=t):
            x, y = tr.constant(BITS[:, t - 1 : t]), tr.constant(TARGETS[:, t - 1])
            a = tr.tanh(a @ Waa + x @ Wax + ba)
            yhat = tr.sigmoid(a @ wya + by)
            L = tr.binary_cross_entropy(yhat, y)
        losses.append(L)
    mean = tr.mean(tr.stack(losses))
    return mean


# The gradients by hand, for gradstep verify: `ahead` is what a<t> receives from a<t+1>.
# Try: leave `ahead` out of dL/da[t], which truncates backpropagation through time to a single step.
derivation = """
T = 6
m = 16
dL/dWaa = zeros_like(Waa)
dL/dWax = zeros_like(Wax)
dL/dba  = zeros_like(ba)
dL/dwya = zeros_like(wya)
dL/dby  = 0
ahead = zeros_like(a0)
for t in reversed(range(1, T + 1)):
    ds = (yhat[t] - y[t]) / m / T
    dL/dwya += a[t].T @ ds
    dL/dby  += sum(ds)
    dL/da[t] = outer(ds, wya) + ahead
    dz = dL/da[t] * (1 - a[t]**2)
    dL/dWaa += a[t-1].T @ dz
    dL/dWax += x[t].T @ dz
    dL/dba  += sum(dz, axis=0)
    ahead = dz @ Waa.T
"""


def train() -> list[float]:
    """Train, and give the losses back."""
    optimiser = tr.optim.SGD([Waa, Wax, ba, wya, by], lr=LEARNING_RATE)
    losses = []
    for step in range(STEPS + 1):
        optimiser.zero_grad()
        L = loss()
        L.backward()
        if step < STEPS:
            optimiser.step()
        losses.append(L.item())
        if step % 20 == 0:
            print(f"step {step:>3}   loss {losses[-1]:.4f}")
    return losses


if __name__ == "__main__":
    train()
    # Try: view layers in the debugger, then end: the gradient by time step, from the last to the first.
