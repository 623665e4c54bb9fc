"""The kernels of recurrent layers: what launches and tests them reads these entries."""

from __future__ import annotations

from ops.cuda.kernel import Kernel
from ops.cuda.recurrent import trials
from ops.cuda.recurrent.backward import build_backward
from ops.cuda.recurrent.forward import build_forward

_AHEAD = "T[:,:,:] T[:] T[:] T[:,:] T[:,:] T[:] i8 T[:,:,:] T[:,:,:] T[:,:,:]"
_BACK = "T[:,:,:] T[:,:,:] T[:,:,:] T[:,:,:] T[:,:] T[:,:,:] T[:] i8 i8 T[:,:,:] T[:,:,:] T[:,:]"


def _forward(name: str, cell: str, what: str) -> Kernel:
    doc = f"The states of a layer of {what} after each time step, from its input sums."
    given = trials.forward(cell)
    options = {"cell": cell}
    return Kernel(
        name, "recurrent", build_forward, _AHEAD, given, ulps=16, options=options, doc=doc
    )


def _backward(name: str, cell: str, what: str) -> Kernel:
    doc = f"The cotangents of all sums before the gates of a layer of {what}, against time."
    given = trials.backward(cell)
    options = {"cell": cell}
    return Kernel(
        name, "recurrent", build_backward, _BACK, given, ulps=16, options=options, doc=doc
    )


FORWARD = {
    "tanh": _forward("rnn_forward", "tanh", "plain recurrent cells"),
    "gru": _forward("gru_forward", "gru", "gated recurrent units"),
    "lstm": _forward("lstm_forward", "lstm", "long short-term memory"),
}
BACKWARD = {
    "tanh": _backward("rnn_backward", "tanh", "plain recurrent cells"),
    "gru": _backward("gru_backward", "gru", "gated recurrent units"),
    "lstm": _backward("lstm_backward", "lstm", "long short-term memory"),
}
