"""The operations that a trace file names: those that are declared here, and stand-ins for those that are not.

A file never brings code along. Where an operation of a user's own is not imported, its nodes load with the values and
gradients that were recorded; only what would run it says that it is missing.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from ops.primitive import PRIMITIVES, Formula, Primitive, lookup
from tracer.archive import DamageError
from tracer.errors import ReplayError


def described(op: Primitive) -> dict[str, Any]:
    """What a trace file says of an operation: enough to know it again, and to stand in for it."""
    form = {
        "name": op.name,
        "inputs": list(op.inputs),
        "variadic": op.variadic,
        "differentiable": [rule is not None for rule in op.rules],
    }
    return form if op.kernels == "numpy" else {**form, "kernels": op.kernels}


def operation(form: Any) -> Primitive:
    """The declared operation that a file describes, or a stand-in for it. Raises `DamageError` for no description."""
    kernels = "numpy"
    if isinstance(form, dict) and len(form) == 5:
        kernels = form.get("kernels", "")
        form = {key: value for key, value in form.items() if key != "kernels"}
    match form:
        case {
            "name": str() as name,
            "inputs": [_, *_] as inputs,
            "variadic": bool() as variadic,
            "differentiable": list() as differentiable,
        } if (
            len(form) == 4
            and all(isinstance(word, str) and word.isidentifier() for word in inputs)
            and len(set(inputs)) == len(inputs) == len(differentiable)
            and all(isinstance(each, bool) for each in differentiable)
        ):
            found: Primitive | None = PRIMITIVES.get(name)
            if found is not None and described(found) == form:
                try:
                    return lookup(name, kernels)
                except KeyError:
                    raise DamageError(f"it names kernels that {name} does not have") from None
            return _stand_in(
                name, tuple(inputs), variadic, differentiable, declared=found is not None
            )
    raise DamageError("it describes an operation wrongly")


def _stand_in(
    name: str,
    inputs: tuple[str, ...],
    variadic: bool,
    differentiable: list[bool],
    *,
    declared: bool,
) -> Primitive:
    why = "is declared with other inputs or rules here" if declared else "is not declared here"

    def missing(*args: Any, **params: Any) -> Any:
        raise ReplayError(
            f"operation {name!r} {why}, so nothing that runs it can be computed\n"
            f"  try: import the module that declares it, then load the trace again"
        )

    vjps = {key: missing for key, each in zip(inputs, differentiable, strict=True) if each}
    label = name.replace("{", "{{").replace("}", "}}")
    operands = ", ".join("{" + key + "}" for key in inputs)
    return Primitive(
        name=name,
        inputs=inputs,
        kernel=missing,
        vjps=MappingProxyType(vjps),
        variadic=variadic,
        formula=Formula(f"{label}({operands})", rf"\mathrm{{{{{label}}}}}\left({operands}\right)"),
        doc=f"Stands in for an operation that {why}.",
    )
