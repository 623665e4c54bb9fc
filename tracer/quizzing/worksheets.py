"""A quiz on paper: the network, what is given, numbered questions with room for the answers; and its key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tracer.format import printable
from tracer.tex import tex_text
from tracer.traces import Trace

from .keyboard import typed
from .on_paper import given
from .question import FLOW, FORMULA, GRADIENT, MOST_GIVEN, Question, Subject
from .solving import solution
from .wording import Line, Said, formula, in_tex, line, numbers, plain

MOST_LINES = 40
"""Lines of a network that are printed, the nearest to the loss."""


FLOWS = (
    "The flow that a node sends to one of its inputs is its own gradient times its local derivative by that input; "
    "the gradient of the loss is 1."
)


class Worksheet(NamedTuple):
    """What is printed: questions about a network of a name, and a sentence about it."""

    title: str
    about: str
    questions: Sequence[Question]

    @property
    def trace(self) -> Trace:
        """What is asked about."""
        return self.questions[0].trace


def worksheet(sheet: Worksheet, *, tex: bool = False) -> str:
    """The questions, with the network, what is given, and room for the answers: Markdown, or LaTeX."""
    return (_tex_page if tex else _markdown_page)(sheet, key=False)


def key(sheet: Worksheet, *, tex: bool = False) -> str:
    """The same questions with their solutions, step by step."""
    return (_tex_page if tex else _markdown_page)(sheet, key=True)


# ----- what both say


def network(sheet: Worksheet) -> Iterator[Line]:
    """What the network computes, a line for each node with a name."""
    subject = sheet.questions[0].subject
    own = subject.operations
    for i in own[-MOST_LINES:]:
        computed = formula(subject.chain.computed(sheet.trace[i]))
        yield line(subject.named(i), Said(" = ", "="), computed)


def asks_for_flows(sheet: Worksheet) -> bool:
    """Whether one has to know what a flow is."""
    return any(question.kind in (FLOW, GRADIENT) for question in sheet.questions)


def inputs(sheet: Worksheet) -> Iterator[Line]:
    """The small inputs and parameters, with their numbers; of the large ones their shapes."""
    trace, subject = sheet.trace, sheet.questions[0].subject
    read = {j for i in subject.operations[-MOST_LINES:] for j in _read(subject, trace, i)}
    for i in sorted(read):
        value = trace.value(i)
        if np.size(value) <= MOST_GIVEN:
            yield line(subject.named(i), Said(" = ", "="), numbers(value))
        else:
            sizes = " × ".join(map(str, np.shape(value)))
            yield line(subject.named(i), f": {sizes}")


def _read(subject: Subject, trace: Trace, node: int) -> Iterator[int]:
    """The leaves with a name that an operation reads, itself or by steps that are written into it."""
    waiting = [j for j in trace.inputs_of(node) if j >= 0]
    while waiting:
        i = waiting.pop()
        if trace.op_of[i] < 0 and trace.names[i]:
            yield i
        elif i in subject.chain.nested:
            waiting += [j for j in trace.inputs_of(i) if j >= 0]


def answer(question: Question) -> tuple[Line, ...]:
    """The solution, and of a formula how it is typed."""
    lines = solution(question)
    text = typed(question) if question.kind == FORMULA else ""
    return (*lines, line("as one types it: ", Said(text))) if text else lines


# ----- Markdown


def _markdown_page(sheet: Worksheet, *, key: bool) -> str:
    title = f"# {_escaped(sheet.title)}: {'key' if key else 'worksheet'}\n"
    parts = [title, f"{_escaped(sheet.about)}\n"] if sheet.about else [title]
    if not key:
        leaves = [*inputs(sheet)]
        parts += ["Name: " + r"\_" * 30 + " Date: " + r"\_" * 12 + "\n"]
        parts += ["## The network\n", _fenced(map(plain, network(sheet)))]
        parts += ["Given:\n", _fenced(map(plain, leaves))] if leaves else []
        parts += [f"{_escaped(FLOWS)}\n"] if asks_for_flows(sheet) else []
        parts += [
            f"Figure: `gradstep diagram {printable(sheet.title)} -o figure.svg`\n",
            "## Questions\n",
        ]
    for number, question in enumerate(sheet.questions, start=1):
        parts.append(f"{number}. {_marked(question.statement)}\n")
        if key:
            parts.append(_indented(_fenced(map(plain, answer(question)))))
            continue
        shown = [*question.definitions, *given(sheet.questions, question)]
        parts += [_indented(_fenced(map(plain, shown)))] if shown else []
        parts.append(f"   {_asked(question.asked.text)}\n")
    return "\n".join(parts)


def _asked(text: str) -> str:
    return f"`{text} =` " + r"\_" * 30


def _marked(said: Line) -> str:
    """A line whose mathematics stands in code spans, so that no sign of it is read as a mark of Markdown."""
    return "".join(f"`{p.text}`" if p.tex else _escaped(p.text) for p in said)


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*[]<>#|$" else c for c in printable(text))


def _fenced(lines: Iterator[str]) -> str:
    return "\n".join(["```text", *lines, "```", ""])


def _indented(text: str) -> str:
    return "\n".join(f"   {row}" if row else row for row in text.split("\n"))


# ----- LaTeX

_HEAD = r"""\documentclass[11pt]{article}
\usepackage[T1]{fontenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage{amsmath,amssymb,graphicx,textcomp}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\setcounter{MaxMatrixCols}{20}
\newcommand{\answerline}{\hrulefill\par\vspace{4mm}}
\newcommand{\fitted}[1]{\sbox0{#1}\ifdim\wd0>0.94\linewidth\resizebox{0.94\linewidth}{!}{\usebox0}\else\usebox0\fi}
\begin{document}
"""


def _tex_page(sheet: Worksheet, *, key: bool) -> str:
    title = tex_text(f"{sheet.title}: {'key' if key else 'worksheet'}")
    parts = [_HEAD + rf"\section*{{{title}}}"]
    if sheet.about:
        parts.append(tex_text(sheet.about) + "\n")
    if not key:
        name = "".join(c if c.isalnum() or c in "_-" else "_" for c in sheet.title) + "-figure"
        parts.append(
            f"% the figure is shown here if it is there: gradstep diagram ... -o {name}.pdf\n"
            rf"\IfFileExists{{{name}.pdf}}{{\begin{{center}}"
            rf"\includegraphics[width=0.9\linewidth]{{{name}.pdf}}\end{{center}}}}{{}}"
        )
        parts.append(r"Name: \rule{60mm}{0.4pt}\quad Date: \rule{25mm}{0.4pt}\par")
        parts += [r"\subsection*{The network}", _rows(network(sheet))]
        leaves = [*inputs(sheet)]
        parts += [r"\medskip\textbf{Given}", _rows(iter(leaves))] if leaves else []
        parts.append(r"\subsection*{Questions}")
        parts += [tex_text(FLOWS) + "\n"] if asks_for_flows(sheet) else []
    parts.append(r"\begin{enumerate}")
    for question in sheet.questions:
        if key:
            parts += [rf"\item {in_tex(question.statement)}", _rows(iter(answer(question)))]
            continue
        parts.append(
            rf"\item \begin{{minipage}}[t]{{\linewidth}}\parskip 3pt {in_tex(question.statement)}"
        )
        wide = question.kind == FORMULA or bool(question.shape)
        parts += [
            _rows(iter([*question.definitions, *given(sheet.questions, question)])),
            rf"\par\vspace{{{12 if wide else 4}mm}}",
            rf"$\displaystyle {question.asked.tex} = $ \answerline",
            r"\end{minipage}",
        ]
    parts += [r"\end{enumerate}", r"\end{document}", ""]
    return "\n".join(parts)


def _rows(lines: Iterator[Line]) -> str:
    """Lines below each other: words are broken where they are too wide, and formulas made smaller."""
    return "\n".join(rf"\par\quad {_row(said)}\par" for said in lines)


def _row(said: Line) -> str:
    written = in_tex(said, large=True)
    if all(piece.tex for piece in said):
        return rf"\fitted{{{written}}}"
    return rf"{{\raggedright {written}\par}}"
