"""Names as letters: what a rule calls gamma is γ in a formula, and a label is a symbol with indices in TeX."""

from __future__ import annotations

import re

_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi pi rho sigma tau phi chi psi omega"
).split()
_GREEK_LETTERS = dict(zip(_GREEK, "αβγδεζηθικλμνξπρστφχψω", strict=True)) | {"eps": "ε"}


def text_name(name: str) -> str:
    """A rule's own name in letters: gamma becomes γ, x_hat becomes x̂; for locals and arguments, not for users' names.

    >>> text_name("gamma"), text_name("g_hat"), text_name("ties")
    ('γ', 'ĝ', 'ties')
    """
    if name.endswith("_hat") and len(name) == 5:
        return name[0] + "\u0302" if name[0] != "g" else "ĝ"
    return _GREEK_LETTERS.get(name, name)


def tex_name(label: str) -> str:
    r"""A label as TeX: w0 becomes w_{0}, gamma \gamma, x_hat \hat{x}, h#3 h^{(3)}, mul@7 v_{7}.

    >>> tex_name("w0"), tex_name("x_hat"), tex_name("h#3"), tex_name("mul@7"), tex_name("loss")
    ('w_{0}', '\\hat{x}', 'h^{(3)}', 'v_{7}', '\\mathrm{loss}')
    """
    head, at, number = label.rpartition("@")
    if at:
        return f"v_{{{number}}}"
    head, many, number = label.partition("#")
    power = f"^{{({number})}}" if many else ""
    hat = head.endswith("_hat")
    head = head.removesuffix("_hat")
    found = re.fullmatch(r"([A-Za-z]+?)_?(\d+|[A-Za-z]{1,3})?", head)
    body, index = (found.group(1), found.group(2)) if found else (head, None)
    if index and not index.isdigit() and "_" not in head:
        body, index = head, None
    if body in _GREEK_LETTERS:
        body = "\\varepsilon" if body == "eps" else f"\\{body}"
    elif len(body) > 1:
        body = rf"\mathrm{{{_escaped(body)}}}"
    if hat:
        body = rf"\hat{{{body}}}"
    return body + (f"_{{{index}}}" if index else "") + power


def _escaped(text: str) -> str:
    return re.sub(r"([_#%&$])", r"\\\1", text)
