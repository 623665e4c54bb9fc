"""Every kernel compiles for a GPU without one: to PTX by Numba, assembled by `ptxas`, within what is written down."""

from __future__ import annotations

import os

import pytest

from ops.cuda.kernel import FAMILIES, Kernel, kernels
from tests.ops.cuda.ptx import (
    DTYPES,
    TARGETS,
    Assembled,
    assembled,
    budgets,
    compiled,
    variants,
)
from tests.ops.cuda.toolkit import TRY, WORD, Toolkit, places, toolkit, toolkit_in

LIBDEVICE = {"sin": 16, "cos": 16, "tan": 16}
"""NVIDIA's own `sinf` reduces large angles in float64: so often in the PTX of the kernels whose names begin so."""
AGAIN = "if that is meant: python -m tests.ops.cuda.ptx --record"
FIRST = {kernel.family: name for name, kernel in reversed(kernels().items())}


def demand(found: Toolkit | None) -> None:
    """Skip where no toolkit is found; in `.ci/run`, which installs one, that is a failure."""
    if found is None:
        refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        refuse(f"{WORD}\n  try: {TRY}")


@pytest.fixture
def compiler() -> None:
    demand(toolkit())


def assert_fits(row: Assembled) -> None:
    """No spills, no floats of another width, no float atomics, and no more than is written down."""
    case = f"{row.kernel} {row.dtype} {row.target}"
    assert row.spilled == 0, f"{case} spills {row.spilled} bytes of registers to memory"
    allowed = LIBDEVICE.get(row.kernel.partition("_")[0], 0)
    assert row.dtype == "float64" or row.doubles <= allowed, (
        f"{case} computes in float64 ({row.doubles} times): a constant is not T(...), or int/int, or int * float"
    )
    assert row.atomics == (), f"{case} adds floats in no fixed order: {row.atomics}"
    written = budgets().get(row.kernel, {}).get(f"{row.dtype} {row.target}")
    assert written is not None, f"{case} has no budget\n{AGAIN}"
    assert row.budget[0] <= written[0], f"{case} takes {row.registers} registers\n{AGAIN}"
    assert row.budget[1] <= written[1], f"{case} takes {row.stack} bytes of local memory\n{AGAIN}"


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_kernel_of_each_family_compiles(family):
    kernel = kernels()[FIRST[family]]
    label, options = next(iter(variants(kernel).items()))
    assert_fits(assembled(kernel, "float32", "sm_90", options, label))


def _scaled(cuda, math, T, threads, *, literal):
    """A tenth of x; with `literal`, written with a constant that is not T(...)."""
    tenth = 0.1 if literal else T(0.1)

    def kernel(x, out):
        out[0] = tenth * x[0]

    return kernel


def _summed(cuda, math, T, threads):
    """The sum of x, in whatever order the threads come."""

    def kernel(x, out):
        cuda.atomic.add(out, 0, x[cuda.grid(1)])

    return kernel


def _kept(cuda, math, T, threads):
    """An array of each thread, indexed by what only the GPU knows: it cannot lie in registers."""

    def kernel(x, out):
        kept = cuda.local.array(200, T)
        for i in range(8):
            kept[int(x[i]) % 200] = x[i]
        out[0] = kept[int(x[0]) % 200]

    return kernel


def _row(build, **options):
    kernel = Kernel(build.__name__, "", build, "T[:] T[:]", lambda rng, T: (), options=options)
    return assembled(kernel, "float32", "sm_90")


@pytest.mark.usefixtures("compiler")
def test_a_constant_of_the_wrong_type_is_noticed():
    assert _row(_scaled, literal=True).doubles > 0
    assert _row(_scaled, literal=False).doubles == 0


@pytest.mark.usefixtures("compiler")
def test_an_atomic_sum_of_floats_is_noticed():
    assert "atom" in _row(_summed).atomics[0]


@pytest.mark.usefixtures("compiler")
def test_local_memory_is_noticed():
    assert _row(_kept).stack >= 800


@pytest.mark.usefixtures("compiler")
def test_a_kernel_over_its_budget_is_refused(monkeypatch):
    row = _row(_scaled, literal=False)
    for most, said in (([256, 0], None), ([0, 0], "registers"), ([256, -1], "local memory")):
        monkeypatch.setattr(
            "tests.ops.cuda.test_compiled.budgets",
            lambda most=most: {row.kernel: {"float32 sm_90": most}},
        )
        if said is None:
            assert_fits(row)
        else:
            with pytest.raises(AssertionError, match=said):
                assert_fits(row)


@pytest.mark.usefixtures("compiler")
def test_a_kernel_that_spills_is_refused():
    with pytest.raises(AssertionError, match="spills 8 bytes"):
        assert_fits(_row(_scaled, literal=False)._replace(spilled=8))


@pytest.mark.usefixtures("compiler")
@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", kernels())
def test_every_kernel_compiles_with_each_of_its_options(name, dtype, target):
    for row in compiled(name, dtype, target):
        assert_fits(row)


@pytest.mark.slow
def test_a_budget_is_written_down_for_the_kernels_that_there_are():
    assert set(budgets()) == {
        label for kernel in kernels().values() for label in variants(kernel)
    }, AGAIN


@pytest.mark.parametrize(
    "layout",
    [
        ("nvvm/lib64/libnvvm.so.4.0.0", "nvvm/libdevice/libdevice.10.bc", "bin/ptxas"),
        ("lib/libnvvm.so.4", "nvvm/libdevice/libdevice.10.bc", "bin/ptxas"),
    ],
    ids=["installer", "wheels"],
)
def test_a_toolkit_is_found_whole_or_not_at_all(tmp_path, layout):
    for missing in layout:
        for file in layout:
            (tmp_path / missing / file).parent.mkdir(parents=True)
            if file != missing:
                (tmp_path / missing / file).touch()
        assert toolkit_in(tmp_path / missing) is None
        (tmp_path / missing / missing).touch()
        assert toolkit_in(tmp_path / missing) == tuple(tmp_path / missing / file for file in layout)


def test_wheels_and_what_the_environment_names_are_searched(tmp_path, monkeypatch):
    (tmp_path / "nvidia" / "cu13").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("CUDA_HOME", "/opt/somewhere")
    found = list(map(str, places()))
    assert found[0] == str(tmp_path / "nvidia" / "cu13")
    assert found.index("/opt/somewhere") < found.index("/usr/local/cuda")


@pytest.mark.parametrize(
    ("ci", "said"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_no_toolkit_is_a_failure_in_ci_and_a_skip_elsewhere(monkeypatch, ci, said):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(said, match="no CUDA toolkit was found"):
        demand(None)
