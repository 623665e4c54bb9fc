"""Words of the LaTeX subset: which commands are letters, functions, accents and relations; and how indices are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .signs import GREEK
from .tokens import Token, UnreadableError
from .tree import Index

LETTERS: Mapping[str, str] = {name: name for name in GREEK} | {
    "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho", "varsigma": "sigma", "ell": "ell",
    "hbar": "h", "L": "L",
}  # fmt: skip
"""Commands that are letters, and the letter."""
ACCENTS: Mapping[str, str] = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot", "check": "check",
}  # fmt: skip
FUNCTIONS: Mapping[str, str] = {
    "exp": "exp", "log": "log", "ln": "log", "sin": "sin", "cos": "cos", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "sqrt": "sqrt", "abs": "abs", "sign": "sign", "sgn": "sign", "relu": "relu", "ReLU": "relu",
    "sigmoid": "sigmoid", "sigm": "sigmoid", "logistic": "sigmoid", "softmax": "softmax", "Softmax": "softmax",
    "softplus": "softplus", "gelu": "gelu", "GELU": "gelu", "elu": "elu", "ELU": "elu", "silu": "silu", "erf": "erf",
    "diag": "diag", "Diag": "diag", "max": "maximum", "min": "minimum", "tr": "trace", "Tr": "trace", "sum": "sum",
    "mean": "mean", "lrelu": "leaky_relu", "arctan": "arctan",
    "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "sech": "sech", "csch": "csch", "coth": "coth",
    "arcsin": "arcsin", "arccos": "arccos", "arsinh": "arcsinh", "arcosh": "arccosh", "artanh": "arctanh",
    "arcsinh": "arcsinh", "arccosh": "arccosh", "arctanh": "arctanh",
}  # fmt: skip
"""Functions by the names that slides give them, as the calculator calls them."""
STAND_INS = frozenset("f g phi psi varphi sigma".split())
"""Letters that stand for a function where a bracket follows."""
RELATIONS: Mapping[str, str] = {
    "<": "<", ">": ">", "=": "==", "\\lt": "<", "\\gt": ">", "\\le": "<=", "\\leq": "<=", "\\leqslant": "<=",
    "\\ge": ">=", "\\geq": ">=", "\\geqslant": ">=", "\\ne": "!=", "\\neq": "!=",
}  # fmt: skip
BRACKETS: Mapping[str, str] = {"(": ")", "[": "]", "\\{": "\\}", "{": "}"}
BARS: Mapping[str, str] = {
    "\\lvert": "\\rvert", "\\lVert": "\\rVert", "|": "|", "\\vert": "\\vert", "\\|": "\\|", "\\Vert": "\\Vert",
}  # fmt: skip
MOST_INDICES = 8
"""Indices at one symbol; a word in maths letters is no more either."""
TRANSPOSES = frozenset(("T", "top", "intercal", "tran", "transpose", "mathsf T"))
JOINING: Mapping[str, str] = {"\\cdot": "dot", "*": "dot", "\\times": "times", "/": "/"}
ELEMENTWISE = ("\\odot", "\\circ", "\\ast", "\\otimes", "\\star", "\\bullet")


def spelled(token: Token) -> str:
    """A token as the user wrote it."""
    return f"\\{token.text}" if token.kind == "command" else token.text


def indices(tokens: Sequence[Token]) -> tuple[Index, ...]:
    """The indices that stand below a symbol: `ij` are two, `t-1` and `t-1,i` are one and two, words are one.

    Raises `UnreadableError` for anything else.

    >>> from .tokens import tokenize
    >>> indices(tokenize("t-1,i")), indices(tokenize(r"\\mathcal{B}"))
    ((Index(name='t', shift=-1), Index(name='i', shift=0)), (Index(name='B', shift=0),))
    """
    found: list[Index] = []
    fresh, sign = True, 0
    for token in tokens:
        joins = bool(found) and not fresh and token.kind == "digit" and token.tight
        if token.is_("{", "}", "(", ")", "\\langle", "\\rangle", "<", ">", "[", "]"):
            continue
        if token.is_(","):
            fresh, sign = True, 0
        elif token.is_("+", "-") and found and not sign:
            sign = 1 if token.text == "+" else -1
        elif sign and token.kind == "digit":
            last = found.pop()
            found.append(Index(last.name, last.shift * 10 + sign * int(token.text)))
            if abs(found[-1].shift) > 999:
                raise UnreadableError("an index is too far", "t-1 or t+1", token)
        elif joins and not sign and found[-1].name.isdecimal():
            found[-1] = Index(found[-1].name + token.text)
        elif token.kind in ("letter", "digit", "word") and not (sign and found[-1].shift == 0):
            found.append(Index(token.text))
            fresh, sign = False, 0
        elif token.kind == "command" and token.text in LETTERS:
            found.append(Index(LETTERS[token.text]))
            fresh, sign = False, 0
        elif token.is_("\\cdot", ":", "*"):
            found.append(Index(":"))
        else:
            raise UnreadableError(
                f"{spelled(token)} cannot be read in an index",
                "letters, words, numbers, t-1",
                token,
            )
    if len(found) > MOST_INDICES:
        raise UnreadableError(f"more than {MOST_INDICES} indices", "fewer axes", tokens[0])
    return tuple(found)
