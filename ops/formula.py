"""How an operation is written, as text and as TeX: templates over the names of its inputs."""

from __future__ import annotations

from typing import NamedTuple

COMPARE, ADD, NEG, MUL, POW, ATOM = range(6)
"""How strongly a formula binds: an operand that binds less than its place asks for is put in brackets."""


class Formula(NamedTuple):
    """How an operation is written: templates over its inputs, its binding strength, and what each operand must bind."""

    text: str
    tex: str
    binding: int = ATOM
    needs: tuple[int, ...] = ()
    """Least binding strength of each input in `text`; an input beyond the end may bind as weakly as it likes."""
    tex_needs: tuple[int, ...] | None = None
    """The same for `tex`, where a fraction bar or a superscript needs no brackets; `needs` if not given."""
    symbol: str = ""
    """What a round gate shows in a circuit diagram, such as × or σ; the primitive's name if empty."""


def infix(text: str, tex: str, binding: int, *, needs: tuple[int, int]) -> Formula:
    """The formula of a two-operand operator, such as `infix("+", "+", ADD, needs=(ADD, MUL))`."""
    return Formula(f"{{x}} {text} {{y}}", f"{{x}} {tex} {{y}}", binding, needs, symbol=text)


def call(text: str, tex: str, *, symbol: str = "") -> Formula:
    """The formula of a named function of one input, such as `call("tanh", r"\\tanh")`."""
    return Formula(f"{text}({{x}})", _literally(tex) + r"\left({x}\right)", symbol=symbol or text)


def _literally(tex: str) -> str:
    """TeX with its braces doubled, so that a template leaves them alone."""
    return tex.replace("{", "{{").replace("}", "}}")


def call_formula(label: str, inputs: tuple[str, ...], variadic: bool) -> Formula:
    """The formula of an operation that declares none: its name and inputs, `cube(x)`."""
    names = ", ".join("{" + key + "}" for key in inputs)
    tex = _literally(rf"\operatorname{{{label}}}".replace("_", r"\_"))
    return Formula(f"{label}({names})", rf"{tex}\left({names}\right)", symbol=label)
