"""The one table of all operations, whose families load when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ops.catalogue import MODULES

if TYPE_CHECKING:
    from ops.primitive import Primitive


class Table(dict[str, "Primitive"]):
    """Primitives by name. Asked for one that is not loaded yet, it loads it; looked through, it loads them all."""

    def __missing__(self, name: str) -> Primitive:
        if name in MODULES:
            importlib.import_module(MODULES[name])
            if dict.__contains__(self, name):
                return dict.__getitem__(self, name)
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """The primitive of that name, the default if there is none."""
        try:
            return self[name]
        except KeyError:
            return default

    def complete(self) -> None:
        """Load every family."""
        for module in dict.fromkeys(MODULES.values()):
            importlib.import_module(module)

    def __iter__(self) -> Iterator[str]:
        self.complete()
        return super().__iter__()

    def __len__(self) -> int:
        self.complete()
        return super().__len__()

    def keys(self) -> Any:
        """All names."""
        self.complete()
        return super().keys()

    def values(self) -> Any:
        """All primitives."""
        self.complete()
        return super().values()

    def items(self) -> Any:
        """All names with their primitives."""
        self.complete()
        return super().items()


PRIMITIVES = Table()
"""Every declared operation by name: the one table that kernels, help, formulas and tests walk."""


def declared(module: str, name: str, kernels: str) -> Primitive:
    """The primitive of that name, which that module declares. Raises `ImportError` or `KeyError` if it is not there."""
    importlib.import_module(module)
    return lookup(name, kernels)


def lookup(name: str, kernels: str = "numpy") -> Primitive:
    """The primitive of that name, in the form that runs those kernels. Raises `KeyError` if there is none."""
    op = PRIMITIVES[name]
    if kernels == "numpy":
        return op
    from ops.kernels.choice import form

    return form(op, kernels)
