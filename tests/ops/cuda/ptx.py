"""What the kernels compile to, with no GPU: `python -m tests.ops.cuda.ptx [NAME...]` prints a table of them.

Numba makes PTX of a kernel; `ptxas` assembles it and says what it takes of a multiprocessor: registers, shared memory,
and what did not fit into registers. `--record` writes down the registers and the local memory as the most that these
kernels may take from now on, in `budgets.json`; look at its diff before it is committed.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import NOTHING, Kernel, kernels
from ops.devices.cuda_adapter import package
from tests.ops.cuda.toolkit import TRY, WORD, Toolkit, toolkit

DTYPES = ("float32", "float64")
TARGETS = ("sm_80", "sm_90")
ALL_OPTIONS = ("float32", "sm_90")
THREADS = 256
"""Threads of a block for which kernels are compiled here; some keep an element of shared memory for each."""
BUDGETS = Path(__file__).with_name("budgets.json")
GRANULE = 8
"""A multiprocessor hands out the registers of a thread in eights."""
FLOAT_ATOMIC = re.compile(r"\b(?:atom|red)\.[\w.:]*f(?:16|32|64)\b.*")
USED = {
    "registers": re.compile(r"Used (\d+) registers"),
    "spilled": re.compile(r"(\d+) bytes spill stores"),
    "stack": re.compile(r"(\d+) bytes stack frame"),
    "shared": re.compile(r"(\d+) bytes smem"),
}


class Assembled(NamedTuple):
    """A compiled kernel, and what it takes."""

    kernel: str
    """Its name, and the options that are not the usual ones."""
    dtype: str
    target: str
    registers: int
    """Of each thread."""
    spilled: int
    """Bytes of registers that went to memory, because there were not enough."""
    stack: int
    """Bytes of local memory of each thread: its arrays that are indexed by what only the GPU knows."""
    shared: int
    """Bytes of shared memory of each block."""
    doubles: int
    """Instructions and registers of float64 in the PTX."""
    atomics: tuple[str, ...]
    """Instructions that add floats in an order of their own."""
    seconds: float

    @property
    def budget(self) -> list[int]:
        """Registers, in whole eights, and local memory: what is written down."""
        return [-(-self.registers // GRANULE) * GRANULE, self.stack]


def variants(kernel: Kernel) -> Mapping[str, Mapping[str, Any]]:
    """The options with which a kernel is tried, the usual ones first, by the name that its table row bears."""
    found: dict[str, Mapping[str, Any]] = {}
    if set(_asked(kernel)) <= set(kernel.options):
        found[kernel.name] = NOTHING
    for trial in kernel.trials(np.random.default_rng(0), np.float32):
        differ = {k: v for k, v in trial.options.items() if kernel.options.get(k, trial) != v}
        said = ", ".join(f"{name}={value}" for name, value in sorted(differ.items()))
        found[f"{kernel.name}({said})" if said else kernel.name] = trial.options
    return found


def _asked(kernel: Kernel) -> Iterator[str]:
    """The options that a kernel has no way to be built without."""
    for each in list(inspect.signature(kernel.build).parameters.values())[4:]:
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD:
            yield each.name


def assembled(
    kernel: Kernel,
    dtype: str,
    target: str,
    options: Mapping[str, Any] = NOTHING,
    label: str = "",
    threads: int = THREADS,
) -> Assembled:
    """Compile a kernel for a dtype and a GPU, as `sm_90`. Raises `RuntimeError` with what the assembler says."""
    started = time.perf_counter()
    found = toolkit()
    if found is None:
        raise RuntimeError(f"{WORD}\n  try: {TRY}")
    text = ptx(kernel, dtype, target, found, options, threads)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        source.write_text(text, encoding="utf-8")
        command = [found.ptxas, f"-arch={target}", "-v", source, "-o", Path(folder, "kernel.cubin")]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{kernel.name} {dtype} {target}: {done.stderr.strip()}")
    return Assembled(
        label or kernel.name,
        dtype,
        target,
        **{name: _number(pattern, done.stderr) for name, pattern in USED.items()},
        doubles=text.count(".f64"),
        atomics=tuple(FLOAT_ATOMIC.findall(text)),
        seconds=time.perf_counter() - started,
    )


def ptx(
    kernel: Kernel,
    dtype: str,
    target: str,
    found: Toolkit,
    options: Mapping[str, Any] = NOTHING,
    threads: int = THREADS,
) -> str:
    """The kernel in the assembly language of CUDA, by whichever package of Numba's is installed here."""
    import math

    major, minor = divmod(int(target.removeprefix("sm_")), 10)
    cuda, types = _package(found)
    built = kernel.built(cuda, math, dtype, threads, **options)
    arguments = types.void(*(_type(types, word, dtype) for word in kernel.arguments.split()))
    with _as_if_on((major, minor)):
        text, _ = cuda.compile(
            built, arguments, cc=(major, minor), device=False, abi="numba", output="ptx"
        )
    return str(text)


