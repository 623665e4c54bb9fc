"""What a gate says that stands for several operations: `f · c + i · g`, or a sign whose formula the caption gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tracer.diagrams.gates import gate_text
from tracer.diagrams.names import indexed_name, plain
from tracer.diagrams.over_time.timesteps import Block
from tracer.diagrams.picture import Run, Text
from tracer.errors import GradstepError
from tracer.formulas import value_symbol
from tracer.kinds import KINDS
from tracer.nodes import Node
from tracer.symbols import Style, Symbol, write
from tracer.traces import Trace

MOVING = frozenset(
    ("stack", "concatenate", "getitem", "reshape", "transpose", "squeeze", "expand_dims", "detach")
)
"""Operations that bring numbers elsewhere and compute none."""
AFFINE = frozenset(("add", "sub", "neg", "mul", "div", "matmul"))
PRODUCTS = frozenset(("mul", "matmul", "div"))
ACTIVATIONS = frozenset(
    ("tanh", "sigmoid", "relu", "gelu", "silu", "softplus", "leaky_relu", "elu")
)
"""Operations whose gate stands, as in textbooks, for themselves of a sum of weighted inputs."""
MOST_MEMBERS, LONGEST = 12, 34
"""A gate of more operations, or of a longer formula, is only marked as standing for several."""
_FIRST = 0xE000
"""Names stand in a formula as characters for private use until it is set, whatever is in them."""
_PRIVATE = re.compile("([\ue000-\uf8ff])")
PARAMETER = KINDS.index("parameter")


class Called(NamedTuple):
    """What an input is called in a formula: its name, and how it is indexed, if it is another one in each step."""

    name: str
    ago: int | None = None
    """How many steps ago it was made."""
    step: str = ""
    """The step where that is always the same."""


class GateWords(NamedTuple):
    """The characters on a gate, and its formula for all steps where they do not give it."""

    symbol: Text
    formula: Text = ()
    tip: str = ""


def words_of(trace: Trace, block: Block, name_of: Callable[[int], Called]) -> GateWords:
    """What the gate of a block says."""
    sign = gate_text(trace, block.gate)
    ops = [trace.ops[trace.op_of[i]].name for i in block.members]
    computing = [name for name in ops if name not in MOVING]
    if len(computing) > 1 and set(computing) <= {"add"}:
        return GateWords((Run("Σ", size=18),))
    if len(computing) < 2 or set(computing) == {"add", "sum"}:
        return GateWords(sign)
    raw, names = _formula(trace, block, name_of)
    if not raw:
        return GateWords(_and_more(sign))
    short, full = _set(raw, names, 12, full=False), _set(raw, names, 11, full=True)
    tip = "".join(run.text for run in short)
    if computing[-1] in ACTIVATIONS and _is_affine(trace, block.members[:-1]):
        return GateWords(sign, full, tip)
    if len(tip) <= LONGEST:
        return GateWords(short, (), tip)
    return GateWords(_and_more(sign), full, tip)


def _and_more(sign: Text) -> Text:
    return (*(Run(run.text, run.role, min(run.size, 14)) for run in sign), Run(" (…)", size=12))


def _is_affine(trace: Trace, members: Sequence[int]) -> bool:
    """Whether these operations weigh and add: of two factors only one is not a parameter."""
    varying: set[int] = set()
    for i in members:
        name = trace.ops[trace.op_of[i]].name
        inputs = [j for j in trace.inputs_of(i) if j >= 0]
        changing = [j for j in inputs if j in varying or trace.kind_of[j] != PARAMETER]
        if name not in AFFINE | MOVING or (name in PRODUCTS and len(changing) > 1):
            return False
        varying |= {i} if changing else set()
    return True


def _formula(
    trace: Trace, block: Block, name_of: Callable[[int], Called]
) -> tuple[str, dict[str, Called]]:
    """The formula of a block with a character for each input; empty where it is too long or unknown."""
    names: dict[str, Called] = {}
    letters: dict[int, str] = {}

    def naming(node: Node) -> Symbol:
        if node.index in members:
            return value_symbol(node, naming)
        if node.index not in letters:
            letter = chr(_FIRST + len(letters))
            letters[node.index], names[letter] = letter, name_of(node.index)
        return Symbol(node.form, letters[node.index], letters[node.index])

    members = frozenset(block.members)
    if len(members) > MOST_MEMBERS:
        return "", {}
    try:
        raw = write(value_symbol(trace[block.root], naming), Style())
    except GradstepError:
        return "", {}
    return _with_sigma(raw), names


def _with_sigma(formula: str) -> str:
    """A sum over everything with its sign: `sum(x²)` as `Σ x²`.

    >>> _with_sigma("sum(x · y)"), _with_sigma("sum(x − y)"), _with_sigma("sum(x) + sum(y)")
    ('Σ x · y', 'Σ (x − y)', 'sum(x) + sum(y)')
    """
    if not formula.startswith("sum(") or not formula.endswith(")"):
        return formula
    inner, depth, terms = formula[4:-1], 0, False
    for k, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        terms |= depth == 0 and inner[k : k + 3] in (" + ", " − ")
        if depth < 0:
            return formula
    return f"Σ ({inner})" if terms else f"Σ {inner}"


def _set(raw: str, names: dict[str, Called], size: float, *, full: bool) -> Text:
    """A formula with its names put in: with the index of each step, or only where it is not that of the gate."""
    runs: list[Run] = []
    for piece in _PRIVATE.split(raw.replace(" * ", " · ")):
        called = names.get(piece)
        if called is None:
            runs += [Run(plain(piece), size=size)] if piece else []
            continue
        index = called.step
        if called.ago is not None:
            index = "t" if full and not called.ago else ""
            index = f"t−{called.ago}" if called.ago > 0 else index or ""
            index = f"t+{-called.ago}" if called.ago < 0 else index
        runs += indexed_name(called.name, index, size=size)
    return tuple(runs)
