"""A film as one SVG in which every element stands once, and the list of what each step changes in it.

Elements that two looks of a shape have in common are written once; a look says which dress each of them wears, a CSS
class, or that it is hidden. So a page grows with what changes, not with the number of steps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tracer.diagrams.film import Film
from tracer.diagrams.names import plain
from tracer.diagrams.strokes import Item
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
_NODE = re.compile(r"[gn](\d{1,9})")
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
    buttons = _buttons([actor.key for actor in film.actors], trace)
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
    """For each node the one whose shape stands for it: itself, or what it is folded into on its way to the loss."""
    drawn = {int(key[1]) for actor in film.actors if (key := _NODE.fullmatch(actor.key))}
    found = list(range(len(trace)))
    for i in reversed(found):
        uses = [] if i in drawn else trace.uses_of(i)
        if uses:
            found[i] = found[int(trace.edge_consumer[uses[0]])]
    return found


def _buttons(keys: Sequence[str], trace: Trace) -> dict[str, str]:
    """For each shape of an operation the rest of its opening tag: a click leads to the steps of that node.

    Where a gate and a wire stand for one node, the gate alone is announced as a button.
    """
    known = set(keys)
    buttons: dict[str, str] = {}
    for key in keys:
        found = _NODE.fullmatch(key)
        if found is None or int(found[1]) >= len(trace) or trace.op_of[int(found[1])] < 0:
            continue
        node = int(found[1])
        name = printed(_name(trace, node))
        main = key[0] == "g" or f"g{node}" not in known
        spoken = ' role="button" tabindex="-1"' if main else ""
        buttons[key] = f' data-node="{node}"{spoken}><title>{name}</title>'
    return buttons


def _name(trace: Trace, i: int) -> str:
    node = trace[i]
    try:
        written = formula(node)
    except GradstepError:
        written = ""
    return plain(f"{node.label} = {written or node.op_name}", longest=_LONGEST)
