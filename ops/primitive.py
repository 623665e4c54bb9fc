"""What an operation is: one frozen entry that kernels, tape, formulas, tests and the help page all read.

A `Primitive` is declared once, with the decorators of `ops.declaring`. Called with arrays it computes; an argument
that offers `__apply_primitive__` (a Tensor, a Parameter, a Symbol) takes the call over, so that the same rule records a
graph or writes a formula: numpy's `__array_ufunc__` idea, by which `ops` calls up without importing up.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.catalogue import ACCELERATED, COMPILED, NEVER
from ops.errors import PrimitiveError as PrimitiveError
from ops.formula import ADD as ADD
from ops.formula import ATOM as ATOM
from ops.formula import COMPARE as COMPARE
from ops.formula import MUL as MUL
from ops.formula import NEG as NEG
from ops.formula import POW as POW
from ops.formula import Formula as Formula
from ops.rules import NOTHING as NOTHING
from ops.rules import Rule as Rule
from ops.rules import Rules
from ops.rules import fitted as fitted
from ops.signature import NUMBERS as NUMBERS
from ops.table import PRIMITIVES as PRIMITIVES
from ops.table import declared
from ops.table import lookup as lookup

Array = Any
"""A numpy array or numpy scalar; a rule also accepts Tensors and Symbols in its place."""

_ARRAYS = frozenset({np.ndarray, np.float64, np.float32, np.int64, np.bool_})
_OF_NUMBERS = frozenset({np.int64, np.float64, np.bool_})

# NaN and inf are facts on the trace, not warnings. Entering numpy's errstate costs more than a small operation, so the
# warnings are filtered by the module that runs kernels; `run` covers the case that a user has made them errors.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"(ops|tracer)\.")


class Sample(NamedTuple):
    """One chosen set of arguments on which every generated test runs a primitive."""

    args: tuple[Any, ...]
    params: Mapping[str, Any] = NOTHING


def sample(*args: Any, **params: Any) -> Sample:
    """The arguments of one sample, written as the call would be: `sample(x, axis=0)`."""
    return Sample(args, params)


class Saved(NamedTuple):
    """A number that a kernel hands to its rules: its name, its glyph, and the function of the inputs that it equals.

    Arrays get the number itself; Tensors call `compute`, so that second derivatives flow through it; Symbols get the
    glyph.
    """

    name: str
    glyph: str
    tex: str
    compute: Callable[..., Any]


_UNWRITTEN = Formula("", "")


class _OfInstance:
    """An attribute that the class has as it is, and that each instance computes: its doc and its signature.

    (In the `__dict__` of the instances it would make every call slower: they share their keys, up to thirty.)
    """

    def __init__(self, of_class: Any, compute: Callable[[Any], Any]) -> None:
        self.of_class, self.compute = of_class, compute

    def __get__(self, instance: Any, owner: type) -> Any:
        return self.of_class if instance is None else self.compute(instance)


class Primitive(Rules):
    """A declared operation: its kernel, its derivative rules, its formula, and the samples that test it. Frozen.

    (Not a dataclass: that module and what it generates would be a millisecond of every start.)

    >>> multiply = PRIMITIVES["mul"]
    >>> multiply(3.0, 4.0), multiply.inputs
    (12.0, ('x', 'y'))
    """

    # what help(tr.gelu), an editor and a notebook show
    __doc__: Any = _OfInstance(__doc__, lambda op: op.doc or None)
    __signature__: Any = _OfInstance(None, lambda op: op.signature())

    kernel: Callable[..., Any]
    elementwise: bool
    """Whether broadcasting is left to the engine: rules ignore it, and flows are summed to the shape of their input."""
    saves: tuple[Saved, ...]
    formula: Formula
    sampler: Callable[[np.random.Generator], Iterable[Sample | tuple[Any, ...]]] | None
    parts: Callable[..., Any] | None
    """The same result in smaller primitives, for stepping into."""
    parts_ulps: int
    """How far the parts may lie from the value, in ulps of its largest element; twice as far in a gradient."""
    size: Callable[..., float] | None
    """`(*inputs, **params)` to how many elements value, flows, and what is made on the way to them may have.

    It is asked before anything of a file runs, so it allocates nothing and counts rather too many; what it raises
    refuses the call. Without one they stay within a few times the inputs, or the shape that these broadcast to.
    """
    parts_size: Callable[..., float] | None
    """The same for the parts, where they make more; else `size` holds for them too."""
    hint: str
    """One thing to try when the shapes do not fit."""
    doc: str
    home: str
    """Module and qualified name of the function that declared it: who may declare it again."""
    kernels: str
    """Which kernels run it: `numpy`; `numba`; or `numba flows`, where numpy computes the value."""
    definition: Primitive
    """The operation that this is a form of: itself, unless other kernels run it."""
    fused: bool
    """Whether kernels compute its value, not only its flows: they are to be chosen before it runs."""
    least: int
    """From how many elements on compiled loops compute its flows faster than numpy."""

    def __init__(
        self,
        name: str,
        inputs: tuple[str, ...],
        kernel: Callable[..., Any],
        *,
        vjps: Mapping[str, Rule] = NOTHING,
        joint: Rule | None = None,
        variadic: bool = False,
        elementwise: bool = False,
        saves: tuple[Saved, ...] = (),
        optional: Mapping[str, Any] = NOTHING,
        defaults: Mapping[str, Any] = NOTHING,
        formula: Formula = _UNWRITTEN,
        sampler: Callable[[Any], Iterable[Sample | tuple[Any, ...]]] | None = None,
        parts: Callable[..., Any] | None = None,
        parts_ulps: int = 4,
        size: Callable[..., float] | None = None,
        parts_size: Callable[..., float] | None = None,
        hint: str = "",
        doc: str = "",
        home: str = "",
        kernels: str = "numpy",
        pull: Callable[..., list[Any]] | None = None,
        definition: Primitive | None = None,
    ) -> None:
        given = dict(locals())
        del given["self"]
        given["rules"] = tuple(vjps.get(key) for key in inputs)
        given["definition"] = definition or self
        ours = home.startswith("ops.")  # a user's rule might write into what it is given
        given["plain"] = ours and joint is None and not variadic and not saves and pull is None
        given["arity"] = -1 if variadic or optional or defaults else len(inputs)
        given["standard"] = dict(defaults)
        least = len(inputs) - len(optional)
        given["stand_ins"] = (
            {}
            if variadic or inspect.Parameter.empty in given["standard"].values()
            else {k: tuple(optional[x] for x in inputs[k:]) for k in range(least, len(inputs) + 1)}
        )
        compiled = COMPILED.get(name) if elementwise and kernels == "numpy" else None
        given["fused"] = name in ACCELERATED or (compiled is not None and compiled.value < NEVER)
        given["least"] = compiled.flows if compiled is not None else NEVER
        for key, value in given.items():
            # one by one: an instance whose __dict__ was touched is read more slowly
            object.__setattr__(self, key, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"primitive {self.name} is frozen: {name} cannot be set")

    @property
    def module(self) -> str:
        """The module whose import declares it."""
        module = self.home.rpartition(".")[0]
        while module and module not in sys.modules:
            module = module.rpartition(".")[0]
        return module

    def __reduce__(self) -> tuple[Any, ...]:
        """It goes to another process by name, and is there what that process has declared under it."""
        return declared, (self.module, self.name, self.kernels)

    def replaced(self, **changes: Any) -> Primitive:
        """A primitive like this one with some of what was declared changed."""
        given = inspect.signature(Primitive.__init__).parameters.keys() - {"self", "definition"}
        before = {key: value for key, value in vars(self).items() if key in given}
        return Primitive(**{**before, **changes})

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.inputs)})>"

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Compute, record or write: whichever the arguments ask for.

        Of Python numbers alone the result is a Python number too, if of rank 0: it promotes as weakly as they do.
        """
        if params or len(args) != self.arity:
            rest = None if params else self.stand_ins.get(len(args))
            if rest is None or any([x is None for x in args]):  # noqa: C419 (a generator is slower)
                args, params = self.bind(args, params)
            else:  # inputs alone: the common call, without the cost of sorting it
                args, params = args + rest, self.standard
        numbers, lists = True, False
        elsewhere = None
        for argument in args:
            kind = type(argument)
            if kind in _ARRAYS:
                numbers = False
            elif kind not in NUMBERS:
                apply = getattr(kind, "__apply_primitive__", None)
                if apply is not None:
                    return apply(argument, self, args, params)
                numbers = False
                lists = lists or kind is list or kind is tuple
                if hasattr(kind, "__run_primitive__"):
                    elsewhere = argument
        if lists:
            args = tuple(self._as_data(argument) for argument in args)
        if elsewhere is not None:  # an array of a device: kernels of its own compute
            return elsewhere.__run_primitive__(self, args, params)
        if not numbers:
            return self.run(args, params)[0]
        out = self.run([np.asarray(argument)[()] for argument in args], params)[0]
        return out.item() if type(out) in _OF_NUMBERS else out

    def _as_data(self, argument: Any) -> Any:
        """A list as an array; numbers and arrays as they are."""
        if not isinstance(argument, (list, tuple)):
            return argument
        if any(hasattr(type(part), "__apply_primitive__") for part in argument):
            raise PrimitiveError(
                f"{self.usage()} got a list of recorded values, whose history would be lost\n"
                f"  try: {self.name}(stack([...]))"
            )
        return np.asarray(argument)

    def run(
        self, values: Sequence[Array], params: Mapping[str, Any] = NOTHING
    ) -> tuple[Array, Mapping[str, Array]]:
        """The value, rank 0 as a numpy scalar, and what the kernel saved for its rules."""
        try:
            out = self.kernel(*values, **params)
        except (RuntimeWarning, FloatingPointError):
            with np.errstate(all="ignore"):
                out = self.kernel(*values, **params)
        saved: Mapping[str, Array] = NOTHING
        if self.saves:
            out, saved = out
        if type(out) is np.ndarray:
            if out.ndim == 0:
                out = out[()]
        elif not isinstance(out, np.generic) and not hasattr(type(out), "__run_primitive__"):
            if out is None:
                raise PrimitiveError(f"{self.name}: its kernel returned None, not an array")
            out = np.asarray(out)[()]
        return out, saved

    def samples(self, rng: np.random.Generator) -> list[Sample]:
        """The chosen arguments: a broadcast, a rank-0 value, the tails, the kink."""
        if self.sampler is None:
            return []
        return [s if isinstance(s, Sample) else Sample(s) for s in self.sampler(rng)]
