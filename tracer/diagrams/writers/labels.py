"""What stands on a shape of a Mermaid flowchart: its outline, the class of its colours, and its escaped label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from tracer.diagrams.names import text_of
from tracer.diagrams.picture import Caption, Card, Gate, Shape, Text, Wire

_SUBSCRIPTS = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_KEPT = frozenset(" ,()=@/'!?^[]")
"""ASCII signs that mean nothing inside a quoted label; all others are written by their number."""
_ONLY_WITHIN = (re.compile(r"(?<=\S )[+-](?=\s)"), re.compile(r"(?<=[^\W_])[+-](?=[^\W_])"))
"""Signs that make a list or a rule of a line that begins with them."""
_ADDRESS = re.compile(r"@[\w-]+\.")
_LINK = re.compile(r"\]\s*[(\[]")
"""What Markdown would make a link of."""
_DECIMAL = re.compile(r"(?<=\d)\.(?=\d)")


OUTLINES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"box": ("[", "]"), "round": ("((", "))"), "pill": ("([", "])"), "card": ("(", ")")}
)
"""What opens and closes the label of each kind of shape."""


def outline(shape: Shape) -> str:
    """Which of the outlines a shape has."""
    if isinstance(shape, Gate):
        return "round" if len(text_of(shape.symbol)) <= 4 else "pill"
    return "card" if isinstance(shape, Card) else "box"


def class_of(shape: Shape) -> str:
    """The class of the flowchart that colours a shape."""
    if isinstance(shape, Gate | Card) and shape.current:
        return "current"
    if isinstance(shape, Gate):
        return "ahead" if shape.ahead else "gate"
    if isinstance(shape, Caption):
        return "words"
    role = shape.role if isinstance(shape, Wire | Card) else "ink"
    names = (
        shape.name if isinstance(shape, Wire) else shape.title if isinstance(shape, Card) else ()
    )
    if role == "ahead":
        return "ahead"
    if role == "parameter" or any(run.role == "parameter" for run in names):
        return "parameter"
    return "wire" if isinstance(shape, Wire) else "gate"


def lines_of(shape: Shape) -> list[str]:
    """The lines of a shape's label."""
    if isinstance(shape, Gate):
        return [one_line(shape.symbol)]
    if isinstance(shape, Caption):
        return [one_line(shape.text)] if shape.text else []
    if isinstance(shape, Card):
        head = "  ".join(filter(None, (one_line(shape.title), one_line(shape.note))))
        return [head, *filter(None, map(one_line, shape.rows))]
    assert isinstance(shape, Wire)
    lines = [" = ".join(filter(None, map(one_line, (shape.name, shape.value))))]
    return [line for line in (*lines, said_of(shape.gradient)) if line]


def said_of(text: Text) -> str:
    """A text, a gradient with the sign in front that its colour stands for in other formats."""
    said = one_line(text)
    gradient = any(run.role == "gradient" for run in text) and not said.startswith("∂")
    return f"∂ {said}" if gradient else said


def one_line(text: Text) -> str:
    """A text as one line; a subscript of digits keeps its place."""
    return "".join(
        run.text.translate(_SUBSCRIPTS) if run.lowered and run.text.isdecimal() else run.text
        for run in text
    ).strip()


def label_text(text: str) -> str:
    """Text inside a quoted label: signs that could mean something, in Mermaid or in Markdown, by their number.

    >>> label_text('x_0 = −2.50'), label_text('"<b>#1'), label_text("1. end"), label_text("matmul@3 + h[t=1]")
    ('x#95;0 = −2.50', '#34;#60;b#62;#35;1', '1#46; end', 'matmul@3 + h[t=1]')
    """
    text = visible(text).replace("\\", "\\\u2060")  # or Mermaid would break the line at \\n
    kept = {found.start() for found in _DECIMAL.finditer(text)}
    for signs in _ONLY_WITHIN:
        kept.update(found.start() for found in signs.finditer(text))
    address = _ADDRESS.search(text) is not None
    link = _LINK.search(text) is not None
    return "".join(
        f"#{ord(c)};"
        if c.isascii()
        and not c.isalnum()
        and (
            (c not in _KEPT and place not in kept) or (address and c == "@") or (link and c in "[]")
        )
        else c
        for place, c in enumerate(text)
    )


def visible(text: str) -> str:
    """Text on one line, with `�` for what neither prints nor joins letters."""
    return "".join(c if c.isprintable() or c in _JOINERS else "�" for c in text)


_JOINERS = "\u200c\u200d"
