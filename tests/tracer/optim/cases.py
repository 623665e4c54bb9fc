"""Optimisers and schedules with their arguments: run by the tests, and by PyTorch in `optimisers_in_torch.py`."""

from __future__ import annotations

from typing import Any

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"lr": 0.05}),
    "sgd, decay": ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    "momentum": ("SGD", {"lr": 0.02, "momentum": 0.9}),
    "momentum, dampening": ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.3}),
    "nesterov, decay": (
        "SGD",
        {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05},
    ),
    "adagrad": ("Adagrad", {"lr": 0.3}),
    "adagrad, all options": (
        "Adagrad",
        {"lr": 0.3, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.2},
    ),
    "rmsprop": ("RMSprop", {"lr": 0.01}),
    "rmsprop, centered": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "centered": True}),
    "rmsprop, all options": (
        "RMSprop",
        {"lr": 0.01, "momentum": 0.7, "centered": True, "weight_decay": 0.1, "eps": 1e-4},
    ),
    "adam": ("Adam", {"lr": 0.05}),
    "adam, all options": (
        "Adam",
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1},
    ),
    "amsgrad": ("Adam", {"lr": 0.1, "betas": (0.5, 0.7), "amsgrad": True}),
    "adamw": ("AdamW", {"lr": 0.05}),
    "adamw, amsgrad": ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
}

SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "staircase": ("StepLR", {"step_size": 3, "gamma": 0.5}),
    "exponential": ("ExponentialLR", {"gamma": 0.9}),
    "cosine": ("CosineAnnealingLR", {"T_max": 8, "eta_min": 0.01}),
    "plateau": ("ReduceLROnPlateau", {"patience": 1, "factor": 0.5}),
    "plateau, all options": (
        "ReduceLROnPlateau",
        {
            "mode": "max",
            "patience": 0,
            "factor": 0.3,
            "threshold": 0.05,
            "threshold_mode": "abs",
            "cooldown": 2,
            "min_lr": 0.02,
        },
    ),
    "plateau, relative, max": (
        "ReduceLROnPlateau",
        {"mode": "max", "patience": 1, "threshold": 0.1},
    ),
}

METRICS = [1.0, 0.8, 0.85, 0.9, 0.7, 0.7, 0.71, 0.7, 0.6, 0.65, 0.64, 0.63, 0.9, 1.2, 1.2, 1.25]
W = [[1.0, -2.0], [0.3, 0.7], [-1.5, 0.1]]
B = 0.5
KEPT = (1, 2, 10, 50)
"""The steps whose numbers are compared."""


def loss_of(tanh: Any, w: Any, b: Any) -> Any:
    """A loss with curvature of its own in every direction; 0.5 for b makes its way cross the others'."""
    bowl = (w * w).sum() * 0.8 + (tanh(w * 2.0)).sum() * 0.3
    return bowl + (b - w.sum()) * (b - w.sum()) * 0.1 + (w[0] * w[0]).sum() * 2.0
