"""Where in the user's source a node was made, and the name of the variable it was assigned to.

A node keeps only its code object and instruction offset. Lines, columns and names are worked out when someone looks.
"""

from __future__ import annotations

import ast
import dis
import hashlib
import linecache
import warnings
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import CodeType

Span = tuple[int, int, int, int]
"""First line, last line, first column, last column."""


@dataclass(frozen=True)
class Place:
    """A stretch of source: lines from 1, columns from 0 as Python's `ast` counts them (in UTF-8 bytes)."""

    file: str
    line: int
    end_line: int
    column: int
    end_column: int
    function: str = ""

    @property
    def span(self) -> Span:
        """The place within its file."""
        return self.line, self.end_line, self.column, self.end_column

    @property
    def text(self) -> str:
        """The first line of the place, without its indentation."""
        return linecache.getline(self.file, self.line).strip()


@dataclass(frozen=True)
class SourceFile:
    """The text of a source file as it was when the trace was frozen, so that a later edit cannot mislabel it."""

    text: str
    sha256: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines, without line ends."""
        return tuple(self.text.splitlines())

    @cached_property
    def tree(self) -> ast.AST:
        """The syntax tree; an empty one for what is no Python."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.Module(body=[], type_ignores=[])

    @cached_property
    def assignments(self) -> Mapping[Span, str]:
        """The name that each assigned expression is given, by the exact span of the expression."""
        return _assigned_spans(self.tree)

    @cached_property
    def unpacked(self) -> Mapping[Span, tuple[str, ...]]:
        """The names that elements of a comprehension get, by the span of what makes them: `a, b = [f(k) for k in x]`.

        Of `ws = [f(k) for k in range(2)]` they are `ws[0]` and `ws[1]`; of a list of unknown length `ws` alone.
        """
        return _unpacked_spans(self.tree)

    @cached_property
    def called(self) -> Mapping[Span, str]:
        """The name of the function that each call calls."""
        calls = (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        return {_span(call): _text(call.func).rpartition(".")[2] for call in calls}

    @cached_property
    def methods(self) -> frozenset[Span]:
        """The calls that are written as methods of a name: `h.dot(w)`, and also `np.dot(h, w)`."""
        return frozenset(
            _span(node)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        )

    @cached_property
    def imported(self) -> frozenset[str]:
        """The names that imports bind: `tr` and `np`, which are no operands of `tr.dot(x, w)`."""
        found = {"tr", "tracer", "np", "numpy"}  # in a notebook another cell imports them
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found |= {(each.asname or each.name).partition(".")[0] for each in node.names}
        return frozenset(found)

    @cached_property
    def operands(self) -> Mapping[Span, tuple[str, ...]]:
        """The names that stand as operands of each operator and call, empty where there is another expression."""
        return _operand_names(self.tree)


def source_file(text: str) -> SourceFile:
    """A source file with its hash."""
    return SourceFile(text, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def place_of(code: CodeType | None, offset: int) -> Place | None:
    """The stretch of source of an instruction, None where there is none."""
    if code is None:
        return None
    positions = _positions(code)
    number = offset // 2
    line, end_line, column, end_column = (
        positions[number] if 0 <= number < len(positions) else (None,) * 4
    )
    line = line or code.co_firstlineno
    return Place(
        code.co_filename,
        line,
        end_line or line,
        column or 0,
        end_column or 0,
        code.co_qualname,
    )


@lru_cache(maxsize=4096)
def _positions(code: CodeType) -> tuple[tuple[int | None, int | None, int | None, int | None], ...]:
    return tuple(code.co_positions())


def stored_name(code: CodeType, offset: int) -> str:
    """The variable that the result of an instruction is stored in: what is known where there is no source.

    Of `x, y = f(), g()` too, which Python keeps on its stack until both are there.

    >>> code = compile("y = f(x) + 1; w, a = f(2), g(h(3))", "<stdin>", "exec")
    >>> sorted({stored_name(code, instruction.offset) for instruction in dis.get_instructions(code)})
    ['', 'a', 'w', 'y']
    """
    instructions = _instructions(code)
    # while a call runs, the offset may point into the cache behind the call
    number = bisect_right(instructions, offset, key=lambda instruction: instruction.offset) - 1
    if not 0 <= number < len(instructions) - 1:
        return ""
    number, which = _spread(instructions, number + 1)
    stores = instructions[number : number + which + 1]
    if len(stores) <= which or any(each.opname not in _STORES for each in stores):
        return ""
    return str(stores[which].argval)


def _spread(instructions: Sequence[dis.Instruction], number: int) -> tuple[int, int]:
    """Where values are stored one after another, and which of them is the one on top of the stack at an instruction."""
    above, start = 0, number
    for number, each in enumerate(instructions[start:], start):
        if each.opname in ("SWAP", "BUILD_TUPLE") and (each.arg or 0) > above:
            after = instructions[number + 1]
            unpacked = after.opname == "UNPACK_SEQUENCE" and after.arg == each.arg
            if unpacked or each.opname == "SWAP":
                return number + 1 + unpacked, (each.arg or 0) - 1 - above
        if not above and not each.opname.startswith(
            ("LOAD_CONST", "LOAD_NAME", "LOAD_GLOBAL", "PUSH_NULL")
        ):
            break  # it takes the value itself
        above += dis.stack_effect(each.opcode, each.arg, jump=False)
        if above <= 0:
            break
    return start, 0


_STORES = ("STORE_NAME", "STORE_GLOBAL", "STORE_FAST", "STORE_DEREF")


@lru_cache(maxsize=256)
def _instructions(code: CodeType) -> tuple[dis.Instruction, ...]:
    return tuple(dis.get_instructions(code))


def read_source(file: str) -> SourceFile | None:
    """The text of a file as Python itself knows it (so `<stdin>` and notebook cells work), None if there is none."""
    # an interpreter that runs an edited script again must not see the old text
    linecache.checkcache(file)
    lines = linecache.getlines(file)
    return source_file("".join(lines)) if lines else None


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _assigned_spans(tree: ast.AST) -> dict[Span, str]:
    spans: dict[Span, str] = {}

    def note(target: ast.expr, value: ast.expr) -> None:
        pairs = [(target, value)]
        while pairs:
            target, value = pairs.pop()
            many = (ast.Tuple, ast.List)
            if isinstance(target, many) and isinstance(value, many):
                if len(target.elts) == len(value.elts):
                    pairs += zip(target.elts, value.elts, strict=True)
            elif isinstance(value, _COMPREHENSIONS):
                continue  # what has its span is the reading of an element
            elif isinstance(target, ast.Name) and isinstance(value, many):
                elements = (f"{target.id}[{k}]" for k in range(len(value.elts)))
                spans.update(zip(map(_span, value.elts), elements, strict=True))
            elif isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)):
                name = _text(target).removeprefix("self.")
                spans.setdefault(_span(value), name)

    for node in ast.walk(tree):
        match node:
            case ast.Assign():
                for target in node.targets:
                    note(target, node.value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                note(target, value)
            case ast.NamedExpr():
                note(node.target, node.value)
            case ast.AugAssign():
                # `h += x` is one instruction whose span is the whole statement
                spans.setdefault(_span(node), _text(node.target).removeprefix("self."))
    return spans


def _unpacked_spans(tree: ast.AST) -> dict[Span, tuple[str, ...]]:
    spans = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Tuple() | ast.List() | ast.Name() as target],
                value=ast.ListComp(elt=made) | ast.GeneratorExp(elt=made) as value,
            ):
                parts = [target] if isinstance(target, ast.Name) else target.elts
                if not all(isinstance(part, (ast.Name, ast.Attribute)) for part in parts):
                    continue
                names = tuple(_text(p).removeprefix("self.") for p in parts)
                if isinstance(target, ast.Name) and isinstance(value, ast.ListComp):
                    many = _known_length(value.generators)
                    names = tuple(f"{target.id}[{k}]" for k in range(many)) or names
                spans[_span(made)] = names
    return spans


