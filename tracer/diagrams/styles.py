"""The styles in which a trace can be drawn, what each of them can draw, and which one suits a trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, get_args

from tracer import errors
from tracer.diagrams.boxed.cards import cards
from tracer.diagrams.boxed.outline import outline
from tracer.diagrams.boxed.titles import naming
from tracer.diagrams.circuit import circuit
from tracer.diagrams.frames import Part
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import plain
from tracer.diagrams.numerals import first_numbers, mean_size
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.rolled import rolled
from tracer.diagrams.over_time.timesteps import has_time_axis
from tracer.diagrams.over_time.unrolled import unrolled
from tracer.diagrams.picture import Direction, Picture
from tracer.diagrams.routes.paths import paths
from tracer.diagrams.settings import Settings
from tracer.diagrams.sweeps.backward import backward


@dataclass(frozen=True)
class Style:
    """One way to draw: a function from a part of a trace, a moment and the user's choices to a picture."""

    draw: Callable[[Part, Moment, Settings], Picture]
    about: str
    """What it is for, in a few words."""
    unfit: Callable[[Part], str] = lambda part: ""
    """Why it cannot draw a part, and what to do instead; empty where it can."""
    write: Callable[[Any], str] = first_numbers
    """How it writes the numbers of an array that is not a scalar."""
    turns: bool = False
    """Whether it can be asked for a direction."""
    local: bool = False
    """Whether it can show local derivatives on its edges."""
    keeps_all: bool = False
    """Whether `around` names the node that the figure is about, and not a neighbourhood to cut out."""
    naming: Callable[[Part], Callable[[int], str]] | None = None
    """What its figure of a part calls each node in captions and sentences; None where that is the label."""


def all_scalars(part: Part) -> bool:
    """Whether every value that is shown has rank 0."""
    return all(part.trace.storage.held(i).ndim == 0 for i in part.nodes)


def _has_arrays(part: Part) -> str:
    if all_scalars(part):
        return ""
    return "the circuit style draws scalars, and there are arrays here\n  try: style='cards'"


def _has_no_time(part: Part) -> str:
    if has_time_axis(part):
        return ""
    fitting = "circuit" if all_scalars(part) else "cards"
    return (
        "a network over time needs at least two time steps, scopes with the key t\n"
        f"  try: with tr.scope('rnn', t=t): around each step, or style={fitting!r}"
    )


def _has_no_flows(part: Part) -> str:
    if part.trace.receives.any():
        return ""
    fitting = "circuit" if all_scalars(part) else "cards"
    return (
        "no gradient flows in this trace, so that there is no backward pass to draw\n"
        f"  try: style={fitting!r}"
    )


def _no_backward_pass(part: Part) -> str:
    gradients = sum(bool(part.trace.receives[i]) for i in part.nodes)
    if gradients > MOST_GRADIENTS:
        return (
            f"the backward style draws every gradient, and {gradients:,} could not be read\n"
            "  try: style='outline', or a scope, or the neighbours of a node alone"
        )
    return _has_no_flows(part)


MOST_GRADIENTS = 200
"""A backward pass of more gradients than that is no figure."""
STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "circuit": Style(
            circuit, "gates and wires of scalars, as on a slide", _has_arrays, local=True
        ),
        "cards": Style(
            cards, "tensors as cards in the frames of their scopes", turns=True, naming=naming
        ),
        "outline": Style(
            outline,
            "operations only, for the overview of a large network",
            turns=True,
            naming=naming,
        ),
        "unrolled": Style(
            unrolled, "a network over its time steps", _has_no_time, mean_size, naming=OverTime
        ),
        "rolled": Style(
            rolled,
            "one time step for all of them, with the cycles of a recurrent network",
            _has_no_time,
            mean_size,
            naming=OverTime,
        ),
        "paths": Style(
            paths,
            "the gradient paths to one value, and their sum",
            _has_no_flows,
            local=True,
            keeps_all=True,
        ),
        "backward": Style(
            backward,
            "the backward pass as a graph of its own",
            _no_backward_pass,
            turns=True,
            naming=naming,
        ),
    }
)

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
MOST_GATES = 300
"""Scalars beyond which the numbers of a circuit could not be read, and an outline folds scopes instead."""


def chosen_style(part: Part, wanted: str | None) -> str:
    """The name of the style that was asked for, or of the one that suits.

    Raises `DiagramError` for an unknown style, or one that cannot draw this trace.
    """
    if wanted is None:
        if has_time_axis(part) and not part.trimmed:
            return "unrolled"
        if not all_scalars(part):
            return "cards"
        return "circuit" if len(part.nodes) <= MOST_GATES else "outline"
    if wanted not in STYLES:
        said = plain(str(wanted), longest=60)
        listed = f"{', '.join(list(STYLES)[:-1])} or {list(STYLES)[-1]}"
        close = get_close_matches(said, STYLES, n=1, cutoff=0.7)
        cure = listed if not close else f"style={close[0]!r}, or one of {listed}"
        if "." in said:
            cure = f"diagram(...).save({said!r})"
        raise errors.DiagramError(f"unknown style {said!r}\n  try: {cure}")
    complaint = STYLES[wanted].unfit(part)
    if complaint:
        raise errors.DiagramError(complaint)
    return wanted


def checked(style: str, settings: Settings) -> None:
    """Raises `DiagramError` where a style cannot show what the settings ask for, and says which one can."""
    direction = settings.direction
    if direction is not None:
        if direction not in DIRECTIONS:
            raise errors.DiagramError(
                f"unknown direction {plain(str(direction), longest=60)!r}\n  try: "
                f"{', '.join(DIRECTIONS[:-1])} or {DIRECTIONS[-1]}"
            )
        if not STYLES[style].turns:
            able = [name for name, each in STYLES.items() if each.turns]
            raise errors.DiagramError(
                f"the {style} style has a direction of its own\n  try: {' or '.join(able)}, or no direction"
            )
    if settings.local and not STYLES[style].local:
        able = [name for name, each in STYLES.items() if each.local]
        raise errors.DiagramError(
            f"the {style} style has no edges for local derivatives\n"
            f"  try: {' or '.join(able)} for scalars, or backward for the rules between tensors"
        )
