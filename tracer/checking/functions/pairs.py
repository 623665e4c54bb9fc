"""A forward and a backward function with their arguments: called as their author would, on copies, again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tracer.errors import CheckError, GradstepError

from .arrays import arrays_in, copied, dtype_name, float64, is_array, is_float, kind, like
from .conventions import Role, Sizes, gradient_names, recognised, taken_by, told

Array = Any
"""A numpy array or numpy scalar."""


@dataclass(frozen=True, eq=False)
class Ran:
    """One run of forward: the arguments that it was given, what it returned as outputs, and what it kept."""

    args: tuple[Any, ...]
    outputs: tuple[Any, ...]
    cache: Any = None

    def arrays(self, names: Sequence[str]) -> dict[str, Any]:
        """Every array that backward may reach, by how the user would call it."""
        found = {name: arg for name, arg in zip(names, self.args, strict=True) if is_array(arg)}
        for k, out in enumerate(self.outputs):
            found["out" if len(self.outputs) == 1 else f"out[{k}]"] = out
        return {**found, **dict(arrays_in(self.cache, "cache"))}


class Kernel(Protocol):
    """What is verified: something that can be run forward on arguments, and backward from cotangents."""

    title: str
    names: tuple[str, ...]

    def run(self, args: Sequence[Any]) -> Ran:
        """Forward, on these very arguments."""

    def outputs(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """What forward returns beside a cache."""

    def back(self, ran: Ran, cotangents: Sequence[Any], *, filled: float = 0.0) -> tuple[Any, ...]:
        """Backward: what it says is the gradient of each argument; None where it says that there is none.

        filled: what stands in the arrays that are given to a backward which writes into them.
        """


class Pair:
    """A function forward and a function backward.

    fills: arrays like the outputs, for a forward that writes into them as its last arguments; empty otherwise.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        args: Sequence[Any],
        *,
        takes: str = "",
        fills: Sequence[Any] = (),
    ) -> None:
        self.forward, self.backward, self.fills = forward, backward, tuple(fills)
        self.title = getattr(forward, "__name__", "") or type(forward).__name__
        filled = len(args) + len(self.fills)
        self.names = names_of(forward, filled, self.title)[: len(args)]
        returned = self._called_forward([copied(arg) for arg in args])
        self.sizes = Sizes(
            self.names,
            tuple(k for k, arg in enumerate(args) if is_float(arg)),
            len(returned),
            tuple(is_float(out) for out in returned),
        )
        self.words = told(takes, self.names) if takes else recognised(backward, self.sizes)
        self.results = self._results(returned)
        self.roles = self.sizes.roles(self.words)

    def _results(self, returned: tuple[Any, ...]) -> int:
        """How many outputs there are. Raises `CheckError` where what forward returns cannot be outputs."""
        if found := self.sizes.results(self.words):
            return found
        what = ", ".join(kind(each) for each in returned) or "nothing"
        cure = "return the output, or (output, cache) for a backward that takes g, cache"
        if "cache" in self.words and len(returned) == 1:
            cure = "return (output, cache)"
        raise CheckError(
            f"verify_function: {self.title} returns {what}; backward takes {', '.join(self.words)}\n  try: {cure}"
        )

    def _called_forward(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """What forward returns, as a tuple of outputs, and of a cache at the end if there is one."""
        fills = tuple(like(each, np.zeros(np.shape(each)), str(each.dtype)) for each in self.fills)
        result = called(
            self.forward, (*args, *fills), self.title, (*self.names, *("out",) * len(fills))
        )
        if fills:
            if result is not None:
                raise CheckError(
                    f"verify_function: {self.title} returns {kind(result)}, and was given arrays to fill\n"
                    f"  try: without out="
                )
            return fills
        if isinstance(result, (tuple, list)) and any(map(is_array, result)):
            return tuple(result)
        if isinstance(result, (tuple, list)) and len(result) > 1 and isinstance(result[0], float):
            return tuple(result)
        if result is None:
            raise CheckError(
                f"verify_function: {self.title} returns None\n"
                f"  try: return the output; or out=np.empty(...), if it writes into its last argument"
            )
        if not is_float(result):
            raise CheckError(
                f"verify_function: {self.title} returns {kind(result)}, which has no gradient\n"
                f"  try: a float array of numpy or PyTorch"
            )
        return (result,)

    def run(self, args: Sequence[Any]) -> Ran:
        """Forward, on these very arguments."""
        returned = self._called_forward(args)
        cache = returned[-1] if "cache" in self.words else None
        return Ran(tuple(args), returned[: self.results], cache)

    def outputs(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """What forward returns beside a cache."""
        return self.run(args).outputs

    def back(self, ran: Ran, cotangents: Sequence[Any], *, filled: float = 0.0) -> tuple[Any, ...]:
        """Backward: what it says is the gradient of each argument, None where it says that there is none."""
        into = {k: _beside(ran.args[k], filled) for k in self.sizes.floats}
        given = [self._given(role, ran, cotangents, into) for role in self.roles]
        names = [f"{role.word} {self.names[role.which]}" if role.word == "into" else
                 self.names[role.which] if role.word == "args" else role.word for role in self.roles]  # fmt: skip
        result = called(self.backward, given, "backward", names)
        if "*into" in self.words:
            if result is not None:
                raise CheckError(
                    f"verify_function: backward returns {kind(result)}, and was given arrays to fill\n"
                    f"  try: takes='g, *args', or return nothing"
                )
            return tuple(into.get(k) for k in range(len(ran.args)))
        return self._by_argument(result)

    def _given(
        self, role: Role, ran: Ran, cotangents: Sequence[Any], into: Mapping[int, Any]
    ) -> Any:
        """What is handed to backward in one place."""
        word, k = role
        if word == "args":
            return ran.args[k]
        if word == "into":
            return into[k]
        if word == "cache":
            return ran.cache
        many = tuple(cotangents) if word == "g" else ran.outputs
        return many[k] if len(many) == 1 or ("*g" in self.words and word == "g") else many

    def _by_argument(self, result: Any) -> tuple[Any, ...]:
        """What backward returns, argument by argument. Raises `CheckError` where it cannot be told apart."""
        count, floats = len(self.names), self.sizes.floats
        if isinstance(result, Mapping):
            return self._by_name(result)
        if not isinstance(result, (tuple, list)) or (count == 1 and _is_numbers(result)):
            result = (result,)
        if len(result) == count:
            return tuple(result)
        if len(result) == len(floats):
            by_place = dict(zip(floats, result, strict=True))
            return tuple(by_place.get(k) for k in range(count))
        raise CheckError(
            f"verify_function: backward returns {_gradients(len(result))}, "
            f"and forward takes {', '.join(self.names)}\n"
            f"  try: return one gradient for each, in that order; None for what has none"
        )

    def _by_name(self, result: Mapping[Any, Any]) -> tuple[Any, ...]:
        """Gradients that come by name: x, dx, grad_x."""
        found: dict[int, Any] = {}
        for key, gradient in result.items():
            of = [k for k, name in enumerate(self.names) if key == name]
            of = of or [
                k for k, name in enumerate(self.names) if str(key).lower() in gradient_names(name)
            ]
            if len(of) != 1:
                raise CheckError(
                    f"verify_function: backward returns a gradient called {key!r}\n"
                    f"  there are: {', '.join(self.names)}\n  try: these names, with or without a d before them"
                )
            found[of[0]] = gradient
        return tuple(found.get(k) for k in range(len(self.names)))


def called(
    function: Callable[..., Any], args: Sequence[Any], title: str, names: Sequence[str]
) -> Any:
    """What a function returns. Raises `CheckError` where it raises, with what it was given."""
    try:
        with np.errstate(all="ignore"):
            return function(*args)
    except GradstepError:
        raise
    except Exception as error:
        given = ", ".join(f"{name} {kind(arg)}" for name, arg in zip(names, args, strict=True))
        said = str(error).strip().splitlines() or [""]
        raise CheckError(
            f"verify_function: {title} raised {type(error).__name__}: {said[0]}\n"
            f"  it was given {given}\n"
            f"  try: call it with these arguments alone"
        ) from error


def names_of(function: Any, count: int, title: str) -> tuple[str, ...]:
    """The names of the arguments, as the function declares them; numbered where it does not."""
    taken = taken_by(function)
    names = taken.names[:count] if taken is not None else ()
    if taken is not None and not taken.starred and len(taken.names) < count:
        raise CheckError(
            f"verify_function: {title} takes {', '.join(taken.names) or 'nothing'}, and {given(count)}\n"
            f"  try: args as a tuple of one value for each"
        )
    if taken is not None and taken.least > count:
        raise CheckError(
            f"verify_function: {title} takes {', '.join(taken.names)}, and {given(count)}\n"
            f"  try: args as a tuple of one value for each; out=np.empty(...) if it writes into its last"
        )
    starred = taken.starred if taken is not None and taken.starred else "argument"
    return (*names, *(f"{starred}[{k}]" for k in range(count - len(names))))


def given(count: int) -> str:
    """So many arguments are given."""
    return "1 argument is given" if count == 1 else f"{count} arguments are given"


def _beside(argument: Any, filled: float) -> Any:
    """An array like an argument, of one number throughout, to write a gradient into."""
    numbers = np.full(np.shape(argument), filled)
    made = like(argument, numbers, dtype_name(argument))
    return np.array(made) if isinstance(made, (float, np.generic)) else made


def _is_numbers(result: Any) -> bool:
    """Whether a list is one gradient, not several: nothing but numbers."""
    return isinstance(result, list) and not any(is_array(each) and np.ndim(each) for each in result)


def _gradients(count: int) -> str:
    return f"{count} gradient" + ("" if count == 1 else "s")


def cotangents_like(outputs: Sequence[Any], numbers: Sequence[Array]) -> tuple[Any, ...]:
    """Cotangents as backward gets them: of the kind and dtype of the outputs."""
    return tuple(like(out, g, dtype_name(out)) for out, g in zip(outputs, numbers, strict=True))


class Projected:
    """<cotangents, outputs> as a function of the numbers of one argument; NaN where forward refuses them."""

    def __init__(
        self, kernel: Kernel, args: Sequence[Any], k: int, cotangents: Sequence[Array]
    ) -> None:
        self.kernel, self.args, self.k, self.cotangents = kernel, args, k, cotangents
        self.dtype = dtype_name(args[k])

    def __call__(self, numbers: Array) -> float:
        """The sum of the terms."""
        return float(np.sum(self.terms(numbers)))

    def terms(self, numbers: Array) -> Array:
        """Every output times its cotangent, in a row; a single NaN where forward refuses the numbers."""
        moved = [copied(arg) for arg in self.args]
        moved[self.k] = like(self.args[self.k], numbers, self.dtype)
        try:
            outputs = [float64(out) for out in self.kernel.outputs(moved)]
        except CheckError as error:
            if isinstance(error.__cause__, (ArithmeticError, ValueError, RuntimeError)):
                return np.array([np.nan])
            raise
        if [out.shape for out in outputs] != [np.shape(g) for g in self.cotangents]:
            return np.array([np.nan])
        with np.errstate(all="ignore"):
            parts = [
                np.multiply(g, out, where=g != 0, out=np.zeros_like(out)).reshape(-1)
                for g, out in zip(self.cotangents, outputs, strict=True)
            ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
