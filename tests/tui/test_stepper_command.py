"""`gradstep kernel` without a screen: lists, pages, documents, a user's own kernels, and what is said of mistakes."""

from __future__ import annotations

import json

import pytest

from ops.cuda.kernel import FAMILIES, kernels
from tui.stepper.listing import ABOUT

KERNELS = '''
import math

import numba
import numpy as np
from numba import cuda, float32


@cuda.jit(device=True)
def doubled(v):
    return v * float32(2)


@cuda.jit
def reduce(x, out):
    """The sum of doubled absolute values."""
    part = cuda.shared.array(32, float32)
    t = cuda.threadIdx.x
    total = float32(0)
    for i in range(t, x.size, cuda.blockDim.x):
        total += doubled(math.fabs(x[i]))
    part[t] = total
    cuda.syncthreads()
    if t == 0:
        for k in range(1, cuda.blockDim.x):
            part[0] += part[k]
        out[0] = part[0]


reduce_example = (1, 32, (-np.arange(50, dtype=np.float32), np.zeros(1, np.float32)))


def scale(x, a):
    x[cuda.grid(1)] *= a


def scale_example():
    return 2, 32, (np.ones(50, np.float32), 2.0)


def build(cuda, math, T, threads):
    half = T(0.5)

    def kernel(x):
        i = cuda.grid(1)
        if i < x.size:
            x[i] = half

    return kernel


build_example = (1, 64, (np.zeros(40),))


@cuda.jit
def broken(x):
    x[0] = nowhere


broken_example = (1, 1, (np.zeros(1, np.float32),))


@cuda.jit
def lonely(x, y):
    x[0] = y[0]


@cuda.jit
def short(x, y):
    x[0] = y[0]


short_example = (1, 32, (np.zeros(1),))


def loop(x):
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        x[i] = math.exp(x[i])


loop_example = (2, 32, (np.zeros(70),))


def tile(x, out):
    s = cuda.shared.array((8, 8), numba.float64)
    i, j = cuda.grid(2)
    ty, tx = cuda.threadIdx.y, cuda.threadIdx.x
    if i < x.shape[0] and j < x.shape[1]:
        s[tx, ty] = x[i, j]
        out[j, i] = s[ty, tx]


tile_example = ((2, 2), (8, 8), (np.zeros((10, 15)), np.zeros((15, 10))))
'''


@pytest.fixture
def mine(script):
    """A file of kernels as users of Numba write them."""
    return script(KERNELS, "mine.py")


PAGE = """\
reduce · float32, 1 block of 4 threads, reduce_example
block 0, step 40/43, 1 barrier passed, warp 0

▸warp 0 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╍╍╍╍╍━━━━┃━━━╍╍╍╍╍╍╍╍╍╍╍╍╍◆╌╌╌╌──
  epoch 0                                                                             1

      14 @cuda.jit
      15 def reduce(x, out):
      16     \"\"\"The sum of doubled absolute values.\"\"\"
      17     part = cuda.shared.array(32, float32)
      18     t = cuda.threadIdx.x
      19     total = float32(0)
      20     for i in range(t, x.size, cuda.blockDim.x):
      21         total += doubled(math.fabs(x[i]))
      22     part[t] = total
      23     cuda.syncthreads()
      24     if t == 0:
      25         for k in range(1, cuda.blockDim.x):
  1 ▶ 26             part[0] += part[k]
      27         out[0] = part[0]

lane 0, 1 of 4 runs line 26
lane 0 reads part[0]
lane 0 reads part[3]
lane 0 writes part[0]
lane 0: part[0] → 1850, part[3] → 600, part[0] ← 2450 (was 1850)
· lanes 1–3 wait for the others at the end

registers of warp 0: threads 0–3
lane:    [0]     1     2     3
           ▼     ·     ·     ·
t          0     1     2     3  0
total    624   650   576   600  624
i         48    49    46    47  48
same in all lanes:  k 3

shared memory part float32[32] 0…2450
       0     1     2     3     4     5     6     7     8     9    10    11    12    13    14    15
 0 [2450↔   650   576→  600     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·
16      ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·
part[0] = 2450  written by thread 0 (warp 0, lane 0) at line 26, step 40
"""


# ----- the list


def test_the_list_has_every_family_with_its_kernels_and_what_they_compute(gradstep):
    status, out, err = gradstep("kernel")
    assert (status, err) == (0, "")
    known = kernels()
    for family in {kernel.family for kernel in known.values()}:
        assert f"{family}  {ABOUT[family]}" in out
    small = [k for k in known.values() if k.family == "norms"]
    assert all(f"  {kernel.name} " in out for kernel in small)
    assert set(ABOUT) == set(FAMILIES)


def test_the_list_is_a_document_too(gradstep):
    status, out, _ = gradstep("kernel", "--json")
    listed = json.loads(out)
    assert status == 0
    assert [one["name"] for one in listed] == list(kernels())
    assert all(one["doc"] for one in listed)


def test_a_family_lists_each_kernel_with_a_line(gradstep):
    _, out, _ = gradstep("kernel", "elementwise")
    assert "gelu_value_f" in out


# ----- a page


