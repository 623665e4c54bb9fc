"""Dropout as a layer: it drops in training, and changes nothing in use."""

from __future__ import annotations

from typing import Any, Literal

import ops
from tracer.nn.module import Module


class Dropout(Module):
    """Zero elements at random in training: `tr.dropout`, with a new mask at each call.

    form "inverted", PyTorch's: p is the probability to drop, and what stays is divided by 1 − p in training. form
    "lecture": p is the probability to stay, and what comes out is multiplied by p in use (`eval()`).
    Masks follow from `tr.manual_seed`; each stands on its node, so that a replay draws it again.

    >>> import tracer as tr
    >>> tr.manual_seed(0)
    >>> drop = tr.nn.Dropout(0.5)
    >>> drop(tr.tensor([1.0, 2.0, 3.0, 4.0])).op.name, drop.eval()([1.0, 2.0])
    ('dropout', [1.0, 2.0])
    """

    def __init__(
        self, p: float = 0.5, *, form: Literal["inverted", "lecture"] = "inverted"
    ) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability, not {p}\n  try: 0.5")
        if form not in ("inverted", "lecture"):
            raise ValueError(f"Dropout has no form {form!r}\n  try: 'inverted' or 'lecture'")
        self.p, self.form = p, form

    def forward(self, x: Any) -> Any:
        """What stays of x."""
        return ops.dropout(x, self.p, training=self.training, form=self.form)

    def extra_repr(self) -> str:
        """The probability, and the form if it is the lecture's."""
        return f"p={self.p}" + ("" if self.form == "inverted" else f", form={self.form!r}")
