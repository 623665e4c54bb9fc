"""A function of PyTorch verified as a pair: `autograd.Function`, or whatever records a graph, with autograd behind it.

PyTorch is not loaded here; it is there when somebody hands over a tensor or a Function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tracer.errors import CheckError

from .arrays import is_float, is_torch, kind
from .conventions import taken_by
from .pairs import Ran, called, names_of


def is_function(forward: Any) -> bool:
    """Whether it is a subclass of `torch.autograd.Function`."""
    torch = sys.modules.get("torch")
    return (
        torch is not None
        and isinstance(forward, type)
        and issubclass(forward, torch.autograd.Function)
    )


class Autograd:
    """A function of tensors, run backward by PyTorch's autograd; of a Function, by its own backward."""

    def __init__(self, forward: Callable[..., Any], args: Sequence[Any]) -> None:
        self.own = is_function(forward)
        self.title = getattr(forward, "__name__", "") or type(forward).__name__
        self.apply: Callable[..., Any] = forward.apply if self.own else forward  # type: ignore[attr-defined]
        self.names = (
            _names(forward, len(args)) if self.own else names_of(forward, len(args), self.title)
        )
        self.floats = tuple(k for k, arg in enumerate(args) if is_torch(arg) and is_float(arg))
        self.wanted = self.floats

    def run(self, args: Sequence[Any]) -> Ran:
        """Forward, on these very arguments, recorded by autograd."""
        given = list(args)
        for k in self.wanted:
            given[k] = given[k].requires_grad_()
        # a leaf must not be written to in place; a view of it may be, as in a network
        views = [each.view_as(each) if k in self.wanted else each for k, each in enumerate(given)]
        outputs = self._floats(called(self.apply, views, self.title, self.names))
        if not any(out.requires_grad for out in outputs):
            raise CheckError(
                f"verify_function: what {self.title} returns has no history: the recording was cut\n"
                f"  try: without detach(), .item(), numpy and torch.no_grad() inside"
            )
        return Ran(tuple(given), outputs)

    def outputs(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """What forward returns, computed without recording."""
        with sys.modules["torch"].no_grad():
            return self._floats(called(self.apply, args, self.title, self.names))

    def _floats(self, result: Any) -> tuple[Any, ...]:
        """The outputs that have a gradient. Raises `CheckError` where none has."""
        outputs = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        floats = tuple(out for out in outputs if is_torch(out) and is_float(out))
        if not floats:
            raise CheckError(
                f"verify_function: {self.title} returns {kind(result)}, which has no gradient\n"
                f"  try: return a float tensor"
            )
        return floats

    def back(self, ran: Ran, cotangents: Sequence[Any], *, filled: float = 0.0) -> tuple[Any, ...]:
        """Backward: the gradient of each argument; None where none arrives."""
        torch = sys.modules["torch"]
        pairs = [(o, g) for o, g in zip(ran.outputs, cotangents, strict=True) if o.requires_grad]

        def backward(*given: Any) -> Any:
            return torch.autograd.grad(
                [out for out, _ in pairs],
                [ran.args[k] for k in self.wanted],
                grad_outputs=[g for _, g in pairs],
                retain_graph=True,
                allow_unused=True,
            )

        found = called(backward, cotangents, f"{self.title}.backward", ["g"] * len(cotangents))
        by_place = dict(zip(self.wanted, found, strict=True))
        return tuple(by_place.get(k) for k in range(len(ran.args)))


def _names(function: Any, count: int) -> tuple[str, ...]:
    """The names of a Function's arguments, its context left out where forward takes one."""
    taken = taken_by(function.forward)
    names = taken.names if taken is not None else ()
    torch = sys.modules["torch"]
    if function.setup_context is torch.autograd.Function.setup_context:
        names = names[1:]
    names = names[:count]
    return (*names, *(f"argument[{k}]" for k in range(count - len(names))))


def tensor_like(arg: Any) -> Any:
    """An argument for a function of tensors: arrays of numpy as tensors, Python's numbers as they are."""
    torch = sys.modules["torch"]
    return torch.from_numpy(np.array(arg)) if isinstance(arg, np.ndarray) else arg
