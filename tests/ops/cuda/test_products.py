"""Products on a device against numpy: matmul, linear, dot, outer, tensordot and einsum, values and flows."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import product as every
from typing import Any

import numpy as np
import pytest

from ops.cuda import native
from ops.cuda.kernel import NOTHING, Launch
from ops.cuda.products import stacks as products_stacks
from ops.cuda.products.family import NATIVE
from ops.cuda.products.stacks import TILES, depth_of, product, splits_of, summed_product
from ops.cuda.products.trials import PRODUCT
from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET, Interpreting
from ops.primitive import NUMBERS, PRIMITIVES, Sample
from tests.ops.cuda.ptx import TARGETS, assembled
from tests.ops.cuda.toolkit import WORD, toolkit

TURNED = list(every((False, True), repeat=2))
DTYPES = ("float32", "float64")
ULPS = 16
"""Of the largest element: the order of a sum is not numpy's."""


def there(x: Any, dtype: Any = None, device: Any = INTERPRET) -> Any:
    return x if type(x) in NUMBERS else array(device, np.asarray(x, dtype))


def assert_close(got: Any, want: Any, ulps: float = ULPS) -> None:
    """Shape and dtype equal, and the numbers within ulps of the largest; NaN and inf in the same places."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    finite = np.isfinite(want)
    assert np.array_equal(got[~finite], want[~finite], equal_nan=True)
    step = np.spacing(np.abs(want[finite]).max(initial=1))
    assert np.abs(got[finite] - want[finite]).max(initial=0) <= ulps * step


def assert_as_on_the_host(name: str, sample: Sample, dtype: str | None) -> bool:
    """Value and flows of an operation are those of numpy; whether the value was computed by kernels.

    dtype: of all operands; None if each has its own.
    """
    op = PRIMITIVES[name]
    hosts = [x if type(x) in NUMBERS else np.asarray(x, dtype)[()] for x in sample.args]
    inputs, params = op.bind(tuple(hosts), sample.params)
    want, saved = op.run(inputs, params)
    devices = [there(x, dtype) for x in inputs]
    computed = native.compute(op, devices, params)
    assert_close(computed.value, want)
    g = np.random.default_rng(1).normal(size=np.shape(want)).astype(np.asarray(want).dtype)
    wanted = [type(x) not in NUMBERS and x.dtype.kind == "f" for x in inputs]
    flows = op.pull_back(g, want, inputs, wanted, params, saved)
    found = native.pull(op, there(g), computed.value, devices, wanted, params)
    for flow, one in zip(flows, found, strict=True):
        assert (flow is None) == (one is None)
        if flow is not None:
            assert_close(one, flow)
    return not computed.host


CASES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name in NATIVE
    for number, sample in enumerate(PRIMITIVES[name].samples(np.random.default_rng(7)))
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "sample"), CASES)
def test_a_product_and_its_flows_are_those_of_numpy(name: str, sample: Sample, dtype: str) -> None:
    assert assert_as_on_the_host(name, sample, dtype) != _left_to_the_host(sample)


MIXED = [("f4", "f8"), ("f8", "f4"), ("f4", "i8"), ("?", "f4")]


@pytest.mark.parametrize("dtypes", MIXED, ids=str)
@pytest.mark.parametrize(
    ("name", "shapes", "params"),
    [
        ("matmul", ((2, 3, 4), (4, 5)), {}),
        ("matmul", ((4,), (4, 2)), {}),
        ("linear", ((3, 4), (2, 4)), {}),
        ("dot", ((3, 4), (4, 2)), {}),
        ("outer", ((3,), (4,)), {}),
        ("tensordot", ((3, 4), (4, 2)), {"axes": 1}),
        ("einsum", ((3, 4), (4, 2)), {"equation": "ij,jk->ik"}),
        ("concatenate", ((3, 4), (2, 4)), {}),
        ("stack", ((3,), (3,)), {}),
    ],
    ids=str,
)
def test_operands_of_several_dtypes_meet_on_the_device_as_numpy_promotes_them(
    name: str, shapes: Any, params: Any, dtypes: Any
) -> None:
    rng = np.random.default_rng(3)
    pairs = zip(shapes, dtypes, strict=True)
    sample = Sample(tuple((3 * rng.normal(size=s)).astype(d) for s, d in pairs), params)
    assert assert_as_on_the_host(name, sample, None)


def test_a_wider_bias_widens_the_sum_but_not_the_product() -> None:
    rng = np.random.default_rng(4)
    x, weight = (rng.normal(size=(3, 3)).astype("float32") for _ in range(2))
    bias = rng.normal(size=3)
    whole = Sample((np.rint(x), np.rint(weight), bias))  # whose float32 product is exact anywhere
    assert assert_as_on_the_host("linear", whole, None)
    narrow = PRIMITIVES["linear"](there(x), there(weight)).numpy()
    found = PRIMITIVES["linear"](there(x), there(weight), there(bias)).numpy()
    assert np.array_equal(found, narrow + bias)


def _left_to_the_host(sample: Sample) -> bool:
    """A sum over axes of a Python number; in index notation diagonals, axes that are stretched, three operands."""
    equation = sample.params.get("equation")
    if equation is None:
        return "axes" in sample.params and type(sample.args[0]) is float
    stretched = (2, 1, 3) in map(np.shape, sample.args) or (3, 1) in map(np.shape, sample.args)
    return stretched or equation in ("ii", "iji->ji", "ijij,j->i", "ij,jk,k->i", ",i,->i")


# ----- shapes


@pytest.mark.parametrize(("ta", "tb"), TURNED)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((), ()),
        ((3,), ()),
        ((), (3,)),
        ((2, 1), (4,)),
        ((2, 3), (2, 3)),
        ((2, 1, 2), (1, 3, 1)),  # an axis in the middle is stretched: that one is copied
        ((0,), (1,)),
    ],
)
def test_stacks_broadcast_and_operands_are_read_transposed(
    left: Any, right: Any, ta: bool, tb: bool
) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(*left, 5, 7)), rng.normal(size=(*right, 7, 3))
    a, b = (np.swapaxes(x, -1, -2) if ta else x), (np.swapaxes(y, -1, -2) if tb else y)
    assert_close(product(there(a), there(b), ta=ta, tb=tb), x @ y)


@pytest.mark.parametrize(
    ("left", "right"), [((3,), ()), ((), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (2, 3))]
)
def test_the_flow_of_a_stretched_stack_is_summed(left: Any, right: Any) -> None:
    rng = np.random.default_rng(0)
    sample = Sample((rng.normal(size=(*left, 2, 5)), rng.normal(size=(*right, 5, 3))))
    assert assert_as_on_the_host("matmul", sample, "float64")


@pytest.mark.parametrize(("ta", "tb"), TURNED)
def test_a_sum_over_a_stack_is_one_product(ta: bool, tb: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, 2, 4, 6)), rng.normal(size=(3, 2, 6, 5))
    a, b = (np.swapaxes(x, -1, -2) if ta else x), (np.swapaxes(y, -1, -2) if tb else y)
    assert_close(summed_product(there(a), there(b), ta=ta, tb=tb), (x @ y).sum(0))


@pytest.mark.parametrize("shape", [(3, 0, 2), (0, 4, 2), (3, 4, 0), (0, 0, 0), (1, 1, 9)])
def test_a_product_over_nothing_is_zero_and_one_of_nothing_is_empty(shape: Any) -> None:
    rows, length, columns = shape
    x, y = np.ones((rows, length)), np.ones((length, columns))
    assert_close(product(there(x), there(y)), x @ y)
    assert assert_as_on_the_host("matmul", Sample((x, y)), "float32")


@pytest.mark.parametrize("bad", [((2, 3), (4, 2)), ((2, 2, 3), (3, 3, 2)), ((), (2,))])
def test_shapes_that_do_not_fit_are_told_as_on_the_host(bad: Any) -> None:
    x, y = (np.ones(shape) for shape in bad)
    matmul = PRIMITIVES["matmul"]
    assert refusal(matmul, there(x), there(y)) == refusal(matmul, x, y)


def refusal(call: Callable[..., Any], *args: Any, **params: Any) -> str:
    """What a call says that is refused."""
    try:
        call(*args, **params)
    except ValueError as error:
        return str(error)
    return pytest.fail("was not refused")


# ----- numbers


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_inf_go_through(dtype: str) -> None:
    x, y = np.ones((3, 40), dtype), np.ones((40, 4), dtype)
    x[0, 33], x[1, 7], y[39, 2] = np.nan, np.inf, -np.inf
    with np.errstate(all="ignore"):
        want = x @ y
    assert np.isnan(want).sum() == 5
    assert np.isinf(want).sum() == 4
    assert_close(product(there(x), there(y)), want)
    shape = (1, 1, 3, 4)
    assert_close(_tiled(x, y, shape, Launch(1, 64), per=2, depth=8)[0, 0], want)


def _tiled(x: Any, y: Any, shape: Any, launch: Launch, **options: Any) -> Any:
    """The product by the kernel of tiles."""
    out = np.full(shape, np.nan, x.dtype)
    numbers = [x.shape[-1], 1, 1, 0, 1, 1, 0, 1]
    arguments = [x.reshape(-1), y.reshape(-1), out, *numbers]
    INTERPRET.launch(PRODUCT, x.dtype, launch, arguments, options)
    return out


def test_a_tile_gives_the_bits_of_one_thread_an_element() -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=s).astype("float32") for s in ((9, 35), (35, 10)))
    small = product(there(x), there(y)).numpy()
    for launch, options in (
        (Launch(1, 16), {"per": 2, "depth": 8}),
        (Launch(2, 64), {"per": 1, "depth": 16}),
        (Launch(1, 64), {"per": 2, "depth": 4}),
    ):
        assert _tiled(x, y, (1, 1, 9, 10), launch, **options).tobytes() == small.tobytes()


class Watching(Interpreting):
    """A device that keeps the launches."""

    def __init__(self) -> None:
        super().__init__()
        self.launches: list[Any] = []

    def launch(
        self, kernel: Any, dtype: Any, launch: Any, arguments: Any, options: Any = NOTHING
    ) -> None:
        self.launches.append((kernel.name, options.get("per"), [np.shape(x) for x in arguments]))
        super().launch(kernel, dtype, launch, arguments, options)


def test_a_long_sum_is_split_by_shape_and_added_in_two_stages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(products_stacks, "LONG", 64)
    monkeypatch.setattr(products_stacks, "STRETCH", 2)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 70)), rng.normal(size=(70, 1))
    device = Watching()
    assert_close(product(there(x, device=device), there(y, device=device)), x @ y)
    (first, per, shapes), (second, _, parts) = device.launches
    assert (first, per, shapes[2]) == ("product", 1, (2, 1, 2, 1))
    assert (second, parts) == ("add_splits", [(2, 2), (2,)])


def test_a_split_fills_the_gpu_and_is_not_made_where_tiles_do() -> None:
    assert splits_of(tiles=1024, steps=512, per=8) == 1
    assert splits_of(tiles=64, steps=512, per=8) == 4
    assert splits_of(tiles=1, steps=10**6, per=8) == 264
    assert splits_of(tiles=1, steps=31, per=1) == 1


def test_a_square_of_512_runs_on_nearly_every_multiprocessor_and_its_splits_are_added_by_many_lanes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = Watching()
    launches: list[tuple[str, Launch]] = []
    monkeypatch.setattr(device, "interprets", False, raising=False)
    monkeypatch.setattr(
        device,
        "launch",
        lambda kernel, dtype, launch, *rest: launches.append((kernel.name, launch)),
    )
    for rows, length in ((512, 512), (64, 100_000)):
        x, y = (array(device, np.zeros(s, "float32")) for s in ((rows, length), (length, rows)))
        product(x, y)
        (first, tiles), (second, sums) = launches[-2:]
        assert (first, second) == ("product", "add_splits")
        assert tiles.blocks >= 128
        assert sums.blocks * sums.threads >= 128 * 256


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "length", "columns", "per"), [(130, 33, 70, 8), (66, 65, 62, 4)])
def test_the_tiles_of_a_gpu_give_numpys_numbers(
    rows: int, length: int, columns: int, per: int
) -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=s).astype("float32") for s in ((rows, length), (length, columns)))
    device = Watching()
    device.interprets = False  # it chooses as for a GPU
    for ta, tb in TURNED:
        a, b = there(x.T if ta else x, device=device), there(y.T if tb else y, device=device)
        assert_close(product(a, b, ta=ta, tb=tb), x @ y)
    assert [used for _, used, _ in device.launches] == [per] * 4


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_tile_compiles_into_registers_alone(dtype: str, target: str) -> None:
    if toolkit() is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(WORD)
    for (_, per), (ta, tb) in every(TILES, TURNED):
        options = {"per": per, "depth": depth_of(per, dtype), "ta": ta, "tb": tb}
        row = assembled(PRODUCT, dtype, target, options)
        assert (row.spilled, row.stack) == (0, 0)
        assert dtype == "float64" or row.doubles == 0


@pytest.mark.parametrize("equation", ["ij,jk->ik", "ji,jk->ik", "ij,kj->ik", "bji,bkj->bik"])
def test_an_einsum_in_the_order_of_matrices_is_one_product_and_no_copy(equation: str) -> None:
    device = Watching()
    shape = (2, 3, 3) if "b" in equation else (3, 3)
    x, y = (array(device, np.arange(18.0)[: np.prod(shape)].reshape(shape)) for _ in range(2))
    PRIMITIVES["einsum"](x, y, equation=equation)
    assert [name for name, _, _ in device.launches] == ["small_product"]
    assert device.fetched == 0


# ----- the library


class Library(Watching):
    """A device with a library of products."""

    def __init__(self) -> None:
        super().__init__()
        self.products = 0

    def matmul(self, a: Any, b: Any, out: Any) -> bool:
        self.products += 1
        np.matmul(a, b, out=out)
        return True


@pytest.mark.parametrize("name", ["matmul", "linear", "tensordot"])
def test_where_there_is_a_library_it_multiplies_and_operands_are_not_copied(name: str) -> None:
    device = Library()
    op = PRIMITIVES[name]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4))
    y = rng.normal(size=(2, 4) if name == "linear" else (4, 2))
    inputs, params = op.bind((x, y), {"axes": 1} if name == "tensordot" else {})
    there_too = [there(each, device=device) for each in inputs]
    out = op(*there_too, **params)
    want, saved = op.run(inputs, params)
    assert_close(out, want)
    g = rng.normal(size=want.shape)
    wanted = [type(each) is DeviceArray for each in there_too]
    found = native.pull(op, there(g, device=device), out, there_too, wanted, params)
    for flow, one in zip(op.pull_back(g, want, inputs, wanted, params, saved), found, strict=True):
        if flow is not None:
            assert_close(one, flow)
    assert device.products == 3
    if name != "tensordot":  # whose rule transposes
        assert device.launches == []
