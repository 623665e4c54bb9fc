"""What a cell means; colours are known elsewhere."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """What a piece of text shows."""

    BLANK = 0
    WIRE = 1
    TIP = 2
    FRAME = 3
    NAME = 4
    OP = 5
    VALUE = 6
    GRADIENT = 7
    FAINT = 8
    MARK = 9
    FORWARD = 10
    BACKWARD = 11
    WARN = 12
    TEXT = 13
    KEY = 14
    FORWARD_TAG = 15
    BACKWARD_TAG = 16
    UNDERLINE = 17
    CODE = 18


class Look(IntEnum):
    """How a node stands to the position; frames and marks tell it without colour."""

    PLAIN = 0
    AHEAD = 1
    CURRENT = 2
    OPERAND = 3
    REACHED = 4
    SELECTED = 5


def mark_kind(sign: str) -> Kind:
    """The kind of the sign beside a node: ✓ is good news, Δ is news, any other a stop or a fault."""
    return {"✓": Kind.VALUE, "Δ": Kind.KEY, "?": Kind.FAINT}.get(sign, Kind.MARK)
