r"""A drawn figure as TikZ: the same strokes as the SVG, in a file that plain pdflatex sets.

The file does two things. Set by itself it is a page of the size of the figure, and further pages with the derivation.
Read with `\input` it is the picture alone, and `\gsderivation` after it sets the derivation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType

from tracer.diagrams.palettes import Palette
from tracer.diagrams.strokes import Curve, Drawn, Ellipse, Item, Letters, Point, Polygon, Stroke
from tracer.diagrams.writers.svg import DASHES, LOWER
from tracer.tex import SIGNS, tex_text

LARGEST = 14_000.0
"""Points that a page may measure: TeX and PDF know nothing larger, so that a longer figure is drawn smaller."""

FIGURE_SIGNS: Mapping[str, str] = MappingProxyType(
    {**SIGNS, "○": r"\gsring", "◐": r"\gshalf", "●": r"\gsdisc"}
)
"""The marks of a gradient's state are drawn, all three of one size; no standard font has the half-filled one."""

_HEAD = r"""% A figure by gradstep. It can be set by itself:        pdflatex FILE.tex   (or tectonic, xelatex, lualatex)
% or be part of a document that has \usepackage{tikz,amsmath,amssymb}:   \input{FILE}
% After \input, \gsderivation sets the derivation, if the file has one. Before it, \newcommand{\gsfont}{} sets the
% letters in the document's own font instead of Helvetica. Lengths are points of 1/72 inch, y runs downwards.
\expandafter\ifx\csname @nodocument\endcsname\relax
  \def\gsopen{}\def\gsclose{}\def\gsend{}% inside a document: the picture alone
\else
  \documentclass[a4paper]{article}
  \usepackage{textcomp}
  \usepackage{tikz,amsmath,amssymb}
  \pagestyle{empty}\setlength{\parindent}{0pt}\allowdisplaybreaks
  \setlength{\textwidth}{170mm}\setlength{\oddsidemargin}{-5.4mm}
  \setlength{\textheight}{250mm}\setlength{\topmargin}{-20mm}
  \begin{document}
  \def\gsopen{\setbox0=\hbox\bgroup}
  \def\gsclose{\egroup % a page that is just as large as the picture
    \begingroup \hoffset=-1in \voffset=-1in
    \ifdefined\pagewidth \pagewidth=\wd0 \pageheight=\ht0 \else \pdfpagewidth=\wd0 \pdfpageheight=\ht0 \fi
    \shipout\box0 \endgroup}
  \def\gsend{\gsderivation\end{document}}
\fi
\begingroup % some languages make these characters active
\catcode`\;=12 \catcode`\:=12 \catcode`\!=12 \catcode`\?=12 \catcode`\"=12 \catcode`\'=12
\catcode`\<=12 \catcode`\>=12 \catcode`\|=12 \catcode`\==12 \catcode`\*=12
"""

_MACROS = r"""\ifdefined\gsfont\else
  \IfFileExists{t1uhv.fd}% the fonts of Helvetica's shape and widths are there
    {\def\gsfont{\fontencoding{T1}\fontfamily{phv}\selectfont}}
    {\def\gsfont{\fontencoding{OT1}\fontfamily{cmss}\selectfont
      \def\textminus{\ensuremath{-}}\def\texttimes{\ensuremath{\times}}\def\textdiv{\ensuremath{\div}}}}
\fi
\def\gsplain{}\def\gsb{\bfseries\boldmath}\def\gsi{\itshape}\def\gsbi{\bfseries\boldmath\itshape}
% \gstext{colour}{face}{size}{left end of the base line}{room}{letters}: fills the room, if need be by narrower letters
\def\gstext#1#2#3#4#5#6{\node[inner sep=0pt,outer sep=0pt,anchor=base west] at (#4) {%
  \setbox0=\hbox{{\fontsize{10}{12}\normalfont\gsfont\csname gs#2\endcsname\color{#1}#6}}%
  \ifdim\wd0>0pt
    \dimen0=#3bp \dimen2=\dimexpr\wd0*\dimen0/655360\relax % how wide it is in its size
    \dimen4=\dimexpr 1pt*\dimexpr#5bp\relax/\dimen2\relax \ifdim\dimen4>1.2pt \dimen4=1pt \fi
    \dimen6=.1\dimen0 \dimen4=\dimexpr\dimen4*\dimen6/65536\relax
    \scalebox{\csname strip@pt\endcsname\dimen4}[\csname strip@pt\endcsname\dimen6]{\copy0}%
  \fi};}
\def\gsmark#1{\begin{tikzpicture}[x=1ex,y=1ex,baseline=-.75ex,line width=.7pt]%
  \draw circle[radius=.68ex];#1\end{tikzpicture}}
\def\gsring{\gsmark{}}\def\gsdisc{\gsmark{\fill circle[radius=.68ex];}}
\def\gshalf{\gsmark{\fill (0,.68ex) arc[start angle=90,end angle=270,radius=.68ex] -- cycle;}}
"""


