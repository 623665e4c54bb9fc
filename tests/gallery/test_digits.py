"""The digits to train on: what is in them, and that nobody can change them for the next one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from gallery.digits import FILE, digits

FIRST_LABELS = [6, 6, 6, 2, 5, 6, 6, 2, 2, 1]
DIGEST = "1f1bf55270b20127"


def test_there_are_1437_images_to_train_and_360_to_test_none_in_both():
    d = digits()
    assert d.train_images.shape == (1437, 64)
    assert d.test_images.shape == (360, 64)
    assert d.train_labels.shape == (1437,)
    assert d.test_labels.shape == (360,)
    seen = {image.tobytes() for image in d.train_images}
    assert not any(image.tobytes() in seen for image in d.test_images)


def test_grey_levels_run_from_0_to_1_and_labels_from_0_to_9():
    d = digits()
    assert d.train_images.dtype == np.float64
    assert (d.train_images.min(), d.train_images.max()) == (0, 1)
    assert np.unique(d.train_labels).tolist() == list(range(10))
    assert np.unique(d.test_labels).tolist() == list(range(10))


def test_the_split_is_the_same_on_every_machine():
    """Trainings promise the same curve for the same seed; they stand on this order."""
    d = digits()
    assert d.train_labels[:10].tolist() == FIRST_LABELS
    digest = hashlib.sha256((d.train_images * 16).astype(np.uint8).tobytes()).hexdigest()
    assert digest[:16] == DIGEST


def test_the_arrays_are_read_once_and_cannot_be_written_to():
    assert digits() is digits()
    for part in digits():
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 0


def test_the_64_digits_of_the_batchnorm_entry_are_the_first_of_the_file():
    with np.load(FILE) as every, np.load(Path(FILE).with_name("digits.npz")) as first:
        np.testing.assert_array_equal(every["images"][:64], first["images"])
        np.testing.assert_array_equal(every["labels"][:64], first["labels"])
