"""Names as letters: what a rule calls gamma is γ in a formula, and a label is a symbol with indices in TeX."""

from __future__ import annotations

import re

from tracer.tex import SIGNS, tex_text

_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi pi rho sigma tau phi chi psi omega"
).split()
GREEK_LETTERS = dict(zip(_GREEK, "αβγδεζηθικλμνξπρστφχψω", strict=True)) | {"eps": "ε", "Phi": "Φ"}


def text_name(name: str) -> str:
    """A rule's own name in letters: gamma becomes γ, x_hat becomes x̂; for locals and arguments, not for users' names.

    >>> text_name("gamma"), text_name("g_hat"), text_name("ties")
    ('γ', 'ĝ', 'ties')
    """
    if name.endswith("_hat") and len(name) == 5:
        return name[0] + "\u0302" if name[0] != "g" else "ĝ"
    return GREEK_LETTERS.get(name, name)


def tex_name(label: str) -> str:
    r"""A label as TeX maths: w0 becomes w_{0}, gamma \gamma, xhat \hat{x}, h#3 h^{(3)}, mul@7 v_{7}; never a command.

    >>> tex_name("w0"), tex_name("x_hat"), tex_name("h#3"), tex_name("mul@7"), tex_name("loss")
    ('w_{0}', '\\hat{x}', 'h^{(3)}', 'v_{7}', '\\mathrm{loss}')
    >>> tex_name("inv_std"), tex_name("yhat"), tex_name("50% \\input")
    ('\\mathrm{inv\\_std}', '\\hat{y}', '\\text{50\\% \\textbackslash{}input}')
    """
    head, at, number = label.rpartition("@")
    if at and head.isidentifier() and number.isdecimal():
        return f"v_{{{int(number)}}}"
    head, many, number = label.rpartition("#")
    repeated = bool(many) and number.isdecimal()
    body, index = stem_and_index(head if repeated else label)
    return body + _lowered(index) + (f"^{{({int(number)})}}" if repeated else "")


def stem_and_index(name: str) -> tuple[str, str]:
    r"""A name in TeX maths, and what stands below it: a number, or some letters behind an underscore.

    >>> stem_and_index("W_hh"), stem_and_index("x2"), stem_and_index("sigma"), stem_and_index("mean_x")
    (('W', 'hh'), ('x', '2'), ('\\sigma', ''), ('\\mathrm{mean\\_x}', ''))
    >>> stem_and_index("Wx"), stem_and_index("W_out_2")
    (('W', 'x'), ('W', '\\mathrm{out},2'))
    """
    found = _INDEXED.fullmatch(name) if name not in _WORDS_IN_HAT else None
    weight = _WEIGHT.fullmatch(name)
    if weight is not None:
        return weight[1], ",".join(filter(None, weight.groups()[1:]))
    several = _SEVERAL.fullmatch(name)
    if found is None and several is not None and (len(several[1]) == 1 or several[1] in _GREEK):
        stem = stem_and_index(several[1])[0]
        parts = several[2].strip("_").split("_")
        return stem, ",".join(part if part.isdecimal() else rf"\mathrm{{{part}}}" for part in parts)
    if found is None:
        return (
            rf"\mathrm{{{tex_text(name)}}}"
            if _WORD.fullmatch(name)
            else rf"\text{{{tex_text(name)}}}"
        ), ""
    stem, hat, index = found[1], found[2], found[3] or found[4] or ""
    greek = stem in _GREEK or stem in _CAPITALS or stem in ("eps", "ell") or not stem.isascii()
    if found[4] and len(stem) > 1 and not greek:
        return rf"\mathrm{{{tex_text(name)}}}", ""  # a word and a word are one name
    if not stem.isascii():
        body = SIGNS[stem].strip("$")
    elif greek:
        body = r"\varepsilon" if stem in ("eps", "epsilon") else f"\\{stem}"
    else:
        body = stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
    return (rf"\hat{{{body}}}" if hat else body), index


_CAPITALS = frozenset("Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split())
_INDEXED = re.compile(
    r"([A-Za-z]+?|[αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ])(_hat|(?<=^[A-Za-z])hat)?(?:_?(\d{1,6})|_([A-Za-z]{1,3}))?_?"
)
_WEIGHT = re.compile(r"([WUV])([a-z]{1,2})(\d{1,3})?")
"""A matrix and what it reads, without an underscore: Wx is W_x."""
_SEVERAL = re.compile(r"([A-Za-z]+)((?:_(?:[A-Za-z]{1,8}\d{0,2}|\d{1,6})){1,3})_?")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_WORDS_IN_HAT = frozenset(("that", "what", "chat"))


def _lowered(index: str) -> str:
    return f"_{{{index}}}" if index else ""
