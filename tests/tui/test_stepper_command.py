"""`gradstep kernel` without a screen: lists, pages, documents, a user's own kernels, and what is said of mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ops.cuda.kernel import FAMILIES, kernels
from tui.scripts import UsageError
from tui.stepper.examples import taken
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
block 0 of 1, step 66/69, 1 barrier passed, warp 0

▸warp 0 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╍╍╍╍╍╍━━┃━━╍╍╍╍╍╍╍◆╌╌╌─
  epoch 0                                                                                      1

      10 def doubled(v):
      11     return v * float32(2)
┄┄┄┄┄┄┄┄┄
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
lane:           [0]     1     2     3  lane 0
                  ▼     ·     ·     ·
t                 0     1     2     3  0
total           624   650   576   600  624
i                48    49    46    47  48
same in all lanes:  k 3

shared memory part float32[32] 0…2450
        0     1     2     3     4     5     6     7     8     9    10    11    12    13    14    15
 0  ↔2450   650   576→  600     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·
16      ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·     ·
part[0] = 2450  written by thread 0 (warp 0, lane 0) at line 26, step 66

result out float32[1]
0         2450
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
        "kernel", f"{mine}:reduce", "--threads", "4", "--step", "66", "--text"
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


def test_what_a_kernel_raises_is_a_fault_with_its_thread_and_line(gradstep, mine):
    status, out, err = gradstep("kernel", f"{mine}:broken", "--text")
    assert (status, err) == (1, "")
    assert "NameError: name 'nowhere' is not defined" in out
    assert "Traceback" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("colum_moments",), "there is no kernel 'colum_moments'\n  try: column_moments"),
        (("column_moments", "--step", "99999"), "there is no step 99999\n  try: --step "),
        (("",), "which kernel?\n  try: gradstep kernel, which lists them"),
        (("mine.py:nothere",), "mine.py has no kernel 'nothere'\n  try: mine.py:reduce or :scale"),
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
            "mine.py has no lonely_example\n"
            "  try: lonely_example = (2, 64, (np.zeros(100, np.float32), np.zeros(100, np.float32)))",
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


# ----- files that ask for a GPU, and layouts

HARD = """
import numpy as np
from numba import cuda, float32


