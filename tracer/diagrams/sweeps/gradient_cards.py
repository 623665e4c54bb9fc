"""The backward pass of tensors as cards: a gradient with its formula; of several flows, a card each and their sum."""

from __future__ import annotations

from tracer import format as short
from tracer.diagrams.measure import room_for
from tracer.diagrams.moments import SMALL
from tracer.diagrams.names import plain
from tracer.diagrams.picture import Card, Run, Text
from tracer.diagrams.sweeps.plans import Plan
from tracer.diagrams.sweeps.rules import rule_formula, rule_text

NUMBER_SIZE = 11.0


def gradient_card(plan: Plan, i: int) -> None:
    """The gradient of node i as a card with its formula; of several flows, a card for each, and one for their sum."""
    moment, trace = plan.moment, plan.moment.trace
    edges, others = plan.into[i], plan.elsewhere(i)
    name = tuple(
        Run(run.text, run.role, run.size, True, run.italic, run.lowered) for run in plan.name(i)
    )
    said: Text = (Run("seed", "quiet", NUMBER_SIZE),) if plan.is_seed(i) else ()
    tip = ""
    if len(edges) == 1 and not others:
        said = rule_text(trace, edges[0])
        tip = plain(rule_formula(trace, edges[0]))
        plan.join(f"n{plan.sender(edges[0])}", f"n{i}", edges[0])
    elif edges:
        beyond = f", {others} from elsewhere" if others else ""
        said = (Run(f"sum of {len(edges) + others} flows{beyond}", "quiet", NUMBER_SIZE),)
        for edge in edges:
            _flow_card(plan, edge)
    reading = moment.read(i, size=NUMBER_SIZE, bold=False)
    final = moment.fullest(i, size=NUMBER_SIZE, bold=False)
    plan.put(
        plan.frames.around[i],
        _card(
            plan,
            f"n{i}",
            i,
            (name, said),
            (reading.gradient, final.gradient),
            tip,
            ahead=plan.is_ahead(i),
            current=len(edges) == 1 and plan.is_moving(edges[0]),
        ),
    )


def _flow_card(plan: Plan, edge: int) -> None:
    """One of several flows, as a card of its own that leads to the sum."""
    moment, sender, receiver = plan.moment, plan.sender(edge), plan.receiver(edge)
    trace = moment.trace
    card = _card(
        plan,
        f"f{edge}",
        receiver,
        ((Run("flow", "quiet", NUMBER_SIZE),), rule_text(trace, edge)),
        (plan.number(edge), plan.final_number(edge)),
        plain(rule_formula(trace, edge)),
        ahead=not moment.has_come(edge),
        current=plan.is_moving(edge),
    )
    plan.put(plan.frames.around[sender], card)
    plan.join(f"n{sender}", f"f{edge}", edge)
    plan.join(f"f{edge}", f"n{receiver}", edge)


def _card(
    plan: Plan,
    key: str,
    i: int,
    said: tuple[Text, Text],
    numbers: tuple[Text, Text],
    tip: str,
    *,
    ahead: bool,
    current: bool,
) -> Card:
    """A card with a title, how it is computed, and the number now; it keeps room for the number at the end."""
    title, rule = said
    now, final = numbers
    shape = plan.moment.trace[i].shape
    note = (Run(short.shape(shape), "quiet", SMALL),) if shape else ()
    return Card(
        key,
        title,
        note,
        (rule, now) if rule else (now,),
        width=room_for((*title, Run("    "), *note), rule, final) + 12,
        tip=tip,
        role="ahead" if ahead else "ink",
        current=current,
        on_route=key[0] == "n" and i in plan.stops,
        nodes=(i,) if key[0] == "n" else (),
    )
