"""Names of PyTorch's and numpy's that we do not have, each with how it is written here."""

from __future__ import annotations

from typing import Any

_ELSEWHERE = {
    "view": "x.reshape(...)",
    "flatten": "x.reshape(-1)",
    "permute": "x.transpose(...)",
    "t": "x.T",
    "unsqueeze": "x[:, None]",
    "squeeze": "x.reshape(...), or x[:, 0]",
    "clone": "x itself: recorded values never change",
    "data": "x.value to look; w.set(new), or w -= step under no gradient, to refill a parameter",
    "cpu": "x.value",
    "pow": "x ** y",
    "dot": "x @ y",
    "std": "((x - x.mean()) ** 2).mean() ** 0.5",
    "var": "((x - x.mean()) ** 2).mean()",
    "argmax": "x.value.argmax()",
    "argmin": "x.value.argmin()",
    "any": "x.value.any()",
    "all": "x.value.all()",
    "copy": "x.detach() for a constant, x.value.copy() for an array",
    "retain_grad": "x.grad: every node keeps its gradient",
    "requires_grad_": "tr.tensor(..., requires_grad=...)",
}
"""What PyTorch or numpy would offer, and how it is written here."""


class _Elsewhere:
    """A name of PyTorch's or numpy's that says how it is written here.

    Not `__getattr__`: that would make every attribute of every Tensor a third slower.
    """

    def __init__(self, name: str, cure: str) -> None:
        self.said = f"a recorded value has no {name!r}\n  try: {cure}"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        raise AttributeError(self.said)


def name_elsewhere(owner: type) -> None:
    """Put the names on a class, so that asking for one says what to write."""
    for name, cure in _ELSEWHERE.items():
        setattr(owner, name, _Elsewhere(name, cure))
