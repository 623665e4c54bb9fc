"""What the lectures say of each activation function: value, local derivative, where it saturates or dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tracer as tr
from gallery.activations import functions


@dataclass(frozen=True)
class Activation:
    """A line of the table. `slope` is an expression of derivations, in z and the names of the recorded values."""

    name: str
    title: str
    function: Callable[[Any], tr.Tensor]
    value: str
    slope: str
    flat: str
    """Where it saturates or dies, in words."""
    zero_centred: bool
    share: str
    """The share of the batch from -6 to 6 whose slope is below 0.01, as printed."""
    learned: str = ""
    """Lines for the gradients of its own parameters."""

    @property
    def caption(self) -> str:
        """The line of the table in words."""
        centred = "zero-centred" if self.zero_centred else "not zero-centred"
        return f"{self.title}, {self.value}: {self.flat}, {centred}"


ACTIVATIONS = (
    Activation(
        "sigmoid",
        "sigmoid",
        functions.sigmoid,
        "1 / (1 + exp(-z))",
        "s * (1 - s)",
        "saturates on both sides, slope at most 0.25",
        zero_centred=False,
        share="0.29",
    ),
    Activation(
        "tanh",
        "tanh",
        functions.tanh,
        "2 σ(2z) - 1",
        "1 - t**2",
        "saturates on both sides, slope 1 at 0",
        zero_centred=True,
        share="0.57",
    ),
    Activation(
        "hard_tanh",
        "hard tanh",
        functions.hard_tanh,
        "min(max(z, -1), 1)",
        "where(abs(z) < 1, 1, 0)",
        "dead beyond -1 and 1",
        zero_centred=True,
        share="0.86",
    ),
    Activation(
        "relu",
        "ReLU",
        functions.relu,
        "max(0, z)",
        "where(z > 0, 1, 0)",
        "dead left of 0, does not saturate on the right",
        zero_centred=False,
        share="0.52",
    ),
    Activation(
        "leaky_relu",
        "leaky ReLU",
        functions.leaky_relu,
        "max(0.1 z, z)",
        "where(z > 0, 1, 0.1)",
        "does not die",
        zero_centred=False,
        share="0.00",
    ),
    Activation(
        "parametric_relu",
        "parametric ReLU",
        functions.parametric_relu,
        "max(alpha z, z)",
        "where(z > 0, 1, alpha)",
        "does not die, the slope on the left is learned",
        zero_centred=False,
        share="0.00",
        learned="dL/dalpha = sum(where(z > 0, 0, z))\n",
    ),
    Activation(
        "elu",
        "ELU",
        functions.elu,
        "z if z > 0, else exp(z) - 1",
        "where(z > 0, 1, exp(minimum(z, 0)))",
        "saturates on the left, at -1",
        zero_centred=False,
        share="0.14",
    ),
    Activation(
        "swish",
        "Swish",
        functions.swish,
        "z σ(z)",
        "sigmoid(z) * (1 + z * (1 - sigmoid(z)))",
        "saturates slowly on the left, at 0",
        zero_centred=False,
        share="0.00",
    ),
    Activation(
        "gelu",
        "GELU",
        functions.gelu,
        "z times the normal distribution function",
        "(1 + erf(z / sqrt(2))) / 2 + z * exp(-z**2 / 2) / sqrt(2 * np.pi)",
        "saturates on the left, at 0",
        zero_centred=False,
        share="0.24",
    ),
    Activation(
        "maxout",
        "Maxout",
        functions.maxout,
        "max(w1 z + b1, w2 z + b2)",
        "where(first > second, w1, w2)",
        "neither saturates nor dies, at twice the parameters",
        zero_centred=False,
        share="0.00",
        learned="""\
dL/dw1 = sum(where(first > second, z, 0))
dL/db1 = sum(where(first > second, 1, 0))
dL/dw2 = sum(where(first > second, 0, z))
dL/db2 = sum(where(first > second, 0, 1))
""",
    ),
)
"""The functions in the order of the lectures."""
