"""`tr.health`: how every layer of a recorded network fares, and every time step, with a verdict in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from tracer.cells.notebook import of_text
from tracer.errors import CheckError
from tracer.format import number
from tracer.insight.diagnosis import diagnosed
from tracer.insight.layering import Layer, layers, time_steps
from tracer.insight.suspicions import suspicions
from tracer.insight.vitals import Vitals, vitals
from tracer.traces import Trace


@dataclass(frozen=True, repr=False)
class Health:
    """What was found: `rows` of the layers, `steps` of the time steps, `ok`, `remarks`, and tables when printed."""

    rows: tuple[Vitals, ...]
    steps: tuple[Vitals, ...] = ()
    rate: float | None = None
    remarks: tuple[str, ...] = ()
    """What is seldom meant, such as a value that was detached; see `tracer.insight.suspicions`."""

    @property
    def ok(self) -> bool:
        """Whether no layer and no time step is ill."""
        return not any(row.verdict for row in (*self.rows, *self.steps))

    def __bool__(self) -> bool:
        return self.ok

    @property
    def summary(self) -> str:
        """How many rows are ill, and of what, in one line."""
        parts = []
        for noun, rows in (("layer", self.rows), ("time step", self.steps)):
            if rows:
                ill = [row.verdict for row in rows if row.verdict]
                counts = ", ".join(f"{ill.count(word)} {word}" for word in dict.fromkeys(ill))
                parts.append(f"{len(rows)} {noun}{'s' * (len(rows) > 1)}, {counts or 'all well'}")
        return f"health: {'; '.join(parts)}"

    def __str__(self) -> str:
        lines = [self.summary]
        for noun, rows in (("layer", self.rows), ("time step", self.steps)):
            if rows:
                lines += _table(noun, rows, self.rate)
        lines += [f"⚠ {remark}" for remark in self.remarks]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return of_text(str(self))


def health(trace: Trace, lr: float | None = None) -> Health:
    """How the layers of a recorded network fare: gradients and values, spread, dead and saturated units, updates.

    For every layer, and for every step of a loop over time: norm of gradient and value of what it puts out, how many
    decades the gradient falls from the layer nearer the loss, the spread of its activations, how many units pass no
    gradient back, and how far a plain step of gradient descent would move its weights, as a share of them: with the
    learning rate `lr`, or per unit of learning rate without. See `tracer.insight.diagnosis` for the verdicts.
    Raises `CheckError` for a trace without a loss.

    >>> import tracer as tr
    >>> x, w = tr.tensor([[1.0], [-1.0]]), tr.parameter([[2.0]], name="w")
    >>> report = health(tr.trace(tr.sum(tr.relu(x @ w - 9.0))))
    >>> print(report.summary)
    health: 1 layer, 1 dead
    """
    if trace.loss < 0:
        raise CheckError("health: the trace has no loss\n  try: tr.trace(loss), of a single number")
    rows, steps = measured(trace, layers(trace), lr), measured(trace, time_steps(trace), lr)
    return Health(rows, steps, lr, suspicions(trace))


def measured(trace: Trace, found: Sequence[Layer], lr: float | None = None) -> tuple[Vitals, ...]:
    """The numbers and verdicts of some layers, those of one track beside each other."""
    rows: list[Vitals] = []
    for _, track in groupby(found, key=lambda layer: layer.track):
        rows += diagnosed([vitals(trace, layer, lr) for layer in track])
    return tuple(rows)


def _table(noun: str, rows: Sequence[Vitals], rate: float | None) -> list[str]:
    """A heading and a line for each row, in columns."""
    update = "Δw/w per lr" if rate is None else "Δw/w"
    heads = [noun, "|∂|", "decades", "|v|", "σ", "dead", "saturated", update, "verdict"]
    cells = [heads, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        ("  " + "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True))).rstrip()
        for line in cells
    ]


def _cells(row: Vitals) -> list[str]:
    shares = ["" if share is None else f"{share:.0%}" for share in (row.dead, row.saturated)]
    return [
        row.name,
        row.state if row.gradient_norm is None else number(row.gradient_norm, 3),
        "" if row.decades is None else number(row.decades, 3),
        number(row.value_norm, 3),
        number(row.spread, 3),
        *shares,
        "" if row.update is None else number(row.update, 2),
        f"{row.verdict}: {row.reason}" if row.verdict else "",
    ]