def _package(found: Toolkit) -> tuple[Any, Any]:
    """The module of CUDA and that of its types, told where the toolkit lies."""
    chosen = package()
    if chosen.name == "numba-cuda-mlir":
        from numba_cuda_mlir import types
    else:
        from numba.core import types
    if chosen.name == "numba":  # the others find the wheels themselves
        from numba.cuda import cuda_paths
        from numba.cuda.cudadrv import nvvm

        paths = cuda_paths.get_cuda_paths()
        named = type(paths["nvvm"])
        paths["nvvm"] = named("found", str(found.nvvm))
        paths["libdevice"] = named("found", str(found.libdevice))
        nvvm.get_supported_ccs = lambda: ((8, 0), (9, 0))  # else it asks a runtime, of no other use
    return chosen.module, types


@contextmanager
def _as_if_on(capability: tuple[int, int]) -> Iterator[None]:
    """Tell the compilers that ask a driver for its GPU what they would hear."""
    if "numba_cuda_mlir" in sys.modules:
        from numba_cuda_mlir import tools

        tools._cached_cc = capability
        yield
        return
    from numba.cuda import dispatcher

    class Stub:
        compute_capability = capability

    asked = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: Stub
    try:
        yield
    finally:
        dispatcher.get_current_device = asked


def _type(types: Any, word: str, dtype: str) -> Any:
    """Numba's type of an argument, from its word in `Kernel.arguments`: `T[:,:]`."""
    name, _, axes = word.partition("[")
    number = {"T": dtype, "f4": "float32", "i8": "int64", "b1": "boolean"}[name]
    element = getattr(types, number)
    return types.Array(element, axes.count(":"), "C") if axes else element


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(found[1]) if found else 0


def table(rows: Sequence[Assembled]) -> str:
    """The rows as aligned text."""
    head = ("kernel", "dtype", "sm", "registers", "spilled", "stack", "shared", ".f64", "seconds")
    return _aligned([head, *(tuple(map(str, (*row[:8], f"{row.seconds:.2f}"))) for row in rows)], 3)


def summary(rows: Sequence[Assembled]) -> str:
    """The most that the kernels of each family take."""
    families: dict[str, list[Assembled]] = {}
    for row in rows:
        families.setdefault(kernels()[row.kernel.partition("(")[0]].family, []).append(row)
    head = (
        "family",
        "kernels",
        "compiled",
        "registers float32",
        "float64",
        "spilled",
        "float atomics",
    )
    lines: list[tuple[str, ...]] = [head]
    for family, found in families.items():
        most = [max((x.registers for x in found if x.dtype == each), default=0) for each in DTYPES]
        names = {row.kernel.partition("(")[0] for row in found}
        spilled, atomics = sum(x.spilled for x in found), sum(len(x.atomics) for x in found)
        lines.append((family, *map(str, (len(names), len(found), *most, spilled, atomics))))
    return _aligned(lines, 1)


def _aligned(lines: Sequence[tuple[str, ...]], words: int) -> str:
    """Columns of one width each: the first ones to the left, those of numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if number < words else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def compiled(name: str, dtype: str, target: str) -> list[Assembled]:
    """What a kernel of the table takes; in float32 on the newer of the targets, with each of its options."""
    kernel = kernels()[name]
    count = None if (dtype, target) == ALL_OPTIONS else 1
    return [
        assembled(kernel, dtype, target, options, label)
        for label, options in list(variants(kernel).items())[:count]
    ]


def _tried(case: tuple[str, str, str]) -> list[Assembled] | str:
    """The same in a process of its own; or the sentence that says why it does not compile."""
    try:
        return compiled(*case)
    except Exception as error:  # of any kind: a compiler's
        return f"{' '.join(case)}: {type(error).__name__}: {error}"


def budgets() -> dict[str, dict[str, list[int]]]:
    """What is written down: name of a kernel to `float32 sm_90` to registers and bytes of local memory."""
    found: dict[str, dict[str, list[int]]] = json.loads(BUDGETS.read_text(encoding="utf-8"))
    return found


def record(rows: Sequence[Assembled], *, whole: bool) -> None:
    """Write down what these kernels take; `whole` forgets all others."""
    names = {row.kernel.partition("(")[0] for row in rows}
    kept = {} if whole else budgets()
    kept = {label: most for label, most in kept.items() if label.partition("(")[0] not in names}
    for row in rows:
        kept.setdefault(row.kernel, {})[f"{row.dtype} {row.target}"] = row.budget
    lines = [f"{json.dumps(name)}: {json.dumps(kept[name])}" for name in sorted(kept)]
    BUDGETS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main(argv: Sequence[str]) -> int:
    """Print the table of the named kernels, or of all; 1 if one does not compile."""
    parser = argparse.ArgumentParser(prog="python -m tests.ops.cuda.ptx", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="kernels, or families of them")
    parser.add_argument("--record", action="store_true", help="write down what they take")
    options = parser.parse_args(argv)
    known = kernels()
    chosen = [
        each.name
        for each in known.values()
        if not options.names or {each.name, each.family} & set(options.names)
    ]
    if not chosen:
        parser.error(f"no kernel of that name; there are {', '.join(known) or 'none'}")
    cases = [(name, dtype, target) for name in chosen for dtype in DTYPES for target in TARGETS]
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(chosen))) as pool:
        found = list(pool.map(_tried, cases, chunksize=4))
    rows = [row for each in found if not isinstance(each, str) for row in each]
    print(table(rows), summary(rows), sep="\n\n")
    faults = [each for each in found if isinstance(each, str)]
    print(*faults, sep="\n", end="\n" if faults else "")
    if options.record:
        record(rows, whole=not options.names)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
