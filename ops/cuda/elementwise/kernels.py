"""Kernels of elementwise operations, written from their own rules when they are first asked for."""

from __future__ import annotations

import hashlib
import linecache
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ops.cuda.elementwise.code import flat, strided
from ops.cuda.elementwise.text import Body, Load, Source, Store
from ops.cuda.elementwise.tiles import columns, rows
from ops.cuda.elementwise.trials import Tried, partial_trials, trials_of
from ops.cuda.elementwise.writer import KernelWriter
from ops.cuda.kernel import Kernel, Launch
from ops.kernels.loops import flows_of
from ops.kernels.reading import Term
from ops.primitive import NOTHING, Primitive


class Operand(NamedTuple):
    """An input as a kernel sees it."""

    kind: str
    """As in `ops.cuda.elementwise.broadcasting`, or `True` or `False`: Python's, which are part of the text."""
    type: str = "T"
    """`T`, `i8` or `b1`."""
    asked: bool = False
    """Whether an integer is only asked whether it is 0."""

    @property
    def label(self) -> str:
        """A letter or two of the name of the kernel."""
        kind = {"True": "1", "False": "0"}.get(self.kind, self.kind)
        return kind + ("a" if self.asked else {"T": "", "i8": "i", "b1": "b"}[self.type])


class Form(NamedTuple):
    """What the text of a kernel depends on, besides the operation and its parameters."""

    walk: str
    """`flat`, `columns`, `rows` or `strided`: the function that writes the text."""
    operands: tuple[Operand, ...]
    wanted: tuple[bool, ...] | None = None
    """Which flows it computes; None: the value."""
    integers: bool = False
    axes: int = 0
    """Of a strided walk."""

    @property
    def label(self) -> str:
        """The end of the name of the kernel."""
        between = "_" if self.axes else ""
        label = between.join(operand.label for operand in self.operands)
        if self.wanted is None:
            return f"value_{label}"
        return f"flows_{label}_" + "".join(str(k) for k, wants in enumerate(self.wanted) if wants)


class Made(NamedTuple):
    """A kernel, and what it takes and gives, in the order of its arguments."""

    kernel: Kernel
    loads: tuple[int | str, ...]
    """The inputs by number, and `g` and `out`: no others are used."""
    stores: tuple[int, ...]
    """The inputs whose flows it gives, by number; of a value, one 0."""
    type: str
    """Of what it gives."""


WALKS: Mapping[str, Callable[[Body, str], Source]] = MappingProxyType(
    {"flat": flat, "columns": columns, "rows": rows}
)

OPTIONS: Mapping[str, Mapping[str, int]] = {
    "flat": {},
    "columns": {"lanes": 256, "width": 32},
    "rows": {"lanes": 256, "width": 32},
    "strided": {"width": 32},
}
"""What each is built with; the widths and lanes follow from the shape."""

_MADE: dict[Any, Made | None] = {}


def made(op: Primitive, form: Form, params: Mapping[str, Any] = NOTHING) -> Made | None:
    """The kernel of an operation in a form; None if its rule has no scalar form.

    >>> from ops import PRIMITIVES
    >>> kernel = made(PRIMITIVES["mul"], Form("columns", (Operand("f"), Operand("r")), (True, True))).kernel
    >>> kernel.name, kernel.arguments
    ('mul_flows_fr_01', 'i8 i8 i8 T[:,:] T[:,:] T[:] T[:,:] T[:,:]')
    """
    # parameters by their spelling: 0.5 and numpy's 0.5, or 0.0 and -0.0, are equal and give other results
    key = (op, form, repr(sorted(params.items())) if params else "")
    if key not in _MADE:
        try:
            _MADE[key] = _made(op, form, params)
        except (
            Exception
        ):  # a rule that branches, or that only arrays can run; a user's may raise anything
            _MADE[key] = None
    return _MADE[key]


def _made(op: Primitive, form: Form, params: Mapping[str, Any]) -> Made:
    body, loads, stores = _body(op, form, params)
    what = "value" if form.wanted is None else "flows"
    name = f"{op.name}_{form.label}{_params_label(op, params)}"
    doc = f"The {what} of {op.name}, written by Gradstep from its declaration."
    source = (
        strided(body, form.axes, doc) if form.walk == "strided" else WALKS[form.walk](body, doc)
    )
    if not op.home.startswith("ops."):  # it may be declared again, and then is another
        name += f"_{hashlib.sha256(source.text.encode()).hexdigest()[:8]}"
    kernel = Kernel(
        name,
        "elementwise",
        build_of(name, source.text),
        source.arguments,
        trials_of(Tried(op, form, params, loads, stores)),
        ulps=max(ULPS[store.kind] for store in body.stores),
        launches=LAUNCHES,
        options=OPTIONS[form.walk],
        doc=doc,
    )
    return Made(kernel, loads, stores, body.stores[0].type)


