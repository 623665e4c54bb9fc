"""The equations of a document as formulas: chains taken apart, formulas for any time step written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracer.checking.derivations.reading import short
from tracer.checking.derivations.refusals import RefusedError
from tracer.errors import DerivationError

from .document import Equation
from .lexicon import COLUMNS, LOSSES, ROWS, Lexicon, canonical
from .parser import parse
from .pieces import FUNCTIONS
from .tokens import UnreadableError
from .tree import Call, Gradient, Node, Number, Power, Sum, Symbol, index_of, parts


@dataclass(frozen=True, eq=False)
class Item:
    """An equation, or one time step of one."""

    equation: Equation
    left: Node
    right: Node
    steps: dict[str, int]
    spans: dict[str, tuple[int, int]]
    """The letters that count time steps, and the first and last step of each."""


def complaint_of(text: str, refused: RefusedError, equation: Equation | None) -> DerivationError:
    """What cannot be read, with its line, the piece of text, and one thing to try."""
    at = refused.at if isinstance(refused, UnreadableError) else None
    number = at.line if at is not None else equation.number if equation is not None else 1
    written = text.splitlines()
    said = equation.text if equation is not None else " ".join(written[number - 1 : number]).strip()
    place = ""
    if at is not None and at.end:
        piece = " ".join(text[at.start : at.start + 40].split("\n")[0].split())
        place = f" (at  {piece})" if piece and piece not in refused.reason and piece != said else ""
    return DerivationError(
        f"line {number}: {refused.reason}{place}\n  {short(said)}\n  try: {refused.cure}"
    )


def announced_by(found: Sequence[Equation]) -> frozenset[str]:
    """What the left sides define, as far as that can be seen before they are read."""
    words = set()
    for equation in found:
        try:
            left = _symbol(parse(equation.left, lambda name: False))
        except RefusedError:
            continue
        if left is not None and not isinstance(left, Gradient):
            words.add(canonical(left.base + left.label))
    return frozenset(words)


def _symbol(left: Node) -> Symbol | Gradient | None:
    """What the left side of an equation gives a value to."""
    if isinstance(left, (Symbol, Gradient)):
        return left
    if (
        isinstance(left, Power)
        and isinstance(left.base, Symbol)
        and isinstance(left.exponent, Number)
    ):
        return replace(left.base, base=f"{left.base.base}^{left.exponent.value}")
    return None


def items_of(text: str, found: Sequence[Equation], lexicon: Lexicon) -> list[Item]:
    """The equations as formulas, each for each of its time steps."""
    read: list[Item] = []
    for equation in found:
        try:
            left, right = parse(equation.left, lexicon.knows), parse(equation.right, lexicon.knows)
            if isinstance(left, Call) and left.name in FUNCTIONS.values():
                continue  # σ(z) = 1 / (1 + e^{-z}): everybody knows
            target = _symbol(left)
            if target is None:
                if equation.inline:
                    continue
                raise UnreadableError(
                    "the left side must be a gradient or a name",
                    r"\frac{\partial L}{\partial x} = ...",
                    left.at,
                )
        except UnreadableError as refused:
            if equation.inline and not claims(equation):
                continue
            raise complaint_of(text, refused, equation) from None
        read.append(Item(equation, target, right, {}, {}))
    read = [replace(item, spans=_spans(item.left, item.right, lexicon)) for item in _chained(read)]
    lexicon.offset = _offset(read, lexicon)
    lexicon.hints = _hints(read)
    return _unrolled(read, lexicon)


def _chained(items: Sequence[Item]) -> list[Item]:
    """The steps of chains: `δ = ∂L/∂z = ...` gives the gradient, and δ its name.

    Steps in which the derivative of something other than the loss stands say nothing that could be computed.
    """
    chains: list[list[Item]] = []
    for item in items:
        if item.equation.step and chains:
            chains[-1].append(item)
        else:
            chains.append([item])
    found: list[Item] = []
    for chain in chains:
        told = [item for item in chain if not _is_local(item.right)] if len(chain) > 1 else chain
        gradient = next((item.right for item in told if isinstance(item.right, Gradient)), None)
        for item in told or chain:
            renamed = (
                gradient is not None
                and not isinstance(item.left, Gradient)
                and item.right is not gradient
            )
            found.append(replace(item, left=gradient) if renamed and gradient is not None else item)
    return found


def _is_local(node: Node) -> bool:
    """Whether a formula holds a derivative of something other than the loss."""
    return any(
        isinstance(p, Gradient) and p.loss is not None and p.loss.base not in LOSSES
        for p in parts(node)
    )


def _spans(left: Node, right: Node, lexicon: Lexicon) -> dict[str, tuple[int, int]]:
    """The letters that count time steps in an equation, and the first and last step of each."""
    found: dict[str, tuple[int, int]] = {}
    letters = set()
    for part in (*parts(left), *parts(right)):
        symbol = part.of if isinstance(part, Gradient) else part
        if not isinstance(symbol, Symbol):
            continue
        letters |= {index.name for index in symbol.indices[:1]}
        under = lexicon.families_under(symbol)
        if under is not None:
            letter, family = under
            first, last = lexicon.span(family)
            known = found.get(letter, (first, last))
            found[letter] = (min(first, known[0]), max(last, known[1]))
    every = {lexicon.span(family) for family in lexicon.names.families.values()}
    if "t" in letters and "t" not in found and len(every) == 1:
        found["t"] = every.pop()
    return found


def claims(equation: Equation) -> bool:
    """Whether the left side speaks of a gradient."""
    return any(token.is_("\\partial", "\\nabla", "\\delta") for token in equation.left)


def _hints(items: Sequence[Item]) -> dict[str, str]:
    """Which axis lone indices count: n the batch, k the classes, others by the limits of the sums over them."""
    found = {"n": "first", "k": "last"}
    for item in items:
        for part in parts(item.right):
            end = index_of(part.upper) if isinstance(part, Sum) else None
            if isinstance(part, Sum) and end is not None and end.name in ROWS | COLUMNS:
                found |= dict.fromkeys(part.letters, "first" if end.name in ROWS else "last")
    return found


def _offset(items: Sequence[Item], lexicon: Lexicon) -> int:
    """What to add to the time steps of the text: it may count from 1 what the network counts from 0."""
    lowest = [
        int(index.name)
        for item in items
        for part in parts(item.right)
        if isinstance(part, Sum)
        and part.letters[0] in item.spans
        and (index := index_of(part.lower)) is not None
        and index.name.isdecimal()
        and len(index.name) < 9
    ]
    firsts = {first for item in items for first, _ in item.spans.values()}
    if not lowest or len(firsts) != 1 or min(lowest) not in (0, 1):
        return 0
    return firsts.pop() - min(lowest)


def _unrolled(items: Sequence[Item], lexicon: Lexicon) -> list[Item]:
    """The equations with those for any time step t written out, last step first; neighbours step by step."""
    found: list[Item] = []
    block: list[tuple[Item, str]] = []

    def written_out() -> None:
        ends = [item.spans[letter] for item, letter in block]
        for step in range(
            max((last for _, last in ends), default=0),
            min((first for first, _ in ends), default=1) - 1,
            -1,
        ):
            for item, letter in block:
                first, last = item.spans[letter]
                if first <= step <= last:
                    found.append(replace(item, steps={letter: step}))
        block.clear()

    for item in items:
        target = item.left.of if isinstance(item.left, Gradient) else item.left
        assert isinstance(target, Symbol)
        letter = next((i.name for i in target.indices[:1] if i.name in item.spans), "")
        if letter:
            first, last = item.spans[letter]
            shift = target.indices[0].shift
            lexicon.spans.setdefault(key_of(item), (first + shift, last + shift))
            block.append((item, letter))
        else:
            written_out()
            found.append(item)
    written_out()
    return found


def target_of(item: Item) -> Symbol:
    """The symbol on the left side."""
    target = item.left.of if isinstance(item.left, Gradient) else item.left
    assert isinstance(target, Symbol)
    return target


def key_of(item: Item) -> str:
    """The name under which the lexicon keeps what an equation defines, if it is nothing recorded."""
    prefix = "grad " if isinstance(item.left, Gradient) else ""
    return canonical(prefix + target_of(item).base + target_of(item).label)
