"""What `tests.bench.gpu` measures: operations, their sizes, the bytes they cannot avoid, and peers that do the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import tracer as tr
from ops.cuda import native
from ops.cuda.native import Computed
from ops.cuda.summary import summarise_all
from ops.devices.arrays import DeviceArray, array
from ops.devices.device import Device
from ops.primitive import PRIMITIVES

Run = Callable[[], object]
FLOAT = 4
"""Bytes."""
FLOPS = 67e12
"""Of an H200 in float32, by its data sheet."""
SMALL = 8
"""The most that an axis has in a dry run."""
NODES = 1000


class Case(NamedTuple):
    """One row of the table."""

    name: str
    ours: Run
    moved: float = 0.0
    """Bytes that have to be read and written."""
    floor: float = 0.0
    """Seconds below which nothing comes, where they do not follow from the bytes."""
    goal: float | None = None
    """Seconds on an H200; for a row against another row, the most that its time may be of that of the other."""
    against: str = ""
    """The name of that other row, which comes before."""
    share: float | None = None
    """Of the measured copy rate that has to be reached, in place of seconds."""
    cupy: Run | None = None
    torch: Run | None = None
    each: int = 1
    """So many pieces a run has, and the times are those of one."""


class Place(NamedTuple):
    """Where it is measured: a device of ours, peers if they are installed, and whether sizes are cut."""

    device: Device
    cupy: Any
    torch: Any
    small: bool

    def shape(self, *sizes: int) -> tuple[int, ...]:
        """A shape, cut in a dry run."""
        return tuple(min(size, SMALL) for size in sizes) if self.small else sizes

    def numbers(self, *sizes: int) -> np.ndarray[Any, Any]:
        """Normal numbers of float32: a million of them, over and over."""
        some = np.random.default_rng(0).normal(size=2**20).astype(np.float32)
        return np.resize(some, self.shape(*sizes))

    def in_cupy(self, run: Callable[..., object], *hosts: Any) -> Run | None:
        """The same by CuPy, if it is there."""
        if self.cupy is None:
            return None
        there = [self.cupy.asarray(host) for host in hosts]
        return lambda: run(self.cupy, *there)

    def in_torch(self, run: Callable[..., object], *hosts: Any) -> Run | None:
        """The same by PyTorch without recording, if it is there."""
        if self.torch is None:
            return None
        there = [self.torch.from_numpy(host).cuda() for host in hosts]

        def quietly() -> object:
            with self.torch.no_grad():
                return run(self.torch, *there)

        return quietly

    def backward_in_torch(self, make: Callable[..., Any], *hosts: Any, whole: bool) -> Run | None:
        """Its backward pass by PyTorch; `whole` with the forward pass before it."""
        if self.torch is None:
            return None
        there = [self.torch.from_numpy(host).cuda() for host in hosts]
        leaves = [each.requires_grad_() for each in there if each.is_floating_point()]
        seed = self.torch.ones_like(make(self.torch, *there))
        kept = None if whole else make(self.torch, *there)

        def run() -> object:
            out = make(self.torch, *there) if kept is None else kept
            return self.torch.autograd.grad(out, leaves, seed, retain_graph=not whole)

        return run


def computed(name: str, *args: Any, **params: Any) -> Computed:
    """An operation on device arrays, with what it saves."""
    op = PRIMITIVES[name]
    return native.compute(op, *op.bind(args, params))


def pulled(name: str, g: Any, found: Computed, *args: Any, **params: Any) -> list[Any]:
    """Its flows to all inputs that are arrays of floats."""
    op = PRIMITIVES[name]
    inputs, params = op.bind(args, params)
    wanted = [type(x) is DeviceArray and x.dtype.kind == "f" for x in inputs]
    return native.pull(op, g, found.value, inputs, wanted, params, found.saved)


def elementwise(at: Place) -> Iterator[Case]:
    """gelu forward and backward, and tanh(x·w + b)."""
    n = 2**28
    host = at.numbers(n)
    x = array(at.device, host)
    found = computed("gelu", x)
    yield Case(
        "gelu forward, 2^28",
        lambda: computed("gelu", x),
        moved=2 * FLOAT * n,
        share=0.90,
        cupy=at.in_cupy(_gelu_in_cupy, host[: n // 4]),
        torch=at.in_torch(lambda torch, x: torch.nn.functional.gelu(x), host),
    )
    yield Case(
        "gelu backward, 2^28",
        lambda: pulled("gelu", x, found, x),
        moved=3 * FLOAT * n,
        goal=0.83e-3,
        torch=at.in_torch(lambda torch, x: torch.ops.aten.gelu_backward(x, x), host),
    )


def _gelu_in_cupy(cupy: Any, x: Any) -> object:
    """Unfused, on a quarter of the numbers, four times: its intermediate results need the memory."""
    for _ in range(4):
        done = 0.5 * x * (1 + cupy.tanh(0.7978845608 * (x + 0.044715 * x**3)))
    return done


def affine_tanh(at: Place) -> Iterator[Case]:
    """tanh(x·w + b): three operations, which one kernel could fuse."""
    rows, columns = 2**14, 2**14
    hosts = at.numbers(rows, columns), at.numbers(columns), at.numbers(columns)
    x, w, b = (array(at.device, host) for host in hosts)
    tanh = PRIMITIVES["tanh"]
    yield Case(
        "tanh(x·w + b), 2^28",
        lambda: tanh(x * w + b),
        moved=2 * FLOAT * rows * columns,
        goal=0.57e-3,
        cupy=at.in_cupy(lambda cupy, x, w, b: cupy.tanh(x * w + b), *hosts),
        torch=at.in_torch(lambda torch, x, w, b: torch.tanh(x * w + b), *hosts),
    )


def norms(at: Place) -> Iterator[Case]:
    """batch_norm and layer_norm, forward and backward."""
    rows, columns = 65536, 1024
    hosts = at.numbers(rows, columns), at.numbers(columns), at.numbers(columns)
    given = [array(at.device, host) for host in hosts]
    size = FLOAT * rows * columns
    goals = {"batch_norm": (3, 5, 0.22e-3, 0.36e-3), "layer_norm": (2, 3, 0.14e-3, 0.23e-3)}
    for name, (forward, backward, first, second) in goals.items():
        found = computed(name, *given)

        def both(name: str = name) -> object:
            return pulled(name, given[0], computed(name, *given), *given)

        in_torch = _norm_in_torch(name, at.shape(columns))
        yield Case(
            f"{name} forward, (65536, 1024)",
            lambda name=name: computed(name, *given),
            moved=forward * size,
            goal=first,
            torch=at.in_torch(in_torch, *hosts),
        )
        yield Case(
            f"{name} backward, (65536, 1024)",
            lambda name=name, found=found: pulled(name, given[0], found, *given),
            moved=backward * size,
            goal=second,
            torch=at.backward_in_torch(in_torch, *hosts, whole=False),
        )
        yield Case(
            f"{name} forward and backward",
            both,
            moved=(forward + backward) * size,
            goal=0.58e-3 if name == "batch_norm" else None,
            torch=at.backward_in_torch(in_torch, *hosts, whole=True),
        )


def _norm_in_torch(name: str, size: tuple[int, ...]) -> Callable[..., Any]:
    if name == "batch_norm":
        return lambda torch, x, w, b: torch.nn.functional.batch_norm(
            x, None, None, w, b, training=True
        )
    return lambda torch, x, w, b: torch.nn.functional.layer_norm(x, size, w, b)


def losses(at: Place) -> Iterator[Case]:
    """softmax cross-entropy: the loss and its gradient."""
    rows, classes = 65536, 1024
    host = at.numbers(rows, classes)
    labels = np.random.default_rng(0).integers(0, host.shape[1], host.shape[0])
    x, target = array(at.device, host), array(at.device, labels)
    one = array(at.device, np.float32(1))
    op = PRIMITIVES["cross_entropy"]
    inputs, params = op.bind((x, target), {})

    def both() -> object:
        found = native.compute(op, inputs, params, wanted=(True, False, False))
        return pulled(op.name, one, found, x, target)

    yield Case(
        "softmax cross-entropy, loss and gradient",
        both,
        moved=2 * FLOAT * rows * classes,  # the logits are read once, and the gradient written
        goal=0.15e-3,
        torch=at.backward_in_torch(
            lambda torch, x, t: torch.nn.functional.cross_entropy(x, t), host, labels, whole=True
        ),
    )


class WithoutLibrary:
    """A device, its memory and its stream, but for the products of a library."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def __getattr__(self, name: str) -> Any:
        return getattr(self.device, name)

    def matmul(self, a: Any, b: Any, out: Any) -> bool:
        return False


