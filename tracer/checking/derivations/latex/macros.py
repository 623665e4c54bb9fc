"""Own commands: what `\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}` defines is put in for `\\pd{L}{x}`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .tokens import MOST_TOKENS, Token, UnreadableError

_DECLARING = frozenset(("newcommand", "renewcommand", "providecommand"))
DEEPEST = 50
"""Commands that stand in the meaning of commands, one within the other."""


@dataclass(frozen=True)
class Macro:
    """A command: how many arguments it takes, and what it stands for."""

    arguments: int
    body: tuple[Token, ...]


def expanded(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """The tokens without definitions of commands, and with the commands replaced by what they stand for.

    What is put in keeps the place of the command. Raises `UnreadableError` for a command that stands for itself.

    >>> from .tokens import tokenize
    >>> "".join(t.text for t in expanded(tokenize(r"\\newcommand{\\g}[1]{[#1]} \\g{x} = \\g y")))
    '[x]=[y]'
    """
    if not any(t.kind == "command" and (t.text in _DECLARING or t.text in _SHORT) for t in tokens):
        return tuple(tokens)
    table, rest = _definitions(tokens)
    found: list[Token] = []
    waiting = [(token, 0) for token in reversed(rest)]
    while waiting:
        token, depth = waiting.pop()
        macro = table.get(token.text) if token.kind == "command" else None
        if macro is None:
            found.append(token)
            continue
        if depth >= DEEPEST or len(waiting) + len(found) > MOST_TOKENS:
            raise UnreadableError(
                f"\\{token.text} stands for itself, or for too much",
                "a simpler \\newcommand",
                token,
            )
        given = []
        for _ in range(macro.arguments):
            argument, end = _argument(waiting)
            given.append(argument)
            token = token._replace(end=max(token.end, end))
        waiting += reversed(_put_in(macro, given, token, depth + 1))
    return tuple(found)


_SHORT = frozenset(("def", "DeclareMathOperator"))


def _definitions(tokens: Sequence[Token]) -> tuple[dict[str, Macro], list[Token]]:
    """The commands that the text defines, and the text without their definitions."""
    table: dict[str, Macro] = {}
    rest: list[Token] = []
    k = 0
    while k < len(tokens):
        token = tokens[k]
        if token.kind != "command" or token.text not in _DECLARING | _SHORT:
            rest.append(token)
            k += 1
            continue
        name, k = _group(
            tokens, k + (2 if tokens[k + 1 : k + 2] and tokens[k + 1].text == "*" else 1)
        )
        arguments = 0
        if token.text == "def":
            while k + 1 < len(tokens) and tokens[k].text == "#":
                arguments, k = arguments + 1, k + 2
        while k + 2 < len(tokens) and tokens[k].text == "[" and token.text in _DECLARING:
            closing = next((j for j in range(k, len(tokens)) if tokens[j].text == "]"), k + 2)
            if tokens[k + 1].kind == "digit" and closing == k + 2:
                arguments = int(tokens[k + 1].text)
            else:
                name = ()  # an argument with a value of its own: not one of ours
            k = closing + 1
        body, k = _group(tokens, k)
        if token.text == "DeclareMathOperator" and body:
            first = body[0]
            body = (first._replace(kind="word", text="".join(t.text for t in body)),)
        if len(name) == 1 and name[0].kind == "command":
            table[name[0].text] = Macro(arguments, body)
    return table, rest


def _group(tokens: Sequence[Token], k: int) -> tuple[tuple[Token, ...], int]:
    """The tokens of the group that begins at a place, or the one token there; and the place after it."""
    if k >= len(tokens) or tokens[k].text != "{":
        return tuple(tokens[k : k + 1]), k + 1
    depth = 0
    for j in range(k, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[j].text, 0) if tokens[j].kind == "sign" else 0
        if not depth:
            return tuple(tokens[k + 1 : j]), j + 1
    return tuple(tokens[k + 1 :]), len(tokens)


def _argument(waiting: list[tuple[Token, int]]) -> tuple[list[tuple[Token, int]], int]:
    """The next argument, taken from the end of what waits, and where it ends in the source."""
    if not waiting:
        return [], 0
    entry = waiting.pop()
    if entry[0].text != "{" or entry[0].kind != "sign":
        return [entry], entry[0].end
    found, depth = [], 1
    while waiting:
        entry = waiting.pop()
        if entry[0].kind == "sign":
            depth += {"{": 1, "}": -1}.get(entry[0].text, 0)
        if not depth:
            break
        found.append(entry)
    return found, entry[0].end


def _put_in(
    macro: Macro, given: Sequence[list[tuple[Token, int]]], at: Token, depth: int
) -> list[tuple[Token, int]]:
    """The meaning of a command with its arguments, at the place of the command."""
    found: list[tuple[Token, int]] = []
    k = 0
    while k < len(macro.body):
        token = macro.body[k]
        if token.text == "#" and k + 1 < len(macro.body) and macro.body[k + 1].kind == "digit":
            n = int(macro.body[k + 1].text) - 1
            found += [] if n >= len(given) else given[n]
            k += 2
        else:
            found.append((token, depth))
            k += 1
    return [(t._replace(line=at.line, start=at.start, end=at.end), d) for t, d in found]
