"""The CUDA device in Numba's own simulator: `NUMBA_ENABLE_CUDASIM=1 python -m tests.ops.cuda.simulated`.

The variable is read when Numba loads, so the tests run this in a process of its own. What fails, raises.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import tracer as tr
from gallery import GALLERY
from ops.cuda.kernel import FAMILIES, Kernel, Launch, kernels
from ops.devices.arrays import DeviceArray, array, empty
from ops.devices.cuda import Cuda
from ops.devices.cuda_adapter import SIMULATOR, support
from ops.devices.finding import opened

TRIED = 2
"""Trials of a kernel: the simulator starts a thread of the system for each thread of the GPU."""


def build_reverse(
    cuda: Any, math: Any, T: Any, threads: int, *, sign: float
) -> Callable[..., None]:
    """out[i] = sign · by · x[count − 1 − i], through shared memory: by the first block."""
    factor = T(sign)

    def kernel(x: Any, by: Any, count: Any, out: Any) -> None:
        kept = cuda.shared.array(threads, T)
        thread = cuda.threadIdx.x
        if thread < count:
            kept[thread] = factor * by * x[thread]
        cuda.syncthreads()
        if cuda.blockIdx.x == 0 and thread < count:
            out[count - 1 - thread] = kept[thread]

    return kernel


REVERSE = Kernel("reverse", "", build_reverse, "T[:] T i8 T[:]", lambda rng, T: ())


def arrays_come_back_as_they_went(device: Cuda) -> None:
    for host in (
        np.arange(6.0, dtype=np.float32).reshape(2, 3)[:, ::-1],
        np.float64(2.5).reshape(()),
        np.zeros((0, 4), np.float32),
        np.array([True, False]),
        np.arange(3),
    ):
        back = device.fetch(device.put(host))
        np.testing.assert_array_equal(back, host)
        assert (back.shape, back.dtype) == (host.shape, host.dtype)
    there = array(device, np.arange(12.0))
    assert there.reshape(3, -1).rows(1, 3).tolist() == [[4, 5, 6, 7], [8, 9, 10, 11]]
    assert there.reshape(3, 4).rows(1, 1).shape == (0, 4)
    assert device.fetch(device.empty((2, 0), np.float32)).shape == (2, 0)


def a_launch_gets_its_numbers_in_the_dtype_of_the_kernel(device: Cuda) -> None:
    for dtype in (np.float32, np.float64):
        x, out = array(device, np.arange(5, dtype=dtype)), empty(device, (5,), dtype)
        arguments = [x.memory, 0.1, 5, out.memory]
        device.launch(REVERSE, dtype, Launch(2, 8), arguments, {"sign": -1})
        np.testing.assert_array_equal(
            out.numpy(), dtype(-1) * dtype(0.1) * np.arange(4, -1, -1, dtype=dtype)
        )


def a_kernel_is_built_once_for_its_threads_and_options(device: Cuda) -> None:
    built: list[tuple[int, float]] = []

    def build(cuda: Any, math: Any, T: Any, threads: int, *, sign: float) -> Callable[..., None]:
        built.append((threads, sign))
        return build_reverse(cuda, math, T, threads, sign=sign)

    kernel = REVERSE._replace(build=build)
    x, out = array(device, np.ones(2)), empty(device, (2,), np.float64)
    for blocks, threads, sign in ((1, 4, 1), (1, 4, 1), (2, 4, 1), (1, 8, 1), (1, 8, -1)):
        arguments = [x.memory, 1.0, 2, out.memory]
        device.launch(kernel, np.float64, Launch(blocks, threads), arguments, {"sign": sign})
    assert built == [(4, 1), (8, 1), (8, -1)], built


def kernels_of_the_table_compute_what_numpy_computes(device: Cuda) -> None:
    seen: dict[str, str] = {}
    for kernel in kernels().values():
        if kernel.family in seen or "shfl" in inspect.getsource(kernel.build):
            continue  # the simulator knows no shuffles of a warp
        trials = list(kernel.trials(np.random.default_rng(0), np.float32))
        launch = min(kernel.launches, key=lambda each: each.threads)
        for trial in sorted(trials, key=_size)[:TRIED]:
            there = [array(device, x) if isinstance(x, np.ndarray) else x for x in trial.arguments]
            arguments = [x.memory if type(x) is DeviceArray else x for x in there]
            device.launch(kernel, np.float32, launch, arguments, trial.options)
            for number, expected in trial.expected.items():
                scale = np.nanmax(np.abs(expected), initial=0)
                np.testing.assert_allclose(
                    there[number].numpy(), expected, rtol=0, atol=1e-5 * scale, err_msg=kernel.name
                )
        seen[kernel.family] = kernel.name
    assert len(seen) > len(FAMILIES) // 2, seen
    print(*seen.values())


def networks_give_the_numbers_of_the_cpu(device: Cuda) -> None:
    for name in ("circuit", "xor"):  # without shuffles
        here = tr.trace(GALLERY[name].build())
        with tr.device("cuda"):
            there = tr.trace(GALLERY[name].build())
        compared = tr.compare(here, there)
        assert compared.ok, compared
        assert {there[k].kernels for k in range(len(there))} >= {"cuda"}, name


def a_network_run_again_compiles_nothing(device: Cuda) -> None:
    there = opened("cuda")
    assert isinstance(there, Cuda)
    with tr.device("cuda"):
        GALLERY["xor"].build().backward()
        before = len(there._compiled)
        GALLERY["xor"].build().backward()
    assert len(there._compiled) == before > 0


def _size(trial: Any) -> int:
    """The elements that a trial writes; those with none come last."""
    return min((np.size(x) or 10**9 for x in trial.expected.values()), default=10**9)


def main() -> None:
    """Run all checks."""
    assert support().package == SIMULATOR, support()
    device = Cuda()
    for check in (
        arrays_come_back_as_they_went,
        a_launch_gets_its_numbers_in_the_dtype_of_the_kernel,
        a_kernel_is_built_once_for_its_threads_and_options,
        kernels_of_the_table_compute_what_numpy_computes,
        networks_give_the_numbers_of_the_cpu,
        a_network_run_again_compiles_nothing,
    ):
        check(device)
        print(f"{check.__name__}: yes")


if __name__ == "__main__":
    main()
