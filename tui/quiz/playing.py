"""One round of the quiz: questions, answers, hints, verdicts and solutions, as lines that go to and fro."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tracer.diagrams.settings import Settings
from tracer.diagrams.writers.plain_text import text_drawing
from tracer.errors import GradstepError
from tracer.quizzing.judging import AGAIN, RIGHT, Judge, Judgement
from tracer.quizzing.keyboard import typed
from tracer.quizzing.question import FLOW, FORMULA, Question
from tracer.quizzing.solving import hints, solution
from tracer.quizzing.wording import Line as Said
from tracer.quizzing.wording import plain
from tui.printing import Line, Piece, Terminal, wrapped

HINT, SOLUTION, DRAWING, LEAVE = "?", "??", ":d", ":q"
"""What can be typed in the place of an answer; no node of a network is called so."""
ORDERS = f"{HINT} a hint   {SOLUTION} the solution   {DRAWING} a drawing   {LEAVE} leave"
TRIES = 2
"""Answers to a question, after which the solution is shown."""
MOST_ROWS = 10
"""A drawing of so many lines stands above its question; a higher one is drawn when asked for."""
FORMS = {
    "number": "a number, such as -0.2, 1/3 or exp(1)",
    "matrix": "numbers, such as [[1, 2], [3, 4]] or 1 2; 3 4",
    "formula": "a formula, such as dL/dy * w or h.T @ dL/dz",
}


@dataclass
class Round:
    """A round of the quiz.

    ask: gives the line that was typed after a prompt; raises `EOFError` where there are no more. say: shows lines.
    """

    questions: Sequence[Question]
    here: Terminal
    ask: Callable[[str], str]
    say: Callable[[Iterable[Line]], None]
    answers: list[tuple[str, str, bool]] = field(default_factory=list)
    """Operation, kind, and whether it was right at once, of every question that was answered."""
    tried: Question | None = None
    """The question that was answered wrong, and is not yet done with."""
    later: int = 0
    """Questions that were right at a later try."""

    def play(self) -> None:
        """Ask all questions, until they are answered or somebody leaves; then say how it went."""
        try:
            for number, question in enumerate(self.questions, start=1):
                self.put(number, question)
                if not self.answered(question):
                    break
        except (EOFError, KeyboardInterrupt):
            self.say([()])
        if self.tried is not None:
            self.keep(self.tried, right=False)
        self.say(self.score())

    # ----- one question

    def put(self, number: int, question: Question) -> None:
        """Show a question, with what is given."""
        rows = self.drawing(question)
        if len(rows) > MOST_ROWS:
            rows = []
        head = Piece(f"{number}/{len(self.questions)}  ", "faint")
        self.say([(), *rows, (head, Piece(plain(question.statement), "name"))])
        self.say([self.given(each) for each in (*question.definitions, *question.givens)])

    def given(self, said: Said) -> Line:
        """A line of what is given: values green, gradients red, as everywhere."""
        text = plain(said)
        name, equals, rest = text.partition(" = ")
        numbers = not any(letter.isalpha() and letter != "e" for letter in rest)
        gradient = name.startswith(("∂", "flow "))
        shows = ("gradient" if gradient else "value") if numbers else ""
        return (Piece(f"     {name}{equals}"), Piece(rest, shows))

    def drawing(self, question: Question) -> list[Line]:
        """The surroundings of the node as they stand before the step that is asked for."""
        node, radius = question.sender, 1
        if (
            question.kind == FLOW
        ):  # what the formula takes as one step may be several in the picture
            radius = len(question.subject.chain.path(question.edge))
        try:
            drawn = text_drawing(
                question.trace,
                position=question.position,
                width=max(self.here.columns, 40),
                settings=Settings(around=node, radius=radius),
                ascii=not self.here.signs,
            )
        except GradstepError:
            return []
        rows = drawn.split("\n\n")[0].splitlines()
        return [(Piece(f"   {row}"),) for row in rows]

    def answered(self, question: Question) -> bool:
        """Take answers until one is right, or the solution was shown; False where somebody leaves."""
        judge = Judge(question)
        waiting = list(hints(question))
        tried = 0
        helped = False
        while True:
            text = self.ask("> ").strip()
            if text == LEAVE:
                return False
            if text == HINT:
                helped = True
                self.say([self.hint(waiting.pop(0) if waiting else None)])
            elif text == DRAWING:
                self.say(self.drawing(question) or [(Piece("there is no drawing"),)])
            elif text == SOLUTION:
                self.keep(question, right=False)
                self.solve(question)
                return True
            elif not text:
                self.say([(Piece(f"{FORMS[question.asks]}; {ORDERS}", "faint"),)])
            else:
                found = judge.of(text)
                self.say(self.verdict(found))
                tried += found.verdict != AGAIN
                self.tried = question if tried else None
                if found.verdict == RIGHT:
                    at_once = tried == 1 and not helped
                    self.later += not at_once
                    self.keep(question, right=at_once)
                    return True
                if tried == TRIES:
                    self.keep(question, right=False)
                    self.solve(question)
                    return True

    def keep(self, question: Question, *, right: bool) -> None:
        """Remember how a question went."""
        self.tried = None
        self.answers.append((question.operation, question.kind, right))

    def hint(self, said: Said | None) -> Line:
        """The next hint."""
        if said is None:
            return (Piece(f"that was the last hint; {SOLUTION} shows the solution", "faint"),)
        return (Piece("   hint  ", "faint"), Piece(plain(said)))

    def verdict(self, found: Judgement) -> list[Line]:
        """What became of an answer."""
        marks = {RIGHT: ("✓ right", "right"), AGAIN: ("…", "open")}
        mark, shows = marks.get(found.verdict, ("✗ wrong", "wrong"))
        text = "; ".join(part.strip() for part in found.said)
        colon = ": " if text and found.verdict != AGAIN else " "
        first, *more = wrapped(f"{mark}{colon}{text}".rstrip(), self.here.columns, "  ")
        rest = [(Piece(row),) for row in more]
        return [(Piece(mark, shows), Piece(first.removeprefix(mark))), *rest]

    def solve(self, question: Question) -> None:
        """Show the solution, step by step."""
        lines = [plain(step) for step in solution(question)]
        if question.kind == FORMULA and (text := typed(question)):
            lines.append(f"as one types it: {text}")
        said = [row for each in lines for row in wrapped(f"   {each}", self.here.columns, "      ")]
        self.say([(Piece("the solution", "faint"),), *((Piece(row),) for row in said)])

    # ----- how it went

    def score(self) -> list[Line]:
        """How many were right, and what to practise."""
        asked, right = len(self.answers), sum(good for *_, good in self.answers)
        if not asked:
            return [(Piece("no question was answered", "faint"),)]
        later = f", {self.later} with a hint or at the second try" if self.later else ""
        lines: list[Line] = [(), (Piece(f"{right} of {asked} right at once{later}", "name"),)]
        weak = dict.fromkeys((kind, op) for op, kind, good in self.answers if not good)
        if weak:
            said = ", ".join(f"{kind} of {op}" for kind, op in weak)
            lines += [
                (Piece(row),) for row in wrapped(f"to practise: {said}", self.here.columns, "  ")
            ]
        return lines
