"""Early stopping: to end training when a metric has stopped to improve, and go back to where it was best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from ops.primitive import Array

if TYPE_CHECKING:
    from tracer.nn.module import Module


class EarlyStopping:
    """Says when to stop: after `patience` epochs in a row without an improvement by more than min_delta.

    `step(metric)` after each epoch returns True when it is time. mode "min" wants the metric smaller, "max" larger; NaN
    is never an improvement. Given a module, it keeps the state of the best epoch, and `restore()` loads it.

    >>> import tracer as tr
    >>> stopping = tr.optim.EarlyStopping(patience=2)
    >>> [stopping.step(loss) for loss in (0.9, 0.5, 0.6, 0.4, 0.7, 0.45)]
    [False, False, False, False, False, True]
    >>> stopping.best, stopping.best_epoch
    (0.4, 3)
    """

    def __init__(
        self,
        patience: int = 10,
        min_delta: float = 0.0,
        mode: Literal["min", "max"] = "min",
        module: Module | None = None,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"EarlyStopping has no mode {mode!r}\n  try: 'min' or 'max'")
        self.patience, self.min_delta, self.mode, self.module = patience, min_delta, mode, module
        self.best = math.inf if mode == "min" else -math.inf
        self.best_epoch = self.epoch = -1
        self._state: dict[str, Array] | None = None

    def step(self, metric: Any) -> bool:
        """End an epoch that had this metric: whether to stop."""
        metric = float(metric)
        self.epoch += 1
        gain = self.best - metric if self.mode == "min" else metric - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch = metric, self.epoch
            if self.module is not None:
                self._state = self.module.state_dict()
        return self.epoch - self.best_epoch >= self.patience

    def restore(self) -> None:
        """Load the state of the best epoch into the module. Raises `ValueError` without a module or an epoch."""
        if self.module is None or self._state is None:
            raise ValueError(
                "EarlyStopping has no state to restore\n"
                "  try: EarlyStopping(module=net), and step(metric) after each epoch"
            )
        self.module.load_state_dict(self._state)
