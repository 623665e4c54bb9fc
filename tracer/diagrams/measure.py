"""How wide a text will be in points, from the widths of Arial; close enough to keep room and to place captions."""

from __future__ import annotations

from tracer.diagrams.picture import Text

_EM = 1000
_GROUPS = (
    ("ijl'|", 222),
    (" .,:;!/\\ftI[]()-", 290),
    ('r`"{}', 345),
    ("*^", 430),
    ("Jckszvxy", 500),
    ("+−=<>~×·÷±", 584),
    ("FTZLαε", 611),
    ("ABEKPSVXYσ", 667),
    ("CDHNRUw&", 725),
    ("GOQ∂", 778),
    ("Mm", 833),
    ("W%@…", 960),
)
_WIDTHS = {character: width for characters, width in _GROUPS for character in characters}
_ANY, _WIDE = 556, 1000
_BOLD = 1.06


def text_width(text: Text) -> float:
    """The width of one line in points, about three per cent too generous rather than too tight.

    >>> from tracer.diagrams.picture import Run
    >>> round(text_width((Run("0.73", size=13),)), 1)
    26.2
    """
    total = 0.0
    for run in text:
        units = sum(_WIDTHS.get(c, _ANY if ord(c) < 0x2E80 else _WIDE) for c in run.text)
        total += units * run.size * (_BOLD if run.bold else 1) / _EM
    return total * 1.03


def room_for(*texts: Text, least: float = 0.0) -> float:
    """The width that holds every one of the texts, rounded up to whole points."""
    return float(int(max([least, *map(text_width, texts)]) + 0.999))
