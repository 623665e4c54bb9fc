"""The palettes of the figures, and what holds for all: text and lines stand out from every ground they lie on.

Text has a contrast of at least 4.5 to 1 against its ground, lines at least 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11, level
AA). No palette has to be seen in colour: values are bold or stand above, gradients bear a mark or stand below, routes
have dashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FONT = "Arial"
"""Fontconfig answers with Liberation Sans of the same widths, and a browser without it has Arial itself."""


@dataclass(frozen=True)
class Palette:
    """The colours of one figure, as `#RRGGBB`."""

    paper: str
    ink: str
    quiet: str
    value: str
    gradient: str
    parameter: str
    wire: str
    ahead: str
    gate: str
    gate_edge: str
    cluster: str
    cluster_edge: str
    current: str
    route0: str
    route1: str
    route2: str
    route3: str

    def of(self, role: str) -> str:
        """The colour of a role.

        >>> LIGHT.of("gradient")
        '#C2261D'
        """
        return str(getattr(self, role))


LIGHT = Palette(
    paper="#FFFFFF",
    ink="#1F2933",
    quiet="#5B6878",
    value="#0B7A3B",
    gradient="#C2261D",
    parameter="#1D4ED8",
    wire="#3E4C59",
    ahead="#7B8794",
    gate="#F5F7FA",
    gate_edge="#52606D",
    cluster="#F8FAFC",
    cluster_edge="#8592A2",
    current="#FEF3C7",
    route0="#B8400C",
    route1="#6D28D9",
    route2="#0E6F85",
    route3="#8A6100",
)

DARK = Palette(
    paper="#0F172A",
    ink="#E5E9F0",
    quiet="#A3B1C4",
    value="#4ADE80",
    gradient="#FB7185",
    parameter="#93C5FD",
    wire="#94A3B8",
    ahead="#6B7A92",
    gate="#1E293B",
    gate_edge="#94A3B8",
    cluster="#162033",
    cluster_edge="#63728A",
    current="#3F2E00",
    route0="#FDBA74",
    route1="#C4B5FD",
    route2="#67E8F9",
    route3="#FDE047",
)

PRINT = Palette(
    paper="#FFFFFF",
    ink="#000000",
    quiet="#4A4A4A",
    value="#000000",
    gradient="#2B2B2B",
    parameter="#000000",
    wire="#333333",
    ahead="#808080",
    gate="#FFFFFF",
    gate_edge="#333333",
    cluster="#FAFAFA",
    cluster_edge="#8A8A8A",
    current="#E2E2E2",
    route0="#000000",
    route1="#000000",
    route2="#3D3D3D",
    route3="#3D3D3D",
)
"""Greys only, for a printer or a photocopy."""

SAFE = Palette(
    paper="#FFFFFF",
    ink="#1F2933",
    quiet="#5B6878",
    value="#3A6CAE",
    gradient="#B84300",
    parameter="#9808F2",
    wire="#3E4C59",
    ahead="#7B8794",
    gate="#F5F7FA",
    gate_edge="#52606D",
    cluster="#F8FAFC",
    cluster_edge="#8592A2",
    current="#FEF3C7",
    route0="#B84300",
    route1="#2440E8",
    route2="#9C2A86",
    route3="#33290A",
)
"""For the colour blind: value, gradient and parameter differ, and so do the routes, with any two kinds of cones."""

THEMES: Mapping[str, Palette] = MappingProxyType(
    {"light": LIGHT, "dark": DARK, "print": PRINT, "safe": SAFE}
)
"""Palettes by name."""
