"""A line with a part of it changed, as close as possible to what the user wrote."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from tracer.checking.derivations.reading import spoken
from tracer.checking.diagnosis.wrong import SourceLine

DEEPEST = 60
"""Expressions nested deeper are left alone."""


@dataclass(frozen=True, eq=False)
class Written:
    """A line to be changed: the syntax tree, and the text that its positions point into; empty if they do not."""

    line: SourceLine
    tree: ast.expr
    source: bytes = b""

    @cached_property
    def _own(self) -> frozenset[int]:
        """The parts that the user wrote, and that stand on one row, by identity."""
        parts = (part for part in ast.walk(self.tree) if isinstance(part, ast.expr))
        return frozenset(id(part) for part in parts if self.source and _on_one_row(part))

    def with_part(self, old: ast.expr, new: ast.expr) -> ast.expr:
        """The expression with one part of it, told by identity, replaced."""
        changed = replaced(self.tree, old, new)
        assert isinstance(changed, ast.expr)
        return changed

    def text_with(self, old: ast.expr, new: ast.expr) -> str:
        """The whole line with that part replaced, in the user's own words where they can be kept."""
        wanted = self.with_part(old, new)
        match new:
            case ast.BinOp(left=left, op=ast.Add(), right=right) if right is old is self.tree:
                before, after = self._around(old)
                if before.endswith(" =") and ast.unparse(left) == self._target:
                    return spoken(f"{before[:-1]}+= {after}")
        if id(old) in self._own:
            for start, end in self._spans(old):
                for inner, outer in ((False, False), (True, False), (False, True), (True, True)):
                    said = self._said(new, brackets=inner)
                    if outer:
                        said = b"(%s)" % said
                    text = (self.source[:start] + said + self.source[end:]).decode()
                    found = _assigned(text)
                    if found is not None and _same(found, wanted):
                        return spoken(text)
        return spoken(self._anew(wanted))

    def _around(self, part: ast.expr) -> tuple[str, str]:
        """The line up to a part that the user wrote, and from it on; empty for any other."""
        if id(part) not in self._own:
            return "", ""
        start = part.col_offset
        return self.source[:start].decode().rstrip(), self.source[start:].decode()

    def _anew(self, wanted: ast.expr) -> str:
        """The line written anew: with `+=` where it adds to its target, as far as it is known."""
        target = self._target
        match wanted:
            case ast.BinOp(left=left, op=ast.Add(), right=right) if ast.unparse(left) == target:
                return f"{target} += {ast.unparse(right)}"
        return f"{target} = {ast.unparse(wanted)}"

    @cached_property
    def _target(self) -> str:
        """What is assigned to, as written: `dx[:, 1:]`."""
        match _statement(self.line.text):
            case ast.Assign(targets=[target]) | ast.AugAssign(target=target) if not isinstance(
                target, ast.Tuple | ast.List
            ):
                return ast.unparse(target)
        return self.line.target

    def _spans(self, part: ast.expr) -> Iterator[tuple[int, int]]:
        """Where a part stands: with the brackets around it, if it has any, and without them."""
        start, end = _span(self.source, part)
        if self.source[start - 1 : start] == b"(" and self.source[end : end + 1] == b")":
            yield start - 1, end + 1
        yield start, end

    def _said(self, new: ast.expr, *, brackets: bool) -> bytes:
        """New code as text, the old code within it as the user wrote it."""
        kept: list[ast.expr] = []
        outline = _outline(new, kept, self._own)
        said = ast.unparse(outline).encode()
        for k, part in enumerate(kept):
            start, end = _span(self.source, part)
            text = self.source[start:end]
            if brackets and not isinstance(part, (ast.Name, ast.Constant, ast.Call)):
                text = b"(%s)" % text
            said = said.replace(_stand_in(k).encode(), text)
        return said


def written(line: SourceLine) -> Written | None:
    """A line made ready to be changed; None for one that is nested too deep."""
    if _depth(line.expression) > DEEPEST:
        return None
    found = _assigned(line.text)
    if found is not None and _same(found, line.expression):
        return Written(line, found, line.text.encode())
    return Written(line, line.expression)


def replaced(tree: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    """A syntax tree with one part of it, told by identity, replaced; nothing is changed in place."""
    if tree is old:
        return new
    fields = dict(ast.iter_fields(tree))
    for name, value in fields.items():
        if isinstance(value, ast.AST):
            changed = replaced(value, old, new)
            if changed is not value:
                return type(tree)(**{**fields, name: changed})
        elif isinstance(value, list):
            parts = [replaced(v, old, new) if isinstance(v, ast.AST) else v for v in value]
            if any(a is not b for a, b in zip(parts, value, strict=True)):
                return type(tree)(**{**fields, name: parts})
    return tree


def _statement(text: str) -> ast.stmt | None:
    """The one statement that a line is; None if it is no Python."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return body[0] if len(body) == 1 else None


def _assigned(text: str) -> ast.expr | None:
    """What a line assigns, with its positions; None if it assigns nothing."""
    match _statement(text):
        case ast.Assign(targets=[_], value=value):
            return value
        case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
            return ast.BinOp(ast.Name(name, ast.Load()), op, value)
        case ast.AugAssign(target=ast.Subscript(value=whole, slice=index), op=op, value=value):
            return ast.BinOp(ast.Subscript(whole, index, ast.Load()), op, value)
    return None


def _same(a: ast.expr, b: ast.expr) -> bool:
    """Whether two expressions say the same; what is only read need not say so."""
    return ast.dump(a).replace(", ctx=Load()", "") == ast.dump(b).replace(", ctx=Load()", "")


def _on_one_row(part: ast.expr) -> bool:
    return getattr(part, "lineno", 0) == getattr(part, "end_lineno", 0) == 1


def _span(source: bytes, part: ast.expr) -> tuple[int, int]:
    """Where a part of a line of one row stands."""
    assert part.end_col_offset is not None
    return part.col_offset, part.end_col_offset


def _stand_in(k: int) -> str:
    return f"ǂ{k}ǂ"


def _outline(new: ast.AST, kept: list[ast.expr], own: Collection[int]) -> ast.AST:
    """A copy with stand-ins for the parts that the user wrote, which are collected."""
    if isinstance(new, ast.expr) and id(new) in own:
        kept.append(new)
        return ast.Name(_stand_in(len(kept) - 1), ast.Load())
    fields = {}
    for name, value in ast.iter_fields(new):
        if isinstance(value, ast.AST):
            value = _outline(value, kept, own)
        elif isinstance(value, list):
            value = [_outline(v, kept, own) if isinstance(v, ast.AST) else v for v in value]
        fields[name] = value
    return type(new)(**fields)


def _depth(tree: ast.AST) -> int:
    """How deep an expression is nested."""
    depth, layer = 0, [tree]
    while layer and depth <= DEEPEST:
        layer = [child for part in layer for child in ast.iter_child_nodes(part)]
        depth += 1
    return depth
