"""In which precision a kernel is judged: in float64 if it can, whatever it was given; else in its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.checking.judge import EXACT
from tracer.checking.rounding import largest
from tracer.errors import CheckError
from tracer.format import number

from . import torches
from .arrays import dtype_name, float64, is_array, is_float, is_torch, kind, like, unit_of
from .manners import Faults, copies
from .pairs import Kernel, Pair, cotangents_like
from .shaking import Shaken, moves, shaken

ROUGH = 4096
"""Gradients may be off by so many units in the last place of their largest before anything is asked."""


def prepared(
    forward: Any, backward: Any, args: tuple[Any, ...], takes: str, out: Any
) -> tuple[Kernel, tuple[Any, ...], float, Faults]:
    """The kernel, its arguments in the precision in which it is judged, the unit of that, and what was found so far."""
    for what, function in (("forward", forward), ("backward", backward)):
        if not callable(function) and not (what == "backward" and function is None):
            raise CheckError(
                f"verify_function: {what} is {kind(function)}, not a function\n"
                f"  try: tr.verify_function(forward, backward, args), with the functions themselves"
            )
    if not any(map(is_float, args)):
        given = ", ".join(map(kind, args)) or "no arguments"
        raise CheckError(
            f"verify_function: it was given {given}: nothing that has a gradient\n"
            f"  try: 3.0 instead of 3, or x.astype(float)"
        )
    fills = () if out is None else tuple(out) if isinstance(out, (tuple, list)) else (out,)

    def made(args: tuple[Any, ...], fills: tuple[Any, ...]) -> Kernel:
        if torches.is_function(forward) or backward is None:
            return _autograd(forward, backward, args)
        return Pair(forward, backward, args, takes=takes, fills=fills)

    if torches.is_function(forward):
        torch_args = tuple(torches.tensor_like(arg) for arg in args)
        args = torch_args
    kernel = made(args, fills)
    names = [dtype_name(arg) for arg in args if is_float(arg)]
    own = [dtype_name(each) for each in kernel.outputs(copies(args))]
    if set(names) | set(own) == {"float64"}:
        return kernel, args, EXACT, Faults()
    wide = tuple(like(arg, float64(arg)) if is_float(arg) else arg for arg in args)
    try:
        twin = made(wide, tuple(like(each, float64(each)) for each in fills))
        coarse = [dtype_name(each) for each in twin.outputs(copies(wide))]
        twin.back(
            twin.run(copies(wide)),
            [like(o, np.ones(np.shape(o)), dtype_name(o)) for o in twin.outputs(copies(wide))],
        )
    except CheckError:
        coarse = own
        twin, wide = kernel, args
    unit = max(unit_of(each) for each in coarse)
    if unit > EXACT:
        word = max(coarse, key=unit_of)
        said = f"it computes in {word} only: judged with its precision"
        return twin, wide, unit, Faults(notes=[said])
    return twin, wide, EXACT, _in_own_precision(kernel, args, twin, wide)


def _in_own_precision(
    kernel: Kernel, args: Sequence[Any], twin: Kernel, wide: Sequence[Any]
) -> Faults:
    """How far the gradients in the precision of the caller lie from those in float64: it is told, and by far more than
    rounding explains it is a fault."""
    ran, sharp = kernel.run(copies(args)), twin.run(copies(wide))
    g = [np.ones(np.shape(out)) for out in ran.outputs]
    own = kernel.back(ran, cotangents_like(ran.outputs, g))
    exact = twin.back(sharp, cotangents_like(sharp.outputs, g))
    word = max((dtype_name(arg) for arg in args if is_float(arg)), key=unit_of)
    unit, most, words, faults = unit_of(word), 0.0, [], Faults()
    others: list[Shaken] = []
    for k, (name, arg, a, b) in enumerate(zip(kernel.names, args, own, exact, strict=True)):
        if a is None or b is None or np.shape(a) != np.shape(b):
            continue
        size, off = largest(float64(b)), largest(float64(a) - float64(b))
        most = max(most, off / size if size else 0.0)
        if off > ROUGH * unit * size:
            others = others or shaken(kernel, args, g, unit, np.random.default_rng(0))
            moved = max(map(largest, moves(own, others, k)), default=0.0)
            if off > max(ROUGH * unit * size, 16 * moved):
                said = f"in {word} its gradient is {number(off / size, 1)} off"
                faults.blame(name, f"{said}, far more than rounding explains")
        if is_array(arg) and is_array(a) and dtype_name(a) != dtype_name(arg):
            words.append(
                f"; the gradient of {name} is {dtype_name(a)}, {name} is {dtype_name(arg)}"
            )
    said = f"promoted from {word} to float64; in {word} the gradients are {number(most, 1)} off"
    faults.notes.append(said + "".join(words))
    return faults


def _autograd(forward: Any, backward: Any, args: tuple[Any, ...]) -> Kernel:
    """A function of PyTorch. Raises `CheckError` for one that needs a backward, or brings one and is given another."""
    if torches.is_function(forward) and backward is not None:
        raise CheckError(
            "verify_function: a torch.autograd.Function brings its own backward\n"
            "  try: tr.verify_function(Function, args=(x, ...))"
        )
    if not any(is_torch(arg) and is_float(arg) for arg in args):
        raise CheckError(
            "verify_function: a function without a backward must be one of PyTorch tensors\n"
            "  try: tr.verify_function(forward, backward, args); tr.check(fn, args) for a function of Tensors of ours"
        )
    return torches.Autograd(forward, args)
