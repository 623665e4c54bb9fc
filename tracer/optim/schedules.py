"""Learning rates that fall with time: `step()` after each epoch sets the rate of every group."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from tracer.optim.optimizer import Optimizer


class Schedule:
    """A learning rate that is a function of the epoch and of the rate that the optimiser was made with.

    For a rate changed by hand, assign `optimizer.lr`.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lrs: list[float] = [group["lr"] for group in optimizer.param_groups]
        self.epoch = 0

    def rate(self, base: float, epoch: int) -> float:
        """The rate in an epoch, counted from 0, for one that begins at `base`."""
        raise NotImplementedError

    def step(self) -> None:
        """Begin the next epoch."""
        self.epoch += 1
        self._set()

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = self.rate(base, self.epoch)

    def get_last_lr(self) -> list[float]:
        """The rates of the groups now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What a later run needs to go on."""
        return {"epoch": self.epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there: the rates are set again."""
        self.epoch, self.base_lrs = int(state["epoch"]), list(state["base_lrs"])
        self._set()


class StepLR(Schedule):
    """A staircase: the rate times gamma after every `step_size` epochs.

    >>> import tracer as tr
    >>> optimizer = tr.optim.SGD([tr.parameter(0.0)], lr=1.0)
    >>> schedule = tr.optim.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates.append(optimizer.lr)
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        if step_size < 1:
            raise ValueError(f"StepLR: a stair of {step_size} epochs\n  try: step_size=10")
        super().__init__(optimizer)
        self.step_size, self.gamma = step_size, gamma

    def rate(self, base: float, epoch: int) -> float:
        """base · gamma to the number of stairs."""
        return base * self.gamma ** (epoch // self.step_size)


class InverseTimeLR(Schedule):
    """Decay with time: base/(1 + k · epoch), the deck's a₀/(1 + k epoch)."""

    def __init__(self, optimizer: Optimizer, k: float) -> None:
        super().__init__(optimizer)
        self.k = k

    def rate(self, base: float, epoch: int) -> float:
        """base/(1 + k · epoch)."""
        return base / (1 + self.k * epoch)


class ExponentialLR(Schedule):
    """Exponential decay: base · gamma^epoch; the deck's a₀ e^(−k epoch) has gamma = e⁻ᵏ."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        super().__init__(optimizer)
        self.gamma = gamma

    def rate(self, base: float, epoch: int) -> float:
        """base · gamma to the epoch."""
        return base * self.gamma**epoch


class CosineAnnealingLR(Schedule):
    """Half a cosine from the rate down to eta_min in T_max epochs, then back up (Loshchilov & Hutter 2017)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:  # noqa: N803
        if T_max < 1:
            raise ValueError(f"CosineAnnealingLR: half a cosine of {T_max} epochs\n  try: T_max=50")
        super().__init__(optimizer)
        self.half, self.eta_min = T_max, eta_min

    def rate(self, base: float, epoch: int) -> float:
        """Between eta_min and base, along a cosine."""
        along = (1 + math.cos(math.pi * epoch / self.half)) / 2
        return self.eta_min + (base - self.eta_min) * along


class ReduceLROnPlateau:
    """Conditional decay: the rate times factor when a metric has not improved for more than `patience` epochs.

    `step(metric)` after each epoch. mode "min" wants it smaller, "max" larger; an improvement exceeds the best so far
    by the share `threshold` of it (threshold_mode "rel") or by the number itself ("abs"). cooldown: epochs after a
    reduction in which none is counted. A rate is never below min_lr, and a change below eps is not made. NaN is never
    an improvement.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: mode {mode!r}, threshold_mode {threshold_mode!r}\n"
                f"  try: 'min' or 'max', and 'rel' or 'abs'"
            )
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor {factor} does not reduce\n  try: 0.1")
        self.optimizer, self.factor, self.patience = optimizer, factor, patience
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.cooldown, self.min_lr, self.eps = cooldown, min_lr, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.bad_epochs = self.cooling = 0

    def step(self, metric: float) -> None:
        """End an epoch that had this metric."""
        metric = float(metric)
        if self._improved(metric):
            self.best, self.bad_epochs = metric, 0
        else:
            self.bad_epochs += 1
        if self.cooling:
            self.cooling -= 1
            self.bad_epochs = 0
        if self.bad_epochs > self.patience:
            self._reduce()
            self.cooling, self.bad_epochs = self.cooldown, 0

    def _improved(self, metric: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "abs":
            return sign * metric > sign * self.best + self.threshold
        return sign * metric > sign * self.best * (1 + sign * self.threshold)

    def _reduce(self) -> None:
        for group in self.optimizer.param_groups:
            new = max(group["lr"] * self.factor, self.min_lr)
            if group["lr"] - new > self.eps:
                group["lr"] = new

    def get_last_lr(self) -> list[float]:
        """The rates of the groups now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What a later run needs to go on, beside the rates, which the optimiser keeps."""
        return {"best": self.best, "bad_epochs": self.bad_epochs, "cooling": self.cooling}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.best = float(state["best"])
        self.bad_epochs, self.cooling = int(state["bad_epochs"]), int(state["cooling"])
