"""Where the operations live that load on first use: importing all of them would double the start-up of `tracer`.

The operations of everyday networks are imported by `ops` itself; every other family is a module named here with what
it offers. A test proves the lists complete.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

_PUBLIC: dict[str, str] = {
    # module: the functions and primitives that users call by name
}

_INTERNAL: dict[str, str] = {
    # module: the primitives that only other operations call
}

PUBLIC = {name: module for module, names in _PUBLIC.items() for name in names.split()}
"""Public name to the module that declares it."""

MODULES = PUBLIC | {name: module for module, names in _INTERNAL.items() for name in names.split()}
"""Name of every operation that loads on first use, to the module that declares it."""


class Fused(NamedTuple):
    """Where the acceleration of a primitive is, and from how many elements of its first input it pays."""

    module: str
    least: int


ACCELERATED: dict[str, Fused] = {
    # primitive: the module whose table ACCELERATIONS holds it, and the measured size
}

NEVER = sys.maxsize

COMPILED: dict[str, int] = {
    "abs": 8192,
    "div": 16384,
    "maximum": 2048,
    "minimum": 2048,
    "relu": 8192,
    "sigmoid": 32768,
    "tanh": 32768,
}
"""Elementwise operations whose flows a compiled loop computes faster than numpy, and from how many elements on.

Measured in float32 and float64 (`python -m tests.bench.loops`); the others are as fast in numpy, or call the
mathematical library, where numpy has vector instructions and a loop has none.
"""
