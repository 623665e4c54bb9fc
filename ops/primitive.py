"""What an operation is: one frozen entry that kernels, tape, formulas, tests and the help page all read.

A `Primitive` is declared once, with the decorators of `ops.declaring`. Called with arrays it computes; an argument
that offers `__apply_primitive__` (a Tensor, a Parameter, a Symbol) takes the call over, so that the same rule records a
graph or writes a formula: numpy's `__array_ufunc__` idea, by which `ops` calls up without importing up.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ops.catalogue import ACCELERATED, COMPILED, MODULES, NEVER
from ops.errors import PrimitiveError as PrimitiveError
from ops.formula import ADD as ADD
from ops.formula import ATOM as ATOM
from ops.formula import COMPARE as COMPARE
from ops.formula import MUL as MUL
from ops.formula import NEG as NEG
from ops.formula import POW as POW
from ops.formula import Formula as Formula

Array = Any
"""A numpy array or numpy scalar; a rule also accepts Tensors and Symbols in its place."""

Rule = Callable[..., Any]
"""`(g, out, *inputs, **params)` to the cotangent of one input, or, as a joint rule, to `{input name: cotangent}`.

A rule may branch on shapes, and on whether an input is a Python number (that is part of the program), never on values.
"""

NOTHING: Mapping[str, Any] = MappingProxyType({})

NUMBERS = frozenset({int, float, bool})
"""The types of Python's own numbers, which promote weakly: float32 times 2.0 stays float32."""

_ELSEWHERE = {
    "dim": "axis",
    "keepdim": "keepdims",
    "dims": "axes",
    "min": "low",
    "max": "high",
    "a_min": "low",
    "a_max": "high",
    "shifts": "shift",
    "p": "ord",
    "alpha": "negative_slope",
    "attn_mask": "mask",
    "is_causal": "causal",
    "num_groups": "groups",
    "num_classes": "classes",
}
"""How PyTorch or numpy call what we call otherwise."""

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


