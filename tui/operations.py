"""The operations as users look for them: what there is, by family, and what one computes on its first sample."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from ops import PRIMITIVES, Primitive
from ops.catalogue import ACCELERATED, COMPILED, PUBLIC
from ops.primitive import Sample
from tracer import formulas, lettering
from tracer.freezing import freeze
from tui.scripts import UsageError


class Entry(NamedTuple):
    """Something to look up: a primitive, a function made of others, or a function that calls its primitive."""

    name: str
    module: str
    """The module that declares it: its family."""
    op: Primitive | None
    function: Callable[..., Any] | None
    """What users call, where that is no primitive."""

    @property
    def family(self) -> str:
        """The module without its package: `gating`."""
        return self.module.rpartition(".")[2]

    @property
    def doc(self) -> str:
        """The help of what users call."""
        if self.function is not None:
            return inspect.getdoc(self.function) or ""
        return self.op.doc if self.op is not None else ""

    @property
    def usage(self) -> str:
        """The call as a user writes it."""
        if self.function is not None:
            return f"tr.{self.name}{_bare(inspect.signature(self.function))}"
        call = self.op.usage().partition("(")[2] if self.op is not None else ")"
        return f"{'tr.' if hasattr(tr, self.name) else ''}{self.name}({call}"


def _bare(signature: inspect.Signature) -> inspect.Signature:
    """The names and defaults of a signature: types are in the help."""
    empty = inspect.Parameter.empty
    bare = [each.replace(annotation=empty) for each in signature.parameters.values()]
    return signature.replace(parameters=bare, return_annotation=empty)


def entries() -> dict[str, Entry]:
    """Everything that can be looked up, by name: the families in the order in which they are declared."""
    found = [Entry(op.name, _module(op.home), op, _function(op.name)) for op in PRIMITIVES.values()]
    for name, module in PUBLIC.items():
        if name not in PRIMITIVES:
            offered = getattr(tr, name)
            alias = offered if isinstance(offered, Primitive) else None
            found.append(Entry(name, module, alias, _function(name)))
    place = {module: k for k, module in enumerate(dict.fromkeys(each.module for each in found))}
    return {each.name: each for each in sorted(found, key=lambda each: place[each.module])}


def _module(home: str) -> str:
    return home.partition(".<")[0].rpartition(".")[0]


def _function(name: str) -> Callable[..., Any] | None:
    """What `tr` offers under a name, if it is a function and no primitive."""
    found = getattr(tr, name, None)
    return found if inspect.isfunction(found) else None


def chosen(name: str | None = None, family: str | None = None) -> list[Entry]:
    """What fits a name or a pattern such as `log*`, in one family or in all.

    A word that names a family and no operation stands for the family. Raises `UsageError`, with the closest names, if
    there is nothing.
    """
    everything = entries()
    families = list(dict.fromkeys(each.family for each in everything.values()))
    if family is None and name in families and name not in everything:
        name, family = None, name
    if family is not None and family not in families:
        raise UsageError(f"no family {family!r} of operations{closest(family, families)}")
    found = [
        each
        for each in everything.values()
        if family in (None, each.family) and fnmatchcase(each.name, name or "*")
    ]
    if not found:
        assert name is not None
        raise UsageError(f"no operation {name!r}{closest(name, [*everything, *families])}")
    return found


def closest(name: str, names: Sequence[str]) -> str:
    """A question with the closest names, or where to look."""
    close = [each for each in names if each.lower() == name.lower()]
    close = close or difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.65)
    return (
        f": did you mean {' or '.join(close)}?"
        if close
        else "\n  try: gradstep ops, which lists them"
    )


# ----- what an operation does, read from its declaration


def compiled_from(op: Primitive) -> int:
    """From how many elements Numba's kernels run if the choice is free; 0 if never."""
    if op.name in ACCELERATED:
        return ACCELERATED[op.name].least
    found = COMPILED.get(op.name) if op.elementwise else None
    return found.flows if found else 0


def formula_of(op: Primitive) -> str:
    """The formula of an operation with the names of its inputs."""
    node = example(op)
    return formulas.formula(node) if node is not None else op.usage()


@lru_cache(maxsize=1024)
def example(op: Primitive) -> tr.Node | None:
    """The operation recorded on its first sample, its inputs named as it names them; None if it has no samples."""
    samples = op.samples(np.random.default_rng(0))
    if op.elementwise:  # without broadcasting, whose sums would stand in the formulas
        samples.sort(key=lambda one: len({np.shape(x) for x in one.args}))
    return recorded(op, samples[0]) if samples else None


def recorded(op: Primitive, sample: Sample) -> tr.Node:
    """The node of one call, named `out` as in the rules."""
    args = [argument(op, k, value, len(sample.args)) for k, value in enumerate(sample.args)]
    with tr.kernels("numpy"):
        out = op(*args, **sample.params)
    trace = freeze(out, np.ones(out.shape)[()])
    names = {**trace.given_names, trace.loss: "out"}
    # our own source is no place to look for names in: it would be parsed for every operation
    trace = replace(trace, given_names=names, sources={})
    return trace[trace.loss]


def argument(op: Primitive, number: int, value: Any, count: int) -> tr.Tensor:
    """A leaf with the name of an input; the inputs of a variadic operation are numbered."""
    last = len(op.inputs) - 1
    repeats = op.variadic and number >= last and count > last + 1
    name = f"{op.inputs[last]}{number - last}" if repeats else op.inputs[min(number, last)]
    return tr.tensor(value, name=lettering.text_name(name))


@lru_cache(maxsize=1024)
def second_order(op: Primitive) -> str:
    """`✓` if the gradient depends on an input again, `0` if it does not, `—` without a gradient.

    Found by differentiating twice, on the first sample.
    """
    node = example(op)
    if node is None or not any(op.rules):
        return "—"
    given = [getattr(x, "value", x) for x in node.inputs]
    xs = [tr.tensor(x) if _is_float(x) else x for x in given]
    floats = [x for x in xs if isinstance(x, tr.Tensor)]
    try:
        out = op(*xs, **node.params)
        first = tr.grad(tr.sum(out * out.value), floats, create_graph=True)
    except tr.errors.GradientError:
        return "—"
    return "✓" if any(x.tracked and _reached(x, floats) for x in first) else "0"


def _reached(first: Any, floats: Sequence[Any]) -> bool:
    """Whether a gradient depends on one of the inputs."""
    total = tr.sum(first * np.arange(1.0, first.size + 1).reshape(first.shape))
    for x in floats:
        try:
            if np.any(tr.grad(total, x)):
                return True
        except tr.errors.GradientError:
            continue
    return False


def _is_float(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") == "f"
