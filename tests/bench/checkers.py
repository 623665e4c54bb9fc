"""`python -m tests.bench checkers`: wrong and right gradients, shown to the checkers that people use, side by side.

Every checker runs with its own defaults; float32 functions stay float32 where it takes them. The peers come with the
`bench` extra, and their column is left out when they are absent.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import tracer as tr
from tests.bench.harness import Row, absent
from tests.bench.wrong_gradients import RIGHT, WRONG, Shown
from tracer.checking.report import VACUOUS

CAUGHT, PASSES, AGREES, ALARM, NONE = "caught", "PASSES", "passes", "ALARM", "—"
"""Of a wrong gradient: caught, or passed; of a right one: passed, or a false alarm; and not to be asked for."""
COUNTED = {"wrong ones passed": PASSES, "false alarms": ALARM}
"""What is counted of a checker."""
Checker = Callable[[Shown], bool | str | None]
"""Whether a checker accepts the gradient of a function, or another word that it has for it; None where it cannot be
asked."""


def gradstep(case: Shown) -> bool | str | None:
    """`tr.verify_function`, with its defaults."""
    report = tr.verify_function(
        lambda x: case.forward(np, x), lambda g, x: case.backward(np, x, g), (case.x,)
    )
    return "vacuous" if report.outcome == VACUOUS else report.ok


def torch_checker(*, fast: bool) -> Checker:
    """`torch.autograd.gradcheck`, slow or fast, in float64, as its documentation asks for."""
    import torch

    def accepts(case: Shown) -> bool | None:
        if case.large and not fast:
            return None

        class Function(torch.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return torch.as_tensor(np.array(case.forward(np, x.detach().numpy())))

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                (x,) = ctx.saved_tensors
                return torch.as_tensor(np.array(case.backward(np, x.detach().numpy(), g.numpy())))

        x = torch.tensor(case.x.astype(np.float64), requires_grad=True)
        return bool(
            torch.autograd.gradcheck(Function.apply, (x,), fast_mode=fast, raise_exception=False)
        )

    return accepts


def jax_checker(mode: str) -> Checker:
    """`jax.test_util.check_grads`, first order, of a reverse rule ("rev") or of a forward one ("fwd")."""
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    def back(case: Shown, x: Any, g: Any) -> Any:
        return case.backward(jnp, x, g).astype(x.dtype)

    def accepts(case: Shown) -> bool | None:
        def forward(x: Any) -> Any:
            return case.forward(jnp, x)

        if mode == "rev":
            function = jax.custom_vjp(forward)
            function.defvjp(lambda x: (forward(x), x), lambda x, g: (back(case, x, g),))
        elif case.diagonal:
            function = jax.custom_jvp(forward)
            function.defjvp(lambda x, t: (forward(*x), back(case, *x, *t)))
        else:
            return None
        return not raised(
            AssertionError, lambda: check_grads(function, (jnp.asarray(case.x),), 1, modes=(mode,))
        )

    return accepts


def hips_checker() -> Checker:
    """`autograd.test_util.check_grads` of HIPS, reverse mode, first order."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    def accepts(case: Shown) -> bool | None:
        function = primitive(lambda x: case.forward(np, x))
        defvjp(function, lambda out, x: lambda g: case.backward(np, x, g))
        np.random.seed(0)  # noqa: NPY002  its directions come from there
        return not raised(
            AssertionError, lambda: check_grads(function, modes=["rev"], order=1)(case.x)
        )

    return accepts


def pytensor_checker() -> Checker:
    """`pytensor.gradient.verify_grad`."""
    import pytensor
    import pytensor.tensor as pt
    from pytensor.gradient import GradientError, verify_grad
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op

    def accepts(case: Shown) -> bool | None:
        if case.large:
            return None

        class Back(Op):  # type: ignore[misc]
            def make_node(self, x: Any, g: Any) -> Any:
                return Apply(self, [x, g], [x.type()])

            def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
                outputs[0][0] = np.asarray(case.backward(np, *inputs)).astype(inputs[0].dtype)

        class Function(Op):  # type: ignore[misc]
            def make_node(self, x: Any) -> Any:
                out = np.ndim(case.forward(np, case.x))
                return Apply(self, [x], [pt.tensor(dtype=x.dtype, shape=(None,) * out)])

            def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
                outputs[0][0] = np.asarray(case.forward(np, inputs[0])).astype(inputs[0].dtype)

            def L_op(self, inputs: Any, outputs: Any, gradients: Any) -> Any:
                return [Back()(inputs[0], gradients[0])]

        def run() -> None:
            verify_grad(Function(), [case.x], rng=np.random.default_rng(0))

        with pytensor.config.change_flags(cxx="", mode="FAST_COMPILE"):
            return not raised(GradientError, run)

    return accepts


def raised(kind: type[Exception], run: Callable[[], object]) -> bool:
    """Whether a call raises that kind of error."""
    try:
        run()
    except kind:
        return True
    return False


PEERS: Mapping[str, tuple[str, Callable[[], Checker]]] = {
    "torch slow": ("torch", lambda: torch_checker(fast=False)),
    "torch fast": ("torch", lambda: torch_checker(fast=True)),
    "jax reverse": ("jax", lambda: jax_checker("rev")),
    "jax forward": ("jax", lambda: jax_checker("fwd")),
    "autograd": ("autograd", hips_checker),
    "pytensor": ("pytensor", pytensor_checker),
}
"""The other checkers: the package that each needs, and what makes it."""


def checkers() -> dict[str, Checker]:
    """Ours, and those of the peers that are installed."""
    there = {
        name: make for name, (package, make) in PEERS.items() if importlib.util.find_spec(package)
    }
    return {"gradstep": gradstep, **{name: make() for name, make in there.items()}}


def word(case: Shown, accepted: bool | str | None) -> str:
    """What a cell of the table says."""
    if accepted is None or isinstance(accepted, str):
        return accepted or NONE
    if case.right:
        return AGREES if accepted else ALARM
    return PASSES if accepted else CAUGHT


def results(cases: Sequence[Shown] = (*WRONG, *RIGHT)) -> tuple[list[str], list[list[str]]]:
    """The heads of the table and its rows."""
    found = checkers()
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers warn of float32 and of kinks in their own ways
        for case in cases:
            rows.append([case.name, *(word(case, accepts(case)) for accepts in found.values())])
    return ["gradient", *found], rows


def printed(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    table = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in table)


def rows(*, count: int = len(WRONG) + len(RIGHT)) -> list[Row]:
    """How many wrong gradients each checker passes, and how many false alarms it gives; the table goes to stderr.

    count: so many cases only.
    """
    heads, table = results((*WRONG, *RIGHT)[:count])
    columns = dict(zip(heads, zip(*table, strict=True), strict=True))
    sums = [
        [f"**{what}**", *(str(columns[name].count(cell)) for name in heads[1:])]
        for what, cell in COUNTED.items()
    ]
    print(printed(heads, [*table, *sums]), file=sys.stderr)
    found = []
    for what, cell in COUNTED.items():
        ours = columns["gradstep"].count(cell)
        for peer in PEERS:
            if peer not in columns:
                found.append(absent(what, peer, 1.0))
                continue
            theirs = columns[peer].count(cell)
            note = f"{ours}, theirs {theirs}; 1 is added to both"
            found.append(Row(what, peer, (1 + ours) / (1 + theirs), 1.0, None, note))
    return found


if __name__ == "__main__":
    rows()
