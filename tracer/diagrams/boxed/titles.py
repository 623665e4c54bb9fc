"""What a box is called: the title of a card, the name in an outline, what a folded scope holds and shows."""

from __future__ import annotations

from tracer import format as short
from tracer.diagrams.boxed.copies import Box
from tracer.diagrams.frames import Part
from tracer.diagrams.gates import gate_text
from tracer.diagrams.moments import SMALL, Moment
from tracer.diagrams.names import LONGEST, formula_text, name_text, plain
from tracer.diagrams.picture import Run, Text
from tracer.formulas import formula
from tracer.nodes import Node


def card_title(part: Part, moment: Moment, i: int) -> Text:
    """`name = formula` for a named operation, the bare formula for an unnamed one, the name of a leaf."""
    node = moment.trace[i]
    leaf = not part.draws_operation(i) and (node.name or node.is_leaf)
    name = label_text(moment, i, node.kind if leaf else "", size=14, bold=True)
    if leaf:
        return name
    right = formula_text(_right_hand_side(moment, i))
    return (*name, Run(" = "), *right) if name else right


def label_text(
    moment: Moment, i: int, nameless: str, *, size: float, bold: bool = False, italic: bool = False
) -> Text:
    """The name of a node, with its number small behind it if there are several of that name."""
    node = moment.trace[i]
    own = _own_name(node) if node.name else nameless
    if not own:
        return ()
    repeated = bool(node.name) and node.label.startswith(f"{node.name}#")
    number = node.label[len(node.name) :] if repeated else ""
    role = moment.name_role(i)
    text = name_text(own.removesuffix(number), role=role, size=size, bold=bold, italic=italic)
    return (*text, Run(number, "quiet", SMALL)) if number else text


def _right_hand_side(moment: Moment, i: int) -> str:
    """The formula with `…` for the inputs that have no name: what the arrows bring. Its shape tells `keepdims`."""
    node = moment.trace[i]
    written = formula(node) or f"{gate_text(moment.trace, i)[0].text}(…)"
    inputs = [source for source in node.inputs if isinstance(source, Node)]
    for source in inputs:
        short_label = _own_name(source) if source.name else "…"
        if short_label != source.label:
            written = written.replace(source.label, short_label)
    if written == "…" or written in {_own_name(source) for source in inputs}:
        written = f"{node.op_name}({written})"  # what only rearranges its input
    return written.replace(", keepdims=True", "")


def _own_name(node: Node) -> str:
    """A node's label; of a module's parameter the last part of its dotted name: the frames around it say the rest."""
    last = node.label.rpartition(".")[2]
    return last if node.kind in ("parameter", "buffer") and last.isidentifier() else node.label


def folded_title(box: Box) -> Text:
    """The name of a folded scope, and how many blocks it stands for: `layer[k=1…11] × 11`."""
    title = (Run(plain(box.name, longest=LONGEST), size=14, bold=True),)
    return (*title, Run(f"  × {box.blocks}", "quiet", 14, bold=True)) if box.blocks > 1 else title


def operations(moment: Moment, box: Box) -> str:
    """How many operations a folded scope holds: `12 ops`."""
    count = sum(int(moment.trace.op_of[i]) >= 0 for i in box.nodes)
    return f"{count:,} op{'s' if count != 1 else ''}"


def output_text(moment: Moment, box: Box) -> str:
    """What the numbers of a folded scope are: those of its output, of the last of its blocks."""
    node = moment.trace[box.face]
    name = (
        f" {plain(node.label, longest=LONGEST)}"
        if node.name
        else " of the last"
        if box.blocks > 1
        else ""
    )
    which = "output" if box.outputs == 1 else f"last of {box.outputs} outputs:"
    return f"{which}{name}" + (f", {short.shape(node.shape)}" if node.shape else "")
