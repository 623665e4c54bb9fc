"""Every network of the gallery on the device `interpret`: the CUDA kernels give the numbers of the CPU."""

from __future__ import annotations

import pytest

import tracer as tr
from gallery import GALLERY, SECTIONS

SMALL = {"units": 10}
"""Knobs of networks that would take minutes, thread by thread."""
OF_THE_USER = {"batchnorm:by_hand": {"batch_norm_by_hand"}}
"""Operations that an entry declares itself: numpy runs them, on copies."""


TELLING = {
    *(entries[0].name for entries in SECTIONS.values()),
    *"xor batchnorm:fused layernorm rnn lstm:fused gru:fused dropout bengio wavenet".split(),
}
"""One of each section, and those with kernels of their own; the others take part in the slow run."""


def recorded(entry, device):
    settings = {
        name: SMALL.get(name, value) if entry.name.startswith("initialization") else value
        for name, value in entry.settings().items()
    }
    with tr.device(device):
        return tr.trace(entry.build(**settings))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in TELLING else (pytest.mark.slow,), id=name)
        for name in GALLERY
    ],
)
def test_values_and_gradients_are_those_of_the_cpu(name):
    here, there = (recorded(GALLERY[name], device) for device in ("cpu", "interpret"))
    found = tr.compare(here, there)
    assert found.ok, str(found)
    assert len(found.rows) == len(here)
    on_copies = {node.op_name for node in there if node.kernels == "host"}
    assert on_copies == OF_THE_USER.get(name, set())
    assert {node.kernels for node in there} <= {"", "interpret", "host"}
