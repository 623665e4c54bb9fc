"""A function to be checked, with its arguments in float64, ready to be called with one of them moved."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from ops.primitive import Primitive
from tracer.errors import CheckError, GradstepError
from tracer.format import typed
from tracer.freezing import trace as freeze
from tracer.operands import Operators
from tracer.parameters import Parameter
from tracer.recording import CURRENT, no_grad, switched
from tracer.tensors import Tensor, constant, tensor
from tracer.traces import Trace
from tracer.values import as_value, device_name, is_recorded, on_host

Array = Any
"""A numpy array or numpy scalar."""


class Call:
    """A function with its arguments in float64, ready to be called with some of them moved.

    It runs where it would have run when this was made: on the device of `tr.device`, with each argument where it lay.
    """

    def __init__(self, fn: Any, args: Any, params: Mapping[str, Any]) -> None:
        if not callable(fn):
            raise CheckError(
                f"check: {type(fn).__name__} is neither a function nor a Trace\n"
                f"  try: tr.check(fn, args), with the function itself, not its result"
            )
        self.fn, self.params = fn, params
        self.title = getattr(fn, "name", "") or getattr(fn, "__name__", "") or type(fn).__name__
        self.device = CURRENT.get().device
        self.places = tuple(_place(a) or self.device for a in args)
        self.args = tuple(_promoted(a) for a in args)
        self.names = _names(fn, len(self.args))
        self.checked = tuple(
            k
            for k, a in enumerate(self.args)
            if _is_float(a) and not (isinstance(fn, Primitive) and not fn.differentiable(k))
        )
        if not self.checked:
            if isinstance(fn, Primitive) and any(map(_is_float, self.args)):
                raise CheckError(
                    f"check: {self.title} declares no derivative by these arguments\n"
                    f"  try: an operation with a rule; gradstep ops lists them"
                )
            kinds = ", ".join(_kind(a) for a in self.args) or "no arguments"
            raise CheckError(
                f"check: {self.title} was given {kinds}: nothing that has a gradient\n"
                + (
                    "  try: 3.0 instead of 3, or x.astype(float)"
                    if self.args
                    else "  try: tr.check(fn, args), or tr.check(tr.trace(loss)) for what fn itself holds"
                )
            )
        for k in self.checked:
            if np.isnan(self.args[k]).any() and not isinstance(fn, Primitive):
                first = np.argwhere(np.isnan(self.args[k]))[0].tolist()
                raise CheckError(
                    f"check: {self.names[k]} holds nan{f' at {first}' if first else ''}: no derivative is there\n"
                    f"  try: arguments that are numbers"
                )

    def value(self, args: tuple[Any, ...]) -> Array:
        """The output for some arguments, computed without recording."""
        if isinstance(self.fn, Primitive):
            return self._called(args)
        with no_grad():
            given = zip(args, self.places, strict=True)
            there = tuple(constant(a, device=at) if _is_float(a) else a for a, at in given)
            return on_host(self._output(there).value)

    def tensor_of(self, *args: Any) -> Tensor:
        """The output for some arguments, recorded."""
        return self._output(args)

    def with_function(self, fn: Callable[..., Any]) -> Call:
        """Another function of the same arguments."""
        other = copy(self)
        other.fn, other.params = fn, {}
        return other

    def with_names(self, names: Sequence[str]) -> Call:
        """The same call, its arguments called otherwise."""
        other = copy(self)
        other.names = tuple(names)
        return other

    def _output(self, args: tuple[Any, ...]) -> Tensor:
        """What the function returns, which must be a Tensor."""
        out = self._called(args)
        if isinstance(out, Parameter):
            out = out.tensor
        if isinstance(out, Tensor):
            return out
        what = f"an array {typed(out)}" if isinstance(out, np.ndarray) else type(out).__name__
        cure = "return tr.stack([...]), or check one output at a time"
        if not isinstance(out, (tuple, list, dict)):
            cure = "return the Tensor itself; .value, .item() and np.asarray cut the recording"
        raise CheckError(f"check: {self.title} returned {what}, not a Tensor\n  try: {cure}")

    def _called(self, args: tuple[Any, ...]) -> Any:
        try:
            with switched(device=self.device):
                return self.fn(*args, **self.params)
        except GradstepError:
            raise
        except Exception as error:
            given = ", ".join(
                f"{name} {_kind(a)}" for name, a in zip(self.names, self.args, strict=True)
            )
            cure = "call it with these arguments alone"
            if "positional argument" in str(error) and len(self.args) > 1:
                cure = (
                    "one item for each argument: [[2.0, 3.0]] is one list, [2.0, 3.0] two numbers"
                )
            raise CheckError(
                f"check: {self.title} raised {type(error).__name__}: {error}\n"
                f"  it was given {given}\n"
                f"  try: {cure}"
            ) from error

    def recorded(self, cotangent: Array) -> tuple[Trace | None, dict[int, int]]:
        """The trace of one call, None if it records nothing, and the leaf of each argument whose gradient arrives."""
        leaves = {
            k: tensor(self.args[k], name=self.names[k], device=self.places[k]) for k in self.checked
        }
        out = self._output(tuple(leaves.get(k, a) for k, a in enumerate(self.args)))
        if not out.tracked:
            return None, {}
        trace = freeze(out, seed=cotangent)
        # a leaf made of the same array, by np.asarray or detach, bears no name
        known = {(id(trace.storage.held(n)), name): n for n, name in trace.given_names.items()}
        found = {k: known.get((id(x.value), self.names[k])) for k, x in leaves.items()}
        return trace, {k: n for k, n in found.items() if n is not None and trace.receives[n]}

    def projected(self, k: int, cotangent: Array) -> Callable[[Array], float]:
        """<cotangent, output> as a function of argument k; NaN where the function refuses the value."""
        return Projection(self, k, cotangent)

    def unsteady(self) -> CheckError:
        """The complaint about a function that is no function of its arguments."""
        return CheckError(
            f"check: {self.title} gave other numbers when it was called again with the same arguments\n"
            f"  try: fix the random seed inside it, and change nothing that outlives the call"
        )


class Projection:
    """<cotangent, output> of a call as a function of one argument; it can be sent to another process if fn can."""

    def __init__(self, call: Call, k: int, cotangent: Array) -> None:
        self.call, self.k, self.cotangent = call, k, cotangent

    def __reduce__(self) -> tuple[Any, ...]:
        return Projection, (self.call, self.k, self.cotangent)

    @cached_property
    def _others(self) -> tuple[Any, ...]:
        args, places = self.call.args, self.call.places
        if isinstance(self.call.fn, Primitive):
            return args
        given = zip(args, places, strict=True)
        return tuple(constant(a, device=at) if _is_float(a) else a for a, at in given)

    @cached_property
    def _finite(self) -> Array | None:
        """Where the output counts; None if everywhere."""
        finite = self.cotangent != 0
        return None if np.all(finite) else finite

    def __call__(self, x: Array) -> float:
        """The number for one value of the argument; NaN where the function refuses it."""
        others, k = self._others, self.k
        try:
            out = self.call.value((*others[:k], x[()], *others[k + 1 :]))
        except (GradstepError, ArithmeticError):
            return math.nan
        if np.shape(out) != np.shape(self.cotangent):
            return math.nan
        if self._finite is None:
            return float(np.vdot(self.cotangent, out))
        return float(np.sum(self.cotangent * out, where=self._finite))


def _place(argument: Any) -> str:
    """The device on which an argument lies; empty if it lies on none."""
    name = device_name(argument.value if is_recorded(argument) else argument)
    return "" if name == "cpu" else name


def _promoted(argument: Any) -> Any:
    """Float data as float64 values of ours; whole numbers as arrays if they were; anything else as it is."""
    argument = on_host(argument.value if isinstance(argument, Operators) else argument)
    if not isinstance(argument, (float, list, tuple, np.ndarray, np.generic)):
        return argument
    value = as_value(argument)
    return as_value(value.astype(np.float64)) if value.dtype.kind == "f" else value


def _is_float(argument: Any) -> bool:
    return isinstance(argument, (np.ndarray, np.generic)) and argument.dtype.kind == "f"


def _kind(argument: Any) -> str:
    if isinstance(argument, (np.ndarray, np.generic)):
        return typed(argument)
    return type(argument).__name__


def _names(fn: Any, count: int) -> tuple[str, ...]:
    """The names of the arguments, as the function declares them; numbered where they repeat."""
    if isinstance(fn, Primitive):
        declared, variadic = list(fn.inputs), fn.variadic
    else:
        try:
            taken = tuple(inspect.signature(fn).parameters.values())
        except (TypeError, ValueError):
            taken = ()
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        declared = [p.name for p in taken if p.kind in (*kinds, inspect.Parameter.VAR_POSITIONAL)]
        variadic = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in taken)
    if variadic:
        head, last = declared[:-1], declared[-1]
        return (*head[:count], *(f"{last}[{k}]" for k in range(count - len(head))))
    return tuple(declared[:count]) + tuple(f"argument {k}" for k in range(len(declared), count))
