"""Convolution and pooling; images are (N, C, H, W), signals (N, C, T)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

import ops
from tracer import init
from tracer.nn.linear import bias_of, bound_of
from tracer.nn.module import Module
from tracer.parameters import parameter

PerAxis = int | tuple[int, ...]


class _Convolution(Module):
    """What both convolutions share: they differ in the number of axes that the kernel slides along."""

    axes: ClassVar[int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis = 1,
        padding: Any = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{type(self).__name__}: {in_channels} channels in and {out_channels} out "
                f"do not split into {groups} groups\n  try: groups that divides both"
            )
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = (
            (kernel_size,) * self.axes if isinstance(kernel_size, int) else kernel_size
        )
        self.options: dict[str, Any] = {
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        }
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        fan_in = math.prod(shape[1:])
        rng, bound = init.generator(rng), bound_of(fan_in)
        self.weight = parameter(init.uniform(shape, low=-bound, high=bound, rng=rng, dtype=dtype))
        self.bias = bias_of(out_channels, fan_in, rng, dtype) if bias else None

    def extra_repr(self) -> str:
        """The sizes, and the options that are not PyTorch's defaults."""
        plain = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        said = [f"{name}={value!r}" for name, value in self.options.items() if value != plain[name]]
        sizes = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        return ", ".join([sizes, *said, *(["bias=False"] if self.bias is None else [])])


class Conv1d(_Convolution):
    """A convolution along time: `tr.conv1d` with a weight (out_channels, in_channels / groups, K) and a bias.

    padding: a number, "valid", "same", or "causal", so that no output sees what comes later.
    x: float (N, in_channels, T).  Returns: float (N, out_channels, T').

    >>> import tracer as tr
    >>> tr.nn.Conv1d(3, 8, 2, dilation=4, padding="causal")(np.ones((5, 3, 20))).shape
    (5, 8, 20)
    """

    axes = 1

    def forward(self, x: Any) -> Any:
        """The convolution of x."""
        return ops.conv1d(x, self.weight, self.bias, **self.options)


class Conv2d(_Convolution):
    """A convolution of images: `tr.conv2d` with a weight (out_channels, in_channels / groups, K, L) and a bias.

    x: float (N, in_channels, H, W).  Returns: float (N, out_channels, H', W').

    >>> import tracer as tr
    >>> tr.nn.Conv2d(3, 8, 5, padding=2)(np.ones((1, 3, 16, 16))).shape
    (1, 8, 16, 16)
    """

    axes = 2

    def forward(self, x: Any) -> Any:
        """The convolution of x."""
        return ops.conv2d(x, self.weight, self.bias, **self.options)


class MaxPool2d(Module):
    """The largest element of each window of an image: `tr.max_pool2d`.

    stride: that of the windows; their size if not given. x: float (N, C, H, W).  Returns: float (N, C, H', W').
    """

    def __init__(
        self,
        kernel_size: PerAxis,
        stride: PerAxis | None = None,
        padding: PerAxis = 0,
        dilation: PerAxis = 1,
    ) -> None:
        self.options: dict[str, Any] = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }

    def forward(self, x: Any) -> Any:
        """The largest elements."""
        return ops.max_pool2d(x, **self.options)

    def extra_repr(self) -> str:
        """The options."""
        return ", ".join(f"{name}={value}" for name, value in self.options.items())