class Primitive:
    """A declared operation: its kernel, its derivative rules, its formula, and the samples that test it. Frozen.

    (Not a dataclass: that module and what it generates would be a millisecond of every start.)

    >>> multiply = PRIMITIVES["mul"]
    >>> multiply(3.0, 4.0), multiply.inputs
    (12.0, ('x', 'y'))
    """

    # what help(tr.gelu), an editor and a notebook show
    __doc__: Any = _OfInstance(__doc__, lambda op: op.doc or None)
    __signature__: Any = _OfInstance(None, lambda op: op.signature())

    name: str
    inputs: tuple[str, ...]
    kernel: Callable[..., Any]
    vjps: Mapping[str, Rule]
    joint: Rule | None
    """One rule that returns the cotangents of several inputs at once; then `vjps` names those inputs."""
    variadic: bool
    """Whether the last input repeats; its rule gets `position`, counted from the first of them.

    A joint rule returns a list for it: one that knows all of them at once is not quadratic in their number.
    """
    elementwise: bool
    """Whether broadcasting is left to the engine: rules ignore it, and flows are summed to the shape of their input."""
    saves: tuple[Saved, ...]
    optional: Mapping[str, Any]
    """The inputs that may be left out, or given as None, with the Python number that then stands in: a bias of 0.0."""
    defaults: Mapping[str, Any]
    """The parameters with their defaults; `inspect.Parameter.empty` marks one that must be given."""
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
    pull: Callable[..., list[Any]] | None
    """What computes the cotangents of arrays in place of the rules, for a form that runs other kernels."""
    definition: Primitive
    """The operation that this is a form of: itself, unless other kernels run it."""
    rules: tuple[Rule | None, ...]
    """The rule of each declared input, in order; None where no derivative exists."""
    plain: bool
    """Whether there is one rule an input and nothing is saved: what the hot loop of the sweep runs without ado."""
    arity: int
    """How many arguments a call that needs no binding has; -1 if every call is bound."""
    standard: dict[str, Any]
    """The parameters of a call that gives none, shared by all such calls."""
    stand_ins: Mapping[int, tuple[Any, ...]]
    """Numbers of inputs that a call may have if it gives no parameters, with what stands in for the others."""
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
        derived = {
            "rules",
            "plain",
            "arity",
            "standard",
            "stand_ins",
            "fused",
            "least",
            "definition",
        }
        declared = {key: value for key, value in vars(self).items() if key not in derived}
        return Primitive(**{**declared, **changes})

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

    def bind(
        self, args: tuple[Any, ...], params: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort a call into inputs and parameters, as Python would for the declared signature."""
        first = len(self.inputs) - self.variadic
        inputs, extra = args[:first], args[first:]
        if self.variadic:
            one, *more = extra or ((),)
            if isinstance(one, (list, tuple)) and all(type(each) in NUMBERS for each in more):
                inputs, extra = (*inputs, *one), tuple(more)  # stack([x, y], 1)
            else:
                inputs, extra = args, ()
        if len(extra) > len(self.defaults):
            most = len(self.inputs) + len(self.defaults)
            raise PrimitiveError(f"{self.usage()} takes at most {most} arguments, not {len(args)}")
        given = dict(zip(self.defaults, extra, strict=False))
        twice = [name for name in (*self.inputs[: len(inputs)], *given) if name in params]
        if twice:
            raise PrimitiveError(f"{self.usage()} got {twice[0]} twice")
        params = {**given, **params}
        missing = self.inputs[len(inputs) : first]
        if missing:
            absent = [name for name in missing if name not in params and name not in self.optional]
            if absent:
                other = [name for name in params if name not in (*self.inputs, *self.defaults)]
                called = f", but got {', '.join(other)}" if other else ""
                raise PrimitiveError(f"{self.usage()} needs {', '.join(absent)}{called}")
            inputs = (*inputs, *(params.get(name) for name in missing))
            params = {name: value for name, value in params.items() if name not in missing}
        if self.optional:
            inputs = tuple(
                self.optional.get(name) if x is None else x
                for name, x in zip(self.inputs, inputs, strict=True)
            )
        for name in params:
            if name not in self.defaults:
                raise PrimitiveError(
                    f"{self.usage()} has no parameter {name!r}{self._cure(name, params[name])}"
                )
        complete = {**self.defaults, **params}
        for name, value in complete.items():
            if value is inspect.Parameter.empty:
                raise PrimitiveError(f"{self.usage()} needs {name}=")
            if type(value) is list:  # what is recorded must not change with the caller's list
                complete[name] = tuple(value)
            elif isinstance(value, np.generic):  # promotes as weakly as the number that it is
                complete[name] = value.item()
        return inputs, complete

    def _cure(self, name: str, value: Any) -> str:
        """What to try for a parameter that we have not: what we call it, or the name that is close to it."""
        from difflib import get_close_matches

        ours = _ELSEWHERE.get(name)
        known = (*self.inputs, *self.defaults)
        if ours not in known:
            ours = next(iter(get_close_matches(name, known, n=1, cutoff=0.8)), None)
        if ours is None:
            return ""
        plain = isinstance(value, (str, int, float, tuple)) or value is None
        return f"\n  try: {ours}={value!r}" if plain else f"\n  try: {ours}=…"

    def signature(self) -> inspect.Signature:
        """The call as Python's `inspect` describes it; a parameter without a default, and what follows, by name only.

        >>> PRIMITIVES["sum"].signature()
        <Signature (x, axis=None, keepdims=False)>
        """
        found = []
        kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
        for number, name in enumerate(self.inputs, 1):
            several = self.variadic and number == len(self.inputs)
            this = inspect.Parameter.VAR_POSITIONAL if several else kind
            default = self.optional.get(name, inspect.Parameter.empty)
            found.append(inspect.Parameter(name, this, default=default))
        for name, default in self.defaults.items():
            if self.variadic or default is inspect.Parameter.empty:
                kind = inspect.Parameter.KEYWORD_ONLY
            found.append(inspect.Parameter(name, kind, default=default))
        return inspect.Signature(found)

    def usage(self) -> str:
        """The call as a user would write it: `sum(x, axis=None, keepdims=False)`."""
        names = [
            f"{name}={self.optional[name]!r}" if name in self.optional else name
            for name in self.inputs
        ]
        if self.variadic:
            names[-1] = "*" + names[-1]
        params = [
            f"{name}=" if value is inspect.Parameter.empty else f"{name}={value!r}"
            for name, value in self.defaults.items()
        ]
        return f"{self.name}({', '.join(names + params)})"

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

    def rule_of(self, argument: int) -> Rule | None:
        """The rule for the argument of that number, None where the operation is not differentiable."""
        last = len(self.inputs) - 1
        return self.rules[min(argument, last) if self.variadic else argument]

    def differentiable(self, argument: int) -> bool:
        """Whether a derivative by the argument of that number is declared."""
        return self.rule_of(argument) is not None

    def samples(self, rng: np.random.Generator) -> list[Sample]:
        """The chosen arguments: a broadcast, a rank-0 value, the tails, the kink."""
        if self.sampler is None:
            return []
        return [s if isinstance(s, Sample) else Sample(s) for s in self.sampler(rng)]

    def pull_back(
        self,
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any] = NOTHING,
        saved: Mapping[str, Any] = NOTHING,
    ) -> list[Any]:
        """The cotangent of every wanted input, from the cotangent `g` of `out`; None for the others.

        flowᵢ = gᵀ ∂out/∂inputᵢ, summed to the shape of the input and cast to its dtype. Arrays or Tensors alike.
        """
        try:
            return self._flows(g, out, inputs, wanted, params, saved)
        except (RuntimeWarning, FloatingPointError):
            with np.errstate(all="ignore"):
                return self._flows(g, out, inputs, wanted, params, saved)

    def _flows(
        self,
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any],
        saved: Mapping[str, Any],
    ) -> list[Any]:
        if self.pull is not None and not hasattr(type(g), "__apply_primitive__"):
            return self.pull(g, out, inputs, wanted, params, saved)
        flows: list[Any] = [None] * len(inputs)
        if self.joint is not None:
            named = self.joint(g, out, *inputs, **params, **saved)
            found = [named.get(name) for name in self.inputs]
            if self.variadic:
                found[-1:] = found[-1] or ()
            for k, flow in enumerate(found):
                if wanted[k] and flow is not None:
                    flows[k] = fitted(flow, inputs[k], self.name)
            return flows
        for k, wants in enumerate(wanted):
            if not wants:
                continue
            rule = self.rules[k] if not self.variadic else self.rule_of(k)
            if rule is None:
                continue
            if self.variadic and k >= len(self.inputs) - 1:
                flow = rule(g, out, *inputs, position=k - len(self.inputs) + 1, **params, **saved)
            elif params or saved:
                flow = rule(g, out, *inputs, **params, **saved)
            else:
                flow = rule(g, out, *inputs)
            flows[k] = fitted(flow, inputs[k], self.name)
        return flows


def fitted(flow: Any, target: Any, name: str = "a primitive") -> Any:
    """The flow summed over the broadcast axes to the shape of its input, in the dtype of its input.

    Raises `PrimitiveError`, naming the primitive, if the shape of the flow is not one that the input broadcasts to.
    """
    if type(flow) is np.float64 and type(target) is np.float64:
        return flow
    if type(flow) in NUMBERS:
        flow = np.asarray(flow)[()]
    if flow.shape != target.shape:
        flow = _summed(flow, target.shape, name)
    if flow.dtype is not target.dtype and flow.dtype != target.dtype:
        flow = PRIMITIVES["astype"](flow, dtype=target.dtype.name)
    return flow


def _summed(flow: Any, shape: tuple[int, ...], name: str) -> Any:
    sum_to = PRIMITIVES["sum_to"]
    try:
        if type(flow) is np.ndarray:
            total = sum_to.kernel(flow, shape=shape)
            return total if total.ndim else total[()]
        return sum_to(flow, shape=shape)
    except ValueError as error:
        raise PrimitiveError(
            f"a rule of {name} returned shape {flow.shape} for an input of shape {shape}\n"
            f"  try: broadcast_to(..., shape=x.shape), or reshape"
        ) from error


class Table(dict[str, Primitive]):
    """Primitives by name. Asked for one that is not loaded yet, it loads it; looked through, it loads them all."""

    def __missing__(self, name: str) -> Primitive:
        if name in MODULES:
            importlib.import_module(MODULES[name])
            if dict.__contains__(self, name):
                return dict.__getitem__(self, name)
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """The primitive of that name, the default if there is none."""
        try:
            return self[name]
        except KeyError:
            return default

    def complete(self) -> None:
        """Load every family."""
        for module in dict.fromkeys(MODULES.values()):
            importlib.import_module(module)

    def __iter__(self) -> Iterator[str]:
        self.complete()
        return super().__iter__()

    def __len__(self) -> int:
        self.complete()
        return super().__len__()

    def keys(self) -> Any:
        """All names."""
        self.complete()
        return super().keys()

    def values(self) -> Any:
        """All primitives."""
        self.complete()
        return super().values()

    def items(self) -> Any:
        """All names with their primitives."""
        self.complete()
        return super().items()


PRIMITIVES = Table()
"""Every declared operation by name: the one table that kernels, help, formulas and tests walk."""


def declared(module: str, name: str, kernels: str) -> Primitive:
    """The primitive of that name, which that module declares. Raises `ImportError` or `KeyError` if it is not there."""
    importlib.import_module(module)
    return lookup(name, kernels)


def lookup(name: str, kernels: str = "numpy") -> Primitive:
    """The primitive of that name, in the form that runs those kernels. Raises `KeyError` if there is none."""
    op = PRIMITIVES[name]
    if kernels == "numpy":
        return op
    from ops.kernels.choice import form

    return form(op, kernels)
