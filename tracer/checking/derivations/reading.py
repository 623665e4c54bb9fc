"""A hand derivation as text: statements of plain Python, read without running anything.

Gradients may be written as in lectures: `dL/dx`, `∂L/∂x`, `x.grad`, `dL_dx` or `dx` all mean the gradient of x, and
`h#3` is the third value of that name. Assignments, loops, conditions and one `def` around them are let through, and
nothing else, so a derivation cannot reach out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import dedent

from tracer.errors import DerivationError

from .depth import refuse_depth, too_deep
from .rewriting import rewritten

LONGEST = 100_000
"""Characters of a derivation; nobody writes more by hand."""
REPEAT = "ǀ"
"""Stands for the # of `h#3` inside Python's names: a letter that nobody types."""

_LOSSES = "L|loss|Loss|J|E|ℓ"
_ROWS = re.compile(r"\r\n|\r|\n")
"""What ends a line for Python; str.splitlines knows more."""
_REWRITTEN = (
    (
        re.compile(
            r"^[ \t]*(?:```\w*|%(?:matplotlib|load_ext|autoreload|config)\b.*)$", re.MULTILINE
        ),
        "",
    ),
    (re.compile(r"^([ \t]*)>>> ?", re.MULTILINE), r"\1"),
    (re.compile(rf"(?:\bd|∂)(?:{_LOSSES})\s*/\s*(?:d|∂)(?=\w)"), "dL_d"),
    (re.compile(r"∂(?=\w)"), "d"),
    (re.compile(r"(?<=\w)#(?=\d)"), REPEAT),
    (re.compile(r"(?<![\w.)\]])(?!np\.|numpy\.)([^\W\d]\w*)\.grad\b"), r"dL_d\1"),
    (re.compile("σ²"), "sigma2"),
)


@dataclass(frozen=True, eq=False)
class Line:
    """One assignment of a derivation: the name it gives a value to, and the expression."""

    number: int
    text: str
    target: str
    expression: ast.expr
    """Of `dx += y` it is `dx + y`."""
    judged: bool = False
    """Judged although a later line gives the same gradient: a step of a chain a = b = c."""
    step: int | None = None
    """The time step that a formula for any step was written out for, as the derivation counts."""
    name: str = ""
    """What its row is called, if not by its target: dL_dh, of which there is one for each time step."""
    misfit: str = ""
    """Why a formula cannot be computed, where its shapes do not fit."""

    def error(self, reason: str, cure: str) -> DerivationError:
        """A complaint about this line, in the user's words."""
        return DerivationError(f"line {self.number}: {reason}\n  {short(self.text)}\n  try: {cure}")


@dataclass(frozen=True, eq=False)
class Program:
    """The statements of a derivation, as Python's syntax trees, and its text."""

    body: tuple[ast.stmt, ...]
    written: tuple[str, ...] = field(repr=False)
    """The text, line by line."""
    given: tuple[str, ...] = ()
    """The parameters of the function around the lines."""
    outside: frozenset[str] = frozenset()
    """Names that are made elsewhere, in ways that are not read: `hs: ...`. They mean what was recorded, or nothing."""
    notes: tuple[str, ...] = ()
    lines: Mapping[int, Line] = field(default_factory=dict, repr=False)
    """The lines that the statements were made of, by identity, where the text is no Python."""

    def text(self, statement: ast.stmt) -> str:
        """A statement as written; of a loop or condition its head."""
        if id(statement) in self.lines:
            return self.lines[id(statement)].text
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        if isinstance(statement, (ast.For, ast.While, ast.If, ast.FunctionDef)):
            last = max(statement.body[0].lineno - 1, first)
        return " ".join(part.strip() for part in self.written[first - 1 : last])

    def error(self, statement: ast.stmt, reason: str, cure: str) -> DerivationError:
        """A complaint about a statement, in the user's words."""
        text = short(self.text(statement))
        return DerivationError(f"line {statement.lineno}: {reason}\n  {text}\n  try: {cure}")

    def assignments(self) -> Iterator[ast.Assign | ast.AugAssign]:
        """All assignments, those in loops too, in the order of the text."""
        for statement in self.statements():
            if isinstance(statement, (ast.Assign, ast.AugAssign)):
                yield statement

    def statements(self) -> Iterator[ast.stmt]:
        """All statements, those in loops too, in the order of the text."""
        waiting = list(reversed(self.body))
        while waiting:
            statement = waiting.pop()
            yield statement
            inner = [*getattr(statement, "body", ()), *getattr(statement, "orelse", ())]
            waiting += reversed(inner)


def spoken(name: str) -> str:
    """A name as the user wrote it."""
    return name.replace(REPEAT, "#")


def short(text: str) -> str:
    """A line as it is shown: cut where it is too long for a screen."""
    return text if len(text) <= 100 else text[:99] + "…"


def of_lines(lines: Sequence[Line]) -> Program:
    """The program that consists of assignments alone, such as a derivation in LaTeX."""
    body, known = [], {}
    for line in lines:
        statement = ast.Assign([ast.Name(line.target, ast.Store())], line.expression)
        statement.lineno = statement.end_lineno = line.number
        known[id(statement)] = line
        body.append(statement)
    return Program(tuple(body), (), lines=known)


