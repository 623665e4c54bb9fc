"""Normalisation layers: over the batch, over the features of each sample, or over groups of channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

import ops
from ops.primitive import Array
from ops.shape import shaped
from tracer.nn.buffers import Buffer
from tracer.nn.module import Module
from tracer.parameters import parameter
from tracer.tensors import Tensor
from tracer.values import is_recorded, lies_elsewhere, on_host


class _BatchNorm(Module):
    """What both batch normalisations share: they differ in the ranks that they take."""

    ranks: ClassVar[tuple[int, ...]]
    shapes: ClassVar[str]
    other: ClassVar[str]
    """What to try with an input of another rank."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        running_variance: Literal["unbiased", "biased"] = "unbiased",
        dtype: Any = np.float64,
    ) -> None:
        if running_variance not in ("unbiased", "biased"):
            raise ValueError(
                f"the running variance is not {running_variance!r}\n"
                f"  try: 'unbiased' (1/(m − 1), PyTorch's) or 'biased' (1/m, the lecture's)"
            )
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.running_variance = running_variance
        self.weight = parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = parameter(np.zeros(num_features, dtype)) if affine else None
        self.running_mean = Buffer(np.zeros(num_features, dtype)) if track_running_stats else None
        self.running_var = Buffer(np.ones(num_features, dtype)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.int64(0)) if track_running_stats else None

    def forward(self, x: Any) -> Any:
        """Normalise by the batch in training, by the running statistics in use."""
        x = shaped(x)
        shape = x.shape
        if len(shape) not in self.ranks or shape[1] != self.num_features:
            fits = len(shape) in self.ranks
            cure = f"{type(self).__name__}({shape[1]})" if fits else self.other
            raise ValueError(
                f"{type(self).__name__}({self.num_features}) takes {self.shapes}, not {shape}\n"
                f"  try: {cure}"
            )
        axis = (0, *range(2, len(shape))) if len(shape) > 2 else 0
        if self.training or self.running_mean is None:
            y = ops.batch_norm(x, self.weight, self.bias, eps=self.eps, axis=axis)
            if self.training and self.running_mean is not None:
                self._track(x, y, axis)
            return y
        return ops.batch_norm_inference(
            x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )

    def _track(self, x: Any, y: Tensor, axis: Any) -> None:
        """Move the running statistics towards those of the batch: r ← (1 − α) r + α · batch, α the momentum."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        mean, var = _statistics(x, y, axis, self.eps)
        count = math.prod(x.shape) // max(self.num_features, 1)
        if self.running_variance == "unbiased":
            if count < 2:
                raise ValueError(
                    f"{type(self).__name__}: one number per feature has no unbiased variance\n"
                    f"  try: a larger batch, eval(), or running_variance='biased'"
                )
            var = var * (count / (count - 1))
        batches = self.num_batches_tracked.value + 1
        share = 1 / float(batches) if self.momentum is None else self.momentum
        for slot, batch in ((self.running_mean, mean), (self.running_var, var)):
            slot.set((1 - share) * slot.value + share * batch)
        self.num_batches_tracked.set(batches)

    def extra_repr(self) -> str:
        """The size and the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.weight is not None}, track_running_stats={self.running_mean is not None}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of features (Ioffe & Szegedy 2015): y = γ (x − μ)/√(σ² + ε) + β, γ called weight, β bias.

    In training μ and σ² are those of the batch, σ² with 1/m; in use the running ones, r ← (1 − α) r + α · batch, with
    α the momentum, or 1/(number of batches) if it is None. As in PyTorch the running variance is that with 1/(m − 1);
    running_variance="biased" is the lecture's, with 1/m.

    x: float (N, num_features), or (N, num_features, T) with statistics over N and T.  Returns: the shape of x.

    >>> import tracer as tr
    >>> bn = tr.nn.BatchNorm1d(2)
    >>> bn(np.array([[1.0, 2.0], [3.0, 6.0]])).value.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> bn.running_mean.value
    array([0.2, 0.4])
    """

    ranks, shapes, other = (2, 3), "(N, C) or (N, C, T)", "BatchNorm2d for images (N, C, H, W)"


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of channels, with statistics over batch and pixels; otherwise as `BatchNorm1d`.

    x: float (N, num_features, H, W).  Returns: the shape of x.
    """

    ranks, shapes, other = (4,), "(N, C, H, W)", "BatchNorm1d for features (N, C)"


