"""The launches that operations really ask for, compiled as they ask for them: they fit a GPU, and keep it busy."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from ops.cuda.kernel import FAMILIES
from tests.ops.cuda.asked import DTYPES, Asked, Given, asked, codes, everything, run_zeros
from tests.ops.cuda.ptx import GRANULE, Assembled, assembled
from tests.ops.cuda.test_compiled import LIBDEVICE, demand
from tests.ops.cuda.toolkit import toolkit

EVERY = 1 if os.environ.get("GRADSTEP_WHOLE") else 8
"""All 1,300 codes take a quarter of an hour: every eighth is compiled, unless the environment asks for the whole."""
REGISTERS = 65536
"""Of a multiprocessor: those of all threads of a block have to be there."""
SHARED = 48 * 1024
"""Bytes of shared memory that every device gives a block."""
LARGE = 2**22
"""Elements from which on a launch should have a block for each multiprocessor."""
PROCESSORS = 132
FEW = {
    "place_rows": "argmax and argmin: a row is read by one block",
    "place_columns": "argmax and argmin of columns, in blocks of 256 columns",
    "scan": "a row is scanned by one warp",
    "row_exponential_sums": "softmax of rows too long for registers: a block to a row",
    "softmax_long_rows_flow": "the same, backward",
    "row_norm": "a block to a row",
    "row_norm_backward": "a block to a row",
    "column_statistics": "reads partial sums, and one row of x",
    "pick_classes": "reads one number of each row",
    "rnn_forward": "a block to some rows of the batch",
    "rnn_backward": "the same",
    "gru_forward": "the same",
    "gru_backward": "the same",
    "lstm_forward": "the same",
    "lstm_backward": "the same",
}
"""Kernels that keep fewer blocks busy at some of these sizes, and why."""


def faults(each: Asked, row: Assembled) -> list[str]:
    """What of a launch a GPU would refuse, or run through slow memory."""
    registers = -(-row.registers // GRANULE) * GRANULE * each.threads
    allowed = LIBDEVICE.get(each.kernel.name.partition("_")[0], 0)
    found = {
        f"{registers} registers of a block": registers > REGISTERS,
        f"{row.shared} bytes of shared memory": row.shared > SHARED,
        f"{row.spilled} bytes of registers in memory": row.spilled > 0,
        f"{each.threads} threads": each.threads > 1024 or each.threads % 32 > 0,
        f"{each.blocks} blocks": each.blocks >= 2**31,
        f"{row.doubles} times float64": each.dtype == "float32" and row.doubles > allowed,
        f"{row.atomics}": bool(row.atomics),
    }
    return [what for what, is_so in found.items() if is_so]


def said(each: Asked, found: Sequence[str]) -> str:
    options = ", ".join(f"{name}={value}" for name, value in each.options.items())
    what = f"{each.kernel.name}({options}) {each.dtype} in blocks of {each.threads}"
    return f"{what}, for {each.where}: {', '.join(found)}"


def test_what_an_operation_launches_is_heard_with_its_options():
    given = Given("softmax", ((4096, 1000),))
    found = asked(lambda: run_zeros(given, "float32"), str(given))
    assert {each.kernel.family for each in found} == {"softmax"}
    assert {(each.dtype, each.size, each.where) for each in found} == {
        ("float32", 4096 * 1000, "softmax (4096, 1000)")
    }
    assert all(each.threads >= 32 and each.blocks >= PROCESSORS for each in found)


def test_a_launch_that_does_not_fit_is_named():
    (each, *_) = asked(lambda: run_zeros(Given("gelu", ((64,),)), "float32"), "gelu")
    row = Assembled("gelu", "float32", "sm_90", 32, 0, 0, 0, 0, (), 0.0)
    assert faults(each._replace(threads=1024), row) == []
    wide = each._replace(threads=1024), row._replace(registers=65)
    assert faults(*wide) == ["73728 registers of a block"]
    bad = row._replace(shared=SHARED + 1, spilled=8, doubles=1)
    assert len(faults(each._replace(threads=1056, blocks=2**31), bad)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_operations_ask_for_fits_a_gpu(family, dtype):
    demand(toolkit())
    wrong = []
    for each in [each for each in codes(family) if each.dtype == dtype][::EVERY]:
        row = assembled(each.kernel, dtype, "sm_90", each.options, threads=each.threads)
        if found := faults(each, row):
            wrong.append(said(each, found))
    assert wrong == []


@pytest.mark.slow
def test_large_operations_keep_all_multiprocessors_busy():
    """What reads or writes millions of numbers is launched in a block for each, but for the kernels of `FEW`."""
    few = {
        each.kernel.name: said(each, [f"{each.blocks} blocks for {each.size} numbers"])
        for each in everything()
        if each.size >= LARGE and each.blocks < PROCESSORS
    }
    assert few.keys() <= FEW.keys(), [few[name] for name in few.keys() - FEW.keys()]
    assert FEW.keys() <= few.keys(), f"no longer few: {FEW.keys() - few.keys()}"
