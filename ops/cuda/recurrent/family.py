"""Recurrent layers on a device: products over all time steps at once, and one persistent kernel for the loop."""

from __future__ import annotations

from ops.cuda.kernel import Kernel
from ops.cuda.native import Native
from ops.cuda.recurrent.flows import gated_pull, rnn_pull
from ops.cuda.recurrent.kernels import BACKWARD, FORWARD
from ops.cuda.recurrent.values import gru_value, lstm_value, rnn_value

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel for kernel in (*FORWARD.values(), *BACKWARD.values())
}

NATIVE: dict[str, Native] = {
    "rnn_layer": Native(rnn_value, rnn_pull),
    "gru_layer": Native(gru_value, gated_pull("gru")),
    "lstm_layer": Native(lstm_value, gated_pull("lstm")),
}
