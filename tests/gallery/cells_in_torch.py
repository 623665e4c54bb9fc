"""The scalar network, the LSTM and the GRU of the gallery in PyTorch: they made the numbers in `cells_golden.json`.

`python tests/gallery/cells_in_torch.py > tests/gallery/cells_golden.json`. Not run by the tests. The gated cells are
PyTorch's own layers, filled with the gallery's weights.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gallery.recurrent import gru, lstm, rnn_scalar
from gallery.recurrent.carousel import FIRST, TARGET, x_at

STEPS = 3


def tensor(value: object) -> torch.Tensor:
    """A leaf in float64."""
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def scalar(length: int) -> dict[str, object]:
    """The scalar network: each step uses its own copy of waa, so that PyTorch gives the terms one by one."""
    uses = [tensor(0.9) for _ in range(length)]
    wax, ba, wya, by = (tensor(w) for w in (0.7, rnn_scalar.BA, rnn_scalar.WYA, rnn_scalar.BY))
    states = [tensor(rnn_scalar.FIRST)]
    for waa, x in zip(uses, rnn_scalar.INPUTS, strict=False):
        states.append(torch.tanh(waa * states[-1] + wax * x + ba))
    yhat = torch.sigmoid(wya * states[-1] + by)
    loss = torch.nn.functional.binary_cross_entropy(yhat, tensor(rnn_scalar.TARGET).detach())
    pairs = zip(states[1:], states[:-1], strict=True)
    local = [torch.autograd.grad(after, before, retain_graph=True)[0] for after, before in pairs]
    whole = torch.autograd.grad(states[-1], states[1], retain_graph=True)[0]
    loss.backward()
    others = {"wax": wax, "ba": ba, "wya": wya, "by": by}
    return {
        "a": [a.item() for a in states],
        "yhat": yhat.item(),
        "L": loss.item(),
        "da_by_da": [one.item() for one in local],
        "da_by_da1": whole.item(),
        "waa": [w.grad.item() for w in uses],
        **{name: w.grad.item() for name, w in others.items()},
    }


def layer(kind: str) -> dict[str, object]:
    """The states, the loss and the gradients of a gated layer with the gallery's weights, gates below each other."""
    x = torch.tensor([x_at(t) for t in range(1, STEPS + 1)], dtype=torch.float64)
    a0, c0 = tensor(FIRST), tensor(lstm.FIRST_CELL)
    if kind == "lstm":
        net = torch.nn.LSTM(2, 2, dtype=torch.float64)
        gates = [*lstm.WI, *lstm.WF, *lstm.WG, *lstm.WO]
        columns = [row[:2] for row in gates], [row[2:] for row in gates]
        bias = [*lstm.BI, 1.0, 1.0, *lstm.BG, *lstm.BO]
        start = (a0[None], c0[None])
    else:
        net = torch.nn.GRU(2, 2, dtype=torch.float64)
        gates = [*gru.WR, *gru.WZ]
        columns = [*[row[:2] for row in gates], *gru.WNA], [*[row[2:] for row in gates], *gru.WNX]
        bias = [*gru.BR, 1.0, 1.0, *gru.BN]
        start = a0[None]
    w_hh, w_ih = columns
    for parameter, value in zip(
        net.parameters(), (w_ih, w_hh, bias, [0.0] * len(bias)), strict=True
    ):
        parameter.data = torch.tensor(value, dtype=torch.float64)
    a, last = net(x, start)
    loss = ((a[-1] - torch.tensor(TARGET, dtype=torch.float64)) ** 2).sum()
    loss.backward()
    cell = {"c": last[1][0].tolist(), "c0": c0.grad.tolist()} if kind == "lstm" else {}
    return {
        "a": a.tolist(),
        "loss": loss.item(),
        "w_hh": net.weight_hh_l0.grad.tolist(),
        "w_ih": net.weight_ih_l0.grad.tolist(),
        "b": net.bias_ih_l0.grad.tolist(),
        "a0": a0.grad.tolist(),
        **cell,
    }


def golden() -> dict[str, object]:
    """Everything that the tests compare."""
    return {
        "made": f"tests/gallery/cells_in_torch.py, torch {torch.__version__}, float64",
        "rnn_scalar": scalar(3),
        "rnn_scalar:8": scalar(8),
        "lstm": layer("lstm"),
        "gru": layer("gru"),
    }


if __name__ == "__main__":
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden().items())
    print("{" + ",\n ".join(lines) + "}")
