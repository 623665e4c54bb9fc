"""What a box is called: the title of a card, the name in an outline, what a folded scope holds and shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from tracer import format as short
from tracer.diagrams.boxed.copies import Box
from tracer.diagrams.frames import Part
from tracer.diagrams.gates import gate_text
from tracer.diagrams.moments import SMALL, Moment
from tracer.diagrams.names import LONGEST, formula_text, name_text, plain
from tracer.diagrams.picture import Run, Text
from tracer.formulas import formula
from tracer.nodes import Node
from tracer.traces import Trace


def card_title(part: Part, moment: Moment, i: int) -> Text:
    """`name = formula` for a named operation, the bare formula for an unnamed one, the name of a leaf."""
    node = moment.trace[i]
    leaf = not part.draws_operation(i) and (node.name or node.is_leaf)
    name = label_text(moment, i, node.kind if leaf else "", size=14, bold=True)
    if leaf:
        return name
    right = formula_text(_right_hand_side(moment.trace, i))
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
    return (*text, Run(number, "quiet", SMALL, lowered=True)) if number else text


def naming(part: Part) -> Callable[[int], str]:
    """What cards call each node, in plain characters: its name without the scopes, or else its formula."""
    return lambda i: called(part.trace, i)


def called(trace: Trace, i: int) -> str:
    """The name of node i without the scopes that the frames say, or else the formula that is the title of its card.

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, 2.0], name="x")
    >>> called(tr.trace(tr.sum(x * x)), 1)
    'x · x'
    """
    node = trace[i]
    if node.name or node.is_leaf:
        return plain(_own_name(node))
    return plain(_right_hand_side(trace, i).replace(" * ", " · "))


def in_own_words(trace: Trace, written: str, nodes: Iterable[int]) -> str:
    """A formula in which nodes without a name are called as their cards are: `x @ W` for `matmul@3`."""
    named = {}
    for i in nodes:
        if not trace.names[i] and trace.op_of[i] >= 0:
            words = called(trace, i)
            named[trace.labels[i]] = f"({words})" if " " in words else words
    return _replaced(written, named)


def _replaced(written: str, words: Mapping[str, str]) -> str:
    """With other words for whole labels: never for a part of a longer one, such as `sin@2` of `sin@26`."""
    if not words:
        return written
    longest = sorted(words, key=len, reverse=True)
    pattern = "|".join(rf"(?<![\w.@#]){re.escape(label)}(?!\d|\.\w)" for label in longest)
    return re.sub(pattern, lambda found: words[found[0]], written)


def _right_hand_side(trace: Trace, i: int) -> str:
    """The formula with `…` for the inputs that have no name: what the arrows bring. Its shape tells `keepdims`."""
    node = trace[i]
    written = formula(node) or f"{gate_text(trace, i)[0].text}(…)"
    inputs = [source for source in node.inputs if isinstance(source, Node)]
    written = _replaced(
        written, {source.label: _own_name(source) if source.name else "…" for source in inputs}
    )
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
