"""The gallery and the table of operations as text: what `gradstep gallery` and `gradstep ops` print."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import tracer as tr
from gallery import GALLERY, Entry, compare
from ops import PRIMITIVES, Primitive
from ops.primitive import Sample
from tracer import formulas, lettering
from tracer.format import shape
from tracer.freezing import freeze
from tracer.replay import parts_trace
from tui.scripts import UsageError
from tui.text import fit, grid

LINE = 100


# ----- the gallery


def gallery_list(columns: int = LINE) -> str:
    """Every network of the gallery with its caption, numbered; captions are wrapped between words."""
    wide = max(map(len, GALLERY))
    after = " " * (wide + 7)
    return "\n".join(
        textwrap.fill(
            entry.caption,
            max(columns, len(after) + 20),
            initial_indent=f"{number:>3}  {entry.name:<{wide}}  ",
            subsequent_indent=after,
        )
        for number, entry in enumerate(GALLERY.values(), start=1)
    )


def find_entry(name: str) -> Entry:
    """The entry of that name or number. Raises `UsageError` with the closest names."""
    if name.isdigit() and 0 < int(name) <= len(GALLERY):
        return list(GALLERY.values())[int(name) - 1]
    if name in GALLERY:
        return GALLERY[name]
    raise UsageError(f"no network {name!r} in the gallery{closest(name, list(GALLERY))}")


def closest(name: str, names: Sequence[str]) -> str:
    """A question with the closest names, or all of them."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f": did you mean {' or '.join(close)}?"
    return f"\n  there are: {', '.join(names)}"


def entry_page(entry: Entry) -> str:
    """One network: caption, source, its published numbers beside ours, its derivation, and what to type next."""
    blocks = [f"{entry.name}\n{filled(entry.caption)}\nfrom {entry.source}"]
    if entry.note:
        blocks.append(filled("note: " + entry.note))
    rows = compare(entry, tr.trace(entry.build()))
    if rows:
        cells = [
            (r.node, r.what, r.printed, r.recorded, "✓" if r.agrees else "✗ differs") for r in rows
        ]
        blocks.append(grid([("node", "what", "published", "recorded", ""), *cells]))
    if entry.derivation:
        blocks.append(
            "derivation by hand, for gradstep verify:\n"
            + textwrap.indent(entry.derivation.rstrip(), "  ")
        )
    blocks.append(
        f"gradstep open {entry.name}    gradstep diagram {entry.name} -o {entry.name.replace(':', '_')}.svg"
    )
    return "\n\n".join(blocks)


# ----- the operations


def ops_list() -> str:
    """Every primitive: its formula, the inputs it has a derivative for, and the first sentence of its help."""
    rows = [("operation", "formula", "differentiable by", "")]
    for op in PRIMITIVES.values():
        inputs = [name for name in op.inputs if name in op.vjps]
        rows.append(
            (
                op.name,
                fit(formula_of(op), 34),
                ", ".join(inputs) or "—",
                fit(first_sentence(op), 70),
            )
        )
    return grid(rows)


def first_sentence(op: Primitive) -> str:
    """The first line of the help of an operation."""
    return op.doc.split("\n", 1)[0]


def find_op(name: str) -> Primitive:
    """The primitive of that name. Raises `UsageError` with the closest names."""
    if name in PRIMITIVES:
        return PRIMITIVES[name]
    close = difflib.get_close_matches(name, PRIMITIVES, n=3, cutoff=0.6)
    question = (
        f": did you mean {' or '.join(close)}?"
        if close
        else "\n  try: gradstep ops, which lists them"
    )
    raise UsageError(f"no operation {name!r}{question}")


def op_page(op: Primitive) -> str:
    """One primitive: its call, its formula, its local derivatives, its help, its parts, how many samples test it."""
    samples = op.samples(np.random.default_rng(0))
    lines = [f"tr.{op.usage()}", "", f"  {formula_of(op)}{shapes_of(op)}"]
    lines += [f"  {line}" for line in derivatives(op)]
    lines += ["", op.doc]
    parts = parts_of(op)
    if parts:
        lines += ["", filled(f"opens into its parts: {', '.join(parts)}")]
    lines += [
        "",
        f"{len(samples)} sample{'' if len(samples) == 1 else 's'} test its value and its derivatives",
    ]
    return "\n".join(lines)


def derivatives(op: Primitive) -> list[str]:
    """The local derivative by each input, as a formula: `∂/∂x  y`, or the linear map of a cotangent `g ↦ g @ yᵀ`."""
    node = example(op)
    if node is None:
        return []
    lines = []
    for k, name in enumerate(node.argument_names):
        if not op.differentiable(k):
            lines.append(f"∂/∂{name}: no derivative")
        elif node.trace.inputs_of(node.index)[k] >= 0:
            lines.append(f"∂/∂{name}: {formulas.local_derivative(node, k)}")
    return lines


def shapes_of(op: Primitive) -> str:
    """The shapes for which the formulas of the page are written: counts such as N stand in them as numbers."""
    node = example(op)
    leaves = [leaf for leaf in node.trace if leaf.is_leaf] if node is not None else []
    return (
        "    with " + ", ".join(f"{leaf.label} {shape(leaf.shape)}" for leaf in leaves)
        if leaves
        else ""
    )


def formula_of(op: Primitive) -> str:
    """The formula of an operation with the names of its inputs."""
    node = example(op)
    return formulas.formula(node) if node is not None else op.usage()


def example(op: Primitive) -> tr.Node | None:
    """The operation recorded on its first sample, its inputs named as it names them; None if it has no samples."""
    samples = op.samples(np.random.default_rng(0))
    if op.elementwise:  # without broadcasting, whose sums would stand in the formulas
        samples.sort(key=lambda one: len({np.shape(x) for x in one.args}))
    return recorded(op, samples[0]) if samples else None


def recorded(op: Primitive, sample: Sample) -> tr.Node:
    """The node of one call, named `out` as in the rules."""
    args = [argument(op, k, value, len(sample.args)) for k, value in enumerate(sample.args)]
    out = op(*args, **sample.params)
    trace = freeze(out, np.ones(out.shape)[()])
    trace = replace(trace, given_names={**trace.given_names, trace.loss: "out"})
    return trace[trace.loss]


def argument(op: Primitive, number: int, value: Any, count: int) -> tr.Tensor:
    """A leaf with the name of an input; the inputs of a variadic operation are numbered."""
    last = len(op.inputs) - 1
    repeats = op.variadic and number >= last and count > last + 1
    name = f"{op.inputs[last]}{number - last}" if repeats else op.inputs[min(number, last)]
    return tr.tensor(value, name=lettering.text_name(name))


def parts_of(op: Primitive) -> list[str]:
    """The names of the smaller operations that a fused one opens into, in order."""
    node = example(op) if op.parts is not None else None
    if node is None:
        return []
    parts = parts_trace(node.trace, node.index)
    return [part.op_name for part in parts if not part.is_leaf]


# ----- text


def filled(text: str) -> str:
    """A paragraph of lines that fit a page."""
    return "\n".join(textwrap.wrap(text, LINE))
