"""A film as one SVG in which every element stands once, and the list of what each step changes in it.

Elements that two looks of a shape have in common are written once; a look says which dress each of them wears, a CSS
class, or that it is hidden. So a page grows with what changes, not with the number of steps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tracer.diagrams.film import Actor, Film
from tracer.diagrams.names import plain
from tracer.diagrams.strokes import Item, Letters
from tracer.diagrams.writers.svg import FACES, decimal, printed, stroke_lines
from tracer.errors import GradstepError
from tracer.formulas import formula
from tracer.traces import Trace

HIDDEN = -1
"""In place of the number of a dress: the element is not seen."""
Changes = tuple[list[int], list[int], list[list[int]]]
"""Of one actor: the frames at which it changes, the look that it then takes, and for each look its dresses."""

_TAG = re.compile(r'<(\w+)((?: [\w:-]+="[^"]*")*)(/?)>')
_ATTRIBUTE = re.compile(r' ([\w:-]+)="([^"]*)"')
_DRESS = re.compile(r"fill|stroke|stroke-width|stroke-dasharray|font-size|font-weight|font-style")
_SECOND_DECIMAL = re.compile(r"(?<=\.\d)\d")
"""A tenth of a point is finer than a line is wide."""
_LENGTHS = ("stroke-width", "font-size")
_GAP = "\0"
_LONGEST = 120


class Stage(NamedTuple):
    """The SVG as it is at one frame, its dresses as CSS by number, and what changes."""

    svg: str
    width: float
    height: float
    dresses: tuple[str, ...]
    changes: list[Changes]

    def rules(self, selector: str) -> str:
        """The style sheet of the dresses, for elements below what `selector` finds."""
        return "".join(
            f"{selector} .k{number}{{{dress}}}" for number, dress in enumerate(self.dresses)
        )


def staged(film: Film, trace: Trace, shown: int, *, title: str) -> Stage:
    """The stage of a film, set as it is at frame `shown`."""
    wardrobe = _Wardrobe()
    buttons = _buttons(film.actors, trace)
    width, height = decimal(film.width), decimal(film.height)
    lines = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="{FACES}" '
        f'role="group" aria-label="{printed(title)}">'
    ]
    changes: list[Changes] = []
    for number, actor in enumerate(film.actors):
        looks = [frame.looks[number] for frame in film.frames]
        slots = wardrobe.slots(actor.looks)
        moving = len(set(looks)) > 1
        button = buttons.get(actor.key)
        grouped = moving or button is not None
        if grouped:
            words = " ".join(["v"] * moving + ["op"] * (button is not None))
            lines.append(f'<g class="{words}"{button or ">"}')
        lines += [slot.written(looks[shown]) for slot in slots]
        if grouped:
            lines.append("</g>")
        if moving:
            changes.append(_changes(looks, slots, len(actor.looks)))
    lines.append("</svg>")
    return Stage("\n".join(lines), film.width, film.height, tuple(wardrobe.numbers), changes)


@dataclass
class _Slot:
    """An element with a gap for its class, and the number of its dress in each look that has it."""

    element: str
    dresses: dict[int, int] = field(default_factory=dict)

    def written(self, look: int) -> str:
        dress = self.dresses.get(look, HIDDEN)
        return self.element.replace(_GAP, f' class="{"x" if dress == HIDDEN else f"k{dress}"}"')


@dataclass
class _Wardrobe:
    """Every dress that is met, in order: how an element is painted, as CSS."""

    numbers: dict[str, int] = field(default_factory=dict)

    def slots(self, looks: Sequence[Item]) -> list[_Slot]:
        """The elements of all looks in one order in which each look finds its own."""
        slots: list[_Slot] = []
        for number, look in enumerate(looks):
            at = 0
            for line in stroke_lines(look.strokes, by_variable):
                element, dress = self._undressed(line)
                found = (k for k in range(at, len(slots)) if slots[k].element == element)
                k = next(found, -1)
                if k < 0:
                    slots.insert(k := at, _Slot(element))
                slots[k].dresses[number] = dress
                at = k + 1
        return slots

    def _undressed(self, line: str) -> tuple[str, int]:
        """The element with a gap where its class stands, and the number of its dress."""
        outer: list[int] = []

        def change(tag: re.Match[str]) -> str:
            name, attributes, end = tag.groups()
            kept, declared = "", []
            for key, value in _ATTRIBUTE.findall(attributes):
                if _DRESS.fullmatch(key):
                    declared.append(f"{key}:{value}{'px' * (key in _LENGTHS)}")
                else:
                    kept += f' {key}="{_SECOND_DECIMAL.sub("", value) if key == "d" else value}"'
            dress = self.numbers.setdefault(";".join(declared), len(self.numbers))
            if not outer:
                outer.append(dress)
                return f"<{name}{kept}{_GAP}{end}>"
            return f'<{name}{kept} class="k{dress}"{end}>'

        return _TAG.sub(change, line), outer[0]


def by_variable(fill: str, line: str) -> str:
    """Roles as CSS variables, which a theme gives their colours.

    >>> by_variable("gate", "wire")
    ' fill="var(--gate)" stroke="var(--wire)"'
    """
    filled = f' fill="var(--{fill})"' if fill else ' fill="none"'
    return filled + (f' stroke="var(--{line})"' if line else "")


def _changes(looks: Sequence[int], slots: Sequence[_Slot], count: int) -> Changes:
    turns = [k for k, look in enumerate(looks) if k == 0 or look != looks[k - 1]]
    dresses = [[slot.dresses.get(look, HIDDEN) for slot in slots] for look in range(count)]
    return turns, [looks[k] for k in turns], dresses


def faces(film: Film, trace: Trace) -> list[int]:
    """For each node the one by whose number its shape is found; without a shape, that of what it leads to.

    Where several shapes stand for a node, the one that stands for the fewest is its own.
    """
    found = [-1] * len(trace)
    for actor in sorted(film.actors, key=lambda actor: -len(actor.nodes)):
        for i in actor.nodes:
            found[i] = _face(actor.nodes, trace)
    for i in reversed(range(len(trace))):
        if found[i] < 0:
            uses = trace.uses_of(i)
            found[i] = found[int(trace.edge_consumer[uses[0]])] if uses else i
    return found


def _face(nodes: Sequence[int], trace: Trace) -> int:
    """The node by whose number a shape is found: its last operation."""
    return max(nodes, key=lambda i: (trace.op_of[i] >= 0, i))


def _buttons(actors: Sequence[Actor], trace: Trace) -> dict[str, str]:
    """For each shape of an operation the rest of its opening tag: a click leads to the steps of its nodes.

    Of a gate and a wire that stand for one node, the gate alone is announced as a button.
    """
    faces = {actor.key: _face(actor.nodes, trace) for actor in actors if actor.nodes}
    main: dict[int, Actor] = {}
    for actor in actors:
        if actor.nodes:
            known = main.setdefault(faces[actor.key], actor)
            if (len(actor.nodes), _is_filled(actor)) > (len(known.nodes), _is_filled(known)):
                main[faces[actor.key]] = actor
    buttons: dict[str, str] = {}
    for actor in actors:
        node = faces.get(actor.key, -1)
        if node < 0 or trace.op_of[node] < 0:
            continue
        spoken = ' role="button" tabindex="-1"' if main[node] is actor else ""
        name = printed(_name(trace, node, len(actor.nodes)))
        buttons[actor.key] = f' data-node="{node}"{spoken}><title>{name}</title>'
    return buttons


def _is_filled(actor: Actor) -> bool:
    """Whether it has a face that one can click on, as a gate has and a piece of wire has not."""
    strokes = actor.looks[0].strokes
    return any(not isinstance(stroke, Letters) and stroke.fill for stroke in strokes)


def _name(trace: Trace, i: int, count: int) -> str:
    node = trace[i]
    try:
        written = formula(node)
    except GradstepError:
        written = ""
    several = f"{count} nodes, the last " if count > 1 else ""
    return plain(f"{several}{node.label} = {written or node.op_name}", longest=_LONGEST)