ULPS = {"f": 8, "r": 16, "c": 16, "n": 64}
"""Of an element, and of a sum over rows, columns or all: its terms may cancel."""

LAUNCHES = (Launch(1, 32), Launch(3, 32), Launch(2, 64))
"""Few threads: each of them costs the interpreter time, and there are many such kernels."""


def build_of(name: str, text: str) -> Callable[..., Callable[..., None]]:
    """The function `build` of a generated module, whose source `inspect` finds."""
    file = f"<gradstep {name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(compile(text, file, "exec"), namespace)
    build: Callable[..., Callable[..., None]] = namespace["build"]
    return build


def _params_label(op: Primitive, params: Mapping[str, Any]) -> str:
    """The parameters that are not the usual ones, for the name of a kernel: readable, and different if they are."""
    found = [(k, x) for k, x in sorted(params.items()) if repr(x) != repr(op.defaults.get(k))]
    if not found:
        return ""
    words = "_".join(f"{k}_{x}" for k, x in found)
    label = re.sub(r"\W", lambda sign: {".": "p", "-": "m"}.get(sign[0], "_"), words)
    plain = re.fullmatch(r"[\w.-]*", words) is not None
    return (
        f"_{label}" if plain else f"_{label}_{hashlib.sha256(repr(found).encode()).hexdigest()[:8]}"
    )


_OWN = frozenset(
    "T cuda math threads lanes width height zero one size start k rest above rows columns splits tiles "
    "thread item split first last left top lane row column offset at g out kernel build".split()
)
"""The names that a kernel gives to what is not an operand."""


def _array_name(name: str) -> str:
    """The name of an operand as an argument of a kernel: its own, unless the kernel means something else by it."""
    taken = name in _OWN or re.fullmatch(
        r"(?:[tcikv]|size)_?\d+(?:_\d+)?|(?:v|flow|total|sums|at)_.*", name
    )
    return f"{name}_" if taken else name


def _body(
    op: Primitive, form: Form, params: Mapping[str, Any]
) -> tuple[Body, tuple[int | str, ...], tuple[int, ...]]:
    """What a kernel does with one element, and the numbers of what it takes and gives."""
    writer = KernelWriter(integers=form.integers)
    around = (writer.term("v_g"), writer.term("v_out"))
    args = [_argument(writer, name, x) for name, x in zip(op.inputs, form.operands, strict=True)]
    if form.wanted is None:
        found = writer.apply(op, tuple(args), params)
        truth = isinstance(found, Term) and found.truth
        type = "b1" if truth else "i8" if form.integers else "T"
        value = found.name if truth else writer.named(found)
        stores = {0: Store("out", "f", value, type)}
    else:
        flows = flows_of(op, *around, args, form.wanted, params)
        stores = {
            k: Store(f"flow_{op.inputs[k]}", _summed(form, k), writer.named(flow))
            for k, flow in flows.items()
        }
    loads: dict[int | str, Load] = {
        name: Load(name, f"v_{name}", "f", "T") for name in ("g", "out")
    }
    for k, (name, x) in enumerate(zip(op.inputs, form.operands, strict=True)):
        loads[k] = Load(_array_name(name), f"v_{name}", x.kind, x.type, _form(form, x))
    used = set(
        re.findall(r"\w+", " ".join([*writer.lines, *(store.value for store in stores.values())]))
    )
    loads = {key: load for key, load in loads.items() if load.scalar in used}
    body = Body(
        tuple(loads.values()),
        tuple(writer.lines),
        tuple(stores.values()),
        writer.constants,
        form.integers,
    )
    return body, tuple(loads), tuple(stores)


def _argument(writer: KernelWriter, name: str, operand: Operand) -> Any:
    if operand.kind in ("True", "False"):
        return operand.kind == "True"
    return writer.term(f"v_{name}", truth=operand.type == "b1" or operand.asked)


def _form(form: Form, operand: Operand) -> str:
    """How an element of an operand becomes a scalar of the rule."""
    if operand.asked:
        return "{} != 0"
    return "T({})" if operand.type == "i8" and not form.integers else "{}"


def _summed(form: Form, k: int) -> str:
    """To which kind the flow of an operand is summed in the same pass."""
    kind = form.operands[k].kind
    return kind if form.walk in ("columns", "rows") else "f"


def add_partials() -> Kernel:
    """The kernel `(splits, columns, 1, partials, out)` that adds partial sums, (splits, columns) to (1, columns)."""
    body = Body(
        (Load("partials", "v_partials", "f", "T"),), (), (Store("out", "r", "v_partials"),), {}
    )
    doc = "The sum of what several blocks contributed, in their order."
    source = columns(body, doc)
    return Kernel(
        "add_partials",
        "elementwise",
        build_of("add_partials", source.text),
        source.arguments,
        partial_trials,
        launches=LAUNCHES,
        options=OPTIONS["columns"],
        doc=doc,
    )


ADD_PARTIALS = add_partials()
