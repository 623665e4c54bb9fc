"""The root of every error of Gradstep, and the one that a wrongly declared or called operation raises."""

from __future__ import annotations


class GradstepError(Exception):
    """What every error of Gradstep is."""


class PrimitiveError(GradstepError, TypeError):
    """A primitive was declared or called in a way that its signature does not allow."""


class DeviceError(GradstepError, RuntimeError):
    """No device, not enough of its memory, or inputs that lie on different ones."""


class MixedDevicesError(DeviceError):
    """Inputs of one operation that lie on different devices."""
