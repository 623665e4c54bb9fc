"""What all optimisers share: groups of parameters, the state of each, and the walk over them block by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import Array
from tracer.errors import StateError
from tracer.operands import Operators
from tracer.parameters import Parameter
from tracer.values import lies_elsewhere, on_host, placed

BLOCK = 65536
"""So many elements are updated at a time: value, gradient, state and temporaries of them stay in the second cache."""

State = dict[str, Any]
"""What is remembered of one parameter: how many updates it had (`step`), and arrays of its shape by name."""


class Block(NamedTuple):
    """A stretch of one parameter during an update, arrays (elements,): to write, to read, and two to use."""

    new: Array
    """The new value, to be written."""
    w: Array
    """The value; read-only."""
    g: Array
    """The gradient; read-only."""
    a: Array
    """A temporary."""
    b: Array
    """A temporary."""


class Optimizer:
    """Moves parameters against their gradients: `step()` refills the slot of each that has one with a new leaf.

    A recorded graph keeps the leaves that it used, so no step changes a trace taken before it. A parameter without a
    gradient is left alone, and so is what is remembered of it. The new leaf has no gradient, so `zero_grad()` matters
    only where no step followed a backward pass.

    param_groups: a list of dictionaries, as in PyTorch; each holds its `params`, and the options that hold for them.
    """

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        self.defaults = options
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Parameter, State] = {}
        self._spare: dict[Any, tuple[Array, Array]] = {}
        given = list(several(params))
        if not given:
            raise ValueError(
                f"{type(self).__name__} got no parameters\n  try: module.parameters(), or a list of tr.parameter(...)"
            )
        if not isinstance(given[0], Mapping):
            given = [{"params": given}]
        for group in given:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Train more parameters, with options of their own: `{"params": [...], "lr": 0.01}`.

        Raises `TypeError` for what is no parameter or no option, `ValueError` for a parameter that is there already.
        """
        unknown = group.keys() - self.defaults.keys() - {"params"}
        if unknown or "params" not in group:
            wrong = f"no option {sorted(unknown)[0]!r}" if unknown else "no group without 'params'"
            raise TypeError(
                f"{type(self).__name__} has {wrong}\n  try: one of {', '.join(['params', *self.defaults])}"
            )
        params = list(several(group["params"]))
        known = {id(one) for each in self.param_groups for one in each["params"]}
        for one in params:
            if not isinstance(one, Parameter):
                raise TypeError(
                    f"{type(self).__name__} moves parameters, not {type(one).__name__}\n"
                    f"  try: tr.parameter(...), a slot that can be refilled"
                )
            if id(one) in known:
                raise ValueError(
                    f"{type(self).__name__}: parameter {one.name or one.shape} is given twice"
                )
            known.add(id(one))
        options = {**self.defaults, **group, "params": params}
        self.check(options)
        self.param_groups.append(options)

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise `ValueError` for options that no update can have."""
        for name, value in options.items():
            if isinstance(value, float | int) and name != "params" and not value >= 0:
                raise ValueError(f"{type(self).__name__}: {name} is {value}, but cannot be below 0")

    @property
    def lr(self) -> float:
        """The learning rate (of the first group); assigning sets that of all groups."""
        rate: float = self.param_groups[0]["lr"]
        return rate

    @lr.setter
    def lr(self, rate: float) -> None:
        for group in self.param_groups:
            group["lr"] = rate

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.zero_grad()

    def step(self) -> None:
        """Refill every parameter that has a gradient."""
        with np.errstate(all="ignore"):  # a NaN or inf is a fact that the debugger finds
            for group in self.param_groups:
                for parameter in group["params"]:
                    gradient = parameter.tensor.gradient
                    if gradient is not None:
                        self._move(parameter, gradient, group)

    def _move(self, parameter: Parameter, gradient: Array, group: Mapping[str, Any]) -> None:
        value = parameter.tensor.value
        state = self.state.get(parameter)
        if state is None:
            state = self.state[parameter] = {"step": 0}
        for name, start in self.remembered(group).items():
            if name not in state:  # the first step, or the first with an option that asks for it
                state[name] = np.full(value.shape, start, value.dtype)
        state["step"] += 1
        if lies_elsewhere(value):
            parameter.set(self._moved_there(value, gradient, state, group))
            return
        for name, one in state.items():
            if type(one) is not np.ndarray and name != "step":  # the parameter came from a device
                state[name] = np.array(on_host(one))
        new = np.empty(value.shape, value.dtype)
        w, g, to = _flat(value), _flat(gradient), new.reshape(-1)
        kept = {name: one.reshape(-1) for name, one in state.items() if name != "step"}
        a, b = self._temporaries(value.dtype)
        size, step = w.size, state["step"]
        if size <= BLOCK:
            self.update(Block(to, w, g, a[:size], b[:size]), kept, group, step)
        else:
            for start in range(0, size, BLOCK):
                part = slice(start, start + BLOCK)
                rest = min(BLOCK, size - start)
                block = Block(to[part], w[part], g[part], a[:rest], b[:rest])
                here = {name: one[part] for name, one in kept.items()}
                self.update(block, here, group, step)
        new.setflags(write=False)  # it is the parameter's now, which need not copy it
        parameter.set(new)

    def _moved_there(
        self, value: Any, gradient: Any, state: State, group: Mapping[str, Any]
    ) -> Array:
        """The new value of a parameter on a device, where the update runs as kernels; the state is kept there too."""
        from tracer.optim.cells import Cell

        device = value.device.name
        kept = {name: Cell(placed(one, device)) for name, one in state.items() if name != "step"}
        new, *others = (Cell(value) for _ in Block._fields)
        w, g, a, b = others
        g.held = gradient
        self.update(Block(new, w, g, a, b), kept, group, state["step"])
        state.update({name: cell.held for name, cell in kept.items()})
        return new.held

    def _temporaries(self, dtype: Any) -> tuple[Array, Array]:
        """Two arrays of a block each, for numbers that are not kept."""
        if dtype not in self._spare:
            self._spare[dtype] = (np.empty(BLOCK, dtype), np.empty(BLOCK, dtype))
        return self._spare[dtype]

    def remembered(self, group: Mapping[str, Any]) -> dict[str, float]:
        """The arrays that are kept of each parameter, with the number that they start from."""
        return {}

    def update(
        self, block: Block, state: Mapping[str, Array], group: Mapping[str, Any], step: int
    ) -> None:
        """Write one block of the new value, and move that block of the state along, in place; step counts from 1."""
        raise NotImplementedError

    # ----- states

    def state_dict(self) -> dict[str, Any]:
        """What a later run needs to go on: the state of each parameter by its number, and the options of the groups."""
        numbers = self._numbers()
        return {
            "state": {numbers[id(one)]: _copied(kept) for one, kept in self.state.items()},
            "param_groups": [
                {**group, "params": [numbers[id(one)] for one in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of `state_dict`, of an optimiser with the same groups.

        Raises `StateError` if numbers of parameters or shapes differ, before anything is changed.
        """
        groups, kept = state["param_groups"], state["state"]
        ours = [len(group["params"]) for group in self.param_groups]
        theirs = [len(group["params"]) for group in groups]
        if ours != theirs:
            raise StateError(
                f"the state is of groups of {theirs} parameters, this optimiser has {ours}\n"
                f"  try: an optimiser made like the one that was saved"
            )
        for other in groups:
            if other.keys() - {"params"} != self.defaults.keys():
                raise StateError(
                    f"the state has the options {', '.join(name for name in other if name != 'params')}, "
                    f"{type(self).__name__} has {', '.join(self.defaults)}\n"
                    f"  try: an optimiser made like the one that was saved"
                )
            self.check(other)
        slots = [one for group in self.param_groups for one in group["params"]]
        order = [number for group in groups for number in group["params"]]
        loaded: dict[Parameter, State] = {}
        for slot, number in zip(slots, order, strict=True):
            if number in kept:
                loaded[slot] = self._fitted(slot, kept[number])
        for group, other in zip(self.param_groups, groups, strict=True):
            group.update({name: other[name] for name in self.defaults})
        self.state = loaded

    def _fitted(self, slot: Parameter, kept: Mapping[str, Any]) -> State:
        """The state of one parameter, copied, in its dtype."""
        made: State = {}
        for name, value in kept.items():
            if name == "step":
                made[name] = int(value)
                continue
            made[name] = np.array(value, dtype=slot.dtype)
            if made[name].shape != slot.shape:
                raise StateError(
                    f"{name} of parameter {slot.name or 'without a name'} has shape {made[name].shape}, "
                    f"the parameter {slot.shape}\n  try: an optimiser made like the one that was saved"
                )
        return made

    def _numbers(self) -> dict[int, int]:
        slots = [one for group in self.param_groups for one in group["params"]]
        return {id(one): number for number, one in enumerate(slots)}

    def __repr__(self) -> str:
        lines = [
            f"  {len(group['params'])} parameters: "
            + ", ".join(f"{name}={group[name]!r}" for name in self.defaults)
            for group in self.param_groups
        ]
        return "\n".join([f"{type(self).__name__} (", *lines, ")"])


def several(params: Any) -> Iterable[Any]:
    """Parameters or groups as they are given. Raises `TypeError` for a single one, whose rows would be walked."""
    if isinstance(params, Operators) or not isinstance(params, Iterable):
        raise TypeError(
            f"an optimiser takes several parameters, not one {type(params).__name__}\n"
            f"  try: module.parameters(), or [w, b]"
        )
    return params


def _flat(value: Array) -> Array:
    """The elements in their order; a view wherever they lie in it."""
    return np.ascontiguousarray(value).reshape(-1)


def _copied(state: State) -> State:
    """A copy on the host that no later step changes."""
    return {
        name: value if name == "step" else np.array(on_host(value)) for name, value in state.items()
    }


def with_decay(w: Array, g: Array, decay: float, spare: Array) -> Array:
    """The gradient of the loss plus decay/2 · ‖w‖²: g + decay · w, in the spare array unless decay is 0."""
    if not decay:
        return g
    np.multiply(w, decay, out=spare)
    spare += g
    return spare