@cuda.jit("void(float32[:], float32[:])")
def signed(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = 2 * x[i]


on_device = cuda.to_device(np.arange(20, dtype=np.float32))
signed[1, 32](on_device, cuda.device_array(20, np.float32))


@cuda.jit
def turned(x, out):
    i = cuda.grid(1)
    out[i] = x[i, 2]


turned_example = (1, 32, (np.zeros((32, 8), np.float32, order="F"), np.zeros(32, np.float32)))


@cuda.jit
def apart(x, out):
    i = cuda.grid(1)
    out[i] = x[i]


apart_example = (1, 32, (np.zeros(320, np.float32)[::10], np.zeros(32, np.float32)))
behind_example = (1, 32, (np.zeros(33, np.float32)[1:], np.zeros(32, np.float32)))
behind = apart


@cuda.jit
def shifted(x, out):
    i = cuda.grid(1)
    if i < x.size - 1:
        out[i] = x[i + 1]


one = np.arange(64, dtype=np.float32)
shifted_example = (1, 64, (one, one))


@cuda.jit
def lapping(x, out):
    i = cuda.grid(1)
    out[i] = x[i]


lapping_example = (1, 63, (one[1:], one[:-1]))


@cuda.jit
def dynamic(x):
    s = cuda.shared.array(0, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncthreads()
    x[t] = s[31 - t]


dynamic_example = (1, 32, 0, 128, (np.arange(32, dtype=np.float32),))


@cuda.jit
def usual(x, a=3.0):
    x[cuda.grid(1)] = a


usual_example = (1, 32, (np.zeros(32, np.int32),))


def made(scale):
    @cuda.jit
    def scaled(x):
        x[cuda.grid(1)] = scale * cuda.grid(1)

    return scaled


@cuda.jit(device=True)
def neighbour(s, t):
    s[t] = s[t + 1]


@cuda.jit
def hidden(x):
    t = cuda.grid(1)
    neighbour(x, t)


hidden_example = (1, 32, (np.zeros(33, np.float32),))


@cuda.jit
def useless(x):
    cuda.syncthreads()
    x[cuda.grid(1)] = 1


useless_example = (1, 32, (np.zeros(32, np.float32),))
"""


@pytest.fixture
def hard(tmp_path):
    """A file of kernels that are compiled, copied and launched while it is imported."""
    pytest.importorskip("numba")
    file = tmp_path / "hard.py"
    file.write_text(HARD)
    return file


def test_a_decorator_with_a_signature_and_a_launch_ask_for_no_gpu_when_the_file_is_imported(
    gradstep, hard
):
    status, out, err = gradstep("kernel", f"{hard}:signed", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["trial"] == f"as {hard} launches it"
    assert found["results"]["out"]["values"] == [2.0 * k for k in range(20)]


def test_numba_is_as_it_was_after_a_file_was_imported(gradstep, hard):
    from numba import cuda

    before = cuda.jit, cuda.to_device
    gradstep("kernel", f"{hard}:signed", "--json")
    assert (cuda.jit, cuda.to_device) == before


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        ("turned", "32 lanes read x[0…31,2]: 1 segment of 128 bytes, coalesced"),
        (
            "apart",
            "32 lanes read x[0…31]: 10 segments of 128 bytes for 128 bytes of numbers, a stride of 10",
        ),
        ("behind", "32 lanes read x[0…31]: 2 segments of 128 bytes, coalesced but not aligned"),
    ],
)
def test_segments_are_counted_where_the_elements_lie(gradstep, hard, kernel, said):
    _, out, _ = gradstep("kernel", f"{hard}:{kernel}", "--text", "--step", "2")
    assert said in out


def test_the_same_array_twice_is_one_that_can_race(gradstep, hard):
    status, out, _ = gradstep("kernel", f"{hard}:shifted", "--text")
    assert status == 1
    assert "race on out[1]" in out
    assert "argument x = out float32[64]" in out


def test_views_that_overlap_race_where_they_do(gradstep, hard):
    status, out, _ = gradstep("kernel", f"{hard}:lapping", "--text")
    assert status == 1
    assert "race on out[1]" in out
    assert "2 of 32 run line" in out


def test_dynamic_shared_memory_has_the_size_that_the_example_tells(gradstep, hard):
    status, out, _ = gradstep("kernel", f"{hard}:dynamic", "--json")
    assert status == 0
    assert json.loads(out)["results"]["x"]["values"] == [float(31 - k) for k in range(32)]


def test_the_heading_tells_the_dtype_of_the_arguments_and_none_can_be_chosen(gradstep, hard):
    status, out, _ = gradstep("kernel", f"{hard}:usual", "--text")
    assert status == 0
    assert out.startswith("usual · int32, 1 block of 32 threads, usual_example\n")
    status, _, err = gradstep("kernel", f"{hard}:usual", "--dtype", "float64", "--text")
    assert status == 2
    assert "no dtype can be chosen\n  try: without --dtype" in err


def test_a_function_that_returns_a_kernel_is_told_from_one(gradstep, hard):
    status, _, err = gradstep("kernel", f"{hard}:made", "--text")
    assert status == 2
    assert "made is no kernel, but returns one\n  try: mine = made(...)" in err


def test_a_race_in_a_device_function_marks_its_line(gradstep, hard):
    status, out, _ = gradstep("kernel", f"{hard}:hidden", "--text")
    rows = out.splitlines()
    assert status == 1
    assert any("✗" in row and "s[t] = s[t + 1]" in row and "threads 0, 1" in row for row in rows)
    assert not any("✗" in row and "neighbour(x, t)" in row for row in rows)


# ----- barriers and results


def test_another_trial_is_taken_if_the_usual_one_does_not_show_what_a_barrier_is_for(gradstep):
    status, out, _ = gradstep("kernel", "rnn_forward", "--without-barrier", "2", "--text")
    assert status == 1
    assert "without barrier 2" in out.splitlines()[0]
    assert "race on" in out


def test_a_barrier_of_which_no_trial_shows_the_use_is_said_to_be_one(gradstep, hard):
    status, out, _ = gradstep("kernel", f"{hard}:useless", "--without-barrier", "0", "--text")
    assert status == 0
    assert "this launch does not show what barrier 0 is there for" in out


def test_all_barriers_are_taken_away_in_turn(gradstep):
    status, out, _ = gradstep("kernel", "column_slopes", "--without-barrier", "all")
    assert status == 0
    assert out.count("cuda.syncthreads()") == out.count("race on leans") == 2


def test_a_page_ends_with_the_results_and_whether_they_are_as_expected(gradstep):
    _, out, _ = gradstep("kernel", "column_moments", "--text")
    result = next(row for row in out.splitlines() if row.startswith("result part"))
    assert "as expected" in result
    assert "ulp away at most, 4 allowed" in result


def test_a_document_has_the_arguments_and_the_results(gradstep, mine):
    _, out, _ = gradstep("kernel", f"{mine}:reduce", "--json")
    found = json.loads(out)
    assert found["results"]["out"] == {"values": [2450.0], "expected": None, "ulps": None}
    assert found["arguments"]["out"] == [0.0]
    _, out, _ = gradstep("kernel", "column_moments", "--json")
    part = json.loads(out)["results"]["part"]
    assert part["expected"] is True
    assert part["ulps"] <= 4


@pytest.mark.parametrize(
    ("dtype", "said"),
    [
        ([("x", "f4"), ("y", "f4")], "records of x, y.*\n  try: an array for each of x, y"),
        ("c8", "complex64, and the interpreter.*\n  try: x.real and x.imag as two arrays"),
        ("U3", "neither an array of numbers nor a number\n  try: np.zeros"),
    ],
)
def test_arrays_that_the_interpreter_has_not_are_named_with_what_to_try(dtype, said):
    with pytest.raises(UsageError, match=said):
        taken((np.zeros(2, dtype),), dense=False)
