"""The fused kernels of batch_norm, layer_norm and rms_norm: what of a call fits them, and what they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.kernels.acceleration import Acceleration
from ops.kernels.column_norms import batch_backward, batch_forward
from ops.kernels.row_norms import layer_backward, layer_forward, rms_forward
from ops.primitive import NUMBERS, Array


def _is_plain(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype.char in "fd" and x.flags.c_contiguous and x.size > 0


def _are_vectors(affine: Sequence[Any], x: Array) -> bool:
    """Whether scale and shift are numbers, or one for each of the features."""
    for v in affine:
        if type(v) in NUMBERS:
            continue
        if type(v) is not np.ndarray or v.ndim != 1 or v.size != x.shape[-1] or v.dtype != x.dtype:
            return False
        if not v.flags.c_contiguous:
            return False
    return True


def _batch_fits(inputs: Sequence[Any], params: Mapping[str, Any]) -> bool:
    x = inputs[0]
    return (
        _is_plain(x)
        and x.ndim == 2
        and params["axis"] in (0, -2, (0,))
        and _are_vectors(inputs[1:], x)
    )


def _rows_fit(inputs: Sequence[Any], params: Mapping[str, Any]) -> bool:
    x = inputs[0]
    return (
        _is_plain(x) and params["axis"] in (-1, x.ndim - 1, (-1,)) and _are_vectors(inputs[1:], x)
    )


def _vector(v: Any, size: int, dtype: Any) -> Array:
    return np.full(size, v, dtype) if type(v) in NUMBERS else v


def _fixed(x: Array) -> Array:
    """x, not to be written to: Numba compiles once for arrays that may be and once for others."""
    if x.flags.writeable:
        x = x.view()
        x.setflags(write=False)
    return x


def _as_rows(x: Array) -> Array:
    return _fixed(x if x.ndim == 2 else x.reshape(-1, x.shape[-1]))


def _cotangent(g: Array, x: Array) -> Array:
    if g.shape != x.shape:
        g = np.broadcast_to(g, x.shape)
    return _as_rows(np.ascontiguousarray(g, x.dtype))


def _batch_kernel(
    x: Array, gamma: Any, beta: Any, *, eps: float, axis: Any
) -> tuple[Array, dict[str, Array]]:
    size = x.shape[1]
    y, mean, inv_std = np.empty_like(x), np.empty((1, size), x.dtype), np.empty((1, size), x.dtype)
    scale, shift = _vector(gamma, size, x.dtype), _vector(beta, size, x.dtype)
    batch_forward(_fixed(x), _fixed(scale), _fixed(shift), eps, y, mean[0], inv_std[0])
    return y, {"mean": mean, "inv_std": inv_std}


def _batch_pull(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Array],
) -> list[Any]:
    x, gamma, _ = inputs
    size = x.shape[1]
    by_x, by_gamma, by_beta = np.empty_like(x), np.empty(size, x.dtype), np.empty(size, x.dtype)
    mean, inv_std = _fixed(saved["mean"].reshape(size)), _fixed(saved["inv_std"].reshape(size))
    scale = _fixed(_vector(gamma, size, x.dtype))
    batch_backward(_cotangent(g, x), _fixed(x), scale, mean, inv_std, by_x, by_gamma, by_beta)
    return _of_wanted((by_x, by_gamma, by_beta), wanted)


def _of_wanted(flows: Sequence[Array], wanted: Sequence[bool]) -> list[Array | None]:
    return [flow if wants else None for flow, wants in zip(flows, wanted, strict=False)]


def _layer_kernel(
    x: Array, gamma: Any, beta: Any, *, axis: Any, eps: float
) -> tuple[Array, dict[str, Array]]:
    size = x.shape[-1]
    y = np.empty_like(x)
    mean, inv_std = np.empty((2, *x.shape[:-1], 1), x.dtype)
    scale, shift = _vector(gamma, size, x.dtype), _vector(beta, size, x.dtype)
    flat = y.reshape(-1, size), mean.reshape(-1), inv_std.reshape(-1)
    layer_forward(_as_rows(x), _fixed(scale), _fixed(shift), eps, *flat)
    return y, {"mean": mean, "inv_std": inv_std}


def _rms_kernel(x: Array, gamma: Any, *, axis: Any, eps: float) -> tuple[Array, dict[str, Array]]:
    size = x.shape[-1]
    y, inv_rms = np.empty_like(x), np.empty((*x.shape[:-1], 1), x.dtype)
    scale = _fixed(_vector(gamma, size, x.dtype))
    rms_forward(_as_rows(x), scale, eps, y.reshape(-1, size), inv_rms.reshape(-1))
    return y, {"inv_rms": inv_rms}


def _rows_pull(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Array],
) -> list[Any]:
    x, gamma, *_ = inputs
    size = x.shape[-1]
    centred = "mean" in saved
    inverse = saved["inv_std" if centred else "inv_rms"]
    mean = saved["mean"] if centred else np.zeros_like(inverse)
    by_x, by_gamma, by_beta = np.empty_like(x), np.empty(size, x.dtype), np.empty(size, x.dtype)
    layer_backward(
        _cotangent(g, x),
        _as_rows(x),
        _fixed(_vector(gamma, size, x.dtype)),
        _fixed(mean.reshape(-1)),
        _fixed(inverse.reshape(-1)),
        centred,
        by_x.reshape(-1, size),
        by_gamma,
        by_beta,
    )
    return _of_wanted((by_x, by_gamma, by_beta), wanted)


ACCELERATIONS = {
    "batch_norm": Acceleration(_batch_fits, _batch_kernel, _batch_pull, ulps=64),
    "layer_norm": Acceleration(_rows_fit, _layer_kernel, _rows_pull, ulps=64),
    "rms_norm": Acceleration(_rows_fit, _rms_kernel, _rows_pull, ulps=64),
}
"""Primitives that have kernels here."""
