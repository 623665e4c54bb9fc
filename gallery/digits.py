"""Handwritten digits of 8x8 grey levels, to train on: 1,437 images, and 360 that are held back for a test."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tracer.plots import Array

FILE = Path(__file__).parent / "data" / "digits1797.npz"
HELD_BACK = 360


class Digits(NamedTuple):
    """Images and labels, apart for training and test; the arrays are read-only."""

    train_images: Array
    """float (1437, 64), from 0 (paper) to 1 (ink): the eight rows of the image one after the other."""
    train_labels: Array
    """int (1437,): the digit."""
    test_images: Array
    """float (360, 64)."""
    test_labels: Array
    """int (360,)."""


@cache
def digits() -> Digits:
    """The UCI digits (gallery/data/README.md), shuffled once and for all, 360 held back; read on the first call.

    >>> digits().train_images.shape, digits().test_labels.shape
    ((1437, 64), (360,))
    """
    with np.load(FILE) as file:
        images, labels = file["images"].reshape(-1, 64) / 16, file["labels"].astype(np.int64)
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[:-HELD_BACK], order[-HELD_BACK:]
    parts = Digits(images[train], labels[train], images[test], labels[test])
    for part in parts:
        part.setflags(write=False)
    return parts
