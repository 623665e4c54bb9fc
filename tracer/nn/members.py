"""What a module holds: modules, parameters and buffers among its attributes, each with its path and its scope."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from tracer.nn.buffers import Buffer
from tracer.parameters import Parameter
from tracer.recording import ScopeEntry


class Member(NamedTuple):
    """Something that a module holds: `layers.0`, the scope `layers[k=0]`, and the thing."""

    path: str
    entry: ScopeEntry
    held: Any


def members_of(name: str, value: Any, kinds: tuple[type, ...]) -> Iterator[Member]:
    """The things of those kinds in an attribute: itself, or in lists, tuples and dicts, however they are nested."""
    found = [Member(name, ScopeEntry(name), value)]
    while found:
        member = found.pop()
        held = member.held
        if isinstance(held, kinds):
            yield member
        elif isinstance(held, (list, tuple, dict)):
            pairs = list(held.items() if isinstance(held, dict) else enumerate(held))
            for key, each in reversed(pairs):
                path = f"{member.path}.{key}"
                inside = path.removeprefix(f"{name}.")
                index = key if inside == str(key) and isinstance(key, int) else inside
                found.append(Member(path, ScopeEntry(name, "k", index), each))


def rename(held: Parameter | Buffer, name: str) -> None:
    """Name a slot and its current leaf. (A new leaf would not receive the gradient of a loss recorded before.)"""
    if isinstance(held, Buffer):
        held.rename(name)
        return
    held.tensor.params = {**held.tensor.params, "name": name}


@cache  # asked at every call of a network
def snake_case(name: str) -> str:
    """A class name as a scope name.

    >>> [snake_case(name) for name in ("BatchNorm1d", "MLP", "TransformerEncoderLayer", "RMSNorm")]
    ['batch_norm1d', 'mlp', 'transformer_encoder_layer', 'rms_norm']
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
