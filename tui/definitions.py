"""What a script defines and holds: functions that can be called without arguments, values that could be the loss."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tracer as tr
from tracer.kinds import KINDS
from tracer.places import place_of
from tui.scripts import UsageError


def asks_nothing(
    function: Callable[..., Any], path: str, name: str, names: Mapping[str, Any]
) -> None:
    """Raise `UsageError` for a function that cannot be called without arguments, with one that can."""
    needed = needs(function)
    if not needed:
        return
    free = [other for other in functions(path, names) if not needs(names[other])]
    cure = (
        f"{path}:{free[-1]}"
        if free
        else f"a function in {path} that takes none, returning the loss"
    )
    raise UsageError(
        f"{path}:{name} needs {', '.join(needed)}, and it is called without arguments\n  try: {cure}"
    )


def needs(function: Callable[..., Any]) -> list[str]:
    """The arguments without which a function cannot be called."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins do not say
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def functions(path: str, names: Mapping[str, Any]) -> list[str]:
    """The functions that a script defines itself."""
    home = str(Path(path).absolute())
    return [
        name
        for name, value in names.items()
        if getattr(getattr(value, "__code__", None), "co_filename", None) == home
    ]


def no_function(path: str, function: str, names: Mapping[str, Any]) -> str:
    """The sentence about a function that a script does not define."""
    own = functions(path, names)
    close = difflib.get_close_matches(function, own, n=1)
    if close:
        return f"{path} has no function {function!r}\n  try: {path}:{close[0]}"
    there = f"it has {', '.join(own)}" if own else "it has no functions"
    return (
        f"{path} has no function {function!r}: {there}\n  try: {path} alone, which runs the script"
    )


def latest_first(names: Mapping[str, Any]) -> list[str]:
    """The variables that hold a computed value with a gradient, the latest first."""
    found = [
        variable
        for variable, value in names.items()
        if isinstance(value, tr.Tensor) and value.tracked and value.op is not None
    ]
    return sorted(found, key=lambda variable: names[variable].serial, reverse=True)


def nothing_recorded(name: str, names: Mapping[str, Any], recorded: Sequence[str]) -> str:
    """The sentence about a script without a backward pass and without a loss."""
    said = f"{name} recorded nothing to step through: it made no backward pass, and none of its variables is a loss"
    if not recorded:
        return f"{said}\n  try: compute a loss from tr.tensor(...) or tr.parameter(...), and call loss.backward()"
    latest = recorded[0]
    sizes = names[latest].shape
    return (
        f"{said}; its latest value, {latest}, has shape {sizes}\n  try: {latest}.sum().backward()"
    )


def left_out(names: Mapping[str, Any], trace: tr.Trace) -> str:
    """A sentence about the parameters of a script that a trace does not hold; empty if it holds all."""
    held = {
        (trace.places[trace.place_of[k]] if trace.place_of[k] >= 0 else None, trace.names[k])
        for k in np.flatnonzero(trace.kind_of == KINDS.index("parameter")).tolist()
    }
    places = {place for place, _ in held}
    out = []
    for name, parameter in _parameters(names):
        leaf = parameter.tensor
        place = place_of(leaf.code, leaf.offset)
        known = (place, leaf.name) in held if leaf.name else place in places
        if parameter.grad is None and not known:
            out.append(f"{name} (line {place.line})" if place is not None else name)
    if not out:
        return ""
    more = f" and {len(out) - 3} more" if len(out) > 3 else ""
    verb = "take" if len(out) > 1 else "takes"
    return f"{', '.join(out[:3])}{more} {verb} no part in this loss"


def _parameters(names: Mapping[str, Any]) -> Iterator[tuple[str, tr.Parameter]]:
    """The parameters that variables hold, by themselves or in a module."""
    seen: set[int] = set()
    layers = sys.modules.get("tracer.nn")  # a script that has not loaded it holds no module
    for variable, value in names.items():
        found = [(variable, value)] if isinstance(value, tr.Parameter) else []
        if layers is not None and isinstance(value, layers.Module):
            found = [(f"{variable}.{path}", held) for path, held in value.named_parameters()]
        for name, parameter in found:
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield name, parameter
