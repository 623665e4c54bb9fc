"""A module: a function with parameters, which finds what it holds by walking its attributes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Self

from ops.primitive import Array
from tracer.nn.buffers import Buffer
from tracer.nn.members import Member, members_of, rename, snake_case
from tracer.nn.saving import check_fit, read_arrays, write_arrays
from tracer.parameters import Parameter
from tracer.recording import ScopeEntry, scope
from tracer.values import as_value, on_host


class Module:
    """A layer or network: parameters among its attributes, and `forward`, which says what it computes.

    Parameters, buffers and modules are found in attributes and in lists, tuples and dicts there. Each learns its path
    (`layers.0.weight`), which names it in a trace; a call runs in the scope of the path's last part (`layers[k=0]`), or
    of the class name. The first path that reaches a shared module or parameter is the one that counts.

    >>> import tracer as tr
    >>> class Net(tr.nn.Module):
    ...     def __init__(self):
    ...         self.hidden = tr.nn.Linear(2, 3)
    ...         self.out = tr.nn.Linear(3, 1)
    ...
    ...     def forward(self, x):
    ...         return self.out(tr.tanh(self.hidden(x)))
    >>> net = Net()
    >>> [name for name, _ in net.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    >>> ".".join(map(str, net([[1.0, 2.0]]).scope))
    'net.out'
    """

    training = True
    """Whether the layers behave as in training: dropout drops, BatchNorm uses the statistics of the batch."""

    _path = ""
    _entry: ScopeEntry | None = None
    _settled = False

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; calling the module runs it in the module's scope."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward\n  try: def forward(self, x): in the class"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` in the scope of this module."""
        if not self._settled:
            self._settle()
        entry = self._entry or ScopeEntry(snake_case(type(self).__name__))
        index: Any = {entry.key: entry.index} if entry.key else {}
        with scope(entry.name, **index):
            return self.forward(*args, **kwargs)

    # ----- what it holds

    def members(self) -> Iterator[Member]:
        """The modules, parameters and buffers that this module holds itself, with path and scope as seen from it."""
        for name, value in vars(self).items():
            yield from members_of(name, value, _KINDS)

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module, under the empty path, and every module inside, each once."""
        seen = {id(self)}
        found: list[tuple[str, Module]] = [("", self)]
        while found:
            path, module = found.pop()
            yield path, module
            inside = []
            for member in module.members():
                if isinstance(member.held, Module) and id(member.held) not in seen:
                    seen.add(id(member.held))
                    inside.append((_joined(path, member.path), member.held))
            found += reversed(inside)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters here and inside, each once, with their paths."""
        self._settle()
        return self._slots(Parameter)

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """The buffers here and inside, each once, with their paths."""
        self._settle()
        return self._slots(Buffer)

    def parameters(self) -> Iterator[Parameter]:
        """The parameters here and inside, for an optimiser."""
        return (parameter for _, parameter in self.named_parameters())

    def buffers(self) -> Iterator[Buffer]:
        """The buffers here and inside."""
        return (buffer for _, buffer in self.named_buffers())

    def _slots(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules():
            for member in module.members():
                if isinstance(member.held, kind) and id(member.held) not in seen:
                    seen.add(id(member.held))
                    yield _joined(path, member.path), member.held

    # ----- names

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name[0] != "_":
            for member in members_of(name, value, _KINDS):
                self._adopt(member)

    def _settle(self) -> None:
        """Tell everything inside its path: lists may have grown since they were assigned."""
        for _, module in list(self.named_modules()):
            for member in module.members():
                module._adopt(member)
            module._settled = True

    def _adopt(self, member: Member) -> None:
        """Tell a member its path, if it has none yet."""
        held, path = member.held, _joined(self._path, member.path)
        if not isinstance(held, Module):
            if not held.name:
                rename(held, path)
        elif held is not self and held._entry is None:
            held._entry = member.entry
            held._move(path)

    def _move(self, path: str) -> None:
        """Bear another path, and with it everything inside that had its own from here."""
        moving = [(self, path)]
        while moving:
            module, path = moving.pop()
            before = module._path
            module._path = path
            inside = []
            for member in module.members():
                held = member.held
                old, new = _joined(before, member.path), _joined(path, member.path)
                if isinstance(held, Module):
                    if held._path == old:
                        inside.append((held, new))
                elif held.name == old:
                    rename(held, new)
            moving += reversed(
                inside
            )  # in their order, which is then that of the leaves in a trace

    # ----- training

    def train(self, mode: bool = True) -> Self:
        """Behave as in training, here and inside; `eval()` is the opposite. Returns the module."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Behave as in use, here and inside: nothing is dropped, BatchNorm uses its running statistics."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    # ----- states and files

    def state_dict(self) -> dict[str, Array]:
        """The values of all parameters and buffers by path: read-only arrays, which no later training changes."""
        return {name: on_host(slot.value) for name, slot in self._state()}

    def to(self, device: Any) -> Self:
        """Put all parameters and buffers on a device: `cpu`, `cuda` or `interpret`; returns the module itself.

        Before an optimiser is made or after: it refills the same slots, and gradients and hooks move along. Raises
        `DeviceError` where there is no such device, before anything is moved.
        """
        from tracer.placing import named

        name = named(device)
        for _, slot in self._state():
            slot.place(name)
        return self

    def cpu(self) -> Self:
        """Put all parameters and buffers in the memory of the process."""
        return self.to("cpu")

    def cuda(self) -> Self:
        """Put all parameters and buffers on the GPU."""
        return self.to("cuda")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Refill all parameters and buffers, in their own dtype.

        Raises `StateError`, listing what is missing, unexpected or of another shape, before anything is changed.
        """
        arrays = {name: as_value(value) for name, value in state.items()}
        shapes = {name: value.shape for name, value in arrays.items()}
        check_fit(self.state_dict(), shapes, f"the state does not fit this {type(self).__name__}")
        for name, slot in self._state():
            slot.set(arrays[name])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state as an npz file, whole or not at all.

        >>> import tempfile, tracer as tr
        >>> a, b = tr.nn.Linear(2, 3), tr.nn.Linear(2, 3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     a.save(folder + "/weights.npz")
        ...     b.load(folder + "/weights.npz")
        >>> bool((a.weight.value == b.weight.value).all())
        True
        """
        write_arrays(path, self.state_dict())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Refill all parameters and buffers from a file of `save`; as strict as `load_state_dict`.

        Raises `StateError` for a damaged file too. Nothing in a file is ever run.
        """
        self.load_state_dict(read_arrays(path, self.state_dict()))

    def _state(self) -> Iterator[tuple[str, Parameter | Buffer]]:
        yield from self.named_parameters()
        yield from self.named_buffers()

    # ----- text

    def extra_repr(self) -> str:
        """What stands between the brackets of the printed module; the sizes of a layer, say."""
        return ""

    def shown(self) -> Iterator[tuple[str, Any]]:
        """What the printed module lists, by name."""
        return ((m.path, m.held) for m in self.members() if isinstance(m.held, Module))

    def __repr__(self) -> str:
        inside = [f"({name}): {_text(held)}" for name, held in self.shown()]
        name, extra = type(self).__name__, self.extra_repr()
        if not inside:
            return f"{name}({extra})"
        lines = "\n".join([extra, *inside] if extra else inside).replace("\n", "\n  ")
        return f"{name}(\n  {lines}\n)"


_KINDS = (Module, Parameter, Buffer)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _text(held: Any) -> str:
    return repr(held) if isinstance(held, Module) else name_of(held)


def name_of(function: Any) -> str:
    """What a function or primitive is called; `lambda` for one without a name."""
    name = getattr(function, "name", None) or getattr(function, "__name__", None)
    return str(name or type(function).__name__).strip("<>")