def _known_length(generators: Sequence[ast.comprehension]) -> int:
    """How many elements a comprehension surely makes: of `for k in range(3)`, or of what stands there; else 0."""
    match generators:
        case [ast.comprehension(ifs=[], iter=ast.Tuple() | ast.List() as given)]:
            return 0 if any(isinstance(x, ast.Starred) for x in given.elts) else len(given.elts)
        case [
            ast.comprehension(
                ifs=[],
                iter=ast.Call(
                    func=ast.Name("range"), args=[ast.Constant(int() as many)], keywords=[]
                ),
            )
        ]:
            return many if 0 < many <= _MOST_ELEMENTS else 0
    return 0


_MOST_ELEMENTS = 1000
"""Elements of longer lists are not numbered."""


def _operand_names(tree: ast.AST) -> dict[Span, tuple[str, ...]]:
    found: dict[Span, tuple[str, ...]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.BinOp():
                parts = [node.left, node.right]
            case ast.Compare(comparators=[right]):
                parts = [node.left, right]
            case ast.Call(func=ast.Attribute(value=ast.Name() as owner)):
                parts = [owner, *node.args]
            case ast.Call():
                parts = list(node.args)
            case _:
                continue
        named = (ast.Name, ast.Attribute, ast.Subscript)
        found[_span(node)] = tuple(_text(p) if isinstance(p, named) else "" for p in parts)
    return found


def _text(node: ast.expr) -> str:
    """The source of an expression; empty for one nested deeper than Python can walk."""
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""


def _span(node: ast.expr | ast.stmt) -> Span:
    """The span of the instruction: Python lets a method on a later line than its object start at its name."""
    line, column = node.lineno, node.col_offset
    match node:
        case ast.Call(
            func=ast.Attribute(attr=attr, end_lineno=int(below), end_col_offset=int(end))
        ):
            if below != line and not any(isinstance(x, ast.Starred) for x in node.args):
                line, column = below, end - len(attr)
    return line, node.end_lineno or 0, column, node.end_col_offset or 0