def products(at: Place) -> Iterator[Case]:
    """matmul, by the library and by our own kernel."""
    n = 4096
    host = at.numbers(n, n)
    x = array(at.device, host)
    floor = 2 * n**3 / FLOPS
    cupy, torch = at.in_cupy(lambda cupy, x: x @ x, host), at.in_torch(lambda torch, x: x @ x, host)
    peers = {"cupy": cupy, "torch": torch}
    library = Case("matmul, 4096³", lambda: computed("matmul", x, x), floor=floor, **peers)
    yield library
    own = array(WithoutLibrary(at.device), host)
    yield Case(
        "matmul by our own kernel, 4096³",
        lambda: computed("matmul", own, own),
        floor=floor,
        goal=1 / 0.6,
        against=library.name,
        **peers,
    )


def recurrent(at: Place) -> Iterator[Case]:
    """rnn over 100 steps, forward."""
    for size, goal, floor in ((256, 0.30e-3, 0.025e-3), (1024, 1.0e-3, 0.40e-3)):
        x, h = at.numbers(100, 64, size), at.numbers(64, size) * 0
        weights = [at.numbers(size, size) / 32 for _ in range(2)]
        given = [array(at.device, host) for host in (x, h, *weights)]
        yield Case(
            f"rnn forward, 100 steps, batch 64, {size} units",
            lambda given=given: computed("rnn_layer", *given),
            floor=floor,
            goal=goal,
            torch=at.in_torch(_rnn_in_torch, x, h, *weights),
        )