def tikz_text(drawn: Drawn, palette: Palette, *, derivation: str = "") -> str:
    """The figure as a LaTeX file with one TikZ picture, followed by the derivation if one is given."""
    scale = min(1.0, LARGEST / max(drawn.width, drawn.height, 1.0))
    pen = _Pen(scale)
    smaller = (
        f"% Drawn {1 / scale:.1f} times smaller: TeX knows no longer lengths.\n"
        if scale < 1
        else ""
    )
    colours = [
        rf"\definecolor{{{_colour(role)}}}{{HTML}}{{{value.removeprefix('#').upper()}}}"
        for role, value in asdict(palette).items()
    ]
    corner = pen.pair((drawn.width, drawn.height))
    body = [
        r"\gsopen\begin{tikzpicture}[x=1bp,y=-1bp]",
        rf"\useasboundingbox (0,0) rectangle ({corner});",
    ]
    if palette.paper.upper() != "#FFFFFF":
        body.append(rf"\fill[gspaper] (0,0) rectangle ({corner});")
    for item in drawn.items:
        body += pen.item(item)
    body.append(r"\end{tikzpicture}\gsclose")
    proof = derivation.rstrip("\n")
    kept = (
        ["% the derivation", "\\long\\gdef\\gsderivation{%", proof, "}"]
        if proof
        else [r"\gdef\gsderivation{}"]
    )
    lines = [
        _HEAD + smaller + "% the colours",
        *colours,
        "% how letters are set",
        _MACROS + "% the picture",
    ]
    return "\n".join([*lines, *body, *kept, r"\endgroup\gsend", ""])


def _colour(role: str) -> str:
    """The name of a role's colour: letters alone, as TeX likes names."""
    return "gs" + role.replace("_", "")


class _Pen:
    """Writes strokes, every length times a scale."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def item(self, item: Item) -> Iterator[str]:
        if item.strokes:
            yield f"% {item.kind} {re.sub(r'[^A-Za-z0-9_-]', '', item.key)[:40]}"
        for stroke in item.strokes:
            yield self.stroke(stroke)

    def stroke(self, stroke: Stroke) -> str:
        if isinstance(stroke, Letters):
            return self.letters(stroke)
        look = [f"draw={_colour(stroke.line)}"] if stroke.line else []
        look += [f"fill={_colour(stroke.fill)}"] if stroke.fill else []
        look += [f"line width={self.length(stroke.width)}bp"] if stroke.line else []
        if isinstance(stroke, Polygon) and stroke.opacity < 1:
            look.append(f"opacity={stroke.opacity:.3g}")
        if stroke.dash:
            on, off = (self.length(float(part)) for part in DASHES[stroke.dash].split())
            look.append(f"dash pattern=on {on}bp off {off}bp")
        return rf"\path[{','.join(look)}] {self.path(stroke)};"

    def path(self, stroke: Curve | Polygon | Ellipse) -> str:
        if isinstance(stroke, Ellipse):
            across, up = (f"{self.length(radius)}bp" for radius in stroke.radii)
            radii = f"radius={across}" if across == up else f"x radius={across},y radius={up}"
            return f"({self.pair(stroke.middle)}) circle[{radii}]"
        if isinstance(stroke, Polygon):
            line = " -- ".join(f"({self.pair(point)})" for point in stroke.points)
            return line if stroke.open else f"{line} -- cycle"
        words = [f"({self.pair(stroke.points[0])})"]
        for k in range(1, len(stroke.points) - 2, 3):
            first, second, end = (f"({self.pair(point)})" for point in stroke.points[k : k + 3])
            before = words[-1].rpartition(" ")[2]
            straight = first == before and second == end
            words.append(f"-- {end}" if straight else f".. controls {first} and {second} .. {end}")
        closed = stroke.points[0] == stroke.points[-1]
        return " ".join(words) + (" -- cycle" if closed else "")

    def letters(self, one: Letters) -> str:
        x, y = one.at
        place = self.pair((x, y + LOWER * one.size if one.lowered else y))
        face = ("b" if one.bold else "") + ("i" if one.italic else "") or "plain"
        size, room = self.length(one.size), self.length(one.room)
        words = tex_text(one.text, FIGURE_SIGNS)
        return (
            rf"\gstext{{{_colour(one.paint)}}}{{{face}}}{{{size}}}{{{place}}}{{{room}}}{{{words}}}"
        )

    def length(self, number: float) -> str:
        """A length as short as three decimals allow.

        >>> _Pen(1.0).length(12.0), _Pen(0.5).length(0.25), _Pen(1.0).length(-0.0001)
        ('12', '0.125', '0')
        """
        text = f"{number * self.scale:.3f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text

    def pair(self, point: Point) -> str:
        return f"{self.length(point[0])},{self.length(point[1])}"