def test_a_page_of_a_small_reduction_reads_as_written_here(gradstep, mine):
    status, out, err = gradstep(
        "kernel", f"{mine}:reduce", "--threads", "4", "--step", "40", "--text"
    )
    assert (status, err) == (0, "")
    assert out == PAGE


def test_a_launch_without_a_terminal_says_so_and_prints_the_page(gradstep, mine):
    status, out, err = gradstep("kernel", f"{mine}:reduce")
    assert status == 0
    assert err == "gradstep: no terminal to open the debugger in, so here is what --text prints\n"
    assert "shared memory part float32[32] 0…2450" in out
    assert "reduce · float32, 1 block of 32 threads, reduce_example" in out


def test_a_step_can_be_asked_for(gradstep, mine):
    _, out, _ = gradstep("kernel", f"{mine}:reduce", "--text", "--step", "4")
    assert "step 4/" in out
    assert "all 32 lanes run line 19" in out


def test_a_document_tells_registers_shared_memory_and_the_fault(gradstep, mine):
    status, out, _ = gradstep("kernel", f"{mine}:reduce", "--json", "--without-barrier", "0")
    found = json.loads(out)
    assert status == 1
    assert found["fault"]["kind"] in ("race", "uninitialised")
    assert found["fault"]["array"] == "part"
    assert len(found["registers"]["total"]) == 32
    assert set(found["shared"]) == {"part"}


def test_trials_and_barriers_are_listed(gradstep):
    status, out, _ = gradstep("kernel", "column_moments", "--trial")
    assert status == 0
    assert out.count("▸") == 1
    assert "float32[" in out
    status, out, _ = gradstep("kernel", "column_moments", "--without-barrier")
    assert status == 0
    assert out.count("cuda.syncthreads()") == 2


# ----- kernels of the user's


def test_a_kernel_written_for_numba_runs_with_its_device_functions_and_types(gradstep, mine):
    status, out, _ = gradstep("kernel", f"{mine}:reduce", "--text")
    assert status == 0
    assert "all 32 lanes end" in out
    _, out, _ = gradstep("kernel", f"{mine}:reduce", "--json")
    assert json.loads(out)["shared"]["part"][0] == 2450.0


def test_an_index_out_of_bounds_of_a_users_kernel_is_named_and_the_status_is_1(gradstep, mine):
    status, out, _ = gradstep("kernel", f"{mine}:scale", "--text")
    assert status == 1
    assert "x[50] is out of bounds" in out
    assert "thread 18" in out
    assert "✗" in out


def test_a_function_that_builds_a_kernel_runs_too(gradstep, mine):
    status, out, _ = gradstep("kernel", f"{mine}:build", "--text")
    assert status == 0
    assert "float64" in out
    assert "they part" not in out


def test_a_plain_function_with_math_of_its_file_runs(gradstep, mine):
    status, out, _ = gradstep("kernel", f"{mine}:loop", "--json")
    assert status == 0
    assert json.loads(out)["dtype"] == "float64"


def test_blocks_and_grids_of_two_axes_run_and_threads_are_named_by_both(gradstep, mine):
    status, out, _ = gradstep("kernel", f"{mine}:tile", "--text")
    assert status == 1
    assert "2×2 blocks of 8×8 threads" in out
    assert "race on s[0, 1]" in out
    assert out.count("thread (0, 1)") == 2


def test_what_a_kernel_raises_is_shown_as_python_shows_it(gradstep, mine):
    status, _, err = gradstep("kernel", f"{mine}:broken", "--text")
    assert status == 1
    assert "NameError: name 'nowhere' is not defined" in err
    assert "tui/stepper" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("colum_moments",), "there is no kernel 'colum_moments'\n  try: column_moments"),
        (("column_moments", "--step", "99999"), "there is no step 99999\n  try: --step "),
        (("column_moments", "--block", "7"), "so there is no block 7\n  try: --block 1"),
        (
            ("column_moments", "--trial", "99"),
            "none of them is '99'\n  try: gradstep kernel column_moments --trial",
        ),
        (
            ("column_moments", "--without-barrier", "9"),
            "column_moments has barriers 0 to 1\n  try: ",
        ),
        (
            ("column_moments", "--dtype", "float16"),
            "no kernel is built for float16\n  try: --dtype float32",
        ),
        (
            ("column_moments", "--threads", "2000"),
            "a block has at most 1024 threads, not 2000\n  try: ",
        ),
        (("mine.py",), "which kernel of mine.py?\n  try: mine.py:reduce"),
        (("mine.py:redcue",), "mine.py has no kernel 'redcue'\n  try: mine.py:reduce"),
        (
            ("mine.py:lonely",),
            "mine.py has no lonely_example\n  try: lonely_example = (2, 64, (x, y,))",
        ),
        (("mine.py:short",), "short takes 2 arguments, and short_example gives 1\n  try: "),
        (("none.py:reduce",), "no file none.py"),
    ],
)
def test_a_mistake_is_said_in_a_sentence_with_one_thing_to_try(
    gradstep, mine, monkeypatch, words, said
):
    monkeypatch.chdir(mine.parent)
    status, _, err = gradstep("kernel", *words, "--text")
    assert status == 2
    assert said in err
