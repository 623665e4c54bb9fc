"""Modules made of functions and modules: one after the other, or with a path around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ops.primitive import Primitive
from tracer.nn.members import Member, snake_case
from tracer.nn.module import Module, name_of
from tracer.recording import ScopeEntry, scope

Layer = Callable[[Any], Any]


class Sequential(Module):
    """Layers one after the other: modules, and functions such as `tr.relu`, which need no module.

    Given as arguments, or as a mapping of names to layers. Parameters are named `0.weight` or `name.weight`, as in
    PyTorch; layers without a name run in the scope of their kind and number, such as `linear[k=0]`.

    >>> import tracer as tr
    >>> net = tr.nn.Sequential(tr.nn.Linear(2, 3), tr.relu, tr.nn.Linear(3, 1))
    >>> net
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): relu
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    >>> [name for name, _ in net.named_parameters()], len(net), net[1].name
    (['0.weight', '0.bias', '2.weight', '2.bias'], 3, 'relu')
    """

    def __init__(self, *layers: Layer | Mapping[str, Layer]) -> None:
        given: Any = layers
        self._names: tuple[str, ...] = ()
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            self._names, given = tuple(layers[0]), layers[0].values()
        self._layers: tuple[Layer, ...] = tuple(given)
        for layer in self._layers:
            if not callable(layer):
                raise TypeError(
                    f"Sequential takes modules and functions, not {type(layer).__name__}\n"
                    f"  try: Sequential(*layers) for a list of layers"
                )
        self._settle()

    def members(self) -> Iterator[Member]:
        """The modules among the layers, by number or name."""
        for number, (name, layer) in enumerate(self.shown()):
            if isinstance(layer, Module):
                entry = ScopeEntry(snake_case(type(layer).__name__), "k", number)
                yield Member(name, ScopeEntry(name) if self._names else entry, layer)

    def forward(self, x: Any) -> Any:
        """The layers, applied in turn."""
        for number, layer in enumerate(self._layers):
            if isinstance(layer, (Module, Primitive)):
                x = layer(x)
            else:
                with scope(name_of(layer), k=number):
                    x = layer(x)
        return x

    def shown(self) -> Iterator[tuple[str, Layer]]:
        """All layers, by number or name."""
        names = self._names or tuple(map(str, range(len(self._layers))))
        return zip(names, self._layers, strict=True)

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    def __getitem__(self, number: int) -> Layer:
        return self._layers[number]


class Residual(Module):
    """A layer with a path around it (He et al. 2015): y = x + f(x), or shortcut(x) + f(x).

    f: a module or function. Its derivative may vanish; that of the path around it does not.

    >>> import tracer as tr
    >>> block = tr.nn.Residual(tr.sigmoid)
    >>> x = tr.tensor(50.0)
    >>> block(x).backward()
    >>> round(float(x.grad), 3)
    1.0
    """

    def __init__(self, layer: Layer, shortcut: Layer | None = None) -> None:
        self.layer, self.shortcut = layer, shortcut

    def forward(self, x: Any) -> Any:
        """The sum of both paths."""
        around = x if self.shortcut is None else self.shortcut(x)
        return around + self.layer(x)

    def shown(self) -> Iterator[tuple[str, Any]]:
        """The layer, and the shortcut if there is one."""
        yield "layer", self.layer
        if self.shortcut is not None:
            yield "shortcut", self.shortcut
