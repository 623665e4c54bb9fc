"""The two palettes of the figures. Every text colour has a contrast of at least 4.5 to 1 against what it stands on."""

from __future__ import annotations

from dataclasses import dataclass

from tracer.diagrams.picture import Role

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

    def of(self, role: Role) -> str:
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
    ahead="#9AA5B1",
    gate="#F5F7FA",
    gate_edge="#52606D",
    cluster="#F8FAFC",
    cluster_edge="#CBD2D9",
    current="#FEF3C7",
)

DARK = Palette(
    paper="#0F172A",
    ink="#E5E9F0",
    quiet="#A3B1C4",
    value="#4ADE80",
    gradient="#FB7185",
    parameter="#93C5FD",
    wire="#94A3B8",
    ahead="#56657D",
    gate="#1E293B",
    gate_edge="#94A3B8",
    cluster="#162033",
    cluster_edge="#334155",
    current="#3F2E00",
)
