"""What every part of the room raises for an expression or name that is not allowed, or not possible."""

from __future__ import annotations


class RefusedError(Exception):
    """An expression that is not allowed or not possible: the reason, and one thing to try."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.reason, self.cure = reason, cure


class MisfitError(RefusedError):
    """One line alone cannot be computed: its shapes do not fit, or it names what is not there (`unknown`)."""

    def __init__(self, reason: str, cure: str, unknown: str = "") -> None:
        super().__init__(reason, cure)
        self.unknown = unknown
