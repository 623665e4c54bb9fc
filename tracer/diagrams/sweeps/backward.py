"""The backward style: the backward pass as a graph of its own, from the seed on the left to the inputs on the right.

What it passes along are gradients, what it does are the rules: upstream times local. Scalars are drawn like a circuit,
a gate for each factor and a sum where flows meet; tensors as cards, one for each gradient with its formula.
"""

from __future__ import annotations

from collections import defaultdict

from tracer.diagrams.boxed.cards import main_route
from tracer.diagrams.frames import Part, framed, frames_of
from tracer.diagrams.moments import Moment
from tracer.diagrams.picture import Picture, Run, Text
from tracer.diagrams.settings import Settings
from tracer.diagrams.sweeps.gradient_cards import gradient_card
from tracer.diagrams.sweeps.gradient_wires import gradient_wire
from tracer.diagrams.sweeps.plans import Plan
from tracer.diagrams.sweeps.rules import says_out


def backward(part: Part, moment: Moment, settings: Settings) -> Picture:
    """The picture of the backward pass; what has not run yet is dashed and has no number."""
    trace = moment.trace
    shown = [i for i in reversed(part.nodes) if trace.receives[i]]
    flows: list[int] = []
    into: dict[int, list[int]] = defaultdict(list)
    for i in shown:
        for edge in trace.flows_of(i) if part.draws_operation(i) else ():
            flows.append(edge)
            into[int(trace.input_of[edge])].append(edge)
    scalar = all(trace.storage.held(i).ndim == 0 for i in shown)
    route = frozenset() if scalar else frozenset(main_route(part))
    direction = "right" if scalar else settings.direction or "rows"
    plan = Plan(part, moment, frames_of(part), frozenset(flows), into, route, direction == "down")
    for i in shown:
        if scalar:
            gradient_wire(plan, i)
        else:
            gradient_card(plan, i)
    outside, clusters = framed(plan.frames.frames, plan.placed, filled=not scalar)
    states = {moment.timeline.status(moment.position, i).state for i in shown}
    return Picture(
        outside,
        tuple(plan.edges),
        clusters,
        caption=(*_legend(plan, scalar=scalar), *moment.caption(states)),
        spread=(0.16, 0.25) if scalar else (0.25, 0.35),
        direction=direction,
    )


def _legend(plan: Plan, *, scalar: bool) -> tuple[Text, ...]:
    """What the formulas call the values that have no name."""
    trace = plan.moment.trace
    if scalar:
        said = "out: what the operation gave" if any(says_out(trace, e) for e in plan.flows) else ""
    else:
        unnamed = any(not trace.names[plan.sender(edge)] for edge in plan.flows)
        said = "g: the gradient that the arrow brings" if unnamed else ""
    return ((Run(said, "quiet", 11),),) if said else ()