def read(text: str) -> Program:
    """The statements of a derivation. Comments, empty lines and `import numpy as np` are passed over.

    Raises `DerivationError` with the line's number for whatever a derivation cannot say.

    >>> [ast.unparse(statement) for statement in read("dL/dx = dL/dy * w   # the chain rule").body]
    ['dL_dx = dL_dy * w']
    """
    if len(text) > LONGEST:
        raise DerivationError(
            f"a derivation of {len(text)} characters is too long\n  try: at most {LONGEST} characters"
        )
    source = dedent(text.removeprefix("\ufeff")).expandtabs()
    written = tuple(_ROWS.split(source))
    prepared = source
    for pattern, instead in _REWRITTEN:
        prepared = pattern.sub(instead, prepared)
    try:
        body = ast.parse(prepared).body
    except SyntaxError as error:
        raise _misread(error, written, prepared) from None
    except (ValueError, RecursionError, MemoryError):
        raise too_deep(1 + written.index(max(written, key=len)), written) from None
    refuse_depth(body, written)
    body, tables = rewritten(body)
    outside = frozenset(filter(None, map(_declared, body)))
    for name in sorted(tables & outside):
        raise DerivationError(
            f"{name} is made outside of the derivation, where nothing is read\n"
            f"  try: the names of recorded values in the place of {name}['...']"
        )
    said = [each for each in body if not _says_nothing(each) and not _declared(each)]
    given: tuple[str, ...] = ()
    functions = [each for each in said if isinstance(each, ast.FunctionDef)]
    if len(functions) == 1:
        (function,) = functions
        arguments = function.args
        given = tuple(
            a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        )
        at = said.index(function)
        said[at : at + 1] = [each for each in function.body if not _says_nothing(each)]
    program = Program(tuple(said), written, given, outside, _notes(tables))
    for statement in program.statements():
        _refuse(program, statement, within=bool(functions))
        _refuse_own_functions(program, statement, outside | {each.name for each in functions})
    return program


def _notes(tables: Collection[str]) -> tuple[str, ...]:
    """What is said of dictionaries whose entries stand for recorded values."""
    return tuple(f"{name}['x'] was read as the recorded x, and so on" for name in sorted(tables))


def _declared(statement: ast.stmt) -> str:
    """The name in `hs: ...`, which is made elsewhere; else empty."""
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), value=None):
            return name
    return ""


def _refuse_own_functions(program: Program, statement: ast.stmt, own: Collection[str]) -> None:
    """Complain about a call of a function that is written elsewhere: that of the same name in numpy may be another."""
    for part in ast.walk(statement):
        match part:
            case ast.Call(func=ast.Name(id=name)) if name in own:
                raise program.error(
                    statement,
                    f"{name} is a function of its own, and only the lines of the derivation are read",
                    f"the formula of {name}, written out",
                )


def _misread(error: SyntaxError, written: Sequence[str], prepared: str) -> DerivationError:
    """The complaint about what is not Python: the line, a caret below the place, and the reason."""
    number = min(error.lineno or 1, len(written) or 1)
    line = written[number - 1] if written else ""
    text, cut = short(line.strip()), len(line) - len(line.lstrip())
    caret = ""
    same = _ROWS.split(prepared)[number - 1 : number] == [line]
    if error.offset and same and 0 < error.offset - cut <= len(text) + 1:
        caret = f"\n  {' ' * (error.offset - 1 - cut)}^"
    cure = "lines such as  dw = dy * x"
    if "=" in line and re.search(r"\\(?:frac|partial|gamma|mu|sum|hat|sigma)", line):
        cure = "a derivation all in LaTeX, or all in Python"
    return DerivationError(
        f"line {number}: this is not Python: {error.msg}\n  {text}{caret}\n  try: {cure}"
    )


def _says_nothing(statement: ast.stmt) -> bool:
    """Whether a statement has no part in the derivation: words in quotes, `import numpy`, `pass`, print, assert."""
    match statement:
        case ast.Import(names=names):
            return all(each.name == "numpy" and each.asname in (None, "np") for each in names)
        case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return True
    return False


_OTHERWISE: tuple[tuple[tuple[type[ast.stmt], ...], str, str], ...] = (
    ((ast.Import, ast.ImportFrom), "nothing can be imported but numpy", "import numpy as np, or leave it out"),
    ((ast.FunctionDef, ast.AsyncFunctionDef), "a derivation is at most one function", "its lines, without the def"),
    ((ast.ClassDef,), "a derivation has no classes", "its lines alone"),
    ((ast.Global, ast.Nonlocal), "a derivation has no global state", "a name of its own"),
    ((ast.Try, ast.With, ast.Raise), "this has no part in a derivation", "the lines of the gradient alone"),
    ((ast.Delete,), "nothing is deleted in a derivation", "leave the line out"),
)  # fmt: skip


def _refuse(program: Program, statement: ast.stmt, *, within: bool) -> None:
    """Complain about a statement that a derivation cannot hold."""
    match statement:
        case ast.Assign(targets=targets) if all(map(_assignable, targets)):
            return
        case ast.AnnAssign(target=ast.Name(), value=ast.expr()):
            return
        case ast.AugAssign(target=target) if _assignable(target):
            return
        case ast.For(target=target, orelse=[]) if _assignable(target):
            return
        case ast.While(orelse=[]) | ast.If() | ast.Break() | ast.Continue():
            return
        case ast.Return() if within:
            return
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="append"), args=[_])
        ):
            return
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="at"), args=[ast.Name(), _, _])):
            return
    if _says_nothing(statement):
        return
    for kinds, reason, cure in _OTHERWISE:
        if isinstance(statement, kinds):
            raise program.error(statement, reason, cure)
    raise program.error(
        statement,
        "a derivation is made of lines `name = expression`, loops and conditions",
        "one line for each gradient, such as  dw = dy * x",
    )


def _assignable(target: ast.expr) -> bool:
    """Whether a derivation may assign to it: a name, an element of a named array, a tuple of these."""
    match target:
        case ast.Name() | ast.Subscript(value=ast.Name()):
            return True
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(map(_assignable, parts))
    return False
