"""Operations with wrong rules, declared for a test and forgotten after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops.primitive import Primitive


def wrong(
    name: str, kernel: Callable[..., Any], *rules: Callable[..., Any], **more: Any
) -> Primitive:
    """An operation with those rules, in no table."""
    inputs = ("x", "y", "z")[: len(rules)]
    return Primitive(name, inputs, kernel, vjps=dict(zip(inputs, rules, strict=True)), **more)
