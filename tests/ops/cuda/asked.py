"""Which launches operations ask of a device: at their samples, in the gallery, and at large sizes.

Trials show what a kernel computes; which options, threads and blocks it is launched with where it matters follows from
the shapes that an operation meets. Nothing is launched here: results are zeros that nobody computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, product
from typing import Any, NamedTuple

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.devices.arrays import DeviceArray
from ops.devices.interpreting import INTERPRET, Interpreting
from ops.primitive import PRIMITIVES
from tests.bench.gpu_cases import computed, pulled

DTYPES = ("float32", "float64")
SOLVING = {"solve", "cholesky"}
"""Their flows solve systems of equations, which zeros are no matrix of; the host does that."""


class Asked(NamedTuple):
    """A launch that was asked for."""

    kernel: Kernel
    dtype: str
    threads: int
    options: Mapping[str, Any]
    blocks: int
    size: int
    """Elements of the largest array that it was given."""
    where: str
    """Which computation asked."""

    @property
    def code(self) -> tuple[Any, ...]:
        """By this it is known which launches run the same code, but for the size of their blocks."""
        options = tuple(sorted(self.options.items()))
        return self.kernel.name, self.kernel.build, self.dtype, options


class Given(NamedTuple):
    """An operation at a size: shapes of floats, and of class numbers, with a letter i before them."""

    name: str
    shapes: tuple[Any, ...]
    params: Mapping[str, Any] = NOTHING

    def __str__(self) -> str:
        params = "".join(f", {name}={value}" for name, value in self.params.items())
        return f"{self.name} {', '.join(map(str, self.shapes))}{params}"


def asked(run: Callable[[], object], where: str) -> list[Asked]:
    """What a computation launches."""
    found: list[Asked] = []

    def launch(
        self: Interpreting,
        kernel: Kernel,
        dtype: Any,
        launch: Launch,
        arguments: Sequence[Any],
        options: Mapping[str, Any] = NOTHING,
    ) -> None:
        blocks, size = int(np.prod(launch.blocks)), max(map(np.size, arguments))
        of = np.dtype(dtype).name
        found.append(Asked(kernel, of, launch.threads, dict(options), blocks, size, where))

    with pytest.MonkeyPatch.context() as patched, np.errstate(all="ignore"):
        patched.setattr(Interpreting, "launch", launch)
        patched.setattr(Interpreting, "fetch", lambda self, memory: memory)
        patched.setattr(Interpreting, "empty", lambda self, shape, dtype: np.zeros(shape, dtype))
        # as on a GPU, where no kernel is chosen for being quick to interpret
        patched.setattr(Interpreting, "interprets", False)
        run()
    return found


@cache
def everything() -> tuple[Asked, ...]:
    """All that is asked for."""
    return tuple(chain(at_samples(), in_the_gallery(), at_large_sizes()))


def codes(family: str) -> list[Asked]:
    """Of all that a family of kernels is asked for, each code in its largest blocks, and the most of those."""
    found: dict[Any, Asked] = {}
    for each in everything():
        if each.kernel.family == family:
            known = found.setdefault(each.code, each)
            if (known.threads, known.blocks) < (each.threads, each.blocks):
                found[each.code] = each
    return list(found.values())


def at_samples() -> Iterator[Asked]:
    """Of every operation, at the samples it is tested on, in float32; the gallery computes in float64."""
    for name, op in PRIMITIVES.items():
        for each in op.samples(np.random.default_rng(0)):
            inputs = [_there(x, "float32") for x in each.args]
            if any(type(x) is DeviceArray for x in inputs):
                yield from asked(partial(_both, name, inputs, each.params), f"{name}, a sample")


def in_the_gallery() -> Iterator[Asked]:
    """Of every network of the gallery, forward and backward."""
    for name, entry in GALLERY.items():
        yield from asked(partial(_built, entry), name)


def at_large_sizes() -> Iterator[Asked]:
    """Of operations at sizes that fill a GPU; nothing of that size is ever touched."""
    for given, dtype in product(LARGE, DTYPES):
        yield from asked(partial(run_zeros, given, dtype), str(given))


def run_zeros(given: Given, dtype: str) -> None:
    """An operation and its flows at a size, on zeros that take no memory before they are written."""
    _both(given.name, [_zeros(shape, dtype) for shape in given.shapes], given.params)


def _both(name: str, inputs: Sequence[Any], params: Mapping[str, Any]) -> None:
    """An operation, and its flows."""
    found = computed(name, *inputs, **params)
    out = found.value
    if type(out) is DeviceArray and out.dtype.kind == "f" and name not in SOLVING:
        pulled(name, out, found, *inputs, **params)


def _built(entry: Any) -> None:
    with tr.device("interpret"):
        entry.build().backward()


def _there(x: Any, dtype: str) -> Any:
    if not isinstance(x, np.ndarray):
        return x
    return DeviceArray(INTERPRET, x.astype(dtype) if x.dtype.kind == "f" else x)


def _zeros(shape: Any, dtype: str) -> Any:
    """Zeros of a shape, or class numbers; a number as it is."""
    if type(shape) is not tuple:
        return shape
    whole = shape[:1] == ("i",)
    return DeviceArray(
        INTERPRET, np.zeros(shape[1:], np.int64) if whole else np.zeros(shape, dtype)
    )


MATRICES = (
    (65536, 1024),
    (1000, 7),
    (16,),
    (2**26,),
    (64, 2**20),
    (2**20, 16),
    (64, 100),
    (4096, 50000),
)
GATED = {"rnn_layer": 1, "gru_layer": 3, "lstm_layer": 4}


def _reductions() -> Iterator[Given]:
    for name, shape in product("sum mean max min var std argmax argmin".split(), MATRICES):
        for axis in (None, 0, -1):
            yield Given(name, (shape,), {"axis": axis})
    for axis in (None, 0, -1):
        yield Given("prod", ((4096, 1024),), {"axis": axis})
    for name, shape in product(("softmax", "log_softmax", "logsumexp"), MATRICES):
        for axis in (0, -1):
            yield Given(name, (shape,), {"axis": axis})


def _norms() -> Iterator[Given]:
    for rows, columns in ((65536, 1024), (100, 3), (2**20, 64), (64, 100000)):
        three = ((rows, columns), (columns,), (columns,))
        yield Given("batch_norm", three)
        yield Given("layer_norm", three)
        yield Given("rms_norm", three[:2])
    images = ((64, 256, 56, 56), (256,), (256,))
    yield Given("batch_norm", images, {"axis": (0, 2, 3)})
    yield Given("group_norm", images, {"groups": 32})
    yield Given("instance_norm", images)


def _losses() -> Iterator[Given]:
    for name, classes in product(("cross_entropy", "nll_loss"), (10, 1000, 50000)):
        yield Given(name, ((4096, classes), ("i", 4096)))
    yield Given("cross_entropy", ((64, 21, 128, 128), ("i", 64, 128, 128)), {"axis": 1})


def _layers() -> Iterator[Given]:
    sizes = product((64, 200, 256, 512, 1024, 2048), (1, 64, 200, 600))
    for (name, gates), (hidden, people) in product(GATED.items(), sizes):
        states = 2 if name == "lstm_layer" else 1
        weights = (gates * hidden, hidden)
        shapes = ((3, people, hidden), *[(people, hidden)] * states, weights, weights)
        yield Given(name, (*shapes, (gates * hidden,), (gates * hidden,)))


def _products() -> Iterator[Given]:
    for left, right in (
        ((4096, 4096), (4096, 4096)),
        ((512, 512), (512, 512)),
        ((64, 100), (100, 64)),
        ((3000, 20), (20, 30)),
        ((64, 100000), (100000, 64)),
        ((8, 12, 512, 64), (8, 12, 64, 512)),
        ((16384, 3), (3, 16384)),
    ):
        yield Given("matmul", (left, right))
    yield Given("linear", ((4096, 1024), (4096, 1024), (4096,)))


LARGE = (
    Given("gelu", ((2**28,),)),
    Given("cumsum", ((1024, 1000),), {"axis": 1}),
    Given("cumsum", ((1024, 1000),), {"axis": 0}),
    Given("add", ((65536, 1024), (1024,))),
    Given("mul", ((65536, 1024), (65536, 1))),
    Given("mul", ((1024, 65536), (65536,))),
    Given("mul", ((64, 32, 16, 80), (32, 1, 80))),
    Given("mul", ((70000, 3), (3,))),
    Given("mul", ((2**26,), (1,))),
    *_products(),
    *_reductions(),
    *_norms(),
    *_losses(),
    *_layers(),
    Given("embedding", (("i", 8192), (50000, 768))),
    Given("conv2d", ((64, 64, 56, 56), (128, 64, 3, 3), 0.0), {"padding": 1}),
    Given("max_pool2d", ((64, 64, 56, 56),), {"kernel_size": 2}),
    Given("avg_pool2d", ((64, 64, 56, 56),), {"kernel_size": 2}),
    Given("dropout", ((2**26,),), {"p": 0.5, "seed": 3}),
    Given("transpose", ((4096, 4096),)),
    Given("transpose", ((300, 400, 50),), {"axes": (1, 2, 0)}),
)
"""Sizes that fill a GPU, and those at which kernels are launched in another way."""
