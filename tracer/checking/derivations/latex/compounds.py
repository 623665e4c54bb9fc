"""The factors of a formula that are made of several parts: fractions, roots, gradients, functions, cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .cursor import Cursor
from .pieces import BRACKETS, RELATIONS, spelled
from .tokens import Token, UnreadableError
from .tree import Call, Cases, Node, Number, Ones, Power, Product, Relation, Symbol


class Compounds(Cursor):
    """Reads what a command such as `\\frac` begins."""

    begins: Callable[[Token], bool]
    relation: Callable[[str], Node]
    gradient_of: Callable[[Token, Node | None, Node], Node]

    called_bare = False
    """Whether a function was just read with no brackets around what it is applied to."""

    def call(self, at: Token, name: str, primes: int = 0) -> Node:
        """A function and what it is applied to: brackets, or the next factor."""
        power: tuple[Token, ...] | None = None
        while (token := self.peek()) is not None and token.is_("'", "^", "_"):
            self.place += 1
            if token.is_("'"):
                primes += 1
                continue
            given = self.argument()
            if token.is_("_"):
                raise UnreadableError(
                    "an index at a function", "the index at what it is applied to", token
                )
            if len(given) == 1 and given[0].is_("\\prime"):
                primes += 1
            else:
                power = given
        first = self.need(f"what {name} is applied to")
        opening = spelled(first)
        if opening in ("(", "[", "\\{"):
            self.place += 1
            arguments = [self.expression()]
            while (token := self.peek()) is not None and token.is_(","):
                self.place += 1
                arguments.append(self.expression())
            self.expect(BRACKETS[opening])
        else:
            arguments = [self.factor()]
            self.called_bare = True
        found = Call(at, name, tuple(arguments), primes)
        return found if power is None else Power(at, found, self.inner(power))

    def root(self, at: Token) -> Node:
        """A root, of what stands in braces, in brackets, or of the next factor."""
        degree: Node | None = None
        token = self.need("what the root is of")
        if token.is_("["):
            self.place += 1
            degree = self.expression()
            self.expect("]")
            token = self.need("what the root is of")
        if token.is_("("):
            self.place += 1
            inner = self.bracketed("(")
        else:
            inner = self.inner(self.argument())
        return Call(at, "sqrt", (inner,) if degree is None else (inner, degree))

    def fraction(self, at: Token) -> Node:
        """A fraction, or the gradient of the loss in the form of one."""
        above, below = self.argument(), self.argument()
        if _differential(above) and _differential(below):
            if any(t.is_("^") for t in above[1:2]):
                raise UnreadableError(
                    "second derivatives are not read",
                    "gradients of the loss, one for each line",
                    at,
                )
            loss: Node | None = None
            if above[1:]:
                parser = self.parser(above[1:])
                loss = parser.factor()
                if (token := parser.peek()) is not None and not token.is_("("):
                    raise parser.unexpected(token)
            elif (token := self.peek()) is not None and self.begins(token):
                loss = self.factor()
            return self.gradient_of(at, loss, self.inner(below[1:]))
        return Product(at, (("", self.inner(above)), ("/", self.inner(below))))

    def slashed(self, at: Token, of: Node) -> Node:
        """`∂L/∂x`, `dL/dx`, or `dx` alone."""
        slash, then = self.peek(), self.peek(1)
        if (
            slash is not None
            and slash.is_("/")
            and then is not None
            and (then.is_("\\partial") or then.text == "d")
        ):
            self.place += 2
            return self.gradient_of(at, of, self.symbol())
        if at.is_("\\partial"):
            raise UnreadableError(
                "∂ without a fraction", r"\frac{\partial L}{\partial x}, or ∂L/∂x", at
            )
        return self.gradient_of(at, None, of)

    def nabla(self, at: Token) -> Node:
        """`\\nabla_x L`."""
        token = self.peek()
        if token is None or not token.is_("_"):
            raise UnreadableError("by what does ∇ differentiate?", r"\nabla_x L", at)
        self.place += 1
        of = self.inner(self.argument())
        after = self.peek()
        loss = (
            self.factor()
            if after is not None and self.begins(after) and not after.is_("\\frac", "(")
            else None
        )
        if (
            loss is not None
            and (after := self.peek()) is not None
            and after.is_("(")
            and after.tight
        ):
            self.place += 1
            while (token := self.peek()) is not None and not token.is_(")"):
                self.place += 1
            self.expect(")")
        return self.gradient_of(at, loss, of)

    def symbol(self) -> Node:
        """A symbol with its indices, as in `∂x̂ᵢ`."""
        token = self.need("a symbol")
        if not (token.kind in ("letter", "word", "command") or token.is_("{")):
            raise self.unexpected(token)
        return self.factor()

    def symbol_in(self, node: Node) -> Symbol:
        """The symbol that a node is; that of `\\sigma^2` bears the square in its name."""
        if isinstance(node, Symbol):
            return node
        if (
            isinstance(node, Power)
            and isinstance(node.base, Symbol)
            and isinstance(node.exponent, Number)
        ):
            return replace(node.base, base=f"{node.base.base}^{node.exponent.value}")
        raise UnreadableError("a symbol was expected here", r"x, \hat{x}_i or W^{(1)}", node.at)

    def indicator(self, at: Token) -> Node:
        """`\\mathbb 1[z > 0]`, or a vector of ones."""
        token = self.peek()
        if token is not None and token.is_("_"):
            self.place += 1
            given = self.argument()
            inner = tuple(t for t in given if not t.is_("[", "]", "\\{", "\\}"))
            if any(t.is_(*RELATIONS) for t in given):
                return self.parser(inner).relation("")
            return Ones(at)
        if (
            token is not None
            and spelled(token) in ("[", "(", "\\{")
            and self.compares(BRACKETS[spelled(token)], 1)
        ):
            self.place += 1
            return self.relation(BRACKETS[spelled(token)])
        return Ones(at)

    def cases(self, at: Token) -> Node:
        """`\\begin{cases} value & condition \\\\ ... \\end{cases}`."""
        body: list[Token] = []
        while (token := self.peek()) is not None and token.kind != "end":
            body.append(token)
            self.place += 1
        self.place += 1
        rows: list[tuple[Node, Relation | None]] = []
        for row in _split(body, "\\\\"):
            if not row:
                continue
            value, *conditions = _split(row, "&")
            condition = [
                t
                for t in (conditions[0] if conditions else [])
                if t.kind != "word" and not t.is_(",", ".")
            ]
            while value and value[-1].is_(","):
                value.pop()
            holds = self.parser(tuple(condition)).relation("") if condition else None
            assert holds is None or isinstance(holds, Relation)
            rows.append((self.inner(tuple(value)), holds))
        if not rows or (rows[-1][1] is not None and len(rows) < 2):
            raise UnreadableError("cases without values", r"a & z > 0 \\ b & \text{otherwise}", at)
        return Cases(at, tuple(rows))


def _differential(tokens: Sequence[Token]) -> bool:
    """Whether it begins with ∂ or d."""
    return bool(tokens) and (
        tokens[0].is_("\\partial")
        or (tokens[0].text == "d" and tokens[0].kind in ("letter", "word"))
    )


def _split(tokens: Sequence[Token], sign: str) -> list[list[Token]]:
    found: list[list[Token]] = [[]]
    for token in tokens:
        if token.is_(sign):
            found.append([])
        else:
            found[-1].append(token)
    return found
