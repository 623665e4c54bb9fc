"""Every network of the gallery on the GPU: the trace of the CPU, node by node, and the same numbers unrecorded."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from ops.devices.device import Device

ULPS = 10_000
"""2·10⁻¹² of the largest element: a long chain magnifies the last digit in which exp and tanh of a GPU may differ."""
LARGE = {"initialization", "convnet", "digits", "tour"}
"""Entries, and all their forms, that would take the interpreter more than seconds."""


@pytest.mark.parametrize("name", GALLERY)
def test_a_trace_is_that_of_the_cpu(device: Device, small: bool, name: str):
    if small and name.partition(":")[0] in LARGE:
        pytest.skip("too large for the interpreter")
    here = tr.trace(GALLERY[name].build())
    with tr.device(device.name):
        there = tr.trace(GALLERY[name].build())
    compared = tr.compare(here, there, ulps=ULPS)
    assert compared.ok, compared


@pytest.mark.parametrize("name", ["batchnorm", "rnn", "circuit"])
def test_recording_changes_no_number(device: Device, name: str):
    with tr.device(device.name):
        recorded = GALLERY[name].build()
        with tr.no_grad():
            bare = GALLERY[name].build()
    assert np.asarray(recorded.value).tobytes() == np.asarray(bare.value).tobytes()