def _statistics(x: Any, y: Any, axis: Any, eps: float) -> tuple[Array, Array]:
    """Mean and variance of the batch, from what the operation saved if it was recorded."""
    saved = y.saved if isinstance(y, Tensor) else {}
    if "mean" in saved and "inv_std" in saved:
        mean, deviation = (on_host(saved[name]).reshape(-1) for name in ("mean", "inv_std"))
        # the operation knows 1/√(σ² + ε), so the variance is exact to one ulp of σ² + ε
        return mean, np.maximum(1 / (deviation * deviation) - eps, 0)
    values = x.value if is_recorded(x) else x
    if lies_elsewhere(values):  # reduced there: only the statistics cross over
        return on_host(values.mean(axis=axis)), on_host(values.var(axis=axis))
    values = np.asarray(values)
    return values.mean(axis=axis), values.var(axis=axis)


class LayerNorm(Module):
    """Normalisation over the features of each sample (Ba et al. 2016): `tr.layer_norm`, γ called weight, β bias.

    normalized_shape: the sizes of the last axes, over which the statistics go. x: float (..., *normalized_shape).
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = np.float64,
    ) -> None:
        self.normalized_shape, self.eps = _as_shape(normalized_shape), eps
        shape = self.normalized_shape
        self.weight = parameter(np.ones(shape, dtype)) if elementwise_affine else None
        self.bias = parameter(np.zeros(shape, dtype)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """γ (x − μ)/√(σ² + ε) + β."""
        x = shaped(x)
        axis = _last_axes(self, x)
        return ops.layer_norm(x, self.weight, self.bias, axis=axis, eps=self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        affine = self.weight is not None
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={affine}"


class RMSNorm(Module):
    """Division by the root mean square of the features of each sample (Zhang & Sennrich 2019): `tr.rms_norm`.

    normalized_shape: the sizes of the last axes. eps: 1e-6 (PyTorch takes that of the dtype if it is None).
    x: float (..., *normalized_shape).
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-6,
        elementwise_affine: bool = True,
        *,
        dtype: Any = np.float64,
    ) -> None:
        self.normalized_shape, self.eps = _as_shape(normalized_shape), eps
        self.weight = (
            parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        )

    def forward(self, x: Any) -> Any:
        """γ x / √(mean(x²) + ε)."""
        x = shaped(x)
        return ops.rms_norm(x, self.weight, axis=_last_axes(self, x), eps=self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        affine = self.weight is not None
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={affine}"


class GroupNorm(Module):
    """Normalisation over groups of channels of each sample (Wu & He 2018): `tr.group_norm`, γ called weight, β bias.

    x: float (N, num_channels, ...).  Returns: the shape of x.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: Any = np.float64,
    ) -> None:
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: {num_channels} channels do not split into {num_groups} groups\n"
                f"  try: num_groups that divides num_channels"
            )
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight = parameter(np.ones(num_channels, dtype)) if affine else None
        self.bias = parameter(np.zeros(num_channels, dtype)) if affine else None

    def forward(self, x: Any) -> Any:
        """γ (x − μ)/√(σ² + ε) + β, with statistics of each group."""
        return ops.group_norm(x, self.weight, self.bias, groups=self.num_groups, eps=self.eps)

    def extra_repr(self) -> str:
        """The sizes and the options."""
        affine = self.weight is not None
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={affine}"


def _as_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _last_axes(layer: LayerNorm | RMSNorm, x: Any) -> Any:
    """The axes of the features, -1 if there is one. Raises `ValueError` if the last sizes of x differ from them."""
    wanted, shape = layer.normalized_shape, x.shape
    if shape[len(shape) - len(wanted) :] != wanted:
        raise ValueError(
            f"{type(layer).__name__}({wanted}) takes (..., {', '.join(map(str, wanted))}), not {shape}\n"
            f"  try: {type(layer).__name__}({shape[-len(wanted) :]})"
        )
    return tuple(range(-len(wanted), 0)) if len(wanted) > 1 else -1