def _rnn_in_torch(torch: Any, x: Any, h: Any, w_ih: Any, w_hh: Any) -> object:
    """An eager loop over the steps."""
    steps = []
    for each in x:
        h = torch.tanh(each @ w_ih.T + h @ w_hh.T)
        steps.append(h)
    return torch.stack(steps)


def summaries(at: Place) -> Iterator[Case]:
    """What the debugger asks of a value before it shows it."""
    host = at.numbers(65536, 1024)
    x = array(at.device, host)
    several = 16
    yield Case(
        "summary of a value of 268 MB, of 16",
        lambda: summarise_all([x] * several),
        each=several,
        moved=FLOAT * 65536 * 1024,
        goal=0.075e-3,
        torch=at.in_torch(
            lambda torch, x: [
                (x.min(), x.max(), x.sum(), torch.isfinite(x).sum()) for _ in range(several)
            ],
            host,
        ),
    )


def host_sides(at: Place) -> Iterator[Case]:
    """Operations so small that what is measured is the host: from one launch to the next."""
    x, v = array(at.device, at.numbers(32, 32)), array(at.device, at.numbers(32))
    labels = array(at.device, np.zeros(x.shape[0], np.int64))
    one = array(at.device, np.float32(1))
    runs: dict[str, tuple[Any, ...]] = {
        "batch_norm": (x, x, v, v),
        "layer_norm": (x, x, v, v),
        "cross_entropy": (one, x, labels),
        "matmul": (x, x, x),
    }
    for name, (g, *given) in runs.items():

        def both(name: str = name, g: Any = g, given: list[Any] = given) -> object:
            return pulled(name, g, computed(name, *given), *given)

        yield Case(f"the host's part of {name}, forward and backward", both)


def many_nodes(at: Place) -> Iterator[Case]:
    """1,000 small operations: launched one by one, and replayed as a graph of CUDA's."""
    host = at.numbers(64, 64)
    x = array(at.device, host)
    tanh = PRIMITIVES["tanh"]
    nodes = SMALL if at.small else NODES

    def run() -> object:
        y = x
        for _ in range(nodes):
            y = tanh(y)
        return y

    def in_torch(torch: Any, y: Any) -> object:
        for _ in range(nodes):
            y = torch.tanh(y)
        return y

    theirs = at.in_torch(in_torch, host)
    yield Case("a node of 1,000, launched", run, torch=theirs, each=nodes)
    if at.cupy is not None:
        replay = captured(at, run)
        yield Case("a node of 1,000, replayed", replay, goal=2e-6, torch=theirs, each=nodes)


def captured(at: Place, run: Run) -> Run:
    """What a run launches, as a graph that is launched as one.

    All its memory comes from a pool of its own, which lives as long as the graph: nobody else is given what it writes.
    """
    cupy, memory = at.cupy, at.device.memory
    pool = cupy.cuda.MemoryPool()
    with memory.queue, cupy.cuda.using_allocator(pool.malloc):
        run()  # what is not compiled or allocated yet would break the capture
        memory.queue.synchronize()
        memory.queue.begin_capture()
        try:
            kept = run()
        finally:  # else nothing more could be launched
            graph = memory.queue.end_capture()
    held = (pool, kept)

    def replay() -> object:
        graph.launch(memory.queue)
        return held

    return replay


def recording(at: Place) -> Iterator[Case]:
    """A forward pass recorded, against the same unrecorded."""
    rows, columns = 16384, 1024
    with tr.device(at.device.name):
        x = tr.tensor(at.numbers(rows, columns))
        gamma, beta = tr.tensor(at.numbers(columns)), tr.tensor(at.numbers(columns))

    def run() -> object:
        return tr.sum(tr.gelu(tr.batch_norm(x, gamma, beta)) * x)

    def unrecorded() -> object:
        with tr.no_grad():
            return run()

    off = Case("a forward pass, unrecorded", unrecorded)
    yield off
    yield Case("a forward pass, recorded", run, goal=1.15, against=off.name)


CASES: tuple[Callable[[Place], Iterator[Case]], ...] = (
    elementwise,
    affine_tanh,
    norms,
    losses,
    products,
    recurrent,
    summaries,
    recording,
    host_sides,
    many_nodes,
)
